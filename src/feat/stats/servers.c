/* feat/stats/servers.c - `show servers state` (also the form of a server-state-file) and `show servers conn`. */
#include "feat/stats/stats.h"

#include <stdio.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

#define CHUNK 32u

static enum check_status last_status(const struct check *c)
{
        struct check_result r;

        check_last(c, &r);
        return r.status;
}

/* Numbers of check results in the file format, management.txt 9.3 "show servers state". */
static int status_number(const struct check *c)
{
        static const uint8_t number[CHECK_STATUSES] = {
                [CHECK_UNKNOWN] = 1, [CHECK_INI] = 1,      [CHECK_START] = 2,     [CHECK_SOCKERR] = 5,
                [CHECK_NEUTRAL] = 3, [CHECK_HANA] = 4,     [CHECK_L4OK] = 6,      [CHECK_L4TOUT] = 7,
                [CHECK_L4CON] = 8,   [CHECK_L6OK] = 9,     [CHECK_L6TOUT] = 10,   [CHECK_L6RSP] = 11,
                [CHECK_L7TOUT] = 12, [CHECK_L7RSP] = 13,   [CHECK_L7OK] = 15,     [CHECK_L7OKC] = 16,
                [CHECK_L7STS] = 17,  [CHECK_PROCERR] = 18, [CHECK_PROCTOUT] = 19, [CHECK_PROCOK] = 20,
        };

        return c ? number[last_status(c)] : 1;
}

static int result_number(const struct check *c)
{
        enum check_status last = c ? last_status(c) : CHECK_UNKNOWN;

        if (last <= CHECK_START)
                return 0;
        if (last == CHECK_NEUTRAL)
                return 1;
        if (last == CHECK_L7OKC)
                return 4;
        return check_status_is_ok(last) ? 3 : 2;
}

/* An agent is asked in maintenance, too; what is not checked is paused by `disabled` only, as in HAProxy's files. */
static int check_flags(const struct server *s, const struct check *c)
{
        bool paused = c && !c->agent && (GET(s->admin) & SRV_ADM_MAINT);

        if (!c)
                return 0;
        return (c->running ? 1 : 0) | 2 | (c->enabled ? 4 : 0) | (paused ? 8 : 0) | (c->agent ? 16 : 0);
}

static struct check_target target_of(struct check *c)
{
        struct check_target t = { 0 };

        if (!c)
                return t;
        pthread_mutex_lock(&c->last_lock);
        t = c->target;
        pthread_mutex_unlock(&c->last_lock);
        return t;
}

static void put_target_addr(struct buf *out, const struct check_target *t)
{
        if (t->addr.sa.sa_family == AF_UNSPEC)
                buf_putc(out, '-');
        else
                addr_print_ip(&t->addr, out);
}

static void put_addr(struct buf *out, const struct server *s)
{
        if (s->path)
                buf_puts(out, s->path);
        else if (s->addr.sa.sa_family == AF_UNSPEC)
                buf_putc(out, '-');
        else
                addr_print_ip(&s->addr, out);
}

/* `disabled` in the file also counts as forced, as in HAProxy's files. */
static unsigned admin_number(const struct server *s)
{
        unsigned a = GET(s->admin);

        return a & SRV_ADM_CMAINT ? a | SRV_ADM_FMAINT : a;
}

/* Without a check the server is taken for healthy: its rise, unless it is in maintenance. */
static int health_number(const struct server *s)
{
        const struct check_cfg *c = s->obj ? conf_slot(s->obj, check_slot) : NULL;

        if (GET(s->admin) & SRV_ADM_MAINT)
                return 0;
        return s->check ? s->check->health : c ? c->rise : 0;
}

static void state_line(struct buf *out, const struct server *s)
{
        const struct back *b = s->back;
        const struct back_cfg *cfg = epoch_load(&b->cfg);
        const struct conf_obj *o = s->obj;
        const struct server_addr_cfg *ac = o ? conf_slot(o, server_addr_slot) : NULL;
        const char *fqdn = atomic_load_explicit(&s->fqdn, memory_order_acquire);
        bool maint = GET(s->admin) & SRV_ADM_MAINT;
        struct check_target check = target_of(s->check), agent = target_of(s->agent);

        buf_printf(out, "%d %s %d %s ", b->iid, b->cell.name, s->puid, s->cell.name);
        put_addr(out, s);
        buf_printf(
                out, " %d %u %u %u %llu %d %d %d %d %d", maint ? 0 : GET(s->oper), admin_number(s), GET(s->weight),
                s->iweight,
                (unsigned long long)(thr_self->now > s->last_change ? (thr_self->now - s->last_change) / NS_PER_S : 0),
                status_number(s->check), result_number(s->check), health_number(s),
                s->check || !(GET(s->admin) & SRV_ADM_CMAINT) ? check_flags(s, s->check) : 8, check_flags(s, s->agent));
        buf_printf(out, " %d %d %s %d - 0 %d ", cfg && cfg->px->id != 0, ac && ac->id != 0, fqdn ? fqdn : "-",
                   s->path ? 0 : s->port, check.port);
        put_target_addr(out, &check);
        buf_putc(out, ' ');
        put_target_addr(out, &agent);
        buf_printf(out, " %d\n", agent.port);
}

static void conn_line(struct buf *out, struct server *s)
{
        struct px_sum sum;
        int purge = server_cfg_now(s)->pool_purge_ms, limit = server_cfg_now(s)->pool_max_conn;

        px_stat_sum(&s->cell, &sum);
        buf_printf(out, "%s/%s %d/%d ", s->back->cell.name, s->cell.name, s->back->iid, s->puid);
        put_addr(out, s);
        buf_printf(out, " %d - %d %u %llu %u %llu 0 0 %llu %d %llu", s->path ? 0 : s->port, purge, GET(s->cur),
                   (unsigned long long)sum.used_conn, GET(s->cur_max), (unsigned long long)sum.used_conn,
                   (unsigned long long)sum.idle_conn, limit, (unsigned long long)sum.idle_conn);
        for (unsigned t = 0; t < thr_count(); t++) {
                const struct px_stat *col = cell_col_peek(&s->cell, t);
                buf_printf(out, " %llu", (unsigned long long)(col ? GET(col->idle_conn) : 0));
        }
        buf_putc(out, '\n');
}

typedef void (*line_fn)(struct buf *out, struct server *s);

static void state_fn(struct buf *out, struct server *s)
{
        state_line(out, s);
}

/* Up to CHUNK servers; true: the backend has more. */
static bool some_servers(struct servers_walk *w, struct back *b, line_fn fn, struct buf *out)
{
        struct server *v[CHUNK];
        unsigned n;

        pthread_mutex_lock(&b->lock);
        for (n = 0; n < CHUNK && w->server + n < b->n_srv; n++)
                v[n] = b->srv[w->server + n];
        pthread_mutex_unlock(&b->lock);
        for (unsigned i = 0; i < n; i++)
                fn(out, v[i]);
        w->server += n;
        return n == CHUNK;
}

static bool walk(struct servers_walk *w, line_fn fn, struct buf *out, size_t room)
{
        size_t end = out->n + room;
        const struct world_px *p;

        while ((p = stats_next_px(w->at_iid)) != NULL) {
                bool wanted = p->back && (w->backend.n == 0 || str_is(w->backend, p->back->cell.name));
                while (wanted && some_servers(w, p->back, fn, out))
                        if (out->n >= end)
                                return true;
                w->at_iid = p->iid;
                w->server = 0;
                if (out->n >= end)
                        return true;
        }
        return false;
}

bool servers_state_print(struct servers_walk *w, struct buf *out, size_t room)
{
        if (!w->begun)
                buf_puts(out,
                         "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
                         "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
                         "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
                         "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n");
        w->begun = true;
        return walk(w, state_fn, out, room);
}

bool servers_conn_print(struct servers_walk *w, struct buf *out, size_t room)
{
        if (!w->begun)
                buf_printf(
                        out,
                        "# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est idle_sess "
                        "unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[%u]\n",
                        thr_count());
        w->begun = true;
        return walk(w, conn_line, out, room);
}
