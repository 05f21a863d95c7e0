/* bench/job.c - phases by one timerfd: the hot loop asks no clock. */
#include "bench/job.h"
#include "base/assert.h"
#include "bench/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
        DRAIN_MS = 5000,
        OPEN_MS = 30000, /* by_hand: how long opening everything may take */
        ALARM_EXTRA_S = 15,
};

static const char *const error_names[JOB_ERR_KINDS] = { "connect", "status",  "framing", "body",
                                                        "closed",  "request", "stall",   "system" };

static void arm(struct job *j, unsigned ms)
{
        struct itimerspec t = { .it_value = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 } };

        if (ms == 0)
                t.it_value.tv_nsec = 1; /* zero would disarm */
        ASSERT(timerfd_settime(j->timer.fd, 0, &t, NULL) == 0);
}

static uint64_t sum_of(const struct job *j, int (*get)(pid_t pid, uint64_t *ret_v))
{
        uint64_t sum = 0, v;

        for (unsigned i = 0; i < j->o.n_pids; i++)
                if (get(j->o.pids[i], &v) == 0)
                        sum += v;
        return sum;
}

/* The resident set is read outside of the timed part: it walks the page tables of the proxy. */
static void mark_from(struct job *j)
{
        struct mark *m = &j->from;

        m->rss = j->o.rss ? sum_of(j, proc_rss) : 0;
        m->units = j->t.units;
        m->bytes = j->t.units_bytes;
        m->proxy_wait_ns = sum_of(j, proc_wait_ns);
        (void)proc_wait_ns(getpid(), &m->self_wait_ns);
        m->proxy_ns = sum_of(j, proc_cpu_ns);
        (void)proc_cpu_ns(getpid(), &m->self_ns);
        m->wall_ns = clock_now_ns();
        j->phase = JOB_MEASURE;
}

static void mark_to(struct job *j)
{
        struct mark *m = &j->to;

        m->wall_ns = clock_now_ns();
        (void)proc_cpu_ns(getpid(), &m->self_ns);
        m->proxy_ns = sum_of(j, proc_cpu_ns);
        (void)proc_wait_ns(getpid(), &m->self_wait_ns);
        m->proxy_wait_ns = sum_of(j, proc_wait_ns);
        m->units = j->t.units;
        m->bytes = j->t.units_bytes;
        m->rss = j->o.rss ? sum_of(j, proc_rss) : 0;
}

static void drain(struct job *j)
{
        if (j->phase == JOB_MEASURE)
                mark_to(j);
        j->phase = JOB_DRAIN;
        j->loop.spin = false;
        arm(j, DRAIN_MS);
        if (j->mode->stop)
                j->mode->stop(j);
}

/* The time of the present phase is over. */
static void on_timer(struct ev *e, uint32_t what)
{
        struct job *j = container_of(e, struct job, timer);
        uint64_t times;

        (void)what;
        if (read(e->fd, &times, sizeof(times)) != sizeof(times))
                return;
        if (j->phase == JOB_WARM && !j->mode->by_hand) {
                mark_from(j);
                arm(j, j->o.ms);
        } else if (j->phase == JOB_WARM) {
                job_error(j, JOB_ERR_STALL); /* not everything could be opened */
                drain(j);
        } else if (j->phase == JOB_MEASURE) {
                if (j->o.requests)
                        job_error(j, JOB_ERR_STALL);
                drain(j);
        } else {
                j->t.errors[JOB_ERR_STALL] += j->busy;
                j->phase = JOB_DONE;
        }
}

void job_hold(struct job *j)
{
        struct mark before = j->from;

        if (j->phase != JOB_WARM)
                return;
        mark_from(j);
        j->from.rss = before.rss; /* growth counts from before the first connection */
        arm(j, j->o.ms);
}

void job_unit(struct job *j, uint64_t bytes)
{
        j->t.units++;
        j->t.units_bytes += bytes;
        if (j->o.requests && j->t.units >= j->o.requests && j->phase == JOB_MEASURE)
                drain(j);
}

void job_error(struct job *j, enum job_error kind)
{
        j->t.errors[kind]++;
        if (job_errors(j) > JOB_ERRORS_MAX)
                j->phase = JOB_DONE;
}

uint64_t job_errors(const struct job *j)
{
        uint64_t n = 0;

        for (int i = 0; i < JOB_ERR_KINDS; i++)
                n += j->t.errors[i];
        return n;
}

void job_latency(struct job *j, uint64_t ns)
{
        if (j->phase == JOB_MEASURE && j->n_lat < j->cap_lat)
                j->lat_ns[j->n_lat++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

/* The pids of the proxy are known only once it runs, and it may need our backend to start: hence this order. */
static int wait_for_start(struct job *j)
{
        char line[512], *p = line, *end;

        (void)printf("ready\n");
        (void)fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
                return -ECANCELED;
        for (j->o.n_pids = 0; j->o.n_pids < JOB_PIDS_MAX; j->o.n_pids++) {
                j->o.pids[j->o.n_pids] = (pid_t)strtol(p, &end, 10);
                if (end == p)
                        break;
                p = end;
        }
        return 0;
}

static int prepare(struct job *j)
{
        int err = loop_init(&j->loop);

        if (err)
                return err;
        j->timer.fn = on_timer;
        j->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (j->timer.fd < 0)
                return -errno;
        if (j->o.rate) {
                j->cap_lat = (size_t)((uint64_t)j->o.rate * j->o.ms / 1000 + j->o.conns + 1000);
                j->lat_ns = malloc(j->cap_lat * sizeof(*j->lat_ns));
                if (!j->lat_ns)
                        return -ENOMEM;
        }
        err = loop_add(&j->loop, &j->timer, EPOLLIN);
        if (!err && j->o.sink_port)
                err = sink_open(&j->sink, &j->loop, j->o.sink_port);
        return err;
}

static void begin(struct job *j)
{
        if (j->mode->by_hand) {
                j->from.rss = j->o.rss ? sum_of(j, proc_rss) : 0;
                arm(j, OPEN_MS);
        } else if (j->o.requests) {
                mark_from(j);
                arm(j, j->o.ms);
        } else {
                arm(j, j->o.warm_ms);
        }
}

static void loop_until_done(struct job *j)
{
        while (j->phase != JOB_DONE) {
                loop_turn(&j->loop);
                if (j->mode->turn)
                        j->mode->turn(j);
                if (j->phase == JOB_DRAIN && j->busy == 0)
                        j->phase = JOB_DONE;
        }
        if (j->o.sink_port)
                sink_settle(&j->sink);
        if (j->mode->check)
                j->mode->check(j);
}

int job_run(struct job *j, const struct mode *m)
{
        int err;

        j->mode = m;
        j->phase = JOB_WARM;
        j->timer.fd = j->loop.ep = j->sink.ev.fd = -1;
        err = prepare(j);
        if (!err)
                err = m->listen(j);
        if (!err && j->o.stdin_start)
                err = wait_for_start(j);
        if (err)
                return err;
        (void)alarm((j->o.warm_ms + j->o.ms + DRAIN_MS + OPEN_MS) / 1000 + ALARM_EXTRA_S);
        begin(j);
        err = m->start(j);
        if (!err)
                loop_until_done(j);
        return err;
}

void job_fini(struct job *j)
{
        if (j->mode && j->mode_data)
                j->mode->free(j);
        sink_close(&j->sink);
        if (j->timer.fd >= 0)
                (void)close(j->timer.fd);
        loop_fini(&j->loop);
        free(j->lat_ns);
        j->lat_ns = NULL;
}

static int by_value(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

/* Nearest rank: the smallest sample that at least `permille` of 1000 samples do not exceed. */
static uint32_t quantile(const struct job *j, unsigned permille)
{
        size_t rank = (j->n_lat * permille + 999) / 1000;

        return j->n_lat ? j->lat_ns[rank ? rank - 1 : 0] : 0;
}

static void print_latency(const struct job *j)
{
        if (!j->n_lat)
                return;
        qsort(j->lat_ns, j->n_lat, sizeof(*j->lat_ns), by_value);
        (void)printf(",\"lat_n\":%zu,\"p50_ns\":%u,\"p99_ns\":%u,\"p999_ns\":%u", j->n_lat, quantile(j, 500),
                     quantile(j, 990), quantile(j, 999));
}

void job_print(const struct job *j)
{
        const struct tally *t = &j->t;

        (void)printf("{\"mode\":\"%s\",\"conns\":%u,\"open\":%u", j->mode->name, j->o.conns, j->open);
        (void)printf(",\"wall_ns\":%" PRIu64 ",\"self_ns\":%" PRIu64 ",\"proxy_ns\":%" PRIu64,
                     j->to.wall_ns - j->from.wall_ns, j->to.self_ns - j->from.self_ns,
                     j->to.proxy_ns - j->from.proxy_ns);
        (void)printf(",\"self_wait_ns\":%" PRIu64 ",\"proxy_wait_ns\":%" PRIu64,
                     j->to.self_wait_ns - j->from.self_wait_ns, j->to.proxy_wait_ns - j->from.proxy_wait_ns);
        (void)printf(",\"units\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"rss_from\":%" PRIu64 ",\"rss_to\":%" PRIu64,
                     j->to.units - j->from.units, j->to.bytes - j->from.bytes, j->from.rss, j->to.rss);
        print_latency(j);
        (void)printf(",\"total\":{\"units\":%" PRIu64 ",\"conns\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"rcvd\":%" PRIu64,
                     t->units, t->conns, t->sent, t->rcvd);
        (void)printf(",\"back_conns\":%" PRIu64 ",\"back_units\":%" PRIu64 ",\"back_sent\":%" PRIu64
                     ",\"back_rcvd\":%" PRIu64,
                     t->back_conns, t->back_units, t->back_sent, t->back_rcvd);
        (void)printf(",\"log_lines\":%" PRIu64 ",\"log_bytes\":%" PRIu64 "},\"errors\":{", j->sink.lines,
                     j->sink.bytes);
        for (int i = 0; i < JOB_ERR_KINDS; i++)
                (void)printf("%s\"%s\":%" PRIu64, i ? "," : "", error_names[i], t->errors[i]);
        (void)printf("},\"failed\":%" PRIu64 "}\n", job_errors(j));
}
