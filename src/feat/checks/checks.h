/* feat/checks/checks.h - health checks: the words (rows.c, options.c, steps.c, expect.c), what is to be said (script.c), who checks
 * what and when (driver.c, probe.c), one check on the wire (run.c, match.c, response.c).
 *
 * A check belongs to one data thread (cell slot mod threads); its timer, socket and result live there. Only state changes leave it, by
 * check_apply(). */
#ifndef FEAT_CHECKS_CHECKS_H
#define FEAT_CHECKS_CHECKS_H

#include "core/threads.h"
#include "feat/checks/response.h"
#include "feat/checks/script.h"
#include "net/conn.h"

int check_parse_addr(struct kw_call *c);
void check_dump_addr(const struct kw *kw, const void *slot, struct buf *out);

/* ---- requests ---- */

enum request_part { REQUEST_METHOD, REQUEST_URI, REQUEST_VERSION };
int request_start(struct kw_call *c, const struct word *w, enum request_part part, struct step_request *r);
int request_field(struct kw_call *c, const struct word *name, const struct word *value, struct step_request *r);
/* Writes it; state: the value of X-Haproxy-Server-State, or n == 0. False: a format gave something that no request can hold. */
bool request_write(const struct step_request *r, const struct expr_ctx *x, struct str state, struct buf *out);

/* ---- one check ---- */

enum probe_state { PROBE_WAITING, PROBE_CONNECTING, PROBE_TALKING };

struct run { /* of a script; between two checks only `hash` means something */
        struct expr_check x;
        const struct script *script;
        struct back_cfg *pinned;       /* whose configuration the script lives in */
        const struct step_expect *met; /* the last step, when it was an expect that was met */
        struct vars *vars;             /* check.x (core/vars.h) */
        struct response *rsp;          /* of the last request */
        struct buf in, out;            /* received since the last send; to be sent */
        size_t sent;                   /* of out */
        uint32_t at;                   /* the step under way */
        enum hmeth method;             /* of the last request */
        int code;                      /* of the last answer that was met */
        char info[128];                /* what the service said in it */
        bool said, full, ended,
                linger; /* said: something was sent or expected; full: `in` is; ended: no byte follows */
        uint64_t hash;  /* of the script that ran last */
};

struct probe { /* check->run */
        struct check *check;
        enum probe_state state;
        struct conn conn;
        struct timer timer; /* waiting: the next check; else: the deadline of what is under way */
        struct run run;
        mono_t started;
        uint32_t position; /* among the checks that start together: spreads the first ones */
        uint32_t of;
        bool stopping;
        struct grave grave;
};

/* On the owner's thread. */
void probe_start(struct probe *p);         /* arms the first check */
void probe_hurry(struct probe *p, int ms); /* the next check not later than so */
void probe_stop(struct probe *p);          /* closes and stops; the caller buries it */
void probe_renew(struct probe *p);         /* the configuration changed: another script starts at once */
/* How it ended: the probe closes, waits for the next one, and tells. */
void probe_finish(struct probe *p, const struct check_result *r);

const struct check_proxy_cfg *check_proxy_of(const struct back_cfg *b);
const struct script *script_of(const struct check_proxy_cfg *cfg);
void run_begin(struct probe *p);    /* from the first step on */
void run_woken(struct probe *p);    /* the socket can go on */
void run_deadline(struct probe *p); /* it took too long */
void run_end(struct probe *p);      /* gives back what the run holds; twice is fine */

/* ---- judging ---- */

enum match_answer { MATCH_WAIT, MATCH_YES, MATCH_NO };

struct match {
        enum match_answer answer;
        enum check_status
                status; /* MATCH_NO: what it means unless the step says otherwise; of a service also MATCH_YES */
        int code;
        char info[128]; /* bytes of the server among it: no NUL, nothing else is promised */
};

/* Does what was received meet the step? x->rsp is there when the head of an answer is. */
struct match match_run(const struct run *r, const struct step *s, const struct expr_ctx *x);

#endif
