/* Nonces, see nonce.h. Layer: sip. What is remembered is bounded: when there is no room, the nonce that was used first is
 * forgotten, and no nonce up to its number is taken any more unless it is still remembered. */
#include "sip/nonce.h"

#include <stdlib.h>

#include "sip/chars.h"

enum {
    USED_MAX = 10000,
    WINDOW = 64,
};

struct used {
    struct ssi_hash_node node; /* by number */
    struct ssi_list order;     /* by first use */
    struct ssi_sip_nonce nonce;
    uint64_t window;  /* bit n: nc `last - n` was there */
    uint64_t request; /* who used `last` */
    uint32_t last;
};

secsip_result ssi_sip_auth_server_init(struct ssi_sip_auth_server *s)
{
    memset(s, 0, sizeof *s);
    s->nonce_life_s = 300;
    s->max_used = USED_MAX;
    ssi_list_init(&s->order);
    secsip_result rc = ssi_random_key(s->key, sizeof s->key);
    return rc < 0 ? rc : ssi_hash_init(&s->used);
}

static void forget(struct ssi_sip_auth_server *s, struct used *u)
{
    ssi_hash_remove(&s->used, &u->node);
    ssi_list_remove(&u->order);
    free(u);
}

static struct used *first_used(struct ssi_sip_auth_server *s)
{
    return ssi_list_empty(&s->order) ? NULL : SSI_CONTAINER(s->order.next, struct used, order);
}

void ssi_sip_auth_server_free(struct ssi_sip_auth_server *s)
{
    if (!s->order.next)
        return;
    for (struct used *u; (u = first_used(s));)
        forget(s, u);
    ssi_hash_free(&s->used);
    ssi_wipe(s->key, sizeof s->key);
    memset(s, 0, sizeof *s);
}

static void put_hex(char *out, int n, uint64_t value)
{
    for (; n > 0; value >>= 4)
        out[--n] = "0123456789abcdef"[value & 15];
}

/* Lower-case digits only: every nonce has one spelling. */
static bool read_hex(const char *text, int n, uint64_t *ret)
{
    *ret = 0;
    for (int i = 0; i < n; i++) {
        char c = text[i];
        if (!ssi_sip_is(c, SSI_CH_HEX) || (c >= 'A' && c <= 'F'))
            return false;
        *ret = *ret << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

/* Two nested keyed digests, so that no length extension of the inner one helps (RFC 2104's reason). */
static secsip_result format_nonce(const struct ssi_sip_auth_server *s, struct ssi_slice realm,
                                  const struct ssi_sip_nonce *nonce,
                                  char out[SSI_SIP_NONCE_TEXT + 1])
{
    enum {
        PLAIN = SSI_SIP_NONCE_TIME + SSI_SIP_NONCE_NUMBER
    };
    char inner[SSI_HA1_TEXT], outer[SSI_HA1_TEXT];
    struct ssi_slice key = ssi_slice_of(s->key, sizeof s->key);

    put_hex(out, SSI_SIP_NONCE_TIME, nonce->made_s);
    put_hex(out + SSI_SIP_NONCE_TIME, SSI_SIP_NONCE_NUMBER, nonce->number);
    const struct ssi_slice one[] = {key, ssi_slice_of(out, PLAIN), realm};
    secsip_result rc = ssi_digest_hex(SSI_DIGEST_SHA256, one, 3, inner);
    if (rc < 0)
        return rc;
    const struct ssi_slice two[] = {key, ssi_slice_str(inner)};
    rc = ssi_digest_hex(SSI_DIGEST_SHA256, two, 2, outer);
    if (rc < 0)
        return rc;
    memcpy(out + PLAIN, outer, SSI_SIP_NONCE_MAC);
    out[SSI_SIP_NONCE_TEXT] = 0;
    return 0;
}

secsip_result ssi_sip_nonce_make(struct ssi_sip_auth_server *s, struct ssi_slice realm,
                                 uint64_t now_s, char out[SSI_SIP_NONCE_TEXT + 1])
{
    const struct ssi_sip_nonce nonce = {now_s, ++s->n_made};

    return format_nonce(s, realm, &nonce, out);
}

enum ssi_sip_nonce_state ssi_sip_nonce_check(const struct ssi_sip_auth_server *s,
                                             struct ssi_slice realm, struct ssi_slice text,
                                             uint64_t now_s, struct ssi_sip_nonce *ret)
{
    char expected[SSI_SIP_NONCE_TEXT + 1];

    if (text.len != SSI_SIP_NONCE_TEXT || !read_hex(text.p, SSI_SIP_NONCE_TIME, &ret->made_s) ||
        !read_hex(text.p + SSI_SIP_NONCE_TIME, SSI_SIP_NONCE_NUMBER, &ret->number))
        return SSI_SIP_NONCE_OLD;
    if (format_nonce(s, realm, ret, expected) < 0)
        return SSI_SIP_NONCE_FAILED;
    if (!ssi_equal_ct(expected, text.p, SSI_SIP_NONCE_TEXT) || ret->made_s > now_s ||
        now_s - ret->made_s > s->nonce_life_s)
        return SSI_SIP_NONCE_OLD;
    return SSI_SIP_NONCE_GOOD;
}

/* ---- What was used. */
static uint64_t number_hash(const struct ssi_sip_auth_server *s, uint64_t number)
{
    return ssi_hash_of(&s->used, &number, sizeof number);
}

static struct used *find_used(const struct ssi_sip_auth_server *s, uint64_t number)
{
    struct ssi_hash_node *n = ssi_hash_find(&s->used, number_hash(s, number));

    for (; n; n = ssi_hash_next(n)) {
        struct used *u = SSI_CONTAINER(n, struct used, node);
        if (u->nonce.number == number)
            return u;
    }
    return NULL;
}

/* Makes room for one: what has expired needs no memory, its nonce is refused by its time. */
static void make_room(struct ssi_sip_auth_server *s, uint64_t now_s)
{
    for (struct used *u; (u = first_used(s));) {
        bool expired = now_s > u->nonce.made_s && now_s - u->nonce.made_s > s->nonce_life_s;
        if (!expired && s->used.n_nodes < s->max_used)
            return;
        if (!expired && u->nonce.number > s->floor)
            s->floor = u->nonce.number;
        forget(s, u);
    }
}

static uint64_t request_hash(const struct ssi_sip_auth_server *s, const struct ssi_sip_msg *m)
{
    uint64_t h = ssi_hash_of(&s->used, m->call_id.p, m->call_id.len);

    h = ssi_hash_mix(&s->used, h, m->from.tag.p, m->from.tag.len);
    h = ssi_hash_mix(&s->used, h, m->method_text.p, m->method_text.len);
    return ssi_hash_mix(&s->used, h, &m->cseq, sizeof m->cseq);
}

static bool take_nc(struct used *u, uint32_t nc, uint64_t request)
{
    if (nc > u->last) {
        uint32_t ahead = nc - u->last;
        u->window = (ahead < WINDOW ? u->window << ahead : 0) | 1;
        u->last = nc;
        u->request = request;
        return true;
    }
    uint32_t behind = u->last - nc;
    if (behind == 0)
        return u->request == request;
    uint64_t bit = behind < WINDOW ? 1ULL << behind : 0;
    if (!bit || (u->window & bit))
        return false;
    u->window |= bit;
    return true;
}

enum ssi_sip_nonce_state ssi_sip_nonce_use(struct ssi_sip_auth_server *s,
                                           const struct ssi_sip_nonce *nonce, uint32_t nc,
                                           const struct ssi_sip_msg *req, uint64_t now_s)
{
    struct used *u = find_used(s, nonce->number);

    if (!u) {
        make_room(s, now_s);
        if (nonce->number <= s->floor)
            return SSI_SIP_NONCE_OLD;
        u = calloc(1, sizeof *u);
        if (!u)
            return SSI_SIP_NONCE_FAILED;
        u->nonce = *nonce;
        ssi_hash_add(&s->used, &u->node, number_hash(s, nonce->number));
        ssi_list_push_back(&s->order, &u->order);
    }
    return take_nc(u, nc, request_hash(s, req)) ? SSI_SIP_NONCE_GOOD : SSI_SIP_NONCE_OLD;
}
