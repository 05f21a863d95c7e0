/* feat/logs/logs.h - what the files of the logging feature share.
 *
 *   rows.c     `log`, `log-tag`, `log-format`, `log-send-hostname` -> struct log_cfg
 *   logger.c   compiled loggers and the driver      frame.c    syslog headers
 *   sink.c     sockets to syslog daemons            ring.c     stdout, stderr, fd@N: a ring and its writer thread
 *   stream.c   the line of a stream                 state.c    lines of state changes
 *   aliases.c  the %xx of log-format strings */
#ifndef FEAT_LOGS_LOGS_H
#define FEAT_LOGS_LOGS_H

#include "core/log.h"
#include "core/logfmt.h"
#include "net/addr.h"

#define LOG_LEN_DEFAULT 1024
#define LOG_LEN_MIN     80
#define LOG_LEN_MAX     65535

/* ---- settings ---- */

enum log_format { /* `format`; UNSET: local, or rfc3164 with log-send-hostname (manual 4.2) */
                  LOGF_UNSET,
                  LOGF_LOCAL,
                  LOGF_RFC3164,
                  LOGF_RFC5424,
                  LOGF_PRIORITY,
                  LOGF_SHORT,
                  LOGF_TIMED,
                  LOGF_ISO,
                  LOGF_RAW
};

enum log_via { LOG_VIA_UDP, LOG_VIA_UNIX, LOG_VIA_FD };

struct log_line {                    /* one `log` line; immutable. `log global` has only `global` set */
        const struct log_line *prev; /* the line before it: lists are shared with the defaults they come from */
        bool global;
        enum log_via via;
        const char *text; /* the target as written, after variables */
        struct addr addr;
        const char *path;
        int fd;
        int len, format, facility;
        int level, min_level; /* -1 = not given */
};

struct log_cfg {                      /* slot "log": global, defaults, frontend, backend, listen */
        const struct log_line *lines; /* the last one */
        const char *tag, *hostname;   /* hostname: "" = the machine's (global only) */
        const char *format;           /* log-format text; counts unless option httplog or tcplog is set */
        struct span format_at;
        struct log_cache *cache; /* section global: formats compiled in this load */
};
extern int log_slot;
void log_check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d); /* of the table */
extern const struct kw_val log_facilities[], log_levels[], log_formats[];

/* ---- sinks: one per destination and process, kept for ever (their number is bounded by what configurations name) ---- */

struct sink;
struct sink *sink_get(const struct log_line *l); /* any thread */
/* One line in pieces (header, text, newline). Never blocks. Counts what it drops. */
void sink_send(struct sink *s, const struct iovec *v, int n);
void sink_reopen(const char *path, int fd); /* takes the fd over */
uint64_t sink_dropped(void);
void sink_flush(unsigned max_ms);

struct ring;
/* Starts its thread at the first line; NULL: no memory. `datagrams`: one write(2) a line. */
struct ring *ring_new(int fd, size_t bytes, bool datagrams);
bool ring_put(struct ring *r, const struct iovec *v, int n); /* false: no room, nothing was taken */
bool ring_is_busy(const struct ring *r); /* lines wait; without a lock, for who would overtake them */
bool ring_wait_empty(struct ring *r, unsigned max_ms);
uint64_t ring_lost(const struct ring *r); /* lines that the writer could not write (a full disk, a closed pipe) */

/* ---- loggers ---- */

struct log_target {
        struct sink *sink;
        int len, format, facility, level, min_level;
};

struct logger {
        uint8_t when; /* enum log_when; first: log_point() reads it */
        bool http;
        unsigned options; /* OPT_* of the proxy */
        uint64_t id;      /* of no other logger in the life of the process; not 0 */
        const char *tag, *hostname;
        uint32_t tag_len, hostname_len;
        const struct logfmt *format; /* NULL: the default format */
        const char *name;            /* of the proxy */
        _Atomic uint32_t *lines;     /* written so far (%lc) */
        uint32_t n;
        struct log_target target[];
};

/* Sends one message to all targets that want its level. Text is cut to fit each target's `len`, header and newline included. */
void logger_emit(const struct logger *l, enum log_level level, const char *text, size_t n);
char *logger_text(const struct logger *l,
                  size_t *ret_n);         /* the thread's buffer for a line to emit; as long as any target takes */
const struct logger *logger_global(void); /* of the current configuration, or NULL */
uint32_t logs_count(const struct logger *l);
const char *logs_host(void); /* the machine's name */
void logs_stream(struct strm *s);

/* Writes the header for a target; at most n bytes. */
size_t frame_header(const struct logger *l, const struct log_target *t, enum log_level level, int64_t wall_us,
                    char *dst, size_t n);

#endif
