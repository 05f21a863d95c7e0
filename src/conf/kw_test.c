#include "conf/kw_doc.h"
#include "conf/kw_walk.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/conf_test_kinds.h"

static void test_walk(void **st)
{
        struct kw_walk w = { .report = BUF_INIT };

        (void)st;
        kw_walk(&t_opts, &w);
        if (w.failures)
                fail_msg("%.*s", (int)w.report.n, w.report.p);
        assert_true(w.rows >= 35);
        assert_true(w.bad_forms > 100);
        assert_true(w.good_forms > 40);
        buf_fini(&w.report);
}

struct small {
        bool b;
        int i;
        unsigned u;
        const char *s;
};

static int parse(struct kw_call *c)
{
        (void)c;
        return 0;
}

static void test_faults(void **st)
{
        static const struct kw no_dump[] = { KW_FN("x", parse, NULL) };
        static const struct kw no_parse[] = { KW_FN("x", NULL, kw_dump_child) };
        static const struct kw outside[] = {
                { .name = "x", .type = KW_T_INT, .off = sizeof(struct small) - 2, .size = 4 }
        };
        static const struct kw size[] = { { .name = "x", .type = KW_T_FLAG, .size = 4 } };
        static const struct kw twice[] = { KW_FLAG("x", struct small, b), KW_FLAG("x", struct small, b) };
        static const struct kw apart[] = { KW_FLAG("x", struct small, b, .kinds = 1),
                                           KW_FLAG("x", struct small, b, .kinds = 2) };
        static const struct kw vals[] = { KW_ENUM("x", struct small, i, NULL) };
        static const struct kw why[] = { KW_NONE("x", NULL) };
        static const struct kw blanks[] = { KW_FLAG("x  y", struct small, b) };
        static const struct kw blank_end[] = { KW_FLAG("x ", struct small, b) };
        static const struct kw empty[] = { KW_INT("x", struct small, i, 2, 1) };
        static const struct kw nowhere[] = { KW_FLAG("x", struct small, b, .kinds = 4) };
        static const struct kw bit[] = { KW_BITS("x", struct small, u, 0) };
        static const struct {
                const struct kw *rows;
                size_t n;
                const char *part;
        } cases[] = {
                { no_dump, 1, "dump" },     { no_parse, 1, "parse" }, { outside, 1, "outside" },
                { size, 1, "size" },        { twice, 2, "two rows" }, { apart, 2, NULL },
                { vals, 1, "values" },      { why, 1, "why" },        { blanks, 1, "blanks" },
                { blank_end, 1, "blanks" }, { empty, 1, "range" },    { nowhere, 1, "no kind" },
                { bit, 1, "bit" },
        };
        int index = -1;

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                struct kw_table t = { .name = "t",
                                      .kinds = 3,
                                      .size = sizeof(struct small),
                                      .rows = cases[i].rows,
                                      .n_rows = cases[i].n,
                                      .ret_index = &index };
                const char *why_not = kw_table_fault(&t);

                if (!cases[i].part)
                        assert_null(why_not);
                else if (!why_not || !strstr(why_not, cases[i].part))
                        fail_msg("case %zu: got %s", i, why_not ? why_not : "nothing");
        }
}

/* A table that a bad row got into stops the program at boot, before a file is read. */
static const struct kw late_rows[] = { { .name = "daemon", .type = KW_T_FN, .parse = parse, .dump = kw_dump_child } };
static int late_slot;
static struct kw_table late_table = {
        .name = "late", .kinds = 0, .ret_index = &late_slot, .rows = late_rows, .n_rows = 0
};
static struct kw_table *const late_reg __attribute__((used, section("telamon_kw"))) = &late_table;

static void test_abort(void **st)
{
        int status;
        pid_t pid = fork();

        (void)st;
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)close(STDERR_FILENO); /* the message is expected */
                (void)signal(SIGABRT, SIG_DFL);
                late_table.kinds = K_GLOBAL; /* "daemon" is there already */
                late_table.n_rows = 1;
                kw_boot();
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        late_table.kinds = K_GLOBAL; /* without rows it is a table like any other */
}

static void test_nearest(void **st)
{
        static const char *const names[] = { "bind", "balance", "mode", "tfo", "timeout", NULL };

        (void)st;
        assert_string_equal(kw_nearest(STR("bnd"), names), "bind");
        assert_string_equal(kw_nearest(STR("blance"), names), "balance");
        assert_string_equal(kw_nearest(STR("tiemout"), names), "timeout");
        assert_null(kw_nearest(STR("xyzzy"), names));
        assert_string_equal(kw_nearest(STR("foo"), (const char *const[]){ "tfo", "fox", NULL }), "fox");
        assert_null(kw_nearest(STR("foo"), names)); /* two changes of three bytes are another word */
        assert_null(kw_nearest(STR("b"), names));
}

static void test_values(void **st)
{
        static const struct {
                int ms;
                const char *text;
        } times[] = { { 0, "0" },        { 1, "1ms" },       { 1500, "1500ms" },
                      { 10000, "10s" },  { 60000, "1m" },    { 90000, "90s" },
                      { 7200000, "2h" }, { 86400000, "1d" }, { INT32_MAX, "2147483647ms" } };
        static const struct {
                uint64_t n;
                const char *text;
        } sizes[] = { { 0, "0" },        { 1000, "1000" },     { 1024, "1k" },
                      { 1 << 20, "1m" }, { 3ull << 30, "3g" }, { 1025, "1025" } };

        (void)st;
        for (size_t i = 0; i < array_len(times); i++) {
                AUTO_BUF(b);

                kw_dump_time(&b, times[i].ms);
                assert_true(str_is(buf_view(&b), times[i].text));
        }
        for (size_t i = 0; i < array_len(sizes); i++) {
                AUTO_BUF(b);

                kw_dump_size(&b, sizes[i].n);
                assert_true(str_is(buf_view(&b), sizes[i].text));
        }
}

static void has(const struct buf *b, const char *part)
{
        if (!memmem(b->p, b->n, part, strlen(part)))
                fail_msg("'%s' is missing in:\n%.*s", part, (int)b->n, b->p);
}

static void test_documents(void **st)
{
        AUTO_BUF(man);
        AUTO_BUF(words);

        (void)st;
        kw_manual(&man);
        has(&man, ".SH \"DEFAULTS, FRONTEND, "); /* mostly equal words: one section */
        has(&man, ".SH \"SERVER, DEFAULT-SERVER\"\n");
        has(&man, "\\fBtimeout client\\fR <time>\nInactivity on the client side.\n");
        has(&man, "A change applies to new connections and requests.\n(4.2)\n");
        has(&man, "\\fBmode\\fR tcp|http\n");
        has(&man, "\\fBtune.bufsize\\fR <size>\nBytes of a buffer.\nRange: 1k to 1g.\nDefault: 16k.\n");
        has(&man, "Not supported: Lua is not built in.\n");
        kw_completion(&words);
        has(&words, "server\tweight\n");
        has(&words, "global\ttune.bufsize\n");
        assert_null(memmem(words.p, words.n, "lua-load", 8)); /* what does not work is not offered */
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_abort),  cmocka_unit_test(test_walk),
                                            cmocka_unit_test(test_faults), cmocka_unit_test(test_nearest),
                                            cmocka_unit_test(test_values), cmocka_unit_test(test_documents) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
