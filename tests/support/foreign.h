/* A peer of GnuTLS's own at the other end of a session of ours, so that it can do what ours would not. */
#ifndef TESTS_FOREIGN_H
#define TESTS_FOREIGN_H

#include <gnutls/gnutls.h>

#include "tls/tls.h"

struct foreign {
    gnutls_session_t tls;
    gnutls_certificate_credentials_t cred; /* empty at first */
    struct ssi_tls_session *ours;
};

/* Both ends, not begun. config: of ours; role: GNUTLS_CLIENT or GNUTLS_SERVER, of theirs. */
void foreign_open(struct foreign *f, const struct ssi_tls_config *config, unsigned role,
                  const char *priority);
/* It shows LAB_SERVER's certificate. */
void foreign_show_server(struct foreign *f);
/* Both begin and go on as far as it goes; GnuTLS's last word, 0 when its handshake is done. */
int foreign_handshake(struct foreign *f);
void foreign_end(struct foreign *f);

#endif
