/* feat/stats/info.c - `show info`: the process in lines of "Name: value" (management.txt 9.3). Names, order and numbers are HAProxy's. */
#include "feat/stats/stats.h"

#include "base/slab.h"
#include "core/global.h"
#include "core/log.h"
#include "core/strm.h"
#include "core/threads.h"
#include "net/pipe.h"

#include <stdio.h>
#include <sys/resource.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

static void u32(struct stat_val *v, uint64_t n)
{
        v->type = STAT_U32;
        v->u = n;
}

static void u64(struct stat_val *v, uint64_t n)
{
        v->type = STAT_U64;
        v->u = n;
}

static void word(struct stat_val *v, const char *s)
{
        v->type = STAT_STR;
        v->s = str_of(s);
}

static void made(struct stat_val *v, int n)
{
        v->type = STAT_STR;
        v->s = (struct str){ v->text, n > 0 ? (size_t)n : 0 };
}

/* Seconds with six decimals when `show info float` asked for them. */
static void seconds(struct stat_val *v, int64_t us, bool precise)
{
        if (precise)
                made(v, snprintf(v->text, sizeof(v->text), "%lld.%06lld", (long long)(us / 1000000),
                                 (long long)(us % 1000000)));
        else
                u32(v, (uint64_t)(us / 1000000));
}

static int64_t uptime_us(void)
{
        return thr_self->now > world.started ? (int64_t)((thr_self->now - world.started) / 1000) : 0;
}

static uint64_t fd_limit(void)
{
        struct rlimit r;

        return getrlimit(RLIMIT_NOFILE, &r) == 0 ? (uint64_t)r.rlim_cur : 0;
}

/* ---- sums over all frontends ---- */
struct totals {
        uint64_t bytes_out, streams, requests;
};

static void add_front(struct totals *t, struct front *f)
{
        struct px_sum s;

        px_stat_sum(&f->cell, &s);
        t->bytes_out += s.bytes_out;
        t->streams += s.req_tot ? s.req_tot : s.sess_tot;  /* one for each request */
        t->requests += s.req_tot ? s.req_tot : s.sess_tot; /* a TCP session is one request */
}

static struct totals totals(void)
{
        struct totals t = { 0 };
        size_t n;
        const struct world_px *p = world_proxies(&n);

        for (size_t i = 0; i < n; i++)
                if (p[i].front)
                        add_front(&t, p[i].front);
        if (world.cli)
                add_front(&t, world.cli);
        return t;
}

static unsigned idle_pct(void)
{
        unsigned n = 0, sum = 0;

        for (unsigned i = 0; i < thr_count(); i++) {
                struct loop *l = threads_loop(i);
                if (!l)
                        continue;
                sum += loop_idle_pct(l);
                n++;
        }
        return n ? sum / n : 100;
}

/* ---- one function a line ---- */
#define ROW(f) static void f(struct stat_val *v, __attribute__((unused)) bool precise)

ROW(name)
{
        word(v, "HAProxy");
}
ROW(version)
{
        word(v, STATS_VERSION);
}
ROW(release)
{
        word(v, STATS_RELEASE);
}
ROW(build)
{
        word(v, "Telamon, HAProxy-compatible, level 3.4");
}
ROW(nbthread)
{
        u32(v, thr_count());
}
ROW(one)
{
        u32(v, 1);
}
ROW(zero)
{
        u32(v, 0);
}
ROW(zero64)
{
        u64(v, 0);
}
ROW(pid)
{
        u32(v, (uint64_t)world.pid);
}
ROW(uptime_sec)
{
        seconds(v, uptime_us(), precise);
}
ROW(start_time)
{
        seconds(v, world.started_wall_us, precise);
}
ROW(ulimit)
{
        u32(v, fd_limit());
}
ROW(hard_maxconn)
{
        u32(v, world.hard_maxconn ? world.hard_maxconn : world.maxconn);
}

ROW(maxconn)
{
        u32(v, world.maxconn);
}
ROW(conn_rate_limit)
{
        u32(v, GET(world.conn_gate.limit));
}
ROW(sess_rate_limit)
{
        u32(v, GET(world.sess_gate.limit));
}
ROW(curr_conns)
{
        u32(v, GET(world.cur_conns));
}
ROW(cum_conns)
{
        u32(v, GET(world.tot_conns));
}
ROW(cum_req)
{
        u32(v, totals().requests);
}
ROW(conn_rate)
{
        u32(v, rate_now(&world.conn_rate, thr_self->now));
}
ROW(conn_rate_max)
{
        u32(v, rate_max(&world.conn_rate));
}
ROW(sess_rate)
{
        u32(v, rate_now(&world.sess_rate, thr_self->now));
}
ROW(sess_rate_max)
{
        u32(v, rate_max(&world.sess_rate));
}
ROW(idle)
{
        u32(v, idle_pct());
}
ROW(node)
{
        word(v, world.node ? world.node : "");
}
ROW(stopping)
{
        u32(v, GET(world.stopping));
}
ROW(dropped_logs)
{
        u32(v, log_dropped());
}
ROW(bytes_out)
{
        u64(v, totals().bytes_out);
}
ROW(cum_streams)
{
        u64(v, totals().streams);
}
ROW(curr_streams)
{
        u64(v, strm_count());
}
ROW(tasks)
{
        u32(v, strm_count() + GET(world.cur_conns));
}
ROW(run_queue)
{
        uint64_t n = 0;

        for (unsigned i = 0; i < thr_count(); i++) {
                struct loop *l = threads_loop(i);
                n += l ? GET(l->stats.queued) : 0;
        }
        u32(v, n);
}
ROW(max_pipes)
{
        u32(v, (uint64_t)pipe_totals().limit * thr_count());
}
ROW(pipes_used)
{
        u32(v, pipe_totals().used);
}
ROW(pipes_free)
{
        u32(v, pipe_totals().free);
}
ROW(spliced)
{
        u64(v, pipe_totals().moved);
}
ROW(warnings)
{
        u32(v, GET(world.warnings));
}
ROW(limit_reached)
{
        u32(v, GET(world.limit_reached));
}
ROW(boot_ms)
{
        u32(v, world.boot_ms);
}
ROW(description)
{
        v->type = STAT_NONE;
        if (world.description)
                word(v, world.description);
}
ROW(listeners)
{
        u32(v, GET(world.n_listeners));
}
ROW(jobs)
{
        u32(v, GET(world.n_listeners) + GET(world.cur_conns) + (world.cli ? GET(world.cli->cur) : 0));
}

ROW(uptime)
{
        int64_t s = uptime_us() / 1000000;

        made(v, snprintf(v->text, sizeof(v->text), "%lldd %lldh%02lldm%02llds", (long long)(s / 86400),
                         (long long)(s / 3600 % 24), (long long)(s / 60 % 60), (long long)(s % 60)));
}

/* Average since the last time somebody asked, over at least a second. */
ROW(bytes_out_rate)
{
        static _Atomic(mono_t) then;
        static _Atomic uint64_t bytes, shown;
        mono_t at = GET(then);
        uint64_t now_bytes;

        if (thr_self->now - at >= NS_PER_S && atomic_compare_exchange_strong(&then, &at, thr_self->now)) {
                now_bytes = totals().bytes_out;
                uint64_t was = atomic_exchange(&bytes, now_bytes);
                uint64_t s = at ? (thr_self->now - at) / NS_PER_S : 1;
                atomic_store(&shown, at && now_bytes > was ? (now_bytes - was) / s : 0);
        }
        u64(v, GET(shown));
}

/* ---- pools: slabs and buffers of all threads (`show pools`) ---- */
static struct pool_sum pools(void)
{
        struct pool_sum v[STATS_POOLS], sum = { 0 };
        unsigned n = pool_sums(v, STATS_POOLS);

        for (unsigned i = 0; i < n; i++) {
                sum.bytes += v[i].bytes;
                sum.used_bytes += v[i].used_bytes;
                sum.failed += v[i].failed;
        }
        return sum;
}
ROW(pool_alloc)
{
        u64(v, pools().bytes);
}
ROW(pool_alloc_mb)
{
        u32(v, pools().bytes >> 20);
}
ROW(pool_used)
{
        u64(v, pools().used_bytes);
}
ROW(pool_used_mb)
{
        u32(v, pools().used_bytes >> 20);
}
ROW(pool_failed)
{
        u32(v, pools().failed);
}
ROW(tainted)
{
        word(v, "0");
}

/* clang-format off */
const struct info_row info_rows[] = {
        { 0, "Name", "POSV", "product whose interface this is", name },
        { 1, "Version", "POSV", "level of compatibility", version },
        { 2, "Release_date", "POSV", "date of this release", release },
        { 3, "Nbthread", "CGSV", "data threads", nbthread },
        { 4, "Nbproc", "CGSV", "worker processes, always 1", one },
        { 5, "Process_num", "KGPV", "number of this worker, always 1", one },
        { 6, "Pid", "SGPV", "process id of this worker", pid },
        { 7, "Uptime", "MDPV", "time since this worker started", uptime },
        { 8, "Uptime_sec", "MDPV", "the same in seconds", uptime_sec },
        { 9, "Memmax_MB", "CLPV", "limit of memory in MB, 0 = none", zero },
        { 10, "PoolAlloc_MB", "MGPV", "memory of the pools in MB", pool_alloc_mb },
        { 11, "PoolUsed_MB", "MGPV", "of it in use, in MB", pool_used_mb },
        { 12, "PoolFailed", "MCPV", "allocations refused for lack of memory", pool_failed },
        { 13, "Ulimit-n", "CLPV", "limit of file descriptors", ulimit },
        { 14, "Maxsock", "CLPV", "limit of sockets", ulimit },
        { 15, "Maxconn", "CLPV", "limit of connections", maxconn },
        { 16, "Hard_maxconn", "CLPV", "limit of connections that maxconn may be raised to", hard_maxconn },
        { 17, "CurrConns", "MGPV", "connections open now", curr_conns },
        { 18, "CumConns", "MCPV", "connections so far", cum_conns },
        { 19, "CumReq", "MCPV", "requests so far", cum_req },
        { 20, "MaxSslConns", "MMPV", "limit of TLS connections, 0 = none", zero },
        { 21, "CurrSslConns", "MGPV", "TLS connections open now", zero },
        { 22, "CumSslConns", "MCPV", "TLS connections so far", zero },
        { 23, "Maxpipes", "CLPV", "limit of pipes for splicing, 0 = none", max_pipes },
        { 24, "PipesUsed", "MGPV", "pipes in use", pipes_used },
        { 25, "PipesFree", "MGPV", "pipes kept for use", pipes_free },
        { 26, "ConnRate", "MRPV", "connections in the last second", conn_rate },
        { 27, "ConnRateLimit", "CLPV", "limit of connections per second", conn_rate_limit },
        { 28, "MaxConnRate", "MMPV", "most connections in a second", conn_rate_max },
        { 29, "SessRate", "MRPV", "sessions in the last second", sess_rate },
        { 30, "SessRateLimit", "CLPV", "limit of sessions per second", sess_rate_limit },
        { 31, "MaxSessRate", "MRPV", "most sessions in a second", sess_rate_max },
        { 32, "SslRate", "MRPV", "TLS connections in the last second", zero },
        { 33, "SslRateLimit", "CLPV", "limit of TLS connections per second", zero },
        { 34, "MaxSslRate", "MMPV", "most TLS connections in a second", zero },
        { 35, "SslFrontendKeyRate", "MGPV", "full TLS handshakes with clients in the last second", zero },
        { 36, "SslFrontendMaxKeyRate", "MMPV", "most of them in a second", zero },
        { 37, "SslFrontendSessionReuse_pct", "MGPV", "share of resumed TLS sessions", zero },
        { 38, "SslBackendKeyRate", "MRPV", "full TLS handshakes with servers in the last second", zero },
        { 39, "SslBackendMaxKeyRate", "MMPV", "most of them in a second", zero },
        { 40, "SslCacheLookups", "MCPV", "look-ups in the TLS session cache", zero },
        { 41, "SslCacheMisses", "MCPV", "look-ups that found nothing", zero },
        { 42, "CompressBpsIn", "MRPV", "bytes per second into the compressor", zero },
        { 43, "CompressBpsOut", "MRPV", "bytes per second out of the compressor", zero },
        { 44, "CompressBpsRateLim", "CLPV", "limit of compressed bytes per second", zero },
        { 47, "Tasks", "MGPV", "streams and connections alive", tasks },
        { 48, "Run_queue", "MGPV", "tasks that ran in the last turn of the loops", run_queue },
        { 49, "Idle_pct", "MaPV", "share of the last second in which the threads slept", idle },
        { 50, "node", "COSV", "name of this node", node },
        { 51, "description", "COSV", "description of this process", description },
        { 52, "Stopping", "MGPV", "1 while a soft stop is under way", stopping },
        { 53, "Jobs", "MGPV", "connections and listeners", jobs },
        { 54, "Unstoppable Jobs", "MGPV", "jobs that a soft stop does not wait for", zero },
        { 55, "Listeners", "MGPV", "listening addresses", listeners },
        { 56, "ActivePeers", "MGPV", "peers that answer", zero },
        { 57, "ConnectedPeers", "MGPV", "peers that are connected", zero },
        { 58, "DroppedLogs", "MGPV", "log lines that could not be sent", dropped_logs },
        { 59, "BusyPolling", "MGPV", "1 when loops never sleep", zero },
        { 60, "FailedResolutions", "MGPV", "DNS queries that failed", zero },
        { 61, "TotalBytesOut", "MGPV", "bytes sent to clients", bytes_out },
        { 62, "TotalSplicedBytesOut", "MGPV", "of these by splicing", spliced },
        { 63, "BytesOutRate", "MRPV", "bytes sent to clients per second", bytes_out_rate },
        { 64, "DebugCommandsIssued", "MGPV", "debug commands so far", zero },
        { 65, "CumRecvLogs", "MCPV", "log messages received", zero },
        { 66, "Build info", "POSV", "what this program is", build },
        { 67, "Memmax_bytes", "CLPV", "limit of memory, 0 = none", zero },
        { 68, "PoolAlloc_bytes", "MGPV", "memory of the pools", pool_alloc },
        { 69, "PoolUsed_bytes", "MGPV", "of it in use", pool_used },
        { 70, "Start_time_sec", "MDPV", "when this worker started, seconds since 1970", start_time },
        { 71, "Tainted", "SGPV", "experimental features in use", tainted },
        { 72, "TotalWarnings", "MCPV", "warnings so far", warnings },
        { 73, "MaxconnReached", "MCPV", "connections that took the last place", limit_reached },
        { 74, "BootTime_ms", "MDPV", "milliseconds that starting took", boot_ms },
        { 75, "Niced_tasks", "MGPV", "tasks of lower priority", zero },
        { 76, "CurrStreams", "MGPV", "streams alive", curr_streams },
        { 77, "CumStreams", "MGPV", "streams so far", cum_streams },
        { 78, "BlockedTrafficWarnings", "MGPV", "warnings about loops held up", zero },
        { 79, "PatternsAdded", "MGPV", "patterns added", zero64 },
        { 80, "PatternsFreed", "MGPV", "patterns freed", zero64 },
        { 81, "NbThreadGroups", "CGSV", "thread groups", one },
};
/* clang-format on */
const unsigned info_n_rows = array_len(info_rows);
