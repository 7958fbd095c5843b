/* Transport addresses as values: IPv4 or IPv6 and a port, to and from text. Layer: base. No name look-up here. */
#ifndef SSI_BASE_ADDR_H
#define SSI_BASE_ADDR_H

#include "base/slice.h"

struct ssi_addr {
    uint8_t family; /* 4, 6, or 0 for none */
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* network order; 4 bytes used for IPv4, the rest zero */
};

enum {
    SSI_ADDR_TEXT = 56
}; /* "[" IPv6 "]:65535" and a NUL */

/* A numeric host, IPv6 with or without brackets, nothing else. The port is set to `port`. */
bool ssi_addr_parse_ip(struct ssi_slice host, uint16_t port, struct ssi_addr *ret);
/* "192.0.2.1:5061" or "[2001:db8::1]:5061"; the port is required. */
bool ssi_addr_parse(struct ssi_slice text, struct ssi_addr *ret);
/* The host alone, IPv6 in brackets if asked. */
void ssi_addr_ip_text(const struct ssi_addr *a, bool brackets, char out[SSI_ADDR_TEXT]);
/* Host and port. */
void ssi_addr_text(const struct ssi_addr *a, char out[SSI_ADDR_TEXT]);
bool ssi_addr_eq(const struct ssi_addr *a, const struct ssi_addr *b);
bool ssi_addr_is_any(const struct ssi_addr *a);

#endif
