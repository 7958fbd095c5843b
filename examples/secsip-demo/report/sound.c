/* The card of one sound: waveform, spectrogram, player, numbers. Part of: secsip-demo's report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "png.h"
#include "wav.h"

enum {
    WAVE_COLUMNS = 320,
    WAVE_HEIGHT = 80,
    MAP_COLUMNS = 480
};

/* The outline of the loudest and softest sample of each column, as one closed path. */
static void put_waveform(struct page *p, const int16_t *x, size_t n)
{
    page_format(p,
                "<svg class=wave viewBox='0 0 %d %d' preserveAspectRatio=none "
                "aria-hidden=true><path d='M0 %d",
                WAVE_COLUMNS, WAVE_HEIGHT, WAVE_HEIGHT / 2);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < WAVE_COLUMNS; i++) {
            size_t c = side == 0 ? i : WAVE_COLUMNS - 1 - i;
            size_t from = n * c / WAVE_COLUMNS, to = n * (c + 1) / WAVE_COLUMNS;
            int extreme = 0;
            for (size_t k = from; k < to; k++)
                if (side == 0 ? x[k] > extreme : x[k] < extreme)
                    extreme = x[k];
            double y = WAVE_HEIGHT / 2.0 * (1 - extreme / 32768.0) + (side == 0 ? -0.25 : 0.25);
            page_format(p, "L%zu %.1f", c, y);
        }
    }
    page_put(p, "Z'/></svg>");
}

/* Dark violet over red and yellow to white, the eye's idea of more; every step is brighter than the one before. */
static void make_palette(uint8_t out[768])
{
    static const uint8_t stops[6][3] = {{10, 8, 28},   {62, 18, 110},  {150, 38, 110},
                                        {226, 84, 62}, {250, 174, 40}, {252, 252, 190}};

    for (int i = 0; i < 256; i++) {
        int at = i * 5, k = at / 255 < 4 ? at / 255 : 4, part = at - k * 255;
        for (int c = 0; c < 3; c++)
            out[i * 3 + c] = (uint8_t)(stops[k][c] + (stops[k + 1][c] - stops[k][c]) * part / 255);
    }
}

static void put_spectrogram(struct page *p, const int16_t *x, size_t n)
{
    uint8_t palette[768];
    size_t png_len = 0;
    float *power = malloc(MAP_COLUMNS * SIGNAL_BINS * sizeof(*power));
    uint8_t *pixels = malloc(MAP_COLUMNS * SIGNAL_BINS);
    uint8_t *png = NULL;

    if (power && pixels) {
        signal_spectrogram(x, n, MAP_COLUMNS, power);
        for (size_t c = 0; c < MAP_COLUMNS; c++) {
            for (size_t k = 0; k < SIGNAL_BINS; k++) {
                float level = (power[c * SIGNAL_BINS + k] + 85) / 65 * 255; /* -85 to -20 dB */
                pixels[(SIGNAL_BINS - 1 - k) * MAP_COLUMNS + c] = (uint8_t)(level < 0     ? 0
                                                                            : level > 255 ? 255
                                                                                          : level);
            }
        }
        make_palette(palette);
        png = png_encode(pixels, MAP_COLUMNS, SIGNAL_BINS, palette, &png_len);
    }
    if (png) {
        page_put(p,
                 "<div class=map><img alt='Spectrogram, 0 to 4 kHz' src='data:image/png;base64,");
        page_base64(p, png, png_len);
        page_put(p, "'><span class=hi>4 kHz</span><span class=lo>0</span></div>");
    } else {
        p->failed = true;
    }
    free(png);
    free(pixels);
    free(power);
}

static void put_time_axis(struct page *p, size_t n)
{
    double length = (double)n / WAV_RATE;

    page_put(p, "<div class=axis>");
    for (int i = 0; i <= 4; i++)
        page_format(p, "<span>%.1f s</span>", length * i / 4);
    page_put(p, "</div>");
}

static void put_player(struct page *p, const char *title, const int16_t *x, size_t n)
{
    uint8_t *file = malloc(WAV_HEADER + n * 2);

    if (!file) {
        p->failed = true;
        return;
    }
    wav_header(n, file);
    for (size_t i = 0; i < n; i++) {
        file[WAV_HEADER + 2 * i] = (uint8_t)x[i];
        file[WAV_HEADER + 2 * i + 1] = (uint8_t)((uint16_t)x[i] >> 8);
    }
    page_put(p, "<audio controls preload=metadata aria-label='");
    page_escape(p, title);
    page_put(p, "' src='data:audio/wav;base64,");
    page_base64(p, file, WAV_HEADER + n * 2);
    page_put(p, "'></audio>");
    free(file);
}

static void put_db(struct page *p, const char *name, double db)
{
    if (isfinite(db) && db < 100)
        page_format(p, "<div><dt>%s</dt><dd>%.1f dB</dd></div>", name, db);
    else
        page_format(p, "<div><dt>%s</dt><dd>no noise</dd></div>", name);
}

static void put_numbers(struct page *p, const struct report_sound *s)
{
    page_put(p, "<dl class=facts>");
    page_format(p, "<div><dt>Correlation</dt><dd>%.3f</dd></div>", s->likeness.correlation);
    page_format(p, "<div><dt>Frames identical</dt><dd>%zu of %zu</dd></div>", s->exact_frames,
                s->total_frames);
    put_db(p, "Signal to noise", s->snr_db);
    put_db(p, "Segmental", s->segmental_snr_db);
    page_format(p, "<div><dt>Loudness contour</dt><dd>%+.2f</dd></div>", s->loudness);
    page_format(p, "<div><dt>Spectral flatness</dt><dd>%.3f</dd></div></dl>", s->flatness);
}

void part_sound(struct page *p, const struct part_sound *s)
{
    page_format(p, "<article class='sound %s'><h3>", s->kind);
    page_escape(p, s->title);
    page_put(p, "</h3><p>");
    page_escape(p, s->note);
    page_put(p, "</p>");
    put_waveform(p, s->sound->samples, s->sound->n);
    put_spectrogram(p, s->sound->samples, s->sound->n);
    put_time_axis(p, s->sound->n);
    put_player(p, s->title, s->sound->samples, s->sound->n);
    if (strcmp(s->kind, "sent") != 0)
        put_numbers(p, s->sound);
    page_put(p, "</article>");
}
