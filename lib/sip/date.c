/* Date (RFC 3261 20.17 and 25.1, the one form of RFC 1123 that is allowed), see values.h. Layer: sip. No time functions of
 * the C library: they know locales and zones. */
#include "sip/read.h"
#include "sip/values.h"

enum {
    DATE_LEN = SSI_SIP_DATE_TEXT - 1,
    DAY_S = 86400,
};
static const char weekdays[] = "ThuFriSatSunMonTueWed"; /* 1970 began with a Thursday */
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days from 1970-01-01 in the Gregorian calendar, counted in years that begin with March so that a leap day comes last. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t in_era = year - era * 400;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static void date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t d = days - era * 146097;
    int64_t year = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t in_year = d - (365 * year + year / 4 - year / 100);
    int64_t m = (5 * in_year + 2) / 153;

    *ret_day = (int)(in_year - (153 * m + 2) / 5 + 1);
    *ret_month = (int)(m < 10 ? m + 3 : m - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

static int weekday_of(int64_t days)
{
    return (int)(((days % 7) + 7) % 7);
}

/* The place of three letters, any case, in a row of names; -1: none. */
static int find_name(const char *names, struct ssi_slice text)
{
    for (int i = 0; names[3 * (size_t)i]; i++)
        if (ssi_slice_ieq(text, ssi_slice_of(names + 3 * (size_t)i, 3)))
            return i;
    return -1;
}

/* n digits at `at`, or -1. */
static int digits(struct ssi_slice text, size_t at, size_t n)
{
    uint64_t value = 0;

    return ssi_slice_to_u64(ssi_slice_of(text.p + at, n), 9999, &value) ? (int)value : -1;
}

static bool has_layout(struct ssi_slice text)
{
    /* wkday "," SP 2DIGIT SP month SP 4DIGIT SP 2DIGIT ":" 2DIGIT ":" 2DIGIT SP "GMT" */
    static const char layout[] = "???, ?? ??? ???? ??:??:?? ";

    if (text.len != DATE_LEN)
        return false;
    for (size_t i = 0; layout[i]; i++)
        if (layout[i] != '?' && text.p[i] != layout[i])
            return false;
    return ssi_slice_ieq(ssi_slice_from(text, DATE_LEN - 3), SSI_LIT("GMT"));
}

secsip_result ssi_sip_date_parse(struct ssi_slice text, int64_t *ret)
{
    if (!has_layout(text))
        return SECSIP_E_SIP_HEADER;
    int weekday = find_name(weekdays, ssi_slice_of(text.p, 3));
    int month = find_name(months, ssi_slice_of(text.p + 8, 3)) + 1;
    int day = digits(text, 5, 2), year = digits(text, 12, 4);
    int hour = digits(text, 17, 2), minute = digits(text, 20, 2), second = digits(text, 23, 2);
    if (weekday < 0 || month < 1 || day < 1 || year < 0 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 59)
        return SECSIP_E_SIP_HEADER;
    int64_t days = days_of(year, month, day), back_year;
    int back_month, back_day;
    date_of(days, &back_year, &back_month, &back_day);
    if (back_day != day || back_month != month || weekday_of(days) != weekday)
        return SECSIP_E_SIP_HEADER; /* no such day, or not that day of the week */
    *ret = days * DAY_S + hour * 3600 + minute * 60 + second;
    return 0;
}

static void put_digits(char *at, int n, int64_t value)
{
    while (n-- > 0) {
        at[n] = (char)('0' + value % 10);
        value /= 10;
    }
}

void ssi_sip_date_format(int64_t seconds, char out[SSI_SIP_DATE_TEXT])
{
    int64_t days = (seconds >= 0 ? seconds : seconds - (DAY_S - 1)) / DAY_S;
    int64_t in_day = seconds - days * DAY_S, year;
    int month, day;

    date_of(days, &year, &month, &day);
    memcpy(out, "???, ?? ??? ???? ??:??:?? GMT", SSI_SIP_DATE_TEXT);
    memcpy(out, weekdays + 3 * (size_t)weekday_of(days), 3);
    memcpy(out + 8, months + 3 * (size_t)(month - 1), 3);
    put_digits(out + 5, 2, day);
    put_digits(out + 12, 4, year);
    put_digits(out + 17, 2, in_day / 3600);
    put_digits(out + 20, 2, in_day / 60 % 60);
    put_digits(out + 23, 2, in_day % 60);
}
