/* main/worker.c - role "worker": gets sockets and a bundle from the supervisor, gives all rights away, serves.
 *
 * Nothing is read from a disk here: the first thing that touches the configuration happens in the empty root. */
#include "core/role.h"
#include "main/binds.h"
#include "main/channel.h"
#include "main/daemon.h"
#include "main/heartbeat.h"
#include "main/journal.h"
#include "main/load.h"
#include "main/orphan.h"
#include "main/privileges.h"
#include "main/proclog.h"
#include "main/runner.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct given { /* what came for the next CH_APPLY */
        struct given *next;
        enum channel_type type;
        char *text; /* key, path or command */
        char *key;  /* of a command */
        int fds[LISTEN_SHARDS_MAX];
        unsigned n_fds;
};

struct worker {
        struct runner runner;
        struct args args;
        struct ev_fd channel;
        struct heartbeat *beat;
        struct privileges priv;
        struct given *given, **given_end;
        struct journal journal; /* the supervisor's, for its successor */
        uint64_t generation;
        bool rights, wants_swap;
        int null; /* -1 = we stay in the foreground */
};

static struct worker self; /* the engine's hooks and the loop point into it */

static void keep(const struct channel_msg *m)
{
        struct given *g = calloc(1, sizeof(*g));

        ASSERT(g != NULL);
        g->type = m->type;
        g->text = strndup(m->arg[0].s.p, m->arg[0].s.n);
        ASSERT(g->text != NULL);
        if (m->type == CH_REPLAY)
                g->key = strndup(m->arg[1].s.p, m->arg[1].s.n);
        g->n_fds = m->n_fds;
        memcpy(g->fds, m->fds, m->n_fds * sizeof(*g->fds));
        *self.given_end = g;
        self.given_end = &g->next;
}

static void forget_given(void)
{
        while (self.given) {
                struct given *g = self.given;

                self.given = g->next;
                binds_close(g->fds, g->n_fds);
                free(g->text);
                free(g->key);
                free(g);
        }
        self.given_end = &self.given;
}

static void take_sockets(struct engine_bind *b)
{
        for (struct given *g = self.given; g; g = g->next) {
                if (g->type != CH_LISTEN || strcmp(g->text, b->key) != 0)
                        continue;
                memcpy(b->fds, g->fds, g->n_fds * sizeof(*g->fds));
                b->n_fds = g->n_fds;
                g->n_fds = 0;
                return;
        }
}

static void replay(const struct given *g)
{
        engine_replay(self.runner.engine, g->text);
        if (g->key && *g->key)
                journal_set(&self.journal, str_of(g->key), str_of(g->text));
}

/* After an apply: log connections and journal. */
static void hand_over(void)
{
        for (struct given *g = self.given; g; g = g->next) {
                if (g->type == CH_REPLAY)
                        replay(g);
                if (g->type == CH_LOG_FD) {
                        engine_log_fd(self.runner.engine, g->text, g->n_fds ? g->fds[0] : -1);
                        g->n_fds = 0;
                }
        }
}

static int tell(enum channel_type t, struct str a, struct str b)
{
        return channel_send(self.channel.fd, t, (struct channel_arg[]){ CH_S(a), CH_S(b) }, NULL, 0);
}

static void tell_lines(enum channel_type t, struct str text)
{
        while (text.n) {
                size_t n = text.n < CHANNEL_TEXT ? text.n : CHANNEL_TEXT;

                if (tell(t, str_sub(text, 0, n), STR("")) < 0)
                        return;
                text = str_sub(text, n, text.n - n);
        }
}

static void tell_applied(enum applied answer)
{
        struct channel_arg a[] = { CH_U(self.generation), CH_U(answer) };

        (void)channel_send(self.channel.fd, CH_APPLIED, a, NULL, 0);
}

static void journal(void *ctx, const char *key, const char *cmd)
{
        (void)ctx;
        journal_set(&self.journal, str_of(key), str_of(cmd ? cmd : ""));
        (void)tell(CH_JOURNAL, str_of(key), str_of(cmd ? cmd : ""));
}

static void reopen_log(void *ctx, const char *path)
{
        (void)ctx;
        (void)tell(CH_REOPEN, str_of(path), STR(""));
}

static void binds_of(const struct conf *c, struct engine_binds *ret_b)
{
        engine_binds(c, engine_threads(c), ret_b);
        for (size_t i = 0; i < ret_b->n; i++)
                take_sockets(&ret_b->v[i]);
}

static void tell_health(void *ctx, const char *cmd)
{
        (void)ctx;
        (void)tell(CH_HEALTH, str_of(cmd), STR(""));
}

static bool apply_running(struct load *l, struct engine_binds *b)
{
        AUTO_BUF(diff);
        bool swap = engine_wants_swap(self.runner.engine, l->conf);
        bool ok = engine_apply(self.runner.engine, l->conf, b, &diff, &l->diags);

        for (size_t i = 0; i < b->n; i++)
                binds_close(b->v[i].fds, b->v[i].n_fds);
        self.runner.hard_stop_after_ms = global_of(l->conf)->hard_stop_after_ms;
        self.runner.grace_ms = global_of(l->conf)->grace_ms;
        tell_lines(CH_DIFF, buf_view(&diff));
        self.wants_swap |= ok && swap; /* until it comes: the words are in the configuration, not in us */
        return ok;
}

static bool apply(int bundle)
{
        struct engine_binds b = { 0 };
        struct load l;
        bool ok;

        atomic_store_explicit(&self.beat->changing, 1, memory_order_relaxed);
        load_init(&l);
        ok = load_bundle(&l, &self.args, bundle);
        if (ok && !self.runner.engine && global_of(l.conf)->quiet && !self.args.verbose && !args_in_front(&self.args))
                proclog_quiet(true);
        if (ok) {
                binds_of(l.conf, &b);
                ok = self.runner.engine ? apply_running(&l, &b) : runner_init(&self.runner, l.conf, &b, true, &l.diags);
                engine_binds_fini(&b);
        }
        if (ok)
                hand_over();
        else {
                AUTO_BUF(text);

                diags_format(&l.diags, DIAG_CLASSIC, DIAG_ALERT, (int)getpid(), &text);
                tell_lines(CH_DIFF, buf_view(&text));
        }
        load_fini(&l);
        forget_given();
        atomic_store_explicit(&self.beat->changing, 0, memory_order_relaxed);
        return ok;
}

static bool take_rights(struct channel_msg *m)
{
        self.priv = (struct privileges){ (int)m->arg[0].u - 1, (int)m->arg[1].u - 1, NULL, m->arg[2].u != 0 };
        if (m->arg[3].s.n)
                self.priv.chroot = strndup(m->arg[3].s.p, m->arg[3].s.n);
        self.rights = true;
        if (heartbeat_map(m->fds[0], &self.beat) < 0)
                return false;
        watchdog_catch(&self.beat->crash);
        return true;
}

static bool drop(void)
{
        const char *what = "";
        int e;

        privileges_prepare();
        e = privileges_drop(&self.priv, &what);
        if (e < 0)
                proclog(PROC_ALERT, "[telamon.main()] %s(%s): %s.", what, self.priv.chroot ? self.priv.chroot : "",
                        strerror(-e));
        return e == 0;
}

/* Outside of a configuration (those start with a CH_LISTEN): a log connection that answers our CH_REOPEN, or what was changed in our
 * predecessor while we started. */
static void answer_alone(void)
{
        hand_over();
        forget_given();
}

/* One message; false: the supervisor is gone or talks nonsense. Sets *ret_bundle at CH_APPLY. */
static bool handle(struct channel_msg *m, int *ret_bundle)
{
        switch (m->type) {
        case CH_RIGHTS: return !self.rights && take_rights(m);
        case CH_LISTEN:
        case CH_LOG_FD:
        case CH_REPLAY:
                keep(m);
                m->n_fds = 0;
                if (m->type != CH_LISTEN && self.runner.engine && !self.given->next)
                        answer_alone();
                return true;
        case CH_APPLY:
                self.generation = m->arg[0].u;
                *ret_bundle = m->fds[0];
                m->n_fds = 0;
                return self.rights;
        case CH_RETIRE:
                if (self.runner.engine)
                        runner_retire(&self.runner);
                return true;
        case CH_CLI:
                if (self.runner.engine && engine_cli_attach(self.runner.engine, m->fds[0], (int)m->arg[0].u) == 0)
                        m->n_fds = 0;
                return true;
        default: return false;
        }
}

static void leave(bool successor)
{
        if (successor) {
                proclog(PROC_NOTICE, "A new supervisor has come: finishing what runs, then leaving.");
                runner_retire(&self.runner);
                return;
        }
        proclog(PROC_WARNING, "No new supervisor has come: finishing what runs, then leaving.");
        runner_drain(&self.runner);
}

/* Who cannot be understood is not waited for; who has died may have a successor soon. */
static void lost_supervisor(bool died)
{
        loop_del(self.runner.loop, &self.channel);
        if (self.runner.draining)
                return;
        if (!died || !orphan_wait(self.runner.loop, self.runner.engine, &self.journal, leave)) {
                proclog(PROC_WARNING, "The supervisor is gone: finishing what runs, then leaving.");
                runner_drain(&self.runner);
                return;
        }
        proclog(PROC_WARNING, "The supervisor is gone: serving on for %d s, until a new one takes over.",
                ORPHAN_MS / 1000);
}

static void on_channel(struct ev_fd *e, uint32_t events)
{
        static struct channel_msg m;
        int r, bundle = -1;

        (void)events;
        r = channel_recv(e->fd, false, &m);
        if (r == -EAGAIN)
                return;
        if (r <= 0 || !handle(&m, &bundle)) {
                lost_supervisor(r == 0 || r == -ECONNRESET);
                return;
        }
        channel_drop(&m);
        if (bundle >= 0) {
                enum applied answer = !apply(bundle) ? APPLIED_NOT : self.wants_swap ? APPLIED_BUT_SWAP : APPLIED;

                if (answer == APPLIED_BUT_SWAP)
                        engine_health(self.runner.engine, tell_health, NULL);
                tell_applied(answer);
                (void)close(bundle);
        }
}

static void on_started(struct runner *r)
{
        if (self.null >= 0)
                daemon_detach_output(self.null);
        (void)loop_add_level(r->loop, &self.channel, false);
        (void)heartbeat_start(self.beat, r->engine, NULL);
        tell_applied(APPLIED);
}

static void on_ending(struct runner *r)
{
        loop_del(r->loop, &self.channel); /* the loop still turns while the engine is taken down */
        heartbeat_stop();
}

/* All messages up to the first CH_APPLY. */
static int first_bundle(void)
{
        static struct channel_msg m;
        int bundle = -1;

        while (bundle < 0) {
                if (channel_recv(self.channel.fd, true, &m) <= 0 || !handle(&m, &bundle))
                        return -1;
                channel_drop(&m);
        }
        return bundle;
}

static int worker_main(int argc, char **argv, int channel_fd)
{
        int bundle, code = 1;
        AUTO_BUF(why);

        if (channel_fd < 0 || args_parse(argc, argv, &self.args, &why) != ARGS_OK)
                return 1;
        self.args.warn_is_error = false; /* the loader has judged */
        proclog_quiet(self.args.quiet);
        self.channel = (struct ev_fd){ .fd = channel_fd, .fn = on_channel };
        self.given_end = &self.given;
        journal_init(&self.journal);
        self.runner.hooks.journal = journal;
        self.runner.hooks.reopen_log = reopen_log;
        self.runner.px_maxconn = (uint32_t)self.args.px_maxconn;
        self.runner.started = on_started;
        self.runner.ending = on_ending;
        self.null = args_background(&self.args) ? daemon_null() : -1;
        bundle = first_bundle();
        if (bundle < 0 || !drop())
                return 1;
        if (apply(bundle)) {
                (void)close(bundle);
                code = runner_run(&self.runner);
        } else
                tell_applied(APPLIED_NOT);
        runner_exit(self.runner.ended_by, code);
}

static const struct role worker = { .name = "worker", .help = "serves, without rights", .main = worker_main };
ROLE(worker);
