#include "core/resolve.h"

#include "base/thr.h"
#include "ev/loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct asker {
        struct resolve_ask a; /* first */
        int calls;
        enum resolve_verdict v;
        size_t n;
        uint32_t ttl;
        struct resolve_record first;
        struct resolve_ask *cancels; /* by done() */
        bool again;                  /* done() asks once more */
};

static struct loop loop;
static struct thr *thr;
static struct resolver r;
static int sent, cancelled, send_err;
static uint32_t last_id, last_cancelled;
static char last_name[RESOLVE_NAME_MAX + 1];

static int fake_send(void *arg, uint32_t id, struct str name, enum resolve_type type)
{
        (void)arg;
        (void)type;
        if (send_err)
                return send_err;
        sent++;
        last_id = id;
        (void)snprintf(last_name, sizeof(last_name), "%.*s", (int)name.n, name.p);
        return 0;
}

static void fake_cancel(void *arg, uint32_t id)
{
        (void)arg;
        cancelled++;
        last_cancelled = id;
}

static const struct resolve_ops ops = { fake_send, fake_cancel };

static void done(struct resolve_ask *a, enum resolve_verdict v, const struct resolve_record *rec, size_t n,
                 uint32_t ttl)
{
        struct asker *x = (struct asker *)a;

        x->calls++;
        x->v = v;
        x->n = n;
        x->ttl = ttl;
        if (n)
                x->first = rec[0];
        if (x->cancels)
                resolve_cancel(&r, x->cancels);
        if (x->again) {
                x->again = false;
                assert_int_equal(resolve_ask(&r, a, str_of("web.example"), RESOLVE_A, 1000), 0);
        }
}

static int begin(void **st)
{
        (void)st;
        thr = thr_new(0, &sys_kernel, 4096);
        thr_self = thr;
        assert_int_equal(loop_init(&loop, thr), 0);
        loop_turn(&loop, false); /* the time of the turn */
        resolve_init(&r, &loop, &ops, NULL);
        sent = cancelled = send_err = 0;
        return 0;
}

static int end(void **st)
{
        (void)st;
        resolve_fini(&r);
        loop_fini(&loop);
        thr_free(thr);
        thr_self = NULL;
        return 0;
}

static int ask(struct asker *x, const char *name, enum resolve_type type, uint32_t ms)
{
        x->a.done = done;
        return resolve_ask(&r, &x->a, str_of(name), type, ms);
}

static struct resolve_record a_record(unsigned char last, uint32_t ttl)
{
        return (struct resolve_record){ .type = RESOLVE_A, .ttl_s = ttl, .ip = { 10, 0, 0, last } };
}

static void test_equal_questions_share_a_flight(void **st)
{
        struct asker one = { 0 }, two = { 0 }, six = { 0 };
        struct resolve_record rec[2] = { a_record(1, 300), a_record(2, 60) };

        (void)st;
        assert_int_equal(ask(&one, "Web.Example", RESOLVE_A, 1000), 0);
        assert_string_equal(last_name, "web.example");
        assert_int_equal(ask(&two, "web.example.", RESOLVE_A, 1000), 0);
        assert_int_equal(sent, 1);
        assert_int_equal(ask(&six, "web.example", RESOLVE_AAAA, 1000), 0);
        assert_int_equal(sent, 2); /* another type is another question */
        assert_true(resolve_answer(&r, last_id - 1, RESOLVE_OK, rec, 2));
        assert_int_equal(one.calls, 1);
        assert_int_equal(two.calls, 1);
        assert_int_equal(two.n, 2);
        assert_int_equal(two.ttl, 60); /* the shortest */
        assert_int_equal(two.first.ip[3], 1);
        assert_int_equal(six.calls, 0);
        assert_false(resolve_answer(&r, last_id - 1, RESOLVE_OK, rec, 2)); /* told already */
        resolve_cancel(&r, &six.a);
}

static void test_an_answer_is_not_believed(void **st)
{
        struct asker one = { 0 };
        struct resolve_record rec[4] = { { .type = RESOLVE_AAAA, .ttl_s = 1 },
                                         a_record(7, UINT32_MAX),
                                         a_record(8, 9) };

        (void)st;
        assert_int_equal(ask(&one, "web.example", RESOLVE_A, 1000), 0);
        assert_false(resolve_answer(&r, last_id + 1, RESOLVE_OK, rec, 3));
        assert_true(resolve_answer(&r, last_id, RESOLVE_OK, rec, 3));
        assert_int_equal(one.n, 2);
        assert_int_equal(one.first.ip[3], 7);
        assert_int_equal(one.ttl, 0); /* RFC 2181 section 8 */
        assert_int_equal(ask(&one, "web.example", RESOLVE_AAAA, 1000), 0);
        assert_true(resolve_answer(&r, last_id, RESOLVE_OK, rec, 2)); /* only A records by now */
        assert_int_equal(one.v, RESOLVE_OTHER);
        assert_int_equal(one.ttl, 0);
}

static void test_too_many_records(void **st)
{
        struct asker one = { 0 };
        struct resolve_record *rec = calloc(RESOLVE_RECORDS_MAX + 10, sizeof(*rec));

        (void)st;
        assert_non_null(rec);
        for (size_t i = 0; i < RESOLVE_RECORDS_MAX + 10; i++)
                rec[i] = a_record((unsigned char)i, UINT32_MAX / 2);
        assert_int_equal(ask(&one, "web.example", RESOLVE_A, 1000), 0);
        assert_true(resolve_answer(&r, last_id, RESOLVE_OK, rec, RESOLVE_RECORDS_MAX + 10));
        assert_int_equal(one.n, RESOLVE_RECORDS_MAX);
        assert_int_equal(one.ttl, RESOLVE_TTL_MAX_S);
        free(rec);
}

static void test_services(void **st)
{
        struct asker one = { 0 };
        struct resolve_record rec[3] = { { .type = RESOLVE_SRV, .ttl_s = 5, .port = 80, .target = "." },
                                         { .type = RESOLVE_SRV, .ttl_s = 5, .port = 0, .target = "a.example" },
                                         { .type = RESOLVE_SRV, .ttl_s = 5, .port = 80, .target = "B.Example." } };

        (void)st;
        assert_int_equal(ask(&one, "_http._tcp.example", RESOLVE_SRV, 1000), 0);
        assert_true(resolve_answer(&r, last_id, RESOLVE_OK, rec, 3));
        assert_int_equal(one.n, 1);
        assert_string_equal(one.first.target, "b.example");
}

static void test_names(void **st)
{
        static const char *const bad[] = {
                "",    ".",    "a..b",      ".a",
                "a b", "a\nb", "ä.example", "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd.example"
        };
        char longest[300];
        struct asker x = { 0 };

        (void)st;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(ask(&x, bad[i], RESOLVE_A, 1000), -EINVAL);
        for (size_t i = 0; i < sizeof(longest); i++)
                longest[i] = i % 50 == 49 ? '.' : 'x';
        longest[RESOLVE_NAME_MAX + 1] = 0;
        assert_int_equal(ask(&x, longest, RESOLVE_A, 1000), -EINVAL);
        assert_int_equal(sent, 0);
        longest[RESOLVE_NAME_MAX] = 0;
        assert_int_equal(ask(&x, longest, RESOLVE_A, 1000), 0);
        resolve_cancel(&r, &x.a);
        send_err = -ENETUNREACH;
        assert_int_equal(ask(&x, "other.example", RESOLVE_A, 1000), -ENETUNREACH);
}

static void test_cancel(void **st)
{
        struct asker one = { 0 }, two = { 0 };
        struct resolve_record rec = a_record(1, 1);

        (void)st;
        assert_int_equal(ask(&one, "web.example", RESOLVE_A, 1000), 0);
        assert_int_equal(ask(&two, "web.example", RESOLVE_A, 1000), 0);
        resolve_cancel(&r, &one.a);
        resolve_cancel(&r, &one.a);
        assert_int_equal(cancelled, 0); /* the other one waits */
        resolve_cancel(&r, &two.a);
        assert_int_equal(cancelled, 1);
        assert_int_equal(last_cancelled, last_id);
        assert_false(resolve_answer(&r, last_id, RESOLVE_OK, &rec, 1));
        assert_int_equal(one.calls + two.calls, 0);
}

static void test_done_may_cancel_and_ask(void **st)
{
        struct asker one = { 0 }, two = { 0 };
        struct resolve_record rec = a_record(1, 1);

        (void)st;
        one.cancels = &two.a;
        one.again = true;
        assert_int_equal(ask(&one, "web.example", RESOLVE_A, 1000), 0);
        assert_int_equal(ask(&two, "web.example", RESOLVE_A, 1000), 0);
        assert_true(resolve_answer(&r, last_id, RESOLVE_REFUSED, &rec, 1));
        assert_int_equal(one.calls, 1);
        assert_int_equal(one.n, 0);
        assert_int_equal(two.calls, 0);
        assert_int_equal(sent, 2);
        one.cancels = NULL;
        assert_true(resolve_answer(&r, last_id, RESOLVE_OK, &rec, 1));
        assert_int_equal(one.calls, 2);
        assert_int_equal(one.v, RESOLVE_OK);
}

static void test_patience(void **st)
{
        struct asker one = { 0 }, two = { 0 };

        (void)st;
        assert_int_equal(ask(&one, "web.example", RESOLVE_A, 1), 0);
        assert_int_equal(ask(&two, "web.example", RESOLVE_A, 3600000), 0);
        while (one.calls == 0) /* a timer that never fires hangs here, and the runner's limit ends it */
                loop_turn(&loop, false);
        assert_int_equal(one.v, RESOLVE_TIMEOUT);
        assert_int_equal(two.calls, 0);
        assert_int_equal(cancelled, 0);
        resolve_fini(&r); /* tells nobody, and the transport of the flight */
        assert_int_equal(two.calls, 0);
        assert_int_equal(cancelled, 1);
        resolve_init(&r, &loop, &ops, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_equal_questions_share_a_flight, begin, end),
                cmocka_unit_test_setup_teardown(test_an_answer_is_not_believed, begin, end),
                cmocka_unit_test_setup_teardown(test_too_many_records, begin, end),
                cmocka_unit_test_setup_teardown(test_services, begin, end),
                cmocka_unit_test_setup_teardown(test_names, begin, end),
                cmocka_unit_test_setup_teardown(test_cancel, begin, end),
                cmocka_unit_test_setup_teardown(test_done_may_cancel_and_ask, begin, end),
                cmocka_unit_test_setup_teardown(test_patience, begin, end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
