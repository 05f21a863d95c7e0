/* Every version of the lines' loops against none at all: the long way decides what is right, byte by byte of what is parsed and of what is
 * sent. Heads are made at random, of every length, and broken at random. */
#include "proto/h1_lines.h"

#include "proto/h1_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint32_t state = 1;

static uint32_t any(uint32_t n)
{
        state = state * 1664525U + 1013904223U;
        return (state >> 8) % n;
}

static uint32_t take_none(struct hmsg *m, char *b, uint32_t i, uint32_t len)
{
        (void)m, (void)b, (void)len;
        return i;
}

static uint32_t judge_none(const char *b, uint32_t n, const struct hfield *f, const struct hfield *stop,
                           const struct hfield *also, struct h1_run *ret_run)
{
        (void)b, (void)n, (void)f, (void)stop, (void)also, (void)ret_run;
        return 0;
}

static const struct h1_lines none = { "none", take_none, judge_none };

/* ---- heads ---- */

struct text {
        char p[8192];
        uint32_t n;
};

static void add(struct text *t, const char *s)
{
        size_t n = strlen(s);

        memcpy(t->p + t->n, s, n);
        t->n += (uint32_t)n;
}

static void add_any(struct text *t, const char *bytes, uint32_t n)
{
        for (uint32_t len = (uint32_t)strlen(bytes); n > 0; n--)
                t->p[t->n++] = bytes[any(len)];
}

static void add_line(struct text *t)
{
        static const char *const known[] = {
                "Host",       "Accept", "content-type",      "User-Agent", "X-Forwarded-Proto",
                "Connection", "TE",     "If-Modified-Since", "Via",        "x-request-id"
        };

        if (any(2))
                add(t, known[any(array_len(known))]);
        else
                add_any(t, "abcXYZ019-_.!~", 1 + any(40));
        add(t, any(20) ? ": " : any(2) ? ":" : ":  ");
        if (any(10))
                add_any(t, "abcdefghi jkl/;=\xe4,.:\"", any(100));
        if (any(20) == 0)
                add(t, any(2) ? "\ta" : " ");
        add(t, any(40) ? "\r\n" : "\n");
}

static void make(struct text *t)
{
        static const char odd[] = "\r\n\t\0 :A\x7f\x1f\x80\xff";

        t->n = 0;
        add(t, "GET /");
        add_any(t, "abc", any(70));
        add(t, " HTTP/1.1\r\n");
        for (uint32_t i = any(20); i > 0; i--)
                add_line(t);
        add(t, "\r\n");
        add_any(t, "body \r\n", any(40));
        for (uint32_t i = any(3) ? 0 : 1 + any(2); i > 0; i--)
                t->p[any(t->n)] = odd[any(sizeof(odd) - 1)];
}

/* ---- one head, one version ---- */

struct outcome {
        struct ht t;
        enum h1_verdict v;
        int w;
        char *out;
        size_t n;
};

static void judge(struct outcome *o, const struct text *t, const struct h1_lines *how)
{
        h1_lines = how;
        ht_init(&o->t, HT_REQUEST, HMETH_OTHER, 0);
        o->v = ht_all(&o->t, t->p, t->n);
        o->out = NULL;
        o->n = 0;
        if (o->v == H1_OK) {
                struct h1_wopt w = ht_frame(&o->t.m);
                o->w = ht_write(&o->t.m, &w, &o->out, &o->n);
        }
}

static void forget(struct outcome *o)
{
        free(o->out);
        ht_fini(&o->t);
}

static void same(const struct outcome *a, const struct outcome *b)
{
        assert_int_equal(a->v, b->v);
        assert_int_equal(a->t.h.why, b->t.h.why);
        assert_int_equal(a->t.h.bad_at, b->t.h.bad_at);
        assert_int_equal(a->t.m.nf, b->t.m.nf);
        if (a->t.m.nf)
                assert_memory_equal(a->t.f, b->t.f, a->t.m.nf * sizeof(a->t.f[0]));
        if (a->v != H1_OK)
                return;
        assert_true(a->t.m.have == b->t.m.have && a->t.m.many == b->t.m.many && a->t.m.flags == b->t.m.flags);
        assert_memory_equal(a->t.bytes, b->t.bytes, a->t.m.head_len);
        assert_int_equal(a->w, b->w);
        assert_int_equal(a->n, b->n);
        if (a->n)
                assert_memory_equal(a->out, b->out, a->n);
}

static void test_all_versions_say_the_same(void **st)
{
        const struct h1_lines *how;
        struct outcome want, got;
        struct text t;
        uint32_t good = 0;

        (void)st;
        for (int round = 0; round < 20000; round++) {
                make(&t);
                judge(&want, &t, &none);
                good += want.v == H1_OK;
                for (unsigned i = 0; (how = h1_lines_at(i)) != NULL; i++) {
                        judge(&got, &t, how);
                        same(&want, &got);
                        forget(&got);
                }
                forget(&want);
        }
        assert_true(good > 2000 && good < 18000);
}

static void test_well_known_names(void **st)
{
        const struct h1_lines *how;
        struct outcome want, got;
        struct text t;

        (void)st;
        t.n = 0;
        add(&t, "GET / HTTP/1.1\r\n");
        for (unsigned id = HID_NONE + 1; id < HID_COUNT; id++) {
                struct str name = hmsg_id_name((enum hid)id);

                if (id == HID_CONTENT_LENGTH || id == HID_TRANSFER_ENCODING)
                        continue;
                for (size_t i = 0; i < name.n; i++)
                        t.p[t.n++] = (char)(i % 2 || name.p[i] < 'a' ? name.p[i] : name.p[i] - 0x20);
                add(&t, ": a\r\n");
        }
        add(&t, "\r\n");
        judge(&want, &t, &none);
        assert_int_equal(want.v, H1_OK);
        for (unsigned i = 0; (how = h1_lines_at(i)) != NULL; i++) {
                judge(&got, &t, how);
                same(&want, &got);
                forget(&got);
        }
        forget(&want);
}

/* Each byte at each place of a name and behind it. */
static void test_every_byte_in_a_name(void **st)
{
        static const char *const names[] = { "x-Ours", "Cookie", "content-encoding-of-ours" };
        const struct h1_lines *how;
        struct outcome want, got;
        struct text t;

        (void)st;
        for (unsigned i = 0; (how = h1_lines_at(i)) != NULL; i++) {
                for (unsigned at = 0; at < 3 * 32 * 256; at++) {
                        const char *name = names[at / 256 / 32];
                        uint32_t start, place = at / 256 % 32;

                        t.n = 0;
                        add(&t, "GET / HTTP/1.1\r\nAccept: a\r\n");
                        start = t.n;
                        add(&t, name);
                        add(&t, ": value\r\nVia: some more words so that it is long enough\r\n\r\n");
                        if (place >= strlen(name) + 6)
                                continue;
                        t.p[start + place] = (char)(at % 256);
                        judge(&want, &t, &none);
                        judge(&got, &t, how);
                        same(&want, &got);
                        forget(&want);
                        forget(&got);
                }
        }
}

/* ---- the second look ---- */

/* What a parser with a bug would hand to the writer: each byte of a good head broken after it was parsed, each offset moved. */
static void break_byte(const struct h1_lines *how, const char *s, uint32_t at, char c)
{
        struct ht t;
        struct h1_wopt o;
        char *out[2] = { NULL, NULL };
        size_t n[2] = { 0, 0 };
        int w[2];

        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
        h1_lines = &none;
        assert_int_equal(ht_all(&t, s, (uint32_t)strlen(s)), H1_OK);
        o = ht_frame(&t.m);
        t.bytes[at] = c;
        w[0] = ht_write(&t.m, &o, &out[0], &n[0]);
        h1_lines = how;
        w[1] = ht_write(&t.m, &o, &out[1], &n[1]);
        assert_int_equal(w[0], w[1]);
        assert_int_equal(n[0], n[1]);
        if (w[0] == 0)
                assert_memory_equal(out[0], out[1], n[0]);
        free(out[0]);
        free(out[1]);
        ht_fini(&t);
}

static void test_a_broken_byte_is_refused_alike(void **st)
{
        static const char head[] =
                "GET /some/where?x=1 HTTP/1.1\r\nHost: www.example.org\r\nAccept: */*\r\nX-A_Long-Name.Of-Ours: value "
                "with words\r\nVia: 1.1 a\r\nx: y\r\n\r\n";
        static const char odd[] = { '\r', '\n', '\0', '\t', ' ', ':', 'A', 'a', '\x7f', '\x1f', '\x80', '(', '-' };
        const struct h1_lines *how;

        (void)st;
        for (unsigned i = 0; (how = h1_lines_at(i)) != NULL; i++)
                for (uint32_t at = 0; at < sizeof(head) - 1; at++)
                        for (size_t k = 0; k < sizeof(odd); k++)
                                break_byte(how, head, at, odd[k]);
}

static int moved(const struct h1_lines *how, unsigned which, int by)
{
        static const char head[] = "GET / HTTP/1.1\r\nHost: www.example.org\r\nAccept: */*\r\nCookie: a=b\r\n\r\n";
        struct ht t;
        struct h1_wopt o;
        char *out = NULL;
        size_t n;
        int w;

        h1_lines = how;
        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
        assert_int_equal(ht_all(&t, head, sizeof(head) - 1), H1_OK);
        o = ht_frame(&t.m);
        switch (which) {
        case 0: t.f[1].name += (uint32_t)by; break;
        case 1: t.f[1].val += (uint32_t)by; break;
        case 2: t.f[1].vlen += (uint32_t)by; break;
        default: t.f[1].nlen = (uint16_t)(t.f[1].nlen + by); break;
        }
        w = ht_write(&t.m, &o, &out, &n);
        free(out);
        ht_fini(&t);
        return w;
}

static void test_a_moved_offset_is_refused(void **st)
{
        static const int by[] = { -1000000, -8, -2, -1, 1, 2, 3, 8, 9, 40, 100, 1000000, INT32_MAX };
        const struct h1_lines *how;

        (void)st;
        for (unsigned i = 0; (how = h1_lines_at(i)) != NULL; i++)
                for (unsigned which = 0; which < 4; which++)
                        for (size_t k = 0; k < array_len(by); k++)
                                assert_true(moved(how, which, by[k]) < 0);
}

static int restore(void **st)
{
        const struct h1_lines *best = NULL;

        (void)st;
        for (unsigned i = 0; h1_lines_at(i); i++)
                best = h1_lines_at(i);
        h1_lines = best;
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_all_versions_say_the_same, restore),
                cmocka_unit_test_teardown(test_well_known_names, restore),
                cmocka_unit_test_teardown(test_every_byte_in_a_name, restore),
                cmocka_unit_test_teardown(test_a_broken_byte_is_refused_alike, restore),
                cmocka_unit_test_teardown(test_a_moved_offset_is_refused, restore),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
