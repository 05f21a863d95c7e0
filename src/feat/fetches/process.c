/* feat/fetches/process.c - states of the process and its threads (manual 7.3.2). */
#include "core/proxy.h"
#include "core/threads.h"
#include "feat/fetches/fetch.h"

#define NUMBER(fn, value)                                                                                              \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                UNUSED;                                                                                                \
                return answer_int(ret_smp, (value));                                                                   \
        }

NUMBER(act_conn, RELAXED(world.cur_conns))
NUMBER(fetch_pid, world.pid)
NUMBER(one_process, 1) /* "always returns value 1" (manual, proc) */
NUMBER(thread_number, thr_self->id)
NUMBER(group_number, 0) /* the threads are one group */
NUMBER(uptime, (thr_self->now - world.started) / NS_PER_S)
NUMBER(date_us, thr_self->wall_us % 1000000)
NUMBER(busy_thread, thr_self->loop ? 100 - (int64_t)loop_idle_pct(thr_self->loop) : 0)

static int64_t busy_process(void)
{
        int64_t n = 0, sum = 0;

        for (unsigned i = 0; i < thr_count(); i++) {
                struct loop *l = threads_loop(i);

                if (!l)
                        continue;
                sum += loop_idle_pct(l);
                n++;
        }
        return n ? 100 - sum / n : 0;
}
NUMBER(busy_all, busy_process())

FETCH(stopping)
{
        UNUSED;
        return answer_bool(ret_smp, RELAXED(world.stopping));
}

/* This program has no QUIC. */
FETCH(quic_enabled)
{
        UNUSED;
        return answer_bool(ret_smp, false);
}

/* ---- uuid ---- */

static bool uuid_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        if (!n_args)
                args[0].i = 4;
        if (args[0].i == 4 || args[0].i == 7)
                return true;
        (void)kw_fail(c, at, "E0701", "sample fetch 'uuid' : unsupported UUID version '%lld'", (long long)args[0].i);
        return false;
}

/* RFC 9562 5.4: random; 5.7: milliseconds since the epoch, then random. */
FETCH(uuid)
{
        static const char digits[] = "0123456789abcdef";
        uint64_t ms = (uint64_t)thr_self->wall_us / 1000;
        uint8_t b[16];
        size_t cap, n = 0;
        char *p = expr_scratch(&cap);

        UNUSED;
        thr_self->sys->random(b, sizeof(b));
        for (int i = 0; args[0].i == 7 && i < 6; i++)
                b[i] = (uint8_t)(ms >> (40 - 8 * i));
        b[6] = (uint8_t)((b[6] & 0x0f) | (args[0].i << 4));
        b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
        for (size_t i = 0; i < sizeof(b); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        p[n++] = '-';
                p[n++] = digits[b[i] >> 4];
                p[n++] = digits[b[i] & 15];
        }
        return answer_str(ret_smp, (struct str){ p, n });
}

#define ROW(n, type, f, text) FETCH_ROW(n, type, EXPR_INTERNAL, f, "7.3.2", text)

static const struct fetch rows[] = {
        ROW("act_conn", SINT, act_conn, "connections of clients now"),
        ROW("cpu_usage_grp", SINT, busy_all, "how busy the threads were in the last second, in percent"),
        ROW("cpu_usage_proc", SINT, busy_all, "how busy the threads were in the last second, in percent"),
        ROW("cpu_usage_thr", SINT, busy_thread, "how busy this thread was in the last second, in percent"),
        ROW("date_us", SINT, date_us, "microseconds of the second"),
        ROW("nbproc", SINT, one_process, "1"),
        ROW("pid", SINT, fetch_pid, "number of this process"),
        ROW("proc", SINT, one_process, "1"),
        ROW("quic_enabled", BOOL, quic_enabled, "false: there is no QUIC here"),
        ROW("stopping", BOOL, stopping, "does this process serve its last requests"),
        ROW("tgroup", SINT, group_number, "number of the thread's group, from 0"),
        ROW("thread", SINT, thread_number, "number of the thread, from 0"),
        ROW("uptime", SINT, uptime, "seconds since this process began"),
        FETCH_ROW_ARGS("uuid", STR, EXPR_INTERNAL, uuid, "7.3.2", "a new UUID, of version 4 or 7", uuid_check,
                       ARG_SINT),
};
FETCH_TABLE(process, rows);
