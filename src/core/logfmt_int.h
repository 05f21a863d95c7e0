/* core/logfmt_int.h - the program of a log-format string, shared by its compiler (logfmt.c) and its printer. */
#ifndef CORE_LOGFMT_INT_H
#define CORE_LOGFMT_INT_H

#include "core/logfmt.h"

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
                const struct expr *expr; /* cast to a string */
        };
};

struct logfmt {
        unsigned needs;
        bool log; /* a log line, not a header or a body */
        uint32_t n;
        struct lf_node node[];
};

const struct log_alias *logfmt_alias(struct str name); /* NULL when unknown */

#endif
