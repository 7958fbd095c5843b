/* The application's say about a peer, see checks.h. Layer: tls. The question is made for the callback and freed after it. */
#include <stdio.h>
#include <stdlib.h>

#include "tls/checks.h"

/* What a question points to. */
struct exhibit {
    secsip_tls_certificate certs[SSI_TLS_MAX_CHAIN];
    const secsip_tls_certificate *cert_list[SSI_TLS_MAX_CHAIN];
    gnutls_datum_t der[SSI_TLS_MAX_CHAIN];
    char *dn[2 * SSI_TLS_MAX_CHAIN]; /* gnutls_malloc'd; subject and issuer */
    char pins[SSI_TLS_MAX_CHAIN][SSI_TLS_PIN_TEXT];
    struct ssi_buf name_text;
    const char *names[SSI_TLS_MAX_NAMES + 1]; /* the SANs, and a CN */
    size_t n_names;
};

static void free_exhibit(struct exhibit *x)
{
    for (size_t i = 0; i < SSI_TLS_MAX_CHAIN; i++)
        gnutls_free(x->der[i].data);
    for (size_t i = 0; i < 2 * SSI_TLS_MAX_CHAIN; i++)
        gnutls_free(x->dn[i]);
    ssi_buf_free(&x->name_text);
    free(x);
}

/* One without a name has an empty one. */
static const char *take_dn(char **to, int rc, gnutls_datum_t *dn)
{
    if (rc < 0)
        return "";
    *to = (char *)dn->data;
    return *to;
}

static bool show_cert(struct exhibit *x, size_t i, gnutls_x509_crt_t crt)
{
    uint8_t id[SSI_TLS_PIN_SIZE];
    gnutls_datum_t dn;

    if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &x->der[i]) < 0)
        return false;
    if (ssi_tls_key_id(crt, id))
        ssi_tls_show_pin(id, x->pins[i]);
    x->certs[i] = (secsip_tls_certificate){
        .size = sizeof x->certs[i],
        .der = x->der[i].data,
        .der_len = x->der[i].size,
        .subject = take_dn(&x->dn[2 * i], gnutls_x509_crt_get_dn3(crt, &dn, 0), &dn),
        .valid_from = gnutls_x509_crt_get_activation_time(crt),
        .valid_until = gnutls_x509_crt_get_expiration_time(crt),
        .pin = x->pins[i],
    };
    x->certs[i].issuer =
        take_dn(&x->dn[2 * i + 1], gnutls_x509_crt_get_issuer_dn3(crt, &dn, 0), &dn);
    x->cert_list[i] = &x->certs[i];
    return true;
}

static bool show_names(struct exhibit *x, const struct ssi_tls_names *names)
{
    static const char *const kinds[] = {
        [SSI_TLS_NAME_SIP] = "URI:sip:", [SSI_TLS_NAME_DNS] = "DNS:",     [SSI_TLS_NAME_IP] = "IP:",
        [SSI_TLS_NAME_USER] = "URI:",    [SSI_TLS_NAME_OTHER] = "OTHER:", [SSI_TLS_NAME_CN] = "CN:",
    };
    enum ssi_tls_name_kind kind;
    const char *text;
    char shown[SSI_TLS_DOMAIN_SIZE];
    size_t at = 0;

    while (ssi_tls_names_next(names, &at, &kind, &text)) {
        ssi_slice_show(ssi_slice_str(text), shown, sizeof shown);
        ssi_buf_put_str(&x->name_text, kinds[kind]);
        ssi_buf_put_str(&x->name_text, shown);
        ssi_buf_put_char(&x->name_text, 0);
    }
    /* The text stands still now. */
    struct ssi_slice rest = ssi_buf_slice(&x->name_text);
    while (rest.len > 0 && x->n_names < sizeof x->names / sizeof *x->names) {
        x->names[x->n_names++] = rest.p;
        rest = ssi_slice_from(rest, strlen(rest.p) + 1);
    }
    return x->name_text.failed == 0;
}

static struct exhibit *make_exhibit(const struct ssi_tls_chain *ch, const struct ssi_tls_verdict *v)
{
    struct exhibit *x = calloc(1, sizeof *x);

    if (!x)
        return NULL;
    ssi_buf_init(&x->name_text, 2 * SSI_TLS_MAX_NAMES * SSI_TLS_DOMAIN_SIZE);
    bool good = show_names(x, &v->names);
    for (size_t i = 0; i < ch->n_sent && good; i++)
        good = show_cert(x, i, ch->sent[i]);
    if (good)
        return x;
    free_exhibit(x);
    return NULL;
}

static void view_failure(const struct ssi_tls_failure *f, secsip_error *ret)
{
    *ret = (secsip_error){
        .size = sizeof *ret,
        .result = f->result,
        .text = f->text,
        .check = f->check ? f->check : "",
        .expected = f->expected,
        .found = f->found,
        .peer = "",
        .certificate = f->certificate,
    };
}

static int32_t ask(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                   const struct ssi_tls_verdict *v, const struct exhibit *x)
{
    secsip_error error;

    view_failure(&v->failure, &error);
    const secsip_tls_question question = {
        .size = sizeof question,
        .domain = c->domain ? c->domain : "",
        .peer_is_client = c->peer_is_client,
        .failed = v->failed,
        .relaxed = v->relaxed,
        .first_use = v->first_use,
        .error = &error,
        .certificates = x->cert_list,
        .n_certificates = ch->n_sent,
        .names = x->names,
        .n_names = x->n_names,
    };
    return c->policy->decide(&question, c->policy->decide_user_data);
}

secsip_result ssi_tls_decide(const struct ssi_tls_check *c, const struct ssi_tls_chain *ch,
                             struct ssi_tls_verdict *v)
{
    if (!c->policy || !c->policy->decide)
        return 0;
    struct exhibit *x = make_exhibit(ch, v);
    if (!x)
        return SECSIP_E_NOMEM;
    int32_t answer = ask(c, ch, v, x);
    free_exhibit(x);
    if (answer < 0 && v->failed == 0) {
        ssi_tls_fail(
            &v->failure, SECSIP_E_TLS_CERT_REFUSED, "decision", "the application's consent",
            secsip_result_name(answer),
            "the certificate of %s passed every check, and the application refused it (%s)",
            ch->title, secsip_result_name(answer));
    } else if (answer >= 0 && v->failed != 0 && c->policy->decide_insecure) {
        memset(&v->failure, 0, sizeof v->failure);
        v->failed = 0;
        v->relaxed |= SECSIP_TLS_INSECURE_DECISION;
    }
    return 0;
}
