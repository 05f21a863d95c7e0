/* core/vars_test.c - names, scopes and when they begin and end, conditions, limits, values that alias, proc.x from several threads. */
#include "core/vars.h"
#include "base/slab.h"
#include "core/retire.h"
#include "core/sess.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct place { /* a stream on a connection, with what a rule of it sees */
        struct sess ss;
        struct strm s;
        struct expr_ctx x;
};

static void place_init(struct place *p)
{
        memset(p, 0, sizeof(*p));
        p->s.sess = &p->ss;
        p->x = (struct expr_ctx){ .strm = &p->s, .sess = &p->ss, .final = true };
}

static void place_fini(struct place *p)
{
        expr_state_fini(&p->s);
        sess_more_fini(&p->ss);
}

static const struct var_name *named(const char *text)
{
        char why[VAR_WHY_MAX];
        const struct var_name *n = var_name_parse(str_of(text), why);

        assert_non_null(n);
        return n;
}

static bool set_str(const struct place *p, const char *name, const char *value)
{
        struct smp s;

        smp_str(&s, str_of(value));
        return var_set(named(name), &p->x, &s);
}

static bool set_int(const struct place *p, const char *name, unsigned conds, int64_t value)
{
        struct smp s;

        smp_int(&s, value);
        return var_set_if(named(name), conds, &p->x, &s);
}

static bool is_str(const struct place *p, const char *name, const char *value)
{
        struct smp s;

        return var_get(named(name), &p->x, &s) && s.type == SMP_STR &&
               str_eq((struct str){ s.s.p, s.s.n }, str_of(value));
}

static bool is_int(const struct place *p, const char *name, int64_t value)
{
        struct smp s;

        return var_get(named(name), &p->x, &s) && s.type == SMP_SINT && s.i == value;
}

static bool is_set(const struct place *p, const char *name)
{
        struct smp s;

        return var_get(named(name), &p->x, &s);
}

/* ---- names ---- */

static void names_are_checked(void **st)
{
        static const struct {
                const char *text, *why;
        } wrong[] = {
                { "", "Empty variable name cannot be accepted" },
                { "x", "invalid variable name 'x'. A variable name must start with its scope" },
                { "foo.x", "invalid variable name 'foo.x'" },
                { "txn.", "invalid variable name 'txn.'" },
                { ".x", "invalid variable name '.x'" },
                { "txnx", "invalid variable name 'txnx'" },
                { "txn.a-b", "invalid syntax at char '-'" },
                { "txn.a b", "invalid syntax at char ' '" },
                { "TXN.a", "invalid variable name 'TXN.a'" },
        };
        char why[VAR_WHY_MAX], big[1100] = "txn.";
        const struct var_name *n;

        (void)st;
        for (size_t i = 0; i < array_len(wrong); i++) {
                assert_null(var_name_parse(str_of(wrong[i].text), why));
                if (!strstr(why, wrong[i].why))
                        fail_msg("%s: %s", wrong[i].text, why);
        }
        memset(big + 4, 'a', 1000);
        n = named(big);
        assert_ptr_equal(n, named(big));
        assert_true(str_is(var_text(n), big));
        memcpy(big, "txx.", 4);
        assert_null(var_name_parse(str_of(big), why));
        assert_true(strlen(why) < VAR_WHY_MAX - 1);
        assert_int_equal(var_scope_of(named("ptxn.A_9.b")), VAR_PTXN);
        assert_ptr_not_equal(named("txn.a"), named("req.a"));
}

static void actions_name_them(void **st)
{
        static const struct {
                const char *word, *why;
        } wrong[] = {
                { "set-var", "invalid or incomplete action 'set-var'. Expects 'set-var(<var-name>)'" },
                { "set-var(txn.a", "incomplete argument after action 'set-var(txn.a'. Expects" },
                { "set-var()", "Empty variable name" },
                { "set-var(txn.a,foo)", "unknown condition \"foo\"" },
                { "set-var(txn.a,ifset,ifsett)", "unknown condition \"ifsett\"" },
                { "unset-var(txn.a,ifset)", "unset-var does not expect parameters after the variable name." },
        };
        struct var_use u;
        char why[VAR_WHY_MAX];

        (void)st;
        for (size_t i = 0; i < array_len(wrong); i++) {
                assert_false(var_use_parse(str_of(wrong[i].word), &u, why));
                if (!strstr(why, wrong[i].why))
                        fail_msg("%s: %s", wrong[i].word, why);
        }
        assert_true(var_use_parse(STR("set-var-fmt(txn.a,ifset,,iflt)"), &u, why));
        assert_ptr_equal(u.name, named("txn.a"));
        assert_int_equal(u.conds, VAR_IF_SET | VAR_IF_LT);
        assert_true(var_use_parse(STR("unset-var(txn.a)"), &u, why));
        assert_int_equal(u.conds, 0);
}

/* ---- scopes ---- */

static void scopes_are_apart(void **st)
{
        struct place a, b;

        (void)st;
        place_init(&a);
        place_init(&b);
        assert_true(set_str(&a, "sess.v", "sess"));
        assert_true(set_str(&a, "txn.v", "txn"));
        assert_true(set_str(&a, "req.v", "req"));
        assert_true(set_str(&a, "proc.v", "proc"));
        assert_false(set_str(&a, "res.v", "res"));
        assert_false(set_str(&a, "check.v", "check"));
        assert_false(set_str(&a, "ptxn.v", "ptxn"));
        assert_true(is_str(&a, "sess.v", "sess"));
        assert_true(is_str(&a, "txn.v", "txn"));
        assert_true(is_str(&a, "req.v", "req"));
        assert_true(is_str(&b, "proc.v", "proc"));
        assert_false(is_set(&b, "sess.v"));
        assert_false(is_set(&b, "txn.v"));
        place_fini(&a);
        place_fini(&b);
        var_unset(named("proc.v"), &a.x);
}

static void a_request_ends_where_its_answer_begins(void **st)
{
        struct place a;

        (void)st;
        place_init(&a);
        assert_true(set_int(&a, "req.v", 0, 1));
        a.s.step = STRM_SERVER;
        assert_false(is_set(&a, "req.v"));
        assert_true(set_int(&a, "res.v", 0, 2));
        assert_true(is_int(&a, "res.v", 2));
        a.s.step = STRM_END; /* the log line: it stays an answer */
        assert_true(is_int(&a, "res.v", 2));
        assert_false(set_int(&a, "req.v", 0, 1));
        place_fini(&a);

        place_init(&a); /* answered here: no server was looked for */
        assert_true(set_int(&a, "req.v", 0, 1));
        a.s.step = STRM_ANSWER;
        assert_true(is_int(&a, "req.v", 1));
        a.x.have = EXPR_RSP_HEAD;
        assert_false(is_set(&a, "req.v"));
        assert_true(set_int(&a, "res.v", 0, 3));
        a.x.have = 0;
        assert_true(is_int(&a, "res.v", 3));
        place_fini(&a);
}

static void rules_of_a_connection_have_no_stream(void **st)
{
        struct place a;

        (void)st;
        place_init(&a);
        a.x.strm = NULL;
        assert_true(set_int(&a, "sess.v", 0, 1));
        assert_true(is_int(&a, "sess.v", 1));
        assert_false(set_int(&a, "txn.v", 0, 1));
        assert_false(is_set(&a, "txn.v"));
        var_unset(named("txn.v"), &a.x);
        a.x.sess = NULL;
        assert_false(set_int(&a, "sess.v", 0, 1));
        place_fini(&a);
}

static void checks_bring_their_own(void **st)
{
        struct vars *check = NULL, *other = NULL;
        struct expr_check c = { .vars = &check }, d = { .vars = &other };
        struct place a = { .x = { .check = &c } }, b = { .x = { .check = &d } }, live;

        (void)st;
        place_init(&live);
        assert_true(set_int(&a, "check.v", 0, 1));
        assert_true(set_int(&a, "proc.v", 0, 5));
        assert_true(is_int(&live, "proc.v", 5));
        assert_true(is_int(&b, "proc.v", 5));
        assert_false(is_set(&b, "check.v"));
        assert_true(set_int(&b, "check.v", 0, 2));
        assert_true(is_int(&a, "check.v", 1));
        assert_false(set_int(&a, "txn.v", 0, 1));
        vars_fini(check);
        vars_fini(other);
        var_unset(named("proc.v"), &live.x);
        assert_false(is_set(&live, "proc.v"));
}

/* ---- values ---- */

static void values_keep_type_and_bytes(void **st)
{
        static const char *const where[] = { "txn.v", "proc.v" };
        char text[] = "first", big[5000];
        struct place a;
        struct smp s, back = { .type = SMP_ANY };

        (void)st;
        memset(big, 'b', sizeof(big));
        place_init(&a);
        for (size_t i = 0; i < array_len(where); i++) {
                const struct var_name *n = named(where[i]);

                smp_str(&s, str_of(text));
                assert_true(var_set(n, &a.x, &s));
                text[0] = 'X';
                assert_true(is_str(&a, where[i], "first"));
                text[0] = 'f';
                smp_bool(&s, true);
                assert_true(var_set(n, &a.x, &s) && var_get(n, &a.x, &back));
                assert_true(back.type == SMP_BOOL && back.b);
                s = (struct smp){ .type = SMP_IPV6, .ip6.s6_addr = { 1, [15] = 2 } };
                assert_true(var_set(n, &a.x, &s) && var_get(n, &a.x, &back));
                assert_true(back.type == SMP_IPV6 && memcmp(&back.ip6, &s.ip6, 16) == 0);
                s = (struct smp){ .type = SMP_METH, .m = { 3, "PATCH", 5 } };
                assert_true(var_set(n, &a.x, &s) && var_get(n, &a.x, &back));
                assert_true(back.type == SMP_METH && back.m.meth == 3 && back.m.n == 5 &&
                            memcmp(back.m.p, "PATCH", 5) == 0);
                s = (struct smp){ .type = SMP_BIN, .s = { big, sizeof(big), 0 } };
                assert_true(var_set(n, &a.x, &s) && var_get(n, &a.x, &back));
                assert_true(back.type == SMP_BIN && back.s.n == sizeof(big) && memcmp(back.s.p, big, 5000) == 0);
                smp_str(&s, STR(""));
                assert_true(var_set(n, &a.x, &s) && is_str(&a, where[i], ""));
                var_unset(n, &a.x);
                var_unset(n, &a.x);
                assert_false(is_set(&a, where[i]));
        }
        place_fini(&a);
}

/* set-var(txn.v) var(txn.v),bytes(2,300): the value is a part of the variable. */
static void a_part_of_itself(void **st)
{
        const struct var_name *n = named("txn.v");
        struct place a;
        struct smp s;
        char big[600];

        (void)st;
        for (size_t i = 0; i < sizeof(big); i++)
                big[i] = (char)('a' + i % 26);
        place_init(&a);
        smp_str(&s, (struct str){ big, sizeof(big) });
        assert_true(var_set(n, &a.x, &s) && var_get(n, &a.x, &s));
        s.s.p += 2;
        s.s.n = 300;
        assert_true(var_set(n, &a.x, &s) && var_get(n, &a.x, &s));
        assert_true(s.s.n == 300 && memcmp(s.s.p, big + 2, 300) == 0);
        place_fini(&a);
}

static void too_many_bytes_change_nothing(void **st)
{
        char *big = calloc(1, MEM_MAX + 1);
        struct place a;
        struct smp s;

        (void)st;
        place_init(&a);
        assert_true(set_int(&a, "txn.v", 0, 1));
        assert_true(set_int(&a, "proc.v", 0, 1));
        smp_str(&s, (struct str){ big, MEM_MAX + 1 });
        assert_false(var_set(named("txn.v"), &a.x, &s));
        assert_false(var_set(named("txn.new"), &a.x, &s));
        assert_false(var_set(named("proc.v"), &a.x, &s));
        assert_true(is_int(&a, "txn.v", 1));
        assert_true(is_int(&a, "proc.v", 1));
        assert_false(is_set(&a, "txn.new"));
        place_fini(&a);
        var_unset(named("proc.v"), &a.x);
        free(big);
}

static void conditions_hold_or_not(void **st)
{
        struct place a;
        struct smp s;

        (void)st;
        place_init(&a);
        assert_false(set_int(&a, "txn.v", VAR_IF_EXISTS, 5));
        assert_false(set_int(&a, "txn.v", VAR_IF_SET, 5));
        assert_true(set_int(&a, "txn.v", VAR_IF_NOT_EXISTS | VAR_IF_NOT_SET, 5));
        assert_false(set_int(&a, "txn.v", VAR_IF_NOT_EXISTS, 6));
        assert_false(set_int(&a, "txn.v", VAR_IF_NOT_SET, 6));
        assert_false(set_int(&a, "txn.v", VAR_IF_GT, 5));
        assert_false(set_int(&a, "txn.v", VAR_IF_LT, 5));
        assert_false(set_int(&a, "txn.v", VAR_IF_EMPTY, 5));
        assert_true(set_int(&a, "txn.v", VAR_IF_GT | VAR_IF_SET, 4));
        assert_true(set_int(&a, "txn.v", VAR_IF_LT | VAR_IF_EXISTS, 6));
        smp_str(&s, STR(""));
        assert_false(var_set_if(named("txn.v"), VAR_IF_NOT_EMPTY, &a.x, &s));
        assert_true(var_set_if(named("txn.v"), VAR_IF_EMPTY | VAR_IF_GT, &a.x, &s));
        assert_true(set_int(&a, "txn.v", VAR_IF_GT | VAR_IF_LT, 7)); /* not both integers: void */
        var_unset(named("txn.v"), &a.x);
        assert_true(set_int(&a, "txn.v", VAR_IF_NOT_SET, 8));
        assert_true(set_int(&a, "proc.v", VAR_IF_EXISTS, 1));
        assert_false(set_int(&a, "proc.v", VAR_IF_NOT_EXISTS, 2));
        assert_false(set_int(&a, "proc.v", VAR_IF_GT, 2));
        var_unset(named("proc.v"), &a.x);
        assert_false(set_int(&a, "proc.v", VAR_IF_SET, 2));
        place_fini(&a);
}

/* ---- limits: COST is 88 a variable ---- */

static void each_limit_counts(const struct var_limits *l, const char *first, const char *second)
{
        static const struct var_limits none;
        struct vars *check = NULL;
        struct expr_check c = { .vars = &check };
        struct place a;

        place_init(&a);
        a.x.check = &c;
        var_limits_set(l);
        assert_true(set_str(&a, first, "0123456789"));
        assert_false(set_int(&a, second, 0, 1));
        assert_false(is_set(&a, second));
        assert_false(set_str(&a, first, "0123456789012345678901234567890"));
        assert_true(is_str(&a, first, "0123456789"));
        assert_true(set_str(&a, first, "01234567890123456789")); /* 108: as much as there is */
        assert_false(set_str(&a, first, "012345678901234567890"));
        var_unset(named(first), &a.x);
        assert_true(set_int(&a, second, 0, 1));
        if (a.ss.more && a.ss.more->vars)
                var_unset(named("sess.b"), &a.x);
        var_unset(named(second), &a.x);
        assert_true(set_str(&a, first, "0123456789"));
        place_fini(&a); /* gives back what it counted */
        vars_fini(check);
        check = NULL;
        var_unset(named("proc.a"), &a.x);
        place_init(&a);
        a.x.check = &c;
        assert_true(set_str(&a, first, "01234567890123456789"));
        place_fini(&a);
        vars_fini(check);
        var_unset(named("proc.a"), &a.x);
        var_limits_set(&none);
}

static void limits_include_each_other(void **st)
{
        (void)st;
        each_limit_counts(&(struct var_limits){ .txn = 108 }, "txn.a", "req.b");
        each_limit_counts(&(struct var_limits){ .txn = 108 }, "req.a", "txn.b");
        each_limit_counts(&(struct var_limits){ .reqres = 108 }, "req.a", "req.b");
        each_limit_counts(&(struct var_limits){ .sess = 108 }, "txn.a", "sess.b");
        each_limit_counts(&(struct var_limits){ .sess = 108 }, "req.a", "txn.b");
        each_limit_counts(&(struct var_limits){ .proc = 108 }, "txn.a", "proc.b");
        each_limit_counts(&(struct var_limits){ .proc = 108 }, "proc.a", "sess.b");
        each_limit_counts(&(struct var_limits){ .global = 108 }, "check.a", "txn.b");
        each_limit_counts(&(struct var_limits){ .global = 108 }, "proc.a", "check.b");
        each_limit_counts(&(struct var_limits){ .check = 108 }, "check.a", "check.b");
}

static void finer_limits_leave_the_others_alone(void **st)
{
        static const struct var_limits none;
        struct place a;

        (void)st;
        place_init(&a);
        var_limits_set(&(struct var_limits){ .reqres = 90, .txn = 90 * 2, .sess = 90 * 3 });
        assert_true(set_int(&a, "req.a", 0, 1));
        assert_false(set_int(&a, "req.b", 0, 1));
        assert_true(set_int(&a, "txn.a", 0, 1));
        assert_false(set_int(&a, "txn.b", 0, 1));
        assert_true(set_int(&a, "sess.a", 0, 1));
        assert_false(set_int(&a, "sess.b", 0, 1));
        a.x.have = EXPR_RSP_HEAD; /* what the request held is free again */
        assert_true(set_int(&a, "res.a", 0, 1));
        place_fini(&a);
        var_limits_set(&none);
}

/* ---- proc.x ---- */

enum { ROUNDS = 20000 };

static void *write_proc(void *arg)
{
        const struct expr_ctx x = { .final = true };
        const struct var_name *n = named("proc.shared");
        char text[96];
        struct smp s;

        thr_self = arg;
        for (int i = 0; i < ROUNDS; i++) {
                size_t len = 1 + (size_t)i % sizeof(text);

                memset(text, 'a' + (int)thr_self->id, sizeof(text));
                smp_str(&s, (struct str){ text, len });
                assert_true(var_set(n, &x, &s));
        }
        return NULL;
}

/* What a reader sees was written by one writer, whole. */
static void readers_see_whole_values(void **st)
{
        const struct expr_ctx x = { .final = true };
        const struct var_name *n = named("proc.shared");
        struct thr *self = thr_self, *w[2];
        pthread_t t[2];
        struct smp s;

        (void)st;
        for (unsigned i = 0; i < 2; i++) {
                w[i] = thr_new(1 + i, &sys_kernel, 65536);
                assert_int_equal(pthread_create(&t[i], NULL, write_proc, w[i]), 0);
        }
        for (int i = 0; i < ROUNDS; i++) {
                if (!var_get(n, &x, &s))
                        continue;
                assert_true(s.s.n >= 1 && s.s.n <= 96);
                for (uint32_t k = 1; k < s.s.n; k++)
                        assert_int_equal(s.s.p[k], s.s.p[0]);
        }
        for (unsigned i = 0; i < 2; i++) {
                pthread_join(t[i], NULL);
                thr_free(w[i]);
        }
        thr_self = self;
        assert_true(var_get(n, &x, &s));
        var_unset(n, &x);
        assert_in_range(retire_waiting(), 0, 16); /* growth leaves blocks behind, writing does not */
}

/* ---- all of them ---- */

static void note(void *arg, const struct var_name *n, const struct smp *smp)
{
        char *out = arg;

        (void)sprintf(out + strlen(out), "%.*s=%d ", (int)var_text(n).n, var_text(n).p, (int)smp->i);
}

static void all_of_a_scope(void **st)
{
        char out[256] = "";
        struct place a;

        (void)st;
        place_init(&a);
        assert_true(set_int(&a, "txn.z2", 0, 3));
        assert_true(set_int(&a, "txn.z1", 0, 2));
        assert_true(set_int(&a, "req.z1", 0, 1));
        var_each(VAR_TXN, &a.x, note, out);
        assert_string_equal(out, "txn.z1=2 txn.z2=3 ");
        place_fini(&a);
}

static int setup(void **st)
{
        (void)st;
        thr_self = thr_new(0, &sys_kernel, 65536);
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        thr_free(thr_self);
        thr_self = NULL;
        retire_run();
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_checked),
                cmocka_unit_test(actions_name_them),
                cmocka_unit_test(scopes_are_apart),
                cmocka_unit_test(a_request_ends_where_its_answer_begins),
                cmocka_unit_test(rules_of_a_connection_have_no_stream),
                cmocka_unit_test(checks_bring_their_own),
                cmocka_unit_test(values_keep_type_and_bytes),
                cmocka_unit_test(a_part_of_itself),
                cmocka_unit_test(too_many_bytes_change_nothing),
                cmocka_unit_test(conditions_hold_or_not),
                cmocka_unit_test(limits_include_each_other),
                cmocka_unit_test(finer_limits_leave_the_others_alone),
                cmocka_unit_test(readers_see_whole_values),
                cmocka_unit_test(all_of_a_scope),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
