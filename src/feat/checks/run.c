/* feat/checks/run.c - one run of a script: a step is done at once or waits for the socket, then the next one.
 *
 * The texts of results are HAProxy's: those of `option tcp-check` name the step. */
#include "base/epoch.h"
#include "core/global.h"
#include "core/inner.h"
#include "core/queue.h"
#include "core/srv_proxy.h"
#include "core/srv_source.h"
#include "feat/checks/checks.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void run_steps(struct probe *p);

static const struct step *now(const struct run *r)
{
        return &r->script->step[r->at];
}

static unsigned bufsize(const struct run *r)
{
        return r->pinned->bufsize;
}

/* ---- what programs see ---- */

static struct expr_ctx context(const struct run *r)
{
        bool head = r->rsp && (r->rsp->stage == RESPONSE_BODY || r->rsp->stage == RESPONSE_DONE);

        return (struct expr_ctx){ .check = &r->x,
                                  .rsp = head ? &r->rsp->m : NULL,
                                  .have = EXPR_AT_CHECK & ~(head ? 0u : (unsigned)EXPR_RSP_HEAD),
                                  .final = true };
}

/* ---- results ---- */

static void put(char info[128], const char *fmt, ...) fmt_like(2, 3);

static void put(char info[128], const char *fmt, ...)
{
        size_t n = strlen(info);
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(info + n, 128 - n, fmt, ap);
        va_end(ap);
}

static void put_kind(char info[128], const struct step *s)
{
        static const char *const expects[] = {
                [EXPECT_REGEX] = "expect regex",
                [EXPECT_BINARY_REGEX] = "expect binary regex",
                [EXPECT_STRING_LF] = "expect log-format string",
                [EXPECT_BINARY_LF] = "expect log-format binary",
        };

        if (s->kind == STEP_SEND)
                put(info, " (send)");
        else if (s->kind == STEP_CONNECT && s->connect.port)
                put(info, " (connect port %d)", s->connect.port);
        else if (s->kind == STEP_CONNECT)
                put(info, " (connect)");
        else if (s->kind == STEP_EXPECT && (s->expect.kind == EXPECT_STRING || s->expect.kind == EXPECT_BINARY))
                put(info, " (expect %s '%.*s')", s->expect.kind == EXPECT_STRING ? "string" : "binary",
                    (int)strnlen(s->expect.text.p, s->expect.text.n), s->expect.text.p);
        else if (s->kind == STEP_EXPECT && s->expect.kind <= EXPECT_BINARY_LF)
                put(info, " (%s)", expects[s->expect.kind]);
}

/* " at step 3 of tcp-check (connect port 1) comment: 'second one'" */
static void put_step(char info[128], const struct run *r)
{
        const struct step *s = now(r);

        if (r->script->kind != SCRIPT_TCP)
                return;
        if (s->number == 0) {
                put(info, " at initial connection step of tcp-check");
                return;
        }
        put(info, " at step %u of tcp-check", s->number);
        put_kind(info, s);
        if (s->comment)
                put(info, " comment: '%s'", s->comment);
}

static void fail_here(struct probe *p, enum check_status st, int err)
{
        struct check_result res = { .status = st };

        if (err)
                put(res.info, "%s", strerror(-err));
        put_step(res.info, &p->run);
        probe_finish(p, &res);
}

/* Bytes of a server: one line of it, without what no terminal should see. */
static void clean(char info[128])
{
        size_t n = strcspn(info, "\r\n");

        info[n] = '\0';
        for (size_t i = 0; i < n; i++) {
                if ((unsigned char)info[i] < ' ' || info[i] == 127)
                        info[i] = '?';
        }
}

static void print_info(const struct run *r, const struct logfmt *f, char info[128])
{
        struct expr_ctx x = context(r);

        info[logfmt_print(f, &x, info, 127)] = '\0';
        clean(info);
}

static int code_of(const struct run *r, const struct step_expect *e, int code)
{
        struct expr_ctx x = context(r);
        struct smp s;

        if (e && e->code && expr_run(e->code, &x, &s) == EXPR_OK && s.type == SMP_SINT)
                return s.i >= 0 && s.i <= INT32_MAX ? (int)s.i : 0;
        return code;
}

static void pass(struct probe *p)
{
        struct run *r = &p->run;
        const struct step_expect *e = r->met;
        struct check_result res = { .status = e && e->ok ? e->ok : r->said ? CHECK_L7OK : CHECK_L4OK };

        res.code = code_of(r, e, r->code);
        if (e && e->on_success)
                print_info(r, e->on_success, res.info);
        else if (r->script->kind == SCRIPT_TCP && r->script->by_lines)
                put(res.info, "(tcp-check)");
        else if (r->script->kind > SCRIPT_HTTP)
                (void)snprintf(res.info, sizeof(res.info), "%s", r->info);
        probe_finish(p, &res);
}

static void not_met(struct probe *p, const struct match *m)
{
        const struct step_expect *e = &now(&p->run)->expect;
        struct check_result res = { .status = e->error && m->status != CHECK_L7OKC ? e->error : m->status };

        res.code = code_of(&p->run, e, m->code);
        if (e->on_error)
                print_info(&p->run, e->on_error, res.info);
        else
                memcpy(res.info, m->info, sizeof(res.info));
        clean(res.info);
        probe_finish(p, &res);
}

/* ---- connect ---- */

/* Where this step connects to; false: an expression gave no port. */
static bool set_target(struct probe *p, struct sockaddr_storage *sa, socklen_t *len)
{
        const struct step_connect *s = &now(&p->run)->connect;
        struct expr_ctx x = context(&p->run);
        int port = s->port;
        struct addr a = { 0 };
        struct smp smp;

        if (s->port_expr && expr_run(s->port_expr, &x, &smp) == EXPR_OK && smp.type == SMP_SINT) {
                if (smp.i < 1 || smp.i > 65535)
                        return false;
                port = (int)smp.i;
        }
        if (sa->ss_family == AF_UNIX && !s->addr)
                return true;
        if (*len && sa->ss_family != AF_UNIX)
                addr_from_sockaddr(&a, (struct sockaddr *)sa, *len);
        if (s->addr) {
                int own = addr_port(s->addr), was = *len && sa->ss_family != AF_UNIX ? addr_port(&a) : 0;

                a = *s->addr;
                addr_set_port(&a, own ? own : was);
        }
        if (port)
                addr_set_port(&a, port);
        memcpy(sa, &a, addr_len(&a));
        *len = addr_len(&a);
        return true;
}

static void deadline(struct probe *p, mono_t from, int ms)
{
        timer_start(thr_self->loop, &p->timer, mono_add_ms(from, ms));
}

/* manual, timeout check: unset, inter bounds the whole check; set, connecting has min(timeout connect, inter), what follows that time
 * of its own. */
static void connect_deadline(struct probe *p)
{
        const struct proxy_cfg *px = p->run.pinned->px;
        int inter = p->check->cfg->inter_ms;

        if (!px->timeout.check)
                deadline(p, p->started, inter);
        else
                deadline(p, thr_self->now,
                         px->timeout.connect && px->timeout.connect < inter ? px->timeout.connect : inter);
}

static bool is_local(int err) /* our own lack, not the server's fault */
{
        return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EADDRNOTAVAIL;
}

/* connect(2) itself refused: it never left this machine. */
static void fail_connect(struct probe *p, int err)
{
        struct check_result res = { .status = is_local(err) ? CHECK_SOCKERR : CHECK_L4CON };

        put(res.info, err == -ECONNREFUSED ? "%s" : "General socket error (%s)", strerror(-err));
        put_step(res.info, &p->run);
        probe_finish(p, &res);
}

static void forget_answers(struct run *r)
{
        buf_fini(&r->in);
        r->in.limit = bufsize(r);
        response_free(r->rsp);
        r->rsp = NULL;
        r->full = r->ended = false;
}

static void connected(struct probe *p)
{
        int ms = p->run.pinned->px->timeout.check;

        if (ms)
                deadline(p, thr_self->now, ms);
        p->state = PROBE_TALKING;
        p->run.at++;
        run_steps(p);
}

/* The PROXY protocol's head, where the server gets one: as conn_connected(). */
static int introduce(struct probe *p)
{
        const struct step_connect *c = &now(&p->run)->connect;
        bool own = p->check->cfg->port || p->check->cfg->addr || c->port || c->addr || c->port_expr;
        struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
        struct addr dst = { 0 };
        socklen_t len;

        if (likely(!srv_proxy_checks(p->check->srv, own)))
                return 1;
        len = check_target(p->check, &sa);
        if (set_target(p, &sa, &len) && len && sa.ss_family != AF_UNIX)
                addr_from_sockaddr(&dst, (struct sockaddr *)&sa, len);
        return srv_proxy_say_check(p->check->srv, &p->conn, &dst);
}

static void judge_connect(struct probe *p)
{
        int r = conn_connected(&p->conn);

        if (r > 0)
                r = introduce(p);
        if (r > 0)
                connected(p);
        else if (r < 0)
                fail_here(p, r == -ETIMEDOUT ? CHECK_L4TOUT : CHECK_L4CON, r == -ETIMEDOUT ? 0 : r);
        else
                p->conn.ep.ops->want(&p->conn.ep);
}

static void woken(struct ep *e)
{
        run_woken(container_of(e, struct probe, conn.ep));
}

static void step_connect(struct probe *p)
{
        struct srv_how from;
        struct run *r = &p->run;
        struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
        socklen_t len = check_target(p->check, &sa);
        int err;
        bool ok;

        if (p->state == PROBE_TALKING)
                conn_close(&p->conn, !r->linger);
        r->linger = now(r)->connect.linger;
        r->met = NULL;
        forget_answers(r);
        ok = set_target(p, &sa, &len);
        p->state = PROBE_CONNECTING;
        conn_init(&p->conn, woken);
        connect_deadline(p);
        err = !ok   ? -EINVAL
              : len ? conn_connect(&p->conn, (struct sockaddr *)&sa, len, srv_source_how(p->check->srv, NULL, &from))
                    : -EDESTADDRREQ;
        if (err < 0)
                fail_connect(p, err);
        else
                judge_connect(p);
}

/* ---- send ---- */

/* manual, http-check send-state */
static void server_state(const struct server *s, struct buf *out)
{
        struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
        socklen_t len = server_addr_get(s, &sa, NULL);
        const struct back *b = s->back;
        uint32_t total = 0;
        struct addr a;

        for (uint32_t i = 0, n = b->n_srv; i < n; i++) {
                const struct server *o = b->srv[i];
                if (o && o->usable)
                        total += o->weight;
        }
        server_status_text(s, out);
        if (sa.ss_family == AF_UNIX || len == 0) {
                buf_puts(out, "; address=unix; port=unix");
        } else {
                addr_from_sockaddr(&a, (struct sockaddr *)&sa, len);
                buf_puts(out, "; address=");
                addr_print_ip(&a, out);
                buf_printf(out, "; port=%d", addr_port(&a));
        }
        buf_printf(out, "; name=%s/%s; node=%s; weight=%u/%u; scur=%u/%u; qcur=%u", b->cell.name, s->cell.name,
                   world.node ? world.node : "", s->weight, total, s->cur, b->cur,
                   s->queue ? queue_length(s->queue) : 0);
}

static bool write_payload(const struct payload *s, const struct expr_ctx *x, struct buf *out)
{
        size_t n;

        if (!s->fmt) {
                buf_str(out, s->text);
                return true;
        }
        if (!buf_reserve(out, out->limit - out->n))
                return false;
        n = logfmt_print(s->fmt, x, out->p + out->n, out->limit - out->n);
        if (s->hex && !hex_decode(out->p + out->n, &n))
                return false;
        out->n += n;
        return true;
}

static bool write_request(struct run *r, const struct step *s, const struct expr_ctx *x)
{
        AUTO_BUF(state);

        if (r->script->send_state)
                server_state(r->x.srv, &state);
        r->method = hmsg_method_of(s->request.method.n ? s->request.method : STR("OPTIONS"));
        return request_write(&s->request, x, buf_view(&state), &r->out);
}

/* Fills `out`; false after a result. */
static bool prepare(struct probe *p, const struct step *s)
{
        struct run *r = &p->run;
        struct expr_ctx x = context(r);
        struct check_result res = { .status = CHECK_L7RSP };
        bool ok;

        r->out.limit = bufsize(r);
        ok = s->kind == STEP_SEND ? write_payload(&s->send, &x, &r->out) : write_request(r, s, &x);
        forget_answers(r);
        if (ok && !r->out.failed)
                return true;
        put(res.info, "tcp-check send : failed to build log-format string at step %u", s->number);
        probe_finish(p, &res);
        return false;
}

/* True: all was sent. */
static bool send_out(struct probe *p)
{
        struct run *r = &p->run;

        while (r->sent < r->out.n) {
                struct iovec v = { r->out.p + r->sent, r->out.n - r->sent };
                ssize_t n = ep_tx(&p->conn.ep, &v, 1, false);

                if (n == -EAGAIN) {
                        p->conn.ep.ops->want(&p->conn.ep);
                        if (p->conn.ep.flags & EP_ERR)
                                fail_here(p, CHECK_SOCKERR, p->conn.ep.err);
                        return false;
                }
                if (n < 0) {
                        fail_here(p, CHECK_SOCKERR, (int)n);
                        return false;
                }
                r->sent += (size_t)n;
        }
        return true;
}

static bool step_send(struct probe *p, const struct step *s)
{
        struct run *r = &p->run;

        r->said = true;
        if (r->out.n == 0 && !prepare(p, s))
                return false;
        if (!send_out(p))
                return false;
        buf_fini(&r->out);
        r->sent = 0;
        if (s->kind == STEP_REQUEST) {
                r->rsp = response_new(r->method);
                if (!r->rsp) {
                        fail_here(p, CHECK_SOCKERR, -ENOMEM);
                        return false;
                }
        }
        return true;
}

/* ---- expect ---- */

/* Takes what there is. Negative errno: the connection broke before anything came that could be judged. */
static int receive(struct probe *p)
{
        struct run *r = &p->run;

        while (!r->ended && !r->full) {
                size_t room = r->in.limit - r->in.n;
                ssize_t n;

                if (!buf_reserve(&r->in, room < 4096 ? room : 4096))
                        return -ENOMEM;
                room = room < 4096 ? room : 4096;
                n = ep_rx(&p->conn.ep, r->in.p + r->in.n, room);
                if (n == -EAGAIN)
                        break;
                r->ended = n <= 0;
                if (n > 0)
                        r->in.n += (size_t)n;
                r->full = r->in.n == r->in.limit;
                if (n < 0 && r->in.n == 0)
                        return (int)n;
        }
        if (r->rsp)
                response_read(r->rsp, &r->in, r->ended || r->full);
        return 0;
}

static void met(struct run *r, const struct step *s, const struct match *m)
{
        r->met = &s->expect;
        r->code = r->rsp ? r->rsp->m.status : m->code;
        if (m->info[0]) {
                memcpy(r->info, m->info, sizeof(r->info));
                clean(r->info);
        }
}

static bool step_expect(struct probe *p, const struct step *s)
{
        struct run *r = &p->run;
        int err = receive(p);
        struct expr_ctx x = context(r);
        struct match m;

        r->said = true;
        if (err < 0) {
                fail_here(p, CHECK_SOCKERR, err);
                return false;
        }
        m = match_run(r, s, &x);
        if (m.answer == MATCH_YES) {
                met(r, s, &m);
                return true;
        }
        if (m.answer == MATCH_NO) {
                not_met(p, &m);
                return false;
        }
        p->conn.ep.ops->want(&p->conn.ep);
        if (p->conn.ep.flags & EP_ERR)
                fail_here(p, CHECK_SOCKERR, p->conn.ep.err);
        return false;
}

/* ---- variables ---- */

static void step_var(struct run *r, const struct step *s)
{
        struct expr_ctx x = context(r);
        char text[4096];
        struct smp smp = { .type = SMP_ANY };

        if (s->kind == STEP_UNSET_VAR) {
                var_unset(s->var.use.name, &x);
                return;
        }
        if (s->var.fmt)
                smp_str(&smp, (struct str){ text, logfmt_print(s->var.fmt, &x, text, sizeof(text)) });
        else if (expr_run(s->var.expr, &x, &smp) != EXPR_OK)
                return; /* no sample: the variable stays what it was (manual 2.8) */
        (void)var_set_if(s->var.use.name, s->var.use.conds, &x, &smp);
}

/* ---- the run ---- */

/* True: on with the next step. */
static bool do_step(struct probe *p, const struct step *s)
{
        if (s->kind == STEP_SET_VAR || s->kind == STEP_UNSET_VAR)
                step_var(&p->run, s);
        else if (s->kind == STEP_SEND || s->kind == STEP_REQUEST)
                return step_send(p, s);
        else if (s->kind == STEP_EXPECT)
                return step_expect(p, s);
        return true;
}

static void run_steps(struct probe *p)
{
        struct run *r = &p->run;

        while (r->at < r->script->n) {
                const struct step *s = now(r);

                if (s->kind == STEP_CONNECT) {
                        step_connect(p); /* it goes on when it is established */
                        return;
                }
                if (!do_step(p, s))
                        return;
                if (s->kind == STEP_SEND || s->kind == STEP_REQUEST)
                        r->met = NULL;
                r->at++;
        }
        pass(p);
}

void run_begin(struct probe *p)
{
        struct run *r = &p->run;
        struct back_cfg *b = epoch_load(&p->check->srv->back->cfg);
        const struct check_proxy_cfg *cfg = check_proxy_of(b);

        pin(&b->pins);
        *r = (struct run){ .x = { .srv = p->check->srv, .vars = &r->vars }, .pinned = b, .script = script_of(cfg) };
        r->hash = r->script->hash;
        run_steps(p);
}

void run_woken(struct probe *p)
{
        if (p->state == PROBE_CONNECTING)
                judge_connect(p);
        else if (p->state == PROBE_TALKING)
                run_steps(p);
}

void run_deadline(struct probe *p)
{
        const struct step *s = now(&p->run);
        enum check_status st = s->kind == STEP_CONNECT                    ? CHECK_L4TOUT
                               : s->kind == STEP_EXPECT && s->expect.tout ? s->expect.tout
                                                                          : CHECK_L7TOUT;

        fail_here(p, st, 0);
}

void run_end(struct probe *p)
{
        struct run *r = &p->run;
        uint64_t hash = r->hash;

        if (!r->pinned)
                return;
        vars_fini(r->vars);
        response_free(r->rsp);
        buf_fini(&r->in);
        buf_fini(&r->out);
        unpin(&r->pinned->pins);
        *r = (struct run){ .hash = hash };
}
