/* feat/logs/logs.h - what the files of the logging feature share.
 *
 *   rows.c     `log`, `log-tag`, `log-format`, `log-send-hostname` -> struct log_cfg
 *   logger.c   compiled loggers and the driver      frame.c    syslog headers
 *   sink.c     sockets to syslog daemons            ring.c     stdout, stderr, fd@N: a ring and its writer thread
 *   stream.c   the lines of a stream                state.c    lines of state changes
 *   profile.c  log-profile, do-log, steps           store.c    ring@: lines in memory     forward.c  to servers over TCP
 *   section.c  `ring`                               events.c   `show events`
 *   aliases.c  the %xx of log-format strings */
#ifndef FEAT_LOGS_LOGS_H
#define FEAT_LOGS_LOGS_H

#include "core/log.h"
#include "core/logfmt.h"
#include "core/rules.h"
#include "feat/logs/store.h"
#include "net/addr.h"

#define KIND_LOG_PROFILE ((kind_mask)1 << 24)
#define KIND_RING        ((kind_mask)1 << 25)

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

enum log_via { LOG_VIA_UDP, LOG_VIA_UNIX, LOG_VIA_FD, LOG_VIA_STORE };

enum log_origin { /* which line it is: a step, in the order of enum log_when, an error, the place of a do-log rule */
                  LOGO_ACCEPT,
                  LOGO_REQUEST,
                  LOGO_CONNECT,
                  LOGO_RESPONSE,
                  LOGO_CLOSE,
                  LOGO_ERROR,
                  LOGO_TCP_REQ_CONN,
                  LOGO_TCP_REQ_SESS,
                  LOGO_TCP_REQ_CONT,
                  LOGO_HTTP_REQ,
                  LOGO_TCP_RES_CONT,
                  LOGO_HTTP_RES,
                  LOGO_HTTP_AFTER_RES,
                  LOGO_ANY,
};
const char *log_origin_text(enum log_origin o); /* %OG */
unsigned log_steps_parse(struct str list);      /* "all" or names with commas: LOG_ON_*; 0: bad */
void log_steps_dump(unsigned mask, struct buf *out);

struct log_on { /* what a profile says of one step */
        bool set, drop;
        const struct logfmt *format, *sd;
        const char *format_text, *sd_text;
};

struct log_profile { /* slot "log_profile" */
        const char *tag;
        struct log_on on[LOGO_ANY + 1];
};
const struct log_profile *log_profile_find(const struct conf *c, const char *name); /* NULL: no such section */
bool log_profile_is_late(const struct log_profile *p); /* logfmt_is_late() of what it writes by itself */

struct log_do { /* a do-log rule that names a profile */
        struct log_do *prev;
        const char *name;
        const struct log_profile *profile;
        int origin; /* enum log_origin */
        struct span at;
};

struct log_sample { /* `sample`: a message of `size` is sent when its number is in a range */
        uint32_t n, size;
        _Atomic uint32_t seen; /* of all that write by this line */
        struct {
                uint32_t low, high;
        } range[];
};

struct log_line {                    /* one `log` line; immutable. `log global` has only `global` set */
        const struct log_line *prev; /* the line before it: lists are shared with the defaults they come from */
        bool global;
        enum log_via via;
        const char *text; /* the target as written, after variables */
        struct addr addr;
        const char *path;                  /* LOG_VIA_STORE: the ring's name */
        const struct store_target *stream; /* tcp@, uxst@: where the ring of its own sends to */
        int fd;
        int len, format, facility;
        int level, min_level; /* -1 = not given */
        struct log_sample *sample;
        const char *profile; /* name, or NULL */
        struct span at;
};

struct ring_cfg { /* slot "log_ring" */
        const char *description;
        int format, maxlen; /* LOGF_UNSET: as the log lines say */
        uint64_t size;
        int connect_ms, server_ms;
        const struct store_target *targets; /* the last one */
};
extern int log_ring_slot;
const struct ring_cfg *log_ring_find(const struct conf *c, const char *name); /* NULL: no such section */
void log_rings_apply(const struct conf *c);
void log_implicit_apply(const struct log_line *l);
/* A stream address: t->text, expanded. False after an alert. */
bool log_stream_address(struct kw_call *c, const struct word *w, struct store_target *t);

struct log_cfg {                      /* slot "log": global, defaults, frontend, backend, listen */
        const struct log_line *lines; /* the last one */
        const char *tag, *hostname;   /* hostname: "" = the machine's (global only) */
        const char *format;           /* log-format text; counts unless option httplog or tcplog is set */
        const char *sd_format, *error_format;
        struct span format_at, sd_at, error_at;
        unsigned steps;          /* log-steps: LOG_ON_*; 0: not given */
        struct log_do *dos;      /* do-log rules to resolve; the last one */
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
uint64_t sink_dropped_fd(int fd); /* of the sink of that descriptor; 0 when there is none */
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
        struct log_sample *sample;
        const struct log_profile *profile;
};

struct log_use {                          /* how one line of one target is made */
        const struct logfmt *format, *sd; /* sd: NULL when the target has no place for it */
        const char *tag;                  /* NULL: the logger's */
};

struct logger {
        uint8_t when; /* LOG_ON_*; first: log_point() reads it */
        bool http;
        bool varied;      /* targets want different lines: profiles, structured data */
        bool steps;       /* log-steps: as many lines as steps */
        unsigned options; /* OPT_* of the proxy */
        uint64_t id;      /* of no other logger in the life of the process; not 0 */
        const char *tag, *hostname;
        uint32_t tag_len, hostname_len;
        const struct logfmt *format; /* NULL: the default format */
        const struct logfmt *sd, *error_format;
        const char *name;        /* of the proxy */
        _Atomic uint32_t *lines; /* written so far (%lc) */
        uint32_t n;
        struct log_target target[];
};

/* Sends one message to all targets that want its level. Text is cut to fit each target's `len`, header and newline included. */
void logger_emit(const struct logger *l, enum log_level level, const char *text, size_t n);
/* The same to one target, in its own way: the text begins with structured data when u->sd. */
void logger_emit_to(const struct logger *l, const struct log_target *t, const struct log_use *u, enum log_level level,
                    const char *text, size_t n);
/* What the target writes at o, by `only` or its own profile; false: nothing. */
bool logger_use(const struct logger *l, const struct log_target *t, const struct log_profile *only, enum log_origin o,
                struct log_use *ret_u);
char *logger_text(const struct logger *l,
                  size_t *ret_n);         /* the thread's buffer for a line to emit; as long as any target takes */
const struct logger *logger_global(void); /* of the current configuration, or NULL */
uint32_t logs_count(const struct logger *l);
const char *logs_host(void); /* the machine's name */
void logs_stream(struct strm *s, enum log_when now);
void logs_do(const struct rule_ctx *x, const struct log_profile *only, enum log_origin o);
void log_do_check(struct conf *c, const struct log_cfg *cfg, struct diags *diags);

/* Writes the header for a target; at most n bytes. */
size_t frame_header(const struct logger *l, const struct log_target *t, const struct log_use *u, enum log_level level,
                    int64_t wall_us, char *dst, size_t n);

#endif
