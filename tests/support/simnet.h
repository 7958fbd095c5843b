/* A network in memory on virtual time, for stacks of the engine door: connections, datagrams, names. Nothing here reads a
 * clock; a whole call takes milliseconds. Everything that travels can be watched and changed on the way. */
#ifndef TESTS_SIMNET_H
#define TESTS_SIMNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secsip/unstable/engine.h"

struct simnet;
struct simnet_host;
struct sim_end;

/* Sees a datagram on its way; false drops it. The bytes may be changed. */
typedef bool simnet_dgram_tap(const secsip_engine_address *from, const secsip_engine_address *to,
                              uint8_t *data, size_t len, void *arg);
/* Sees bytes of a connection on their way (ciphertext, where it is TLS). */
typedef void simnet_stream_tap(const secsip_engine_address *from, const secsip_engine_address *to,
                               const uint8_t *data, size_t len, void *arg);

/* Time starts at an odd value, so that nobody relies on zero. wall_s: Unix time at the start. */
struct simnet *simnet_new(uint64_t wall_s);
/* Stacks must be gone. */
void simnet_free(struct simnet *n);
/* A host with an address "10.0.0.1" and a stack on it; config may be NULL. Aborts on failure. */
struct simnet_host *simnet_host_new(struct simnet *n, const char *ip,
                                    const secsip_stack_config *config);
secsip_stack *simnet_stack(struct simnet_host *h);
/* Unrefs the stack and closes what is left of it. */
void simnet_host_free(struct simnet_host *h);
/* name has an A or AAAA record, one more with every call. Names that are not known do not exist. */
void simnet_name(struct simnet *n, const char *name, const char *ip);
void simnet_srv(struct simnet *n, const char *name, const char *target, uint16_t port,
                uint16_t priority);
/* Of every record from now on; default 60. */
void simnet_ttl(struct simnet *n, uint32_t ttl_s);
/* The name server does not answer any more. */
void simnet_dns_mute(struct simnet *n, bool mute);
/* Answers about this type come so much later. */
void simnet_dns_slow(struct simnet *n, int32_t type, uint64_t us);
/* Attempts to connect, all told. */
uint32_t simnet_n_connects(const struct simnet *n);
/* Questions that reached the name server. */
uint32_t simnet_n_asked(const struct simnet *n);
/* Who connects to this address hears nothing, ever. */
void simnet_blackhole(struct simnet *n, const char *ip);
/* One-way delay, default 5 ms. */
void simnet_delay(struct simnet *n, uint64_t us);
/* Streams arrive in pieces of at most this many bytes; 0: as they were sent. */
void simnet_chunk(struct simnet *n, size_t bytes);
/* Datagrams from now on: so many of a hundred are lost, so many arrive twice, and each is late by up to jitter_us more, so
 * that they overtake each other. */
void simnet_lossy(struct simnet *n, uint64_t seed, uint32_t loss_percent, uint32_t double_percent,
                  uint64_t jitter_us);
void simnet_tap(struct simnet *n, simnet_dgram_tap *dgram, simnet_stream_tap *stream, void *arg);
/* Resets every connection of the host, both sides see NET_RESET; and new ones are refused while down. */
void simnet_down(struct simnet_host *h, bool down);
/* Every connection of the host ends for both sides, without a farewell. */
void simnet_cut(struct simnet_host *h);
/* Like a stopped process: while frozen its timers stand still and nothing reaches it. Of each connection to it, 64 KiB wait
 * with the network and the rest with the sender; datagrams are lost. What waits arrives when it is thawed. */
void simnet_freeze(struct simnet_host *h, bool frozen);
/* The connection that carries the n-th byte from now (from 0), of all connections, breaks in front of it: reset, or, `silently`,
 * nothing arrives on it any more and nobody is told. UINT64_MAX: none. */
void simnet_break_at(struct simnet *n, uint64_t byte, bool silently);
/* Bytes that streams have carried since simnet_break_at. */
uint64_t simnet_carried(const struct simnet *n);
/* From now on the host's attempts to connect fail at once, inside the call. */
void simnet_unreachable(struct simnet_host *h);
/* From now on nobody connects to the host: what is too old for TCP. */
void simnet_refuse_streams(struct simnet_host *h);
uint64_t simnet_now(const struct simnet *n);
/* Runs until nothing is due before now + us, or done(arg) says so. True when done said so. */
bool simnet_run(struct simnet *n, uint64_t us, bool (*done)(void *arg), void *arg);
/* A connection from a host without a stack, open at once; NULL: refused. What comes back is for taps to see. */
struct sim_end *simnet_raw_open(struct simnet *n, const char *from, const char *to);
void simnet_raw_send(struct sim_end *raw, const void *data, size_t len);
/* True while the other side has not closed it. */
bool simnet_raw_is_open(const struct sim_end *raw);
/* It does not read any more: what is sent to it stays with the sender. */
void simnet_raw_stall(struct sim_end *raw);
void simnet_raw_close(struct sim_end *raw);
/* Sends a datagram from nowhere. */
void simnet_inject(struct simnet *n, const char *from, const char *to, const void *data,
                   size_t len);

#endif
