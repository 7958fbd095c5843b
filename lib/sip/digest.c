/* Digest authentication, the client's side and the arithmetic, see digest.h. Layer: sip. HA1 lives on the stack only and
 * is wiped. */
#include "sip/digest.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "sip/auth.h"
#include "sip/build.h"
#include "sip/digest_fields.h"

static const struct ssi_slice colon = {":", 1};

/* RFC 7616 3.4.3. */
static secsip_result hash_a2(const struct ssi_sip_digest_input *in, char out[SSI_HA1_TEXT])
{
    char body[SSI_HA1_TEXT];

    if (in->is_int) {
        secsip_result rc = ssi_digest_hex(in->algorithm, &in->body, 1, body);
        if (rc < 0)
            return rc;
    }
    const struct ssi_slice a2[] = {
        in->method, colon, in->uri, colon,
        ssi_slice_of(body, in->is_int ? 2 * ssi_digest_size(in->algorithm) : 0)};
    return ssi_digest_hex(in->algorithm, a2, in->is_int ? 5 : 3, out);
}

secsip_result ssi_sip_digest_response(const struct ssi_sip_digest_input *in, const char *password,
                                      char out[SSI_HA1_TEXT])
{
    char ha1[SSI_HA1_TEXT], ha2[SSI_HA1_TEXT];
    size_t n = 2 * ssi_digest_size(in->algorithm);
    const struct ssi_slice qop = in->is_int ? SSI_LIT("auth-int") : SSI_LIT("auth");
    const struct ssi_slice a1[] = {in->user, colon, in->realm, colon, ssi_slice_str(password)};

    secsip_result rc = ssi_digest_hex(in->algorithm, a1, 5, ha1);
    if (rc >= 0 && in->is_sess) {
        const struct ssi_slice sess[] = {ssi_slice_of(ha1, n), colon, in->nonce, colon, in->cnonce};
        rc = ssi_digest_hex(in->algorithm, sess, 5, ha1);
    }
    if (rc >= 0)
        rc = hash_a2(in, ha2);
    if (rc >= 0 && in->nc) {
        const struct ssi_slice all[] = {
            ssi_slice_of(ha1, n), colon, in->nonce, colon, ssi_slice_str(in->nc), colon,
            in->cnonce,           colon, qop,       colon, ssi_slice_of(ha2, n)};
        rc = ssi_digest_hex(in->algorithm, all, sizeof all / sizeof all[0], out);
    } else if (rc >= 0) {
        const struct ssi_slice all[] = {ssi_slice_of(ha1, n), colon, in->nonce, colon,
                                        ssi_slice_of(ha2, n)};
        rc = ssi_digest_hex(in->algorithm, all, sizeof all / sizeof all[0], out);
    }
    ssi_wipe(ha1, sizeof ha1);
    return rc;
}

/* A value without its quotes, compared as a token: algorithm and stale come both ways in the field. */
struct ssi_slice ssi_sip_bare(struct ssi_slice v)
{
    return v.len >= 2 && v.p[0] == '"' ? ssi_slice_of(v.p + 1, v.len - 2) : v;
}

bool ssi_sip_digest_fields_read(struct ssi_slice params, struct ssi_sip_digest_fields *f)
{
    struct ssi_sip_reader r = ssi_sip_reader_of(params);
    struct ssi_slice name, value;
    int got;
    const struct {
        struct ssi_slice name;
        struct ssi_slice *into;
    } known[] = {
        {SSI_LIT("realm"), &f->realm},
        {SSI_LIT("nonce"), &f->nonce},
        {SSI_LIT("opaque"), &f->opaque},
        {SSI_LIT("algorithm"), &f->algorithm},
        {SSI_LIT("stale"), &f->stale},
        {SSI_LIT("qop"), &f->qop},
        {SSI_LIT("username"), &f->username},
        {SSI_LIT("uri"), &f->uri},
        {SSI_LIT("response"), &f->response},
        {SSI_LIT("cnonce"), &f->cnonce},
        {SSI_LIT("nc"), &f->nc},
    };

    memset(f, 0, sizeof *f);
    while ((got = ssi_sip_auth_param(&r, &name, &value)) > 0) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (!ssi_slice_ieq(name, known[i].name))
                continue;
            if (known[i].into->p)
                return false; /* doubled: two readers could take different ones */
            *known[i].into = value;
        }
    }
    return got == 0;
}

static const char *const algorithm_names[] = {
    [SSI_DIGEST_MD5] = "MD5",
    [SSI_DIGEST_SHA256] = "SHA-256",
    [SSI_DIGEST_SHA512_256] = "SHA-512-256",
};

const char *ssi_sip_digest_algorithm_name(enum ssi_digest_algorithm a)
{
    return algorithm_names[a];
}

bool ssi_sip_digest_algorithm_of(struct ssi_slice value, enum ssi_digest_algorithm *ret,
                                 bool *ret_sess)
{
    const struct ssi_slice sess = SSI_LIT("-sess");
    struct ssi_slice name = ssi_sip_bare(value);
    size_t stem = name.len > sess.len ? name.len - sess.len : name.len;

    *ret_sess = ssi_slice_ieq(ssi_slice_from(name, stem), sess);
    if (*ret_sess)
        name.len = stem;
    *ret = SSI_DIGEST_MD5; /* RFC 7616 3.3: absent means MD5 */
    if (!value.p)
        return true;
    for (size_t i = 0; i < sizeof algorithm_names / sizeof algorithm_names[0]; i++)
        if (ssi_slice_ieq(name, ssi_slice_str(algorithm_names[i]))) {
            *ret = (enum ssi_digest_algorithm)i;
            return true;
        }
    return false;
}

static bool offers(struct ssi_slice qop, struct ssi_slice one)
{
    struct ssi_cursor c = ssi_cursor_of(ssi_sip_bare(qop));

    while (!ssi_cursor_at_end(&c)) {
        if (ssi_slice_ieq(ssi_slice_trim(ssi_cursor_take_until(&c, ',')), one))
            return true;
        ssi_cursor_take(&c, ',');
    }
    return false;
}

/* 1: taken into *c, 0: not one that we can answer, negative: malformed or no memory. */
static int32_t take_challenge(struct ssi_slice params, struct ssi_sip_challenge *c)
{
    struct ssi_sip_digest_fields f;
    enum ssi_digest_algorithm algorithm;
    bool is_sess;
    secsip_result rc = SECSIP_E_SIP_AUTH;

    if (!ssi_sip_digest_fields_read(params, &f) || !f.realm.p || !f.nonce.p ||
        f.realm.p[0] != '"' || f.nonce.p[0] != '"')
        return SECSIP_E_SIP_AUTH;
    if (!ssi_sip_digest_algorithm_of(f.algorithm, &algorithm, &is_sess))
        return 0;
    bool has_auth = offers(f.qop, SSI_LIT("auth")), has_int = offers(f.qop, SSI_LIT("auth-int"));
    /* RFC 2069's form, without qop, belongs to MD5 only (RFC 8760 2.6 demands qop), and to no -sess: it has no cnonce. */
    if (f.qop.p ? !has_auth && !has_int : algorithm != SSI_DIGEST_MD5 || is_sess)
        return 0;
    struct ssi_sip_challenge got = {
        .algorithm = algorithm,
        .stale = ssi_slice_ieq(ssi_sip_bare(f.stale), SSI_LIT("true")),
        .has_qop = f.qop.p != NULL,
        .is_int = has_int && !has_auth,
        .names_algorithm = f.algorithm.p != NULL,
        .is_sess = is_sess,
    };
    got.realm = ssi_sip_unquote_dup(f.realm, &rc);
    if (!got.realm)
        return rc;
    got.nonce = ssi_sip_unquote_dup(f.nonce, &rc);
    if (!got.nonce)
        goto fail;
    if (f.opaque.p) {
        got.opaque = ssi_sip_unquote_dup(f.opaque, &rc);
        if (!got.opaque)
            goto fail;
    }
    *c = got;
    return 1;
fail:
    ssi_sip_challenge_free(&got);
    return rc;
}

/* The same, but what is in *c already stays unless the new one is of its realm and stronger. */
static int32_t take_better(struct ssi_slice params, struct ssi_sip_challenge *c)
{
    struct ssi_sip_challenge got = {0};

    int32_t took = take_challenge(params, &got);
    if (took <= 0 || !got.realm)
        return took;
    if (c->realm && (strcmp(c->realm, got.realm) != 0 ||
                     ssi_digest_size(got.algorithm) <= ssi_digest_size(c->algorithm))) {
        ssi_sip_challenge_free(&got);
        return 0;
    }
    ssi_sip_challenge_free(c);
    *c = got;
    return 1;
}

secsip_result ssi_sip_challenge_pick(const struct ssi_sip_msg *response,
                                     struct ssi_sip_challenge *c)
{
    bool is_proxy = response->status == 407;
    enum ssi_sip_hdr id = is_proxy ? SSI_HDR_PROXY_AUTHENTICATE : SSI_HDR_WWW_AUTHENTICATE;
    const struct ssi_sip_header *h = NULL;
    struct ssi_sip_challenge picked = {0};
    secsip_result rc = SECSIP_E_SIP_AUTH_ALGORITHM;
    bool any = false, have = false;

    while ((h = ssi_sip_msg_header(response, id, h))) {
        struct ssi_sip_reader r = ssi_sip_reader_of(h->value);
        struct ssi_slice scheme, params;
        int got;
        while ((got = ssi_sip_auth_next(&r, &scheme, &params)) > 0) {
            any = true;
            if (!ssi_slice_ieq(scheme, SSI_LIT("Digest")))
                continue;
            int32_t took = take_better(params, &picked);
            if (took < 0) {
                rc = took;
                goto fail;
            }
            have |= took > 0;
        }
        if (got < 0) {
            rc = SECSIP_E_SIP_AUTH;
            goto fail;
        }
    }
    if (!any)
        rc = SECSIP_E_SIP_AUTH;
    if (!have)
        goto fail;
    picked.is_proxy = is_proxy;
    ssi_sip_challenge_free(c);
    *c = picked;
    return 0;
fail:
    ssi_sip_challenge_free(&picked);
    return rc;
}

void ssi_sip_challenge_free(struct ssi_sip_challenge *c)
{
    free(c->realm);
    free(c->nonce);
    free(c->opaque);
    memset(c, 0, sizeof *c);
}

static void put_quoted(struct ssi_buf *b, const char *before, struct ssi_slice value)
{
    ssi_buf_put_str(b, before);
    ssi_buf_put(b, "=\"", 2);
    ssi_sip_put_escaped(b, value);
    ssi_buf_put_char(b, '"');
}

static void format_nc(uint32_t n, char out[9])
{
    for (int i = 7; i >= 0; i--, n >>= 4)
        out[i] = "0123456789abcdef"[n & 15];
    out[8] = 0;
}

void ssi_sip_put_credentials(struct ssi_buf *b, struct ssi_sip_challenge *c, const char *user,
                             const char *password, struct ssi_slice method, struct ssi_slice uri,
                             struct ssi_slice body)
{
    char cnonce[33], nc[9], response[SSI_HA1_TEXT];
    struct ssi_sip_digest_input in = {.algorithm = c->algorithm,
                                      .is_sess = c->is_sess,
                                      .user = ssi_slice_str(user),
                                      .realm = ssi_slice_str(c->realm),
                                      .nonce = ssi_slice_str(c->nonce),
                                      .cnonce = ssi_slice_of(cnonce, 32),
                                      .method = method,
                                      .uri = uri,
                                      .is_int = c->is_int,
                                      .body = body};

    format_nc(++c->nc, nc);
    secsip_result rc = 0;
    if (c->is_sess && c->cnonce[0])
        memcpy(cnonce, c->cnonce, sizeof cnonce);
    else
        rc = ssi_random_token(cnonce, 32);
    if (rc >= 0 && c->is_sess)
        memcpy(c->cnonce, cnonce, sizeof cnonce);
    in.nc = c->has_qop ? nc : NULL;
    if (rc >= 0)
        rc = ssi_sip_digest_response(&in, password, response);
    if (rc < 0) {
        if (b->failed == 0)
            b->failed = rc;
        return;
    }
    ssi_sip_put_name(b, c->is_proxy ? "Proxy-Authorization" : "Authorization");
    put_quoted(b, "Digest username", in.user);
    put_quoted(b, ", realm", in.realm);
    put_quoted(b, ", nonce", in.nonce);
    put_quoted(b, ", uri", uri);
    put_quoted(b, ", response", ssi_slice_str(response));
    if (c->names_algorithm) {
        ssi_buf_put_str(b, ", algorithm=");
        ssi_buf_put_str(b, ssi_sip_digest_algorithm_name(c->algorithm));
        ssi_buf_put_str(b, c->is_sess ? "-sess" : "");
    }
    if (c->opaque)
        put_quoted(b, ", opaque", ssi_slice_str(c->opaque));
    if (c->has_qop) {
        put_quoted(b, ", cnonce", in.cnonce);
        ssi_buf_put_str(b, c->is_int ? ", qop=auth-int, nc=" : ", qop=auth, nc=");
        ssi_buf_put_str(b, nc);
    }
    ssi_sip_put_crlf(b);
}
