/* core/acl.c - `acl` lines: criterion, flags, operator, patterns (manual 7.1, 7.4). */
#include "conf/conf.h"
#include "conf/later.h"
#include "base/regex.h"
#include "core/kinds.h"
#include "core/pat.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACL_FILES_MAX = 32 };
enum { SORT_FROM = 9 }; /* so many exact patterns are searched by halves */

struct build {
        struct kw_call *c;
        const char *what; /* for messages */
        const struct word *w;
        size_t n, i;
        struct acl_test *t;
        struct acl_pat *pat;
        int match; /* asked for by -m or the criterion's suffix; -1: by type */
        bool icase;
        const struct word *file[ACL_FILES_MAX]; /* -f */
};

static bool fail(struct build *b, const struct word *w, const char *fmt, ...) fmt_like(3, 4);

static bool fail(struct build *b, const struct word *w, const char *fmt, ...)
{
        char why[256];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(b->c, w, "E0730", "error detected while parsing %s : %s.", b->what, why);
        return false;
}

static const struct kw_val matches[] = {
        { "found", ACL_FOUND }, { "bool", ACL_BOOL }, { "int", ACL_INT }, { "len", ACL_LEN }, { "str", ACL_STR },
        { "beg", ACL_BEG },     { "end", ACL_END },   { "sub", ACL_SUB }, { "dir", ACL_DIR }, { "dom", ACL_DOM },
        { "ip", ACL_IP },       { "reg", ACL_REG },   { "bin", ACL_BIN }, { NULL, 0 },
};

static int match_named(struct str name)
{
        for (const struct kw_val *v = matches; v->name; v++) {
                if (str_is(name, v->name))
                        return v->value;
        }
        return -1;
}

/* ---- the criterion ---- */

/* The criterion with another name before its arguments. */
static struct str renamed(struct build *b, struct str text, size_t end, struct str name)
{
        char *p = conf_alloc(b->c->conf, name.n + text.n - end + 1);

        memcpy(p, name.p, name.n);
        memcpy(p + name.n, text.p + end, text.n - end);
        return (struct str){ p, name.n + text.n - end };
}

/* "hdr_beg(host)" is "req.hdr(host)" with -m beg, unless a fetch has that whole name (manual 7.1). Returns the text to compile. A
 * plain "hdr(host)" is "req.hdr(host)", too. */
static struct str take_suffix(struct build *b, struct str text)
{
        size_t end = 0, under;
        const struct fetch *f;
        int m;

        while (end < text.n && text.p[end] != '(' && text.p[end] != ',')
                end++;
        f = expr_fetch(str_sub(text, 0, end));
        if (f)
                return f->acl_of ? renamed(b, text, end, str_of(f->acl_of)) : text;
        for (under = end; under > 0 && text.p[under - 1] != '_';)
                under--;
        if (under == 0)
                return text;
        f = expr_fetch(str_sub(text, 0, under - 1));
        m = match_named(str_sub(text, under, end - under));
        if (!f || !f->acl_forms || m < ACL_LEN || m == ACL_IP || m == ACL_BIN)
                return text;
        b->match = memchr(text.p, ',', text.n) && text.p[end] == ',' ? -1 : m; /* a converter makes the suffix void */
        return renamed(b, text, end, f->acl_of ? str_of(f->acl_of) : str_sub(text, 0, under - 1));
}

static bool take_criterion(struct build *b)
{
        const unsigned anywhere = (1u << 30) - 1; /* the place is checked where the ACL is used */
        struct str text = take_suffix(b, b->w[b->i].text);
        size_t used;

        b->t->expr = expr_compile(b->c, text, &b->w[b->i], anywhere, &used);
        if (!b->t->expr)
                return false;
        if (used != text.n)
                return fail(b, &b->w[b->i], "unexpected character '%c' in expression '%.*s'", text.p[used], (int)text.n,
                            text.p);
        b->i++;
        return true;
}

/* ---- flags ---- */

static bool take_match(struct build *b)
{
        const struct word *w;
        const char *later;

        if (b->i + 1 >= b->n)
                return fail(b, &b->w[b->i], "missing pattern matching method after '-m'");
        w = &b->w[++b->i];
        b->match = match_named(w->text);
        if (b->match >= 0)
                return true;
        later = later_text(&b->c->diags->mem, "matching method", NULL, w->text);
        return later ? fail(b, w, "%s", later)
                     : fail(b, w, "unknown matching method '%.*s' when parsing ACL expression", (int)w->text.n,
                            w->text.p);
}

static bool take_file(struct build *b)
{
        if (b->i + 1 >= b->n)
                return fail(b, &b->w[b->i], "missing a file name after '-f'");
        if (b->t->n_sets == ACL_FILES_MAX)
                return fail(b, &b->w[b->i], "too many '-f' (%d at most)", ACL_FILES_MAX);
        b->file[b->t->n_sets++] = &b->w[++b->i];
        return true;
}

/* Now that the way to match is known. */
static bool load_files(struct build *b)
{
        b->t->sets = conf_alloc(b->c->conf, b->t->n_sets * sizeof(b->t->sets[0]));
        for (uint32_t i = 0; i < b->t->n_sets; i++) {
                struct pat_ref *r;

                ASSERT(b->file[i] != NULL);
                r = pat_ref_get(b->c, b->file[i]->text, b->file[i], false);

                if (r)
                        b->t->sets[i] = pat_expr_new(b->c, r, b->t->match, b->icase, PAT_STR, b->file[i]);
                if (!b->t->sets[i])
                        return false;
        }
        return true;
}

static bool take_flags(struct build *b)
{
        const char *later;

        for (; b->i < b->n; b->i++) {
                const struct word *w = &b->w[b->i];

                if (w->text.n < 2 || w->text.p[0] != '-')
                        return true;
                if (str_is(w->text, "--")) {
                        b->i++;
                        return true;
                }
                if (str_is(w->text, "-i"))
                        b->icase = true;
                else if (str_is(w->text, "-n"))
                        continue; /* names are never resolved here */
                else if (str_is(w->text, "-m")) {
                        if (!take_match(b))
                                return false;
                } else if (str_is(w->text, "-f")) {
                        if (!take_file(b))
                                return false;
                } else if ((later = later_text(&b->c->diags->mem, "flag", "acl", w->text)) != NULL)
                        return fail(b, w, "%s", later);
                else
                        return true; /* a value such as -1 */
        }
        return true;
}

/* ---- the match and the type ---- */

static bool settle_match(struct build *b)
{
        static const int by_type[SMP_TYPES] = { [SMP_ANY] = -1,      [SMP_BOOL] = ACL_BOOL, [SMP_SINT] = ACL_INT,
                                                [SMP_IPV4] = ACL_IP, [SMP_IPV6] = ACL_IP,   [SMP_ADDR] = ACL_IP,
                                                [SMP_STR] = ACL_STR, [SMP_BIN] = -1,        [SMP_METH] = ACL_STR };
        enum smp_type type = expr_type(b->t->expr), want;

        if (b->match < 0)
                b->match = by_type[type];
        if (b->match < 0)
                return fail(b, NULL, "matching method must be specified first (using '-m') for a sample of type %s",
                            smp_type_name(type));
        b->t->match = (enum acl_match)b->match;
        want = b->match == ACL_FOUND  ? type
               : b->match == ACL_BOOL ? SMP_BOOL
               : b->match == ACL_INT  ? SMP_SINT
               : b->match == ACL_IP   ? SMP_ADDR
               : b->match == ACL_BIN  ? SMP_BIN
                                      : SMP_STR;
        if (want == SMP_ADDR && (type == SMP_IPV4 || type == SMP_IPV6))
                return true;
        b->t->expr = expr_cast(b->c, b->t->expr, want);
        return b->t->expr || fail(b, NULL, "a sample of type %s cannot be matched this way", smp_type_name(type));
}

/* ---- patterns ---- */

enum int_op { OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT };

static bool take_op(struct build *b, enum int_op *op)
{
        static const char *const names[] = { "eq", "ge", "gt", "le", "lt" };

        for (size_t i = 0; i < array_len(names); i++) {
                if (str_is(b->w[b->i].text, names[i])) {
                        *op = (enum int_op)i;
                        return true;
                }
        }
        return false;
}

/* Versions of TLS are written 3.1 (manual 7.3.5, req.ssl_ver). */
static bool has_versions(const struct build *b)
{
        return str_is(b->w[0].text, "req.ssl_ver") || str_is(b->w[0].text, "req_ssl_ver");
}

static bool to_number(struct str v, bool versions, int64_t *ret_n)
{
        const char *dot = versions ? memchr(v.p, '.', v.n) : NULL;
        uint64_t major, minor;

        if (!dot)
                return str_to_i64(v, ret_n);
        if (!str_to_u64(str_sub(v, 0, (size_t)(dot - v.p)), &major) || major > 255 ||
            !str_to_u64(str_sub(v, (size_t)(dot - v.p) + 1, v.n - (size_t)(dot - v.p) - 1), &minor) || minor > 255)
                return false;
        *ret_n = (int64_t)(major << 16 | minor);
        return true;
}

static bool set_range(struct acl_pat *p, enum int_op op, struct str v, bool versions)
{
        const char *colon = memchr(v.p, ':', v.n);
        struct str lo = colon ? str_sub(v, 0, (size_t)(colon - v.p)) : v;
        struct str hi = colon ? str_sub(v, lo.n + 1, v.n - lo.n - 1) : v;

        p->lo = INT64_MIN;
        p->hi = INT64_MAX;
        if (colon && op != OP_EQ)
                return false;
        if ((lo.n && !to_number(lo, versions, &p->lo)) || (hi.n && !to_number(hi, versions, &p->hi)) ||
            (!colon && v.n == 0))
                return false;
        if (op == OP_GE || op == OP_GT)
                p->hi = INT64_MAX;
        if (op == OP_LE || op == OP_LT)
                p->lo = INT64_MIN;
        if (op == OP_GT && p->lo++ == INT64_MAX)
                return false;
        return op != OP_LT || p->hi-- != INT64_MIN;
}

static bool set_mask(struct acl_pat *p, struct str bits)
{
        size_t n = p->family == AF_INET ? 4 : 16;
        uint64_t v = n * 8;
        struct in_addr dotted;
        char z[32];

        if (bits.p && !str_to_u64(bits, &v)) {
                if (p->family != AF_INET || bits.n >= sizeof(z))
                        return false;
                memcpy(z, bits.p, bits.n);
                z[bits.n] = '\0';
                if (inet_pton(AF_INET, z, &dotted) != 1)
                        return false;
                memcpy(p->mask, &dotted, 4);
                return true;
        }
        if (v > n * 8)
                return false;
        memset(p->mask, 0, sizeof(p->mask));
        for (size_t i = 0; i < v; i++)
                p->mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
        return true;
}

/* IPv4 may leave zero bytes out: "127.1" (manual 7.1.6). */
static bool set_net(struct acl_pat *p, struct str v)
{
        const char *slash = memchr(v.p, '/', v.n);
        struct str ip = slash ? str_sub(v, 0, (size_t)(slash - v.p)) : v, bits = { NULL, 0 };
        struct in_addr four;
        char z[64];

        if (slash)
                bits = str_sub(v, ip.n + 1, v.n - ip.n - 1);
        if (ip.n == 0 || ip.n >= sizeof(z))
                return false;
        memcpy(z, ip.p, ip.n);
        z[ip.n] = '\0';
        if (memchr(ip.p, ':', ip.n)) {
                p->family = AF_INET6;
                return inet_pton(AF_INET6, z, p->ip) == 1 && set_mask(p, bits);
        }
        p->family = AF_INET;
        if (inet_aton(z, &four) == 0)
                return false;
        memcpy(p->ip, &four, 4);
        return set_mask(p, bits);
}

static void regex_drop(void *r)
{
        regex_free(r);
}

static bool set_regex(struct build *b, struct acl_pat *p, const struct word *w)
{
        struct regex_error e = { .text = "no memory" };

        p->regex = regex_new(w->text, b->icase, &e);
        if (!p->regex)
                return fail(b, w, "regex '%.*s' is invalid (error=%s, erroffset=%zu)", (int)w->text.n, w->text.p,
                            e.text, e.at);
        conf_at_free(b->c->conf, regex_drop, p->regex);
        return true;
}

/* Hexadecimal digits into the bytes they stand for; the text is an own copy and is overwritten. */
static bool set_bytes(struct acl_pat *p, struct str v)
{
        char *to = (char *)(uintptr_t)v.p;

        for (size_t i = 0; i < v.n; i++) {
                const char *digits = "0123456789abcdef", *d = memchr(digits, chr_lower((unsigned char)v.p[i]), 16);

                if (!d)
                        return false;
                to[i / 2] = (char)(i % 2 ? to[i / 2] | (d - digits) : (d - digits) << 4);
        }
        p->s = (struct str){ to, v.n / 2 };
        return v.n % 2 == 0;
}

bool acl_pat_parse(struct acl_pat *p, enum acl_match how, struct str text, char why[ACL_WHY_MAX])
{
        const char *what = "is no pattern";
        bool ok = true;

        switch (how) {
        case ACL_INT:
        case ACL_LEN:
                ok = set_range(p, OP_EQ, text, false);
                what = "is not a number or a range of numbers";
                break;
        case ACL_IP:
                ok = set_net(p, text);
                what = "is not a valid IPv4 or IPv6 address";
                break;
        case ACL_REG: ok = false; break;
        default: p->s = text; break;
        }
        if (!ok)
                (void)snprintf(why, ACL_WHY_MAX, "'%.*s' %s", (int)(text.n < 100 ? text.n : 100), text.p, what);
        return ok;
}

static bool take_pattern(struct build *b, enum int_op *op)
{
        const struct word *w = &b->w[b->i];
        struct acl_pat *p = &b->pat[b->t->n];
        char why[ACL_WHY_MAX];

        p->icase = b->icase;
        switch (b->t->match) {
        case ACL_FOUND:
        case ACL_BOOL: return true; /* values are ignored (manual 7.1.1) */
        case ACL_INT:
        case ACL_LEN:
                if (take_op(b, op))
                        return true;
                if (!set_range(p, *op, w->text, has_versions(b)))
                        return fail(b, w, "'%.*s' is not a number or a range of numbers", (int)w->text.n, w->text.p);
                break;
        case ACL_IP:
                if (!acl_pat_parse(p, ACL_IP, w->text, why))
                        return fail(b, w, "%s", why);
                break;
        case ACL_REG:
                if (!set_regex(b, p, w))
                        return false;
                break;
        case ACL_BIN: {
                char *own = conf_alloc(b->c->conf, w->text.n + 1);

                memcpy(own, w->text.p, w->text.n);
                if (!set_bytes(p, (struct str){ own, w->text.n }))
                        return fail(b, w, "'%.*s' is no even number of hexadecimal digits", (int)w->text.n, w->text.p);
                break;
        }
        default: p->s = str_of(conf_intern(b->c->conf, w->text)); break;
        }
        b->t->n++;
        return true;
}

static int by_length(const void *a, const void *b)
{
        const struct str *x = &((const struct acl_pat *)a)->s, *y = &((const struct acl_pat *)b)->s;

        return x->n != y->n ? (x->n < y->n ? -1 : 1) : memcmp(x->p, y->p, x->n);
}

static void sort(struct build *b)
{
        if (b->t->match != ACL_STR || b->t->n < SORT_FROM)
                return;
        for (uint32_t i = 0; i < b->t->n; i++) {
                if (b->pat[i].icase)
                        return;
        }
        qsort(b->pat, b->t->n, sizeof(b->pat[0]), by_length);
        b->t->sorted = true;
}

const struct acl_test *acl_test_compile(struct kw_call *c, const char *what, const struct word *w, size_t n)
{
        struct build b = { .c = c, .what = what, .w = w, .n = n, .match = -1 };
        enum int_op op = OP_EQ;

        if (n == 0) {
                (void)fail(&b, NULL, "missing fetch keyword");
                return NULL;
        }
        b.t = conf_alloc(c->conf, sizeof(*b.t));
        b.pat = conf_alloc(c->conf, n * sizeof(*b.pat));
        b.t->pat = b.pat;
        if (!take_criterion(&b) || !take_flags(&b) || !settle_match(&b) || !load_files(&b))
                return NULL;
        for (; b.i < n; b.i++) {
                if (!take_pattern(&b, &op))
                        return NULL;
        }
        sort(&b);
        return b.t;
}

/* ---- the row ---- */

static bool name_ok(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char l = chr_lower((unsigned char)s.p[i]);

                if (!(l >= 'a' && l <= 'z') && !chr_is_digit(s.p[i]) && (!s.p[i] || !strchr("-_.:", s.p[i])))
                        return false;
        }
        return s.n > 0;
}

static int acl_parse(struct kw_call *c)
{
        struct acl_cfg *cfg = c->slot;
        struct acl_line *l;
        struct str name;
        char what[128];

        if (!kw_need_args(c, 2, "<name> and <criterion>"))
                return -1;
        name = c->args[0].text;
        if (!name_ok(name) || str_is(name, "or")) {
                (void)kw_fail(c, &c->args[0], "E0731", "error detected while parsing ACL '%.*s' : invalid ACL name",
                              (int)name.n, name.p);
                return -1;
        }
        l = conf_alloc(c->conf, sizeof(*l));
        l->name = conf_intern(c->conf, name);
        (void)snprintf(what, sizeof(what), "ACL '%s'", l->name);
        l->test = acl_test_compile(c, what, c->args + 1, c->n_args - 1);
        words_keep(c->conf, c->args, c->n_args, &l->words);
        l->prev = cfg->last;
        cfg->last = l; /* a refused one, too: its name is known, and nobody complains about it again */
        return l->test ? (int)c->n_args : -1;
}

static void dump_line(const struct acl_line *l, struct buf *out)
{
        if (l->prev)
                dump_line(l->prev, out);
        buf_puts(out, "    acl");
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

static void acl_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct acl_cfg *cfg = slot;

        (void)kw;
        if (cfg->last)
                dump_line(cfg->last, out);
        if (cfg->load)
                buf_printf(out, "    # sets of patterns of load %u\n", cfg->load);
}

static const struct kw rows[] = {
        KW_FN("acl", acl_parse, acl_dump, .manual = "7.1", .apply = KW_NEW, .in_defaults = KW_DEFAULTS_NAMED,
              .args = "<aclname> <criterion> [flags] [operator] [<value>] ...", .sample = "a path -m beg /x /y",
              .help = "Names a test for conditions."),
};
/* Before the tables of rules: a dumped condition must find its ACLs. */
KW_TABLE(acl, KIND_PROXY, struct acl_cfg, rows, .rank = -10);

static const struct acl_row predefined[] = {
        { "FALSE", "always_false" },
        { "HTTP", "req.proto_http" },
        { "HTTP_1.0", "req.ver 1.0" },
        { "HTTP_1.1", "req.ver 1.1" },
        { "HTTP_2.0", "req.ver 2.0" },
        { "HTTP_3.0", "req.ver 3.0" },
        { "HTTP_CONTENT", "req.hdr_val(content-length) gt 0" },
        { "HTTP_URL_ABS", "url -m reg ^[^/:]*://" },
        { "HTTP_URL_SLASH", "url -m beg /" },
        { "HTTP_URL_STAR", "url *" },
        { "LOCALHOST", "src 127.0.0.1/8 ::1" },
        { "METH_CONNECT", "method CONNECT" },
        { "METH_DELETE", "method DELETE" },
        { "METH_GET", "method GET HEAD" },
        { "METH_HEAD", "method HEAD" },
        { "METH_OPTIONS", "method OPTIONS" },
        { "METH_POST", "method POST" },
        { "METH_PUT", "method PUT" },
        { "METH_TRACE", "method TRACE" },
        { "TRUE", "always_true" },
};
ACL_TABLE(predefined, predefined);
