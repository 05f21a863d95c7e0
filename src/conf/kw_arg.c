/* conf/kw_arg.c - one argument: numbers, times, sizes, words of a list; and how a complaint about it is worded. */
#include "conf/conf_int.h"

#include <stdarg.h>
#include <stdio.h>

static void title(const struct conf_obj *o, struct buf *out)
{
        if (!o || o->kind->section)
                return;
        if (o->kind->title)
                o->kind->title(o, out);
        else if (*o->name)
                buf_printf(out, "'%s %s/%s' : ", o->kind->name, o->parent->name, o->name);
        else
                buf_printf(out, "'%s' : ", o->kind->name);
}

static struct diag *complain(struct kw_call *c, enum diag_level l, struct span at, const char *code, const char *msg)
{
        struct diag *g;
        AUTO_BUF(b);

        title(c->obj, &b);
        g = diag_add(c->diags, l, at, code, "%.*s%s", (int)b.n, b.p ? b.p : "", msg);
        if (c->obj && c->obj->kind->short_place)
                g->intro = DIAG_INTRO_PLACE;
        return g;
}

struct diag *kw_fail(struct kw_call *c, const struct word *w, const char *code, const char *fmt, ...)
{
        char msg[2048];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(msg, sizeof(msg), fmt, ap);
        va_end(ap);
        return complain(c, DIAG_ALERT, w ? w->at : c->at, code, msg);
}

struct diag *kw_warn(struct kw_call *c, const struct word *w, const char *code, const char *fmt, ...)
{
        char msg[2048];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(msg, sizeof(msg), fmt, ap);
        va_end(ap);
        return complain(c, DIAG_WARNING, w ? w->at : c->at, code, msg);
}

bool kw_need_args(struct kw_call *c, size_t n, const char *syntax)
{
        if (c->n_args >= n)
                return true;
        kw_fail(c, NULL, "E0110", "'%s' expects %s as argument%s.", c->kw->name, syntax, n > 1 ? "s" : "");
        return false;
}

/* A byte inside a word, for the caret; the whole word when quotes make the columns differ. */
static struct word at_byte(const struct word *w, size_t i)
{
        struct word b = *w;

        if (!w->quoted && w->text.n == w->at.len && i < w->text.n) {
                b.at.col += (uint32_t)i;
                b.at.len = 1;
        }
        return b;
}

static bool unexpected(struct kw_call *c, const struct word *w, size_t i)
{
        struct word b = at_byte(w, i);

        if (i < w->text.n)
                kw_fail(c, &b, "E0113", "unexpected character '%c' in '%s'", w->text.p[i], c->kw->name);
        else
                kw_fail(c, w, "E0113", "'%.*s' is not a value for '%s'", (int)w->text.n, w->text.p, c->kw->name);
        return false;
}

static bool is_integer(struct str s)
{
        size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+');

        if (i == s.n)
                return false;
        while (i < s.n && chr_is_digit(s.p[i]))
                i++;
        return i == s.n;
}

bool kw_arg_int(struct kw_call *c, const struct word *w, int64_t lo, int64_t hi, int64_t *ret_v)
{
        int64_t v = 0;

        if (!is_integer(w->text)) {
                kw_fail(c, w, "E0111", "cannot parse '%s' value '%.*s', an integer is expected.", c->kw->name,
                        (int)w->text.n, w->text.p);
                return false;
        }
        if (!str_to_i64(w->text, &v) || v < lo || v > hi) {
                kw_fail(c, w, "E0112", "'%s' value must be between %lld and %lld (was %.*s)", c->kw->name,
                        (long long)lo, (long long)hi, (int)w->text.n, w->text.p);
                return false;
        }
        *ret_v = v;
        return true;
}

/* Leading digits, saturating. Returns how many. */
static size_t digits_of(struct str s, uint64_t *ret_v)
{
        size_t i = 0;
        uint64_t v = 0;

        for (; i < s.n && chr_is_digit(s.p[i]); i++)
                if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
                        v = UINT64_MAX;
        *ret_v = v;
        return i;
}

struct unit {
        const char *name;
        uint64_t us;
};

static const struct unit time_units[] = { { "us", 1 },       { "ms", 1000 },       { "s", 1000000 },
                                          { "m", 60000000 }, { "h", 3600000000u }, { "d", 86400000000u } };

/* The unit that s starts with; longest names first. */
static const struct unit *unit_of(struct str s)
{
        for (size_t i = 0; i < array_len(time_units); i++)
                if (str_has_prefix(s, str_of(time_units[i].name)))
                        return &time_units[i];
        return NULL;
}

static void warn_tail(struct kw_call *c, const struct word *w, size_t i)
{
        struct word b = at_byte(w, i);

        kw_warn(c, &b, "W0114",
                "unexpected character '%c' after the timer value '%.*s', only "
                "(us=microseconds,ms=milliseconds,s=seconds,"
                "m=minutes,h=hours,d=days) are supported. This will be reported as an error in next versions.",
                w->text.p[i], (int)w->text.n, w->text.p);
}

/* `bare`: the unit of a number without one. */
static bool arg_us(struct kw_call *c, const struct word *w, const struct unit *bare, uint64_t max_us, uint64_t *ret_us)
{
        const struct unit *u = bare;
        uint64_t v, us;
        size_t i = digits_of(w->text, &v);
        struct diag *g;

        if (i == 0) {
                unexpected(c, w, 0);
                return false;
        }
        if (i < w->text.n) {
                u = unit_of(str_sub(w->text, i, w->text.n - i));
                if (!u) {
                        unexpected(c, w, i);
                        return false;
                }
                if (i + strlen(u->name) < w->text.n)
                        warn_tail(c, w, i + strlen(u->name));
        }
        if (__builtin_mul_overflow(v, u->us, &us) || us > max_us) {
                g = kw_fail(c, w, "E0115", "timer overflow in argument '%.*s' to '%s' (maximum value is 2147483647 %s)",
                            (int)w->text.n, w->text.p, c->kw->name,
                            max_us / 1000 > INT32_MAX ? "s or ~68 years" : "ms or ~24.8 days");
                diag_hint(c->diags, g, "units are us ms s m h d");
                return false;
        }
        *ret_us = us;
        return true;
}

bool kw_arg_time(struct kw_call *c, const struct word *w, bool seconds, int *ret_ms)
{
        uint64_t us;

        if (!arg_us(c, w, &time_units[seconds ? 2 : 1], (uint64_t)INT32_MAX * 1000, &us))
                return false;
        *ret_ms = (int)((us + 999) / 1000); /* never round a time to zero: zero often means "none" */
        return true;
}

bool kw_arg_seconds(struct kw_call *c, const struct word *w, int *ret_s)
{
        uint64_t us;

        if (!arg_us(c, w, &time_units[2], (uint64_t)INT32_MAX * 1000000, &us))
                return false;
        *ret_s = (int)((us + 999999) / 1000000);
        return true;
}

bool kw_arg_size(struct kw_call *c, const struct word *w, uint64_t lo, uint64_t hi, uint64_t *ret_v)
{
        static const char unit[] = "kmg";
        uint64_t v, mul = 1;
        size_t i = digits_of(w->text, &v);
        const char *u;

        if (i == 0)
                return unexpected(c, w, 0);
        if (i < w->text.n) {
                u = strchr(unit, chr_lower((unsigned char)w->text.p[i]));
                if (!u || !*u)
                        return unexpected(c, w, i);
                mul = (uint64_t)1 << (10 * (u - unit + 1));
                if (++i < w->text.n)
                        return unexpected(c, w, i);
        }
        if (__builtin_mul_overflow(v, mul, &v) || v == UINT64_MAX || v < lo || v > hi) {
                kw_fail(c, w, "E0112", "'%s' value must be between %llu and %llu (was %.*s)", c->kw->name,
                        (unsigned long long)lo, (unsigned long long)hi, (int)w->text.n, w->text.p);
                return false;
        }
        *ret_v = v;
        return true;
}

static const char *nearest_val(struct str w, const struct kw_val *vals)
{
        const char *best = NULL;
        const char *one[2] = { NULL, NULL };

        for (; vals->name && !best; vals++) {
                one[0] = vals->name;
                best = kw_nearest(w, one);
        }
        return best;
}

bool kw_arg_enum(struct kw_call *c, const struct word *w, const struct kw_val *vals, int *ret_v)
{
        struct diag *g;
        AUTO_BUF(b);

        for (const struct kw_val *v = vals; v->name; v++)
                if (str_is(w->text, v->name)) {
                        *ret_v = v->value;
                        return true;
                }
        for (const struct kw_val *v = vals; v->name; v++)
                buf_printf(&b, "%s'%s'", v == vals ? "" : v[1].name ? ", " : " and ", v->name);
        g = kw_fail(c, w, "E0116", "'%s' supports %.*s (got '%.*s')", c->kw->name, (int)b.n, b.p, (int)w->text.n,
                    w->text.p);
        diag_suggest(c->diags, g, nearest_val(w->text, vals));
        return false;
}

const char *kw_nearest(struct str w, const char *const *names)
{
        size_t limit = w.n < 4 ? 1 : 2, best_d = limit + 1;
        const char *best = NULL;

        if (w.n < 2)
                return NULL;
        for (; *names; names++) {
                struct str n = str_of(*names);
                size_t d = n.n > w.n + limit || w.n > n.n + limit ? limit + 1 : str_distance(w, n);

                if (d && d < best_d) {
                        best_d = d;
                        best = *names;
                }
        }
        return best;
}
