/* core/log.h - the way out for log lines: targets, levels, framing; never blocks.
 *
 * Formatting happens straight into a per-thread buffer. Local and UDP targets are sent at once, non-blocking; stdout, stderr, fd@ and
 * files go through a bounded ring and a writer thread (mechanisms.md d). What cannot be sent is dropped and counted.
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

/* Compiled for one proxy side; NULL members when it logs nothing. Made by feat/logs through this hook at configuration build time. */
struct log_driver {
        const struct logger *(*compile)(struct conf *c, const struct conf_obj *proxy, bool as_front, struct diags *d);
        /* A line without a stream: state changes, "Proxy x started." Goes to the proxy's own targets (NULL: the global ones). */
        void (*send)(const struct logger *l, enum log_level level, const char *text, size_t n);
        void (*reopen)(const char *path, int fd);                         /* engine_log_fd() */
        const char *const *(*paths)(const struct conf *c, size_t *ret_n); /* local socket paths, for the supervisor */
};
extern const struct log_driver *log_driver; /* set at boot by feat/logs; NULL = none linked */

void log_printf(const struct logger *l, enum log_level level, const char *fmt, ...) fmt_like(3, 4);
uint64_t log_dropped(void);

#endif
