/* feat/stats/prom.c - one metric after the other, over all objects of its scope (prom.h). */
#include "feat/stats/prom.h"

#include "core/hist.h"
#include "core/service.h"
#include "core/table.h"

#include <stdio.h>

#define GET(f)    atomic_load_explicit(&(f), memory_order_relaxed)
#define PIECE     12000u
#define AGG_PIECE 256u /* servers looked at while a backend's lock is held */

static const struct {
        enum prom_scope scope;
        const char *name; /* in metrics' names */
} scopes[] = { { PROM_GLOBAL, "process" },
               { PROM_FRONT, "frontend" },
               { PROM_BACK, "backend" },
               { PROM_SERVER, "server" },
               { PROM_TABLE, "sticktable" } };

/* ---- states ---- */
enum state { DOWN, UP, MAINT, DRAIN, NOLB, STATES };
static const char *const state_names[] = { "DOWN", "UP", "MAINT", "DRAIN", "NOLB" };

static enum state server_state(const struct server *s)
{
        unsigned admin = GET(s->admin), oper = GET(s->oper);

        if (admin & SRV_ADM_MAINT)
                return MAINT;
        if (oper == SRV_STOPPED)
                return DOWN;
        return admin & SRV_ADM_FDRAIN ? DRAIN : oper == SRV_STOPPING ? NOLB : UP;
}

static enum state state_of(const struct stat_obj *o)
{
        if (o->kind == STAT_SERVER)
                return server_state(o->sv);
        if (o->kind == STAT_FRONT)
                return GET(o->fe->state) == FRONT_STOPPED ? DOWN : UP;
        return GET(o->be->act) + GET(o->be->bck) > 0 || o->be->n_srv == 0 ? UP : DOWN;
}

/* The check statuses that are results, in the order and with the names of the exporter; HANA is of observed traffic. */
static const struct {
        enum check_status status;
        const char *name;
} results[] = {
        { CHECK_STATUSES, "HANA" }, { CHECK_SOCKERR, "SOCKERR" }, { CHECK_L4OK, "L4OK" },
        { CHECK_L4TOUT, "L4TOUT" }, { CHECK_L4CON, "L4CON" },     { CHECK_L6OK, "L6OK" },
        { CHECK_L6TOUT, "L6TOUT" }, { CHECK_L6RSP, "L6RSP" },     { CHECK_L7TOUT, "L7TOUT" },
        { CHECK_L7RSP, "L7RSP" },   { CHECK_L7OK, "L7OK" },       { CHECK_L7OKC, "L7OKC" },
        { CHECK_L7STS, "L7STS" },   { CHECK_PROCERR, "PROCERR" }, { CHECK_PROCTOUT, "PROCTOUT" },
        { CHECK_PROCOK, "PROCOK" },
};

/* The last result of a server that is being checked, or false. Agents are asked in maintenance, too. */
static bool check_result_of(const struct server *s, bool agent, struct check_result *ret_r)
{
        const struct check *c = agent ? s->agent : s->check;

        if (!c || (!agent && (GET(s->admin) & SRV_ADM_MAINT)))
                return false;
        check_last(c, ret_r);
        return ret_r->status > CHECK_START;
}

/* ---- lines ---- */
struct sample_line { /* what the lines of one object have in common */
        struct prom *p;
        const struct prom_row *row;
        struct buf *out;
        const struct stat_obj *o; /* NULL: the process */
        struct stat_val *v;
        unsigned col;
};

/* Text format: \, " and line ends are escaped; it is UTF-8. */
static void label_escaped(struct buf *out, struct str s)
{
        for (; s.n; s = str_sub(s, 1, s.n - 1)) {
                if (*s.p == '\\' || *s.p == '"')
                        buf_putc(out, '\\');
                if (*s.p == '\n')
                        buf_puts(out, "\\n");
                else
                        buf_putc(out, *s.p);
        }
}

static bool is_plain(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] >= 0x80 || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '\n')
                        return false;
        return true;
}

static void label(struct buf *out, bool *first, struct str name, struct str value)
{
        buf_putc(out, *first ? '{' : ',');
        buf_str(out, name);
        buf_add(out, "=\"", 2);
        if (is_plain(value))
                buf_str(out, value);
        else
                stat_utf8(out, value, label_escaped);
        buf_putc(out, '"');
        *first = false;
}

static void number(struct buf *out, uint64_t n) /* a scrape is mostly numbers: half the time of printf */
{
        char text[20];
        size_t at = sizeof(text);

        do {
                text[--at] = (char)('0' + n % 10);
                n /= 10;
        } while (n);
        buf_add(out, text + at, sizeof(text) - at);
}

static const char *prefix(const struct prom_row *r)
{
        return r->how == PROM_HIST ? "telamon_" : "haproxy_";
}

static void metric_name(struct buf *out, const struct prom *p, const struct prom_row *r)
{
        buf_puts(out, prefix(r));
        buf_puts(out, scopes[p->scope_at].name);
        buf_putc(out, '_');
        buf_puts(out, r->name);
}

static const char *desc_of(const struct sample_line *l)
{
        if (l->o)
                return l->o->px ? l->o->px->description : NULL;
        return GET(world.description);
}

/* name<suffix>{labels} and the blank; `extra`: one more label. */
static void begin_as(const struct sample_line *l, const char *suffix, const char *extra, struct str value)
{
        const char *desc = l->p->q.desc ? desc_of(l) : NULL;
        bool first = true;

        metric_name(l->out, l->p, l->row);
        buf_puts(l->out, suffix);
        if (l->o)
                label(l->out, &first, STR("proxy"),
                      str_of(l->o->kind == STAT_FRONT ? l->o->fe->cell.name : l->o->be->cell.name));
        if (l->o && l->o->sv)
                label(l->out, &first, STR("server"), str_of(l->o->sv->cell.name));
        if (desc)
                label(l->out, &first, STR("desc"), str_of(desc));
        if (extra)
                label(l->out, &first, str_of(extra), value);
        if (l->row->mod)
                label(l->out, &first, STR("mod"), str_of(l->row->mod));
        buf_puts(l->out, first ? " " : "} ");
}

static void begin(const struct sample_line *l, const char *extra, struct str value)
{
        begin_as(l, "", extra, value);
}

static void number_line(const struct sample_line *l, const char *extra, const char *value, uint64_t n)
{
        begin(l, extra, value ? str_of(value) : STR(""));
        number(l->out, n);
        buf_putc(l->out, '\n');
}

static void value_line(const struct sample_line *l)
{
        begin(l, NULL, STR(""));
        if (l->v->type == STAT_NONE)
                buf_puts(l->out, "NaN\n");
        else if (l->row->how == PROM_MS || l->row->how == PROM_CHECK_MS)
                buf_printf(l->out, "%llu.%03llu000\n", (unsigned long long)l->v->u / 1000,
                           (unsigned long long)l->v->u % 1000);
        else if (l->v->type == STAT_S32 && (int64_t)l->v->u < 0)
                buf_printf(l->out, "%d\n", (int)(int64_t)l->v->u);
        else {
                number(l->out, l->v->u);
                buf_putc(l->out, '\n');
        }
}

static void state_lines(const struct sample_line *l)
{
        enum state is = state_of(l->o);

        for (unsigned i = 0; i < (l->o->kind == STAT_SERVER ? STATES : MAINT); i++)
                number_line(l, "state", state_names[i], i == is);
}

static void code_lines(const struct sample_line *l)
{
        static const char *const codes[] = { "1xx", "2xx", "3xx", "4xx", "5xx", "other" };

        for (unsigned i = 0; i < array_len(codes); i++) {
                stat_get(l->o, l->col + i, l->v);
                number_line(l, "code", codes[i], l->v->u);
        }
}

static void check_lines(const struct sample_line *l)
{
        struct check_result r;

        if (!check_result_of(l->o->sv, l->row->agent, &r))
                return;
        for (unsigned i = 0; i < array_len(results); i++)
                number_line(l, "state", results[i].name, results[i].status == r.status);
}

static void check_line(const struct sample_line *l)
{
        struct check_result r;

        if (!check_result_of(l->o->sv, l->row->agent, &r))
                return;
        if (l->v->type == STAT_NONE) /* a check without codes */
                *l->v = (struct stat_val){ .type = STAT_U32 };
        value_line(l);
}

/* ---- histograms ---- */
static const struct cell *cell_of(const struct stat_obj *o)
{
        return o->kind == STAT_FRONT ? &o->fe->cell : o->kind == STAT_BACK ? &o->be->cell : &o->sv->cell;
}

/* Each bucket counts all that are not longer than its bound. */
static void hist_lines(const struct sample_line *l)
{
        struct hist_total t;
        uint64_t n = 0;
        char le[24];

        hist_sum(cell_of(l->o), (enum hist_kind)l->row->hist, &t);
        for (unsigned i = 0; i < HIST_BUCKETS; i++) {
                uint64_t us = hist_bound_us(i);
                bool last = i == HIST_BUCKETS - 1;
                int len = snprintf(le, sizeof(le), "%u.%06u", (unsigned)(us / 1000000), (unsigned)(us % 1000000));

                n += t.n[i];
                begin_as(l, "_bucket", "le", last ? STR("+Inf") : (struct str){ le, (size_t)len });
                number(l->out, n);
                buf_putc(l->out, '\n');
        }
        begin_as(l, "_sum", NULL, STR(""));
        buf_printf(l->out, "%llu.%06u\n", (unsigned long long)(t.sum_us / 1000000), (unsigned)(t.sum_us % 1000000));
        begin_as(l, "_count", NULL, STR(""));
        number(l->out, n);
        buf_putc(l->out, '\n');
}

/* ---- servers of a backend by state ---- */
struct counts {
        uint32_t by_state[STATES], by_result[CHECK_STATUSES + 1];
};

static void count_some(struct back *b, uint32_t from, uint32_t to, struct counts *n)
{
        struct check_result r;

        for (uint32_t i = from; i < to; i++) {
                n->by_state[server_state(b->srv[i])]++;
                if (check_result_of(b->srv[i], false, &r))
                        n->by_result[r.status]++;
        }
}

static void count(struct back *b, struct counts *n)
{
        uint32_t all, end;

        for (uint32_t i = 0;; i = end) {
                pthread_mutex_lock(&b->lock);
                all = b->n_srv;
                end = i + AGG_PIECE < all ? i + AGG_PIECE : all;
                count_some(b, i, end, n);
                pthread_mutex_unlock(&b->lock);
                if (end >= all)
                        return;
        }
}

static void agg_lines(const struct sample_line *l)
{
        struct counts n = { 0 };

        count(l->o->be, &n);
        if (l->row->how == PROM_AGG)
                for (unsigned i = 0; i < STATES; i++)
                        number_line(l, "state", state_names[i], n.by_state[i]);
        else
                for (unsigned i = 0; i < array_len(results); i++)
                        number_line(l, "state", results[i].name, n.by_result[results[i].status]);
}

/* ---- one metric ---- */
static void header(const struct sample_line *l, const char *help)
{
        buf_puts(l->out, "# HELP ");
        metric_name(l->out, l->p, l->row);
        buf_printf(l->out, " %s\n# TYPE ", help);
        metric_name(l->out, l->p, l->row);
        buf_printf(l->out, " %s\n", l->row->how == PROM_HIST ? "histogram" : l->row->counter ? "counter" : "gauge");
        l->p->begun = true;
}

static void object_lines(const struct sample_line *l)
{
        switch ((enum prom_how)l->row->how) {
        case PROM_STATE: state_lines(l); break;
        case PROM_CODES: code_lines(l); break;
        case PROM_CHECKS: check_lines(l); break;
        case PROM_CHECK:
        case PROM_CHECK_MS: check_line(l); break;
        case PROM_AGG:
        case PROM_AGG_CHECKS: agg_lines(l); break;
        case PROM_HIST: hist_lines(l); break;
        default: value_line(l);
        }
}

struct walking {
        struct prom *p;
        struct buf *out;
        const struct prom_row *row;
        unsigned col;
};

static void on_object(void *ctx, struct stat_obj *o)
{
        struct walking *w = ctx;
        struct stat_val v;
        struct sample_line l = { w->p, w->row, w->out, o, &v, w->col };
        const char *help = w->row->help ? w->row->help : stat_cols[w->col].help;

        if (w->row->http && !o->http)
                return;
        if (!w->p->begun)
                header(&l, help);
        stat_get(o, w->col, &v);
        object_lines(&l);
}

static unsigned column(const char *name)
{
        unsigned i = 0;

        while (strcmp(stat_cols[i].name, name) != 0)
                i++;
        return i;
}

static const struct info_row *info(const char *name)
{
        const struct info_row *r = info_rows;

        while (strcmp(r->name, name) != 0)
                r++;
        return r;
}

static void process_lines(struct prom *p, const struct prom_row *row, struct buf *out)
{
        struct stat_val v = { .type = STAT_NONE };
        struct sample_line l = { p, row, out, NULL, &v, 0 };
        const struct info_row *i = row->source ? info(row->source) : NULL;

        const char *help = row->help ? row->help : i ? i->help : "";

        if (i)
                i->get(&v, false);
        if (row->how == PROM_LABEL && v.type == STAT_NONE)
                return;
        header(&l, help);
        if (row->how != PROM_LABEL) {
                value_line(&l);
                return;
        }
        begin(&l, row->label, v.s);
        buf_puts(out, "1\n");
}

static bool wanted(const struct prom *p, const struct prom_row *r)
{
        char name[96];
        int n;

        if (!(r->scopes & scopes[p->scope_at].scope) || (r->extra && !p->q.extra))
                return false;
        n = snprintf(name, sizeof(name), "%s%s_%s", prefix(r), scopes[p->scope_at].name, r->name);
        return prom_query_wants(&p->q, (struct str){ name, (size_t)n });
}

/* One for each stick table; true: there are more. */
static bool table_lines(struct prom *p, const struct prom_row *r, struct buf *out, size_t end)
{
        const struct tables *all = tables_now();
        const struct sample_line l = { .p = p, .out = out, .row = r };

        for (; p->table_at < all->n && out->n < end; p->table_at++) {
                const struct table *t = all->v[p->table_at];
                bool first = true;

                if (!p->begun)
                        header(&l, r->help);
                metric_name(out, p, r);
                label(out, &first, STR("name"), str_of(t->def.name));
                label(out, &first, STR("type"), str_of(table_key_names[t->def.key]));
                buf_puts(out, "} ");
                number(out, r->how == PROM_SIZE ? t->def.size : stick_used(&t->stick));
                buf_putc(out, '\n');
        }
        return p->table_at < all->n;
}

/* True: the metric has more lines. */
static bool metric(struct prom *p, const struct prom_row *r, struct buf *out, size_t end)
{
        struct walking w = { p, out, r, 0 };
        bool more;

        if (scopes[p->scope_at].scope == PROM_GLOBAL) {
                process_lines(p, r, out);
                return false;
        }
        if (scopes[p->scope_at].scope == PROM_TABLE)
                return table_lines(p, r, out, end);
        w.col = r->source ? column(r->source) : 0;
        p->w.kinds = scopes[p->scope_at].scope;
        p->w.no_sum = !stat_col_sums(w.col);
        do
                more = stat_walk_each(&p->w, r->how == PROM_PLAIN ? 16 : 1, on_object, &w);
        while (more && out->n < end);
        return more;
}

static void next_metric(struct prom *p)
{
        p->begun = false;
        p->table_at = 0;
        p->w = (struct stat_walk){ .no_maint = p->q.no_maint };
        if (++p->row < prom_n_rows)
                return;
        p->row = 0;
        p->scope_at++;
}

bool prom_print(struct prom *p, struct buf *out, size_t room)
{
        size_t end = out->n + room;

        while (p->scope_at < array_len(scopes)) {
                if (out->n >= end)
                        return true;
                if (!(p->q.scopes & scopes[p->scope_at].scope)) {
                        p->scope_at++;
                        continue;
                }
                if (!wanted(p, &prom_rows[p->row]) || !metric(p, &prom_rows[p->row], out, end))
                        next_metric(p);
        }
        return false;
}

/* ---- the service ---- */
static void prom_start(struct applet *a, const struct hmsg *req, struct str body)
{
        struct prom *p = a->data;
        struct str t = hmsg_target(req);
        const char *mark = t.n ? memchr(t.p, '?', t.n) : NULL;
        size_t skip = mark ? (size_t)(mark - t.p) + 1 : t.n;

        (void)body;
        buf_puts(&a->fields, "cache-control: no-cache\r\n");
        if (!prom_query_parse(str_sub(t, skip, t.n - skip), &p->q)) {
                a->status = 400;
                buf_puts(&a->fields, "content-type: text/html\r\n");
                return;
        }
        a->status = 200;
        buf_puts(&a->fields, "content-type: text/plain; version=0.0.4\r\n");
        p->w.no_maint = p->q.no_maint;
}

static enum applet_answer prom_more(struct applet *a, struct buf *out)
{
        if (a->status != 200) {
                buf_puts(out, "<html><body><h1>400 Bad request</h1>\nThere is no such scope, or too many metrics are "
                              "named.\n</body></html>\n");
                return APPLET_DONE;
        }
        return prom_print(a->data, out, PIECE) ? APPLET_MORE : APPLET_DONE;
}

static const struct applet_ops prom_ops = {
        .name = "<PROMEX>",
        .size = sizeof(struct prom),
        .start = prom_start,
        .body_max = 16384,
        .more = prom_more,
};

static const struct service prometheus = {
        .name = "prometheus-exporter",
        .ops = &prom_ops,
        .help = "the counters of the process, its proxies and servers for Prometheus",
};
SERVICE(prometheus);
