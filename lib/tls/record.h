/* Where the bytes of a peer stand in the stream of TLS records (RFC 8446 5.1). Layer: tls. GnuTLS keeps what it has of a record that
 * is not whole and does not tell of it; what waits there is the flow's business all the same. */
#ifndef SSI_TLS_RECORD_H
#define SSI_TLS_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum {
    SSI_TLS_RECORD_HEADER = 5, /* type, version, length */
};

struct ssi_tls_record {
    uint8_t header[SSI_TLS_RECORD_HEADER];
    uint8_t n_header; /* bytes that have come; all: the body follows */
    uint16_t n_body;
};

static inline size_t ssi_tls_record_length(const struct ssi_tls_record *r)
{
    return (size_t)r->header[3] << 8 | r->header[4];
}

/* These came next. */
static inline void ssi_tls_record_take(struct ssi_tls_record *r, const uint8_t *p, size_t n)
{
    while (n > 0) {
        if (r->n_header < SSI_TLS_RECORD_HEADER) {
            r->header[r->n_header++] = *p++;
            n--;
            r->n_body = 0;
        } else {
            size_t left = ssi_tls_record_length(r) - r->n_body;
            size_t now = n < left ? n : left;
            r->n_body = (uint16_t)(r->n_body + now);
            p += now;
            n -= now;
        }
        if (r->n_header == SSI_TLS_RECORD_HEADER && r->n_body == ssi_tls_record_length(r))
            r->n_header = 0;
    }
}

/* Bytes of a record that is not whole. */
static inline size_t ssi_tls_record_held(const struct ssi_tls_record *r)
{
    return r->n_header < SSI_TLS_RECORD_HEADER ? r->n_header
                                               : (size_t)SSI_TLS_RECORD_HEADER + r->n_body;
}

#endif
