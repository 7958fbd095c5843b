/* The keys of a line of sessions, see line.h. Layer: srtp. A line belongs to its sessions together; the last one frees it. */
#include "srtp/line.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "base/crypto.h"
#include "srtp/carry.h"

enum {
    KEYS_KEPT = 16,       /* whose marks are kept */
    KEYS_KNOWN = 1 << 14, /* that a line can have had */
    MARKS_LEAST = 128,    /* SSRCs of all keys together that are kept at least */
};

/* ---- Keys */

static const char label[] = "secsip-srtp key";

/* Of no use to who does not have the key: 112 bits of it at least are a random salt. */
static void id_of(const struct ssi_key *key, uint8_t id[SSI_SRTP_KEY_ID])
{
    struct sha256_ctx c;

    sha256_init(&c);
    sha256_update(&c, sizeof label, (const uint8_t *)label);
    sha256_update(&c, key->len, key->bytes);
    sha256_digest(&c, SSI_SRTP_KEY_ID, id);
    ssi_wipe(&c, sizeof c);
}

static struct ssi_srtp_line_key *find(const struct ssi_srtp_line *line, const uint8_t *id)
{
    for (uint32_t i = 0; i < line->n_keys; i++)
        if (memcmp(line->keys[i].id, id, SSI_SRTP_KEY_ID) == 0)
            return &line->keys[i];
    return NULL;
}

static bool is_spent(const struct ssi_srtp_line *line, const uint8_t *id)
{
    for (uint32_t i = 0; i < line->n_spent; i++)
        if (memcmp(line->spent[i], id, SSI_SRTP_KEY_ID) == 0)
            return true;
    return false;
}

/* Twice the room, when n more do not fit into *cap. */
static secsip_result fit(void **all, size_t size, uint32_t used, uint32_t n, uint32_t *cap)
{
    uint32_t wanted = *cap;

    if (used + n <= *cap)
        return 0;
    while (wanted < used + n)
        wanted = wanted ? 2 * wanted : 4;
    void *more = calloc(wanted, size);
    if (!more)
        return SECSIP_E_NOMEM;
    if (used > 0)
        memcpy(more, *all, used * size);
    free(*all);
    *all = more;
    *cap = wanted;
    return 0;
}

/* Room for n keys more, and for every key to be spent one day. */
static secsip_result reserve(struct ssi_srtp_line *line, uint32_t n)
{
    void *keys = line->keys, *spent = line->spent;

    if (line->n_keys + line->n_spent + n > KEYS_KNOWN)
        return SECSIP_E_LIMIT;
    secsip_result r = fit(&keys, sizeof *line->keys, line->n_keys, n, &line->cap_keys);
    line->keys = keys;
    if (r == 0)
        r = fit(&spent, sizeof *line->spent, line->n_spent, line->n_keys + n, &line->cap_spent);
    line->spent = spent;
    return r;
}

static void remove_key(struct ssi_srtp_line *line, struct ssi_srtp_line_key *k)
{
    free(k->marks);
    line->n_keys--;
    memmove(k, k + 1, (size_t)(&line->keys[line->n_keys] - k) * sizeof *k);
}

/* Its marks are lost: it is never taken back. */
static void spend(struct ssi_srtp_line *line, struct ssi_srtp_line_key *k)
{
    memcpy(line->spent[line->n_spent++], k->id, SSI_SRTP_KEY_ID);
    remove_key(line, k);
}

/* The oldest keys that nobody has go, while they are too many, or their marks are. */
static void trim(struct ssi_srtp_line *line)
{
    for (;;) {
        struct ssi_srtp_line_key *oldest = NULL;
        uint32_t n = 0;
        uint64_t n_marks = 0;
        for (uint32_t i = 0; i < line->n_keys; i++) {
            struct ssi_srtp_line_key *k = &line->keys[i];
            if (k->owner)
                continue;
            oldest = oldest ? oldest : k;
            n++;
            n_marks += k->n_marks;
        }
        if (n <= KEYS_KEPT && (n_marks <= line->marks_max || n == 1))
            return;
        spend(line, oldest);
    }
}

/* After reserve. */
static void enter(struct ssi_srtp_line *line, struct ssi_srtp *s, const uint8_t *id)
{
    struct ssi_srtp_line_key *k = &line->keys[line->n_keys++];

    *k = (struct ssi_srtp_line_key){.owner = s};
    memcpy(k->id, id, SSI_SRTP_KEY_ID);
}

/* ---- Marks */

uint64_t ssi_srtp_next_index(const struct ssi_srtp_source *src)
{
    uint64_t next = src->started ? ((uint64_t)src->roc << 16 | src->seq) + 1 : 0;

    return next > src->floor ? next : src->floor;
}

/* Two lists of what was used below a floor, as one below the higher floor. */
static void merge(uint64_t *floor, uint64_t *taken, uint64_t floor2, uint64_t taken2)
{
    uint64_t top = *floor > floor2 ? *floor : floor2;
    uint64_t up = top - *floor, up2 = top - floor2;

    *taken = (up < SSI_SRTP_SEEN ? *taken << up : 0) | (up2 < SSI_SRTP_SEEN ? taken2 << up2 : 0);
    *floor = top;
}

static void merge_rtcp(uint32_t *floor, uint64_t *taken, uint32_t floor2, uint64_t taken2)
{
    uint64_t wide = *floor;

    merge(&wide, taken, floor2, taken2);
    *floor = (uint32_t)wide;
}

struct ssi_srtp_mark ssi_srtp_mark_of(const struct ssi_srtp *s, const struct ssi_srtp_source *src)
{
    struct ssi_srtp_mark m = {
        .floor = src->floor,
        .taken = src->taken,
        .rtcp_taken = src->rtcp_taken,
        .horizon = src->horizon,
        .ssrc = src->ssrc,
        .rtcp_floor = src->rtcp_floor,
        .rtcp_horizon = src->rtcp_horizon,
    };

    if (s->direction == SSI_SRTP_SEND) { /* no packet of a sender is late */
        m.floor = ssi_srtp_next_index(src);
        m.taken = m.rtcp_taken = UINT64_MAX;
        if (src->rtcp_index >= src->rtcp_floor && src->rtcp_index > 0)
            m.rtcp_floor = src->rtcp_index + 1;
        return m;
    }
    if (src->seen)
        merge(&m.floor, &m.taken, ((uint64_t)src->roc << 16 | src->seq) + 1, src->seen);
    if (src->rtcp_seen)
        merge_rtcp(&m.rtcp_floor, &m.rtcp_taken, src->rtcp_index + 1, src->rtcp_seen);
    return m;
}

static uint64_t nearer(uint64_t a, uint64_t b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

static void combine(struct ssi_srtp_mark *a, const struct ssi_srtp_mark *b)
{
    merge(&a->floor, &a->taken, b->floor, b->taken);
    merge_rtcp(&a->rtcp_floor, &a->rtcp_taken, b->rtcp_floor, b->rtcp_taken);
    a->horizon = nearer(a->horizon, b->horizon);
    a->rtcp_horizon = (uint32_t)nearer(a->rtcp_horizon, b->rtcp_horizon);
    a->n_closed += b->n_closed;
}

void ssi_srtp_line_mark(struct ssi_srtp_source *src, const struct ssi_srtp_mark *m)
{
    merge(&src->floor, &src->taken, m->floor, m->taken);
    merge_rtcp(&src->rtcp_floor, &src->rtcp_taken, m->rtcp_floor, m->rtcp_taken);
    src->horizon = nearer(src->horizon, m->horizon);
    src->rtcp_horizon = (uint32_t)nearer(src->rtcp_horizon, m->rtcp_horizon);
}

/* ---- Heritage */

static int by_ssrc(const void *a, const void *b)
{
    uint32_t x = ((const struct ssi_srtp_mark *)a)->ssrc;
    uint32_t y = ((const struct ssi_srtp_mark *)b)->ssrc;

    return (x > y) - (x < y);
}

static uint32_t marks_of(const struct ssi_srtp_line_key *k, struct ssi_srtp_mark *out)
{
    uint32_t n = k->owner ? k->owner->n_sources : k->n_marks;
    bool closed = k->owner ? k->owner->closed : k->closed;

    for (uint32_t i = 0; out && i < n; i++) {
        out[i] = k->owner ? ssi_srtp_mark_of(k->owner, &k->owner->sources[i]) : k->marks[i];
        out[i].n_closed = closed;
    }
    return n;
}

static const struct ssi_srtp_live_key *live_key(const struct ssi_srtp *s, const uint8_t *id)
{
    uint8_t own[SSI_SRTP_KEY_ID];

    for (uint32_t i = 0; i < s->n_keys; i++) {
        id_of(&s->keys[i].key, own);
        if (memcmp(own, id, sizeof own) == 0)
            return &s->keys[i];
    }
    return NULL;
}

/* A key goes on with what is left of its life. */
static void cut_life(struct ssi_srtp_live_key *k, const struct ssi_srtp_line_key *past)
{
    const struct ssi_srtp_live_key *live = past->owner ? live_key(past->owner, past->id) : NULL;
    uint64_t rtp_left = live ? live->rtp_left : past->rtp_left;
    uint64_t rtcp_left = live ? live->rtcp_left : past->rtcp_left;

    k->rtp_left = k->rtp_left < rtp_left ? k->rtp_left : rtp_left;
    k->rtcp_left = k->rtcp_left < rtcp_left ? k->rtcp_left : rtcp_left;
    if (k->rtp_left == 0 || k->rtcp_left == 0)
        k->rtp_left = k->rtcp_left = 0;
}

/* One mark for each SSRC, in order. An SSRC that a closed key does not know must not use that key. */
static void put_together(struct ssi_srtp_heritage *h, uint32_t n_closed)
{
    uint32_t n = 0;

    if (h->n > 1)
        qsort(h->marks, h->n, sizeof *h->marks, by_ssrc);
    for (uint32_t i = 0; i < h->n; i++) {
        if (n > 0 && h->marks[n - 1].ssrc == h->marks[i].ssrc)
            combine(&h->marks[n - 1], &h->marks[i]);
        else
            h->marks[n++] = h->marks[i];
    }
    h->n = n;
    for (uint32_t i = 0; i < n; i++)
        if (h->marks[i].n_closed < n_closed)
            h->marks[i].horizon = h->marks[i].rtcp_horizon = 1;
    h->closed = n_closed > 0;
}

/* The keys of s that the line has had, and how many marks they have. SECSIP_E_SRTP_REUSE. */
static secsip_result look_up(const struct ssi_srtp_line *line, const struct ssi_srtp *s,
                             struct ssi_srtp_line_key *past[SSI_SRTP_KEYS_MAX], size_t *ret_marks)
{
    uint8_t id[SSI_SRTP_KEY_ID];

    *ret_marks = 0;
    for (uint32_t i = 0; i < s->n_keys; i++) {
        id_of(&s->keys[i].key, id);
        if (is_spent(line, id))
            return SECSIP_E_SRTP_REUSE;
        past[i] = find(line, id);
        *ret_marks += past[i] ? marks_of(past[i], NULL) : 0;
    }
    return 0;
}

secsip_result ssi_srtp_line_inherit(struct ssi_srtp_line *line, struct ssi_srtp *s,
                                    struct ssi_srtp_heritage *ret)
{
    struct ssi_srtp_line_key *past[SSI_SRTP_KEYS_MAX] = {0};
    struct ssi_srtp_heritage h = {0};
    uint32_t n_closed = 0;
    size_t n_marks = 0;
    secsip_result r = reserve(line, s->n_keys);

    if (r == 0)
        r = look_up(line, s, past, &n_marks);
    if (r < 0)
        return r;
    h.marks = calloc(n_marks + 1, sizeof *h.marks);
    if (!h.marks)
        return SECSIP_E_NOMEM;
    for (uint32_t i = 0; i < s->n_keys; i++) {
        if (!past[i])
            continue;
        h.alive = h.alive || past[i]->owner;
        h.n += marks_of(past[i], h.marks + h.n);
        n_closed += past[i]->owner ? past[i]->owner->closed : past[i]->closed;
        cut_life(&s->keys[i], past[i]);
    }
    put_together(&h, n_closed);
    *ret = h;
    return 0;
}

const struct ssi_srtp_mark *ssi_srtp_heritage_of(const struct ssi_srtp_heritage *h, uint32_t ssrc)
{
    struct ssi_srtp_mark key = {.ssrc = ssrc};

    return h->n ? bsearch(&key, h->marks, h->n, sizeof key, by_ssrc) : NULL;
}

/* ---- A session's share */

static secsip_result enter_all(struct ssi_srtp_line *line, struct ssi_srtp *s)
{
    uint8_t id[SSI_SRTP_KEY_ID];
    secsip_result r = reserve(line, s->n_keys);

    for (uint32_t i = 0; i < s->n_keys && r == 0; i++) {
        id_of(&s->keys[i].key, id);
        enter(line, s, id);
    }
    return r;
}

secsip_result ssi_srtp_line_found(struct ssi_srtp *s)
{
    if (s->line)
        return 0;
    struct ssi_srtp_line *line = calloc(1, sizeof *line);
    if (!line)
        return SECSIP_E_NOMEM;
    line->refs = 1;
    line->marks_max = MARKS_LEAST;
    secsip_result r = enter_all(line, s);
    if (r < 0) {
        ssi_srtp_line_drop(line);
        return r;
    }
    s->line = line;
    return 0;
}

secsip_result ssi_srtp_hold_line(struct ssi_srtp *s, struct ssi_srtp_line **ret)
{
    secsip_result r = ssi_srtp_line_found(s);

    if (r < 0)
        return r;
    s->line->refs++;
    *ret = s->line;
    return 0;
}

void ssi_srtp_line_take(struct ssi_srtp_line *line, struct ssi_srtp *s)
{
    uint8_t id[SSI_SRTP_KEY_ID];

    if (!s->line)
        line->refs++;
    s->line = line;
    for (uint32_t i = 0; i < s->n_keys; i++) {
        id_of(&s->keys[i].key, id);
        struct ssi_srtp_line_key *past = find(line, id);
        for (uint32_t j = 0; past && past->owner && j < past->owner->n_keys; j++) {
            struct ssi_srtp_live_key *k = &past->owner->keys[j];
            if (past->owner != s && ssi_key_eq(&k->key, &s->keys[i].key))
                k->rtp_left = k->rtcp_left = 0;
        }
        if (past)
            remove_key(line, past);
        enter(line, s, id);
    }
    if (line->marks_max < 2 * s->max_sources)
        line->marks_max = 2 * s->max_sources;
    trim(line);
}

/* What s leaves behind under one of its keys; false: out of memory. */
static bool leave(struct ssi_srtp_line_key *k, const struct ssi_srtp *s)
{
    const struct ssi_srtp_live_key *live = live_key(s, k->id);
    struct ssi_srtp_mark *marks = calloc(s->n_sources + 1, sizeof *marks);

    if (!marks)
        return false;
    k->n_marks = marks_of(k, marks);
    k->marks = marks;
    k->closed = s->closed;
    k->rtp_left = live ? live->rtp_left : 0;
    k->rtcp_left = live ? live->rtcp_left : 0;
    k->owner = NULL;
    return true;
}

void ssi_srtp_line_retire(struct ssi_srtp *s)
{
    for (uint32_t i = s->line ? s->line->n_keys : 0; i-- > 0;) {
        struct ssi_srtp_line_key *k = &s->line->keys[i];
        if (k->owner == s && !leave(k, s))
            spend(s->line, k);
    }
}

void ssi_srtp_line_drop(struct ssi_srtp_line *line)
{
    if (!line)
        return;
    if (--line->refs > 0) {
        trim(line);
        return;
    }
    for (uint32_t i = 0; i < line->n_keys; i++)
        free(line->keys[i].marks);
    free(line->keys);
    free(line->spent);
    free(line);
}

/* Under a key of before, who goes on may use what it promises of its SSRCs, and of others nothing: the heir may. */
void ssi_srtp_line_promise(struct ssi_srtp *s, uint32_t promised)
{
    for (uint32_t i = 0; s->line && i < s->line->n_keys; i++) {
        struct ssi_srtp_line_key *k = &s->line->keys[i];
        if (k->owner == s)
            continue;
        k->closed = true;
        for (uint32_t j = 0; j < k->n_marks; j++) {
            const struct ssi_srtp_source *src = ssi_srtp_find_source(s, k->marks[j].ssrc);
            k->marks[j].horizon = src ? src->horizon : 1;
            k->marks[j].rtcp_horizon = src ? src->rtcp_horizon : 1;
        }
        if (promised == 0)
            k->rtp_left = k->rtcp_left = 0;
    }
}

/* ---- As bytes: n_keys(4), each: id(16) closed(1) rtp_left(8) rtcp_left(8) n_marks(4), each: ssrc(4) floor(8) taken(8) rtcp_floor(4)
 * rtcp_taken(8); n_spent(4), each: id(16). Horizons are the exporter's. */

static uint64_t less(uint64_t left, uint64_t spent)
{
    return left > spent ? left - spent : 0;
}

static void put_mark(struct ssi_buf *b, const struct ssi_srtp_mark *m)
{
    ssi_srtp_put(b, m->ssrc, 4);
    ssi_srtp_put(b, m->floor, 8);
    ssi_srtp_put(b, m->taken, 8);
    ssi_srtp_put(b, m->rtcp_floor, 4);
    ssi_srtp_put(b, m->rtcp_taken, 8);
}

static void put_key(struct ssi_buf *b, const struct ssi_srtp_line_key *k, bool closed,
                    uint64_t spent)
{
    const struct ssi_srtp_live_key *live = k->owner ? live_key(k->owner, k->id) : NULL;
    uint32_t n = marks_of(k, NULL);

    ssi_buf_put(b, k->id, SSI_SRTP_KEY_ID);
    ssi_srtp_put(b, closed || k->closed, 1);
    ssi_srtp_put(b, less(live ? live->rtp_left : k->rtp_left, spent), 8);
    ssi_srtp_put(b, less(live ? live->rtcp_left : k->rtcp_left, spent), 8);
    ssi_srtp_put(b, n, 4);
    for (uint32_t i = 0; i < n; i++) {
        struct ssi_srtp_mark m =
            k->owner ? ssi_srtp_mark_of(k->owner, &k->owner->sources[i]) : k->marks[i];
        put_mark(b, &m);
    }
}

void ssi_srtp_line_write(const struct ssi_srtp *s, bool closed, uint64_t spent, struct ssi_buf *b)
{
    const struct ssi_srtp_line none = {0}, *line = s->line ? s->line : &none;
    uint32_t n = 0;

    for (uint32_t i = 0; i < line->n_keys; i++)
        n += line->keys[i].owner != s;
    ssi_srtp_put(b, n, 4);
    for (uint32_t i = 0; i < line->n_keys; i++)
        if (line->keys[i].owner != s)
            put_key(b, &line->keys[i], closed, spent);
    ssi_srtp_put(b, line->n_spent, 4);
    for (uint32_t i = 0; i < line->n_spent; i++)
        ssi_buf_put(b, line->spent[i], SSI_SRTP_KEY_ID);
}

static bool get_mark(struct ssi_cursor *c, struct ssi_srtp_mark *m)
{
    return ssi_cursor_take_be32(c, &m->ssrc) && ssi_srtp_get(c, 8, &m->floor) &&
           ssi_srtp_get(c, 8, &m->taken) && ssi_cursor_take_be32(c, &m->rtcp_floor) &&
           ssi_srtp_get(c, 8, &m->rtcp_taken) && m->floor <= (uint64_t)1 << 48;
}

static secsip_result get_key(struct ssi_srtp_line *line, struct ssi_cursor *c)
{
    struct ssi_srtp_line_key k = {0};
    struct ssi_slice id;
    uint8_t closed;

    if (!ssi_cursor_take_bytes(c, SSI_SRTP_KEY_ID, &id) || !ssi_cursor_take_u8(c, &closed) ||
        !ssi_srtp_get(c, 8, &k.rtp_left) || !ssi_srtp_get(c, 8, &k.rtcp_left) ||
        !ssi_cursor_take_be32(c, &k.n_marks) || k.n_marks > ssi_cursor_left(c) ||
        find(line, (const uint8_t *)id.p))
        return SECSIP_E_SRTP_STATE;
    secsip_result r = reserve(line, 1);
    if (r < 0)
        return r;
    memcpy(k.id, id.p, SSI_SRTP_KEY_ID);
    k.closed = closed;
    k.marks = calloc(k.n_marks + 1, sizeof *k.marks);
    if (!k.marks)
        return SECSIP_E_NOMEM;
    for (uint32_t i = 0; i < k.n_marks && r == 0; i++)
        r = get_mark(c, &k.marks[i]) ? 0 : SECSIP_E_SRTP_STATE;
    if (r < 0)
        free(k.marks);
    else
        line->keys[line->n_keys++] = k;
    return r;
}

static secsip_result get_spent(struct ssi_srtp_line *line, struct ssi_cursor *c)
{
    struct ssi_slice ids;
    void *spent = line->spent;
    uint32_t n;

    if (!ssi_cursor_take_be32(c, &n) || n > KEYS_KNOWN ||
        !ssi_cursor_take_bytes(c, (size_t)n * SSI_SRTP_KEY_ID, &ids))
        return SECSIP_E_SRTP_STATE;
    secsip_result r = fit(&spent, sizeof *line->spent, 0, n + line->n_keys, &line->cap_spent);
    line->spent = spent;
    if (r == 0 && n > 0)
        memcpy(line->spent, ids.p, ids.len);
    line->n_spent = r == 0 ? n : 0;
    return r;
}

secsip_result ssi_srtp_line_read(struct ssi_srtp *s, struct ssi_cursor *c)
{
    uint8_t id[SSI_SRTP_KEY_ID];
    uint32_t n;

    if (!ssi_cursor_take_be32(c, &n))
        return SECSIP_E_SRTP_STATE;
    if (n == 0 && ssi_cursor_left(c) == 4) { /* none before its own */
        uint32_t n_spent;
        return ssi_cursor_take_be32(c, &n_spent) && n_spent == 0 ? 0 : SECSIP_E_SRTP_STATE;
    }
    secsip_result r = ssi_srtp_line_found(s);
    for (uint32_t i = 0; i < n && r == 0; i++)
        r = get_key(s->line, c);
    if (r == 0)
        r = get_spent(s->line, c);
    for (uint32_t i = 0; i < s->n_keys && r == 0; i++) {
        id_of(&s->keys[i].key, id);
        r = is_spent(s->line, id) ? SECSIP_E_SRTP_STATE : 0;
        remove_key(s->line, find(s->line, id)); /* used last, so they stand last */
        enter(s->line, s, id);
    }
    return r;
}
