/* core/check.h - what health checks are to the rest: results in, state out. The check protocols live in feat/checks.
 *
 * First-check rule (seed 004): a server counts as up until its first check, and that one failure takes it down whatever `fall`
 * says. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/server.h"

#include <pthread.h>

enum check_status { /* `check_status` of show stat; names in check_status_name() */
                    CHECK_UNKNOWN,
                    CHECK_INI,
                    CHECK_START,
                    CHECK_SOCKERR,
                    CHECK_L4OK,
                    CHECK_L4TOUT,
                    CHECK_L4CON,
                    CHECK_L6OK,
                    CHECK_L6TOUT,
                    CHECK_L6RSP,
                    CHECK_L7OK,
                    CHECK_L7OKC,
                    CHECK_L7TOUT,
                    CHECK_L7RSP,
                    CHECK_L7STS,
                    CHECK_PROCERR,
                    CHECK_PROCTOUT,
                    CHECK_PROCOK,
                    CHECK_STATUSES
};

struct check_result {
        enum check_status status;
        int code; /* of the protocol (HTTP status), when check_status_has_code() */
        int duration_ms;
        char info[128]; /* text for the log line, NUL-terminated */
};

struct check_cfg { /* slot "check": server and default-server words */
        bool check;
        int inter_ms, fastinter_ms, downinter_ms; /* the latter two: 0 = inter */
        int rise, fall;
        int port;                /* 0 = the server's */
        const struct addr *addr; /* NULL = the server's; its port may be 0 */
};
extern int check_slot;

struct check { /* run-time, one per server with `check`; kept over reloads */
        struct server *srv;
        _Atomic(const struct check_cfg *)
                cfg;        /* as the fields below: written by its thread or the control thread, shown by any */
        int rise_seen;      /* the rise that `health` was counted with */
        _Atomic int health; /* 0 .. rise + fall - 1, as in `show servers state` */
        atomic_bool enabled, paused, first_done, running;
        pthread_mutex_t last_lock;
        struct check_result last; /* its own thread reads it as it is, others by check_last() */
        mono_t last_at, started;
        stat_t failed, down_trans, total;
        unsigned owner; /* the data thread that runs it: slot mod threads */
        void *run;      /* feat/checks */
};

const char *check_status_name(enum check_status s); /* "L4CON" */
const char *check_status_text(enum check_status s); /* "Layer4 connection problem" */
bool check_status_is_ok(enum check_status s);
bool check_status_has_code(enum check_status s); /* the protocol gave a code, maybe 0: it is shown */

/* Sets the health of a server that was not checked yet, or whose rise and fall changed. */
void check_init_health(struct check *c);
void check_last(const struct check *c, struct check_result *ret_r); /* any thread */
/* Applies a result with rise, fall and the first-check rule; calls server_set_oper() on a change. The check's thread. */
void check_apply(struct check *c, const struct check_result *r);

/* Implemented by feat/checks, called by the change engine on the control thread. */
struct check_driver {
        struct check *(*start)(struct server *s); /* new, or after its cfg changed */
        void (*stop)(struct check *c);            /* waits for nothing: the owner thread frees it */
        void (*changed)(struct check *c);         /* cfg pointer was replaced */
        void (*launch)(void); /* all starts of a commit are said: the first checks are spread over them */
};
extern const struct check_driver *check_driver; /* set at boot; NULL = no checks in this binary */

#endif
