/* A minimal PNG writer, see png.h. Part of: secsip-demo's report. PNG (ISO/IEC 15948) holds a zlib stream (RFC 1950)
 * of deflate blocks (RFC 1951); its "stored" blocks need no compressor. */
#include "png.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_MAX = 4096,
    BLOCK_MAX = 65535
};

struct writer {
    uint8_t *p;
    uint32_t crc; /* of the chunk being written */
};

static uint32_t crc_of(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    return crc;
}

static void put(struct writer *w, const void *data, size_t n)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < n; i++)
        w->crc = crc_of(w->crc, p[i]);
    memcpy(w->p, p, n);
    w->p += n;
}

static void put_be32(struct writer *w, uint32_t v)
{
    uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    put(w, bytes, 4);
}

static void begin_chunk(struct writer *w, const char *type, size_t len)
{
    put_be32(w, (uint32_t)len);
    w->crc = 0xFFFFFFFFU; /* covers type and data, not the length */
    put(w, type, 4);
}

static void end_chunk(struct writer *w)
{
    put_be32(w, ~w->crc);
}

static uint32_t adler_of(const uint8_t *p, size_t n)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < n; i++) {
        a = (a + p[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static void put_data(struct writer *w, const uint8_t *raw, size_t n)
{
    size_t n_blocks = (n + BLOCK_MAX - 1) / BLOCK_MAX;

    begin_chunk(w, "IDAT", 2 + n_blocks * 5 + n + 4);
    put(w, "\x78\x01", 2);
    for (size_t from = 0; from < n; from += BLOCK_MAX) {
        size_t len = n - from < BLOCK_MAX ? n - from : BLOCK_MAX;
        uint8_t head[5] = {from + len == n, (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)~len,
                           (uint8_t)(~len >> 8)};
        put(w, head, 5);
        put(w, raw + from, len);
    }
    put_be32(w, adler_of(raw, n));
    end_chunk(w);
}

uint8_t *png_encode(const uint8_t *pixels, size_t width, size_t height, const uint8_t palette[768],
                    size_t *ret_len)
{
    if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX)
        return NULL;
    size_t n = (width + 1) * height;
    uint8_t *raw = malloc(n);
    uint8_t *png = malloc(n + n / BLOCK_MAX * 5 + 1024);
    if (!raw || !png) {
        free(raw);
        free(png);
        return NULL;
    }
    for (size_t y = 0; y < height; y++) {
        raw[y * (width + 1)] = 0; /* filter: none */
        memcpy(raw + y * (width + 1) + 1, pixels + y * width, width);
    }
    struct writer w = {png, 0};
    put(&w, "\x89PNG\r\n\x1a\n", 8);
    begin_chunk(&w, "IHDR", 13);
    put_be32(&w, (uint32_t)width);
    put_be32(&w, (uint32_t)height);
    put(&w, "\x08\x03\x00\x00\x00", 5); /* 8 bits, palette, no interlace */
    end_chunk(&w);
    begin_chunk(&w, "PLTE", 768);
    put(&w, palette, 768);
    end_chunk(&w);
    put_data(&w, raw, n);
    begin_chunk(&w, "IEND", 0);
    end_chunk(&w);
    free(raw);
    *ret_len = (size_t)(w.p - png);
    return png;
}
