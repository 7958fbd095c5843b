/* Challenges and credentials: the input is the value of a header field. A challenge that is taken can be answered, and the
 * answer reads well. */
#include "fuzz.h"

#include <string.h>

#include "base/secret.h"
#include "sip/build.h"
#include "sip/digest.h"

static char *password_of(void *arg, struct ssi_slice user)
{
    (void)arg;
    return user.len % 2 ? NULL : ssi_secret_dup("secret");
}

/* A message with the input in one header field; NULL when the input is no value. */
static struct ssi_sip_msg *message(const char *start, const char *name, struct ssi_slice value)
{
    struct ssi_buf b;
    struct ssi_sip_msg *m = NULL;

    ssi_buf_init(&b, SIZE_MAX);
    ssi_buf_put_str(&b, start);
    ssi_buf_put_str(&b, "Via: SIP/2.0/TLS h\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: "
                        "1\r\nCSeq: 1 REGISTER\r\n");
    ssi_buf_put_str(&b, name);
    ssi_buf_put_slice(&b, value);
    ssi_buf_put_str(&b, "\r\n\r\n");
    if (b.failed < 0 || ssi_sip_msg_parse(b.data + b.off, b.len, false, NULL, NULL, &m) < 0)
        m = NULL;
    ssi_buf_free(&b);
    return m;
}

static void check_answer(struct ssi_sip_challenge *c)
{
    struct ssi_sip_auth_server server;
    struct ssi_buf b;

    FUZZ_CHECK(ssi_sip_auth_server_init(&server) == 0);
    ssi_buf_init(&b, SIZE_MAX);
    ssi_sip_put_credentials(&b, c, "us\"er", "secret", SSI_LIT("REGISTER"), SSI_LIT("sip:b"),
                            ssi_slice_of(NULL, 0));
    /* CR and LF stand in a challenge only as a fold, and a fold in a quoted value cannot be sent back. */
    FUZZ_CHECK(b.failed == 0 || b.failed == SECSIP_E_SIP_INJECTION);
    if (b.failed == 0) {
        FUZZ_CHECK(b.len > 2 && memcmp(b.data + b.off + b.len - 2, "\r\n", 2) == 0);
        struct ssi_slice line = ssi_slice_of(b.data + b.off, b.len - 2);
        struct ssi_sip_msg *m = message("REGISTER sip:b SIP/2.0\r\n", "", line);
        FUZZ_CHECK(m);
        enum ssi_sip_auth_verdict v =
            ssi_sip_auth_check(&server, m, c->realm, false, 1, password_of, NULL, NULL);
        /* The nonce is not ours; -sess we do not offer. */
        FUZZ_CHECK(v == (c->is_sess ? SSI_SIP_AUTH_NONE : SSI_SIP_AUTH_STALE));
        ssi_sip_msg_unref(m);
    }
    ssi_buf_free(&b);
    ssi_sip_auth_server_free(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_slice value = ssi_slice_of(data, size);
    struct ssi_sip_auth_server server;
    struct ssi_sip_challenge c = {0};
    struct ssi_slice user;

    if (size > 8000)
        return 0;
    FUZZ_CHECK(ssi_sip_auth_server_init(&server) == 0);
    struct ssi_sip_msg *m = message("SIP/2.0 401 No\r\n", "WWW-Authenticate: ", value);
    if (m) {
        if (ssi_sip_challenge_pick(m, &c) == 0 && !c.is_proxy)
            check_answer(&c);
        ssi_sip_challenge_free(&c);
        ssi_sip_msg_unref(m);
    }
    m = message("REGISTER sip:b SIP/2.0\r\n", "Authorization: ", value);
    if (m) {
        /* Nobody guesses a nonce of ours. */
        FUZZ_CHECK(ssi_sip_auth_check(&server, m, "r", false, 1, password_of, NULL, &user) !=
                   SSI_SIP_AUTH_OK);
        ssi_sip_msg_unref(m);
    }
    ssi_sip_auth_server_free(&server);
    return 0;
}
