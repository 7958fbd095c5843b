/* The opt-in trace of messages, with keys and credentials masked. Layer: ua. What is masked: the key of every inline key
 * parameter (RFC 4568), the value of k= lines, and the response of digest credentials; the rest is shown as it is. */
#include "ua/flow.h"

static const char mask[] = "********";

static bool ends_key(char c)
{
    return c == '|' || c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* Copies the line, key parameters masked. */
static void mask_inline(struct ssi_buf *b, struct ssi_slice line)
{
    const struct ssi_slice word = SSI_LIT("inline:");
    size_t i = 0;

    while (i < line.len) {
        struct ssi_slice here = ssi_slice_from(line, i);
        if (here.len < word.len || !ssi_slice_ieq(ssi_slice_of(here.p, word.len), word)) {
            ssi_buf_put_char(b, line.p[i++]);
            continue;
        }
        ssi_buf_put(b, here.p, word.len);
        ssi_buf_put_str(b, mask);
        i += word.len;
        while (i < line.len && !ends_key(line.p[i]))
            i++;
    }
}

/* Copies a header line with digest credentials, response="..." masked. */
static void mask_credentials(struct ssi_buf *b, struct ssi_slice line)
{
    const struct ssi_slice word = SSI_LIT("response");

    for (size_t i = 0; i < line.len;) {
        struct ssi_slice here = ssi_slice_from(line, i);
        bool starts =
            i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == ',' || line.p[i - 1] == '\t';
        if (!starts || here.len < word.len ||
            !ssi_slice_ieq(ssi_slice_of(here.p, word.len), word)) {
            ssi_buf_put_char(b, line.p[i++]);
            continue;
        }
        ssi_buf_put(b, here.p, word.len);
        ssi_buf_put_str(b, "=\"");
        ssi_buf_put_str(b, mask);
        ssi_buf_put_char(b, '"');
        while (i < line.len && line.p[i] != ',')
            i++;
    }
}

static bool starts_with(struct ssi_slice line, struct ssi_slice prefix)
{
    return line.len >= prefix.len && ssi_slice_ieq(ssi_slice_of(line.p, prefix.len), prefix);
}

void ssi_mask_message(struct ssi_buf *b, struct ssi_slice message)
{
    bool in_credentials = false;

    while (message.len > 0) {
        size_t n = ssi_slice_find(message, '\n');
        struct ssi_slice line = ssi_slice_of(message.p, n < message.len ? n + 1 : n);
        bool folded = line.p[0] == ' ' || line.p[0] == '\t';
        in_credentials = (folded && in_credentials) ||
                         starts_with(line, SSI_LIT("Authorization")) ||
                         starts_with(line, SSI_LIT("Proxy-Authorization"));
        if (in_credentials)
            mask_credentials(b, line);
        else if (starts_with(line, SSI_LIT("k=")))
            ssi_buf_put_str(b, "k=********\r\n");
        else
            mask_inline(b, line);
        message = ssi_slice_from(message, line.len);
    }
}

void ssi_ua_trace(struct ssi_ua *ua, int32_t direction, const struct ssi_flow *flow,
                  struct ssi_slice message)
{
    struct ssi_buf b;
    char peer[SSI_ADDR_TEXT];

    if (!ua->config.trace)
        return;
    ssi_addr_text(&flow->peer, peer);
    ssi_buf_init_secret(&b, message.len + 65536);
    ssi_mask_message(&b, message);
    ssi_buf_put_char(&b, 0);
    /* On a failure nothing is shown rather than something unmasked. */
    if (b.failed == 0)
        ua->config.trace(direction, peer, (const char *)b.data, b.len - 1, ua->config.trace_data);
    ssi_buf_free(&b);
}
