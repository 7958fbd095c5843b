/* A minimal PNG writer: 8-bit palette images, not compressed. Part of: secsip-demo's report. */
#ifndef DEMO_PNG_H
#define DEMO_PNG_H

#include <stddef.h>
#include <stdint.h>

/* A PNG of width * height palette indices, top row first; palette: 256 * 3 bytes RGB. Free the result; NULL when
 * memory is out or the image has no pixels or is larger than 4096 on a side. */
uint8_t *png_encode(const uint8_t *pixels, size_t width, size_t height, const uint8_t palette[768],
                    size_t *ret_len);

#endif
