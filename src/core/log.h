/* core/log.h - the way out for log lines: targets, levels, framing; never blocks.
 *
 * Formatting happens straight into a per-thread buffer. Local and UDP targets are sent at once, non-blocking; stdout, stderr and fd@
 * go through a bounded ring and a writer thread (mechanisms.md d). What cannot be sent is dropped and counted.
 * Who decides what to log: feat/logs subscribes to EVENT_STREAM_END and the state events. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/proxy.h"

enum log_level {
        LOG_L_EMERG,
        LOG_L_ALERT,
        LOG_L_CRIT,
        LOG_L_ERR,
        LOG_L_WARNING,
        LOG_L_NOTICE,
        LOG_L_INFO,
        LOG_L_DEBUG
};

struct strm;

/* The steps of a stream at which its frontend may write a line (manual: log-steps). struct logger starts with the set of those at which it
 * does (see log_point()); an HTTP stream is accepted when the head of its request is there, right before LOG_ON_REQUEST. */
enum log_when {
        LOG_ON_ACCEPT = 1,
        LOG_ON_REQUEST = 2,
        LOG_ON_CONNECT = 4,
        LOG_ON_RESPONSE = 8,
        LOG_ON_CLOSE = 16,
};

/* Compiled for one proxy side; a logger without a step when it logs nothing. Made by feat/logs at configuration build time. */
struct log_driver {
        /* as_front: traffic lines are formatted too, so log-format and options are looked at. Lives in c's arena. proxy NULL:
         * the logger of section global, for lines of the process itself. */
        const struct logger *(*compile)(struct conf *c, const struct conf_obj *proxy, bool as_front, struct diags *d);
        /* A line without a stream: state changes. Goes to the logger's own targets (NULL: the global ones of the current world). */
        void (*send)(const struct logger *l, enum log_level level, const char *text, size_t n);
        void (*stream)(struct strm *s, enum log_when now); /* the line of that step; sets logged with the last */
        void (*reopen)(const char *path, int fd);          /* engine_log_fd(): takes the fd over */
        const char *const *(*paths)(const struct conf *c, size_t *ret_n); /* local socket paths, for the supervisor */
        uint64_t (*dropped)(void);                                        /* lines lost since the start (DroppedLogs) */
        /* A ready log_env.proc: the line goes to stderr through a ring and its writer thread, so it never blocks either. */
        void (*to_stderr)(void *ctx, bool alert, const char *text, size_t n);
        void (*flush)(unsigned max_ms); /* at exit: gives the writer threads this long to empty their rings */
};
extern const struct log_driver *log_driver; /* set at boot by feat/logs; NULL = none linked */

struct log_env { /* what logging asks of the process around it; any may be NULL. Set before threads start, then constant */
        /* A new connection to a local log path is wanted; log_driver->reopen() brings it. From any thread, at most once a second
         * for a path; must not block. */
        void (*reopen)(void *ctx, const char *path);
        /* The process's own copy of a state line ("[WARNING]  (pid) : text"); alert: [ALERT]. From any thread; must not block. */
        void (*proc)(void *ctx, bool alert, const char *text, size_t n);
        void *ctx;
};
extern struct log_env log_env;

/* Some rule of some configuration prints a part of the request line (%r, %HU): set while one is compiled, never cleared. */
extern _Atomic bool log_request_asked;

/* Will anybody ask for the request line when the head is gone? l: the frontend's. */
static inline bool log_keeps_request(const struct logger *l)
{
        return (l && *(const uint8_t *)(const void *)l) ||
               unlikely(atomic_load_explicit(&log_request_asked, memory_order_relaxed));
}

/* For streams: a line is written here when the frontend logs this step. One test when not. */
static inline void log_point(struct strm *s, const struct logger *l, enum log_when now)
{
        if (unlikely(l && *(const uint8_t *)(const void *)l & now))
                log_driver->stream(s, now);
}

void log_printf(const struct logger *l, enum log_level level, const char *fmt, ...) fmt_like(3, 4);
uint64_t log_dropped(void);

#endif
