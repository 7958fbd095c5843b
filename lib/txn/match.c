/* Which transaction a message belongs to: RFC 3261 17.1.3, 17.2.3 and 8.2.2.2. Layer: txn. Hash tables with random keys;
 * nothing scans. Branches and hosts are tokens and compare without regard to case (RFC 3261 7.3.1). */
#include "txn/priv.h"

static uint64_t mix_lower(const struct ssi_hash *t, uint64_t seed, struct ssi_slice s)
{
    char lower[64];

    do {
        size_t n = s.len < sizeof lower ? s.len : sizeof lower;
        for (size_t i = 0; i < n; i++)
            lower[i] = ssi_lower(s.p[i]);
        seed = ssi_hash_mix(t, seed, lower, n);
        s = ssi_slice_from(s, n);
    } while (s.len > 0);
    return seed;
}

bool ssi_txn_has_cookie(struct ssi_slice branch)
{
    const struct ssi_slice cookie = SSI_LIT("z9hG4bK");

    /* The bare cookie names nothing (RFC 4475 3.1.2.19): such a request is matched as RFC 2543 did it. */
    return branch.len > cookie.len && ssi_slice_ieq(ssi_slice_of(branch.p, cookie.len), cookie);
}

uint64_t ssi_txn_client_hash(const struct ssi_txn_layer *l, struct ssi_slice branch)
{
    return mix_lower(&l->clients, 0, branch);
}

uint64_t ssi_txn_server_hash(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m)
{
    const struct ssi_hash *t = &l->servers;
    uint64_t h;

    if (ssi_txn_has_cookie(m->via.branch)) {
        h = mix_lower(t, 1, m->via.branch);
        h = mix_lower(t, h, m->via.host);
        return ssi_hash_mix(t, h, &m->via.port, sizeof m->via.port);
    }
    h = ssi_hash_mix(t, 2, m->call_id.p, m->call_id.len);
    h = ssi_hash_mix(t, h, m->from.tag.p, m->from.tag.len);
    /* The same in an INVITE, its CANCEL and the ACK of its refusal; it tells the forks of one proxy apart. */
    h = ssi_hash_mix(t, h, m->via.whole.p, m->via.whole.len);
    return ssi_hash_mix(t, h, &m->cseq, sizeof m->cseq);
}

bool ssi_txn_is_crowded(const struct ssi_txn_layer *l, uint64_t hash)
{
    unsigned n_left = SSI_TXN_TWINS_MAX;

    for (struct ssi_hash_node *n = ssi_hash_find(&l->servers, hash); n; n = ssi_hash_next(n))
        if (--n_left == 0)
            return true;
    return false;
}

uint64_t ssi_txn_merged_hash(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m)
{
    const struct ssi_hash *t = &l->merged;
    const uint32_t cseq[2] = {m->cseq, m->method};
    uint64_t h = ssi_hash_of(t, m->call_id.p, m->call_id.len);

    h = ssi_hash_mix(t, h, m->from.tag.p, m->from.tag.len);
    if (m->method == SSI_SIP_UNKNOWN_METHOD)
        h = ssi_hash_mix(t, h, m->method_text.p, m->method_text.len);
    return ssi_hash_mix(t, h, cseq, sizeof cseq);
}

/* RFC 3261 18.1.2: a response whose topmost Via has not the sent-by that was written into the request is dropped. NATs write
 * their findings beside it, into received and rport. */
static bool has_our_sent_by(const struct ssi_txn *t, const struct ssi_sip_via *via)
{
    return t->u.client.port == via->port && ssi_slice_ieq(t->u.client.host, via->host);
}

struct ssi_txn *ssi_txn_find_client(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m,
                                    const struct ssi_txn_flow *flow)
{
    uint64_t hash = ssi_txn_client_hash(l, m->via.branch);

    for (struct ssi_hash_node *n = ssi_hash_find(&l->clients, hash); n; n = ssi_hash_next(n)) {
        struct ssi_txn *t = SSI_CONTAINER(n, struct ssi_txn, node);
        /* Stricter than RFC 3261 17.1.3: an answer that comes over another flow than the request went out on has not
         * the security that was asked for, whatever it holds. */
        if (t->flow == flow && t->u.client.method == m->method &&
            ssi_slice_ieq(t->u.client.branch, m->via.branch) && has_our_sent_by(t, &m->via))
            return t;
    }
    return NULL;
}

struct ssi_sip_msg *ssi_txn_parse_own(const struct ssi_buf *b)
{
    /* What this side made is not held to the limits for peers. */
    const struct ssi_sip_limits limits = {
        .message_bytes = SSI_TXN_BYTES,
        .header_lines = 4096,
        .value_bytes = SSI_TXN_BYTES,
        .params = 4096,
        .elements = 4096,
        .uri_bytes = SSI_TXN_BYTES,
    };
    struct ssi_slice bytes = ssi_buf_slice(b);
    struct ssi_sip_msg *m;

    return ssi_sip_msg_parse(bytes.p, bytes.len, false, &limits, NULL, &m) < 0 ? NULL : m;
}

static bool is_same_method(const struct ssi_sip_msg *a, const struct ssi_sip_msg *b)
{
    return a->method == b->method &&
           (a->method != SSI_SIP_UNKNOWN_METHOD || ssi_slice_eq(a->method_text, b->method_text));
}

/* RFC 3261 17.2.3: the ACK carries the To tag of the response that the server transaction sent. */
static bool acks_our_tag(const struct ssi_txn *t, const struct ssi_sip_msg *ack)
{
    if (t->out.len == 0)
        return true; /* the response is forgotten once it was acknowledged: this is the ACK again */
    struct ssi_sip_msg *response = ssi_txn_parse_own(&t->out);
    bool same = response && ssi_slice_eq(response->to.tag, ack->to.tag);
    ssi_sip_msg_unref(response);
    return same;
}

/* RFC 3261 17.2.3, second half. */
static bool matches_2543(const struct ssi_txn *t, const struct ssi_sip_msg *m)
{
    const struct ssi_sip_msg *req = t->u.server.request;

    if (!ssi_slice_eq(req->call_id, m->call_id) || !ssi_slice_eq(req->from.tag, m->from.tag) ||
        req->cseq != m->cseq || !ssi_slice_eq(req->via.whole, m->via.whole) ||
        !ssi_sip_uri_equal(&req->uri, &m->uri))
        return false;
    if (m->method == SSI_SIP_ACK)
        return acks_our_tag(t, m);
    return ssi_slice_eq(req->to.tag, m->to.tag);
}

static bool matches_server(const struct ssi_txn *t, const struct ssi_sip_msg *m)
{
    const struct ssi_sip_msg *req = t->u.server.request;

    /* A CANCEL is answered without a transaction of its own and may mean any (RFC 3261 9.2). */
    if (m->method == SSI_SIP_ACK ? t->kind != SSI_TXN_IST
                                 : m->method != SSI_SIP_CANCEL && !is_same_method(req, m))
        return false;
    if (t->u.server.is_2543)
        return matches_2543(t, m);
    return ssi_slice_ieq(req->via.branch, m->via.branch) &&
           ssi_slice_ieq(req->via.host, m->via.host) && req->via.port == m->via.port;
}

struct ssi_txn *ssi_txn_find_server(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m,
                                    uint64_t hash)
{
    for (struct ssi_hash_node *n = ssi_hash_find(&l->servers, hash); n; n = ssi_hash_next(n)) {
        struct ssi_txn *t = SSI_CONTAINER(n, struct ssi_txn, node);
        if (t->u.server.is_2543 != ssi_txn_has_cookie(m->via.branch) && matches_server(t, m))
            return t;
    }
    return NULL;
}

bool ssi_txn_is_merged(const struct ssi_txn_layer *l, const struct ssi_txn *self,
                       const struct ssi_sip_msg *m)
{
    /* RFC 3261 8.2.2.2: only outside dialogs. A CANCEL has the number of its INVITE by right. */
    if (m->to.tag.p || m->method == SSI_SIP_ACK || m->method == SSI_SIP_CANCEL)
        return false;
    uint64_t hash = ssi_txn_merged_hash(l, m);
    for (struct ssi_hash_node *n = ssi_hash_find(&l->merged, hash); n; n = ssi_hash_next(n)) {
        const struct ssi_txn *t = SSI_CONTAINER(n, struct ssi_txn, u.server.merged);
        const struct ssi_sip_msg *req = t->u.server.request;
        if (t != self && ssi_slice_eq(req->call_id, m->call_id) &&
            ssi_slice_eq(req->from.tag, m->from.tag) && req->cseq == m->cseq &&
            is_same_method(req, m))
            return true;
    }
    return false;
}

void ssi_txn_make_tag(const struct ssi_txn_layer *l, const struct ssi_sip_msg *m,
                      char out[SSI_TXN_TAG + 1])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t h = ssi_hash_mix(&l->merged, 3, m->via.whole.p, m->via.whole.len);

    h = ssi_hash_mix(&l->merged, h, m->call_id.p, m->call_id.len);
    h = ssi_hash_mix(&l->merged, h, m->from.tag.p, m->from.tag.len);
    for (int i = 0; i < SSI_TXN_TAG; i++, h >>= 4)
        out[i] = hex[h & 15];
    out[SSI_TXN_TAG] = '\0';
}
