/* Accounts: making, freeing, and whose a request is. Layer: ua. The registration is in register.c. */
#include "ua/account.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/build.h"
#include "ua/media.h"
#include "ua/register.h"

static void free_account(secsip_account *a)
{
    secsip_tls_profile_unref(a->profile);
    ssi_secret_free(a->password);
    free(a->aor);
    free(a->display_name);
    free(a->auth_user);
    free(a->from);
    free(a->tag);
    ssi_registrations_free(a);
    free(a);
}

secsip_account *ssi_account_ref(secsip_account *a)
{
    a->refs++;
    return a;
}

void ssi_account_unref(secsip_account *a)
{
    if (--a->refs > 0)
        return;
    if (a->ua)
        ssi_account_detach(a);
    free_account(a);
}

void ssi_account_user_unref(secsip_account *a)
{
    if (--a->user_refs > 0)
        return;
    memset(&a->callbacks, 0, sizeof a->callbacks);
    ssi_account_unref(a);
}

void ssi_account_detach(secsip_account *a)
{
    struct ssi_ua *ua = a->ua;

    ssi_registrations_detach(a);
    ssi_list_remove(&a->node);
    ssi_hash_remove(&ua->account_users, &a->by_contact.node);
    ssi_hash_remove(&ua->account_users, &a->by_aor.node);
    a->ua = NULL;
}

/* From: "Alice" <sip:alice@example.test> */
static char *make_from(const char *display, const char *aor)
{
    struct ssi_buf b;

    ssi_buf_init(&b, 8192);
    ssi_sip_put_display(&b, display);
    ssi_sip_put_piece_str(&b, "<");
    ssi_sip_put_piece_str(&b, aor);
    ssi_sip_put_piece_str(&b, ">");
    char *text = b.failed < 0 ? NULL : ssi_slice_dup(ssi_buf_slice(&b));
    ssi_buf_free(&b);
    return text;
}

static secsip_result take_names(secsip_account *a, const secsip_account_config *c)
{
    secsip_result r = ssi_sip_check_text(c->display_name);

    if (!c->aor)
        return SECSIP_E_INVALID;
    if (r >= 0)
        r = ssi_sip_check_text(c->auth_user);
    if (r < 0)
        return r;
    a->aor = ssi_slice_dup(ssi_slice_str(c->aor));
    if (!a->aor)
        return SECSIP_E_NOMEM;
    if (ssi_sip_uri_parse(ssi_slice_str(a->aor), &a->uri) < 0 || a->uri.user.len == 0 ||
        (a->uri.scheme != SSI_SIP_SCHEME_SIP && a->uri.scheme != SSI_SIP_SCHEME_SIPS))
        return SECSIP_E_SIP_URI;
    struct ssi_slice auth_user = c->auth_user ? ssi_slice_str(c->auth_user) : a->uri.user;
    a->auth_user = ssi_slice_dup(auth_user);
    a->display_name = ssi_slice_dup(ssi_slice_str(c->display_name ? c->display_name : ""));
    a->password = ssi_secret_dup(c->password);
    a->from = make_from(c->display_name, a->aor);
    if (!a->auth_user || !a->display_name || !a->from || (c->password && !a->password))
        return SECSIP_E_NOMEM;
    return 0;
}

static bool is_same_target(const struct ssi_flow_target *x, const struct ssi_flow_target *y)
{
    return x->transport == y->transport && x->port == y->port &&
           ssi_slice_ieq(ssi_slice_str(x->host), ssi_slice_str(y->host));
}

/* The proxies of a list, each another one: two flows to the same would be one. */
static secsip_result take_proxies(secsip_account *a, struct ssi_slice list)
{
    char text[512];

    for (bool more = true; more;) {
        const char *comma = memchr(list.p, ',', list.len);
        struct ssi_slice one = comma ? ssi_slice_of(list.p, (size_t)(comma - list.p)) : list;
        more = comma != NULL;
        if (a->n_flows == SSI_ACCOUNT_FLOWS || one.len >= sizeof text)
            return SECSIP_E_LIMIT;
        memcpy(text, one.p, one.len);
        text[one.len] = 0;
        struct ssi_flow_target *t = &a->flows[a->n_flows].target;
        secsip_result r = ssi_target_parse(text, a->insecure_transport, t);
        if (r < 0)
            return r;
        for (size_t i = 0; i < a->n_flows; i++)
            if (is_same_target(&a->flows[i].target, t))
                return SECSIP_E_INVALID;
        a->n_flows++;
        list = ssi_slice_from(list, one.len + (more ? 1 : 0));
    }
    return 0;
}

static secsip_result take_targets(secsip_account *a, const secsip_account_config *c)
{
    if (c->proxy)
        return take_proxies(a, ssi_slice_str(c->proxy));
    a->n_flows = 1;
    return ssi_target_of_uri(&a->uri, a->insecure_transport, &a->flows[0].target);
}

static secsip_result take_profile(secsip_account *a, const secsip_account_config *c)
{
    secsip_result r = 0;

    if (c->profile)
        a->profile = secsip_tls_profile_ref(c->profile);
    else
        r = secsip_tls_profile_new(&a->profile);
    return r < 0 ? r : ssi_tls_profile_freeze(a->profile, false);
}

static secsip_result take_transport(secsip_account *a, const secsip_account_config *c)
{
    a->insecure_transport = c->insecure_transport != 0;
    a->has_proxy = c->proxy != NULL;
    secsip_result r = take_targets(a, c);
    if (r < 0)
        return r;
    bool needs_tls = false;
    for (size_t i = 0; i < a->n_flows; i++) {
        bool is_tls = a->flows[i].target.transport == SSI_TRANSPORT_TLS;
        /* RFC 5630 5.1: what is sips goes over TLS, always. */
        if (a->uri.scheme == SSI_SIP_SCHEME_SIPS && !is_tls)
            return SECSIP_E_PERMISSION;
        needs_tls |= is_tls;
    }
    if (needs_tls)
        r = take_profile(a, c);
    for (size_t i = 0; i < a->n_flows; i++) {
        struct ssi_flow_target *t = &a->flows[i].target;
        t->profile = t->transport == SSI_TRANSPORT_TLS ? a->profile : NULL;
        t->identity = a->identity;
    }
    return r;
}

/* What is offered or answered with must work here: those that this build's libsrtp2 lacks are refused where they were chosen, and
 * left out where they were not. */
static secsip_result check_suites(struct ssi_sdes_config *c, bool chosen)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_suites; i++) {
        secsip_result r = ssi_srtp_has(ssi_media_srtp_suite(c->suites[i]));
        if (r < 0 && (chosen || r != SECSIP_E_SRTP_SUITE))
            return r;
        if (r == 0)
            c->suites[n++] = c->suites[i];
    }
    c->n_suites = n;
    return 0;
}

/* A shorter life than five seconds of speech ends before a re-INVITE can replace the key. */
static bool lifetime_valid(uint64_t packets)
{
    return packets == 0 || (packets >= 256 && packets <= UINT64_C(1) << 48);
}

static secsip_result take_media(secsip_account *a, const secsip_account_config *c)
{
    static const enum ssi_sdes_policy policies[] = {
        [SECSIP_MEDIA_SECURITY_MANDATORY] = SSI_SDES_MANDATORY,
        [SECSIP_MEDIA_SECURITY_OPTIONAL] = SSI_SDES_OPTIONAL,
        [SECSIP_MEDIA_SECURITY_INSECURE_CLEAR] = SSI_SDES_OFF,
    };
    static const char default_suites[] =
        "AES_CM_128_HMAC_SHA1_80,AES_CM_128_HMAC_SHA1_32,AEAD_AES_256_GCM,AEAD_AES_128_GCM";

    if (c->media_security > SECSIP_MEDIA_SECURITY_INSECURE_CLEAR ||
        (c->sdes_options & ~(uint32_t)SSI_SDES_CALL_OPTIONS) ||
        c->sdes_style > SSI_SDES_STYLE_SAVP || !lifetime_valid(c->key_lifetime))
        return SECSIP_E_INVALID;
    a->media_security = c->media_security;
    a->sdes.policy = policies[c->media_security];
    a->sdes.max_keys = SSI_SDES_KEYS_MAX; /* lib/srtp holds them all */
    a->sdes.style = (enum ssi_sdes_style)c->sdes_style;
    a->sdes.lifetime = c->key_lifetime;
    ssi_sdes_take_options(c->sdes_options, &a->sdes);
    const char *suites = c->suites ? c->suites : default_suites;
    if (!ssi_suite_list(ssi_slice_str(suites), a->sdes.allow, a->sdes.suites, SSI_SUITE_COUNT,
                        &a->sdes.n_suites))
        return SECSIP_E_SDES_SUITE;
    return a->sdes.policy == SSI_SDES_OFF ? 0 : check_suites(&a->sdes, c->suites != NULL);
}

/* What an application may give goes between "< and >" of a header field. */
static bool is_urn(const char *text)
{
    struct ssi_slice s = ssi_slice_str(text);

    if (s.len < 8 || s.len >= sizeof(((secsip_account *)0)->instance) ||
        !ssi_slice_ieq(ssi_slice_of(s.p, 4), SSI_LIT("urn:")))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr("\"<>\\", s.p[i]))
            return false;
    return true;
}

/* RFC 5626 4.1: a UUID, random (RFC 4122 4.4), where the application keeps none. */
static secsip_result take_instance(secsip_account *a, const secsip_account_config *c)
{
    uint8_t u[16];

    a->offers_outbound = !c->no_outbound;
    if (c->instance) {
        if (!is_urn(c->instance))
            return SECSIP_E_INVALID;
        snprintf(a->instance, sizeof a->instance, "%s", c->instance);
        return 0;
    }
    secsip_result r = ssi_random_nonce(u, sizeof u);
    if (r < 0)
        return r;
    u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
    u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
    snprintf(a->instance, sizeof a->instance,
             "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
             u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
             u[14], u[15]);
    return 0;
}

static secsip_result make_ids(secsip_account *a)
{
    char tag[13];

    secsip_result r = ssi_random_token(a->contact_user, SSI_CONTACT_TOKEN);
    if (r >= 0)
        r = ssi_random_token(tag, sizeof tag - 1);
    if (r < 0)
        return r;
    a->tag = ssi_slice_dup(ssi_slice_str(tag));
    return a->tag ? 0 : SECSIP_E_NOMEM;
}

static void add_user(secsip_account *a, struct ssi_account_user *u, struct ssi_slice name)
{
    struct ssi_hash *t = &a->ua->account_users;

    u->account = a;
    ssi_hash_add(t, &u->node, ssi_hash_of(t, name.p, name.len));
}

secsip_result ssi_account_new(struct ssi_ua *ua, const secsip_account_config *config,
                              const secsip_account_callbacks *callbacks, void *user_data,
                              secsip_account **ret)
{
    secsip_account *a = calloc(1, sizeof *a);

    if (!a)
        return SECSIP_E_NOMEM;
    a->refs = a->user_refs = 1;
    a->identity = ++ua->last_identity;
    a->expires_s = config->expires_s ? config->expires_s : 600;
    a->user_data = user_data;
    if (callbacks)
        a->callbacks = *callbacks;
    secsip_result r = take_names(a, config);
    if (r >= 0)
        r = take_transport(a, config);
    if (r >= 0)
        r = take_media(a, config);
    if (r >= 0)
        r = make_ids(a);
    if (r >= 0)
        r = take_instance(a, config);
    if (r >= 0)
        r = ssi_register_init(a);
    if (r < 0) {
        free_account(a);
        return r;
    }
    a->ua = ua;
    ssi_list_push_back(&ua->accounts, &a->node);
    add_user(a, &a->by_contact, ssi_slice_str(a->contact_user));
    add_user(a, &a->by_aor, a->uri.user);
    a->by_contact.is_contact = true;
    *ret = a;
    return 0;
}

bool ssi_account_any_busy(const struct ssi_ua *ua)
{
    SSI_LIST_EACH(n, &ua->accounts)
    if (ssi_account_is_removing(SSI_CONTAINER(n, struct secsip_account, node)))
        return true;
    return false;
}

secsip_account *ssi_account_for_request(struct ssi_ua *ua, const struct ssi_sip_msg *m,
                                        const struct ssi_flow *flow)
{
    const struct ssi_sip_uri *u = &m->uri;
    secsip_account *found = NULL;

    if (u->scheme != SSI_SIP_SCHEME_SIP && u->scheme != SSI_SIP_SCHEME_SIPS)
        return NULL;
    uint64_t hash = ssi_hash_of(&ua->account_users, u->user.p, u->user.len);
    for (struct ssi_hash_node *n = ssi_hash_find(&ua->account_users, hash); n;
         n = ssi_hash_next(n)) {
        const struct ssi_account_user *user = SSI_CONTAINER(n, struct ssi_account_user, node);
        secsip_account *a = user->account;
        struct ssi_slice name = user->is_contact ? ssi_slice_str(a->contact_user) : a->uri.user;
        /* What came down the flow of one account is for that account (one identity, one flow). */
        if (!ssi_slice_eq(u->user, name) || (!flow->incoming && flow->identity != a->identity))
            continue;
        if (!user->is_contact && flow->incoming && ua->handler.on_request)
            continue;
        if (!found || a->identity < found->identity) /* of several, the first one made */
            found = a;
    }
    return found;
}

void ssi_account_put_contact(struct ssi_buf *b, const secsip_account *a,
                             const struct ssi_flow *flow, bool sips, bool in_dialog)
{
    char host[SSI_ADDR_TEXT];

    ssi_addr_text(ssi_flow_contact_addr(flow), host);
    ssi_sip_put_piece_str(b, sips ? "<sips:" : "<sip:");
    ssi_sip_put_piece_str(b, a->contact_user);
    ssi_sip_put_piece_str(b, "@");
    ssi_sip_put_piece_str(b, host);
    if (!sips) /* where it says all: RFC 5630 3.1 */
        ssi_sip_put_piece_str(b, ssi_flow_transport_param(flow));
    if (in_dialog && ssi_account_is_outbound(a, flow))
        ssi_sip_put_piece_str(b, ";ob");
    ssi_sip_put_piece_str(b, ">");
}
