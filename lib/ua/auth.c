/* Answering digest challenges with an account's credentials (RFC 3261 22). Layer: ua. */
#include "sip/build.h"
#include "ua/account.h"

void ssi_auth_free(struct ssi_auth *auth)
{
    for (int i = 0; i < SSI_CHALLENGES_MAX; i++)
        ssi_sip_challenge_free(&auth->challenges[i]);
    memset(auth, 0, sizeof *auth);
}

secsip_result ssi_auth_take(struct ssi_auth *auth, const secsip_account *a,
                            const struct ssi_sip_msg *response)
{
    int slot = response->status == 407 ? 1 : 0;
    bool tried = auth->has[slot];

    if (!a->password)
        return SECSIP_E_UA_AUTH_REQUIRED;
    secsip_result r = ssi_sip_challenge_pick(response, &auth->challenges[slot]);
    auth->has[slot] = r >= 0;
    if (r < 0)
        return r;
    /* RFC 3261 22.2: the same credentials are not sent twice; a stale nonce is no refusal of the password. */
    if (tried && !auth->challenges[slot].stale)
        return SECSIP_E_UA_AUTH_FAILED;
    return 0;
}

void ssi_auth_put(struct ssi_auth *auth, struct ssi_buf *b, const secsip_account *a,
                  enum ssi_sip_method method, struct ssi_slice uri, struct ssi_slice body)
{
    for (int i = 0; i < SSI_CHALLENGES_MAX; i++)
        if (auth->has[i])
            ssi_sip_put_credentials(b, &auth->challenges[i], a->auth_user, a->password,
                                    ssi_slice_str(ssi_sip_method_name(method)), uri, body);
}
