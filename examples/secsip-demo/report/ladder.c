/* The ladder of messages: each row is an arrow between two of three lifelines, and opens to the message itself.
 * Part of: secsip-demo's report. Arrows are inline SVG that stretches with the page; text is HTML beside it, so that it
 * keeps its size on a phone. */
#include <string.h>

#include "parts.h"

static const int lane_at[] = {10, 50, 90}; /* percent of the width */

static void put_arrow(struct page *p, const struct report_message *m)
{
    int from = lane_at[m->from], to = lane_at[m->to];
    int left = from < to ? from : to, right = from < to ? to : from;

    page_put(p, "<svg viewBox='0 0 100 10' preserveAspectRatio=none aria-hidden=true>");
    for (int i = 0; i < 3; i++)
        page_format(p, "<line class=life x1=%d x2=%d y1=0 y2=10 />", lane_at[i], lane_at[i]);
    page_format(p, "<line class=shaft x1=%d x2=%d y1=5 y2=5 /></svg>", left, right);
    if (to > from || m->media)
        page_format(p, "<i class='head right' style='left:%d%%'></i>", right);
    if (to < from || m->media)
        page_format(p, "<i class='head left' style='left:%d%%'></i>", left);
    page_format(p, "<span class='line%s' style='left:%d%%;width:%d%%'><b>",
                left == 50 ? " right" : "", left, right - left);
    page_escape(p, m->line);
    page_put(p, "</b></span>");
    page_format(p, "<span class=wire style='left:%d%%;width:%d%%'>%s, %s</span>", left,
                right - left, m->transport, m->encrypted ? "encrypted" : "readable");
}

static void put_wire(struct page *p, const struct report_message *m)
{
    page_format(p, "<div><h4>%s</h4><pre class=hex>",
                m->encrypted ? "What passed the wire: its first bytes"
                             : "What passed the wire, readable by anyone");
    for (size_t i = 0; i < m->wire_len; i += 16) {
        size_t n = m->wire_len - i < 16 ? m->wire_len - i : 16;
        for (size_t k = 0; k < 16; k++) {
            if (k < n)
                page_format(p, "%02x%s", m->wire[i + k], k % 4 == 3 ? "  " : " ");
            else
                page_put(p, k % 4 == 3 ? "    " : "   ");
        }
        for (size_t k = 0; k < n; k++) {
            uint8_t c = m->wire[i + k];
            char text[2] = {(char)(c >= ' ' && c <= '~' ? c : '.'), '\0'};
            page_escape(p, text);
        }
        page_put(p, "\n");
    }
    page_put(p, "</pre></div>");
}

static void put_row(struct page *p, const struct report_message *m)
{
    page_format(p, "<details class='%s%s'><summary><span class=time>%.4f</span><span class=lanes>",
                m->encrypted ? "safe" : "open", m->media ? " media" : "", m->time_s);
    put_arrow(p, m);
    page_put(p, "</span></summary><div class=inside><div><h4>");
    page_put(p, m->media ? "The stream" : "The message, secrets masked");
    page_put(p, "</h4><pre>");
    page_bytes(p, m->text, strlen(m->text));
    page_put(p, "</pre></div>");
    if (m->wire_len > 0)
        put_wire(p, m);
    page_put(p, "</div></details>");
}

void part_ladder(struct page *p, const struct report_call *call)
{
    static const char *const names[] = {"Alice", "Registrar", "Bob"};

    page_put(p,
             "<div class=ladder><div class=lanehead><span class=time>s</span><span class=lanes>");
    for (int i = 0; i < 3; i++)
        page_format(p, "<span style='left:%d%%'>%s</span>", lane_at[i], names[i]);
    page_put(p, "</span></div>");
    for (size_t i = 0; i < call->n_messages; i++)
        put_row(p, &call->messages[i]);
    page_put(p, "</div>");
}
