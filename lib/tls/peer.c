/* Who is at the other end of a session, and for whom it may speak, see tls.h. Layer: tls. */
#include "tls/session.h"

bool ssi_tls_session_showed_certificate(const struct ssi_tls_session *s)
{
    return !s->server && s->state == SSI_TLS_OPEN && s->terms.showed;
}

/* A resumed client session has not read the names: they are read when somebody asks. */
static bool read_names_late(const struct ssi_tls_session *s, struct ssi_tls_names *names)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->tls, &n);
    gnutls_x509_crt_t leaf;

    if (!chain || n == 0 || gnutls_x509_crt_init(&leaf) < 0)
        return false;
    bool good = gnutls_x509_crt_import(leaf, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
                ssi_tls_names_read(names, leaf) == 0;
    gnutls_x509_crt_deinit(leaf);
    return good;
}

bool ssi_tls_session_peer_is(const struct ssi_tls_session *s, const char *domain)
{
    const struct ssi_tls_names *names = &s->names;
    char normal[SSI_TLS_DOMAIN_SIZE];
    struct ssi_tls_names late;
    uint32_t needs;

    if (!s->judged || (s->info.relaxed & SSI_TLS_INSECURE_OPTIONS) ||
        ssi_tls_domain_normal(domain, normal) < 0)
        return false;
    ssi_tls_names_init(&late);
    if (names->list.len == 0 && read_names_late(s, &late))
        names = &late;
    bool is = ssi_tls_names_match(names, normal, &needs) && (needs & ~s->profile->options) == 0;
    ssi_tls_names_free(&late);
    return is;
}

bool ssi_tls_session_stands_for(const struct ssi_tls_session *s, const char *domain)
{
    const struct ssi_tls_policy *policy = &s->profile->policy;

    /* Known keys and decisions are about a domain that is asked for, and a client was asked for none. */
    if (s->server && (policy->known_mode != SECSIP_TLS_KNOWN_KEYS_OFF || policy->decide))
        return false;
    return ssi_tls_session_peer_is(s, domain);
}

bool ssi_tls_session_shows_same(const struct ssi_tls_session *s, const struct ssi_tls_session *as)
{
    unsigned n = 0, m = 0;
    const gnutls_datum_t *a = gnutls_certificate_get_peers(s->tls, &n);
    const gnutls_datum_t *b = gnutls_certificate_get_peers(as->tls, &m);

    return s->judged && as->judged && a && b && n > 0 && m > 0 && a->size == b->size &&
           memcmp(a->data, b->data, a->size) == 0;
}

bool ssi_tls_session_is_same_client(const struct ssi_tls_session *s,
                                    const struct ssi_tls_session *of)
{
    if (!s->server || !of->server || !s->judged || !of->judged || !s->peer || !of->peer ||
        s->peer_kind != of->peer_kind)
        return false;
    /* RFC 3261 19.1.4: a user has a case, a host has none. */
    return s->peer_kind == SSI_TLS_NAME_USER
               ? strcmp(s->peer, of->peer) == 0
               : ssi_slice_ieq(ssi_slice_str(s->peer), ssi_slice_str(of->peer));
}

bool ssi_tls_session_binds_from(const struct ssi_tls_session *s)
{
    return s->server && s->judged && s->profile->from == SECSIP_TLS_FROM_CERTIFIED;
}

const char *ssi_tls_session_user(const struct ssi_tls_session *s, size_t *at)
{
    enum ssi_tls_name_kind kind;
    const char *text;

    if (!s->judged || (s->info.relaxed & SSI_TLS_INSECURE_OPTIONS))
        return NULL;
    while (ssi_tls_names_next(&s->names, at, &kind, &text))
        if (kind == SSI_TLS_NAME_USER)
            return text;
    return NULL;
}
