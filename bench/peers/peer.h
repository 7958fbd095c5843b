/* The SIP libraries that bench/sip.c measures beside ours. Each parses one message, reads the routing set through its own
 * types (method, Request-URI, top Via, From and To with URI and tag, Call-ID, CSeq, the first Contact's URI, the length of
 * the body) and frees it. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

struct peer {
    const char *name;
    /* 0 when the library is not to be had. */
    int (*start)(void);
    /* Parses n times; a sum over what was read, so that nothing is optimised away. 0: refused. */
    uint64_t (*parse)(const char *bytes, size_t len, uint32_t n);
    /* Parses once and serialises n times; the length of the text. */
    uint64_t (*write)(const char *bytes, size_t len, uint32_t n);
    /* How many times as fast ours is to be, parsing and writing; 0: no target. */
    double targets[2];
};

extern const struct peer peer_osip;
extern const struct peer peer_sofia;

#endif
