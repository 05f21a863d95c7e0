/* core/check.h - what health and agent checks are to the rest: results in, state out. The protocols live in feat/checks and feat/agent.
 *
 * First-check rule (seed 004): a server counts as up until its first check, and that one failure takes it down whatever `fall`
 * says; `init-state` changes that. A server is up when its health check and its agent, as far as it has them, both say so. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/server.h"

#include <pthread.h>

enum check_status { /* `check_status` of show stat; names in check_status_name() */
                    CHECK_UNKNOWN,
                    CHECK_INI,
                    CHECK_START,
                    CHECK_NEUTRAL, /* an answer that says nothing about up and down */
                    CHECK_HANA,    /* observed traffic, see check_observe() */
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
        int code; /* of the protocol: HTTP status, 0 = none */
        int duration_ms;
        char info[128]; /* text for the log line, NUL-terminated */
};

enum check_observe { OBSERVE_NONE, OBSERVE_L4, OBSERVE_L7 };
enum check_on_error { ON_ERROR_FAIL_CHECK, ON_ERROR_FASTINTER, ON_ERROR_SUDDEN_DEATH, ON_ERROR_MARK_DOWN };
enum check_init { INIT_NONE, INIT_FULLY_UP, INIT_UP, INIT_DOWN, INIT_FULLY_DOWN };

struct check_cfg { /* slot "check": server and default-server words */
        bool check;
        int inter_ms, fastinter_ms, downinter_ms; /* the latter two: 0 = inter */
        int rise, fall;
        int port;                /* 0 = the server's */
        const struct addr *addr; /* NULL = the server's; its port may be 0 */
        int observe, on_error, error_limit;
        int init_state;
};
extern int check_slot;

struct agent_cfg { /* slot "agent": the same for the agent, whose rise and fall are 1 */
        struct check_cfg c;
        const char *send, *addr_text; /* addr_text: of c.addr, as written */
};
extern int agent_slot;

struct check_target {     /* where it connects to, what an agent is told: the file's values until the CLI sets others */
        struct addr addr; /* AF_UNSPEC: the server's */
        int port;         /* 0: the server's, or the address's own */
        char *send;       /* malloc; NULL: nothing */
};

struct check { /* run-time, one per server with `check` and one with `agent-check`; kept over reloads */
        struct server *srv;
        bool agent;
        const struct conf_obj *obj; /* whose words these are; control thread */
        _Atomic(const struct check_cfg *)
                cfg;              /* as the fields below: written by its thread or the control thread, shown by any */
        int rise_seen, fall_seen; /* those that `health` was counted with */
        _Atomic int health;       /* 0 .. rise + fall - 1, as in `show servers state` */
        atomic_bool enabled, first_done, running;
        pthread_mutex_t last_lock; /* of `last` and `target` */
        struct check_target target;
        struct check_result last; /* its own thread reads it as it is, others by check_last() */
        mono_t last_at, started;
        stat_t failed, total;
        unsigned owner; /* the data thread that runs it: slot mod threads */
        void *run;      /* feat/checks, feat/agent */
};

/* What all checks have alike: fills a new one from the server's line, and follows a changed line. The control thread. */
void check_init(struct check *c, struct server *s, bool agent); /* calloc()ed */
void check_retire(struct check *c); /* its driver is done with it; others may still look. Any thread */
/* A target word that changed wins over the CLI's value; returns which did. */
enum { CHECK_NEW_ADDR = 1, CHECK_NEW_PORT = 2, CHECK_NEW_SEND = 4 };
unsigned check_follow(struct check *c, const struct conf_obj *now);
void check_refit(
        struct check *c); /* its own thread, after check_follow(): health stays inside a changed rise and fall */
/* The words of a server's line; NULL: no such feature in this program. */
const struct check_cfg *check_words(const struct conf_obj *server, bool agent);
/* CLI. addr NULL, port -1, send NULL: as it is; send "": nothing. Any thread. */
void check_set_target(struct check *c, const struct addr *addr, int port, const char *send);
/* Address to connect to; 0: none. The check's thread. */
socklen_t check_target(struct check *c, struct sockaddr_storage *ret_sa);
/* Until the next check begins, counted from the start of the last one: inter, fastinter or downinter, and spread-checks. */
int64_t check_interval_ms(const struct check *c);
/* How long after the start of all `of` checks the one at `position` begins: they are spread over the interval. */
mono_t check_first_at(const struct check *c, uint32_t position, uint32_t of);
/* Does it run now? Not when it is switched off, and a health check not in maintenance; an agent may end that. */
bool check_may_run(const struct check *c);

const char *check_status_name(enum check_status s); /* "L4CON" */
const char *check_status_text(enum check_status s); /* "Layer4 connection problem" */
bool check_status_is_ok(enum check_status s);
bool check_status_has_code(enum check_status s); /* its code is shown, 0 too */

/* Sets the health of a server that was not checked yet, or that left maintenance. */
void check_init_health(struct check *c);
/* Is it up until a check says otherwise? `init-state` of its line. */
bool check_starts_up(const struct conf_obj *server);
/* Do all its checks that are on say that it is up? */
bool check_all_up(const struct server *s);
void check_last(const struct check *c, struct check_result *ret_r); /* any thread */
/* Applies a result with rise, fall and the first-check rule; calls server_set_oper() on a change. The check's thread. */
void check_apply(struct check *c, const struct check_result *r);

/* `observe`: how traffic went. A row of errors acts as `on-error` says. Any thread, the caller holds the server by a pin. */
enum check_seen { SEEN_L4_OK, SEEN_L4_ERROR, SEEN_OK, SEEN_STATUS, SEEN_HEADER, SEEN_TIMEOUT, SEEN_CLOSED, SEEN_KINDS };
void check_observed(struct server *s, enum check_seen what);

/* Implemented by feat/checks and feat/agent, called by the change engine on the control thread. */
struct check_driver {
        struct check *(*start)(struct server *s); /* new, or after its cfg changed */
        void (*stop)(struct check *c);            /* waits for nothing: the owner thread frees it */
        void (*changed)(struct check *c);         /* cfg pointer was replaced */
        void (*hurry)(struct check *c, int ms);   /* on its thread: the next one not later than so; NULL: cannot */
        void (*launch)(void); /* all starts of a commit are said: the first checks are spread over them */
};
extern const struct check_driver *check_driver, *agent_driver; /* set at boot; NULL = no such checks in this binary */

#endif
