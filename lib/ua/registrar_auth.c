/* Who asks the registrar, by digest (RFC 3261 22), see registrar.h. Layer: ua. */
#include "ua/registrar.h"

#include <stdlib.h>

#include "base/secret.h"
#include "sip/build.h"

enum {
    PASSWORD_MAX = 256
};

struct asked {
    secsip_registrar *registrar;
    bool no_memory; /* the user is known, but his password could not be copied */
};

static char *password_of(void *arg, struct ssi_slice user)
{
    struct asked *asked = arg;
    secsip_registrar *r = asked->registrar;
    char name[PASSWORD_MAX];
    char password[PASSWORD_MAX] = "";
    char *copy = NULL;

    if (user.len == 0 || user.len >= sizeof name || memchr(user.p, 0, user.len))
        return NULL;
    memcpy(name, user.p, user.len);
    name[user.len] = 0;
    if (r->config.password(name, password, sizeof password, r->config.user_data) >= 0) {
        password[sizeof password - 1] = 0;
        copy = ssi_secret_dup(password);
        asked->no_memory = !copy;
    }
    ssi_wipe(password, sizeof password);
    return copy;
}

bool ssi_registrar_knows(secsip_registrar *r, struct ssi_slice user)
{
    struct asked asked = {.registrar = r};
    char *password = password_of(&asked, user);
    bool known = password || asked.no_memory;

    ssi_secret_free(password);
    return known;
}

static void challenge(secsip_registrar *r, struct ssi_txn *t, bool is_proxy, bool stale)
{
    int status = is_proxy ? 407 : 401;
    struct ssi_buf b;

    ssi_ua_begin_response(r->ua, t, status, &b);
    ssi_sip_put_challenges(&b, &r->auth, r->domain, is_proxy, stale, r->ua->wall_s);
    ssi_ua_end_response(r->ua, t, status, &b);
}

int ssi_registrar_identify(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                           struct ssi_flow *flow, bool is_proxy, struct ssi_slice *ret_user)
{
    struct asked asked = {.registrar = r};
    enum ssi_sip_auth_verdict verdict = ssi_sip_auth_check(
        &r->auth, m, r->domain, is_proxy, r->ua->wall_s, password_of, &asked, ret_user);

    if (verdict == SSI_SIP_AUTH_WRONG && asked.no_memory)
        verdict = SSI_SIP_AUTH_FAILED;
    switch (verdict) {
    case SSI_SIP_AUTH_OK:
        return 0;
    case SSI_SIP_AUTH_STALE:
        challenge(r, t, is_proxy, true);
        return 401;
    case SSI_SIP_AUTH_NONE:
        challenge(r, t, is_proxy, false);
        return 401;
    case SSI_SIP_AUTH_BAD:
        ssi_registrar_refuse(r, t, flow, 400);
        return 400;
    case SSI_SIP_AUTH_FAILED: /* nobody is called wrong whom we could not judge */
        ssi_registrar_refuse(r, t, flow, 500);
        return 500;
    default:
        ssi_registrar_refuse(r, t, flow, 403);
        return 403;
    }
}

int ssi_registrar_authenticate(secsip_registrar *r, struct ssi_txn *t, struct ssi_sip_msg *m,
                               struct ssi_flow *flow, const struct ssi_sip_uri *identity,
                               bool is_proxy)
{
    struct ssi_slice user;
    int status = ssi_registrar_identify(r, t, m, flow, is_proxy, &user);

    /* RFC 3261 10.3 step 4: the one who proved himself may act only for himself. */
    if (status == 0 && !ssi_slice_eq(user, identity->user)) {
        ssi_registrar_refuse(r, t, flow, 403);
        return 403;
    }
    return status;
}
