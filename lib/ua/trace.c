/* The opt-in trace of messages, with keys and credentials masked. Layer: ua. Masked are: the key of every inline key parameter
 * (RFC 4568), and in a=crypto whatever may be one; a=key-mgmt (RFC 4567) and a=ice-pwd; these also inside capabilities (RFC 5939);
 * the lines k=; the response and rspauth of digest, from which a password can be guessed; the whole credentials of every other
 * scheme, and of a URI's headers, with its body; the password of a URI. The rest is shown as it is. */
#include "sdes/sdes.h"
#include "ua/flow.h"

static const char mask[] = "********";

enum {
    HEADER_NAME_MAX = 64 /* of a URI's header, escapes and all */
};

/* What a header field that begins in this line holds; folded lines go on with it. */
enum holds {
    NO_CREDENTIALS,
    DIGEST,
    OTHER_CREDENTIALS,
};

static bool starts_with(struct ssi_slice line, struct ssi_slice prefix)
{
    return line.len >= prefix.len && ssi_slice_ieq(ssi_slice_of(line.p, prefix.len), prefix);
}

/* Without the line's end. */
static size_t text_len(struct ssi_slice line)
{
    while (line.len > 0 && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
        line.len--;
    return line.len;
}

/* Copies what stands before `from`, the mask, and the line's end. */
static void mask_rest(struct ssi_buf *b, struct ssi_slice line, size_t from)
{
    ssi_buf_put(b, line.p, from);
    ssi_buf_put_str(b, mask);
    ssi_buf_put_slice(b, ssi_slice_from(line, text_len(line)));
}

static bool ends_key(char c)
{
    return c == '|' || c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* How much of `here` is a key parameter: copied masked. 0: it begins with none. */
static size_t mask_inline(struct ssi_buf *b, struct ssi_slice here)
{
    const struct ssi_slice word = SSI_LIT("inline:");
    size_t n = word.len;

    if (!starts_with(here, word))
        return 0;
    ssi_buf_put(b, here.p, n);
    ssi_buf_put_str(b, mask);
    while (n < here.len && !ends_key(here.p[n]))
        n++;
    return n;
}

/* The same for a URI's user and password, "sip:alice:secret" before the "@" (RFC 3261 19.1.1). *ret_none: as far as there is no
 * "@", so that no other URI within has one either and a line costs what its length is. */
static size_t mask_userinfo(struct ssi_buf *b, struct ssi_slice here, size_t *ret_none)
{
    size_t scheme = starts_with(here, SSI_LIT("sip:"))    ? 4
                    : starts_with(here, SSI_LIT("sips:")) ? 5
                                                          : 0;
    size_t n = scheme, colon = 0;

    if (scheme == 0)
        return 0;
    while (n < here.len && !memchr("@<>\" \t\r\n", here.p[n], 8)) {
        if (here.p[n] == ':' && colon == 0)
            colon = n;
        n++;
    }
    if (n == here.len || here.p[n] != '@')
        *ret_none = n;
    if (colon == 0 || n == here.len || here.p[n] != '@')
        return 0;
    ssi_buf_put(b, here.p, colon + 1);
    ssi_buf_put_str(b, mask);
    return n;
}

/* And for a header of a URI that holds credentials, or keys in a body: "<sip:a@b?Authorization=...>" (RFC 3261 19.1.1). An
 * escaped name may be that of any. */
static size_t mask_uri_header(struct ssi_buf *b, struct ssi_slice line, size_t i)
{
    static const struct ssi_slice names[] = {
        {"Authorization", 13}, {"Proxy-Authorization", 19}, {"body", 4}};
    struct ssi_slice here = ssi_slice_from(line, i);
    size_t n = 0;
    bool secret = false;

    if (i == 0 || (line.p[i - 1] != '?' && line.p[i - 1] != '&'))
        return 0;
    while (n < here.len && n < HEADER_NAME_MAX && !memchr("=&<>\" \t\r\n", here.p[n], 9))
        secret = here.p[n++] == '%' || secret;
    if (n == here.len || here.p[n] != '=')
        return 0;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        secret = secret || ssi_slice_ieq(ssi_slice_of(here.p, n), names[k]);
    if (!secret)
        return 0;
    ssi_buf_put(b, here.p, ++n);
    ssi_buf_put_str(b, mask);
    while (n < here.len && !memchr("&<>\" \t\r\n", here.p[n], 8))
        n++;
    return n;
}

/* What is masked wherever it stands; 0: nothing at i. *none_until: as far as no URI has a password. */
static size_t mask_anywhere(struct ssi_buf *b, struct ssi_slice line, size_t i, size_t *none_until)
{
    struct ssi_slice here = ssi_slice_from(line, i);
    size_t none = 0;

    size_t n = mask_inline(b, here);
    if (n == 0)
        n = mask_uri_header(b, line, i);
    if (n == 0 && i >= *none_until) {
        n = mask_userinfo(b, here, &none);
        *none_until = i + none;
    }
    return n;
}

static void mask_line(struct ssi_buf *b, struct ssi_slice line)
{
    size_t none_until = 0;

    for (size_t i = 0; i < line.len;) {
        size_t n = mask_anywhere(b, line, i, &none_until);
        if (n == 0) {
            ssi_buf_put_char(b, line.p[i]);
            n = 1;
        }
        i += n;
    }
}

/* Where the value of a parameter ends that begins behind "=". */
static size_t value_end(struct ssi_slice line, size_t i)
{
    bool quoted = i < line.len && line.p[i] == '"';

    for (i += quoted; i < line.len && (quoted ? line.p[i] != '"' : line.p[i] != ','); i++)
        if (line.p[i] == '\\' && quoted && i + 1 < line.len)
            i++;
    return quoted && i < line.len ? i + 1 : i;
}

/* The masked parameter that begins here, up to its "="; 0: none does. */
static size_t secret_parameter(struct ssi_slice line, size_t i)
{
    static const struct ssi_slice words[] = {{"response", 8}, {"rspauth", 7}};
    char before = i == 0 ? ' ' : line.p[i - 1];

    if (before != ' ' && before != ',' && before != '\t')
        return 0;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t n = i + words[k].len;
        if (!starts_with(ssi_slice_from(line, i), words[k]))
            continue;
        while (n < line.len && (line.p[n] == ' ' || line.p[n] == '\t'))
            n++;
        if (n < line.len && line.p[n] == '=')
            return n + 1 - i;
    }
    return 0;
}

static void mask_digest(struct ssi_buf *b, struct ssi_slice line)
{
    struct ssi_slice text = ssi_slice_of(line.p, text_len(line));
    size_t none_until = 0;

    for (size_t i = 0; i < text.len;) {
        size_t n = secret_parameter(text, i);
        size_t other = n == 0 ? mask_anywhere(b, text, i, &none_until) : 0;
        if (other > 0) {
            i += other;
            continue;
        }
        if (n == 0) {
            ssi_buf_put_char(b, text.p[i++]);
            continue;
        }
        ssi_buf_put(b, text.p + i, n);
        ssi_buf_put_char(b, '"');
        ssi_buf_put_str(b, mask);
        ssi_buf_put_char(b, '"');
        for (i += n; i < text.len && (text.p[i] == ' ' || text.p[i] == '\t'); i++)
            ;
        i = value_end(text, i);
    }
    ssi_buf_put_slice(b, ssi_slice_from(line, text.len));
}

/* What the line's header field holds; *ret_value: where its value begins. */
static enum holds read_name(struct ssi_slice line, size_t *ret_value)
{
    size_t value = ssi_slice_find(line, ':');
    struct ssi_slice name = ssi_slice_trim(ssi_slice_of(line.p, value));

    for (value += value < line.len;
         value < line.len && (line.p[value] == ' ' || line.p[value] == '\t');)
        value++;
    *ret_value = value;
    if (ssi_slice_ieq(name, SSI_LIT("Authentication-Info")) ||
        ssi_slice_ieq(name, SSI_LIT("Proxy-Authentication-Info")))
        return DIGEST;
    if (!ssi_slice_ieq(name, SSI_LIT("Authorization")) &&
        !ssi_slice_ieq(name, SSI_LIT("Proxy-Authorization")))
        return NO_CREDENTIALS;
    return starts_with(ssi_slice_from(line, value), SSI_LIT("Digest")) ? DIGEST : OTHER_CREDENTIALS;
}

/* Which attribute of a line of SDP holds keys. */
enum sdp_secret {
    SDP_NONE, /* or one that mask_line finds */
    SDP_ALL,
    SDP_CRYPTO,
};

/* *ret_from: where its secret begins. The attribute may stand in a capability, "a=acap:1 ice-pwd:..." (RFC 5939 3.3.2), or
 * wherever else a line has one. */
static enum sdp_secret sdp_secret(struct ssi_slice line, size_t *ret_from)
{
    static const struct {
        struct ssi_slice name;
        enum sdp_secret what;
    } attributes[] = {
        {{"key-mgmt:", 9}, SDP_ALL}, {{"ice-pwd:", 8}, SDP_ALL}, {{"crypto:", 7}, SDP_CRYPTO}};

    *ret_from = 2;
    if (starts_with(line, SSI_LIT("k=")))
        return SDP_ALL;
    if (!starts_with(line, SSI_LIT("a=")))
        return SDP_NONE;
    for (size_t i = 2; i < line.len; i++)
        for (size_t k = 0; k < sizeof attributes / sizeof *attributes; k++)
            if ((i == 2 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t') &&
                starts_with(ssi_slice_from(line, i), attributes[k].name)) {
                *ret_from = i + attributes[k].name.len;
                return attributes[k].what;
            }
    return SDP_NONE;
}

static void mask_sdp(struct ssi_buf *b, struct ssi_slice line)
{
    size_t from, end = text_len(line);

    enum sdp_secret what = sdp_secret(line, &from);
    if (what == SDP_NONE) {
        mask_line(b, line);
        return;
    }
    mask_line(b, ssi_slice_of(line.p, from));
    if (what == SDP_CRYPTO)
        ssi_sdes_mask(b, ssi_slice_of(line.p + from, end > from ? end - from : 0), mask);
    else
        ssi_buf_put_str(b, mask);
    ssi_buf_put_slice(b, ssi_slice_from(line, end));
}

void ssi_mask_message(struct ssi_buf *b, struct ssi_slice message)
{
    enum holds holds = NO_CREDENTIALS;

    while (message.len > 0) {
        size_t n = ssi_slice_find(message, '\n'), from = 0;
        struct ssi_slice line = ssi_slice_of(message.p, n < message.len ? n + 1 : n);
        if (line.p[0] != ' ' && line.p[0] != '\t') /* RFC 3261 7.3.1: those go on */
            holds = read_name(line, &from);
        if (holds == DIGEST)
            mask_digest(b, line);
        else if (holds == OTHER_CREDENTIALS)
            mask_rest(b, line, from);
        else
            mask_sdp(b, line);
        message = ssi_slice_from(message, line.len);
    }
}
