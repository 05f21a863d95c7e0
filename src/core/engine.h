/* core/engine.h - the running proxy, as main/ sees it: what a configuration wants to bind, the threads, and the one way to
 * change it.
 *
 * main/ owns processes, rights and sockets; the engine owns traffic. The loader calls engine_binds(); the supervisor (or the
 * single process) makes the sockets; the worker calls engine_apply() with the same configuration and those sockets, first at start and
 * again for each reload. engine_apply() prepares everything that can fail, then commits, then retires.
 * Threads: all functions on the control thread (the one that called engine_new()), unless said otherwise. */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "conf/conf.h"
#include "net/listener.h"

/* One address that the configuration wants. `key` is its identity ("frontend web bind *:80", "stats socket /run/x"): an equal key
 * and an equal spec across a reload keep their sockets. */
struct engine_bind {
        const char *key;
        struct listen_spec spec;
        const struct conf_obj *obj; /* its line, and which port of a range it is */
        unsigned port;
        struct span at;             /* for "cannot bind" messages */
        const char *what;           /* "frontend 'web'", for messages */
        unsigned n_fds;             /* filled by who binds */
        int fds[LISTEN_SHARDS_MAX]; /* -1: none, or taken by the engine */
};

struct engine_binds {
        struct arena mem;
        struct engine_bind *v;
        size_t n;
};

/* Lists all sockets of a configuration. threads: how many shards an address gets. */
void engine_binds(const struct conf *c, unsigned threads, struct engine_binds *ret_b);
void engine_binds_fini(struct engine_binds *b); /* closes no fd */
/* Does the socket made for `a` serve `b`, too? Keys are compared by the caller. */
bool engine_bind_same(const struct engine_bind *a, const struct engine_bind *b);
size_t engine_count_binds(const struct conf *c);     /* 0: "no listener", exit code 2 */
uint32_t engine_front_maxconn(const struct conf *c); /* of a frontend whose file says nothing */
unsigned engine_threads(const struct conf *c);       /* nbthread, or one per usable core */

struct engine;

struct engine_hooks { /* what the engine asks of the process around it; any may be NULL */
        /* A runtime change that must survive a respawn: the last command for a key replaces an earlier one; cmd NULL forgets the key. */
        void (*journal)(void *ctx, const char *key, const char *cmd);
        /* A new connected datagram socket to a local log path; -1 when it cannot be had now. The answer comes by engine_log_fd(). */
        void (*reopen_log)(void *ctx, const char *path);
        void (*stopped)(void *ctx);                      /* after a soft stop: the last connection is gone */
        bool (*reload)(void *ctx, struct buf *ret_text); /* the master's `reload`; NULL in a worker */
        void *ctx;
};

struct engine_opts {
        unsigned threads;
        const struct engine_hooks *hooks;
        bool master_worker;
        uint32_t px_maxconn; /* -N: what a frontend without maxconn gets; 0 = as much as the process */
};

int engine_new(const struct conf *first, const struct engine_opts *o, struct engine **ret_e);

/* Applies a configuration: the first time, and as a reload. Takes its own reference to `c` on success. `b` carries the sockets; the
 * engine keeps those it needs (sets their fds to -1 in `b`) and the caller closes the rest. Appends one line per change to
 * `diff` ("~ server web/s1: weight 1 -> 5 (live)"). false: nothing has changed, the reasons are in `d`. */
bool engine_apply(struct engine *e, struct conf *c, struct engine_binds *b, struct buf *diff, struct diags *d);

/* The same comparison without doing anything; `old` may be NULL, `out` too. The heaviest way in which a change applies:
 * KW_SWAP is left undone by engine_apply() and takes another process, KW_REFUSED makes it fail. */
enum kw_apply engine_plan(const struct conf *old, const struct conf *new, struct buf *out);
/* Does c hold words that this engine cannot take over, so that only a new process would have them? */
bool engine_wants_swap(const struct engine *e, const struct conf *c);

int engine_start(struct engine *e);                    /* starts the data threads and the listeners */
void engine_replay(struct engine *e, const char *cmd); /* a journal command, at admin level, not journalled again */
/* A CLI connection that came by another way (the master socket); level: core/cli.h. 0: the engine owns the
 * fd, and closes it when there is no world any more; -ENOMEM: it is still the caller's. */
int engine_cli_attach(struct engine *e, int fd, int level);
/* Local log socket paths of a configuration (for the supervisor's allow-list and pre-chroot connects); in c's arena. */
const char *const *engine_log_paths(const struct conf *c, size_t *ret_n);
void engine_log_fd(struct engine *e, const char *path, int fd);
void engine_soft_stop(struct engine *e); /* listeners off; hooks->stopped when the last session ends */
/* Another process serves the same sockets from now on: as a soft stop, but the runtime sockets are left, too, and no idle connection is
 * closed before its client has had one more answer, which says so (Connection: close): no client sees a broken connection. */
void engine_retire(struct engine *e);
/* All sockets that the engine listens on now, with the key and spec of their line; fds are borrowed. e may be NULL: the one there is. */
void engine_sockets(struct engine *e,
                    void (*tell)(void *ctx, const char *key, const struct listen_spec *spec, const int *fds,
                                 unsigned n),
                    void *ctx);
/* A runtime command for each server that its checks hold for down: what a successor need not find out again. */
void engine_health(struct engine *e, void (*tell)(void *ctx, const char *cmd), void *ctx);
void engine_pause(struct engine *e); /* SIGTTOU: listeners off, sockets kept */
void engine_resume(struct engine *e);
void engine_stop(struct engine *e); /* joins the threads */
void engine_free(struct engine *e); /* takes the world down; a process that just ends need not */
/* Runs fn(arg) on the control thread, later; any thread. Nothing happens without an engine. */
void engine_on_control(void (*fn)(void *arg), void *arg);
struct front;
void front_stop(struct front *f); /* control thread: closes its listeners for good */
void front_set_maxconn(struct front *f,
                       uint32_t maxconn); /* any thread; until the file's value changes; 0 = the file's */
bool world_set_maxconn(uint64_t maxconn); /* any thread; 0 = the file's; false: above what the process can open */
struct loop *engine_control_loop(struct engine *e); /* main adds its signal and channel fds here */

/* What each data thread does now, for a watchdog; any thread, until engine_free(). How many. */
struct engine_turn {
        mono_t since;  /* its turn began; 0 = it waits for events */
        pid_t tid;     /* 0 = not yet */
        clockid_t cpu; /* its own processor time; reading it fails once it has ended */
};
unsigned engine_turns(const struct engine *e, struct engine_turn ret_v[THR_MAX]);

/* What was said about the configuration in force, in the classic form, a line each. Any thread. */
void engine_startup_log(struct buf *out);

#endif
