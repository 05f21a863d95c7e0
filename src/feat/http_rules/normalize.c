/* feat/http_rules/normalize.c - see normalize.h. */
#include "feat/http_rules/normalize.h"

#include <errno.h>
#include <limits.h>

struct out {
        char *p;
        size_t n, room;
        bool full;
};

static void put(struct out *o, struct str s)
{
        if (s.n > o->room - o->n) {
                o->full = true;
                return;
        }
        if (s.n)
                memmove(o->p + o->n, s.p, s.n);
        o->n += s.n;
}

static int end(const struct out *o)
{
        return o->full ? -ENOSPC : (int)o->n;
}

static struct str from(struct str s, size_t at)
{
        return str_sub(s, at, s.n - at);
}

/* Where path, or path and query, end. */
static size_t find(struct str s, char a, char b)
{
        size_t i = 0;

        while (i < s.n && s.p[i] != a && s.p[i] != b)
                i++;
        return i;
}

/* ---- fragments ---- */

static int fragment_strip(struct str in, bool option, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };

        (void)option;
        put(&o, str_sub(in, 0, find(in, '#', '#')));
        return end(&o);
}

static int fragment_encode(struct str in, bool option, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };

        (void)option;
        for (size_t i = 0; i < in.n; i++)
                put(&o, in.p[i] == '#' ? STR("%23") : str_sub(in, i, 1));
        return end(&o);
}

/* ---- percent encoding ---- */

static int hex_digit(char ch)
{
        unsigned v = (unsigned char)ch;

        return v - '0' < 10 ? (int)(v - '0') : (v | 32) - 'a' < 6 ? (int)((v | 32) - 'a') + 10 : -1;
}

/* The byte that stands percent-encoded at i, or -1. */
static int encoded_at(struct str s, size_t i)
{
        int hi, lo;

        if (s.p[i] != '%' || s.n - i < 3)
                return -1;
        hi = hex_digit(s.p[i + 1]);
        lo = hex_digit(s.p[i + 2]);
        return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

static bool is_unreserved(int ch) /* RFC 3986 2.3 */
{
        return (ch | 32) - 'a' >= 0 ? ((ch | 32) - 'a' < 26 && ch < 128 && (ch & 64)) || ch == '_' || ch == '~'
                                    : (ch >= '0' && ch <= '9') || ch == '-' || ch == '.';
}

static void put_upper(struct out *o, struct str three)
{
        char up[3];

        for (int i = 0; i < 3; i++)
                up[i] = three.p[i] >= 'a' ? (char)(three.p[i] - 32) : three.p[i];
        put(o, (struct str){ up, 3 });
}

/* Every "%XX" is decoded when `decode` and it stands for an unreserved byte, or written with capitals when not `decode`. */
static int percent(struct str in, bool strict, bool decode, struct out *o)
{
        for (size_t i = 0; i < in.n; i++) {
                int v = encoded_at(in, i);
                char ch = (char)v;

                if (v < 0 && strict && in.p[i] == '%')
                        return -EINVAL;
                if (v < 0) {
                        put(o, str_sub(in, i, 1));
                        continue;
                }
                if (!decode)
                        put_upper(o, str_sub(in, i, 3));
                else
                        put(o, is_unreserved(v) ? (struct str){ &ch, 1 } : str_sub(in, i, 3));
                i += 2;
        }
        return end(o);
}

static int percent_decode(struct str in, bool strict, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };

        return percent(in, strict, true, &o);
}

static int percent_upper(struct str in, bool strict, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };

        return percent(in, strict, false, &o);
}

/* ---- path ---- */

static int merge_slashes(struct str in, bool option, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };
        size_t n = find(in, '?', '#');

        (void)option;
        for (size_t i = 0; i < n; i++)
                if (i == 0 || in.p[i] != '/' || in.p[i - 1] != '/')
                        put(&o, str_sub(in, i, 1));
        put(&o, from(in, n));
        return end(&o);
}

/* A segment and the slash that ends it, if one does. */
static struct str segment(struct str path, size_t at)
{
        size_t i = at;

        while (i < path.n && path.p[i] != '/')
                i++;
        return str_sub(path, at, i - at + (i < path.n));
}

static int strip_dot(struct str in, bool option, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };
        struct str path = str_sub(in, 0, find(in, '?', '#')), s;

        (void)option;
        for (size_t at = 0; at < path.n; at += s.n) {
                s = segment(path, at);
                if (!str_is(s, "./") && !str_is(s, "."))
                        put(&o, s);
        }
        put(&o, from(in, path.n));
        return end(&o);
}

/* Takes the last segment of what was written, "/a/b/" -> "/a/"; false: there is none but the root, or it is a ".." itself. */
static bool take_back(struct out *o)
{
        size_t i = o->n;

        if (o->n < 2 || (o->n >= 4 && memcmp(o->p + o->n - 4, "/../", 4) == 0))
                return false;
        i--;
        while (i > 0 && o->p[i - 1] != '/')
                i--;
        o->n = i;
        return true;
}

static int strip_dotdot(struct str in, bool full, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };
        struct str path = str_sub(in, 0, find(in, '?', '#')), s;

        for (size_t at = 0; at < path.n; at += s.n) {
                s = segment(path, at);
                if ((!str_is(s, "../") && !str_is(s, "..")) || (!take_back(&o) && !full))
                        put(&o, s);
        }
        put(&o, from(in, path.n));
        return end(&o);
}

/* ---- query ---- */

static struct str param(struct str q, size_t at)
{
        return str_sub(q, at, find(from(q, at), '&', '&'));
}

static struct str param_name(struct str p)
{
        return str_sub(p, 0, find(p, '=', '='));
}

/* Shorter names first, then by their bytes. */
static int name_cmp(struct str a, struct str b)
{
        struct str x = param_name(a), y = param_name(b);
        int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

        return c ? c : (x.n > y.n) - (x.n < y.n);
}

enum { PARAMS_MAX = 1024 };

static size_t split(struct str q, struct str *p)
{
        size_t n = 0;

        for (size_t at = 0; at <= q.n && n < PARAMS_MAX; at += p[n - 1].n + 1)
                p[n++] = param(q, at);
        return n;
}

/* Stable: those of one name keep their order. Merges runs of doubling length; `tmp` is as long as p. */
static void sort(struct str *p, size_t n, struct str *tmp)
{
        for (size_t run = 1; run < n; run *= 2) {
                for (size_t lo = 0; lo < n; lo += 2 * run) {
                        size_t mid = lo + run < n ? lo + run : n, hi = lo + 2 * run < n ? lo + 2 * run : n;
                        size_t a = lo, b = mid;

                        for (size_t k = lo; k < hi; k++)
                                tmp[k] = b >= hi || (a < mid && name_cmp(p[a], p[b]) <= 0) ? p[a++] : p[b++];
                }
                memcpy(p, tmp, n * sizeof(*p));
        }
}

static int query_sort(struct str in, bool option, char *dst, size_t room)
{
        struct out o = { .p = dst, .room = room };
        size_t before = find(in, '?', '#'), n = 0;
        struct str p[PARAMS_MAX], tmp[PARAMS_MAX], q = from(in, before), fragment;

        (void)option;
        fragment = from(q, find(q, '#', '#'));
        q.n -= fragment.n;
        put(&o, str_sub(in, 0, before + (q.n > 0)));
        if (q.n)
                n = split(from(q, 1), p);
        if (n == PARAMS_MAX) /* a made-up query; as it was rather than half sorted */
                return -ENOSPC;
        sort(p, n, tmp);
        for (size_t i = 0; i < n; i++) {
                if (i)
                        put(&o, STR("&"));
                put(&o, p[i]);
        }
        put(&o, fragment);
        return end(&o);
}

static const struct normalizer rows[] = {
        { "fragment-encode", NULL, fragment_encode, "\"#\" becomes \"%23\"" },
        { "fragment-strip", NULL, fragment_strip, "takes the fragment off" },
        { "path-merge-slashes", NULL, merge_slashes, "several slashes in a row become one" },
        { "path-strip-dot", NULL, strip_dot, "takes \".\" segments out" },
        { "path-strip-dotdot", "full", strip_dotdot, "\"..\" takes the segment before it away" },
        { "percent-decode-unreserved", "strict", percent_decode, "decodes letters, digits and -._~" },
        { "percent-to-uppercase", "strict", percent_upper, "capitals in percent encoding" },
        { "query-sort-by-name", NULL, query_sort, "sorts parameters by name" },
};

const struct normalizer *normalizer_find(struct str name)
{
        for (size_t i = 0; i < array_len(rows); i++)
                if (str_is(name, rows[i].name))
                        return &rows[i];
        return NULL;
}

const struct normalizer *normalizers(size_t *ret_n)
{
        *ret_n = array_len(rows);
        return rows;
}
