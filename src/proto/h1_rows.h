/* proto/h1_rows.h - table-driven tests of heads: bytes, expected verdict, expected bytes on the way out. Every row is
 * fed at once, byte by byte and in threes; the verdict, the reason and the output must not depend on the cut. */
#ifndef PROTO_H1_ROWS_H
#define PROTO_H1_ROWS_H

#include "proto/h1_testing.h"

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct row {
        const char *in;
        uint32_t n;
        int verdict;
        int why;
        const char *out; /* NULL: not looked at */
};

#define R_OK(in, out)                                                                                                  \
        {                                                                                                              \
                in, sizeof(in) - 1, H1_OK, H1_WHY_NONE, out                                                            \
        }
#define R_BAD(in, why)                                                                                                 \
        {                                                                                                              \
                in, sizeof(in) - 1, H1_BAD, H1_WHY_##why, NULL                                                         \
        }
#define R_MORE(in)                                                                                                     \
        {                                                                                                              \
                in, sizeof(in) - 1, H1_MORE, H1_WHY_NONE, NULL                                                         \
        }

static inline void row_fail(const struct row *r, uint32_t step, const char *what, int got)
{
        print_error("row \"%.*s\" in steps of %u: %s (got %d: %s)\n", (int)r->n, r->in, step, what, got,
                    got >= 0 && got < H1_WHY_COUNT ? h1_why_text((enum h1_why)got) : "");
        fail();
}

static inline void row_run(const struct row *r, enum ht_kind kind, enum hmeth req, uint32_t step)
{
        struct ht t;

        ht_init(&t, kind, req, 0);
        enum h1_verdict v = ht_pieces(&t, r->in, r->n, step);
        if ((int)v != r->verdict)
                row_fail(r, step, "verdict", v == H1_BAD ? t.h.why : (int)v);
        if (t.h.why != r->why)
                row_fail(r, step, "reason", t.h.why);
        if (v == H1_OK && r->out) {
                struct h1_wopt o = ht_frame(&t.m);
                char *s;
                size_t n;

                if (t.m.upgrade != HUPGRADE_NONE)
                        o.flags |= H1_WRITE_UPGRADE;
                int w = ht_write(&t.m, kind == HT_TRAILERS ? NULL : &o, &s, &n);
                if (w != 0)
                        row_fail(r, step, "write", w);
                assert_string_equal(s, r->out);
                free(s);
        }
        ht_fini(&t);
}

static inline void rows_run(const struct row *rows, size_t n, enum ht_kind kind, enum hmeth req)
{
        for (size_t i = 0; i < n; i++) {
                row_run(&rows[i], kind, req, UINT32_MAX);
                row_run(&rows[i], kind, req, 1);
                row_run(&rows[i], kind, req, 3);
        }
}

#endif
