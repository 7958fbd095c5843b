/* Results of all calls. Made by tools/generate from lib/base/results.def; do not edit.
 * SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SECSIP_RESULT_H
#define SECSIP_RESULT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** 0 or more is success, negative is one of SECSIP_E_*. Numbers never change their meaning. */
typedef int32_t secsip_result;

/* clang-format off */
enum {
    SECSIP_OK = 0,
    SECSIP_E_NOMEM = -1, /**< out of memory */
    SECSIP_E_INVALID = -2, /**< an argument is not valid */
    SECSIP_E_STATE = -3, /**< the object is not in a state that allows this */
    SECSIP_E_BUSY = -4, /**< not allowed from inside a callback */
    SECSIP_E_LIMIT = -5, /**< a configured limit is reached */
    SECSIP_E_NOT_FOUND = -6, /**< not found */
    SECSIP_E_UNSUPPORTED = -7, /**< not supported by this version */
    SECSIP_E_TIMEOUT = -8, /**< no answer in time */
    SECSIP_E_AGAIN = -9, /**< more input or time is needed */
    SECSIP_E_CLOSED = -10, /**< closed */
    SECSIP_E_IO = -11, /**< the system refused the operation */
    SECSIP_E_CANCELLED = -12, /**< cancelled by the application */
    SECSIP_E_RANDOM = -13, /**< no random numbers are to be had */
    SECSIP_E_ABI = -14, /**< the size of a structure does not fit this library */
    SECSIP_E_PERMISSION = -15, /**< not permitted by the security policy */
    SECSIP_E_FILE = -16, /**< a file cannot be read or written */
    SECSIP_E_SIP_SYNTAX = -100, /**< not a well-formed SIP message */
    SECSIP_E_SIP_START_LINE = -101, /**< the start line is not well-formed */
    SECSIP_E_SIP_VERSION = -102, /**< the SIP version is not 2.0 */
    SECSIP_E_SIP_HEADER = -103, /**< a header field is not well-formed */
    SECSIP_E_SIP_TRUNCATED = -104, /**< the message ends too early */
    SECSIP_E_SIP_CONTENT_LENGTH = -105, /**< Content-Length is missing, doubled or not a number that fits */
    SECSIP_E_SIP_MISSING = -106, /**< a required header field is missing */
    SECSIP_E_SIP_DUPLICATE = -107, /**< a header field that may stand once stands more than once */
    SECSIP_E_SIP_CSEQ = -108, /**< CSeq is not well-formed or names another method */
    SECSIP_E_SIP_URI = -109, /**< a URI is not well-formed */
    SECSIP_E_SIP_SCHEME = -110, /**< the scheme of the URI is not supported */
    SECSIP_E_SIP_VIA = -111, /**< Via is not well-formed */
    SECSIP_E_SIP_ADDRESS = -112, /**< an address header field is not well-formed */
    SECSIP_E_SIP_TOO_LARGE = -113, /**< larger than the configured limit */
    SECSIP_E_SIP_INJECTION = -114, /**< a value holds CR, LF or NUL and is not sent */
    SECSIP_E_SIP_AUTH = -115, /**< credentials or challenge are not well-formed */
    SECSIP_E_SIP_AUTH_ALGORITHM = -116, /**< no digest algorithm or qop of the challenge is supported */
    SECSIP_E_SIP_MAX_FORWARDS = -117, /**< Max-Forwards is not a number from 0 to 255 */
    SECSIP_E_SIP_STATUS = -118, /**< the status code is not a number from 100 to 699 */
    SECSIP_E_SDP_SYNTAX = -200, /**< not a well-formed session description */
    SECSIP_E_SDP_ORDER = -201, /**< a line of the session description stands where it may not */
    SECSIP_E_SDP_MISSING = -202, /**< a required line of the session description is missing */
    SECSIP_E_SDP_TOO_LARGE = -203, /**< the session description is larger than the configured limit */
    SECSIP_E_SDP_MEDIA = -204, /**< a media description does not fit the offer */
    SECSIP_E_SDP_LINES = -205, /**< the session description has more lines than the configured limit */
    SECSIP_E_SDP_MEDIA_COUNT = -206, /**< the session description has more media lines than the configured limit */
    SECSIP_E_SDP_FORMATS = -207, /**< a media line has more formats than the configured limit */
    SECSIP_E_SDES_SYNTAX = -300, /**< the crypto attribute is not well-formed */
    SECSIP_E_SDES_TAG = -301, /**< the crypto tag is not one that was offered */
    SECSIP_E_SDES_SUITE = -302, /**< the crypto-suite is unknown or not one that was offered */
    SECSIP_E_SDES_KEY_LENGTH = -303, /**< the key has the wrong length for its crypto-suite */
    SECSIP_E_SDES_KEY_WEAK = -304, /**< the key is all zero, or one that is in use already */
    SECSIP_E_SDES_PARAM = -305, /**< a session parameter is unknown, not implemented or not allowed */
    SECSIP_E_SDES_LIFETIME = -306, /**< the key lifetime is out of range */
    SECSIP_E_SDES_MKI = -307, /**< the MKI is not well-formed or out of range */
    SECSIP_E_SDES_NO_CRYPTO = -308, /**< no usable crypto attribute where SRTP is required */
    SECSIP_E_SDES_CLEAR_PROFILE = -309, /**< a profile without SRTP where SRTP is required */
    SECSIP_E_SDES_KEY_METHOD = -310, /**< the key method is not inline */
    SECSIP_E_SRTP_AUTH = -400, /**< the packet fails authentication */
    SECSIP_E_SRTP_REPLAY = -401, /**< the packet was received before, or is too old to tell */
    SECSIP_E_SRTP_SHORT = -402, /**< the packet is too short */
    SECSIP_E_SRTP_KEY_EXPIRED = -403, /**< the key has reached the end of its life */
    SECSIP_E_SRTP_SUITE = -404, /**< the SRTP suite is not available */
    SECSIP_E_SRTP_MKI = -405, /**< the packet names an MKI that no key has */
    SECSIP_E_SRTP_REUSE = -406, /**< the packet would use a key stream a second time */
    SECSIP_E_SRTP_LIBRARY = -407, /**< libsrtp2 refused the operation */
    SECSIP_E_SRTP_STATE = -408, /**< the bytes are no state of an SRTP session, or were damaged */
    SECSIP_E_RTP_SYNTAX = -420, /**< not a well-formed RTP or RTCP packet */
    SECSIP_E_TLS_HANDSHAKE = -500, /**< the TLS handshake failed */
    SECSIP_E_TLS_CERT_UNTRUSTED = -501, /**< the certificate is not signed by a trusted authority */
    SECSIP_E_TLS_CERT_SELF_SIGNED = -502, /**< the certificate is self-signed and not trusted */
    SECSIP_E_TLS_CERT_EXPIRED = -503, /**< the certificate has expired */
    SECSIP_E_TLS_CERT_NOT_YET_VALID = -504, /**< the certificate is not valid yet */
    SECSIP_E_TLS_CERT_NAME = -505, /**< the certificate does not name the domain that was asked for */
    SECSIP_E_TLS_CERT_REVOKED = -506, /**< the certificate has been revoked */
    SECSIP_E_TLS_CERT_PURPOSE = -507, /**< the certificate is not meant for this use */
    SECSIP_E_TLS_CERT_MISSING = -508, /**< the peer sent no certificate */
    SECSIP_E_TLS_CERT_WEAK = -509, /**< the certificate is signed with an algorithm that is too weak */
    SECSIP_E_TLS_TRUNCATED = -510, /**< the TLS connection ended without close_notify */
    SECSIP_E_TLS_ALERT = -511, /**< the peer ended the TLS connection with an alert */
    SECSIP_E_TLS_CREDENTIALS = -512, /**< a certificate, key or trust list cannot be used */
    SECSIP_E_TLS_RECORD = -513, /**< a TLS record is damaged */
    SECSIP_E_TLS_CERT_PIN = -514, /**< no key of the certificate chain is one of the pinned ones */
    SECSIP_E_TLS_CERT_STATUS = -515, /**< it cannot be known whether the certificate has been revoked */
    SECSIP_E_TLS_CERT_KEY = -516, /**< the key is not the one that is known for this domain */
    SECSIP_E_TLS_CERT_REFUSED = -517, /**< the application refused the certificate */
    SECSIP_E_NET_CONNECT = -600, /**< the connection could not be made */
    SECSIP_E_NET_RESET = -601, /**< the connection was reset */
    SECSIP_E_NET_ADDRESS = -602, /**< the address is not valid or is in use */
    SECSIP_E_NET_RESOLVE = -603, /**< the name has no address */
    SECSIP_E_NET_DNS = -604, /**< the name servers did not answer */
    SECSIP_E_UA_TRANSACTION_TIMEOUT = -700, /**< the peer did not answer the request in time */
    SECSIP_E_UA_REJECTED = -701, /**< the peer refused the request */
    SECSIP_E_UA_AUTH_FAILED = -702, /**< the user name or password is wrong */
    SECSIP_E_UA_AUTH_REQUIRED = -703, /**< the peer asks for credentials and none are configured */
    SECSIP_E_UA_INSECURE_FLOW = -704, /**< the signalling is not TLS with a verified peer, so no key is sent over it */
    SECSIP_E_UA_SECURITY_LEVEL = -705, /**< the peer's answer is weaker than the call requires */
    SECSIP_E_UA_FLOW_FAILED = -706, /**< the connection to the peer was lost */
    SECSIP_E_UA_NO_ACCOUNT = -707, /**< no account answers for this address */
    SECSIP_E_UA_NO_MEDIA = -708, /**< no media format that both sides know */
    SECSIP_E_UA_SIPS_ROUTE = -709, /**< a hop of a sips call is not a sips URI */
};
/* clang-format on */

/** The name of a result, "SECSIP_E_TIMEOUT" for example.
 * @param result  any value
 * @return a constant string, never NULL; "SECSIP_OK" for success, "SECSIP_E_UNKNOWN" for a number not in the list
 * Callable from callbacks and from any thread. Since 0.1. */
const char *secsip_result_name(secsip_result result);

/** One sentence about a result, for people.
 * @param result  any value
 * @return a constant string, never NULL
 * Callable from callbacks and from any thread. Since 0.1. */
const char *secsip_result_text(secsip_result result);

/** What went wrong, in detail: which check failed, what was expected, what was found. Hangs on the event or the object
 * that failed, never on a thread. All strings are NUL-terminated UTF-8, never NULL (empty when there is nothing to
 * say), hold no secret, and are valid as long as the event that carries them. */
typedef struct secsip_error {
    size_t size;          /**< sizeof(secsip_error) of the library that filled it */
    secsip_result result; /**< the result */
    int32_t status;       /**< the SIP status code that caused it, or 0 */
    const char *text;     /**< a sentence that lets an administrator mend it */
    const char *check;    /**< which check: "name", "expiry", "trust", "suite", "profile", ... */
    const char *expected; /**< what was expected */
    const char *found;    /**< what was found */
    const char *peer;     /**< the peer, "192.0.2.1:5061" or a name */
    /** The peer's certificate, where it is about one: names, issuer, dates and pin */
    const char *certificate;
} secsip_error;

#ifdef __cplusplus
}
#endif

#endif
