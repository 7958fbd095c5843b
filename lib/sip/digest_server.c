/* Digest authentication, the server's side, see digest.h. Layer: sip. A nonce is the time and a keyed digest of time and
 * realm: nothing is stored per client. Passwords are asked for, used and wiped. */
#include "sip/digest.h"

#include <stdlib.h>

#include "base/secret.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/digest_fields.h"

enum {
    TIME_TEXT = 16,
    MAC_TEXT = 32,
    NONCE_TEXT = TIME_TEXT + MAC_TEXT
};

secsip_result ssi_sip_auth_server_init(struct ssi_sip_auth_server *s)
{
    s->nonce_life_s = 300;
    return ssi_random_key(s->key, sizeof s->key);
}

/* Two nested keyed digests, so that no length extension of the inner one helps (RFC 2104's reason). */
static secsip_result make_nonce(const struct ssi_sip_auth_server *s, struct ssi_slice realm,
                                uint64_t now_s, char out[NONCE_TEXT + 1])
{
    char inner[SSI_HA1_TEXT], outer[SSI_HA1_TEXT];
    struct ssi_slice key = ssi_slice_of(s->key, sizeof s->key);

    for (int i = TIME_TEXT - 1; i >= 0; i--, now_s >>= 4)
        out[i] = "0123456789abcdef"[now_s & 15];
    const struct ssi_slice one[] = {key, ssi_slice_of(out, TIME_TEXT), realm};
    secsip_result rc = ssi_digest_hex(SSI_DIGEST_SHA256, one, 3, inner);
    if (rc < 0)
        return rc;
    const struct ssi_slice two[] = {key, ssi_slice_str(inner)};
    rc = ssi_digest_hex(SSI_DIGEST_SHA256, two, 2, outer);
    if (rc < 0)
        return rc;
    memcpy(out + TIME_TEXT, outer, MAC_TEXT);
    out[NONCE_TEXT] = 0;
    return 0;
}

void ssi_sip_put_challenges(struct ssi_buf *b, const struct ssi_sip_auth_server *s,
                            const char *realm, bool is_proxy, bool stale, uint64_t now_s)
{
    static const char *const algorithms[] = {"SHA-256", "MD5"}; /* best first, RFC 8760 2.4 */
    char nonce[NONCE_TEXT + 1];
    secsip_result rc = make_nonce(s, ssi_slice_str(realm), now_s, nonce);

    if (rc < 0) {
        if (b->failed == 0)
            b->failed = rc;
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        ssi_sip_put_name(b, is_proxy ? "Proxy-Authenticate" : "WWW-Authenticate");
        ssi_buf_put_str(b, "Digest realm=\"");
        ssi_sip_put_escaped(b, ssi_slice_str(realm));
        ssi_buf_put_str(b, "\", nonce=\"");
        ssi_buf_put_str(b, nonce);
        ssi_buf_put_str(b, "\", qop=\"auth\", algorithm=");
        ssi_buf_put_str(b, algorithms[i]);
        if (stale)
            ssi_buf_put_str(b, ", stale=true");
        ssi_sip_put_crlf(b);
    }
}

enum nonce_state {
    NONCE_GOOD,
    NONCE_OLD,
    NONCE_FAILED, /* no digest to be had */
};

static enum nonce_state check_nonce(const struct ssi_sip_auth_server *s, struct ssi_slice realm,
                                    struct ssi_slice nonce, uint64_t now_s)
{
    char expected[NONCE_TEXT + 1];
    uint64_t made = 0;

    if (nonce.len != NONCE_TEXT)
        return NONCE_OLD;
    for (int i = 0; i < TIME_TEXT; i++) {
        char c = nonce.p[i];
        if (!ssi_sip_is(c, SSI_CH_HEX) || (c >= 'A' && c <= 'F'))
            return NONCE_OLD;
        made = made << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (make_nonce(s, realm, made, expected) < 0)
        return NONCE_FAILED;
    if (!ssi_equal_ct(expected, nonce.p, NONCE_TEXT) || made > now_s ||
        now_s - made > s->nonce_life_s)
        return NONCE_OLD;
    return NONCE_GOOD;
}

static bool is_nc(struct ssi_slice nc)
{
    for (size_t i = 0; i < nc.len; i++)
        if (!ssi_sip_is(nc.p[i], SSI_CH_HEX))
            return false;
    return nc.len == 8;
}

/* What RFC 7616 3.4 makes a client send; qop may be missing only in RFC 2069's form with MD5. */
static bool fields_complete(const struct ssi_sip_digest_fields *f,
                            enum ssi_digest_algorithm algorithm)
{
    if (!f->username.p || f->username.p[0] != '"' || !f->nonce.p || !f->uri.p || !f->response.p)
        return false;
    if (ssi_sip_bare(f->response).len != 2 * ssi_digest_size(algorithm))
        return false;
    if (!f->qop.p)
        return algorithm == SSI_DIGEST_MD5 && !f->nc.p && !f->cnonce.p;
    return ssi_slice_ieq(ssi_sip_bare(f->qop), SSI_LIT("auth")) && f->cnonce.p && f->nc.p &&
           is_nc(ssi_sip_bare(f->nc));
}

/* The digest itself. An unknown user costs the same time as a known one. */
static enum ssi_sip_auth_verdict check_response(const struct ssi_sip_digest_fields *f,
                                                struct ssi_sip_digest_input *in,
                                                const char *password)
{
    char nc[9] = "", expected[SSI_HA1_TEXT];

    if (f->nc.p) {
        memcpy(nc, ssi_sip_bare(f->nc).p, 8);
        in->nc = nc;
    }
    secsip_result r = ssi_sip_digest_response(in, password ? password : "", expected);
    in->nc = NULL; /* it was ours */
    if (r < 0)
        return SSI_SIP_AUTH_FAILED;
    bool equal =
        ssi_equal_ct(expected, ssi_sip_bare(f->response).p, 2 * ssi_digest_size(in->algorithm));
    return equal && password ? SSI_SIP_AUTH_OK : SSI_SIP_AUTH_WRONG;
}

static enum ssi_sip_auth_verdict
check_fields(const struct ssi_sip_digest_fields *f, const struct ssi_sip_msg *req,
             struct ssi_slice realm, enum ssi_digest_algorithm algorithm,
             char *(*password_of)(void *arg, struct ssi_slice user), void *arg)
{
    secsip_result rc = 0;
    char *user = ssi_sip_unquote_dup(f->username, &rc);
    char *cnonce = f->cnonce.p ? ssi_sip_unquote_dup(f->cnonce, &rc) : NULL;
    char *uri = ssi_sip_unquote_dup(f->uri, &rc);
    enum ssi_sip_auth_verdict verdict =
        rc == SECSIP_E_NOMEM ? SSI_SIP_AUTH_FAILED : SSI_SIP_AUTH_BAD;

    if (user && uri && (cnonce || !f->cnonce.p)) {
        struct ssi_sip_digest_input in = {.algorithm = algorithm,
                                          .user = ssi_slice_str(user),
                                          .realm = realm,
                                          .nonce = ssi_sip_bare(f->nonce),
                                          .cnonce = ssi_slice_str(cnonce),
                                          .method = req->method_text,
                                          .uri = ssi_slice_str(uri)};
        char *password = password_of(arg, in.user);
        verdict = check_response(f, &in, password);
        ssi_secret_free(password);
    }
    free(uri);
    free(cnonce);
    free(user);
    return verdict;
}

enum {
    MALFORMED = -1,
    NO_MEMORY = -2,
};

/* Reads one value: 1 for this realm, 0 for another realm or scheme, MALFORMED, NO_MEMORY. */
static int read_credentials(struct ssi_slice value, struct ssi_slice realm,
                            struct ssi_sip_digest_fields *f)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(value);
    struct ssi_slice scheme, params;
    secsip_result rc = 0;

    if (ssi_sip_auth_next(&r, &scheme, &params) <= 0)
        return MALFORMED;
    /* An unknown scheme counts as no credentials (RFC 4475 3.3.7). */
    if (!ssi_slice_ieq(scheme, SSI_LIT("Digest")))
        return 0;
    if (r.p != r.end || !ssi_sip_digest_fields_read(params, f) || !f->realm.p)
        return MALFORMED;
    char *text = ssi_sip_unquote_dup(f->realm, &rc);
    if (!text)
        return rc == SECSIP_E_NOMEM ? NO_MEMORY : MALFORMED;
    bool same = ssi_slice_eq(ssi_slice_str(text), realm);
    free(text);
    return same;
}

bool ssi_sip_credentials_are_for(struct ssi_slice value, const char *realm)
{
    struct ssi_sip_digest_fields f;

    return read_credentials(value, ssi_slice_str(realm), &f) != 0;
}

/* The first credentials for the realm with an algorithm of ours: 1, 0: none, MALFORMED, NO_MEMORY. */
static int find_credentials(const struct ssi_sip_msg *req, struct ssi_slice realm, bool is_proxy,
                            struct ssi_sip_digest_fields *f, enum ssi_digest_algorithm *algorithm)
{
    enum ssi_sip_hdr id = is_proxy ? SSI_HDR_PROXY_AUTHORIZATION : SSI_HDR_AUTHORIZATION;

    for (const struct ssi_sip_header *h = NULL; (h = ssi_sip_msg_header(req, id, h));) {
        int found = read_credentials(h->value, realm, f);
        if (found < 0)
            return found;
        if (found && ssi_sip_digest_algorithm_of(f->algorithm, algorithm))
            return 1;
    }
    return 0;
}

enum ssi_sip_auth_verdict ssi_sip_auth_check(const struct ssi_sip_auth_server *s,
                                             const struct ssi_sip_msg *req, const char *realm,
                                             bool is_proxy, uint64_t now_s,
                                             char *(*password_of)(void *arg, struct ssi_slice user),
                                             void *arg, struct ssi_slice *ret_user)
{
    struct ssi_sip_digest_fields f;
    enum ssi_digest_algorithm algorithm;
    int found = find_credentials(req, ssi_slice_str(realm), is_proxy, &f, &algorithm);

    if (found == 0)
        return SSI_SIP_AUTH_NONE;
    if (found == NO_MEMORY)
        return SSI_SIP_AUTH_FAILED;
    if (found < 0 || !fields_complete(&f, algorithm))
        return SSI_SIP_AUTH_BAD;
    /* A nonce that was never ours is as good as an old one: the client shall try again with a fresh one. */
    switch (check_nonce(s, ssi_slice_str(realm), ssi_sip_bare(f.nonce), now_s)) {
    case NONCE_OLD:
        return SSI_SIP_AUTH_STALE;
    case NONCE_FAILED:
        return SSI_SIP_AUTH_FAILED;
    case NONCE_GOOD:
        break;
    }
    enum ssi_sip_auth_verdict verdict =
        check_fields(&f, req, ssi_slice_str(realm), algorithm, password_of, arg);
    if (ret_user && (verdict == SSI_SIP_AUTH_OK || verdict == SSI_SIP_AUTH_WRONG))
        *ret_user = ssi_sip_bare(f.username);
    return verdict;
}
