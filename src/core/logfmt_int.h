/* core/logfmt_int.h - the program of a log-format string, shared by its compiler (logfmt.c) and its printer. */
#ifndef CORE_LOGFMT_INT_H
#define CORE_LOGFMT_INT_H

#include "core/logfmt.h"
#include "core/put.h"

enum lf_op {
        LF_NONE,        /* text only */
        LF_ALIAS,       /* flags Q or E may change what it prints */
        LF_ALIAS_PLAIN, /* they do not: most are so */
        LF_EXPR
};

/* One step: a merged blank, text, then an item. Steps are wide so that a line takes few of them. */
struct lf_node {
        uint8_t op;    /* enum lf_op */
        uint8_t flags; /* LOGFMT_* */
        bool blank;    /* unless one stands there already, or nothing does */
        uint32_t n;    /* of the text */
        const char *text;
        union {
                const struct log_alias *alias;
                const struct expr *expr; /* cast to a string, but where it is encoded or kept binary */
        };
};

enum lf_type { LF_AS_IS, LF_STR, LF_SINT, LF_BOOL };

struct lf_code { /* what encoders want to know of a step: "%(name:type)" */
        struct str name;
        uint8_t type; /* enum lf_type */
};

struct logfmt {
        unsigned needs;
        bool log;    /* a log line, not a header or a body */
        bool late;   /* logfmt_is_late() */
        bool coded;  /* some step is encoded or keeps binary: logcode_print() */
        uint8_t all; /* LOGFMT_JSON or LOGFMT_CBOR: the line is one map of the named steps */
        uint32_t n;
        struct lf_code *code; /* one per node */
        struct lf_node node[];
};

/* ---- shared by the two printers ---- */

struct lf_out {
        char *p;
        const char *end;
        bool blank; /* the last byte is a merged blank, or nothing was printed yet */
        struct log_view view;
};

/* The step's item, not encoded. */
void lf_item(struct lf_out *o, const struct logfmt *f, const struct lf_node *n, const struct expr_ctx *x);
size_t logcode_print(const struct logfmt *f, const struct expr_ctx *x, char *dst, size_t n);

/* Most steps have no text or one byte of it. */
static inline char *lf_text(char *p, const char *end, bool *blank, const struct lf_node *n)
{
        if (n->blank && !*blank) {
                *p++ = ' ';
                *blank = true;
        }
        if (n->n == 0 || p == end)
                return p;
        *blank = false;
        if (n->n > 1)
                return put_bytes(p, end, n->text, n->n);
        *p = *n->text;
        return p + 1;
}

const struct log_alias *logfmt_alias(struct str name); /* NULL when unknown */

#endif
