/* Sockets: never blocking, closed on exec, never a SIGPIPE. Layer: net. Addresses are struct ssi_addr; no system type leaves
 * this folder. */
#ifndef SSI_NET_SOCKET_H
#define SSI_NET_SOCKET_H

#include "base/addr.h"
#include "secsip/result.h"

/* Begins a TCP connection; *ret_fd becomes writable when it is made or has failed. SECSIP_E_NET_CONNECT, SECSIP_E_IO. */
secsip_result ssi_socket_connect(const struct ssi_addr *to, int *ret_fd);
/* What came of it: 0, or SECSIP_E_NET_CONNECT with a constant text. */
secsip_result ssi_socket_connected(int fd, const char **ret_why);
/* Binds to *local and fills in the port. SECSIP_E_NET_ADDRESS, SECSIP_E_IO. */
secsip_result ssi_socket_listen(struct ssi_addr *local, int *ret_fd);
/* The next connection. SECSIP_E_AGAIN: none; SECSIP_E_LIMIT: no descriptor left; SECSIP_E_IO. */
secsip_result ssi_socket_accept(int listener, struct ssi_addr *ret_peer, int *ret_fd);
/* A UDP socket for signalling, bound to *local; port 0 takes any, filled in. ssi_socket_take_error tells what ICMP says of
 * its peers. SECSIP_E_NET_ADDRESS, SECSIP_E_IO. */
secsip_result ssi_socket_dgram_listen(struct ssi_addr *local, int *ret_fd);
/* The same for one peer only; *ret_local is where it is bound, *ret_mtu the path MTU in bytes as the system knows it, or 0.
 * SECSIP_E_NET_CONNECT, SECSIP_E_IO. */
secsip_result ssi_socket_dgram_connect(const struct ssi_addr *to, struct ssi_addr *ret_local,
                                       uint16_t *ret_mtu, int *ret_fd);
/* The next error of a signalling socket: 1 when a peer, *ret_to, cannot be reached (*ret_why: a constant text), 0 when it
 * was one that is of no concern, SECSIP_E_AGAIN when there is none. */
int32_t ssi_socket_take_error(int fd, struct ssi_addr *ret_to, const char **ret_why);
/* A UDP socket bound to *local. Port 0 takes an even port whose odd neighbour is free (RFC 3550 section 11); filled in. */
secsip_result ssi_socket_dgram(struct ssi_addr *local, int *ret_fd);
/* A descriptor that stands for none: closed when a real one is needed. Negative when there is none. */
int ssi_socket_spare(void);
void ssi_socket_local(int fd, struct ssi_addr *ret);
void ssi_socket_close(int fd);

/* Bytes moved, 0 for the end of the stream (receive only), SECSIP_E_AGAIN, or SECSIP_E_NET_RESET with a constant text. */
int32_t ssi_socket_send(int fd, const void *data, size_t len, const char **ret_why);
int32_t ssi_socket_receive(int fd, void *data, size_t cap, const char **ret_why);
/* Bytes moved or SECSIP_E_AGAIN; every error of a datagram is "not now". */
int32_t ssi_socket_send_to(int fd, const struct ssi_addr *to, const void *data, size_t len);
int32_t ssi_socket_receive_from(int fd, struct ssi_addr *ret_from, void *data, size_t cap);

#endif
