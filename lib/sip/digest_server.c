/* Digest authentication, the server's side, see digest.h; its nonces are nonce.c's. Layer: sip. Passwords are asked for, used
 * and wiped. */
#include "sip/digest.h"

#include <stdlib.h>

#include "base/secret.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/digest_fields.h"
#include "sip/nonce.h"

void ssi_sip_put_challenges(struct ssi_buf *b, struct ssi_sip_auth_server *s, const char *realm,
                            bool is_proxy, bool stale, uint64_t now_s)
{
    /* The one to be preferred first (RFC 8760 2.3): of two that are as strong, the one that more clients have. */
    static const enum ssi_digest_algorithm algorithms[] = {SSI_DIGEST_SHA256, SSI_DIGEST_SHA512_256,
                                                           SSI_DIGEST_MD5};
    char nonce[SSI_SIP_NONCE_TEXT + 1];
    secsip_result rc = ssi_sip_nonce_make(s, ssi_slice_str(realm), now_s, nonce);

    if (rc < 0) {
        if (b->failed == 0)
            b->failed = rc;
        return;
    }
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        ssi_sip_put_name(b, is_proxy ? "Proxy-Authenticate" : "WWW-Authenticate");
        ssi_buf_put_str(b, "Digest realm=\"");
        ssi_sip_put_escaped(b, ssi_slice_str(realm));
        ssi_buf_put_str(b, "\", nonce=\"");
        ssi_buf_put_str(b, nonce);
        ssi_buf_put_str(b, "\", qop=\"auth,auth-int\", algorithm=");
        ssi_buf_put_str(b, ssi_sip_digest_algorithm_name(algorithms[i]));
        if (stale)
            ssi_buf_put_str(b, ", stale=true");
        ssi_sip_put_crlf(b);
    }
}

/* 8LHEX, counted from 1 (RFC 7616 3.4); 0 for anything else. */
static uint32_t read_nc(struct ssi_slice nc)
{
    uint32_t value = 0;

    if (nc.len != 8)
        return 0;
    for (size_t i = 0; i < nc.len; i++) {
        if (!ssi_sip_is(nc.p[i], SSI_CH_HEX))
            return 0;
        char c = ssi_lower(nc.p[i]);
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

static bool is_auth_int(const struct ssi_sip_digest_fields *f)
{
    return ssi_slice_ieq(ssi_sip_bare(f->qop), SSI_LIT("auth-int"));
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
    bool is_known = is_auth_int(f) || ssi_slice_ieq(ssi_sip_bare(f->qop), SSI_LIT("auth"));
    return is_known && f->cnonce.p && f->nc.p && read_nc(ssi_sip_bare(f->nc)) > 0;
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

/* RFC 7616 3.4.6: the credentials are for this request. Scheme, port and parameters are left out of the comparison, because
 * phones write what they were configured with (RFC 3261 22.4 item 8 allows more). */
static bool is_for_request(const char *uri, const struct ssi_sip_msg *req)
{
    struct ssi_sip_uri u;

    return ssi_sip_uri_parse(ssi_slice_str(uri), &u) == 0 && ssi_sip_uri_same_user(&u, &req->uri);
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

    if (user && uri && (cnonce || !f->cnonce.p) && is_for_request(uri, req)) {
        struct ssi_sip_digest_input in = {.algorithm = algorithm,
                                          .user = ssi_slice_str(user),
                                          .realm = realm,
                                          .nonce = ssi_sip_bare(f->nonce),
                                          .cnonce = ssi_slice_str(cnonce),
                                          .method = req->method_text,
                                          .uri = ssi_slice_str(uri),
                                          .is_int = is_auth_int(f),
                                          .body = req->body};
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
        bool is_sess;
        if (found && ssi_sip_digest_algorithm_of(f->algorithm, algorithm, &is_sess) && !is_sess)
            return 1;
    }
    return 0;
}

enum ssi_sip_auth_verdict ssi_sip_auth_check(struct ssi_sip_auth_server *s,
                                             const struct ssi_sip_msg *req, const char *realm,
                                             bool is_proxy, uint64_t now_s,
                                             char *(*password_of)(void *arg, struct ssi_slice user),
                                             void *arg, struct ssi_slice *ret_user)
{
    struct ssi_sip_digest_fields f;
    enum ssi_digest_algorithm algorithm;
    struct ssi_sip_nonce nonce;
    int found = find_credentials(req, ssi_slice_str(realm), is_proxy, &f, &algorithm);

    if (found == 0)
        return SSI_SIP_AUTH_NONE;
    if (found == NO_MEMORY)
        return SSI_SIP_AUTH_FAILED;
    if (found < 0 || !fields_complete(&f, algorithm))
        return SSI_SIP_AUTH_BAD;
    /* A nonce that was never ours is as good as an old one: the client shall try again with a fresh one. So shall one whose
     * credentials were seen before. Without qop there is no nc, and a nonce is good for one request. */
    struct ssi_slice realm_text = ssi_slice_str(realm);
    enum ssi_sip_nonce_state state =
        ssi_sip_nonce_check(s, realm_text, ssi_sip_bare(f.nonce), now_s, &nonce);
    enum ssi_sip_auth_verdict verdict = SSI_SIP_AUTH_OK;
    if (state == SSI_SIP_NONCE_GOOD)
        verdict = check_fields(&f, req, realm_text, algorithm, password_of, arg);
    if (state == SSI_SIP_NONCE_GOOD && verdict == SSI_SIP_AUTH_OK)
        state = ssi_sip_nonce_use(s, &nonce, f.nc.p ? read_nc(ssi_sip_bare(f.nc)) : 1, req, now_s);
    if (state == SSI_SIP_NONCE_OLD)
        return SSI_SIP_AUTH_STALE;
    if (state == SSI_SIP_NONCE_FAILED)
        return SSI_SIP_AUTH_FAILED;
    if (ret_user && (verdict == SSI_SIP_AUTH_OK || verdict == SSI_SIP_AUTH_WRONG))
        *ret_user = ssi_sip_bare(f.username);
    return verdict;
}
