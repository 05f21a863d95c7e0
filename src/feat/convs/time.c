/* feat/convs/time.c - dates: as text by strftime(3), as HTTP writes them (RFC 9110 5.6.7), and back.
 *
 * What an offset of ms_* and us_* counts is seconds, as in HAProxy 3.4, whatever its manual says. */
#include "feat/convs/conv.h"

#include <stdio.h>
#include <time.h>

enum { FORMAT_MAX = 512 };

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[12][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* Rounded down, so that a time before 1970 has a positive fraction. */
static int64_t floor_div(int64_t v, int64_t by, int64_t *ret_rest)
{
        int64_t q = v / by, r = v % by;

        if (r < 0) {
                q--;
                r += by;
        }
        *ret_rest = r;
        return q;
}

/* ---- strftime ---- */

/* %N and %3N become digits of the nanoseconds; everything else is left for strftime(). */
static bool expand_nanos(struct str fmt, int64_t nanos, char *out, size_t cap)
{
        size_t n = 0;

        for (size_t i = 0; i < fmt.n; i++) {
                size_t k = i + 1, width = 0;

                if (n + 12 > cap)
                        return false;
                if (fmt.p[i] != '%') {
                        out[n++] = fmt.p[i];
                        continue;
                }
                while (k < fmt.n && chr_is_digit(fmt.p[k]) && k - i < 4)
                        width = width * 10 + (size_t)(fmt.p[k++] - '0');
                if (k >= fmt.n || fmt.p[k] != 'N') {
                        out[n++] = '%';
                        if (i + 1 < fmt.n)
                                out[n++] = fmt.p[++i]; /* "%%": its second half starts nothing */
                        continue;
                }
                if (k == i + 1 || width > 9)
                        width = 9;
                for (int64_t unit = 100000000; width; width--, unit /= 10)
                        out[n++] = (char)('0' + nanos / unit % 10);
                i = k;
        }
        out[n] = '\0';
        return true;
}

CHECK(check_format)
{
        return n_args == 0 || args[0].n < FORMAT_MAX / 2 || conv_refuse(c, at, "the format is too long.");
}

static bool format(struct smp *smp, const struct expr_arg *args, unsigned n_args, int64_t units, bool local)
{
        struct str fmt = arg_text(args, n_args, 0);
        int64_t rest, sec = floor_div(smp->i, units, &rest);
        char z[FORMAT_MAX];
        struct out o;
        struct tm tm;
        time_t t;

        if (__builtin_add_overflow(sec, arg_int(args, n_args, 1, 0), &sec))
                return false;
        t = (time_t)sec;
        if (!(local ? localtime_r(&t, &tm) : gmtime_r(&t, &tm)))
                return false;
        o = out_open();
        if (units > 1) {
                if (!expand_nanos(fmt, rest * (1000000000 / units), z, sizeof(z)))
                        return false;
        } else {
                memcpy(z, fmt.p, fmt.n);
                z[fmt.n] = '\0';
        }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored                                                                                         \
        "-Wformat-nonliteral" /* the format is the administrator's; every one of strftime() is harmless */
        o.n = strftime(o.p, o.cap, z, &tm);
#pragma GCC diagnostic pop
        return out_give(&o, SMP_STR, smp);
}

#define FORMAT(fn, units, local)                                                                                       \
        CONV(fn)                                                                                                       \
        {                                                                                                              \
                (void)x;                                                                                               \
                return format(smp, args, n_args, units, local);                                                        \
        }

FORMAT(to_ltime, 1, true)
FORMAT(to_utime, 1, false)
FORMAT(ms_ltime, 1000, true)
FORMAT(ms_utime, 1000, false)
FORMAT(us_ltime, 1000000, true)
FORMAT(us_utime, 1000000, false)

/* ---- HTTP ---- */

CHECK(check_http_date)
{
        struct str unit = arg_text(args, n_args, 1);

        if (n_args < 2 || str_is(unit, "s"))
                args[1].i = 1;
        else if (str_is(unit, "ms"))
                args[1].i = 1000;
        else if (str_is(unit, "us"))
                args[1].i = 1000000;
        else
                return conv_refuse(c, at, "expects 's', 'ms' or 'us', got '%.*s'.", (int)unit.n, unit.p);
        return true;
}

CONV(http_date)
{
        int64_t units = n_args > 1 ? args[1].i : 1, rest, v;
        struct out o = out_open();
        struct tm tm;
        time_t t;

        (void)x;
        if (__builtin_add_overflow(smp->i, arg_int(args, n_args, 0, 0), &v))
                return false;
        t = (time_t)floor_div(v, units, &rest);
        if (!gmtime_r(&t, &tm))
                return false;
        o.n = (size_t)snprintf(o.p, o.cap, "%s, %02d %s %04lld %02d:%02d:%02d", days[tm.tm_wday], tm.tm_mday,
                               months[tm.tm_mon], 1900LL + tm.tm_year, tm.tm_hour, tm.tm_min, tm.tm_sec);
        if (units > 1)
                o.n += (size_t)snprintf(o.p + o.n, o.cap - o.n, ".%0*lld", units == 1000 ? 3 : 6, (long long)rest);
        out_text(&o, STR(" GMT"));
        return out_give(&o, SMP_STR, smp);
}

/* ---- a date of a header field: IMF-fixdate, RFC 850 or asctime ---- */

struct date {
        struct str in; /* what is left */
        struct tm tm;
        bool bad;
};

static void expect(struct date *d, struct str t)
{
        if (!d->bad && str_has_prefix(d->in, t))
                d->in = str_sub(d->in, t.n, d->in.n - t.n);
        else
                d->bad = true;
}

/* Exactly n digits; of an asctime day the first one may be a blank. */
static int digits(struct date *d, unsigned n, bool blank)
{
        int v = 0;

        if (d->bad || d->in.n < n) {
                d->bad = true;
                return 0;
        }
        for (unsigned i = 0; i < n; i++) {
                if (chr_is_digit(d->in.p[i]))
                        v = v * 10 + (d->in.p[i] - '0');
                else if (!(blank && i == 0 && d->in.p[0] == ' '))
                        d->bad = true;
        }
        d->in = str_sub(d->in, n, d->in.n - n);
        return v;
}

static int one_of(struct date *d, const char (*names)[4], int n)
{
        for (int i = 0; i < n; i++) {
                if (str_has_prefix(d->in, str_of(names[i]))) {
                        d->in = str_sub(d->in, 3, d->in.n - 3);
                        return i;
                }
        }
        d->bad = true;
        return 0;
}

static void clock_time(struct date *d)
{
        d->tm.tm_hour = digits(d, 2, false);
        expect(d, STR(":"));
        d->tm.tm_min = digits(d, 2, false);
        expect(d, STR(":"));
        d->tm.tm_sec = digits(d, 2, false);
}

static void asctime_date(struct date *d) /* " Nov  6 08:49:37 1994" */
{
        expect(d, STR(" "));
        d->tm.tm_mon = one_of(d, months, 12);
        expect(d, STR(" "));
        d->tm.tm_mday = digits(d, 2, true);
        expect(d, STR(" "));
        clock_time(d);
        expect(d, STR(" "));
        d->tm.tm_year = digits(d, 4, false) - 1900;
}

static void gmt_date(struct date *d, struct str sep, bool short_year) /* " 06 Nov 1994 08:49:37 GMT" */
{
        expect(d, STR(" "));
        d->tm.tm_mday = digits(d, 2, false);
        expect(d, sep);
        d->tm.tm_mon = one_of(d, months, 12);
        expect(d, sep);
        d->tm.tm_year = digits(d, short_year ? 2 : 4, false);
        if (!short_year)
                d->tm.tm_year -= 1900;
        else if (d->tm.tm_year <= 60) /* where HAProxy draws the line */
                d->tm.tm_year += 100;
        expect(d, STR(" "));
        clock_time(d);
        expect(d, STR(" GMT"));
}

/* The day of the week is not compared with the date; the 31st of a short month is the next one's first day. */
CONV(date)
{
        static const char rest_of_day[7][7] = { "day", "day", "sday", "nesday", "rsday", "day", "urday" };
        struct date d = { .in = smp_text(smp) };
        int day = one_of(&d, days, 7);

        UNUSED;
        if (!d.bad && str_has_prefix(d.in, STR(","))) {
                expect(&d, STR(","));
                gmt_date(&d, STR(" "), false);
        } else if (!d.bad && str_has_prefix(d.in, STR(" "))) {
                asctime_date(&d);
        } else {
                expect(&d, str_of(rest_of_day[day]));
                expect(&d, STR(","));
                gmt_date(&d, STR("-"), true);
        }
        if (d.bad || d.in.n)
                return false;
        smp_int(smp, timegm(&d.tm));
        return true;
}

#define DATE  ROW(SINT, STR), .args = { ARG_STR, ARG_SINT }, .check = check_format
#define AFTER "; argument 2: seconds to add"

static const struct conv rows[] = {
        { .name = "date", ROW(STR, SINT), .fn = date, .help = "the date of a header field as seconds since 1970" },
        { .name = "http_date",
          .args = { ARG_SINT, ARG_STR },
          ROW(SINT, STR),
          .check = check_http_date,
          .fn = http_date,
          .help = "seconds since 1970 (or ms, us) as HTTP writes dates; argument 1 is added first" },
        { .name = "ltime", DATE, .fn = to_ltime, .help = "seconds since 1970 by strftime(3), local time" AFTER },
        { .name = "ms_ltime",
          DATE,
          .fn = ms_ltime,
          .help = "milliseconds since 1970 by strftime(3) and %3N, local time" AFTER },
        { .name = "ms_utime",
          DATE,
          .fn = ms_utime,
          .help = "milliseconds since 1970 by strftime(3) and %3N, UTC" AFTER },
        { .name = "us_ltime",
          DATE,
          .fn = us_ltime,
          .help = "microseconds since 1970 by strftime(3) and %6N, local time" AFTER },
        { .name = "us_utime",
          DATE,
          .fn = us_utime,
          .help = "microseconds since 1970 by strftime(3) and %6N, UTC" AFTER },
        { .name = "utime", DATE, .fn = to_utime, .help = "seconds since 1970 by strftime(3), UTC" AFTER },
};
CONV_TABLE(time, rows);
