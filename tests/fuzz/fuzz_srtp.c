/* A script of operations on a pair of SRTP sessions: packets of the input are unprotected as they are, or protected, damaged at
 * one place and unprotected; keys and suites change in between, and sessions are exported and imported, whole or damaged under
 * a right checksum. Whatever comes in, a damaged packet is never accepted, and a good one always is.
 *
 * Byte 0: suite and MKI. Then operations: kind, damage (place, bits), length, that many bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "srtp/srtp.h"

enum {
    PACKET = 700,
    CAP = PACKET + SSI_SRTP_TRAILER_MAX,
    HEAD = 5,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static struct ssi_srtp *open_session(uint8_t how, uint8_t key, enum ssi_srtp_direction direction)
{
    struct ssi_srtp_config c = {
        .direction = direction,
        .suite = (enum ssi_srtp_suite)(1 + how % SSI_SRTP_AEAD_AES_256_GCM),
        .mki_len = how & 0x40 ? 4 : 0,
        .replay_window = 64,
        .lifetime = 50,
        .join_roc = direction == SSI_SRTP_RECEIVE && how & 0x80 ? 2 : 0,
    };
    struct ssi_srtp *s = NULL;

    c.key.len = (uint8_t)ssi_srtp_key_len(c.suite);
    memset(c.key.bytes, key, c.key.len);
    must(ssi_srtp_new(&c, &s) == 0);
    return s;
}

static void there_and_back(struct ssi_srtp *tx, struct ssi_srtp *rx, bool rtcp,
                           const uint8_t *clear, size_t len, uint8_t place, uint8_t bits)
{
    uint8_t wire[CAP], damaged[CAP];
    size_t n = len;

    memcpy(wire, clear, len);
    secsip_result r =
        rtcp ? ssi_srtp_protect_rtcp(tx, wire, &n, CAP) : ssi_srtp_protect_rtp(tx, wire, &n, CAP);
    if (r < 0) {
        for (size_t i = 0; i < len; i++)
            must(wire[i] == 0);
        return;
    }
    size_t m = n;
    memcpy(damaged, wire, n);
    damaged[place * n / 256] ^= bits;
    if (bits != 0)
        must((rtcp ? ssi_srtp_unprotect_rtcp(rx, damaged, &m)
                   : ssi_srtp_unprotect_rtp(rx, damaged, &m)) < 0);
    r = rtcp ? ssi_srtp_unprotect_rtcp(rx, wire, &n) : ssi_srtp_unprotect_rtp(rx, wire, &n);
    if (r == 0)
        must(n == len && memcmp(wire, clear, len) == 0);
    else
        must(r != SECSIP_E_SRTP_AUTH ||
             !rtcp); /* an RTP index may be guessed wrongly after a jump */
}

/* New keys at both ends; a sender's session that was continued is of no more use. */
static void change_keys(struct ssi_srtp **tx, struct ssi_srtp **rx, uint8_t how, uint8_t key)
{
    struct ssi_srtp *new_tx = open_session(how, key, SSI_SRTP_SEND);
    struct ssi_srtp *new_rx = open_session(how, key, SSI_SRTP_RECEIVE);
    uint8_t p[CAP] = {0x80, 0, 0, 9};
    size_t len = 32;

    if (ssi_srtp_same_key(new_tx, *tx)) {
        must(ssi_srtp_continue(new_tx, *tx) == SECSIP_E_SRTP_REUSE);
        ssi_srtp_free(new_tx);
        ssi_srtp_free(new_rx);
        return;
    }
    must(ssi_srtp_continue(new_tx, *tx) == 0);
    must(ssi_srtp_continue(new_rx, *rx) == 0);
    must(ssi_srtp_protect_rtp(*tx, p, &len, CAP) == SECSIP_E_SRTP_KEY_EXPIRED);
    ssi_srtp_free(*tx);
    ssi_srtp_free(*rx);
    *tx = new_tx;
    *rx = new_rx;
}

/* Both ends go on elsewhere; who handed over protects nothing more. */
static void move(struct ssi_srtp **s)
{
    struct ssi_srtp *heir = NULL;
    struct ssi_buf b;
    uint8_t p[CAP] = {0x80, 0, 0, 9};
    size_t len = 32;

    must(ssi_srtp_export(*s, 0, &b) == 0);
    must(ssi_srtp_import(ssi_buf_slice(&b), &heir) == 0);
    must(ssi_srtp_protect_rtp(*s, p, &len, CAP) < 0);
    ssi_buf_free(&b);
    ssi_srtp_free(*s);
    *s = heir;
}

/* A state that is not what it was, with a checksum that says it is: refused, or a session like any other. */
static void import_damaged(struct ssi_srtp *tx, uint8_t place, uint8_t bits)
{
    struct ssi_srtp *s = NULL;
    struct sha256_ctx sum;
    struct ssi_buf b;
    uint8_t p[CAP] = {0x80, 0, 0, 9};
    size_t len = 32;

    must(ssi_srtp_export(tx, 1, &b) == 0);
    uint8_t *bytes = b.data + b.off;
    size_t body = b.len - SHA256_DIGEST_SIZE;
    bytes[place * body / 256] ^= bits;
    sha256_init(&sum);
    sha256_update(&sum, body, bytes);
    sha256_digest(&sum, SHA256_DIGEST_SIZE, bytes + body);
    if (ssi_srtp_import(ssi_buf_slice(&b), &s) == 0) {
        (void)ssi_srtp_protect_rtp(s, p, &len, CAP);
        (void)ssi_srtp_unprotect_rtcp(s, p, &len);
    }
    ssi_srtp_free(s);
    ssi_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct ssi_srtp *tx = open_session(data[0], 0x42, SSI_SRTP_SEND);
    struct ssi_srtp *rx = open_session(data[0], 0x42, SSI_SRTP_RECEIVE);
    for (size_t at = 1; size - at >= HEAD;) {
        uint8_t kind = data[at], place = data[at + 1], bits = data[at + 2];
        size_t len = (size_t)data[at + 3] << 8 | data[at + 4];
        at += HEAD;
        if (len > size - at)
            len = size - at;
        if (len > PACKET)
            len = PACKET;
        if (kind & 8 && bits & 1) {
            import_damaged(tx, place, bits);
        } else if (kind & 8) {
            move(&tx);
            move(&rx);
        } else if (kind & 4) {
            change_keys(&tx, &rx, bits, place);
        } else if (kind & 2) {
            there_and_back(tx, rx, kind & 1, data + at, len, place, bits);
        } else {
            uint8_t *p = malloc(len ? len : 1); /* exactly: a read past the end shows */
            size_t n = len;
            must(p != NULL);
            memcpy(p, data + at, len);
            (void)(kind & 1 ? ssi_srtp_unprotect_rtcp(rx, p, &n)
                            : ssi_srtp_unprotect_rtp(rx, p, &n));
            free(p);
        }
        at += len;
    }
    ssi_srtp_free(tx);
    ssi_srtp_free(rx);
    return 0;
}
