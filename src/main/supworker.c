/* main/supworker.c - see the header: a worker's life, what it is given and what it says. */
#include "main/give.h"
#include "main/proclog.h"
#include "main/supervisor_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_MS       20000 /* a worker takes a configuration in this time, */
#define ANSWER_LOADS    10    /* and this many times as long as the loader had for it */
#define BREATH_MS       50    /* messages of one worker that are taken in this time; the rest waits in its channel */
#define BREATH_MESSAGES 1000
#define LAST_WORDS      10000
#define LEAVING_MAX     16 /* workers that finish their sessions; beyond, the oldest is ended */

/* ---- what a worker is given ---- */

/* Nothing that a worker does or does not do makes us wait: one that cannot be told any more (e < 0) is ended. */
bool supworker_told(const struct worker *w, int e)
{
        if (e == 0)
                return true;
        if (e != -EPIPE && e != -ECONNRESET)
                proclog(PROC_ALERT, "Worker (%d) cannot be told any more (%s): it is ended.", w->child.pid,
                        strerror(-e));
        (void)kill(w->child.pid, SIGKILL);
        return false;
}

bool supworker_send_conf(struct worker *w, const struct supconf *c, bool replay)
{
        struct channel_arg a[] = { CH_U(++sup.generation) };
        int e = give_conf(&w->out, c);

        timer_start(&sup.loop, &w->answer, mono_add_ms(thr_self->now, ANSWER_MS + ANSWER_LOADS * c->took_ms));
        if (e == 0 && replay)
                e = give_journal(&w->out, &sup.health, false);
        if (e == 0 && replay)
                e = give_journal(&w->out, &sup.journal, true);
        return supworker_told(w, e ? e : outbox_send(&w->out, CH_APPLY, a, &c->bundle, 1));
}

static bool send_rights(struct worker *w, const struct supconf *c)
{
        struct channel_arg a[] = { CH_U(c->uid + 1), CH_U(c->gid + 1), CH_U((c->flags & LOADED_FOREIGN) != 0),
                                   CH_S(c->chroot ? str_of(c->chroot) : STR("")) };
        int memfd = -1;
        bool ok;

        if (heartbeat_new(&memfd, &w->beat) < 0)
                return false;
        ok = supworker_told(w, outbox_send(&w->out, CH_RIGHTS, a, &memfd, 1));
        (void)close(memfd);
        return ok;
}

/* ---- what a worker says ---- */

static void take_journal(struct worker *w, const struct channel_msg *m)
{
        if (w != sup.worker)
                return; /* who leaves no longer speaks for the service */
        if (journal_set(&sup.journal, m->arg[0].s, m->arg[1].s) && sup.coming && m->arg[1].s.n)
                (void)supworker_told(sup.coming, give_replay(&sup.coming->out, m->arg[1].s, m->arg[0].s));
}

/* Why a configuration is refused, or what it changed: as long as one is being taken. */
static void take_text_of(const struct worker *w, struct str text)
{
        if (!timer_active(&w->answer))
                return;
        if (sup.next)
                buf_str(&sup.next->text, text);
        else
                proclog_raw(text);
}

/* A log connection each second for each path is what an honest worker asks for (feat/logs/sink.c). */
static bool may_ask(struct worker *w)
{
        if (thr_self->now - w->asked_at >= NS_PER_S) {
                w->asked_at = thr_self->now;
                w->asked = 0;
        }
        return ++w->asked <= 2 * sup.good->n_logs;
}

static void worker_message(struct worker *w, struct channel_msg *m)
{
        switch (m->type) {
        case CH_DIFF: take_text_of(w, m->arg[0].s); break;
        case CH_APPLIED:
                if (m->arg[0].u == sup.generation && m->arg[1].u <= APPLIED_BUT_SWAP)
                        supload_worker_applied(w, (enum applied)m->arg[1].u);
                break;
        case CH_JOURNAL: take_journal(w, m); break;
        case CH_HEALTH:
                if (w == sup.worker && sup.load_state == L_APPLYING)
                        (void)journal_set(&sup.health, m->arg[0].s, m->arg[0].s);
                break;
        case CH_REOPEN:
                if (sup.good && supconf_has_log(sup.good, m->arg[0].s) && may_ask(w))
                        (void)supworker_told(w, give_log(&w->out, m->arg[0].s));
                break;
        default:
                proclog(PROC_ALERT, "Worker (%d) sends what a worker may not send.", w->child.pid);
                (void)kill(w->child.pid, SIGKILL);
        }
}

static void on_worker(struct ev_fd *e, uint32_t events)
{
        struct worker *w = container_of(e, struct worker, child.channel);
        static struct channel_msg m;
        int r;

        (void)events;
        if (++w->said > BREATH_MESSAGES) {
                loop_del(&sup.loop, e);
                return;
        }
        if (!timer_active(&w->breath))
                timer_start(&sup.loop, &w->breath, mono_add_ms(thr_self->now, BREATH_MS));
        r = channel_recv(e->fd, false, &m);
        if (r == -EAGAIN)
                return;
        if (r <= 0) { /* its death will be told by SIGCHLD; a live one without a channel is of no use */
                if (r < 0)
                        (void)kill(w->child.pid, SIGKILL);
                child_close(&w->child, &sup.loop);
                return;
        }
        worker_message(w, &m);
        channel_drop(&m);
}

/* What it said before it died and we have not read: a change must not be lost with it. Bounded: its end may be in other hands. */
void supworker_last_words(struct worker *w)
{
        static struct channel_msg m;

        for (int i = 0; i < LAST_WORDS && w->child.channel.fd >= 0; i++) {
                if (channel_recv(w->child.channel.fd, false, &m) <= 0)
                        return;
                if (m.type == CH_JOURNAL || m.type == CH_DIFF)
                        worker_message(w, &m);
                channel_drop(&m);
        }
}

/* ---- a worker's life ---- */

static void kill_hung_due(struct timer *t)
{
        (void)kill(container_of(t, struct worker, kill_hung)->child.pid, SIGKILL);
}

static void breath_due(struct timer *t)
{
        struct worker *w = container_of(t, struct worker, breath);

        w->said = 0;
        if (w->child.channel.fd >= 0)
                (void)loop_add_level(&sup.loop, &w->child.channel, false);
}

static void answer_due(struct timer *t)
{
        const struct worker *w = container_of(t, struct worker, answer);

        proclog(PROC_ALERT, "Worker (%d) does not take its configuration in time: it is ended.", w->child.pid);
        (void)kill(w->child.pid, SIGKILL);
}

void supworker_forget(struct worker *w)
{
        outbox_fini(&w->out);
        child_close(&w->child, &sup.loop);
        timer_stop(&sup.loop, &w->kill_hung);
        timer_stop(&sup.loop, &w->answer);
        timer_stop(&sup.loop, &w->breath);
        heartbeat_free(w->beat);
        list_del(&w->link);
        sup.n_leaving -= w->state == W_LEAVING;
        free(w);
}

struct worker *supworker_start(const struct supconf *c)
{
        struct worker *w = calloc(1, sizeof(*w));

        ASSERT(w != NULL);
        if (child_start(&w->child, &sup.loop, "worker", sup.argv, on_worker) < 0) {
                free(w);
                return NULL;
        }
        outbox_init(&w->out, &sup.loop, w->child.channel.fd);
        timer_init(&w->kill_hung, kill_hung_due);
        timer_init(&w->answer, answer_due);
        timer_init(&w->breath, breath_due);
        w->reloads = sup.reloads;
        list_push(&sup.workers, &w->link);
        proclog(PROC_NOTICE, "New worker (%d) forked", w->child.pid);
        if (!send_rights(w, c) || !supworker_send_conf(w, c, true))
                (void)kill(w->child.pid, SIGKILL);
        return w;
}

static void end_oldest_leaving(void)
{
        list_for_each (i, &sup.workers) {
                struct worker *w = list_item(i, struct worker, link);

                if (w->state != W_LEAVING)
                        continue;
                proclog(PROC_WARNING, "More than %d workers are leaving: the oldest (%d) is ended.", LEAVING_MAX,
                        w->child.pid);
                (void)kill(w->child.pid, SIGTERM);
                timer_start(&sup.loop, &w->kill_hung, mono_add_ms(thr_self->now, ABORT_GRACE_MS));
                return;
        }
}

/* Another one serves on its sockets. */
void supworker_leave(struct worker *w)
{
        w->state = W_LEAVING;
        if (++sup.n_leaving > LEAVING_MAX)
                end_oldest_leaving();
        if (sup.hard)
                (void)kill(w->child.pid, SIGTERM);
        else
                (void)supworker_told(w, outbox_send(&w->out, CH_RETIRE, NULL, NULL, 0));
}

void supworker_say_death(const struct worker *w, int status)
{
        int code = child_end_code(status), pid = w->child.pid;

        if (w->state == W_LEAVING)
                proclog(PROC_WARNING, "Former worker (%d) exited with code %d (%s)", pid, code, child_end_name(status));
        else if (sup.started && w != sup.coming)
                proclog(code == 0 || code == 1 ? PROC_WARNING : PROC_ALERT,
                        "Current worker (%d) exited with code %d (%s)", pid, code, child_end_name(status));
        else
                proclog(PROC_WARNING, "Failed to load worker (%d) exited with code %d (%s)", pid, code,
                        child_end_name(status));
}

struct worker *supworker_by_pid(int pid)
{
        list_for_each (i, &sup.workers)
                if (list_item(i, struct worker, link)->child.pid == pid)
                        return list_item(i, struct worker, link);
        return NULL;
}
