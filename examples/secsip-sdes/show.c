/* a=crypto lines, keys and errors as JSON. Part of: examples. Key bytes are written only where the caller asks, and wiped. */
#include "sdes.h"

#include <string.h>

enum {
    KEY_MAX = 46 /* <secsip/sdes.h> */
};

static void show_secret(struct json *j, const uint8_t *key, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[(KEY_MAX + 2) / 3 * 4 + 1];
    size_t n = 0;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)key[i] << 16 | (i + 1 < len ? (uint32_t)key[i + 1] << 8 : 0) |
                     (i + 2 < len ? key[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            text[n++] = i + k > len ? '=' : alphabet[v >> (18 - 6 * k) & 63];
    }
    text[n] = '\0';
    json_string(j, "key", text);
    explicit_bzero(text, sizeof(text));
}

static void show_key(struct json *j, const char *name, const secsip_sdes_key *key,
                     const uint8_t *secret, size_t len)
{
    uint64_t mki;

    json_object(j, name);
    json_uint(j, "bytes", key->n_bytes);
    if (key->lifetime > 0)
        json_uint(j, "lifetime", key->lifetime);
    else
        json_null(j, "lifetime");
    if (key->mki_len == 0)
        json_null(j, "mki");
    else if (options_number(key->mki, UINT64_MAX, &mki))
        json_uint(j, "mki", mki);
    else
        json_string(j, "mki", key->mki);
    if (key->mki_len > 0)
        json_uint(j, "mki_len", key->mki_len);
    else
        json_null(j, "mki_len");
    if (secret)
        show_secret(j, secret, len);
    json_end_object(j);
}

static void show_params(struct json *j, const char *params)
{
    json_array(j, "params");
    while (*params) {
        size_t len = strcspn(params, " ");
        json_bytes(j, NULL, params, len);
        params += len + (params[len] == ' ');
    }
    json_end_array(j);
}

void show_error(struct json *j, secsip_result r, const char *text, int64_t offset)
{
    if (r >= 0) {
        json_null(j, "error");
        return;
    }
    json_object(j, "error");
    json_string(j, "name", secsip_result_name(r));
    json_string(j, "text", text && *text ? text : secsip_result_text(r));
    if (offset >= 0)
        json_int(j, "offset", offset);
    json_end_object(j);
}

void show_line(struct json *j, const char *key, int media, const secsip_sdes_lines *lines,
               uint32_t n, bool show_keys)
{
    secsip_sdes_line line = {.size = sizeof(line)};
    secsip_sdes_key k = {.size = sizeof(k)};
    uint8_t secret[KEY_MAX];
    size_t len = 0;

    if (secsip_sdes_lines_get(lines, n, &line) < 0)
        return;
    json_object(j, key);
    json_int(j, "media", media);
    if (*line.suite) {
        json_uint(j, "tag", line.tag);
        json_string(j, "suite", line.suite);
    } else { /* it could not be read so far */
        json_null(j, "tag");
        json_null(j, "suite");
    }
    json_array(j, "keys");
    for (uint32_t i = 0; i < line.n_keys; i++) {
        bool secret_too = show_keys && secsip_sdes_lines_get_secret(lines, n, i, secret,
                                                                    sizeof(secret), &len) == 0;
        if (secsip_sdes_lines_get_key(lines, n, i, &k) == 0)
            show_key(j, NULL, &k, secret_too ? secret : NULL, len);
    }
    explicit_bzero(secret, sizeof(secret));
    json_end_array(j);
    show_params(j, line.params);
    json_bool(j, "usable", line.usable >= 0);
    show_error(j, line.usable, line.why, -1);
    json_end_object(j);
}

static void show_session_key(struct json *j, const char *name, secsip_sdes_session *s,
                             uint32_t direction, uint32_t n, bool show_keys)
{
    secsip_sdes_key key = {.size = sizeof(key)};
    uint8_t secret[KEY_MAX];
    size_t len = 0;

    if (secsip_sdes_session_get_key(s, direction, n, &key) < 0)
        return;
    bool secret_too = show_keys && secsip_sdes_session_get_secret(s, direction, n, secret,
                                                                  sizeof(secret), &len) == 0;
    show_key(j, name, &key, secret_too ? secret : NULL, len);
    explicit_bzero(secret, sizeof(secret));
}

static void show_bits(struct json *j, const char *key, uint32_t bits, const char *const names[],
                      size_t n)
{
    json_array(j, key);
    for (size_t i = 0; i < n; i++)
        if (bits & 1U << i)
            json_string(j, NULL, names[i]);
    json_end_array(j);
}

/* Names by bit: SECSIP_SDES_QUIRK_TAG and SECSIP_SDES_FORM_UNENCRYPTED_SRTP are the first ones. */
static const char *const quirk_names[] = {"tag", "profile", "spelling", "padding"};
static const char *const form_names[] = {"UNENCRYPTED_SRTP", "UNENCRYPTED_SRTCP",
                                         "UNAUTHENTICATED_SRTP"};

void show_agreement(struct json *j, secsip_sdes_session *s, bool show_keys)
{
    secsip_sdes_agreement a = {.size = sizeof(a)};

    if (secsip_sdes_session_get_agreement(s, &a) < 0)
        return;
    json_string(j, "profile", a.profile);
    json_bool(j, "secure", a.secure);
    show_bits(j, "quirks", a.quirks, quirk_names, sizeof(quirk_names) / sizeof(*quirk_names));
    if (!a.secure)
        return;
    json_uint(j, "tag", a.tag);
    json_string(j, "suite", a.suite);
    show_bits(j, "forms", a.forms, form_names, sizeof(form_names) / sizeof(*form_names));
    show_session_key(j, "tx", s, SECSIP_SDES_KEY_TX, 0, show_keys);
    json_array(j, "rx");
    for (uint32_t i = 0; i < a.n_rx_keys; i++)
        show_session_key(j, NULL, s, SECSIP_SDES_KEY_RX, i, show_keys);
    json_end_array(j);
}
