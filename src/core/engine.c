/* core/engine.c - threads, the control loop, and the door to main/. */
#include "core/engine.h"

#include "core/binds.h"
#include "core/cells.h"
#include "core/cli.h"
#include "core/event.h"
#include "core/global.h"
#include "core/hook.h"
#include "core/log.h"
#include "core/retire.h"
#include "core/sess.h"
#include "core/srv_source.h"
#include "core/threads.h"
#include "core/tune.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define REAP_MS      100  /* while something waits */
#define REAP_IDLE_MS 1000 /* data threads retire views, too, and do not say so */
#define STOP_MS      50

struct data_thread {
        struct loop loop;
        struct thr *thr;
        pthread_t id;
        _Atomic(pid_t) tid;
        clockid_t cpu; /* valid once tid is */
        bool running;
};

struct engine {
        const struct engine_hooks *hooks;
        unsigned n_threads;
        struct data_thread *v;
        struct loop control;
        struct thr *thr;
        struct timer reap, stopping;
        bool started, told_stopped;
};

static struct engine *the_engine; /* one per process, as there is one world */
static mono_t process_start;

__attribute__((constructor)) static void note_start(void)
{
        process_start = sys_kernel.mono();
}

/* ---- making ---- */

unsigned engine_threads(const struct conf *c)
{
        const struct global_cfg *g = global_of(c);
        int n = g->nbthread, most = tune_of(c)->thread_limit;
        cpu_set_t set;

        if (n == 0)
                n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
        if (most > 0 && n > most)
                n = most;
        return n < 1 ? 1 : n > THR_MAX - 1 ? THR_MAX - 1 : (unsigned)n;
}

static void boot(void)
{
        event_boot();
        hook_boot();
        cli_boot();
        cell_column_size(CELL_FRONT, sizeof(struct front_col));
        cell_column_size(CELL_BACK, sizeof(struct back_col));
        cell_column_size(CELL_SERVER, sizeof(struct server_col));
        cell_column_size(CELL_LISTENER, sizeof(struct px_stat));
}

static int make_loop(unsigned id, struct loop *l, struct thr **ret_t)
{
        struct thr *t = thr_new(id, &sys_kernel, THR_RX_DEFAULT);
        int r;

        if (!t)
                return -ENOMEM;
        r = loop_init(l, t);
        if (r < 0) {
                thr_free(t);
                return r;
        }
        *ret_t = t;
        return 0;
}

static void free_loops(struct engine *e)
{
        for (unsigned i = 0; i < e->n_threads; i++)
                if (e->v[i].thr) {
                        loop_fini(&e->v[i].loop);
                        thr_free(e->v[i].thr);
                }
        if (e->thr) {
                loop_fini(&e->control);
                thr_free(e->thr);
        }
        thr_self = NULL;
}

static int make_loops(struct engine *e)
{
        int r = make_loop(e->n_threads, &e->control, &e->thr);

        for (unsigned i = 0; r == 0 && i < e->n_threads; i++) {
                r = make_loop(i, &e->v[i].loop, &e->v[i].thr);
                if (r == 0)
                        threads_set(i, &e->v[i].loop);
        }
        return r;
}

static void on_reap(struct timer *t)
{
        struct engine *e = container_of(t, struct engine, reap);

        timer_start(&e->control, &e->reap, mono_add_ms(thr_self->now, engine_reap() > 0 ? REAP_MS : REAP_IDLE_MS));
}

static char *host_name(void)
{
        char name[256] = "localhost";

        (void)gethostname(name, sizeof(name) - 1);
        return strdup(name);
}

static void on_stopping(struct timer *t);

struct log_wish {
        struct mail mail;
        char path[];
};

static void ask_for_log(struct mail *m)
{
        struct log_wish *w = container_of(m, struct log_wish, mail);
        const struct engine_hooks *h = the_engine->hooks;

        if (h && h->reopen_log)
                h->reopen_log(h->ctx, w->path);
        free(w);
}

/* log_env.reopen: a sink on some thread lost its receiver; only the process around the engine can bring a new connection. */
static void want_log(void *ctx, const char *path)
{
        struct engine *e = ctx;
        size_t n = strlen(path) + 1;
        struct log_wish *w = malloc(sizeof(*w) + n);

        if (!w)
                return; /* the sink asks again in a second */
        w->mail.fn = ask_for_log;
        memcpy(w->path, path, n);
        loop_mail(&e->control, &w->mail);
}

static uint32_t px_maxconn; /* engine_opts */

int engine_new(const struct conf *first, const struct engine_opts *o, struct engine **ret_e)
{
        struct engine *e;
        int r;

        ASSERT(!the_engine);
        e = calloc(1, sizeof(*e));
        if (!e)
                return -ENOMEM;
        px_maxconn = o->px_maxconn;
        e->hooks = o->hooks;
        e->n_threads = o->threads ? o->threads : engine_threads(first);
        thr_set_count(e->n_threads);
        e->v = calloc(e->n_threads, sizeof(*e->v));
        r = e->v ? make_loops(e) : -ENOMEM;
        if (r < 0) {
                free_loops(e);
                free(e->v);
                free(e);
                return r;
        }
        boot();
        thr_self = e->thr;
        timer_init(&e->reap, on_reap);
        timer_init(&e->stopping, on_stopping);
        world.started = process_start;
        world.started_wall_us = thr_self->wall_us - (int64_t)((thr_self->now - process_start) / 1000);
        world.pid = (int)getpid();
        world.host = host_name();
        the_engine = e;
        log_env.reopen = want_log;
        log_env.ctx = e;
        *ret_e = e;
        return 0;
}

struct loop *engine_control_loop(struct engine *e)
{
        return &e->control;
}

/* ---- reaping: mail, timers and commits run on the control thread; nothing of the loop's own turn holds an epoch pointer there ---- */

unsigned engine_reap(void)
{
        return cells_reap();
}

void engine_reap_soon(void)
{
        struct engine *e = the_engine;

        if (e)
                timer_start(&e->control, &e->reap, mono_add_ms(thr_self->now, REAP_MS));
}

/* ---- applying ---- */

/* Two descriptors a connection, and some for the rest: half of what the process may open (manual, global maxconn). */
static uint32_t maxconn_of(const struct conf *c)
{
        const struct global_cfg *g = global_of(c);
        uint64_t fixed = 64 + engine_count_binds(c) * thr_count();
        struct rlimit rl = { .rlim_cur = 1024 };
        int most = tune_of(c)->fd_limit;

        if (g->maxconn > 0)
                return (uint32_t)g->maxconn;
        (void)getrlimit(RLIMIT_NOFILE, &rl);
        if (most > 0 && g->ulimit_n == 0 && rl.rlim_cur > (rlim_t)most)
                rl.rlim_cur = (rlim_t)most;
        if (rl.rlim_cur == RLIM_INFINITY || rl.rlim_cur > 1u << 21)
                return 1u << 20;
        return rl.rlim_cur > fixed + 4 ? (uint32_t)((rl.rlim_cur - fixed) / 2) : 2;
}

uint32_t engine_front_maxconn(const struct conf *c)
{
        return px_maxconn ? px_maxconn : maxconn_of(c);
}

static void put_conf(void *conf)
{
        conf_put(conf);
}

static void read_mail(void *conf)
{
        (void)conf;
}

static void take_global(struct conf *c)
{
        const struct global_cfg *g = global_of(c);
        struct conf *old = world.conf;
        uint32_t was = world.maxconn;

        world.conf = conf_get(c);
        world.maxconn = maxconn_of(c);
        world.hard_maxconn = world.maxconn;
        if (!old || global_of(old)->maxconnrate != g->maxconnrate) /* an unchanged line keeps what the CLI set */
                world.conn_gate.limit = (uint32_t)g->maxconnrate;
        if (!old || global_of(old)->maxsessrate != g->maxsessrate)
                world.sess_gate.limit = (uint32_t)g->maxsessrate;
        world.maxhdr = (uint32_t)g->max_http_hdr;
        tune_apply(c, the_engine ? the_engine->n_threads : 1);
        world.node = g->node ? g->node : world.host;
        world.description = g->description;
        if (old) {
                world.reloads++;
                threads_run(read_mail, old,
                            put_conf); /* checks read pointers into it until they have read their mail */
        }
        if (was && world.maxconn > was)
                sess_limit_moved();
}

static void announce_fronts(enum front_state from, enum front_state to)
{
        list_for_each (i, &world.fronts) {
                struct event_front ev = { list_item(i, struct front, link), from, to };

                event_publish(EVENT_FRONT_STATE, &ev);
        }
}

/* ---- show startup-logs: written by the control thread, read by whoever serves the runtime socket ---- */

static pthread_mutex_t startup_lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf startup_log = BUF_INIT;

static void keep_startup_log(const struct diags *d)
{
        pthread_mutex_lock(&startup_lock);
        startup_log.n = 0;
        diags_format(d, DIAG_CLASSIC, DIAG_NOTICE, world.pid, &startup_log);
        pthread_mutex_unlock(&startup_lock);
}

static void forget_startup_log(void)
{
        pthread_mutex_lock(&startup_lock);
        buf_fini(&startup_log);
        pthread_mutex_unlock(&startup_lock);
}

void engine_startup_log(struct buf *out)
{
        pthread_mutex_lock(&startup_lock);
        buf_str(out, buf_view(&startup_log));
        pthread_mutex_unlock(&startup_lock);
}

bool engine_apply(struct engine *e, struct conf *c, struct engine_binds *b, struct buf *diff, struct diags *d)
{
        struct change_set s;
        size_t from = diff->n;
        bool first = !world.conf;
        bool ok;

        (void)e;
        if (first)
                world.maxconn = maxconn_of(c); /* limits that follow from it are made in prepare */
        change_diff(world.conf, c, &s);
        if (log_driver)
                (void)log_driver->compile(c, NULL, false, d); /* the logger of the process itself */
        ok = change_prepare(&s, b, d);
        atomic_fetch_add_explicit(&world.warnings, d->n_warnings, memory_order_relaxed);
        if (ok) {
                keep_startup_log(d);
                change_print(&s, diff);
                change_commit(&s);
                take_global(c);
                event_publish(EVENT_APPLIED, c);
                engine_reap_soon();
        }
        change_set_fini(&s);
        if (ok && !first) {
                buf_putc(diff, 0);
                diff->n--;
                event_publish(EVENT_RELOAD, diff->p + from);
        }
        return ok;
}

bool engine_wants_swap(const struct engine *e, const struct conf *c)
{
        return engine_threads(c) != e->n_threads || engine_plan(world.conf, c, NULL) == KW_SWAP ||
               (srv_source_foreign(c) && !srv_source_foreign(world.conf)); /* a right that was given away */
}

/* ---- threads ---- */

static void *data_main(void *arg)
{
        struct data_thread *t = arg;

        thr_self = t->thr;
        (void)pthread_getcpuclockid(pthread_self(), &t->cpu);
        atomic_store_explicit(&t->tid, gettid(), memory_order_release); /* engine_turns() */
        (void)loop_run(&t->loop);
        return NULL;
}

/* A CPU that is not there is no reason not to serve: the thread then runs where it may. */
static void pin_thread(pthread_t id, unsigned i)
{
        cpu_set_t set;

        if (world.conf && tune_cpus(tune_of(world.conf), i, &set))
                (void)pthread_setaffinity_np(id, sizeof(set), &set);
}

int engine_start(struct engine *e)
{
        char name[32]; /* the kernel takes 15 bytes, and no thread number is longer */

        for (unsigned i = 0; i < e->n_threads; i++) {
                int r = pthread_create(&e->v[i].id, NULL, data_main, &e->v[i]);

                if (r != 0)
                        return -r;
                e->v[i].running = true;
                (void)snprintf(name, sizeof(name), "telamon/%u", i + 1);
                (void)pthread_setname_np(e->v[i].id, name);
                pin_thread(e->v[i].id, i);
        }
        e->started = true;
        world.boot_ms = (uint32_t)mono_ms_between(process_start, sys_kernel.mono());
        announce_fronts(FRONT_STOPPED, FRONT_OPEN);
        return 0;
}

bool engine_is_running(void)
{
        return the_engine && the_engine->started;
}

void engine_stop(struct engine *e)
{
        for (unsigned i = 0; i < e->n_threads; i++)
                if (e->v[i].running)
                        loop_stop(&e->v[i].loop);
        for (unsigned i = 0; i < e->n_threads; i++)
                if (e->v[i].running)
                        pthread_join(e->v[i].id, NULL);
        for (unsigned i = 0; i < e->n_threads; i++)
                e->v[i].running = false;
        e->started = false;
}

/* One turn of every loop on the calling thread: the data threads have ended, what they would have done is done here. */
static void turn_all(struct engine *e)
{
        for (unsigned i = 0; i < e->n_threads; i++) {
                thr_self = e->v[i].thr;
                loop_turn(&e->v[i].loop, false);
        }
        thr_self = e->thr;
        loop_turn(&e->control, false);
}

static void retire_world(void)
{
        list_for_each_safe (i, &world.fronts)
                front_retire(list_item(i, struct front, link));
        list_for_each_safe (i, &world.backs)
                back_retire(list_item(i, struct back, link));
        if (world.cli)
                front_retire(world.cli);
        world_names_forget();
        if (world.conf)
                conf_put(world.conf);
        free(world.host);
        world = (struct world){ .fronts = LIST_INIT(world.fronts), .backs = LIST_INIT(world.backs) };
}

#define LAST_TURNS 1000

/* Runtime connections do not keep a process alive that has nothing else to do. */
static uint32_t clients(void)
{
        return atomic_load_explicit(&world.cur_conns, memory_order_relaxed);
}

static uint32_t runtime_sessions(void)
{
        return world.cli ? atomic_load_explicit(&world.cli->cur, memory_order_relaxed) : 0;
}

static void kill_sessions(struct engine *e)
{
        for (unsigned i = 0; i < e->n_threads; i++) {
                thr_self = e->v[i].thr;
                sess_kill_all();
        }
        thr_self = e->thr;
}

/* The world is taken down in its own way, so that what was forgotten shows up as a leak. The sessions go first: their last log
 * lines need the world; and more than once, as a session whose stream was killed may still wait for its peer to close. */
static void take_down(struct engine *e)
{
        unsigned n = 0;

        event_publish(EVENT_APPLIED, NULL);
        do {
                kill_sessions(e);
                turn_all(e);
        } while (clients() + runtime_sessions() > 0 && ++n < LAST_TURNS);
        n = 0;
        (void)pins_next_generation();
        retire_world();
        do
                turn_all(e);
        while (cells_reap() > 0 && ++n < LAST_TURNS);
        pins_fini();
}

void engine_free(struct engine *e)
{
        ASSERT(!e->started);
        take_down(e);
        forget_startup_log();
        timer_stop(&e->control, &e->reap);
        timer_stop(&e->control, &e->stopping);
        free_loops(e);
        free(e->v);
        free(e);
        the_engine = NULL;
}

unsigned engine_turns(const struct engine *e, struct engine_turn ret_v[THR_MAX])
{
        for (unsigned i = 0; i < e->n_threads; i++) {
                const struct data_thread *t = &e->v[i];

                ret_v[i].since = atomic_load_explicit(&t->loop.stats.turn_start, memory_order_relaxed);
                ret_v[i].tid = atomic_load_explicit(&t->tid, memory_order_acquire); /* data_main() */
                ret_v[i].cpu = ret_v[i].tid ? t->cpu : CLOCK_THREAD_CPUTIME_ID;
        }
        return e->n_threads;
}

/* ---- stopping, pausing ---- */

static void soft_stop_here(void *arg)
{
        (void)arg;
        sess_soft_stop();
}

static void on_stopping(struct timer *t)
{
        struct engine *e = container_of(t, struct engine, stopping);

        if (e->told_stopped)
                return;
        if (clients() > 0) {
                timer_start(&e->control, t, mono_add_ms(thr_self->now, STOP_MS));
                return;
        }
        e->told_stopped = true;
        if (e->hooks && e->hooks->stopped)
                e->hooks->stopped(e->hooks->ctx);
}

void front_stop(struct front *f)
{
        list_for_each_safe (i, &f->listeners)
                listener_retire(list_item(i, struct listener, link));
        atomic_store_explicit(&f->state, FRONT_STOPPED, memory_order_relaxed);
}

void engine_soft_stop(struct engine *e)
{
        if (atomic_exchange(&world.stopping, true))
                return;
        list_for_each (i, &world.fronts)
                front_stop(list_item(i, struct front, link));
        announce_fronts(FRONT_OPEN, FRONT_STOPPED);
        threads_run(soft_stop_here, NULL, NULL);
        timer_start(&e->control, &e->stopping, mono_add_ms(thr_self->now, STOP_MS));
}

static void retire_here(void *arg)
{
        (void)arg;
        sess_retire();
}

static void front_sockets(const struct front *f,
                          void (*tell)(void *, const char *, const struct listen_spec *, const int *, unsigned),
                          void *ctx)
{
        list_for_each (i, &f->listeners) {
                const struct listener *l = list_item(i, struct listener, link);
                struct listen_spec spec;

                bind_spec(l->cfg, l->port_index, &spec);
                if (l->n_fds)
                        tell(ctx, l->key, &spec, l->fds, l->n_fds);
        }
}

void engine_sockets(struct engine *e,
                    void (*tell)(void *ctx, const char *key, const struct listen_spec *spec, const int *fds,
                                 unsigned n),
                    void *ctx)
{
        (void)e;
        list_for_each (i, &world.fronts)
                front_sockets(list_item(i, struct front, link), tell, ctx);
        if (world.cli)
                front_sockets(world.cli, tell, ctx);
}

/* Who is not asked for new sessions need not look after its servers, nor log what its successor logs. */
static void stop_checks(void)
{
        list_for_each (i, &world.backs) {
                const struct back *b = list_item(i, struct back, link);

                for (uint32_t k = 0; k < b->n_srv; k++) {
                        if (b->srv[k]->check)
                                b->srv[k]->check->enabled = false;
                        if (b->srv[k]->agent)
                                b->srv[k]->agent->enabled = false;
                }
        }
}

static void tell_health(const struct server *s, const char *what, const struct check *c,
                        void (*tell)(void *ctx, const char *cmd), void *ctx)
{
        AUTO_BUF(cmd);

        if (!c || c->health >= c->cfg->rise || atomic_load_explicit(&s->oper, memory_order_relaxed) != SRV_STOPPED)
                return;
        buf_printf(&cmd, "set server %s/%s %s down", s->back->cell.name, s->cell.name, what);
        buf_putc(&cmd, 0);
        tell(ctx, cmd.p);
}

void engine_health(struct engine *e, void (*tell)(void *ctx, const char *cmd), void *ctx)
{
        (void)e;
        list_for_each (i, &world.backs) {
                const struct back *b = list_item(i, struct back, link);

                for (uint32_t k = 0; k < b->n_srv; k++) {
                        tell_health(b->srv[k], "health", b->srv[k]->check, tell, ctx);
                        tell_health(b->srv[k], "agent", b->srv[k]->agent, tell, ctx);
                }
        }
}

void engine_retire(struct engine *e)
{
        atomic_store(&world.retiring, true);
        if (atomic_exchange(&world.stopping, true))
                return;
        stop_checks();
        list_for_each (i, &world.fronts)
                front_stop(list_item(i, struct front, link));
        if (world.cli)
                front_stop(world.cli);
        threads_run(retire_here, NULL, NULL);
        timer_start(&e->control, &e->stopping, mono_add_ms(thr_self->now, STOP_MS));
}

static void pause_all(bool pause)
{
        list_for_each (i, &world.fronts)
                sess_pause_front(list_item(i, struct front, link), pause);
        announce_fronts(pause ? FRONT_OPEN : FRONT_PAUSED, pause ? FRONT_PAUSED : FRONT_OPEN);
}

void engine_pause(struct engine *e)
{
        (void)e;
        pause_all(true);
}

void engine_resume(struct engine *e)
{
        (void)e;
        pause_all(false);
}

/* ---- the runtime socket ---- */

void engine_replay(struct engine *e, const char *cmd)
{
        AUTO_BUF(out);

        (void)e;
        cli_run_line(cmd, CLI_ADMIN, true, &out);
}

struct attach {
        int fd;
        uint8_t level;
};

static void attach_here(void *arg)
{
        struct attach *a = arg;

        if (world.cli)
                (void)sess_attach(world.cli, a->fd, a->level);
        else
                close(a->fd); /* the world was taken down while this was under way */
        free(a);
}

int engine_cli_attach(struct engine *e, int fd, int level)
{
        struct attach *a = malloc(sizeof(*a));

        (void)e;
        if (!a)
                return -ENOMEM;
        *a = (struct attach){ fd, (uint8_t)level };
        threads_run_on(0, attach_here, a);
        return 0;
}

struct journal {
        struct mail mail;
        const char *cmd; /* behind the key, or NULL: forget the key */
        char key[];
};

void front_set_maxconn(struct front *f, uint32_t maxconn)
{
        atomic_store_explicit(&f->maxconn, maxconn, memory_order_relaxed);
        sess_limit_moved();
}

bool world_set_maxconn(uint64_t maxconn)
{
        if (world.hard_maxconn == 0)
                world.hard_maxconn = world.maxconn;
        if (maxconn > world.hard_maxconn)
                return false;
        world.maxconn = maxconn ? (uint32_t)maxconn : world.hard_maxconn;
        if (world.cli)
                sess_limit_moved();
        return true;
}

struct control_call {
        struct mail mail;
        void (*fn)(void *arg);
        void *arg;
};

static void control_call(struct mail *m)
{
        struct control_call *c = container_of(m, struct control_call, mail);

        c->fn(c->arg);
        free(c);
}

void engine_on_control(void (*fn)(void *arg), void *arg)
{
        struct control_call *c;

        if (!the_engine)
                return;
        c = malloc(sizeof(*c));
        ASSERT(c != NULL);
        *c = (struct control_call){ .mail.fn = control_call, .fn = fn, .arg = arg };
        loop_mail(&the_engine->control, &c->mail);
}

static void journal_home(struct mail *m)
{
        struct journal *j = container_of(m, struct journal, mail);
        const struct engine_hooks *h = the_engine->hooks;

        if (h && h->journal)
                h->journal(h->ctx, j->key, j->cmd);
        free(j);
}

void engine_journal(const char *key, const char *cmd)
{
        size_t n = strlen(key) + 1, m = cmd ? strlen(cmd) + 1 : 0;
        struct journal *j;

        if (!the_engine)
                return;
        j = malloc(sizeof(*j) + n + m);
        ASSERT(j != NULL);
        memcpy(j->key, key, n);
        j->cmd = cmd ? memcpy(j->key + n, cmd, m) : NULL;
        j->mail.fn = journal_home;
        loop_mail(&the_engine->control, &j->mail);
}

/* ---- logs ---- */

const char *const *engine_log_paths(const struct conf *c, size_t *ret_n)
{
        if (log_driver && log_driver->paths)
                return log_driver->paths(c, ret_n);
        *ret_n = 0;
        return NULL;
}

void engine_log_fd(struct engine *e, const char *path, int fd)
{
        (void)e;
        if (log_driver && log_driver->reopen)
                log_driver->reopen(path, fd);
        else if (fd >= 0)
                close(fd);
}
