/* A TLS session on memory buffers. Layer: tls. GnuTLS pulls from s->in and pushes to s->out; it never sees a socket, and
 * the peer is judged inside the handshake, before a byte of ours is protected by its keys. The session owns everything
 * it points to, and holds references to its profile and identity. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/crypto.h"
#include "tls/session.h"

enum {
    MAX_INPUT = 256 * 1024, /* ciphertext not yet read: several full records */
    DEFAULT_MAX_OUTPUT = 1024 * 1024,
    OUTPUT_RESERVE = 64 * 1024, /* for handshake messages and alerts beyond max_output */
    TICKET_LIFE_S = 4 * 3600,
    RECORD_PAYLOAD = 16384,    /* RFC 8446 5.1 */
    RECORD_OVERHEAD = 64,      /* header, nonce, tag, with room */
    MAX_HANDSHAKE = 64 * 1024, /* bytes of the peer, with a chain of certificates among them */
};

static const struct ssi_tls_failure no_failure = {.check = ""};
static const struct ssi_tls_failure no_memory = {
    .result = SECSIP_E_NOMEM, .check = "memory", .text = "out of memory"};

static ssize_t pull(gnutls_transport_ptr_t arg, void *data, size_t len)
{
    struct ssi_tls_session *s = arg;

    struct ssi_slice in = ssi_buf_slice(&s->in);
    if (in.len == 0) {
        gnutls_transport_set_errno(s->tls, EAGAIN);
        return -1;
    }
    if (len > in.len)
        len = in.len;
    memcpy(data, in.p, len);
    ssi_buf_consume(&s->in, len);
    return (ssize_t)len;
}

static int pull_timeout(gnutls_transport_ptr_t arg, unsigned ms)
{
    struct ssi_tls_session *s = arg;
    (void)ms;
    return s->in.len > 0;
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *data, size_t len)
{
    struct ssi_tls_session *s = arg;

    ssi_buf_put(&s->out, data, len);
    if (s->out.failed < 0) {
        gnutls_transport_set_errno(s->tls, s->out.failed == SECSIP_E_NOMEM ? ENOMEM : EIO);
        return -1;
    }
    return (ssize_t)len;
}

/* NSS key log format: LABEL, client random, secret. */
static int write_keylog(gnutls_session_t tls, const char *label, const gnutls_datum_t *secret)
{
    struct ssi_tls_session *s = gnutls_session_get_ptr(tls);
    gnutls_datum_t client, server;
    struct ssi_buf line;

    if (!s->profile->keylog) /* a renewal took it away */
        return 0;
    gnutls_session_get_random(tls, &client, &server);
    ssi_buf_init_secret(&line, 1024);
    ssi_buf_put_str(&line, label);
    ssi_buf_put_char(&line, ' ');
    ssi_buf_put_hex(&line, client.data, client.size);
    ssi_buf_put_char(&line, ' ');
    ssi_buf_put_hex(&line, secret->data, secret->size);
    size_t len = line.len;
    ssi_buf_put_char(&line, 0);
    if (line.failed == 0)
        s->profile->keylog(ssi_buf_slice(&line).p, len, s->profile->keylog_user_data);
    ssi_buf_free(&line);
    return 0;
}

static bool is_resumed(const struct ssi_tls_session *s)
{
    return gnutls_session_is_resumed(s->tls) != 0;
}

static struct ssi_tls_check make_check(const struct ssi_tls_session *s)
{
    return (struct ssi_tls_check){
        .trust = &s->profile->trust,
        .policy = &s->profile->policy,
        .options = s->profile->options,
        .peer_is_client = s->server,
        .domain = s->domain,
        .wall_s = s->wall_s,
        .stapled_until = !s->server && is_resumed(s) ? s->terms.good_until : 0,
    };
}

/* Judges the peer's certificate. 0 also when a server asked, the client has none, and none was required. */
static secsip_result judge_peer(struct ssi_tls_session *s)
{
    struct ssi_tls_check check = make_check(s);
    gnutls_datum_t staple;
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->tls, &n);

    s->judged = false;
    s->judged_by = s->profile->rules;
    if (!s->verdict)
        return SECSIP_E_STATE; /* only in the handshake */
    if ((!chain || n == 0) && s->server &&
        s->profile->client_cert != SECSIP_TLS_CLIENT_CERT_REQUIRE)
        return 0;
    if (gnutls_ocsp_status_request_get2(s->tls, 0, &staple) >= 0)
        check.staple = &staple;
    atomic_fetch_add(&s->profile->judging, 1);
    secsip_result r = ssi_tls_verify(&check, chain, chain ? n : 0, s->verdict);
    atomic_fetch_sub(&s->profile->judging, 1);
    s->judged = r == 0;
    s->terms.good_from = s->verdict->good_from;
    s->terms.good_until = s->verdict->good_until;
    return r;
}

/* Behind the handshake, which has proved that the peer has the key. */
static secsip_result remember_peer(struct ssi_tls_session *s)
{
    struct ssi_tls_check check = make_check(s);

    if (!s->judged)
        return 0;
    atomic_fetch_add(&s->profile->judging, 1);
    secsip_result r = ssi_tls_remember_key(&check, s->verdict);
    atomic_fetch_sub(&s->profile->judging, 1);
    return r;
}

static int verify_in_handshake(gnutls_session_t tls)
{
    return judge_peer(gnutls_session_get_ptr(tls)) < 0 ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static unsigned init_flags(const struct ssi_tls_session *s)
{
    static const unsigned tickets[] = {
        [SECSIP_TLS_RESUME_OFF] = GNUTLS_NO_TICKETS,
        [SECSIP_TLS_RESUME_TLS13] = GNUTLS_NO_TICKETS_TLS12,
        [SECSIP_TLS_RESUME_ALL] = 0,
    };

    return GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_KEY_SHARE_TOP |
           tickets[s->profile->resumption] | (s->server ? GNUTLS_SERVER : GNUTLS_CLIENT);
}

static secsip_result set_up_server(struct ssi_tls_session *s)
{
    static const gnutls_certificate_request_t requests[] = {
        [SECSIP_TLS_CLIENT_CERT_IGNORE] = GNUTLS_CERT_IGNORE,
        [SECSIP_TLS_CLIENT_CERT_REQUEST] = GNUTLS_CERT_REQUEST,
        [SECSIP_TLS_CLIENT_CERT_REQUIRE] = GNUTLS_CERT_REQUIRE,
    };

    gnutls_certificate_server_set_request(s->tls, requests[s->profile->client_cert]);
    if (s->profile->resumption == SECSIP_TLS_RESUME_OFF)
        return 0;
    gnutls_db_set_cache_expiration(s->tls, TICKET_LIFE_S);
    return gnutls_session_ticket_enable_server(s->tls, &s->profile->ticket_key) < 0 ? SECSIP_E_NOMEM
                                                                                    : 0;
}

static secsip_result set_up_client(struct ssi_tls_session *s)
{
    struct ssi_addr address;

    if (s->profile->resumption != SECSIP_TLS_RESUME_OFF) {
        struct ssi_tls_ticket *ticket = ssi_tls_tickets_take(&s->profile->tickets, s->domain);
        /* One that GnuTLS does not like any more only means a full handshake. */
        bool in_time =
            ticket && ticket->terms.good_from <= s->wall_s && s->wall_s <= ticket->terms.good_until;
        if (in_time && gnutls_session_set_data(s->tls, ticket->data, ticket->len) >= 0)
            s->terms = ticket->terms;
        ssi_tls_ticket_free(ticket);
    }
    /* RFC 6066 section 3: an address is no server name. */
    if (ssi_addr_parse_ip(ssi_slice_str(s->domain), 0, &address))
        return 0;
    return gnutls_server_name_set(s->tls, GNUTLS_NAME_DNS, s->domain, strlen(s->domain)) < 0
               ? SECSIP_E_INVALID
               : 0;
}

static secsip_result set_up_tls(struct ssi_tls_session *s)
{
    static unsigned char sip2[] = "sip/2";
    const gnutls_datum_t alpn = {sip2, sizeof sip2 - 1};

    if (gnutls_init(&s->tls, init_flags(s)) < 0)
        return SECSIP_E_NOMEM;
    gnutls_session_set_ptr(s->tls, s);
    gnutls_transport_set_ptr(s->tls, s);
    gnutls_transport_set_pull_function(s->tls, pull);
    gnutls_transport_set_pull_timeout_function(s->tls, pull_timeout);
    gnutls_transport_set_push_function(s->tls, push);
    gnutls_handshake_set_timeout(s->tls, 0); /* time is the flow's business */
    gnutls_session_set_verify_function(s->tls, verify_in_handshake);
    if (s->profile->keylog)
        gnutls_session_set_keylog_function(s->tls, write_keylog);
    if (gnutls_priority_set(s->tls, s->profile->priority) < 0 ||
        gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, s->identity->cred) < 0 ||
        gnutls_alpn_set_protocols(s->tls, &alpn, 1, 0) < 0)
        return SECSIP_E_NOMEM;
    return s->server ? set_up_server(s) : set_up_client(s);
}

static struct ssi_tls_verdict *new_verdict(void)
{
    struct ssi_tls_verdict *v = calloc(1, sizeof *v);

    if (v)
        ssi_tls_names_init(&v->names);
    return v;
}

static void free_verdict(struct ssi_tls_session *s)
{
    if (s->verdict)
        ssi_tls_names_free(&s->verdict->names);
    free(s->verdict);
    s->verdict = NULL;
}

secsip_result ssi_tls_session_new(const struct ssi_tls_config *config, struct ssi_tls_session **ret)
{
    char domain[SSI_TLS_DOMAIN_SIZE];
    secsip_result r;

    if (!config->profile || (!config->server && !config->domain))
        return SECSIP_E_INVALID;
    r = ssi_tls_profile_freeze(config->profile, config->server);
    if (r == 0 && !config->server)
        r = ssi_tls_domain_normal(config->domain, domain);
    if (r < 0)
        return r;
    struct ssi_tls_session *s = calloc(1, sizeof *s);
    if (!s)
        return SECSIP_E_NOMEM;
    s->profile = ssi_tls_profile_ref(config->profile);
    s->identity = ssi_tls_identity_ref(s->profile->identity);
    s->rules = s->profile->rules;
    s->server = config->server;
    s->wall_s = config->wall_s;
    s->max_output = config->max_output ? config->max_output : DEFAULT_MAX_OUTPUT;
    s->state = SSI_TLS_HANDSHAKE;
    ssi_buf_init(&s->in, MAX_INPUT);
    ssi_buf_init(&s->out, s->max_output + OUTPUT_RESERVE);
    ssi_tls_names_init(&s->names);
    r = SECSIP_E_NOMEM;
    if (!(s->verdict = new_verdict()))
        goto fail;
    if (!s->server && !(s->domain = ssi_slice_dup(ssi_slice_str(domain))))
        goto fail;
    r = set_up_tls(s);
    if (r < 0)
        goto fail;
    *ret = s;
    return 0;
fail:
    ssi_tls_session_free(s);
    return r;
}

void ssi_tls_session_free(struct ssi_tls_session *s)
{
    if (!s)
        return;
    if (s->tls)
        gnutls_deinit(s->tls);
    free_verdict(s);
    ssi_tls_names_free(&s->names);
    ssi_buf_free(&s->in);
    ssi_buf_free(&s->out);
    ssi_tls_identity_unref(s->identity);
    ssi_tls_profile_unref(s->profile);
    free(s->domain);
    free(s->peer);
    free(s);
}

/* RFC 8446 6.2: what to tell a peer whose certificate was refused. */
static gnutls_alert_description_t alert_for(secsip_result r)
{
    switch (r) {
    case SECSIP_E_TLS_CERT_UNTRUSTED:
    case SECSIP_E_TLS_CERT_SELF_SIGNED:
        return GNUTLS_A_UNKNOWN_CA;
    case SECSIP_E_TLS_CERT_EXPIRED:
    case SECSIP_E_TLS_CERT_NOT_YET_VALID:
        return GNUTLS_A_CERTIFICATE_EXPIRED;
    case SECSIP_E_TLS_CERT_REVOKED:
        return GNUTLS_A_CERTIFICATE_REVOKED;
    case SECSIP_E_TLS_CERT_PURPOSE:
        return GNUTLS_A_UNSUPPORTED_CERTIFICATE;
    case SECSIP_E_TLS_CERT_REFUSED:
        return GNUTLS_A_ACCESS_DENIED;
    case SECSIP_E_NOMEM:
        return GNUTLS_A_INTERNAL_ERROR;
    default:
        return GNUTLS_A_BAD_CERTIFICATE;
    }
}

struct cause {
    int rc;
    secsip_result result;
    const char *check;
    const char *expected;
    const char *hint;
};

#define CIPHERS "ECDHE with AES-GCM or ChaCha20-Poly1305"

static const struct cause causes[] = {
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, SECSIP_E_TLS_HANDSHAKE, "version", "TLS 1.3 or 1.2",
     "the peer speaks neither TLS 1.3 nor 1.2, or no TLS at all"},
    {GNUTLS_E_UNEXPECTED_PACKET_LENGTH, SECSIP_E_TLS_RECORD, "record", "a TLS record",
     "what came is no TLS record"},
    {GNUTLS_E_UNEXPECTED_PACKET, SECSIP_E_TLS_RECORD, "record", "a TLS record",
     "what came is no TLS, perhaps clear text"},
    {GNUTLS_E_RECORD_OVERFLOW, SECSIP_E_TLS_RECORD, "record", "a TLS record of 16384 bytes",
     "a record is larger than TLS allows"},
    {GNUTLS_E_DECRYPTION_FAILED, SECSIP_E_TLS_RECORD, "record", "a TLS record as it was sent",
     "a record was changed on the way"},
    {GNUTLS_E_NO_CIPHER_SUITES, SECSIP_E_TLS_HANDSHAKE, "cipher", CIPHERS,
     "no TLS version and cipher that both sides allow"},
    {GNUTLS_E_UNKNOWN_CIPHER_SUITE, SECSIP_E_TLS_HANDSHAKE, "cipher", CIPHERS,
     "no TLS version and cipher that both sides allow"},
    {GNUTLS_E_NO_COMMON_KEY_SHARE, SECSIP_E_TLS_HANDSHAKE, "group",
     "X25519, X448 or a NIST curve of 256, 384 or 521 bits",
     "no key exchange that both sides allow"},
    {GNUTLS_E_SAFE_RENEGOTIATION_FAILED, SECSIP_E_TLS_HANDSHAKE, "renegotiation",
     "safe renegotiation", "the peer does not know safe renegotiation (RFC 5746)"},
    {GNUTLS_E_REHANDSHAKE, SECSIP_E_TLS_HANDSHAKE, "renegotiation", "no renegotiation",
     "the peer wants to renegotiate, which is refused"},
    {GNUTLS_E_NO_CERTIFICATE_FOUND, SECSIP_E_TLS_CERT_MISSING, "certificate", "a certificate",
     "the peer sent no certificate"},
    {GNUTLS_E_CERTIFICATE_REQUIRED, SECSIP_E_TLS_CERT_MISSING, "certificate", "a certificate",
     "the peer sent no certificate"},
    {GNUTLS_E_MEMORY_ERROR, SECSIP_E_NOMEM, "memory", "", "out of memory"},
};

static void describe_cause(struct ssi_tls_session *s, int rc)
{
    bool handshake = s->state == SSI_TLS_HANDSHAKE;
    const char *name = gnutls_strerror(rc);
    struct ssi_tls_failure *f = &s->verdict->failure;

    if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        gnutls_alert_description_t alert = gnutls_alert_get(s->tls);
        const char *alert_name = gnutls_alert_get_name(alert);
        if (!alert_name)
            alert_name = "unknown alert";
        ssi_tls_fail(f, SECSIP_E_TLS_ALERT, "alert", "no alert", alert_name,
                     "the peer ended the TLS %s with the alert \"%s\" (%d)",
                     handshake ? "handshake" : "session", alert_name, (int)alert);
        return;
    }
    if (s->out.failed == SECSIP_E_NOMEM)
        rc = GNUTLS_E_MEMORY_ERROR;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        if (causes[i].rc == rc) {
            ssi_tls_fail(f, causes[i].result, causes[i].check, causes[i].expected, name,
                         "the TLS %s failed: %s", handshake ? "handshake" : "session",
                         causes[i].hint);
            return;
        }
    }
    ssi_tls_fail(f, handshake ? SECSIP_E_TLS_HANDSHAKE : SECSIP_E_TLS_RECORD,
                 handshake ? "handshake" : "record", handshake ? "a TLS handshake" : "a TLS record",
                 name, "the TLS %s failed: %s", handshake ? "handshake" : "session", name);
}

/* Ends the session: describes the failure and puts the alert where there is one to send. */
static int32_t end_failed(struct ssi_tls_session *s, int rc)
{
    if (!s->verdict)
        s->verdict = new_verdict();
    if (s->verdict && s->verdict->failure.result < 0) {
        gnutls_alert_send(s->tls, GNUTLS_AL_FATAL, alert_for(s->verdict->failure.result));
    } else {
        if (s->verdict) /* else the failure is said to be want of memory, which is the one to mend */
            describe_cause(s, rc);
        if (rc == GNUTLS_E_REHANDSHAKE)
            gnutls_alert_send(s->tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
        else if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED)
            gnutls_alert_send_appropriate(s->tls, rc);
    }
    ssi_buf_free(&s->in);
    s->judged = false;
    return s->state = SSI_TLS_FAILED;
}

/* Of the verdict an open session keeps what it can be asked. */
static bool keep_of_verdict(struct ssi_tls_session *s)
{
    char first[SSI_TLS_DOMAIN_SIZE] = "";
    struct ssi_tls_verdict *v = s->verdict;

    if (s->server)
        s->peer_kind = ssi_tls_names_first(&v->names, first, sizeof first);
    if (first[0] && !(s->peer = ssi_slice_dup(ssi_slice_str(first))))
        return false;
    s->names = v->names;
    ssi_buf_fit(&s->names.list);
    ssi_tls_names_init(&v->names);
    free_verdict(s);
    return true;
}

static bool open_session(struct ssi_tls_session *s)
{
    const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(s->tls));
    const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(s->tls));
    uint32_t relaxed = s->verdict->relaxed;

    if (!keep_of_verdict(s))
        return false;
    /* A resumed session shows none: the server knows it from the first one. */
    if (!is_resumed(s))
        s->terms.showed = !s->server && gnutls_certificate_get_ours(s->tls) != NULL;
    s->info = (secsip_tls_info){
        .size = sizeof s->info,
        .version = version ? version : "",
        .cipher = cipher ? cipher : "",
        .peer = s->domain ? s->domain
                : s->peer ? s->peer
                          : "",
        .verified = s->judged && relaxed == 0,
        .relaxed = relaxed,
        .resumed = is_resumed(s),
    };
    s->state = SSI_TLS_OPEN;
    return true;
}

/* A client keeps the ticket that came: in TLS 1.2 with the handshake, in 1.3 behind it. A resumed session of TLS 1.2 that
 * brings none goes on with the one it used. */
static void keep_ticket(struct ssi_tls_session *s)
{
    gnutls_datum_t data;

    /* Without a strict verdict that a later session can build on, it had better be a full one. So too where the ticket comes
     * behind new rules: the server chooses when. */
    if (s->server || s->kept || !s->judged || s->info.relaxed || s->rules != s->profile->rules)
        return;
    bool tls12 = gnutls_protocol_get_version(s->tls) == GNUTLS_TLS1_2;
    bool old = s->info.resumed && tls12;
    /* RFC 7627 5.3: somebody between may have made a session without it equal to one of his own. */
    if (tls12 && !gnutls_session_ext_master_secret_status(s->tls))
        return;
    if ((!old && !(gnutls_session_get_flags(s->tls) & GNUTLS_SFLAGS_SESSION_TICKET)) ||
        gnutls_session_get_data2(s->tls, &data) < 0)
        return;
    s->kept = true;
    ssi_tls_tickets_put(&s->profile->tickets, s->domain, data.data, data.size, &s->terms);
    ssi_wipe(data.data, data.size);
    gnutls_free(data.data);
}

/* One ticket is enough for a client that keeps one connection; RFC 8446 4.6.1 leaves the number to the server. */
static int send_ticket(struct ssi_tls_session *s)
{
    if (!s->server || s->profile->resumption == SECSIP_TLS_RESUME_OFF ||
        gnutls_protocol_get_version(s->tls) != GNUTLS_TLS1_3)
        return 0;
    return gnutls_session_ticket_send(s->tls, 1, 0);
}

/* A client that resumes knows the chain, which was accepted for this very domain by the same profile with no relaxation,
 * and set_up_client looked at the time. What the application has a say in may have changed. */
static bool verdict_still_holds(const struct ssi_tls_session *s)
{
    const struct ssi_tls_policy *policy = &s->profile->policy;

    return !s->server && is_resumed(s) && s->rules == s->profile->rules &&
           s->terms.good_until > 0 && !policy->decide &&
           policy->known_mode == SECSIP_TLS_KNOWN_KEYS_OFF;
}

static int32_t go_on(struct ssi_tls_session *s)
{
    int rc;

    do
        rc = gnutls_handshake(s->tls);
    while (rc == GNUTLS_E_WARNING_ALERT_RECEIVED || rc == GNUTLS_E_INTERRUPTED);
    if (rc == GNUTLS_E_AGAIN)
        return s->state;
    if (rc < 0)
        return end_failed(s, rc);
    /* GnuTLS asks for no verdict where it took up an earlier session, and one from before the profile was renewed is none. */
    s->judged = (s->judged && s->judged_by == s->profile->rules) || verdict_still_holds(s);
    if ((!s->judged && judge_peer(s) < 0) || remember_peer(s) < 0)
        return end_failed(s, GNUTLS_E_CERTIFICATE_ERROR);
    rc = send_ticket(s);
    if (rc < 0)
        return end_failed(s, rc);
    if (!open_session(s))
        return end_failed(s, GNUTLS_E_MEMORY_ERROR);
    keep_ticket(s);
    return s->state;
}

int32_t ssi_tls_session_start(struct ssi_tls_session *s)
{
    return s->state == SSI_TLS_HANDSHAKE ? go_on(s) : s->state;
}

int32_t ssi_tls_session_input(struct ssi_tls_session *s, const void *data, size_t len)
{
    if (s->state == SSI_TLS_FAILED || s->state == SSI_TLS_CLOSED_BY_PEER)
        return s->state;
    /* GnuTLS judges the length of a message when it is whole. What came with this input may be more than handshake. */
    if (s->state == SSI_TLS_HANDSHAKE && s->n_handshake > MAX_HANDSHAKE)
        return end_failed(s, GNUTLS_E_HANDSHAKE_TOO_LARGE);
    ssi_buf_put(&s->in, data, len);
    if (s->in.failed < 0)
        return s->in.failed;
    ssi_tls_record_take(&s->record, data, len);
    if (s->state == SSI_TLS_HANDSHAKE)
        s->n_handshake += len;
    return s->state == SSI_TLS_HANDSHAKE ? go_on(s) : s->state;
}

size_t ssi_tls_session_held(const struct ssi_tls_session *s)
{
    return s->state == SSI_TLS_HANDSHAKE ? s->n_handshake : ssi_tls_record_held(&s->record);
}

uint64_t ssi_tls_session_wall_s(const struct ssi_tls_session *s)
{
    return s->wall_s;
}

int32_t ssi_tls_session_state(const struct ssi_tls_session *s)
{
    return s->state;
}

/* An idle session keeps no buffer. */
static void release_buffers(struct ssi_tls_session *s)
{
    if (s->in.len == 0)
        ssi_buf_free(&s->in);
    if (s->out.len == 0)
        ssi_buf_free(&s->out);
}

int32_t ssi_tls_session_read(struct ssi_tls_session *s, void *out, size_t cap)
{
    ssize_t n;
    size_t left;

    if (s->state == SSI_TLS_HANDSHAKE)
        return SECSIP_E_STATE;
    if (s->state == SSI_TLS_CLOSED_BY_PEER)
        return 0;
    if (s->state == SSI_TLS_FAILED)
        return ssi_tls_session_failure(s)->result;
    if (cap > INT32_MAX)
        cap = INT32_MAX;
    if (cap == 0)
        return 0;
    /* AGAIN is also what a message behind the handshake gives, a session ticket for example (RFC 8446 4.6): what came
     * after it is still to be read, and nothing else would wake us for it. */
    do {
        left = s->in.len;
        n = gnutls_record_recv(s->tls, out, cap);
    } while (n == GNUTLS_E_WARNING_ALERT_RECEIVED || n == GNUTLS_E_INTERRUPTED ||
             (n == GNUTLS_E_AGAIN && s->in.len > 0 && s->in.len < left));
    keep_ticket(s);
    if (n > 0)
        return (int32_t)n;
    if (n == 0) {
        s->state = SSI_TLS_CLOSED_BY_PEER;
    } else if (n != GNUTLS_E_AGAIN) {
        end_failed(s, (int)n);
        return ssi_tls_session_failure(s)->result;
    }
    release_buffers(s);
    return 0;
}

secsip_result ssi_tls_session_write(struct ssi_tls_session *s, const void *data, size_t len)
{
    const uint8_t *p = data;

    if ((s->state != SSI_TLS_OPEN && s->state != SSI_TLS_CLOSED_BY_PEER) || s->closed)
        return SECSIP_E_STATE;
    /* All or nothing: a message cut in the middle would damage the stream. */
    if (len > s->max_output ||
        s->out.len + len + (len / RECORD_PAYLOAD + 1) * RECORD_OVERHEAD > s->max_output)
        return SECSIP_E_LIMIT;
    while (len > 0) {
        ssize_t n = gnutls_record_send(s->tls, p, len);
        if (n <= 0) {
            end_failed(s, n < 0 ? (int)n : GNUTLS_E_INTERNAL_ERROR);
            return ssi_tls_session_failure(s)->result;
        }
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

void ssi_tls_session_close(struct ssi_tls_session *s)
{
    if (s->closed || (s->state != SSI_TLS_OPEN && s->state != SSI_TLS_CLOSED_BY_PEER))
        return;
    s->closed = true;
    gnutls_bye(s->tls, GNUTLS_SHUT_WR);
}

struct ssi_buf *ssi_tls_session_output(struct ssi_tls_session *s)
{
    return &s->out;
}

const secsip_tls_info *ssi_tls_session_info(const struct ssi_tls_session *s)
{
    return &s->info;
}

const struct ssi_tls_failure *ssi_tls_session_failure(const struct ssi_tls_session *s)
{
    if (s->verdict)
        return &s->verdict->failure;
    return s->state == SSI_TLS_FAILED ? &no_memory : &no_failure;
}
