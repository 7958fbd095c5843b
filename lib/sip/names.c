/* Names: methods, header fields with their compact forms, reason phrases. Layer: sip. */
#include "sip/names.h"

#include "sip/bytes.h"

static const char method_names[][10] = {
    [SSI_SIP_INVITE] = "INVITE",     [SSI_SIP_ACK] = "ACK",
    [SSI_SIP_BYE] = "BYE",           [SSI_SIP_CANCEL] = "CANCEL",
    [SSI_SIP_REGISTER] = "REGISTER", [SSI_SIP_OPTIONS] = "OPTIONS",
    [SSI_SIP_PRACK] = "PRACK",       [SSI_SIP_SUBSCRIBE] = "SUBSCRIBE",
    [SSI_SIP_NOTIFY] = "NOTIFY",     [SSI_SIP_PUBLISH] = "PUBLISH",
    [SSI_SIP_INFO] = "INFO",         [SSI_SIP_REFER] = "REFER",
    [SSI_SIP_MESSAGE] = "MESSAGE",   [SSI_SIP_UPDATE] = "UPDATE",
};
enum {
    N_METHODS = sizeof method_names / sizeof method_names[0]
};

enum ssi_sip_method ssi_sip_method_of(struct ssi_slice text)
{
    /* Methods are case-sensitive (RFC 3261 7.1). */
    for (int i = 1; text.len > 0 && i < N_METHODS; i++)
        if (method_names[i][0] == text.p[0] && strlen(method_names[i]) == text.len &&
            memcmp(method_names[i], text.p, text.len) == 0)
            return (enum ssi_sip_method)i;
    return SSI_SIP_UNKNOWN_METHOD;
}

const char *ssi_sip_method_name(enum ssi_sip_method m)
{
    return m > SSI_SIP_UNKNOWN_METHOD && (int)m < N_METHODS ? method_names[m] : NULL;
}

#define NAME(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
static const struct ssi_slice hdr_names[SSI_HDR_COUNT] = {
    [SSI_HDR_ACCEPT] = NAME("Accept"),
    [SSI_HDR_ACCEPT_ENCODING] = NAME("Accept-Encoding"),
    [SSI_HDR_ACCEPT_LANGUAGE] = NAME("Accept-Language"),
    [SSI_HDR_ALERT_INFO] = NAME("Alert-Info"),
    [SSI_HDR_ALLOW] = NAME("Allow"),
    [SSI_HDR_ALLOW_EVENTS] = NAME("Allow-Events"),
    [SSI_HDR_AUTHENTICATION_INFO] = NAME("Authentication-Info"),
    [SSI_HDR_AUTHORIZATION] = NAME("Authorization"),
    [SSI_HDR_CALL_ID] = NAME("Call-ID"),
    [SSI_HDR_CALL_INFO] = NAME("Call-Info"),
    [SSI_HDR_CONTACT] = NAME("Contact"),
    [SSI_HDR_CONTENT_DISPOSITION] = NAME("Content-Disposition"),
    [SSI_HDR_CONTENT_ENCODING] = NAME("Content-Encoding"),
    [SSI_HDR_CONTENT_LANGUAGE] = NAME("Content-Language"),
    [SSI_HDR_CONTENT_LENGTH] = NAME("Content-Length"),
    [SSI_HDR_CONTENT_TYPE] = NAME("Content-Type"),
    [SSI_HDR_CSEQ] = NAME("CSeq"),
    [SSI_HDR_DATE] = NAME("Date"),
    [SSI_HDR_ERROR_INFO] = NAME("Error-Info"),
    [SSI_HDR_EVENT] = NAME("Event"),
    [SSI_HDR_EXPIRES] = NAME("Expires"),
    [SSI_HDR_FROM] = NAME("From"),
    [SSI_HDR_IDENTITY] = NAME("Identity"),
    [SSI_HDR_IN_REPLY_TO] = NAME("In-Reply-To"),
    [SSI_HDR_MAX_FORWARDS] = NAME("Max-Forwards"),
    [SSI_HDR_MIME_VERSION] = NAME("MIME-Version"),
    [SSI_HDR_MIN_EXPIRES] = NAME("Min-Expires"),
    [SSI_HDR_MIN_SE] = NAME("Min-SE"),
    [SSI_HDR_ORGANIZATION] = NAME("Organization"),
    [SSI_HDR_PATH] = NAME("Path"),
    [SSI_HDR_PRIORITY] = NAME("Priority"),
    [SSI_HDR_PRIVACY] = NAME("Privacy"),
    [SSI_HDR_PROXY_AUTHENTICATE] = NAME("Proxy-Authenticate"),
    [SSI_HDR_PROXY_AUTHORIZATION] = NAME("Proxy-Authorization"),
    [SSI_HDR_PROXY_REQUIRE] = NAME("Proxy-Require"),
    [SSI_HDR_RACK] = NAME("RAck"),
    [SSI_HDR_REASON] = NAME("Reason"),
    [SSI_HDR_RECORD_ROUTE] = NAME("Record-Route"),
    [SSI_HDR_REFER_TO] = NAME("Refer-To"),
    [SSI_HDR_REFERRED_BY] = NAME("Referred-By"),
    [SSI_HDR_REPLACES] = NAME("Replaces"),
    [SSI_HDR_REPLY_TO] = NAME("Reply-To"),
    [SSI_HDR_REQUIRE] = NAME("Require"),
    [SSI_HDR_RETRY_AFTER] = NAME("Retry-After"),
    [SSI_HDR_ROUTE] = NAME("Route"),
    [SSI_HDR_RSEQ] = NAME("RSeq"),
    [SSI_HDR_SERVER] = NAME("Server"),
    [SSI_HDR_SERVICE_ROUTE] = NAME("Service-Route"),
    [SSI_HDR_SESSION_EXPIRES] = NAME("Session-Expires"),
    [SSI_HDR_SUBJECT] = NAME("Subject"),
    [SSI_HDR_SUBSCRIPTION_STATE] = NAME("Subscription-State"),
    [SSI_HDR_SUPPORTED] = NAME("Supported"),
    [SSI_HDR_TIMESTAMP] = NAME("Timestamp"),
    [SSI_HDR_TO] = NAME("To"),
    [SSI_HDR_UNSUPPORTED] = NAME("Unsupported"),
    [SSI_HDR_USER_AGENT] = NAME("User-Agent"),
    [SSI_HDR_VIA] = NAME("Via"),
    [SSI_HDR_WARNING] = NAME("Warning"),
    [SSI_HDR_WWW_AUTHENTICATE] = NAME("WWW-Authenticate"),
};

const char *ssi_sip_hdr_name(enum ssi_sip_hdr id)
{
    return (unsigned)id < SSI_HDR_COUNT ? hdr_names[id].p : NULL;
}

struct ssi_slice ssi_sip_hdr_full(enum ssi_sip_hdr id)
{
    return hdr_names[id];
}

/* Compact forms, RFC 3261 7.3.3 and the registry of its successors. */
static const uint8_t compact[26] = {
    ['b' - 'a'] = SSI_HDR_REFERRED_BY,
    ['c' - 'a'] = SSI_HDR_CONTENT_TYPE,
    ['e' - 'a'] = SSI_HDR_CONTENT_ENCODING,
    ['f' - 'a'] = SSI_HDR_FROM,
    ['i' - 'a'] = SSI_HDR_CALL_ID,
    ['k' - 'a'] = SSI_HDR_SUPPORTED,
    ['l' - 'a'] = SSI_HDR_CONTENT_LENGTH,
    ['m' - 'a'] = SSI_HDR_CONTACT,
    ['o' - 'a'] = SSI_HDR_EVENT,
    ['r' - 'a'] = SSI_HDR_REFER_TO,
    ['s' - 'a'] = SSI_HDR_SUBJECT,
    ['t' - 'a'] = SSI_HDR_TO,
    ['u' - 'a'] = SSI_HDR_ALLOW_EVENTS,
    ['v' - 'a'] = SSI_HDR_VIA,
    ['x' - 'a'] = SSI_HDR_SESSION_EXPIRES,
    ['y' - 'a'] = SSI_HDR_IDENTITY,
};

/* A perfect hash of the full names, see slot_of. */
static const uint8_t slots[256] = {
    [3] = SSI_HDR_CONTENT_DISPOSITION,
    [7] = SSI_HDR_CALL_INFO,
    [17] = SSI_HDR_IN_REPLY_TO,
    [23] = SSI_HDR_CONTENT_ENCODING,
    [24] = SSI_HDR_PROXY_AUTHORIZATION,
    [25] = SSI_HDR_IDENTITY,
    [28] = SSI_HDR_TO,
    [29] = SSI_HDR_AUTHENTICATION_INFO,
    [34] = SSI_HDR_REQUIRE,
    [47] = SSI_HDR_SERVICE_ROUTE,
    [52] = SSI_HDR_PROXY_AUTHENTICATE,
    [59] = SSI_HDR_CONTENT_TYPE,
    [62] = SSI_HDR_REASON,
    [63] = SSI_HDR_SUBJECT,
    [64] = SSI_HDR_PATH,
    [66] = SSI_HDR_RSEQ,
    [67] = SSI_HDR_ORGANIZATION,
    [70] = SSI_HDR_RETRY_AFTER,
    [71] = SSI_HDR_SESSION_EXPIRES,
    [76] = SSI_HDR_PROXY_REQUIRE,
    [80] = SSI_HDR_TIMESTAMP,
    [81] = SSI_HDR_UNSUPPORTED,
    [85] = SSI_HDR_USER_AGENT,
    [86] = SSI_HDR_VIA,
    [87] = SSI_HDR_SERVER,
    [89] = SSI_HDR_ALLOW,
    [90] = SSI_HDR_REPLACES,
    [91] = SSI_HDR_CONTENT_LANGUAGE,
    [98] = SSI_HDR_RACK,
    [99] = SSI_HDR_SUPPORTED,
    [101] = SSI_HDR_EVENT,
    [107] = SSI_HDR_CONTENT_LENGTH,
    [113] = SSI_HDR_MIN_SE,
    [114] = SSI_HDR_RECORD_ROUTE,
    [115] = SSI_HDR_WWW_AUTHENTICATE,
    [119] = SSI_HDR_CONTACT,
    [126] = SSI_HDR_REFER_TO,
    [129] = SSI_HDR_EXPIRES,
    [137] = SSI_HDR_AUTHORIZATION,
    [140] = SSI_HDR_PRIVACY,
    [141] = SSI_HDR_ACCEPT_ENCODING,
    [145] = SSI_HDR_ERROR_INFO,
    [151] = SSI_HDR_CALL_ID,
    [159] = SSI_HDR_CSEQ,
    [165] = SSI_HDR_MIME_VERSION,
    [173] = SSI_HDR_MAX_FORWARDS,
    [181] = SSI_HDR_MIN_EXPIRES,
    [191] = SSI_HDR_WARNING,
    [194] = SSI_HDR_ROUTE,
    [209] = SSI_HDR_ACCEPT_LANGUAGE,
    [214] = SSI_HDR_REFERRED_BY,
    [221] = SSI_HDR_ALERT_INFO,
    [222] = SSI_HDR_FROM,
    [225] = SSI_HDR_ACCEPT,
    [232] = SSI_HDR_DATE,
    [234] = SSI_HDR_REPLY_TO,
    [236] = SSI_HDR_PRIORITY,
    [237] = SSI_HDR_ALLOW_EVENTS,
    [239] = SSI_HDR_SUBSCRIPTION_STATE,
};

/* A weighted sum of length and three bytes without their case bit. tests/sip/test_msg.c finds every name in its slot. */
static unsigned slot_of(struct ssi_slice n)
{
    unsigned a = (unsigned char)n.p[0] & 0x1f;
    unsigned b = (unsigned char)n.p[n.len / 2] & 0x1f;
    unsigned c = (unsigned char)n.p[n.len - 1] & 0x1f;

    return ((unsigned)n.len * 48U + a * 45U + b * 52U + c * 20U) & 0xff;
}

enum ssi_sip_hdr ssi_sip_hdr_of(struct ssi_slice name)
{
    if (name.len == 0)
        return SSI_HDR_OTHER;
    if (name.len == 1) {
        unsigned letter = (unsigned)(ssi_lower(name.p[0]) - 'a');
        return letter < 26 ? (enum ssi_sip_hdr)compact[letter] : SSI_HDR_OTHER;
    }
    enum ssi_sip_hdr id = (enum ssi_sip_hdr)slots[slot_of(name)];
    struct ssi_slice full = hdr_names[id];
    /* Most senders use the spelling of the RFC. */
    if (full.len == name.len &&
        (ssi_sip_same(full.p, name.p, name.len) || ssi_slice_ieq(full, name)))
        return id;
    return SSI_HDR_OTHER;
}

static const struct {
    uint16_t status;
    const char *phrase;
} phrases[] = {
    {100, "Trying"},
    {180, "Ringing"},
    {181, "Call Is Being Forwarded"},
    {182, "Queued"},
    {183, "Session Progress"},
    {199, "Early Dialog Terminated"},
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Notification"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Moved Temporarily"},
    {305, "Use Proxy"},
    {380, "Alternative Service"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {410, "Gone"},
    {412, "Conditional Request Failed"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {417, "Unknown Resource-Priority"},
    {420, "Bad Extension"},
    {421, "Extension Required"},
    {422, "Session Interval Too Small"},
    {423, "Interval Too Brief"},
    {428, "Use Identity Header"},
    {429, "Provide Referrer Identity"},
    {430, "Flow Failed"},
    {433, "Anonymity Disallowed"},
    {436, "Bad Identity-Info"},
    {437, "Unsupported Certificate"},
    {438, "Invalid Identity Header"},
    {439, "First Hop Lacks Outbound Support"},
    {440, "Max-Breadth Exceeded"},
    {469, "Bad Info Package"},
    {470, "Consent Needed"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {484, "Address Incomplete"},
    {485, "Ambiguous"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {489, "Bad Event"},
    {491, "Request Pending"},
    {493, "Undecipherable"},
    {494, "Security Agreement Required"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
    {580, "Precondition Failure"},
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
    {606, "Not Acceptable"},
    {607, "Unwanted"},
    {608, "Rejected"},
};

const char *ssi_sip_reason_phrase(int status)
{
    size_t low = 0, high = sizeof phrases / sizeof phrases[0];

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (phrases[mid].status == status)
            return phrases[mid].phrase;
        if (phrases[mid].status < status)
            low = mid + 1;
        else
            high = mid;
    }
    return "Unknown";
}
