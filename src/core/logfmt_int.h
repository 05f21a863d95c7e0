/* core/logfmt_int.h - the program of a log-format string, shared by its compiler (logfmt.c) and its printer. */
#ifndef CORE_LOGFMT_INT_H
#define CORE_LOGFMT_INT_H

#include "core/logfmt.h"

enum lf_op { LF_TEXT, LF_BLANK, LF_ALIAS, LF_EXPR };

struct lf_node {
        uint8_t op;    /* enum lf_op */
        uint8_t flags; /* LOGFMT_* */
        uint32_t n;    /* LF_TEXT */
        union {
                const char *text;
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
