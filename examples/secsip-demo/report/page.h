/* A growing text for the report: formatted, escaped for HTML, base64. Part of: secsip-demo's report.
 * The page owns its text until page_free(). A put that fails is remembered: look at `failed` once, at the end. */
#ifndef DEMO_PAGE_H
#define DEMO_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct page {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
};

void page_free(struct page *p);
void page_put(struct page *p, const char *text); /* as it is: markup */
void page_format(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void page_escape(struct page *p, const char *text); /* text for elements and attributes */
void page_bytes(struct page *p, const void *data,
                size_t len); /* the same; other than ASCII as a dot */
void page_base64(struct page *p, const void *data, size_t len);

#endif
