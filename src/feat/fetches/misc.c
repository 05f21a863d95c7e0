/* feat/fetches/misc.c - constants and internal states (manual 7.3.2). */
#include "conf/conf.h"
#include "core/proxy.h"
#include "feat/fetches/fetch.h"
#include "proto/hmsg.h"

#include <arpa/inet.h>

FETCH(fetch_str)
{
        UNUSED;
        smp_str(ret_smp, (struct str){ args[0].s, args[0].n });
        return EXPR_OK;
}

FETCH(fetch_int)
{
        UNUSED;
        smp_int(ret_smp, args[0].i);
        return EXPR_OK;
}

static int digit(char ch)
{
        unsigned char l = chr_lower((unsigned char)ch);

        return chr_is_digit(ch) ? ch - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static bool bin_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        char *bytes = conf_alloc(c->conf, args[0].n / 2 + 1);

        (void)n_args;
        for (uint32_t i = 0; i + 1 < args[0].n; i += 2) {
                int hi = digit(args[0].s[i]), lo = digit(args[0].s[i + 1]);

                if (hi < 0 || lo < 0)
                        return !kw_fail(c, at, "E0701", "sample fetch 'bin' : '%s' is not hexadecimal", args[0].s);
                bytes[i / 2] = (char)(hi << 4 | lo);
        }
        if (args[0].n % 2)
                return !kw_fail(c, at, "E0701", "sample fetch 'bin' : an even number of digits is expected");
        args[0].s = bytes;
        args[0].n /= 2;
        return true;
}

FETCH(fetch_bin)
{
        UNUSED;
        smp_str(ret_smp, (struct str){ args[0].s, args[0].n });
        ret_smp->type = SMP_BIN;
        return EXPR_OK;
}

static bool bool_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        struct str w = { args[0].s, args[0].n };

        (void)n_args;
        args[0].i = str_is(w, "true") || str_is(w, "1");
        if (args[0].i || str_is(w, "false") || str_is(w, "0"))
                return true;
        (void)kw_fail(c, at, "E0701", "sample fetch 'bool' : expects 'true', 'false', '1' or '0', got '%.*s'", (int)w.n,
                      w.p);
        return false;
}

FETCH(fetch_bool)
{
        UNUSED;
        smp_bool(ret_smp, args[0].i != 0);
        return EXPR_OK;
}

static bool ip_check(struct kw_call *c, struct expr_arg *a, int family, size_t size, const struct word *at)
{
        a->ptr = conf_alloc(c->conf, size);
        if (inet_pton(family, a->s, a->ptr) == 1)
                return true;
        (void)kw_fail(c, at, "E0701", "failed to parse '%s' as an %s address", a->s,
                      family == AF_INET ? "IPv4" : "IPv6");
        return false;
}

static bool ipv4_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)n_args;
        return ip_check(c, &args[0], AF_INET, sizeof(struct in_addr), at);
}

FETCH(fetch_ipv4)
{
        UNUSED;
        ret_smp->type = SMP_IPV4;
        memcpy(&ret_smp->ip4, args[0].ptr, sizeof(ret_smp->ip4));
        return EXPR_OK;
}

static bool ipv6_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)n_args;
        return ip_check(c, &args[0], AF_INET6, sizeof(struct in6_addr), at);
}

FETCH(fetch_ipv6)
{
        UNUSED;
        ret_smp->type = SMP_IPV6;
        memcpy(&ret_smp->ip6, args[0].ptr, sizeof(ret_smp->ip6));
        return EXPR_OK;
}

FETCH(fetch_meth)
{
        UNUSED;
        smp_str(ret_smp, (struct str){ args[0].s, args[0].n });
        return smp_cast(ret_smp, SMP_METH) ? EXPR_OK : EXPR_MISS;
}

FETCH(always_true)
{
        UNUSED;
        smp_bool(ret_smp, true);
        return EXPR_OK;
}

FETCH(always_false)
{
        UNUSED;
        smp_bool(ret_smp, false);
        return EXPR_OK;
}

/* Variables are read when the file is loaded (manual: "sampled when the process starts"). */
static bool env_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)at;
        (void)n_args;
        args[0].ptr = (void *)(uintptr_t)conf_env_get(c->conf, (struct str){ args[0].s, args[0].n });
        return true;
}

FETCH(fetch_env)
{
        UNUSED;
        if (!args[0].ptr)
                return EXPR_MISS;
        smp_str(ret_smp, str_of(args[0].ptr));
        return EXPR_OK;
}

FETCH(hostname)
{
        UNUSED;
        return answer_text(ret_smp, world.host);
}

static bool date_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        return n_args < 2 || unit_check(c, &args[1], 1, at);
}

FETCH(date)
{
        int64_t us = thr_self->wall_us, div = n_args < 2 ? 1000000 : 1000000 / args[1].i;

        (void)x;
        smp_int(ret_smp, us / div + (n_args ? args[0].i : 0));
        return EXPR_OK;
}

static bool rand_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        if (!n_args || (args[0].i > 0 && args[0].i <= UINT32_MAX))
                return true;
        (void)kw_fail(c, at, "E0701", "sample fetch 'rand' : the range must be between 1 and 4294967295");
        return false;
}

FETCH(fetch_rand)
{
        uint32_t v;

        (void)x;
        thr_self->sys->random(&v, sizeof(v));
        smp_int(ret_smp, n_args ? (int64_t)((uint64_t)v * (uint64_t)args[0].i >> 32) : v);
        return EXPR_OK;
}

static const struct fetch rows[] = {
        { .name = "always_false",
          .out = SMP_BOOL,
          .needs = EXPR_CONF,
          .fn = always_false,
          .manual = "7.3.2",
          .help = "false" },
        { .name = "always_true",
          .out = SMP_BOOL,
          .needs = EXPR_CONF,
          .fn = always_true,
          .manual = "7.3.2",
          .help = "true" },
        { .name = "bin",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_BIN,
          .needs = EXPR_CONF,
          .fn = fetch_bin,
          .check = bin_check,
          .manual = "7.3.2",
          .help = "constant bytes" },
        { .name = "bool",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_BOOL,
          .needs = EXPR_CONF,
          .fn = fetch_bool,
          .check = bool_check,
          .manual = "7.3.2",
          .help = "a constant" },
        { .name = "date",
          .args = { ARG_SINT, ARG_STR },
          .out = SMP_SINT,
          .needs = EXPR_INTERNAL,
          .fn = date,
          .check = date_check,
          .manual = "7.3.2",
          .help = "now, since the epoch" },
        { .name = "env",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_STR,
          .needs = EXPR_CONF,
          .fn = fetch_env,
          .check = env_check,
          .manual = "7.3.2",
          .help = "an environment variable" },
        { .name = "hostname",
          .out = SMP_STR,
          .needs = EXPR_CONF,
          .fn = hostname,
          .manual = "7.3.2",
          .help = "name of this machine" },
        { .name = "int",
          .args = { ARG_SINT },
          .min_args = 1,
          .out = SMP_SINT,
          .needs = EXPR_CONF,
          .fn = fetch_int,
          .manual = "7.3.2",
          .help = "a constant" },
        { .name = "ipv4",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_IPV4,
          .needs = EXPR_CONF,
          .fn = fetch_ipv4,
          .check = ipv4_check,
          .manual = "7.3.2",
          .help = "a constant" },
        { .name = "ipv6",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_IPV6,
          .needs = EXPR_CONF,
          .fn = fetch_ipv6,
          .check = ipv6_check,
          .manual = "7.3.2",
          .help = "a constant" },
        { .name = "meth",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_METH,
          .needs = EXPR_CONF,
          .fn = fetch_meth,
          .manual = "7.3.2",
          .help = "a constant" },
        { .name = "rand",
          .args = { ARG_SINT },
          .out = SMP_SINT,
          .needs = EXPR_INTERNAL,
          .fn = fetch_rand,
          .check = rand_check,
          .manual = "7.3.2",
          .help = "a random number" },
        { .name = "str",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_STR,
          .needs = EXPR_CONF,
          .fn = fetch_str,
          .manual = "7.3.2",
          .help = "a constant" },
};
FETCH_TABLE(misc, rows);
