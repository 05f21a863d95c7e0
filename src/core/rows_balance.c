/* core/rows_balance.c - how a backend chooses: `balance`, `hash-type` and what belongs to them (manual 4.2). */
#include "core/expr.h"
#include "core/lb.h"
#include "core/lb_hash.h"
#include "core/rows_int.h"

static const struct {
        const char *name;
        int kind;
        const char *shown; /* `show stat`, algo: as HAProxy has it */
} kinds[] = {
        { "roundrobin", BAL_ROUNDROBIN, "roundrobin" },
        { "static-rr", BAL_STATIC_RR, "static-rr" },
        { "leastconn", BAL_LEASTCONN, "leastconn" },
        { "first", BAL_FIRST, "first" },
        { "random", BAL_RANDOM, "random" },
        { "source", BAL_SOURCE, "source" },
        { "uri", BAL_URI, "uri" },
        { "url_param", BAL_URL_PARAM, "url_param" },
        { "hdr", BAL_HDR, "hdr" },
        { "hash", BAL_HASH, "hash" },
};

const char *lb_name(const struct lb_cfg *c)
{
        for (size_t i = 0; c && i < array_len(kinds); i++)
                if (kinds[i].kind == c->kind)
                        return kinds[i].shown;
        return "roundrobin";
}

bool lb_is_static(const struct lb_cfg *c)
{
        return c->kind == BAL_STATIC_RR || (c->kind >= BAL_SOURCE && c->type == LB_MAP_BASED);
}

/* ---- balance ---- */

/* "name(inside)" -> inside; false: there are no brackets around anything. */
static bool in_brackets(struct str a, struct str *ret_in)
{
        const char *open = a.n ? memchr(a.p, '(', a.n) : NULL;

        if (!open || a.p[a.n - 1] != ')' || open == a.p + a.n - 2)
                return false;
        *ret_in = (struct str){ open + 1, (size_t)(a.p + a.n - 1 - (open + 1)) };
        return true;
}

/* "random(3)" -> 3; a missing or wrong number is an alert. */
static int draws_parse(struct kw_call *c, struct lb_cfg *b)
{
        struct str a = c->args[0].text, in;
        uint64_t v = 0;

        if (str_is(a, "random"))
                return 1;
        if (!in_brackets(a, &in))
                kw_fail(c, &c->args[0], "E0222", "balance random : missing closing parenthesis.");
        else if (str_to_u64(in, &v) && v >= 1 && v <= 1000)
                b->draws = (int)v;
        else if (str_to_u64(in, &v))
                kw_fail(c, &c->args[0], "E0222", "balance random : number of draws must be at least 1.");
        else
                kw_fail(c, &c->args[0], "E0222", "balance random : '%.*s' is not a number of draws.", (int)in.n, in.p);
        return v >= 1 && v <= 1000 ? 1 : -1;
}

static bool positive(struct kw_call *c, size_t i, const char *word, int *ret_n)
{
        struct str a = i < c->n_args ? c->args[i].text : STR("");
        uint64_t v = 0;

        if (str_to_u64(a, &v) && v >= 1 && v <= INT32_MAX) {
                *ret_n = (int)v;
                return true;
        }
        kw_fail(c, i < c->n_args ? &c->args[i] : NULL, "E0112",
                "balance uri : '%s' expects a positive integer (got '%.*s').", word, (int)a.n, a.p);
        return false;
}

static int uri_parse(struct kw_call *c, struct lb_cfg *b)
{
        for (size_t i = 1; i < c->n_args; i++) {
                struct str w = c->args[i].text;

                if (str_is(w, "len") || str_is(w, "depth")) {
                        bool len = w.p[0] == 'l';
                        if (!positive(c, ++i, len ? "len" : "depth", len ? &b->len : &b->depth))
                                return -1;
                } else if (str_is(w, "whole")) {
                        b->whole = true;
                } else if (str_is(w, "path-only")) {
                        b->path_only = true;
                } else {
                        kw_fail(c, &c->args[i], "E0114",
                                "balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got "
                                "'%.*s').",
                                (int)w.n, w.p);
                        return -1;
                }
        }
        return (int)c->n_args;
}

static int url_param_parse(struct kw_call *c, struct lb_cfg *b)
{
        if (c->n_args < 2) {
                kw_fail(c, NULL, "E0110", "balance url_param requires an URL parameter name.");
                return -1;
        }
        b->name = conf_intern(c->conf, c->args[1].text);
        if (c->n_args == 2)
                return 2;
        if (str_is(c->args[2].text, "check_post"))
                kw_fail(c, &c->args[2], "E0120",
                        "'check_post' is not supported: a server is chosen before the body is read; put the parameter "
                        "into the URL, or a header.");
        else
                kw_fail(c, &c->args[2], "E0114", "balance url_param only accepts 'check_post' modifier (got '%.*s').",
                        (int)c->args[2].text.n, c->args[2].text.p);
        return -1;
}

static int hdr_parse(struct kw_call *c, struct lb_cfg *b)
{
        struct str in, a = c->args[0].text;
        char lower[256];

        if (!in_brackets(a, &in) || in.n >= sizeof(lower)) {
                kw_fail(c, &c->args[0], "E0110", "balance hdr requires an http header field name.");
                return -1;
        }
        for (size_t i = 0; i < in.n; i++)
                lower[i] = (char)chr_lower((unsigned char)in.p[i]);
        b->name = conf_intern(c->conf, (struct str){ lower, in.n });
        if (c->n_args == 1)
                return 1;
        if (!str_is(c->args[1].text, "use_domain_only")) {
                kw_fail(c, &c->args[1], "E0114", "balance %.*s only accepts 'use_domain_only' modifier (got '%.*s').",
                        (int)a.n, a.p, (int)c->args[1].text.n, c->args[1].text.p);
                return -1;
        }
        b->domain_only = true;
        return 2;
}

static int hash_parse(struct kw_call *c, struct lb_cfg *b)
{
        const struct word *w = c->n_args > 1 ? &c->args[1] : NULL;
        size_t used = 0;

        if (!w) {
                kw_fail(c, NULL, "E0110", "balance hash requires a sample expression.");
                return -1;
        }
        b->expr = expr_compile(c, w->text, w, EXPR_AT_REQUEST, &used);
        if (!b->expr)
                return -1;
        if (used < w->text.n) {
                kw_fail(c, w, "E0114", "balance hash : unexpected text '%.*s' after the expression.",
                        (int)(w->text.n - used), w->text.p + used);
                return -1;
        }
        b->text = conf_intern(c->conf, w->text);
        return 2;
}

static bool begins(struct str a, struct str name)
{
        return str_eq(a, name) || (a.n > name.n && a.p[name.n] == '(' && str_has_prefix(a, name));
}

static int kind_parse(struct kw_call *c, struct lb_cfg *b, struct str a)
{
        switch (b->kind) {
        case BAL_RANDOM: return draws_parse(c, b);
        case BAL_URI: return uri_parse(c, b);
        case BAL_URL_PARAM: return url_param_parse(c, b);
        case BAL_HDR: return hdr_parse(c, b);
        case BAL_HASH: return hash_parse(c, b);
        default: (void)a; return 1;
        }
}

static int balance_parse(struct kw_call *c)
{
        struct lb_cfg *b = c->slot;
        struct str a = c->n_args ? c->args[0].text : STR("roundrobin"); /* no argument: the manual's default of old */

        b->draws = 2;
        b->len = b->depth = 0;
        b->whole = b->path_only = b->domain_only = false;
        b->name = b->text = NULL;
        b->expr = NULL;
        if (begins(a, STR("rdp-cookie"))) {
                kw_fail(c, &c->args[0], "E0120",
                        "'balance rdp-cookie' is not supported: in TCP mode a server is chosen before a byte is read; "
                        "'balance source' keeps a client on its server.");
                return -1;
        }
        for (size_t i = 0; i < array_len(kinds); i++) {
                bool brackets = kinds[i].kind == BAL_RANDOM || kinds[i].kind == BAL_HDR;

                if (brackets ? begins(a, str_of(kinds[i].name)) : str_is(a, kinds[i].name)) {
                        b->kind = kinds[i].kind;
                        b->key = lb_key_of(b->kind);
                        return c->n_args ? kind_parse(c, b, a) : 0;
                }
        }
        kw_fail(c, &c->args[0], "E0223",
                "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'first', 'random', 'source', 'uri', "
                "'url_param', 'hash' and 'hdr(name)' options.");
        return -1;
}

static void balance_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct lb_cfg *b = slot;

        if (b->kind == BAL_DEFAULT)
                return;
        buf_printf(out, "    %s %s", kw->name, lb_name(b));
        if (b->kind == BAL_RANDOM && b->draws != 2)
                buf_printf(out, "(%d)", b->draws);
        if (b->kind == BAL_HDR)
                buf_printf(out, "(%s)%s", b->name, b->domain_only ? " use_domain_only" : "");
        if (b->kind == BAL_URL_PARAM || b->kind == BAL_HASH) {
                buf_putc(out, ' ');
                kw_quote(out, b->kind == BAL_HASH ? b->text : b->name);
        }
        if (b->len)
                buf_printf(out, " len %d", b->len);
        if (b->depth)
                buf_printf(out, " depth %d", b->depth);
        buf_printf(out, "%s%s\n", b->whole ? " whole" : "", b->path_only ? " path-only" : "");
}

/* ---- hash-type ---- */

static const struct kw_val types[] = { { "map-based", LB_MAP_BASED }, { "consistent", LB_CONSISTENT }, { NULL, 0 } };
static const struct kw_val fns[] = {
        { "sdbm", LB_SDBM }, { "djb2", LB_DJB2 }, { "crc32", LB_CRC32 }, { "none", LB_NONE }, { NULL, 0 }
};

static const struct kw_val *val_of(const struct kw_val *v, struct str s)
{
        for (; v->name; v++)
                if (str_is(s, v->name))
                        return v;
        return NULL;
}

static const char *val_name(const struct kw_val *v, int n)
{
        while (v->value != n)
                v++;
        return v->name;
}

static int hash_type_parse(struct kw_call *c)
{
        struct lb_cfg *b = c->slot;
        const struct kw_val *type = c->n_args ? val_of(types, c->args[0].text) : NULL, *fn = NULL;

        if (!type) {
                kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0114",
                        "'hash-type' only supports 'consistent' and 'map-based'.");
                return -1;
        }
        if (c->n_args > 1 && str_is(c->args[1].text, "wt6")) {
                kw_fail(c, &c->args[1], "E0120",
                        "'hash-type' : 'wt6' is not supported: it is described nowhere but in HAProxy's code; 'sdbm "
                        "avalanche' serves numbers as well, with another spread.");
                return -1;
        }
        fn = c->n_args > 1 ? val_of(fns, c->args[1].text) : NULL;
        if (c->n_args > 1 && !fn) {
                kw_fail(c, &c->args[1], "E0114",
                        "'hash-type' only supports 'sdbm', 'djb2', 'crc32', or 'none' hash functions.");
                return -1;
        }
        if (c->n_args > 2 && !str_is(c->args[2].text, "avalanche")) {
                kw_fail(c, &c->args[2], "E0114",
                        "'hash-type' only supports 'avalanche' as a modifier for hash functions.");
                return -1;
        }
        b->type = type->value;
        b->type_said = fn != NULL;
        b->fn = fn ? fn->value : LB_SDBM;
        b->avalanche = c->n_args > 2;
        return (int)(c->n_args < 3 ? c->n_args : 3);
}

static void hash_type_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct lb_cfg *b = slot;

        if (b->type == LB_MAP_BASED && !b->type_said)
                return;
        buf_printf(out, "    %s %s", kw->name, val_name(types, b->type));
        if (b->type_said)
                buf_printf(out, " %s%s", val_name(fns, b->fn), b->avalanche ? " avalanche" : "");
        buf_putc(out, '\n');
}

/* ---- the rest ---- */

static int factor_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'hash-balance-factor' expects an integer argument.");
                return -1;
        }
        if (!str_to_i64(c->args[0].text, &v))
                return kw_arg_int(c, &c->args[0], 0, INT32_MAX, &v) ? 1 : -1;
        if (v < 0 || (v > 0 && v <= 100) || v > INT32_MAX) {
                kw_fail(c, &c->args[0], "E0112", "'hash-balance-factor' must be 0 or greater than 100.");
                return -1;
        }
        ((struct lb_cfg *)c->slot)->factor = (int)v;
        return 1;
}

static void factor_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct lb_cfg *)slot)->factor)
                buf_printf(out, "    %s %d\n", kw->name, ((const struct lb_cfg *)slot)->factor);
}

/* What is hashed must be there: HAProxy says it in these words, too. */
static void balance_check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct lb_cfg *b = slot;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);
        bool http = b->kind == BAL_URI || b->kind == BAL_URL_PARAM || b->kind == BAL_HDR ||
                    (b->kind == BAL_HASH && (expr_needs(b->expr) & ~(unsigned)EXPR_AT_TCP));

        (void)c;
        if (!(o->kind->bit & KIND_BE) || !px || px->mode == PX_HTTP || !http)
                return;
        (void)diag_add(d, DIAG_WARNING, conf_span_name(o, "balance"), "W0740",
                       "Layer 7 hash not possible for backend '%s' (needs 'mode http'). Falling back to round robin.",
                       o->name);
        b->kind = BAL_ROUNDROBIN;
        b->key = NULL;
}

static const struct kw_val affinities[] = { { "always", LB_AFFINITY_ALWAYS },
                                            { "maxconn", LB_AFFINITY_MAXCONN },
                                            { "maxqueue", LB_AFFINITY_MAXQUEUE },
                                            { NULL, 0 } };

static const struct lb_cfg balance_defaults = { .draws = 2 };

#define BACK_ROW                                                                                                       \
        .kinds = KIND_DEFAULTS | KIND_BACKEND | KIND_LISTEN, .warn_kinds = KIND_FRONTEND, .manual = "4.2",             \
        .apply = KW_NEW

static const struct kw rows[] = {
        KW_FN("balance", balance_parse, balance_dump, BACK_ROW,
              .args = "{ roundrobin | static-rr | leastconn | first | random[(<draws>)] | source | uri [len <n>] [depth <n>] "
                      "[whole] [path-only] | url_param <name> | hdr(<name>) [use_domain_only] | hash <expression> }",
              .sample = "hdr(host) use_domain_only",
              .help = "how a server is chosen: in turns, by load, or by the hash of something that the client always sends"),
        KW_FN("hash-type", hash_type_parse, hash_type_dump, BACK_ROW,
              .args = "{ map-based | consistent } [ sdbm | djb2 | crc32 | none ] [ avalanche ]",
              .sample = "consistent djb2 avalanche",
              .help = "how a hash finds its server: map-based is even, consistent moves few keys when servers come and go"),
        KW_FN("hash-balance-factor", factor_parse, factor_dump, BACK_ROW, .args = "<percent>", .sample = "150",
              .help = "no server gets more than that part of the average load, with consistent hashes and random; 0: no limit"),
        KW_ENUM("hash-preserve-affinity", struct lb_cfg, affinity, affinities, BACK_ROW,
                .args = "{ always | maxconn | maxqueue }",
                .help = "whether a key leaves its server when that one is full, or its queue is, with consistent hashes"),
        KW_FLAG("option allbackups", struct lb_cfg, allbackups, BACK_ROW,
                .help = "all backup servers share the load when no other server is left, not only the first one"),
};

KW_TABLE(balance, KIND_PROXY, struct lb_cfg, rows, .defaults = &balance_defaults, .rank = 1, .check = balance_check);
