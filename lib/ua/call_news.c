/* What a call tells the application. Layer: ua. Each piece of news is copied when it happens and delivered when the core
 * is at rest. */
#include "ua/call.h"

#include <stdlib.h>

enum news_kind {
    NEWS_STATE,
    NEWS_MEDIA,
    NEWS_INCOMING,
    NEWS_MODIFIED,
    NEWS_KEY_LIFE,
};

struct ssi_call_news {
    struct ssi_event event;
    secsip_call *call;
    enum news_kind kind;
    int32_t state;
    int32_t status;
    int32_t whose; /* SECSIP_KEY_* */
    char reason[128];
    struct ssi_error error;
    const char *transport;
    struct ssi_tls_note tls;
    bool encrypted;
    int32_t level;
    char suite[48];
    char profile[16];
    uint32_t quirks;
    uint32_t forms;
    const char *codec;
    const char *direction;
    char local[SSI_ADDR_TEXT];
    char remote[SSI_ADDR_TEXT];
};

struct ssi_call_news *ssi_call_news_new(void)
{
    return calloc(1, sizeof(struct ssi_call_news));
}

void ssi_call_news_free(struct ssi_call_news *n)
{
    free(n);
}

static void give_state(const struct ssi_call_news *n)
{
    secsip_call *c = n->call;
    secsip_error error;
    secsip_call_event view = {
        .size = sizeof view,
        .state = n->state,
        .status = n->status,
        .reason = n->reason,
    };

    if (n->error.result < 0) {
        ssi_error_view(&n->error, &error);
        view.error = &error;
    }
    if (c->callbacks.on_state)
        c->callbacks.on_state(c, &view, c->user_data);
}

static void give_media(struct ssi_call_news *n)
{
    static const char *const level_names[] = {"clear", "srtp-unverified", "srtp-hop", "srtp-sips"};
    secsip_call *c = n->call;
    const char *keying = n->encrypted ? "sdes" : "none";
    secsip_media_info media = {
        .size = sizeof media,
        .keying = keying,
        .suite = n->suite,
        .profile = n->profile,
        .codec = n->codec,
        .direction = n->direction,
        .local = n->local,
        .remote = n->remote,
        .rate_hz = 8000,
        .frame_samples = 160,
        .quirks = n->quirks,
        .forms = n->forms,
    };
    secsip_security_info security = {
        .size = sizeof security,
        .level = n->level,
        .required = (int32_t)c->account->media_security,
        .level_name = level_names[n->level],
        .tls = ssi_tls_note_view(&n->tls),
        .keying = keying,
        .suite = n->suite,
        .transport = n->transport,
        .end_to_end = 0, /* every proxy on the way reads an SDES key */
    };

    if (c->callbacks.on_media)
        c->callbacks.on_media(c, &media, c->user_data);
    if (c->callbacks.on_security)
        c->callbacks.on_security(c, &security, c->user_data);
}

static void give_modified(const struct ssi_call_news *n)
{
    secsip_call *c = n->call;

    if (c->callbacks.on_modified)
        c->callbacks.on_modified(c, n->error.result, n->status, c->user_data);
}

static void give_key_life(const struct ssi_call_news *n)
{
    secsip_call *c = n->call;

    if (c->callbacks.on_key_life)
        c->callbacks.on_key_life(c, n->whose, n->error.result, n->status, c->user_data);
}

/* The application decides now, or takes a reference and decides later. */
static void give_incoming(const struct ssi_call_news *n)
{
    secsip_call *c = n->call;
    secsip_account *a = c->account;

    if (c->phase != SSI_CALL_OFFERED)
        return; /* cancelled before it was told */
    if (a->callbacks.on_incoming_call)
        a->callbacks.on_incoming_call(a, c, a->user_data);
    if (c->phase == SSI_CALL_OFFERED && c->user_refs == 0 && c->state != SECSIP_CALL_RINGING)
        ssi_call_reject(c, 480);
}

static void deliver(struct ssi_event *e, bool discard)
{
    struct ssi_call_news *n = SSI_CONTAINER(e, struct ssi_call_news, event);
    secsip_call *c = n->call;

    if (!discard) {
        if (n->kind == NEWS_STATE)
            give_state(n);
        else if (n->kind == NEWS_MEDIA)
            give_media(n);
        else if (n->kind == NEWS_MODIFIED)
            give_modified(n);
        else if (n->kind == NEWS_KEY_LIFE)
            give_key_life(n);
        else if (c->ua)
            give_incoming(n);
    }
    if (c->spare_news)
        free(n);
    else
        c->spare_news = n;
    ssi_call_unref(c);
}

static void post(secsip_call *c, struct ssi_call_news *n, enum news_kind kind)
{
    n->event.deliver = deliver;
    n->call = c;
    n->kind = kind;
    ssi_call_ref(c);
    ssi_ua_post(c->ua, &n->event);
}

static struct ssi_call_news *make(secsip_call *c)
{
    struct ssi_call_news *n = ssi_call_news_new();

    /* An application that waits for news must get it, even where memory is out. */
    if (!n && c->spare_news) {
        n = c->spare_news;
        c->spare_news = NULL;
        memset(n, 0, sizeof *n);
    }
    if (!n)
        ssi_log_line(&c->ua->config.log, SSI_LOG_ERROR, "no memory to tell of call %s", c->id);
    return n;
}

static void fill_state(struct ssi_call_news *n, secsip_call *c, int32_t state, int32_t status,
                       const char *reason)
{
    c->state = state;
    n->state = state;
    n->status = status;
    ssi_slice_show(ssi_slice_str(reason), n->reason, sizeof n->reason);
}

void ssi_call_tell_state(secsip_call *c, int32_t state, int32_t status, const char *reason)
{
    struct ssi_call_news *n = make(c);

    c->state = state;
    if (!n)
        return;
    fill_state(n, c, state, status, reason);
    post(c, n, NEWS_STATE);
}

void ssi_call_tell_end(secsip_call *c, int32_t status, const char *reason)
{
    struct ssi_call_news *n = c->farewell;

    c->farewell = NULL;
    fill_state(n, c, SECSIP_CALL_ENDED, status, reason);
    n->error = c->error;
    post(c, n, NEWS_STATE);
}

void ssi_call_tell_modified(secsip_call *c, secsip_result result, int32_t status)
{
    struct ssi_call_news *n = make(c);

    if (!n)
        return;
    n->error.result = result;
    n->status = status;
    post(c, n, NEWS_MODIFIED);
}

void ssi_call_tell_key_life(secsip_call *c, int32_t whose, secsip_result result, int32_t status)
{
    struct ssi_call_news *n = make(c);

    if (!n)
        return;
    n->whose = whose;
    n->error.result = result;
    n->status = status;
    post(c, n, NEWS_KEY_LIFE);
}

void ssi_call_tell_incoming(secsip_call *c)
{
    struct ssi_call_news *n = c->incoming_news;

    c->incoming_news = NULL;
    post(c, n, NEWS_INCOMING);
}

static int32_t level_of(const secsip_call *c)
{
    const struct ssi_sdes_agreed *k = &c->media->keys;
    const struct ssi_suite_info *info = ssi_suite_info(k->suite);

    if (!info || info->null_cipher || (k->forms & SSI_SDES_UNENCRYPTED_SRTP))
        return SECSIP_SECURITY_CLEAR;
    if (k->forms & SSI_SDES_UNAUTHENTICATED_SRTP)
        return SECSIP_SECURITY_UNVERIFIED;
    if (!ssi_flow_is_secure(c->flow))
        return SECSIP_SECURITY_UNVERIFIED;
    return c->dialog.sips ? SECSIP_SECURITY_HOP_SIPS : SECSIP_SECURITY_HOP;
}

void ssi_call_tell_media(secsip_call *c)
{
    const struct ssi_media *m = c->media;
    struct ssi_call_news *n = make(c);

    if (!n)
        return;
    n->encrypted = m->keys.suite != SSI_SUITE_NONE;
    n->level = level_of(c);
    if (n->encrypted)
        ssi_slice_show(ssi_slice_str(ssi_suite_info(m->keys.suite)->name), n->suite,
                       sizeof n->suite);
    memcpy(n->profile, m->terms.profile, sizeof n->profile);
    n->codec = m->terms.codec == SSI_RTP_PCMA ? "PCMA" : "PCMU";
    n->direction = m->terms.direction;
    n->quirks = m->keys.quirks;
    n->forms = m->keys.forms;
    ssi_addr_text(ssi_media_local(m), n->local);
    ssi_addr_text(&m->terms.remote_rtp, n->remote);
    n->transport = ssi_flow_transport_name(c->flow);
    ssi_tls_note_take(&n->tls, c->flow);
    post(c, n, NEWS_MEDIA);
}
