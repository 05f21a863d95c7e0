/* feat/cli/sessions.c - show sess, shutdown session, clear counters: what only each thread itself may touch.
 *
 * The command mails a job to all data threads and goes on when the last one is done; meanwhile the connection may end, so the job is on its
 * own and knows the session only while that is alive. */
#include "core/check.h"
#include "core/hist.h"
#include "core/sess.h"
#include "core/threads.h"
#include "feat/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

#define SHOW_MAX   (4u << 20) /* bytes a thread may gather; the list is cut there and says so */
#define PIECE      12000u
#define THREAD_BIT 48 /* of a stream's id (core/strm.c) */

static const char *const step_names[STRM_STEPS] = { "HEAD",  "ROUTE", "SERVER", "QUEUED", "CONNECT",
                                                    "RETRY", "XFER",  "ANSWER", "END" };

struct show_job {
        struct cli_session *session;          /* NULL: it is gone */
        uint64_t only;                        /* id, 0 = all */
        uint64_t older_ns;                    /* only streams of this age */
        char front[128], back[128], srv[128]; /* "": any */
        bool full, uri, done, cut;
        struct buf out[THR_MAX];
        unsigned at; /* thread whose lines are sent */
};

/* ---- on each thread ---- */
static const char *proto_name(const struct sess *ss)
{
        return ss->src.sa.sa_family == AF_UNIX ? "unix_stream" : ss->src.sa.sa_family == AF_INET6 ? "tcpv6" : "tcpv4";
}

static void put_src(struct buf *out, const struct sess *ss)
{
        if (ss->src.sa.sa_family == AF_UNIX)
                buf_puts(out, "unix");
        else
                addr_print(&ss->src, out);
}

static void one_line(struct buf *out, const struct strm *s)
{
        uint64_t age = thr_self->now > s->t.idle_end ? (thr_self->now - s->t.idle_end) / NS_PER_S : 0;

        buf_printf(out, "0x%llx: proto=%s src=", (unsigned long long)s->id, proto_name(s->sess));
        put_src(out, s->sess);
        buf_printf(out, " fe=%s be=%s srv=%s age=%llus step=%s rq[b=%llu,t=%u] rp[b=%llu,st=%u]", s->front->cell.name,
                   s->bcfg ? s->back->cell.name : "<NONE>",
                   s->srv           ? s->srv->cell.name
                   : applet_name(s) ? applet_name(s)
                                    : "<none>",
                   (unsigned long long)age, step_names[s->step], (unsigned long long)s->cl.rx_bytes, s->tries,
                   (unsigned long long)s->cl.tx_bytes, s->status);
        if (s->deadline != MONO_NEVER && s->deadline > thr_self->now)
                buf_printf(out, " exp=%llus", (unsigned long long)((s->deadline - thr_self->now) / NS_PER_S));
        buf_putc(out, '\n');
}

static void more_lines(struct buf *out, const struct strm *s)
{
        buf_printf(out, "  flags: http=%d tunnel=%d running=%d reused=%d redispatched=%d slot=%d tries=%u term=%c%c\n",
                   s->http, s->tunnel, s->running, s->reused, s->redispatched, s->has_slot, s->tries, s->term[0],
                   s->term[1]);
        buf_printf(out, "  client: flags=0x%x in=%llu out=%llu  server: flags=0x%x in=%llu out=%llu\n", s->cl.flags,
                   (unsigned long long)s->cl.rx_bytes, (unsigned long long)s->cl.tx_bytes, s->sv.flags,
                   (unsigned long long)s->sv.rx_bytes, (unsigned long long)s->sv.tx_bytes);
}

/* The request's URI, as far as the log keeps it: clients wrote it, so only what may stand on a line. */
static void uri_line(struct buf *out, const struct strm *s)
{
        if (!s->log.request)
                return;
        buf_puts(out, "  uri=\"");
        for (uint32_t i = 0; i < s->log.request_len; i++) {
                unsigned char c = (unsigned char)s->log.request[i];
                if (c < 0x20 || c >= 0x7f || c == '"')
                        buf_printf(out, "#%02X", c);
                else
                        buf_putc(out, (char)c);
        }
        buf_puts(out, "\"\n");
}

static bool chosen(const struct show_job *j, const struct strm *s)
{
        if (j->only && s->id != j->only)
                return false;
        if (j->front[0] && strcmp(j->front, s->front->cell.name) != 0)
                return false;
        if (j->back[0] && (!s->bcfg || strcmp(j->back, s->back->cell.name) != 0))
                return false;
        if (j->srv[0] && (!s->srv || strcmp(j->srv, s->srv->cell.name) != 0))
                return false;
        return thr_self->now - s->t.idle_end >= j->older_ns || thr_self->now < s->t.idle_end;
}

static void gather(void *arg)
{
        struct show_job *j = arg;
        struct buf *out = &j->out[thr_self->id];

        if (j->only && j->only >> THREAD_BIT != thr_self->id)
                return;
        out->limit = SHOW_MAX + 65536;
        list_for_each (i, strm_all()) {
                const struct strm *s = list_item(i, struct strm, link);
                if (!chosen(j, s))
                        continue;
                if (out->n > SHOW_MAX) {
                        j->cut = true;
                        return;
                }
                one_line(out, s);
                if (j->uri)
                        uri_line(out, s);
                if (j->full)
                        more_lines(out, s);
        }
}

static void job_free(struct show_job *j)
{
        for (unsigned i = 0; i < THR_MAX; i++)
                buf_fini(&j->out[i]);
        free(j);
}

static void gathered(void *arg)
{
        struct show_job *j = arg;

        j->done = true;
        if (j->session)
                cli_wake(j->session);
        else
                job_free(j);
}

/* ---- show sess ---- */
static bool read_id(struct str text, uint64_t *ret_id)
{
        uint64_t v = 0;

        if (text.n < 3 || text.n > 18 || text.p[0] != '0' || text.p[1] != 'x')
                return false;
        for (size_t i = 2; i < text.n; i++) {
                unsigned char ch = chr_lower((unsigned char)text.p[i]);
                unsigned d = ch >= 'a' && ch <= 'f' ? ch - 'a' + 10u : chr_is_digit((char)ch) ? ch - '0' + 0u : 16;
                if (d > 15)
                        return false;
                v = v << 4 | d;
        }
        *ret_id = v;
        return true;
}

static bool take_name(struct str name, char *to, size_t size)
{
        if (name.n == 0 || name.n >= size)
                return false;
        memcpy(to, name.p, name.n);
        to[name.n] = 0;
        return true;
}

/* "back/srv" */
static bool take_server(struct str name, struct show_job *j)
{
        const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
        size_t n = slash ? (size_t)(slash - name.p) : 0;

        return slash && take_name(str_sub(name, 0, n), j->back, sizeof(j->back)) &&
               take_name(str_sub(name, n + 1, name.n - n - 1), j->srv, sizeof(j->srv));
}

/* The option at word i; how many words it took, 0: there is no such option. */
static unsigned take_option(struct cli_call *c, unsigned i, struct show_job *j)
{
        struct str value = i + 1 < c->n_args ? c->args[i + 1] : STR("");
        int ms;

        if (cli_arg_is(c, i, "all") || read_id(c->args[i], &j->only)) {
                j->full = true;
                return 1;
        }
        if (cli_arg_is(c, i, "show-uri")) {
                j->uri = true;
                return 1;
        }
        if (cli_arg_is(c, i, "older") && cli_delay(value, 1000000, &ms)) {
                j->older_ns = (uint64_t)ms * 1000000u;
                return 2;
        }
        if ((cli_arg_is(c, i, "frontend") && take_name(value, j->front, sizeof(j->front))) ||
            (cli_arg_is(c, i, "backend") && take_name(value, j->back, sizeof(j->back))) ||
            (cli_arg_is(c, i, "server") && take_server(value, j)))
                return 2;
        return 0;
}

static void sess_usage(struct cli_call *c)
{
        cli_msg(c, 6,
                "Usage: show sess [<id> | all | help] [<option>]*\n"
                "  <id>         all about this stream (0x...)\n"
                "  all          all about each\n"
                "  help         this text\n"
                "  show-uri     the request, too\n"
                "  older <age>  only streams of at least this age (seconds)\n"
                "  server <b/s> only streams that use this server\n"
                "  backend <b>  only streams that use this backend\n"
                "  frontend <f> only streams of this frontend\n");
}

static void show_sess(struct cli_call *c)
{
        struct show_job *j;

        if (!c->session)
                return;
        if (cli_arg_is(c, 2, "help")) {
                sess_usage(c);
                return;
        }
        j = calloc(1, sizeof(*j));
        if (!j) {
                cli_msg(c, 3, "Out of memory.\n");
                return;
        }
        for (unsigned i = 2, n; i < c->n_args; i += n) {
                n = take_option(c, i, j);
                if (n > 0)
                        continue;
                cli_msg(c, 3, "Unsupported option '%.*s', try 'help' for more info.\n",
                        (int)(c->args[i].n < 100 ? c->args[i].n : 100), c->args[i].p);
                free(j);
                return;
        }
        j->session = c->session;
        c->state = j;
        c->wait = true;
        threads_run(gather, j, gathered);
}

static bool more_sess(struct cli_call *c)
{
        struct show_job *j = c->state;
        size_t n;

        if (!j)
                return false;
        while (j->at < THR_MAX && j->out[j->at].n == 0)
                j->at++;
        if (j->at < THR_MAX) {
                n = j->out[j->at].n < PIECE ? j->out[j->at].n : PIECE;
                buf_add(c->out, j->out[j->at].p, n);
                buf_drop(&j->out[j->at], n);
                j->only = 0;
                return true;
        }
        if (j->only)
                cli_msg(c, 3, "Session not found.\n");
        if (j->cut)
                cli_msg(c, 4, "# the list was cut\n");
        job_free(j);
        c->state = NULL;
        return false;
}

static void stop_sess(struct cli_call *c)
{
        struct show_job *j = c->state;

        if (!j)
                return;
        j->session = NULL;
        if (j->done)
                job_free(j);
}

static const struct cli_cmd cmd_show_sess = {
        .words = "show sess",
        .args = "[<id>|all|help] [<option>]*",
        .help = "streams alive, or all about one",
        .level = CLI_OPERATOR,
        .run = show_sess,
        .more = more_sess,
        .stop = stop_sess,
};
CLI_CMD(cmd_show_sess);

/* ---- shutdown session ---- */
struct end_job {
        struct cli_session *session;
        uint64_t id;
        bool found, done;
};

static void end_here(void *arg)
{
        struct end_job *j = arg;

        if (j->id >> THREAD_BIT != thr_self->id)
                return;
        list_for_each (i, strm_all()) {
                struct strm *s = list_item(i, struct strm, link);
                if (s->id != j->id)
                        continue;
                strm_shutdown(s, 'K');
                j->found = true;
                return;
        }
}

static void end_done(void *arg)
{
        struct end_job *j = arg;

        j->done = true;
        if (j->session)
                cli_wake(j->session);
        else
                free(j);
}

static void shutdown_session(struct cli_call *c)
{
        struct end_job *j;
        uint64_t id;

        if (!c->session)
                return;
        if (c->n_args < 3) {
                cli_msg(c, 3, "Session pointer expected (use 'show sess').\n");
                return;
        }
        if (!read_id(c->args[2], &id)) {
                cli_msg(c, 3, "No such session (use 'show sess').\n");
                return;
        }
        j = calloc(1, sizeof(*j));
        if (!j) {
                cli_msg(c, 3, "Out of memory.\n");
                return;
        }
        *j = (struct end_job){ .session = c->session, .id = id };
        c->state = j;
        c->wait = true;
        threads_run(end_here, j, end_done);
}

static bool more_end(struct cli_call *c)
{
        struct end_job *j = c->state;

        if (!j)
                return false;
        if (!j->found)
                cli_msg(c, 3, "No such session (use 'show sess').\n");
        free(j);
        c->state = NULL;
        return false;
}

static void stop_end(struct cli_call *c)
{
        struct end_job *j = c->state;

        if (!j)
                return;
        j->session = NULL;
        if (j->done)
                free(j);
}

static const struct cli_cmd cmd_shutdown_session = {
        .words = "shutdown session",
        .args = "<id>",
        .help = "end one stream",
        .level = CLI_ADMIN,
        .run = shutdown_session,
        .more = more_end,
        .stop = stop_end,
};
CLI_CMD(cmd_shutdown_session);

/* ---- clear counters: each thread cleans its own columns ---- */
static void zero(struct px_stat *st, size_t from, size_t to)
{
        for (size_t i = from; i < to; i += sizeof(stat_t)) /* others add them up meanwhile */
                atomic_store_explicit((stat_t *)(void *)((char *)st + i), 0, memory_order_relaxed);
}

static void clear_stat(struct px_stat *st, bool all)
{
        uint64_t idle = GET(st->idle_conn), used = GET(st->used_conn);

        if (all) { /* gauges and the running second are not history */
                hist_clear(st);
                zero(st, 0, offsetof(struct px_stat, sess_rate));
                zero(st, offsetof(struct px_stat, last_sess), sizeof(*st));
                atomic_store_explicit(&st->idle_conn, idle, memory_order_relaxed);
                atomic_store_explicit(&st->used_conn, used, memory_order_relaxed);
                return;
        }
        atomic_store_explicit(&st->qtime_max, 0, memory_order_relaxed);
        atomic_store_explicit(&st->ctime_max, 0, memory_order_relaxed);
        atomic_store_explicit(&st->rtime_max, 0, memory_order_relaxed);
        atomic_store_explicit(&st->ttime_max, 0, memory_order_relaxed);
}

static void clear_servers(struct back *b, bool all)
{
        pthread_mutex_lock(&b->lock);
        for (uint32_t i = 0; i < b->n_srv; i++)
                clear_stat(&server_col(b->srv[i])->st, all);
        pthread_mutex_unlock(&b->lock);
}

static void clear_columns(bool all)
{
        size_t n;
        const struct world_px *p = world_proxies(&n);

        for (size_t i = 0; i < n; i++) {
                if (p[i].front)
                        clear_stat(&((struct front_col *)cell_col(&p[i].front->cell))->st, all);
                if (!p[i].back)
                        continue;
                clear_stat(&((struct back_col *)cell_col(&p[i].back->cell))->st, all);
                clear_servers(p[i].back, all);
        }
}

static void clear_all_here(void *arg)
{
        (void)arg;
        clear_columns(true);
}

static void clear_max_here(void *arg)
{
        (void)arg;
        clear_columns(false);
}

static void clear_rate(struct rate *r)
{
        atomic_store_explicit(&r->max, 0, memory_order_relaxed);
}

static void clear_server_shared(struct server *s, bool all)
{
        atomic_store_explicit(&s->cur_max, GET(s->cur), memory_order_relaxed);
        clear_rate(&s->sess_rate);
        if (!all)
                return;
        atomic_store_explicit(&s->down_count, 0, memory_order_relaxed);
        atomic_store_explicit(&s->downtime_s, 0, memory_order_relaxed);
        if (s->check)
                atomic_store_explicit(&s->check->failed, 0, memory_order_relaxed);
}

static void clear_back_shared(struct back *b, bool all)
{
        atomic_store_explicit(&b->cur_max, GET(b->cur), memory_order_relaxed);
        clear_rate(&b->sess_rate);
        clear_rate(&b->req_rate);
        if (all) {
                atomic_store_explicit(&b->down_count, 0, memory_order_relaxed);
                atomic_store_explicit(&b->downtime_s, 0, memory_order_relaxed);
        }
        pthread_mutex_lock(&b->lock);
        for (uint32_t i = 0; i < b->n_srv; i++)
                clear_server_shared(b->srv[i], all);
        pthread_mutex_unlock(&b->lock);
}

static void clear_shared(bool all)
{
        size_t n;
        const struct world_px *p = world_proxies(&n);

        for (size_t i = 0; i < n; i++) {
                struct front *f = p[i].front;
                if (f) {
                        atomic_store_explicit(&f->cur_max, GET(f->cur), memory_order_relaxed);
                        clear_rate(&f->conn_rate);
                        clear_rate(&f->sess_rate);
                        clear_rate(&f->req_rate);
                }
                if (p[i].back)
                        clear_back_shared(p[i].back, all);
        }
        clear_rate(&world.conn_rate);
        clear_rate(&world.sess_rate);
}

struct clear_job {
        struct cli_session *session;
        bool done;
};

static void cleared(void *arg)
{
        struct clear_job *j = arg;

        j->done = true;
        if (j->session)
                cli_wake(j->session);
        else
                free(j);
}

static void clear_counters(struct cli_call *c)
{
        bool all = cli_arg_is(c, 2, "all");
        struct clear_job *j;

        if (all && *c->level < CLI_ADMIN) {
                cli_msg(c, 3, "Permission denied\n");
                return;
        }
        if (!c->session)
                return;
        j = calloc(1, sizeof(*j));
        if (!j) {
                cli_msg(c, 3, "Out of memory.\n");
                return;
        }
        j->session = c->session;
        c->state = j;
        c->wait = true; /* the next command shall see cleared counters */
        clear_shared(all);
        threads_run(all ? clear_all_here : clear_max_here, j, cleared);
}

static bool more_clear(struct cli_call *c)
{
        free(c->state);
        c->state = NULL;
        return false;
}

static void stop_clear(struct cli_call *c)
{
        struct clear_job *j = c->state;

        if (!j)
                return;
        j->session = NULL;
        if (j->done)
                free(j);
}

static const struct cli_cmd cmd_clear = {
        .words = "clear counters",
        .args = "[all]",
        .help = "maxima back to now, or all counters to zero",
        .level = CLI_OPERATOR,
        .run = clear_counters,
        .more = more_clear,
        .stop = stop_clear,
};
CLI_CMD(cmd_clear);
