/* bench/load.c - the load generator: client and backend in one thread, so that it stays cheaper than the proxy between
 * them. One sub-command per kind of work (bench/modes.h); the result is one line of JSON.
 * Exit code: 0 all as expected, 1 a fault was counted or the run failed, 2 usage. */
#include "base/assert.h"
#include "base/str.h"
#include "bench/modes.h"
#include "bench/pattern.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One number with its range. Everything is bounded: see bench/job.h. */
struct number {
        const char *name;
        uint64_t min, max, def;
        const char *help;
};

enum { N_CONNS, N_WARM, N_MS, N_REQUESTS, N_RATE, N_BODY, N_SINK, N_ONCE, N_COUNT };

static const struct number numbers[N_COUNT] = {
        [N_CONNS] = { "conns", 1, JOB_CONNS_MAX, 64, "client connections" },
        [N_WARM] = { "warm-ms", 0, 10000, 400, "not measured at the start" },
        [N_MS] = { "ms", 1, 60000, 1500, "measured; with --requests: the limit; idle: how long to hold" },
        [N_REQUESTS] = { "requests", 0, 10000000, 0, "this many units instead of a time (http, conn)" },
        [N_RATE] = { "rate", 0, 200000, 0, "http: open loop, requests per second" },
        [N_BODY] = { "body", 0, 16 << 20, 128, "http, idle: bytes of each response body" },
        [N_ONCE] = { "at-once", 1, JOB_CONNS_MAX, 16, "idle: connections opened and asked at a time" },
        [N_SINK] = { "sink-port", 0, 65535, 0, "count log datagrams on this UDP port of 127.0.0.1" },
};

static const struct mode *const modes[] = { &mode_http, &mode_conn, &mode_bulk, &mode_idle, &mode_sink };

static int usage(const char *why, const char *what)
{
        (void)fprintf(stderr, "bench-load: %s%s\nusage: bench-load http|conn|bulk|idle|sink [options]\n", why, what);
        (void)fprintf(stderr, "  --target 127.x.y.z:PORT  the proxy; without it straight to the own backend\n"
                              "  --listen 127.x.y.z:PORT  the own backend (default 127.0.0.1:0)\n"
                              "  --stdin-start  print \"ready\", wait for a line with the pids of the proxy\n"
                              "  --rss  read its resident set    --tcp  idle: no request    --upload  bulk\n");
        for (int i = 0; i < N_COUNT; i++)
                (void)fprintf(stderr, "  --%s %llu..%llu (%llu)  %s\n", numbers[i].name,
                              (unsigned long long)numbers[i].min, (unsigned long long)numbers[i].max,
                              (unsigned long long)numbers[i].def, numbers[i].help);
        return 2;
}

static bool take_number(const char *name, const char *text, uint64_t *values)
{
        for (int i = 0; i < N_COUNT; i++)
                if (strcmp(name, numbers[i].name) == 0)
                        return str_to_u64(str_of(text), &values[i]) && values[i] >= numbers[i].min &&
                               values[i] <= numbers[i].max;
        return false;
}

static bool take_switch(const char *name, struct job_opts *o)
{
        const struct {
                const char *name;
                bool *at;
        } switches[] = {
                { "tcp", &o->tcp }, { "upload", &o->upload }, { "rss", &o->rss }, { "stdin-start", &o->stdin_start }
        };

        for (size_t i = 0; i < array_len(switches); i++)
                if (strcmp(name, switches[i].name) == 0)
                        return *switches[i].at = true;
        return false;
}

/* --target and --listen; anything but loopback is refused. */
static bool take_address(const char *name, const char *text, struct job_opts *o)
{
        if (strcmp(name, "listen") == 0)
                return sock_parse(text, &o->listen) == 0;
        o->has_target = strcmp(name, "target") == 0;
        return o->has_target && sock_parse(text, &o->target) == 0;
}

static void set_numbers(struct job_opts *o, const uint64_t *v)
{
        o->conns = (unsigned)v[N_CONNS];
        o->warm_ms = (unsigned)v[N_WARM];
        o->ms = (unsigned)v[N_MS];
        o->requests = v[N_REQUESTS];
        o->rate = (unsigned)v[N_RATE];
        o->body = (size_t)v[N_BODY];
        o->at_once = (unsigned)v[N_ONCE];
        o->sink_port = (uint16_t)v[N_SINK];
}

/* 0, or the exit code. */
static int parse(int argc, char **argv, struct job_opts *o)
{
        uint64_t values[N_COUNT];

        for (int i = 0; i < N_COUNT; i++)
                values[i] = numbers[i].def;
        o->listen = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        for (int i = 2; i < argc; i++) {
                const char *name = argv[i] + 2;

                if (strncmp(argv[i], "--", 2) != 0)
                        return usage("not an option: ", argv[i]);
                if (take_switch(name, o))
                        continue;
                if (i + 1 == argc)
                        return usage("unknown, or without its value: ", argv[i]);
                i++;
                if (!take_number(name, argv[i], values) && !take_address(name, argv[i], o))
                        return usage("unknown option, or value out of range: ", argv[i - 1]);
        }
        set_numbers(o, values);
        return 0;
}

static const struct mode *mode_of(const char *name)
{
        for (size_t i = 0; i < array_len(modes); i++)
                if (strcmp(name, modes[i]->name) == 0)
                        return modes[i];
        return NULL;
}

int main(int argc, char **argv)
{
        const struct mode *m = argc > 1 ? mode_of(argv[1]) : NULL;
        struct job j = { 0 };
        int err;

        if (!m)
                return usage("which kind of load?", "");
        err = parse(argc, argv, &j.o);
        if (err)
                return err;
        pattern_init();
        err = job_run(&j, m);
        if (err)
                (void)fprintf(stderr, "bench-load: %s: %s\n", m->name, strerror(-err));
        else
                job_print(&j);
        job_fini(&j);
        return err || job_errors(&j) ? 1 : 0;
}
