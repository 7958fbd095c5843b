/* Server location led by a name server that lies (RFC 3263): whatever NAPTR, SRV and address records say, a look-up asks a
 * bounded number of questions, ends exactly once, and gives a bounded list of addresses or a reason. The first byte holds the
 * kind of target; then each answer is: which open question (1), how (1: no such name, broken, or records), and for records
 * their number (1), their length (2) and their bytes behind a head that fits the question. */
#include "fuzz.h"

#include <string.h>

#include "base/cursor.h"
#include "net/dns.h"
#include "ua/locate.h"

enum {
    MAX_QUESTIONS = 64,
    MAX_MESSAGE = 2048,
};

struct question {
    struct ssi_query *q; /* NULL: answered */
    enum ssi_rr_type type;
    char name[256];
};

static struct {
    struct question asked[MAX_QUESTIONS];
    size_t n_asked, n_open;
    unsigned n_done;
    secsip_result result;
} world;

static secsip_result take_question(void *arg, struct ssi_query *q, enum ssi_rr_type type,
                                   const char *name)
{
    (void)arg;
    /* One NAPTR, its services, and two for each host: beyond that a server could keep us asking. */
    FUZZ_CHECK(world.n_asked < 1 + 4 + 2 * SSI_LOCATE_MAX_HOSTS);
    FUZZ_CHECK(name[0] && strlen(name) < sizeof world.asked[0].name);
    struct question *a = &world.asked[world.n_asked++];
    *a = (struct question){.q = q, .type = type};
    memcpy(a->name, name, strlen(name) + 1);
    world.n_open++;
    return 0;
}

static void forget_question(void *arg, struct ssi_query *q)
{
    (void)arg;
    for (size_t i = 0; i < world.n_asked; i++)
        if (world.asked[i].q == q) {
            world.asked[i].q = NULL;
            world.n_open--;
            return;
        }
    FUZZ_CHECK(!"a question is given back once");
}

static const struct ssi_io io = {.resolve = take_question, .resolve_cancel = forget_question};

static void check_result(const struct ssi_locate_result *r)
{
    FUZZ_CHECK(r->n_targets <= SSI_LOCATE_MAX_TARGETS);
    FUZZ_CHECK((r->result == 0) == (r->n_targets > 0));
    FUZZ_CHECK(r->result <= 0 && (r->result == 0 || r->text[0]));
    FUZZ_CHECK(r->ttl_s <= INT32_MAX || r->n_targets == 0);
    for (size_t i = 0; i < r->n_targets; i++) {
        FUZZ_CHECK(r->targets[i].addr.family == 4 || r->targets[i].addr.family == 6);
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(!ssi_addr_eq(&r->targets[i].addr, &r->targets[k].addr));
    }
}

static void on_done(void *arg, const struct ssi_locate_result *r)
{
    (void)arg;
    world.n_done++;
    world.result = r->result;
    check_result(r);
}

static size_t put_head(uint8_t *out, const struct question *a, uint8_t n_answers)
{
    size_t at = 12, label = 0;

    memset(out, 0, at);
    out[2] = 0x81;
    out[5] = 1;
    out[7] = n_answers;
    for (const char *p = a->name;; p++) {
        if (*p && *p != '.')
            continue;
        size_t len = (size_t)(p - a->name) - label;
        out[at++] = (uint8_t)(len & 63);
        memcpy(out + at, a->name + label, len);
        at += len;
        label += len + 1;
        if (!*p)
            break;
    }
    out[at++] = 0;
    out[at++] = 0;
    out[at++] = (uint8_t)a->type;
    out[at++] = 0;
    out[at++] = 1;
    return at;
}

/* The question is answered with what the bytes say; what is behind them stays. */
static void answer(struct question *a, struct ssi_cursor *c)
{
    static struct ssi_rr rrs[SSI_DNS_MAX_RRS];
    static uint8_t message[MAX_MESSAGE + 600];
    struct ssi_slice bytes = {0};
    uint8_t how = 0, n_answers = 0;
    uint16_t len = 0;
    int32_t n = SECSIP_E_NET_RESOLVE;

    ssi_cursor_take_u8(c, &how);
    if (how % 8 == 1)
        n = SECSIP_E_NET_DNS;
    if (how % 8 > 1 && ssi_cursor_take_u8(c, &n_answers) && ssi_cursor_take_be16(c, &len) &&
        ssi_cursor_take_bytes(c, len % MAX_MESSAGE, &bytes)) {
        size_t head = put_head(message, a, n_answers);
        memcpy(message + head, bytes.p, bytes.len);
        n = ssi_dns_parse(message, head + bytes.len, a->type, a->name, rrs, SSI_DNS_MAX_RRS);
    }
    struct ssi_query *q = a->q;
    a->q = NULL;
    world.n_open--;
    if (n < 0)
        ssi_locate_answer(q, n, NULL, 0);
    else
        ssi_locate_answer(q, n == 0 ? SECSIP_E_NET_RESOLVE : 0, rrs, (size_t)n);
}

static struct question *open_question(size_t which)
{
    for (size_t i = 0; i < world.n_asked; i++)
        if (world.asked[i].q && which-- == 0)
            return &world.asked[i];
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ssi_cursor c = ssi_cursor_of(ssi_slice_of(data, size));
    struct ssi_locate *l = NULL;
    uint8_t kind = 0, which = 0;

    memset(&world, 0, sizeof world);
    if (!ssi_cursor_take_u8(&c, &kind))
        return 0;
    struct ssi_locate_config config = {
        .io = &io,
        .host = "example.test",
        .port = kind & 1 ? 5061 : 0,
        .tls = !(kind & 2),
        .transport_given = (kind & 4) != 0,
        .seed = 1,
        .done = on_done,
    };
    FUZZ_CHECK(ssi_locate_start(&config, &l) == 0);
    while (world.n_done == 0) {
        FUZZ_CHECK(world.n_open > 0);
        if (!ssi_cursor_take_u8(&c, &which) && kind & 8)
            break; /* given up in the middle */
        answer(open_question(which % world.n_open), &c);
    }
    FUZZ_CHECK(world.n_done <= 1);
    ssi_locate_free(l);
    FUZZ_CHECK(world.n_open == 0);
    return 0;
}
