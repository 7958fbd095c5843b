/* The trace shows messages as they are but for keys and credentials; and of a whole call it shows neither. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/stack.h"
#include "phone.h"

#define M   "********"
#define KEY "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static void secrets_are_masked_and_nothing_else_is(void **state)
{
    (void)state;
    static const struct {
        const char *line, *shown;
    } rows[] = {
        {"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0|2^20|1:4\r\n",
         "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" M "|2^20|1:4\r\n"},
        {"a=crypto:1 X INLINE:c2VjcmV0;inline:c2VjcmV0 FEC_KEY=inline:c2VjcmV0\n",
         "a=crypto:1 X INLINE:" M ";inline:" M " FEC_KEY=inline:" M "\n"},
        /* Keys in other places than behind "inline:" (review of issue 5, 17). */
        {"a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
         "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " M "\r\n"},
        {"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline " KEY "\r\n",
         "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline " M "\r\n"},
        {"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline: " KEY "|2^20\r\n",
         "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" M " " M "\r\n"},
        {"a=crypto:1 aead_aes_128_gcm inline:" KEY "|" KEY " FEC_KEY=" KEY " KDR=1 -WSH=64 KEY=" KEY
         " FEC_ORDER=SRTP_FEC UNENCRYPTED_SRTCP =" KEY "\r\n",
         "a=crypto:1 aead_aes_128_gcm inline:" M "|" M " FEC_KEY=" M " KDR=1 -WSH=64 KEY=" M
         " FEC_ORDER=SRTP_FEC UNENCRYPTED_SRTCP " M "\r\n"},
        {"a=crypto:1 " KEY "\r\n", "a=crypto:1 " M "\r\n"},
        {"a=crypto:" KEY "\r\n", "a=crypto:" M "\r\n"},
        {"a=crypto: \t\r\n", "a=crypto: \t\r\n"},
        {"a=crypto:", "a=crypto:"},
        {"a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
         "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 " M "\r\n"},
        {"a=acap:1 key-mgmt:mikey " KEY "\r\n", "a=acap:1 key-mgmt:" M "\r\n"},
        {"a=acap:2 ICE-PWD:secret\r\n", "a=acap:2 ICE-PWD:" M "\r\n"},
        {"Refer-To: <sip:a@b?Authorization=Digest%20secret&x=shown&proxy-authorization=s;e,c>\r\n",
         "Refer-To: <sip:a@b?Authorization=" M "&x=shown&proxy-authorization=" M ">\r\n"},
        {"Refer-To: <sip:a@b?%41uthorization=secret&body=a%3Dcrypto%3A1>;shown=1\r\n",
         "Refer-To: <sip:a@b?%41uthorization=" M "&body=" M ">;shown=1\r\n"},
        {"Authorization: Digest x\r\n a=crypto:1 S inline:" KEY "\r\n",
         "Authorization: Digest x\r\n a=crypto:1 S inline:" M "\r\n"},
        {"Authorization: Digest uri=\"sip:b?Authorization=secret\"\r\n",
         "Authorization: Digest uri=\"sip:b?Authorization=" M "\"\r\n"},
        {"a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n",
         "a=acap:1 crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" M "\r\n"},
        {"To: sip:sip:a sip:b:c sip:bob:secret@h, sips:sip:secret@h\r\n",
         "To: sip:sip:a sip:b:c sip:bob:" M "@h, sips:sip:" M "@h\r\n"},
        {"k=clear:secret\r\n", "k=" M "\r\n"},
        {"k=clear:secret", "k=" M},
        {"a=key-mgmt:mikey c2VjcmV0\r\n", "a=key-mgmt:" M "\r\n"},
        {"a=ice-pwd:secret\r\n", "a=ice-pwd:" M "\r\n"},
        {"a=ice-ufrag:shown\r\n", "a=ice-ufrag:shown\r\n"},
        {"Authorization: Digest username=\"alice\", response=\"secret\", uri=\"sip:x\"\r\n",
         "Authorization: Digest username=\"alice\", response=\"" M "\", uri=\"sip:x\"\r\n"},
        {"Authorization: Digest username=\"alice\", uri=\"sip:bob:secret@example.test\"\r\n",
         "Authorization: Digest username=\"alice\", uri=\"sip:bob:" M "@example.test\"\r\n"},
        {"authorization : digest a=b,response = \"sec,\\\"ret\"\r\n",
         "authorization : digest a=b,response =\"" M "\"\r\n"},
        {"Proxy-Authorization: Digest response=secret,qop=auth\r\n",
         "Proxy-Authorization: Digest response=\"" M "\",qop=auth\r\n"},
        {"Authorization: Digest a=b,\r\n response=\"secret\"\r\nVia: shown\r\n",
         "Authorization: Digest a=b,\r\n response=\"" M "\"\r\nVia: shown\r\n"},
        {"Authorization: Digest response=\"secret", "Authorization: Digest response=\"" M "\""},
        {"Authorization: Digest xresponse=\"shown\"\r\n",
         "Authorization: Digest xresponse=\"shown\"\r\n"},
        {"Authorization: Bearer secret\r\n", "Authorization: " M "\r\n"},
        {"Proxy-Authorization: Basic c2VjcmV0\r\n more\r\nTo: <sip:shown>\r\n",
         "Proxy-Authorization: " M "\r\n" M "\r\nTo: <sip:shown>\r\n"},
        {"Authentication-Info: qop=auth, rspauth=\"secret\", nc=00000001\r\n",
         "Authentication-Info: qop=auth, rspauth=\"" M "\", nc=00000001\r\n"},
        {"WWW-Authenticate: Digest realm=\"shown\", nonce=\"shown\"\r\n",
         "WWW-Authenticate: Digest realm=\"shown\", nonce=\"shown\"\r\n"},
        {"INVITE sip:alice:secret@example.test:5061;transport=tls SIP/2.0\r\n",
         "INVITE sip:alice:" M "@example.test:5061;transport=tls SIP/2.0\r\n"},
        {"To: <SIPS:alice:secret@example.test>;x=1, <sip:bob:secret@x>\r\n",
         "To: <SIPS:alice:" M "@example.test>;x=1, <sip:bob:" M "@x>\r\n"},
        {"Contact: <sip:alice@10.0.0.1:5061>\r\n", "Contact: <sip:alice@10.0.0.1:5061>\r\n"},
        {"Contact: <sip:10.0.0.1:5061>, <sip:x@y>\r\n",
         "Contact: <sip:10.0.0.1:5061>, <sip:x@y>\r\n"},
        {"", ""},
        {"\r\n", "\r\n"},
        {":", ":"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ssi_buf b;
        ssi_buf_init(&b, 10000);
        ssi_mask_message(&b, ssi_slice_str(rows[i].line));
        ssi_buf_put_char(&b, 0);
        assert_int_equal(b.failed, 0);
        assert_string_equal(ssi_buf_slice(&b).p, rows[i].shown);
        ssi_buf_free(&b);
    }
}

/* It would take minutes if each of them looked for its "@" up to the end. */
static void a_line_of_uris_costs_what_its_length_is(void **state)
{
    static char line[1 << 18];
    struct ssi_buf b;

    (void)state;
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = "sip:"[i % 4];
    ssi_buf_init(&b, sizeof line);
    ssi_mask_message(&b, ssi_slice_of(line, sizeof line));
    assert_int_equal(b.failed, 0);
    assert_memory_equal(ssi_buf_slice(&b).p, line, sizeof line);
    ssi_buf_free(&b);
}

static struct {
    int n, keys, responses;
} traced;

/* Every occurrence of word is followed by the mask. */
static int count_masked(const char *message, const char *word)
{
    int n = 0;

    for (const char *at = message; (at = strstr(at, word)); n++) {
        at += strlen(word);
        assert_memory_equal(at, M, 8);
    }
    return n;
}

static void look(int32_t direction, const char *peer, const char *message, size_t len, void *arg)
{
    (void)direction, (void)peer, (void)arg;
    assert_int_equal(strlen(message), len);
    traced.n++;
    traced.keys += count_masked(message, "inline:");
    traced.responses += count_masked(message, "response=\"");
    assert_null(strstr(message, "alicepw"));
}

static void no_trace_of_a_call_holds_a_key(void **state)
{
    (void)state;
    struct lab l;

    lab_start(&l, LAB_SERVER);
    lab_phone(&l, &l.alice, "alice", NULL);
    lab_phone(&l, &l.bob, "bob", NULL);
    simnet_stack(l.server)->ua.config.trace = look;
    simnet_stack(l.alice.host)->ua.config.trace = look;
    simnet_stack(l.bob.host)->ua.config.trace = look;
    l.bob.answers = true;
    lab_register(&l);
    lab_call(&l, &l.alice, "sip:bob@example.test");
    assert_true(simnet_run(l.net, 5000000, lab_both_talking, &l));
    print_message("%d messages, %d keys, %d responses\n", traced.n, traced.keys, traced.responses);
    assert_true(traced.n > 20);
    assert_true(traced.keys >= 8);      /* offers and an answer, at three stacks */
    assert_true(traced.responses >= 6); /* two REGISTERs and an INVITE, sent and received */
    assert_int_equal(secsip_call_hangup(l.alice.call), 0);
    assert_true(simnet_run(l.net, 5000000, lab_both_ended, &l));
    lab_stop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_masked_and_nothing_else_is),
        cmocka_unit_test(a_line_of_uris_costs_what_its_length_is),
        cmocka_unit_test(no_trace_of_a_call_holds_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
