/* Reads a whole credential file into a buffer that is wiped. Layer: tls. */
#ifndef SSI_TLS_FILE_H
#define SSI_TLS_FILE_H

#include "base/buf.h"

/* Appends the file to b (a secret buffer, whose max is the limit). SECSIP_E_FILE with *ret_why set to a text (borrowed from
 * the system), SECSIP_E_LIMIT, SECSIP_E_NOMEM. */
secsip_result ssi_tls_file_read(const char *path, struct ssi_buf *b, const char **ret_why);

/* False with *ret_why (borrowed from the system) when it is no folder, or none that can be opened. */
bool ssi_tls_file_is_directory(const char *path, const char **ret_why);

#endif
