/* feat/checks/script.h - what a check says and expects, step by step (manual: tcp-check, http-check, option ...-check).
 *
 * Lines of a file become steps (steps.c, expect.c); steps, and what is implied, become the script of a backend (script.c); a probe
 * runs it (run.c).
 * Ownership: the configuration's arena.  Threads: immutable after the load. */
#ifndef FEAT_CHECKS_SCRIPT_H
#define FEAT_CHECKS_SCRIPT_H

#include "base/regex.h"
#include "core/check.h"
#include "core/cond.h"
#include "core/logfmt.h"
#include "core/vars.h"
#include "proto/svc.h"

enum check_kind { /* `option ...`; the last one of a section counts */
                  SCRIPT_PLAIN,
                  SCRIPT_TCP,
                  SCRIPT_HTTP,
                  SCRIPT_MYSQL,
                  SCRIPT_PGSQL,
                  SCRIPT_REDIS,
                  SCRIPT_SMTP,
                  SCRIPT_LDAP,
                  SCRIPT_SSL_HELLO,
};

struct payload { /* fmt NULL: text */
        struct str text;
        const struct logfmt *fmt;
        bool hex; /* what fmt prints is hexadecimal */
};

struct step_connect {
        const struct addr *addr; /* NULL: the check's */
        const struct expr *port_expr;
        int port;    /* 0: the check's */
        bool linger; /* close it with a FIN, not a reset */
};

struct request_field {
        struct str name;
        const struct logfmt *fmt;
};

struct step_request { /* what is unset comes from `option httpchk` */
        struct str method, uri, version;
        const struct logfmt *uri_fmt;
        const struct request_field *fields;
        uint32_t n_fields;
        struct payload body;
        bool has_body;
};

enum expect_kind {
        EXPECT_STRING,
        EXPECT_REGEX,
        EXPECT_BINARY,
        EXPECT_BINARY_REGEX,
        EXPECT_STRING_LF,
        EXPECT_BINARY_LF,
        EXPECT_STATUS,
        EXPECT_STATUS_REGEX,
        EXPECT_HDR,
        EXPECT_FHDR,
        EXPECT_BODY,
        EXPECT_BODY_REGEX,
        EXPECT_BODY_LF,
        EXPECT_SERVICE
};

enum text_how { TEXT_STR, TEXT_BEG, TEXT_END, TEXT_SUB, TEXT_REG };

struct text_match {
        bool used;
        enum text_how how;
        struct str text;
        const struct logfmt *fmt;
        const struct regex *re;
};

struct code_range {
        int lo, hi;
};

struct step_expect {
        enum expect_kind kind;
        bool negate;
        int min_recv;                      /* -1: what does not match may still come */
        enum check_status ok, error, tout; /* CHECK_UNKNOWN: the kind's own */
        const struct logfmt *on_success, *on_error;
        const struct expr *code;
        struct str text;
        const struct logfmt *fmt;
        const struct regex *re;
        const struct code_range *ranges;
        uint32_t n_ranges;
        struct text_match name, value;
        svc_fn service;
};

struct step_var {
        struct var_use use;
        const struct expr *expr;
        const struct logfmt *fmt;
};

enum step_kind { STEP_COMMENT, STEP_CONNECT, STEP_SEND, STEP_REQUEST, STEP_EXPECT, STEP_SET_VAR, STEP_UNSET_VAR };

struct step {
        enum step_kind kind;
        unsigned number;     /* in the user's lines, from 1; 0: implied */
        const char *comment; /* its own, or of the comment line before it */
        bool own_comment;
        union {
                struct step_connect connect;
                struct payload send;
                struct step_request request;
                struct step_expect expect;
                struct step_var var;
        };
};

struct step_line {                    /* one line of a section */
        const struct step_line *prev; /* the line before */
        struct words words;
        struct span at;
        struct step step;
};

struct script {
        enum check_kind kind;
        bool send_state, disable_on_404;
        bool by_lines; /* somebody wrote steps: results of tcp-check say so */
        uint64_t hash; /* of the lines it was made of: a reload compares */
        uint32_t n;
        const struct step *step;
};

struct check_rules { /* lines of one keyword, as far as a section has its own; inherited ones are replaced, never added to */
        const struct step_line *last;
        const struct conf_obj *owner;
};

struct check_proxy_cfg { /* slot "check_proxy": backends */
        int kind;        /* enum check_kind */
        struct check_rules tcp, http;
        const struct step_request *request; /* of `option httpchk`; NULL: without arguments */
        const struct words *request_words;
        bool send_state, disable_on_404; /* part of the http rules */
        bool request_last;               /* `option httpchk` stands behind the first `http-check send`: it wins */
        bool lost_request;               /* the request of the defaults went with their rules */
        const char *user;                /* mysql, pgsql */
        const char *hello;               /* smtp: "HELO example.org" */
        int mysql;                       /* enum svc_mysql_form */
        const struct script *script;     /* NULL: connect and no more */
};
extern int check_proxy_slot;

/* Parse functions: the words behind the keyword. They return how many they took, -1 after an alert. */
int step_parse(struct kw_call *c, bool http, struct step *s);
int expect_parse(struct kw_call *c, bool http, struct step *s);
/* "'http-check send' : ..." at a word; returns -1. */
int step_fail(struct kw_call *c, const struct word *w, const char *fmt, ...) fmt_like(3, 4);
const struct logfmt *step_format(struct kw_call *c, const struct word *w);
bool step_hex(struct kw_call *c, const struct word *w, struct str *ret_bytes);

/* Hexadecimal to bytes, in place; false: not an even number of digits. */
bool hex_decode(char *p, size_t *n);

/* Makes the script of a section; NULL when it needs none or after an alert. */
const struct script *script_make(struct conf *c, const struct conf_obj *o, const struct check_proxy_cfg *cfg,
                                 struct diags *d);
/* The steps of a service's protocol: how many; steps may be NULL to count. */
uint32_t service_steps(struct conf *c, const struct check_proxy_cfg *cfg, struct step *steps);
/* Does each connection of the script name a port of its own? */
bool rules_give_port(const struct check_proxy_cfg *cfg);

#endif
