/* core/logfmt.h - log-format strings, compiled once (manual 8.2.6): aliases (%ci ...), %[expr], flags, plain text.
 *
 * Used for log lines and wherever the manual takes a log-format string (http-request set-header, redirect, ...). */
#ifndef CORE_LOGFMT_H
#define CORE_LOGFMT_H

#include "core/expr.h"

struct logfmt;

struct log_view { /* what an alias prints from: one per line printed */
        const struct strm *strm;
        const char *origin; /* expr_ctx.origin */
        bool timed;         /* ms is filled in */
        struct strm_ms ms;
};

struct log_alias {        /* one %xx: a row */
        const char *name; /* "ci" */
        unsigned needs;   /* EXPR_* */
        /* Appends the value at dst, at most n bytes; returns its length. '-' for what is not known is the engine's job: return 0. */
        size_t (*print)(struct log_view *v, unsigned flags, char *dst,
                        size_t n); /* NULL: never known (nothing captures it) */
        const char *help;
        /* Does this configuration make it? Asked when all of it is read (EXPR_LOADED); NULL: yes. */
        bool (*made)(const struct conf *c);
        bool process; /* needs no stream: known to a health check, too */
        bool request; /* reads the request line */
        bool string;  /* +Q and +E apply */
        bool quiet;   /* nothing at all stands for a missing value (%hr without captures) */
        bool number;  /* an integer, for encoders; with flag X it is a string */
        bool late;    /* its value is only right at the end of a stream: the line waits for it */
        bool pieces;  /* CBOR: a text of indefinite length, as HAProxy writes it */
};
struct log_alias_table {
        const struct log_alias *rows;
        size_t n;
};
#define LOG_ALIAS_TABLE(id, rows)                                                                                      \
        static const struct log_alias_table id##_aliases = { rows, array_len(rows) };                                  \
        static const struct log_alias_table *const id##_alias_reg __attribute__((used, section("telamon_alias"))) =    \
                &id##_aliases

enum { LOGFMT_QUOTE = 1, LOGFMT_HEX = 2, LOGFMT_ESCAPE = 4, LOGFMT_JSON = 8, LOGFMT_CBOR = 16, LOGFMT_BIN = 32 };

/* `allowed` with EXPR_LOG: a log line. Blanks are merged, '-' stands for what is missing, control bytes of samples become #XX
 * (manual 8.6). Without it, text for a header or a body: blanks stay, missing is empty, bytes that a field value cannot hold
 * become %XX; aliases are allowed as in HAProxy.
 * NULL after an alert. The program lives in the configuration's arena. */
const struct logfmt *logfmt_compile(struct kw_call *c, struct str text, const struct word *at, unsigned allowed);
/* Formats into dst; returns bytes written, at most n (cut there). */
size_t logfmt_print(const struct logfmt *f, const struct expr_ctx *x, char *dst, size_t n);
bool logfmt_is_const(const struct logfmt *f); /* text only */
unsigned logfmt_needs(const struct logfmt *f);
bool logfmt_is_late(const struct logfmt *f); /* asks for what only the end of a stream knows */

#endif
