/* Two TLS sessions back to back in memory. */
#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include "certs.h"
#include "tls/tls.h"

struct tls_pair {
    struct ssi_tls_session *client;
    struct ssi_tls_session *server;
    size_t chunk; /* bytes handed over at a time, 0: all */
};

/* Asserts that both begin. The profiles' references stay the caller's. */
void tls_pair_open(struct tls_pair *p, secsip_tls_profile *client, secsip_tls_profile *server,
                   const char *domain, uint64_t wall_s);
/* The same with ends that do not agree about the time. */
void tls_pair_open_at(struct tls_pair *p, secsip_tls_profile *client, secsip_tls_profile *server,
                      const char *domain, uint64_t client_wall_s, uint64_t server_wall_s);
void tls_pair_close(struct tls_pair *p);
/* Carries ciphertext to and fro until nothing moves any more. */
void tls_pair_pump(struct tls_pair *p);
/* One direction once: all the output of `from` goes into `to`. Returns how many bytes moved. */
size_t tls_pair_carry(struct ssi_tls_session *from, struct ssi_tls_session *to, size_t chunk);

#endif
