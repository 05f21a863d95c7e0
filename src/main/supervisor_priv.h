/* main/supervisor_priv.h - the supervisor's state, over several files: supervisor.c signals and master socket, supload.c loads, reloads
 * and which worker serves, supworker.c one worker's life and channel, supwatch.c who hangs.
 *
 * Two small machines run beside each other. The worker: none -> STARTING -> UP -> gone when it dies (then respawned from the last good
 * configuration, after a pause when it dies often). The load: IDLE -> LOADING (loader runs) -> HELD (waits for an UP worker) ->
 * APPLYING (the worker compares and changes itself) -> IDLE, or -> SWAPPING when some words take a new worker: it is started beside the
 * old one on the same sockets, and once it is UP the old one is LEAVING. Where nobody serves and the last good configuration does not get
 * a worker UP, HELD -> STARTING: a worker is started with the new one. A reload asked for meanwhile is remembered once; one asked for
 * in HELD takes the place of the one that waits. */
#ifndef MAIN_SUPERVISOR_PRIV_H
#define MAIN_SUPERVISOR_PRIV_H

#include "ev/sig.h"
#include "main/child.h"
#include "main/daemon.h"
#include "main/heartbeat.h"
#include "main/journal.h"
#include "main/mastercli.h"
#include "main/outbox.h"
#include "main/supconf.h"

#define SUP_CRASHES_FREE 5 /* deaths within a window before respawns are put off */
#define ABORT_GRACE_MS   1000
#define HANG_CHECK_MS    500

enum worker_state { W_STARTING, W_UP, W_LEAVING };
enum load_state { L_IDLE, L_LOADING, L_HELD, L_APPLYING, L_SWAPPING, L_STARTING };

struct worker {
        struct list link; /* sup.workers, oldest first */
        struct child child;
        struct outbox out;
        enum worker_state state;
        struct heartbeat *beat;
        struct timer kill_hung;
        struct timer answer;  /* the configuration it was given must be taken by then */
        struct timer breath;  /* it says too much: it is heard again then */
        unsigned said, asked; /* messages in this breath; log connections in this second */
        mono_t asked_at;
        uint32_t lag_seen, crash_seen; /* of its records */
        unsigned hung_checks, reloads; /* the latter: sup.reloads at its start */
};

struct supervisor {
        const struct args *args;
        char **argv;
        struct loop loop;
        struct sig_watch sigs;
        struct list workers;
        struct worker *worker, *coming; /* who serves, who is about to; NULL = nobody */
        unsigned n_leaving;
        struct child loader;
        enum load_state load_state;
        struct supconf *good, *next;
        struct journal journal;
        struct journal health; /* of the worker about to be swapped: what its successor need not find out again */
        int orphan;            /* while we start: the worker of a supervisor that died, -1 = none */
        struct mastercli *cli;
        struct daemon daemon;
        struct timer respawn, watch, loader_limit;
        mono_t crash[SUP_CRASHES_FREE + 1];
        unsigned n_crashes;
        uint64_t generation;
        unsigned reloads, failed;
        bool reload_wanted, last_failed, started;
        bool hard, hard_wanted;  /* the reload under way, or the next, was asked to end all connections */
        int stopping;            /* signal, 0 = no */
        int exit_code, end_code; /* the latter: of the worker that served last */
        mono_t since;
};
extern struct supervisor sup;

void supervisor_finish(int code);

/* ---- supload.c ---- */
void supload_begin(void);
/* False: it will begin when the one under way has ended, with what the files say then. */
bool supload_reload(bool hard);
void supload_worker_applied(struct worker *w, enum applied answer);
void supload_reap(void); /* SIGCHLD */
void supload_respawn_due(struct timer *t);
void supload_too_slow(struct timer *t);

/* ---- supworker.c ---- */
struct worker *supworker_start(const struct supconf *c); /* NULL: it cannot be started, the reason was logged */
void supworker_leave(struct worker *w);                  /* another one serves on its sockets */
void supworker_forget(struct worker *w);
struct worker *supworker_by_pid(int pid);
bool supworker_send_conf(struct worker *w, const struct supconf *c, bool replay);
/* e < 0: it could not be told something; it is ended. False then. */
bool supworker_told(const struct worker *w, int e);
/* It has died: what it said before, and we have not read. */
void supworker_last_words(struct worker *w);
void supworker_say_death(const struct worker *w, int status);

/* ---- supwatch.c ---- */
void supwatch_due(struct timer *t);
void supwatch_crash(struct worker *w); /* it has died: what it left in its page is logged */

#endif
