/* Crypto lines as logs and traces may show them. Layer: sdes. Whoever writes such a line wrongly has his key in some other
 * place than behind "inline:", so it is not keys that are looked for and hidden: what has the form of a tag, suite, lifetime, MKI
 * or known parameter is shown, and nothing else. */
#include "sdes/sdes.h"

enum {
    WORD_MAX = 8,      /* letters and digits of a suite or parameter between its underscores */
    NAME_MAX = 40,     /* and all of it */
    KEY_FIELD_MAX = 20 /* of a lifetime or MKI */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return ssi_lower(c) >= 'a' && ssi_lower(c) <= 'z';
}

static bool starts_with(struct ssi_slice s, struct ssi_slice prefix)
{
    return s.len >= prefix.len && ssi_slice_ieq(ssi_slice_of(s.p, prefix.len), prefix);
}

/* Base64 has no underscore, and no key is as short as a word. */
bool ssi_sdes_is_name(struct ssi_slice s)
{
    size_t word = 0;

    for (size_t i = 0; i < s.len; i++) {
        word = s.p[i] == '_' ? 0 : word + 1;
        if (word > WORD_MAX || !(is_letter(s.p[i]) || is_digit(s.p[i]) || s.p[i] == '_'))
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX;
}

static bool is_number(struct ssi_slice s)
{
    size_t i = 0;

    while (i < s.len && is_digit(s.p[i]))
        i++;
    return i == s.len && i > 0 && i <= 9;
}

/* What stands behind a key's "|": "2^20", "1:4". */
static bool is_key_field(struct ssi_slice s)
{
    size_t i = 0;

    while (i < s.len && (is_digit(s.p[i]) || s.p[i] == '^' || s.p[i] == ':'))
        i++;
    return i == s.len && i <= KEY_FIELD_MAX;
}

/* One of the keys of a word: "inline:KEY|2^20|1:4", or whatever it is. */
static void mask_key(struct ssi_buf *b, struct ssi_slice key, const char *mask)
{
    const struct ssi_slice method = SSI_LIT("inline:");

    if (!starts_with(key, method)) {
        ssi_buf_put_str(b, mask);
        return;
    }
    size_t end = ssi_slice_find(key, '|');
    ssi_buf_put(b, key.p, method.len);
    ssi_buf_put_str(b, mask);
    while (end < key.len) {
        struct ssi_slice field = ssi_slice_from(key, end + 1);
        field.len = ssi_slice_find(field, '|');
        ssi_buf_put_char(b, '|');
        if (is_key_field(field))
            ssi_buf_put_slice(b, field);
        else
            ssi_buf_put_str(b, mask);
        end += 1 + field.len;
    }
}

static void mask_keys(struct ssi_buf *b, struct ssi_slice keys, const char *mask)
{
    for (;;) {
        size_t end = ssi_slice_find(keys, ';');
        mask_key(b, ssi_slice_of(keys.p, end), mask);
        if (end == keys.len)
            return;
        ssi_buf_put_char(b, ';');
        keys = ssi_slice_from(keys, end + 1);
    }
}

void ssi_sdes_mask_word(struct ssi_buf *b, struct ssi_slice word, const char *mask)
{
    static const struct ssi_slice longer[] = {
        {"UNENCRYPTED_SRTP", 16}, {"UNENCRYPTED_SRTCP", 17}, {"UNAUTHENTICATED_SRTP", 20}};
    size_t minus = word.len > 0 && word.p[0] == '-';
    size_t eq = ssi_slice_find(word, '=');
    struct ssi_slice name = ssi_slice_of(word.p + minus, eq - minus);
    struct ssi_slice value = ssi_slice_from(word, eq);
    bool known = ssi_sdes_is_name(name);

    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        known = known || ssi_slice_ieq(name, longer[i]);
    if (!known) {
        mask_keys(b, word, mask);
        return;
    }
    ssi_buf_put(b, word.p, eq);
    if (value.len == 0)
        return;
    ssi_buf_put_char(b, '=');
    value = ssi_slice_from(value, 1);
    if (value.len == 0 || ssi_sdes_is_name(value))
        ssi_buf_put_slice(b, value);
    else
        mask_keys(b, value, mask);
}

void ssi_sdes_mask(struct ssi_buf *b, struct ssi_slice value, const char *mask)
{
    for (size_t i = 0, word = 0; i < value.len;) {
        size_t n = i;
        if (value.p[i] == ' ' || value.p[i] == '\t') {
            ssi_buf_put_char(b, value.p[i++]);
            continue;
        }
        while (n < value.len && value.p[n] != ' ' && value.p[n] != '\t')
            n++;
        struct ssi_slice text = ssi_slice_of(value.p + i, n - i);
        if (word > 1)
            ssi_sdes_mask_word(b, text, mask);
        else if (word == 0 ? is_number(text) : ssi_sdes_is_name(text))
            ssi_buf_put_slice(b, text);
        else
            ssi_buf_put_str(b, mask);
        word++;
        i = n;
    }
}
