/* feat/maps/convs.c - the converters map_<match>[_<output>] (manual 7.3.1): the value of the entry that matches, or a default. */
#include "base/regex.h"
#include "conf/conf.h"
#include "core/pat.h"

struct map_use { /* args[0].ptr */
        const struct pat_expr *expr;
        bool has_default;
        struct smp other;
};

static bool set_default(struct kw_call *c, struct map_use *m, const struct expr_arg *a, enum pat_out out,
                        const struct word *at)
{
        m->has_default = true;
        smp_str(&m->other, (struct str){ a->s, a->n });
        if (out == PAT_INT) {
                int64_t v;

                if (str_to_i64((struct str){ a->s, a->n }, &v)) {
                        smp_int(&m->other, v);
                        return true;
                }
        } else if (out == PAT_STR || smp_cast(&m->other, SMP_ADDR)) {
                return true;
        }
        (void)kw_fail(c, at, "E0702", "the default value '%.*s' is no %s", (int)a->n, a->s,
                      out == PAT_INT ? "integer" : "address");
        return false;
}

static bool check_map(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at,
                      enum acl_match how, enum pat_out out)
{
        struct map_use *m = conf_alloc(c->conf, sizeof(*m));
        struct pat_ref *r = pat_ref_get(c, (struct str){ args[0].s, args[0].n }, at, true);

        if (!r)
                return false;
        m->expr = pat_expr_new(c, r, how, false, out, at);
        args[0].ptr = m;
        return m->expr && (n_args < 2 || set_default(c, m, &args[1], out, at));
}

static bool give_default(const struct map_use *m, struct smp *smp)
{
        if (m->has_default)
                *smp = m->other;
        return m->has_default;
}

#define MAP(fn)   static bool fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
#define CHECK(fn) static bool fn(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
#define UNUSED    (void)x, (void)n_args

MAP(map_text)
{
        const struct map_use *m = args[0].ptr;
        const struct pat_entry *e = pat_find(m->expr, smp);

        UNUSED;
        if (!e)
                return give_default(m, smp);
        smp_str(smp, pat_value(e));
        return true;
}

/* The value with \0 to \9 replaced by what the groups of its key matched. */
MAP(map_groups)
{
        const struct map_use *m = args[0].ptr;
        const struct pat_entry *e = pat_find(m->expr, smp);
        struct regex_found f;
        size_t cap, n;
        char *out;

        UNUSED;
        if (!e)
                return give_default(m, smp);
        out = expr_scratch(&cap);
        if (!regex_find(pat_regex(m->expr, e), (struct str){ smp->s.p, smp->s.n }, 0, &f) ||
            regex_expand(&f, pat_value(e), out, cap, &n) < 0)
                return false;
        smp_str(smp, (struct str){ out, n });
        return true;
}

MAP(map_int)
{
        const struct map_use *m = args[0].ptr;
        const struct pat_entry *e = pat_find(m->expr, smp);
        int64_t v;

        UNUSED;
        if (!e)
                return give_default(m, smp);
        if (!str_to_i64(pat_value(e), &v))
                return false;
        smp_int(smp, v);
        return true;
}

MAP(map_ip)
{
        const struct map_use *m = args[0].ptr;
        const struct pat_entry *e = pat_find(m->expr, smp);

        UNUSED;
        if (!e)
                return give_default(m, smp);
        smp_str(smp, pat_value(e));
        return smp_cast(smp, SMP_ADDR);
}

MAP(map_key)
{
        const struct map_use *m = args[0].ptr;
        const struct pat_entry *e = pat_find(m->expr, smp);

        UNUSED;
        if (!e)
                return false;
        smp_str(smp, pat_key(e));
        return true;
}

#define CHECKS(how, HOW)                                                                                               \
        CHECK(check_##how)                                                                                             \
        {                                                                                                              \
                return check_map(c, args, n_args, at, ACL_##HOW, PAT_STR);                                             \
        }                                                                                                              \
        CHECK(check_##how##_int)                                                                                       \
        {                                                                                                              \
                return check_map(c, args, n_args, at, ACL_##HOW, PAT_INT);                                             \
        }                                                                                                              \
        CHECK(check_##how##_ip)                                                                                        \
        {                                                                                                              \
                return check_map(c, args, n_args, at, ACL_##HOW, PAT_IP);                                              \
        }

CHECKS(str, STR)
CHECKS(beg, BEG)
CHECKS(end, END)
CHECKS(sub, SUB)
CHECKS(dir, DIR)
CHECKS(dom, DOM)
CHECKS(reg, REG)
CHECKS(int, INT)
CHECKS(ip, IP)

#define ROW(n, i, o, chk, f, h)                                                                                        \
        {                                                                                                              \
                .name = n, .args = { ARG_STR, ARG_STR }, .min_args = 1, .in = SMP_##i, .out = SMP_##o, .check = chk,   \
                .fn = f, .manual = "7.3.1", .help = h                                                                  \
        }
#define ROWS(how, i, what)                                                                                             \
        ROW("map_" #how, i, STR, check_##how, map_text, "the value of a map's key " what),                             \
                ROW("map_" #how "_int", i, SINT, check_##how##_int, map_int, "the number of a map's key " what),       \
                ROW("map_" #how "_ip", i, ADDR, check_##how##_ip, map_ip, "the address of a map's key " what),         \
        {                                                                                                              \
                .name = "map_" #how "_key", .args = { ARG_STR }, .min_args = 1, .in = SMP_##i, .out = SMP_STR,         \
                .check = check_##how, .fn = map_key, .manual = "7.3.1", .help = "a map's key " what                    \
        }

static const struct conv rows[] = {
        ROW("map", STR, STR, check_str, map_text,
            "the value of a map's key that it is; a default may follow the map's name"),
        ROWS(str, STR, "that it is"),
        ROWS(beg, STR, "that it begins with; the longest"),
        ROWS(end, STR, "that it ends with"),
        ROWS(sub, STR, "that it contains"),
        ROWS(dir, STR, "that is one of its parts between slashes"),
        ROWS(dom, STR, "that is one of its parts between dots"),
        ROWS(reg, STR, "whose regular expression matches it"),
        ROW("map_regm", STR, STR, check_reg, map_groups,
            "as map_reg, with what its groups matched in place of the value's \\0 to \\9"),
        ROWS(int, SINT, "that it is, or is a range around it"),
        ROWS(ip, ADDR, "whose network it is in; the longest"),
};
CONV_TABLE(maps, rows);
