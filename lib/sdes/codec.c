/* The a=crypto codec: RFC 4568 section 9, every production of it. Layer: sdes. Nothing is allocated; keys go into the
 * caller's line, which the caller wipes. */
#include "sdes/judge.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/cursor.h"

enum {
    TAG_DIGITS_MAX = 9,
    LIFETIME_LOG2_MAX = 48, /* RFC 3711 9.2 */
    WSH_MIN = 64,           /* RFC 4568 6.3.7 */
    WSH_MAX = 32768,        /* half of the sequence numbers: a wider window cannot be told apart */
    KDR_MAX = 24,
};

enum {
    WORD = 1, /* ALPHA / DIGIT / "_" */
    DIGIT = 2,
    VISIBLE = 4, /* VCHAR */
};

/* clang-format off */
#define V (VISIBLE)
#define D (WORD | DIGIT | VISIBLE)
#define W (WORD | VISIBLE)
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    0, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, /* 0x20 */
    D, D, D, D, D, D, D, D, D, D, V, V, V, V, V, V, /* 0x30 */
    V, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* 0x40 */
    W, W, W, W, W, W, W, W, W, W, W, V, V, V, V, W, /* 0x50 */
    V, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, /* 0x60 */
    W, W, W, W, W, W, W, W, W, W, W, V, V, V, V, 0, /* 0x70 */
};
#undef V
#undef D
#undef W
/* clang-format on */

void ssi_sdes_refuse(struct ssi_sdes_line *l, secsip_result result, const char *why)
{
    if (l->usable < 0)
        return;
    l->usable = result;
    l->why = why;
}

/* At least one blank (1*WSP). */
static bool take_blanks(struct ssi_cursor *c)
{
    const char *from = c->p;

    while (ssi_cursor_take(c, ' ') || ssi_cursor_take(c, '\t'))
        ;
    return c->p > from;
}

/* A decimal number without leading zeroes, at most max. */
static bool read_number(struct ssi_slice s, uint64_t max, uint64_t *ret)
{
    if (s.len > 1 && s.p[0] == '0')
        return false;
    return ssi_slice_to_u64(s, max, ret);
}

/* ---- tag and suite */
static bool read_tag(struct ssi_cursor *c, struct ssi_sdes_line *l)
{
    struct ssi_slice digits = ssi_cursor_take_class(c, classes, DIGIT);
    uint64_t v;

    if (digits.len > TAG_DIGITS_MAX || !read_number(digits, UINT32_MAX, &v) || !take_blanks(c)) {
        ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX,
                        "the tag is not a number of 1 to 9 digits without leading zeroes");
        return false;
    }
    l->tag = (uint32_t)v;
    return true;
}

/* Suites that are known by name and not done here. */
static const char *why_not_suite(struct ssi_slice name)
{
    static const struct {
        const char *prefix;
        const char *why;
    } known[] = {
        {"F8_", "F8 suites are not implemented"},
        {"SEED_", "SEED suites are not implemented"},
        {"ARIA_", "ARIA suites are not implemented"},
        {"AEAD_ARIA_", "ARIA suites are not implemented"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct ssi_slice prefix = ssi_slice_str(known[i].prefix);
        if (name.len >= prefix.len && ssi_slice_ieq(ssi_slice_of(name.p, prefix.len), prefix))
            return known[i].why;
    }
    return "the crypto-suite is unknown";
}

static bool read_suite(struct ssi_cursor *c, uint32_t allow, struct ssi_sdes_line *l)
{
    l->suite_text = ssi_cursor_take_class(c, classes, WORD);
    if (l->suite_text.len == 0 || !take_blanks(c)) {
        ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX, "no crypto-suite and keys behind the tag");
        return false;
    }
    l->suite = ssi_suite_of(l->suite_text);
    if (l->suite == SSI_SUITE_NONE)
        ssi_sdes_refuse(l, SECSIP_E_SDES_SUITE, why_not_suite(l->suite_text));
    else if (!ssi_suite_allowed(l->suite, allow))
        ssi_sdes_refuse(l, SECSIP_E_SDES_SUITE, "a suite without encryption is not allowed");
    if (ssi_suite_is_misspelt(l->suite_text))
        l->quirks |= SSI_SDES_QUIRK_SPELLING;
    return true;
}

/* ---- keys */
/* The master key is all zero; the salt does not count. Looks at every byte. */
static bool is_zero_key(const struct ssi_key *k, size_t key_len)
{
    uint8_t any = 0;

    for (size_t i = 0; i < key_len && i < k->len; i++)
        any |= k->bytes[i];
    return any == 0;
}

static void read_key_salt(struct ssi_slice text, struct ssi_sdes_line *l, struct ssi_sdes_key *k)
{
    const struct ssi_suite_info *info = ssi_suite_info(l->suite);
    size_t len = 0;

    if (text.len > SSI_BASE64_LEN(SSI_KEY_MAX)) {
        ssi_sdes_refuse(l, SECSIP_E_SDES_KEY_LENGTH,
                        "the key is longer than that of any crypto-suite");
        return;
    }
    if (!ssi_base64_get(text, k->key.bytes, sizeof k->key.bytes, &len)) {
        bool too_long = text.len / 4 * 3 > SSI_KEY_MAX;
        ssi_sdes_refuse(l, too_long ? SECSIP_E_SDES_KEY_LENGTH : SECSIP_E_SDES_SYNTAX,
                        "the key is not well-formed base64");
        return;
    }
    k->key.len = (uint8_t)len;
    if (text.len % 4 != 0)
        l->quirks |= SSI_SDES_QUIRK_PADDING;
    if (info && len != (size_t)info->key_len + info->salt_len)
        ssi_sdes_refuse(l, SECSIP_E_SDES_KEY_LENGTH,
                        "the key has the wrong length for its crypto-suite");
    else if (is_zero_key(&k->key, info ? info->key_len : len))
        ssi_sdes_refuse(l, SECSIP_E_SDES_KEY_WEAK, "the key is all zero");
}

/* lifetime = ["2^"] 1*(DIGIT), from 1 to 2^48 packets. */
static void read_lifetime(struct ssi_slice text, struct ssi_sdes_line *l, struct ssi_sdes_key *k)
{
    bool power = text.len > 2 && text.p[0] == '2' && text.p[1] == '^';
    uint64_t v;

    if (power && read_number(ssi_slice_from(text, 2), LIFETIME_LOG2_MAX, &v))
        k->lifetime = UINT64_C(1) << v;
    else if (!power && read_number(text, UINT64_C(1) << LIFETIME_LOG2_MAX, &v) && v > 0)
        k->lifetime = v;
    else
        ssi_sdes_refuse(l, SECSIP_E_SDES_LIFETIME,
                        "the lifetime is not a number of packets from 1 to 2^48");
}

/* mki-value ":" mki-length; the colon is at text[colon]. */
static void read_mki(struct ssi_slice text, size_t colon, struct ssi_sdes_line *l,
                     struct ssi_sdes_key *k)
{
    struct ssi_slice value = ssi_slice_of(text.p, colon);
    uint64_t len;

    /* mki-value = 1*DIGIT, mki-length = 1*3DIGIT: both with leading zeroes, too */
    if (text.len - colon - 1 > 3 ||
        !ssi_slice_to_u64(ssi_slice_from(text, colon + 1), SSI_SDES_MKI_MAX, &len) || len == 0)
        ssi_sdes_refuse(l, SECSIP_E_SDES_MKI,
                        "the length of the MKI is not a number from 1 to 128");
    else if (!ssi_sdes_mki_read(value, k->mki, (size_t)len))
        ssi_sdes_refuse(l, SECSIP_E_SDES_MKI, "the MKI is not a number that fits its length");
    else
        k->mki_len = (uint8_t)len;
}

/* srtp-key-info = key-salt ["|" lifetime] ["|" mki] */
static void read_key_info(struct ssi_slice info, struct ssi_sdes_line *l, struct ssi_sdes_key *k)
{
    struct ssi_cursor c = ssi_cursor_of(info);

    read_key_salt(ssi_cursor_take_until(&c, '|'), l, k);
    for (int field = 0; ssi_cursor_take(&c, '|'); field++) {
        struct ssi_slice part = ssi_cursor_take_until(&c, '|');
        size_t colon = ssi_slice_find(part, ':');
        if (colon < part.len && k->mki_len == 0 && field < 2)
            read_mki(part, colon, l, k);
        else if (colon == part.len && field == 0)
            read_lifetime(part, l, k);
        else
            ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX,
                            "more behind the key than a lifetime and an MKI");
        if (l->usable == SECSIP_E_SDES_MKI || l->usable == SECSIP_E_SDES_SYNTAX)
            return;
    }
}

/* Several keys are told apart by their MKIs: all have one, of one length, none twice (RFC 4568 6.1). */
static void check_keys(struct ssi_sdes_line *l)
{
    for (uint32_t i = 0; i < l->n_keys && l->n_keys > 1; i++) {
        const struct ssi_sdes_key *k = &l->keys[i];
        if (k->mki_len == 0 || k->mki_len != l->keys[0].mki_len)
            ssi_sdes_refuse(l, SECSIP_E_SDES_MKI,
                            "several keys, and not all with an MKI of the same length");
        for (uint32_t j = 0; j < i; j++) {
            if (memcmp(k->mki, l->keys[j].mki, sizeof k->mki) == 0)
                ssi_sdes_refuse(l, SECSIP_E_SDES_MKI, "two keys with the same MKI");
            if (ssi_key_eq(&k->key, &l->keys[j].key))
                ssi_sdes_refuse(l, SECSIP_E_SDES_KEY_WEAK, "the same key stands twice");
        }
    }
}

/* key-param = key-method ":" key-info, without ';' and blanks. */
static bool read_key(struct ssi_slice param, struct ssi_sdes_line *l)
{
    size_t colon = ssi_slice_find(param, ':');

    if (colon == 0 || colon + 1 >= param.len) {
        ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX, "a key is not \"inline:\" and the key");
        return false;
    }
    if (!ssi_slice_ieq(ssi_slice_of(param.p, colon), SSI_LIT("inline"))) {
        ssi_sdes_refuse(l, SECSIP_E_SDES_KEY_METHOD, "the key method is not inline");
        return true;
    }
    if (l->n_keys == SSI_SDES_KEYS_MAX) {
        ssi_sdes_refuse(l, SECSIP_E_LIMIT, "more keys on one line than the limit");
        return true;
    }
    read_key_info(ssi_slice_from(param, colon + 1), l, &l->keys[l->n_keys]);
    l->n_keys++;
    return true;
}

/* key-params = key-param *(";" key-param) */
static bool read_keys(struct ssi_cursor *c, struct ssi_sdes_line *l)
{
    struct ssi_slice word = ssi_cursor_take_class(c, classes, VISIBLE);
    struct ssi_cursor params = ssi_cursor_of(word);

    do {
        if (!read_key(ssi_cursor_take_until(&params, ';'), l))
            return false;
    } while (ssi_cursor_take(&params, ';'));
    check_keys(l);
    return true;
}

/* ---- session parameters: SECSIP_E_SDES_SYNTAX where the line is broken, SECSIP_E_SDES_PARAM where it is beyond us */
static void read_kdr(struct ssi_slice value, struct ssi_sdes_line *l)
{
    uint64_t v;

    if (!ssi_slice_to_u64(value, KDR_MAX, &v) || value.len > 2)
        ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX, "KDR is not a number from 0 to 24");
    else if (v > 0) /* 0: keys are derived once, which is what is done (RFC 4568 6.3.1) */
        ssi_sdes_refuse(l, SECSIP_E_SDES_PARAM, "KDR other than 0 is not implemented");
}

static void read_wsh(struct ssi_slice value, struct ssi_sdes_line *l)
{
    uint64_t v;

    if (!ssi_slice_to_u64(value, UINT64_MAX, &v) || v < WSH_MIN)
        ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX, "WSH is not a number from 64");
    else if (v > WSH_MAX)
        ssi_sdes_refuse(l, SECSIP_E_SDES_PARAM, "WSH above 32768 is not implemented");
    else
        l->wsh = (uint32_t)v;
}

enum param {
    PARAM_UNENCRYPTED_SRTP = SSI_SDES_UNENCRYPTED_SRTP,
    PARAM_UNENCRYPTED_SRTCP = SSI_SDES_UNENCRYPTED_SRTCP,
    PARAM_UNAUTHENTICATED_SRTP = SSI_SDES_UNAUTHENTICATED_SRTP,
    PARAM_KDR = 16,
    PARAM_WSH = 32,
    PARAM_REFUSED = 64,
};

static const struct known_param {
    struct ssi_slice name;
    enum param what;
    bool has_value;
    const char *why; /* not, where it is refused */
} known_params[] = {
    {{"KDR", 3}, PARAM_KDR, true, NULL},
    {{"WSH", 3}, PARAM_WSH, true, NULL},
    {{"UNENCRYPTED_SRTP", 16},
     PARAM_UNENCRYPTED_SRTP,
     false,
     "UNENCRYPTED_SRTP is not allowed here"},
    {{"UNENCRYPTED_SRTCP", 17},
     PARAM_UNENCRYPTED_SRTCP,
     false,
     "UNENCRYPTED_SRTCP is not allowed here"},
    {{"UNAUTHENTICATED_SRTP", 20},
     PARAM_UNAUTHENTICATED_SRTP,
     false,
     "UNAUTHENTICATED_SRTP is not allowed here"},
    {{"FEC_ORDER", 9}, PARAM_REFUSED, true, "FEC_ORDER is not implemented"},
    {{"FEC_KEY", 7}, PARAM_REFUSED, true, "FEC_KEY is not implemented"},
};

/* A parameter that leaves protection out. */
static void read_form(const struct known_param *k, uint32_t allow, struct ssi_sdes_line *l)
{
    const struct ssi_suite_info *info = ssi_suite_info(l->suite);

    if (!(allow & (uint32_t)k->what))
        ssi_sdes_refuse(l, SECSIP_E_SDES_PARAM, k->why);
    else if (info && info->aead) /* one operation encrypts and authenticates (RFC 7714 section 5) */
        ssi_sdes_refuse(l, SECSIP_E_SDES_PARAM,
                        "an AEAD suite can be neither unencrypted nor unauthenticated");
    else
        l->forms |= (uint32_t)k->what;
    if ((l->forms & SSI_SDES_UNENCRYPTED_SRTP) && (l->forms & SSI_SDES_UNAUTHENTICATED_SRTP))
        ssi_sdes_refuse(l, SECSIP_E_SDES_PARAM,
                        "neither encryption nor authentication: that would be no SRTP");
}

static const struct known_param *find_param(struct ssi_slice name)
{
    for (size_t i = 0; i < sizeof known_params / sizeof *known_params; i++)
        if (ssi_slice_ieq(name, known_params[i].name))
            return &known_params[i];
    return NULL;
}

static void read_param(struct ssi_slice word, uint32_t allow, struct ssi_sdes_line *l,
                       unsigned *seen)
{
    size_t eq = ssi_slice_find(word, '=');
    bool minus = word.p[0] == '-';
    const struct known_param *k = find_param(ssi_slice_of(word.p + minus, eq - (minus && eq > 0)));

    if (minus && !k)
        return; /* RFC 4568 6.3.8: an unknown one with '-' may be ignored */
    if (!k)
        ssi_sdes_refuse(l, SECSIP_E_SDES_PARAM, "an unknown session parameter without '-'");
    else if (minus || k->has_value != (eq < word.len) ||
             (*seen & k->what & ~(unsigned)PARAM_REFUSED))
        ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX,
                        "a session parameter is not well-formed, or stands twice");
    else if (k->what == PARAM_KDR)
        read_kdr(ssi_slice_from(word, eq + 1), l);
    else if (k->what == PARAM_WSH)
        read_wsh(ssi_slice_from(word, eq + 1), l);
    else if (k->what == PARAM_REFUSED)
        ssi_sdes_refuse(l, SECSIP_E_SDES_PARAM, k->why);
    else
        read_form(k, allow, l);
    if (k)
        *seen |= k->what;
}

static void read_params(struct ssi_cursor *c, uint32_t allow, struct ssi_sdes_line *l)
{
    unsigned seen = 0;
    const char *from = NULL;

    /* Blanks at the end carry nothing and are let pass. */
    while (take_blanks(c) && !ssi_cursor_at_end(c)) {
        struct ssi_slice word = ssi_cursor_take_class(c, classes, VISIBLE);
        if (word.len == 0)
            break;
        if (!from)
            from = word.p;
        l->params = ssi_slice_of(from, (size_t)(c->p - from));
        read_param(word, allow, l, &seen);
    }
    if (!ssi_cursor_at_end(c))
        ssi_sdes_refuse(l, SECSIP_E_SDES_SYNTAX, "bytes that are not visible ASCII");
}

secsip_result ssi_sdes_parse_allowing(struct ssi_slice value, uint32_t allow,
                                      struct ssi_sdes_line *ret)
{
    struct ssi_cursor c = ssi_cursor_of(value);

    memset(ret, 0, sizeof *ret);
    if (read_tag(&c, ret) && read_suite(&c, allow, ret) && read_keys(&c, ret))
        read_params(&c, allow, ret);
    return ret->usable;
}

secsip_result ssi_sdes_parse(struct ssi_slice value, struct ssi_sdes_line *ret)
{
    return ssi_sdes_parse_allowing(value, 0, ret);
}

void ssi_sdes_line_wipe(struct ssi_sdes_line *l)
{
    ssi_wipe(l, sizeof *l);
}

bool ssi_sdes_key_eq(const struct ssi_sdes_key *a, const struct ssi_sdes_key *b)
{
    return ssi_key_eq(&a->key, &b->key) && a->lifetime == b->lifetime && a->mki_len == b->mki_len &&
           memcmp(a->mki, b->mki, a->mki_len) == 0;
}

/* ---- writing */
static void put_key_param(struct ssi_buf *b, const struct ssi_sdes_key *k, bool padded)
{
    ssi_buf_put_str(b, "inline:");
    ssi_base64_put(b, k->key.bytes, k->key.len, padded);
    if (k->lifetime > 0) {
        bool power = (k->lifetime & (k->lifetime - 1)) == 0;
        unsigned log2 = 0;
        while (power && k->lifetime >> log2 > 1)
            log2++;
        ssi_buf_put_str(b, power ? "|2^" : "|");
        ssi_buf_put_u64(b, power ? log2 : k->lifetime);
    }
    if (k->mki_len > 0) {
        ssi_buf_put_char(b, '|');
        ssi_sdes_mki_put(b, k->mki, k->mki_len);
        ssi_buf_put_char(b, ':');
        ssi_buf_put_u64(b, k->mki_len);
    }
}

static void put_head(struct ssi_buf *b, uint32_t tag, enum ssi_suite suite,
                     struct ssi_slice suite_text)
{
    const struct ssi_suite_info *info = ssi_suite_info(suite);

    if (suite_text.len == 0 && info)
        suite_text = ssi_slice_str(info->name);
    ssi_buf_put_u64(b, tag);
    ssi_buf_put_char(b, ' ');
    ssi_buf_put_slice(b, suite_text);
    ssi_buf_put_char(b, ' ');
}

void ssi_sdes_put_key(struct ssi_buf *b, uint32_t tag, enum ssi_suite suite,
                      struct ssi_slice suite_text, const struct ssi_sdes_key *key, bool padded)
{
    put_head(b, tag, suite, suite_text);
    put_key_param(b, key, padded);
}

void ssi_sdes_put_forms(struct ssi_buf *b, uint32_t forms)
{
    for (size_t i = 0; i < sizeof known_params / sizeof *known_params; i++) {
        if (!((uint32_t)known_params[i].what & forms))
            continue;
        ssi_buf_put_char(b, ' ');
        ssi_buf_put_slice(b, known_params[i].name);
    }
}

void ssi_sdes_put(struct ssi_buf *b, const struct ssi_sdes_line *l)
{
    put_head(b, l->tag, l->suite, l->suite_text);
    for (uint32_t i = 0; i < l->n_keys; i++) {
        if (i > 0)
            ssi_buf_put_char(b, ';');
        put_key_param(b, &l->keys[i], true);
    }
    if (l->params.len > 0) {
        ssi_buf_put_char(b, ' ');
        ssi_buf_put_slice(b, l->params);
    }
}

secsip_result ssi_sdes_random_key(enum ssi_suite suite, struct ssi_sdes_key *ret)
{
    const struct ssi_suite_info *info = ssi_suite_info(suite);

    if (!info)
        return SECSIP_E_INVALID;
    memset(ret, 0, sizeof *ret);
    ret->key.len = (uint8_t)(info->key_len + info->salt_len);
    secsip_result r = ssi_random_key(ret->key.bytes, ret->key.len);
    if (r < 0)
        return r;
    /* 2^-128 by chance: then the generator is broken. */
    return is_zero_key(&ret->key, info->key_len) ? SECSIP_E_RANDOM : 0;
}

secsip_result ssi_sdes_generate(uint32_t tag, enum ssi_suite suite, struct ssi_sdes_line *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->tag = tag;
    ret->suite = suite;
    ret->n_keys = 1;
    return ssi_sdes_random_key(suite, &ret->keys[0]);
}
