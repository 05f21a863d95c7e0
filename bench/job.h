/* bench/job.h - one run of the load generator: its options, its phases, its counters, its one line of result.
 *
 * Phases: WARM (counted in the totals only), MEASURE (between two marks), DRAIN (nothing new, what is under way ends),
 * DONE. A mode is a const struct mode; it keeps `busy` at the number of things that must end before DONE, calls
 * job_unit() for each finished unit of work, and job_error() for everything that was not exactly as expected.
 * Every run is bounded: by time, by count, and by the alarm that ends the process if the loop itself is stuck. */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include "bench/loop.h"
#include "bench/sink.h"

#include <stddef.h>

enum {
        JOB_PIDS_MAX = 16,
        JOB_CONNS_MAX = 9500,
        JOB_ERRORS_MAX = 1000, /* then the run is given up */
};

struct job_opts {
        struct sockaddr_in target, listen;
        bool has_target;  /* otherwise straight to the own backend */
        bool tcp;         /* idle: plain TCP */
        bool upload;      /* bulk: the client sends */
        bool rss;         /* read the resident set at the marks */
        bool stdin_start; /* say "ready" when the backend listens, then wait for a line of pids */
        uint16_t sink_port;
        unsigned conns, warm_ms, ms, rate, at_once;
        uint64_t requests; /* 0: by time */
        size_t body;
        pid_t pids[JOB_PIDS_MAX];
        unsigned n_pids;
};

enum job_error {
        JOB_ERR_CONNECT,
        JOB_ERR_STATUS,
        JOB_ERR_FRAMING, /* malformed head, wrong length, bytes behind the end */
        JOB_ERR_BODY,
        JOB_ERR_CLOSED,  /* the peer ended early or reset */
        JOB_ERR_REQUEST, /* the backend received something else than was sent */
        JOB_ERR_STALL,   /* did not end within the drain time */
        JOB_ERR_SYSTEM,  /* no descriptor, no memory */
        JOB_ERR_KINDS,
};

/* Totals of the whole run, warm-up and drain included: what a proxy's counters must equal. */
struct tally {
        uint64_t units, units_bytes;
        uint64_t conns, sent, rcvd;                            /* the client's side */
        uint64_t back_conns, back_units, back_sent, back_rcvd; /* the backend's side */
        uint64_t errors[JOB_ERR_KINDS];
};

struct mark {
        uint64_t wall_ns, self_ns, proxy_ns, rss, units, bytes;
        uint64_t self_wait_ns, proxy_wait_ns; /* ready to run, but not running */
};

enum job_phase { JOB_WARM, JOB_MEASURE, JOB_DRAIN, JOB_DONE };

struct job {
        struct job_opts o;
        struct loop loop;
        struct tally t;
        struct sink sink;
        enum job_phase phase;
        unsigned busy, open; /* under way; connections that the mode holds open */
        struct mark from, to;
        uint32_t *lat_ns; /* open loop: one sample per request that was due while measuring */
        size_t n_lat, cap_lat;
        const struct mode *mode;
        void *mode_data;
        /* private */
        struct ev timer;
};

struct mode {
        const char *name;
        int (*listen)(struct job *j); /* backend ready; sets mode_data */
        int (*start)(struct job *j);
        void (*turn)(struct job *j);  /* after each turn of the loop; may be NULL */
        void (*stop)(struct job *j);  /* DRAIN begins; may be NULL */
        void (*check)(struct job *j); /* after the drain: what must add up at the end; may be NULL */
        void (*free)(struct job *j);
        bool by_hand; /* the mode itself calls job_hold() to begin the timed part */
};

int job_run(struct job *j, const struct mode *m); /* 0 or -errno; the result is in *j either way */
void job_fini(struct job *j);
void job_print(const struct job *j);
uint64_t job_errors(const struct job *j);

/* For modes. */
void job_unit(struct job *j, uint64_t bytes);
void job_error(struct job *j, enum job_error kind);
void job_hold(struct job *j); /* by_hand: everything is open, measure from here for o.ms */
void job_latency(struct job *j, uint64_t ns);

static inline bool job_goes_on(const struct job *j)
{
        return j->phase <= JOB_MEASURE;
}

#endif
