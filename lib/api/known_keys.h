/* Known keys of servers in a file (secsip_tls_profile_set_known_keys_file). Layer: api. */
#ifndef SSI_API_KNOWN_KEYS_H
#define SSI_API_KNOWN_KEYS_H

#include "secsip/tls.h"

/* A store in a file, which need not be there yet. ret->user_data is to be closed. SECSIP_E_FILE, SECSIP_E_NOMEM. */
secsip_result ssi_known_keys_open(const char *path, secsip_tls_known_keys *ret);
/* Writes what could not be written when it came, if the file's lock is free now. Takes the user_data. */
void ssi_known_keys_tend(void *user_data);
/* The same, waiting for the lock for a second at most, and the end. NULL is legal. */
void ssi_known_keys_close(void *user_data);
/* May wait for the lock for a second. SECSIP_E_NOT_FOUND, SECSIP_E_INVALID (the domain), SECSIP_E_FILE, SECSIP_E_TIMEOUT
 * (locked), SECSIP_E_NOMEM. */
secsip_result ssi_known_keys_forget(const char *path, const char *domain);

#endif
