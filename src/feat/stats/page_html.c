/* feat/stats/page_html.c - the page for people: one table a proxy, all in one document, no script and nothing fetched from elsewhere.
 *
 * Every value goes through stat_html_text() or is a number. */
#include "core/global.h"
#include "core/threads.h"
#include "feat/stats/page_admin.h"

#include <stdio.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

static const char css[] =
        ":root{color-scheme:light "
        "dark;--bg:#f6f7f9;--fg:#16202c;--dim:#5c6b7c;--faint:#6b7885;--card:#fff;--line:#dde3ea;--head:#eef1f5;"
        "--acc:#0b5cad;--up:#137a43;--upb:#e3f5ea;--down:#b3261e;--downb:#fde7e5;--warn:#8a5a00;--warnb:#fff3d6;--off:#"
        "4a5a9a;"
        "--offb:#e9ecfa;--gray:#5c6b7c;--grayb:#eef1f5}"
        "@media(prefers-color-scheme:dark){:root{--bg:#10151b;--fg:#e2e8ef;--dim:#93a1b1;--faint:#8592a0;--card:#"
        "171e26;--line:#2a343f;"
        "--head:#1d262f;--acc:#6cb2ff;--up:#5fd494;--upb:#12301f;--down:#ff8a80;--downb:#3a1715;--warn:#f2c14e;--warnb:"
        "#35290d;"
        "--off:#a9b6ff;--offb:#1e2444;--gray:#93a1b1;--grayb:#222c36}}"
        "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.45 "
        "system-ui,sans-serif}"
        "main,header,footer{max-width:1680px;margin:0 auto;padding:0 16px}a{color:var(--acc)}"
        "header{padding-top:18px}h1{font-size:22px;margin:0;letter-spacing:-.01em}h1 "
        "small{font-size:13px;font-weight:400;"
        "color:var(--dim);margin-left:8px}"
        ".sum{display:flex;flex-wrap:wrap;gap:8px;margin:14px 0}.sum div{background:var(--card);border:1px solid "
        "var(--line);"
        "border-radius:8px;padding:8px 14px;min-width:112px}.sum "
        "b{display:block;font-size:19px;font-variant-numeric:tabular-nums}"
        ".sum span{color:var(--dim);font-size:12px}.bad b{color:var(--down)}"
        ".info{color:var(--dim);font-size:13px;margin:0 0 6px}nav{margin:8px 0 4px;font-size:13px}nav "
        "a{margin-right:14px}"
        "section{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:16px 0;overflow:hidden}"
        "h2{font-size:15px;margin:0;padding:10px 14px;border-bottom:1px solid var(--line)}h2 small{font-weight:400;"
        "color:var(--dim);margin-left:8px}"
        ".t{overflow-x:auto}table{border-collapse:separate;border-spacing:0;width:100%;font-size:12.5px;"
        "font-variant-numeric:tabular-nums}th,td{padding:4px 6px;text-align:right;white-space:nowrap;"
        "border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}"
        "th{background:var(--head);font-weight:600;color:var(--dim);font-size:11.5px}th.g{text-align:center;"
        "border-left:1px solid var(--line)}td.g,th.b{border-left:1px solid var(--line)}"
        "td:first-child,th:first-child{text-align:left;position:sticky;left:0;background:var(--card);z-index:1}"
        "th:first-child{background:var(--head)}td.s,td.l,th.l{text-align:left}"
        "tr.k td{background:var(--head);font-weight:600}td.z,tr.k td.z{color:var(--faint);font-weight:400}"
        ".p{display:inline-block;border-radius:20px;padding:0 9px;font-weight:600;font-size:12px}"
        ".up{color:var(--up);background:var(--upb)}.down{color:var(--down);background:var(--downb)}"
        ".warn{color:var(--warn);background:var(--warnb)}.off{color:var(--off);background:var(--offb)}"
        ".none{color:var(--gray);background:var(--grayb)}tr.rd td{background:var(--downb)}"
        ".do{margin:0;padding:8px 14px;border-top:1px solid var(--line)}select,button,input{font:inherit;accent-color:"
        "var(--acc)}select,button{padding:3px 8px}.say{padding:8px 14px;border-radius:8px;font-weight:600}"
        "footer{color:var(--dim);font-size:12px;padding:6px 16px 28px}"
        "@media(max-width:600px){main,header,footer{padding-left:10px;padding-right:10px}.sum div{flex:1 1 "
        "30%;min-width:96px;"
        "padding:6px 10px}.sum b{font-size:17px}th,td{padding:4px 6px}td:first-child,th:first-child{max-width:120px;"
        "overflow:hidden;text-overflow:ellipsis}}";

/* ---- small parts ---- */
static void text(struct buf *out, const char *z)
{
        stat_html_text(out, str_of(z));
}

static void number(struct buf *out, uint64_t n)
{
        char digits[24];
        int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

        for (int i = 0; i < len; i++) {
                if (i > 0 && (len - i) % 3 == 0)
                        buf_puts(out, "\u202f"); /* narrow no-break space */
                buf_putc(out, digits[i]);
        }
}

static void bytes(struct buf *out, uint64_t n)
{
        static const char units[] = "KMGTPE";
        double v = (double)n;
        int u = -1;

        if (n < 10000) {
                number(out, n);
                return;
        }
        do {
                v /= 1024;
                u++;
        } while (v >= 1000 && u < 5);
        buf_printf(out, v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v);
        buf_printf(out, "\u202f%ciB", units[u]);
}

static void duration(struct buf *out, uint64_t s)
{
        if (s < 60)
                buf_printf(out, "%llus", (unsigned long long)s);
        else if (s < 3600)
                buf_printf(out, "%llum%02llus", (unsigned long long)s / 60, (unsigned long long)s % 60);
        else if (s < 86400)
                buf_printf(out, "%lluh%02llum", (unsigned long long)s / 3600, (unsigned long long)s / 60 % 60);
        else
                buf_printf(out, "%llud%lluh", (unsigned long long)s / 86400, (unsigned long long)s / 3600 % 24);
}

/* ---- the columns of a table ---- */
enum shown { AS_NUMBER, AS_BYTES, AS_TIME, AS_FLAG };

struct page_col {
        const char *col; /* of stat_cols */
        const char *head;
        const char *group; /* a new group of columns begins here */
        enum shown as;
        uint8_t span; /* columns in the group */
        unsigned index;
};

static struct page_col cells[] = {
        { "qcur", "Cur", "Queue", AS_NUMBER, 3, 0 },    { "qmax", "Max", NULL, AS_NUMBER, 0, 0 },
        { "qlimit", "Limit", NULL, AS_NUMBER, 0, 0 },   { "rate", "Cur", "Session rate", AS_NUMBER, 3, 0 },
        { "rate_max", "Max", NULL, AS_NUMBER, 0, 0 },   { "rate_lim", "Limit", NULL, AS_NUMBER, 0, 0 },
        { "scur", "Cur", "Sessions", AS_NUMBER, 6, 0 }, { "smax", "Max", NULL, AS_NUMBER, 0, 0 },
        { "slim", "Limit", NULL, AS_NUMBER, 0, 0 },     { "stot", "Total", NULL, AS_NUMBER, 0, 0 },
        { "lbtot", "LbTot", NULL, AS_NUMBER, 0, 0 },    { "lastsess", "Last", NULL, AS_TIME, 0, 0 },
        { "bin", "In", "Bytes", AS_BYTES, 2, 0 },       { "bout", "Out", NULL, AS_BYTES, 0, 0 },
        { "dreq", "Req", "Denied", AS_NUMBER, 2, 0 },   { "dresp", "Resp", NULL, AS_NUMBER, 0, 0 },
        { "ereq", "Req", "Errors", AS_NUMBER, 3, 0 },   { "econ", "Conn", NULL, AS_NUMBER, 0, 0 },
        { "eresp", "Resp", NULL, AS_NUMBER, 0, 0 },     { "wretr", "Retr", "Warnings", AS_NUMBER, 2, 0 },
        { "wredis", "Redis", NULL, AS_NUMBER, 0, 0 },
};
static struct page_col tail_cells[] = {
        { "weight", "Wght", "Server", AS_NUMBER, 0, 0 }, { "act", "Act", NULL, AS_FLAG, 0, 0 },
        { "bck", "Bck", NULL, AS_FLAG, 0, 0 },           { "chkfail", "Chk", NULL, AS_NUMBER, 0, 0 },
        { "chkdown", "Dwn", NULL, AS_NUMBER, 0, 0 },     { "downtime", "Dwntme", NULL, AS_TIME, 0, 0 },
};

static unsigned col_check_status, col_last_chk, col_check_desc, col_check_duration, col_status, col_lastchg, col_addr,
        col_algo;

static unsigned find(const char *name)
{
        unsigned i = 0;

        while (i < stat_n_cols && strcmp(stat_cols[i].name, name) != 0)
                i++;
        ASSERT(i < stat_n_cols); /* the page asks for a column that the table does not have */
        return i;
}

__attribute__((constructor)) static void resolve(void)
{
        for (unsigned i = 0; i < array_len(cells); i++)
                cells[i].index = find(cells[i].col);
        for (unsigned i = 0; i < array_len(tail_cells); i++)
                tail_cells[i].index = find(tail_cells[i].col);
        col_check_status = find("check_status");
        col_check_desc = find("check_desc");
        col_check_duration = find("check_duration");
        col_last_chk = find("last_chk");
        col_status = find("status");
        col_lastchg = find("lastchg");
        col_addr = find("addr");
        col_algo = find("algo");
}

static void table_head(struct buf *out)
{
        buf_puts(out, "<div class=\"t\"><table><thead><tr><th rowspan=\"2\">Name</th><th class=\"g\" "
                      "colspan=\"3\">State</th>");
        for (unsigned i = 0; i < array_len(cells); i++)
                if (cells[i].group)
                        buf_printf(out, "<th class=\"g\" colspan=\"%u\">%s</th>", cells[i].span, cells[i].group);
        buf_printf(out, "<th class=\"g\" colspan=\"%u\">Server</th></tr><tr>", (unsigned)array_len(tail_cells));
        buf_puts(out, "<th class=\"b l\">Status</th><th>Since</th><th class=\"l\">LastChk</th>");
        for (unsigned i = 0; i < array_len(cells); i++)
                buf_printf(out, "<th%s>%s</th>", cells[i].group ? " class=\"b\"" : "", cells[i].head);
        for (unsigned i = 0; i < array_len(tail_cells); i++)
                buf_printf(out, "<th%s>%s</th>", i == 0 ? " class=\"b\"" : "", tail_cells[i].head);
        buf_puts(out, "</tr></thead><tbody>\n");
}

/* ---- rows ---- */
static void put_shown(struct buf *out, const struct stat_obj *o, const struct page_col *c, const struct stat_val *v)
{
        if (c->as == AS_BYTES)
                bytes(out, v->u);
        else if (c->as == AS_FLAG && o->kind == STAT_SERVER)
                buf_puts(out, v->u ? "Y" : "\u2013");
        else if (c->as != AS_TIME)
                number(out, v->u);
        else if (v->type == STAT_S32 && (int64_t)v->u < 0)
                buf_puts(out, "\u2013");
        else
                duration(out, v->u);
}

static void put_cell(struct buf *out, const struct stat_obj *o, const struct page_col *c)
{
        struct stat_val v;
        bool zero;

        stat_get(o, c->index, &v);
        zero = v.type == STAT_NONE || v.u == 0;
        buf_printf(out, "<td%s%s%s", c->group || zero ? " class=\"" : "", c->group ? "g" : "",
                   c->group && zero ? " " : "");
        buf_printf(out, "%s%s", zero ? "z" : "", c->group || zero ? "\"" : "");
        if (c->as == AS_BYTES && v.u >= 10000)
                buf_printf(out, " title=\"%llu\"", (unsigned long long)v.u);
        buf_putc(out, '>');
        if (v.type != STAT_NONE)
                put_shown(out, o, c, &v);
        buf_puts(out, "</td>");
}

/* Colour by the state word; the word itself is always there too. */
static const char *state_class(struct str s)
{
        if (str_is(s, "UP") || str_is(s, "OPEN"))
                return "up";
        if (str_has_prefix(s, STR("UP ")) || str_is(s, "FULL") ||
            (str_has_prefix(s, STR("DOWN ")) && !str_is(s, "DOWN (agent)")))
                return "warn";
        if (str_has_prefix(s, STR("DOWN")) || str_is(s, "STOP"))
                return "down";
        if (str_is(s, "no check"))
                return "none";
        return "off"; /* MAINT, DRAIN, NOLB, PAUSED */
}

static void put_state(struct buf *out, const struct stat_obj *o)
{
        struct stat_val v;

        stat_get(o, col_status, &v);
        buf_printf(out, "<td class=\"g s\"><span class=\"p %s\">", state_class(v.s));
        stat_html_text(out, v.s);
        buf_puts(out, "</span></td><td>");
        stat_get(o, col_lastchg, &v);
        if (v.type != STAT_NONE)
                duration(out, v.u);
        buf_puts(out, "</td>");
}

static void put_check(struct buf *out, const struct stat_obj *o)
{
        struct stat_val v, w;

        stat_get(o, col_check_status, &v);
        if (v.type == STAT_NONE) {
                buf_puts(out, "<td class=\"l\"></td>");
                return;
        }
        buf_puts(out, "<td class=\"l\" title=\"");
        stat_get(o, col_check_desc, &w);
        stat_html_text(out, w.s);
        stat_get(o, col_last_chk, &w);
        if (w.s.n) {
                buf_puts(out, ": ");
                stat_html_text(out, w.s);
        }
        buf_puts(out, "\">");
        stat_html_text(out, v.s);
        stat_get(o, col_check_duration, &w);
        if (w.type != STAT_NONE)
                buf_printf(out, " in %llums", (unsigned long long)w.u);
        buf_puts(out, "</td>");
}

/* The name is the label of its box: the whole of it can be clicked. */
static void put_choice(struct buf *out, const char *sv)
{
        buf_puts(out, "<label><input type=\"checkbox\" name=\"s\" value=\"");
        text(out, sv);
        buf_puts(out, "\"> ");
        text(out, sv);
        buf_puts(out, "</label>");
}

static void put_name(struct buf *out, const struct stat_obj *o, bool choice)
{
        const char *px = o->kind == STAT_FRONT ? o->fe->cell.name : o->be->cell.name;
        const char *sv = o->kind == STAT_FRONT ? "Frontend" : o->kind == STAT_BACK ? "Backend" : o->sv->cell.name;
        struct stat_val v;

        buf_puts(out, "<td");
        stat_get(o, o->kind == STAT_BACK ? col_algo : col_addr, &v);
        if (v.type != STAT_NONE) {
                buf_puts(out, " title=\"");
                stat_html_text(out, v.s);
                buf_putc(out, '"');
        }
        buf_puts(out, "><a name=\"");
        text(out, px);
        buf_putc(out, '/');
        text(out, sv);
        buf_puts(out, "\"></a>");
        if (choice)
                put_choice(out, sv);
        else
                text(out, sv);
        buf_puts(out, "</td>");
}

static void put_row(struct buf *out, const struct stat_obj *o, bool choice)
{
        struct stat_val v;

        stat_get(o, col_status, &v);
        buf_puts(out, o->kind != STAT_SERVER             ? "<tr class=\"k\">"
                      : str_has_prefix(v.s, STR("DOWN")) ? "<tr class=\"rd\">"
                                                         : "<tr>");
        put_name(out, o, choice && o->kind == STAT_SERVER);
        put_state(out, o);
        put_check(out, o);
        for (unsigned i = 0; i < array_len(cells); i++)
                put_cell(out, o, &cells[i]);
        for (unsigned i = 0; i < array_len(tail_cells); i++)
                put_cell(out, o, &tail_cells[i]);
        buf_puts(out, "</tr>\n");
}

/* ---- the frame ---- */
struct health {
        uint64_t servers, usable, backs, down;
};

static struct health look(const struct stats_use *u)
{
        struct health h = { 0 };
        size_t n;
        const struct world_px *p = world_proxies(&n);

        for (size_t i = 0; i < n; i++) {
                struct back *b = p[i].back;
                if (!b || !stats_in_scope(u, b->cell.name))
                        continue;
                h.backs++;
                h.servers += b->n_srv;
                h.usable += GET(b->act) + GET(b->bck);
                h.down += b->n_srv > 0 && GET(b->act) + GET(b->bck) == 0;
        }
        return h;
}

static unsigned idle(void)
{
        unsigned sum = 0, n = 0;

        for (unsigned i = 0; i < thr_count(); i++)
                if (threads_loop(i)) {
                        sum += loop_idle_pct(threads_loop(i));
                        n++;
                }
        return n ? sum / n : 100;
}

static void box(struct buf *out, const char *label, uint64_t value, bool bad)
{
        buf_printf(out, "<div%s><b>", bad ? " class=\"bad\"" : "");
        number(out, value);
        buf_printf(out, "</b><span>%s</span></div>", label);
}

static void summary(struct buf *out, const struct stats_use *u)
{
        struct health h = look(u);

        buf_printf(out, "<div class=\"sum\"><div%s><b>", h.usable < h.servers ? " class=\"bad\"" : "");
        number(out, h.usable);
        buf_puts(out, " / ");
        number(out, h.servers);
        buf_puts(out, "</b><span>servers in service</span></div>");
        box(out, h.down == 1 ? "backend down" : "backends down", h.down, h.down > 0);
        box(out, "connections now", GET(world.cur_conns), false);
        box(out, "connection limit", world.maxconn, false);
        box(out, "connections so far", GET(world.tot_conns), false);
        buf_printf(out, "<div><b>%u&thinsp;%%</b><span>idle</span></div></div>\n", idle());
}

static void process_line(struct buf *out, const struct stats_use *u)
{
        const struct stats_cfg *c = u->cfg;
        uint64_t up = thr_self->now > world.started ? (thr_self->now - world.started) / NS_PER_S : 0;

        buf_printf(out, "<p class=\"info\">pid = %d, threads = %u, uptime = ", world.pid, thr_count());
        duration(out, up);
        buf_printf(out, ", maxconn = %u, current conns = %u, streams = %llu, idle = %u %%", world.maxconn,
                   GET(world.cur_conns), (unsigned long long)strm_count(), idle());
        if (c->show_node) {
                buf_puts(out, ", node = ");
                text(out, c->node ? c->node : world.node ? world.node : "");
        }
        buf_puts(out, "</p>\n");
        if (c->show_desc && u->desc) {
                buf_puts(out, "<p class=\"info\">");
                text(out, u->desc);
                buf_puts(out, "</p>\n");
        }
}

static void link_to(struct buf *out, const struct stats_page *p, const char *suffix, const char *label)
{
        buf_puts(out, "<a href=\"");
        text(out, p->uri);
        buf_puts(out, suffix);
        if (p->scope[0]) {
                buf_puts(out, strchr(p->uri, '?') ? "&amp;scope=" : "?scope=");
                text(out, p->scope);
        }
        buf_printf(out, "\">%s</a>", label);
}

static void links(struct buf *out, const struct stats_page *p)
{
        buf_puts(out, "<nav>");
        link_to(out, p, p->q.no_refresh ? "" : ";norefresh", "Reload");
        if (p->use->cfg->refresh_ms)
                link_to(out, p, p->q.no_refresh ? "" : ";norefresh",
                        p->q.no_refresh ? "Refresh by itself" : "Stop refreshing");
        link_to(out, p, p->q.up ? "" : ";up", p->q.up ? "Show all servers" : "Only servers that are up");
        link_to(out, p, p->q.no_maint ? "" : ";no-maint", p->q.no_maint ? "Show maintenance" : "Hide maintenance");
        link_to(out, p, ";csv", "CSV");
        link_to(out, p, ";json", "JSON");
        buf_puts(out, "</nav>\n");
}

static void banner(struct buf *out, const struct stats_page *p)
{
        const char *say = stats_admin_text(p->q.st);

        if (say)
                buf_printf(out, "<p class=\"say %s\" role=\"status\">%s</p>\n",
                           str_is(p->q.st, "DONE")   ? "up"
                           : str_is(p->q.st, "DENY") ? "down"
                                                     : "warn",
                           say);
}

static void head(struct buf *out, const struct stats_page *p)
{
        buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Telamon statistics");
        if (p->use->cfg->show_node) {
                buf_puts(out, " on ");
                text(out, p->use->cfg->node ? p->use->cfg->node : world.node ? world.node : "");
        }
        buf_puts(out, "</title><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>");
        buf_add(out, css, sizeof(css) - 1);
        buf_puts(out, "</style></head><body><header><h1>Telamon<small>HAProxy-compatible");
        if (!p->use->cfg->hide_version)
                buf_puts(out, ", " STATS_VERSION);
        buf_puts(out, "</small></h1>\n");
        process_line(out, p->use);
        summary(out, p->use);
        links(out, p);
        banner(out, p);
        buf_puts(out, "</header><main>\n");
}

/* ---- the form of a backend's table ---- */
static void begin_form(struct buf *out, const struct back *b)
{
        buf_puts(out, "<form method=\"post\"><input type=\"hidden\" name=\"b\" value=\"");
        text(out, b->cell.name);
        buf_printf(out, "\"><input type=\"hidden\" name=\"token\" value=\"%s\">", stats_token());
}

static void end_form(struct buf *out)
{
        buf_puts(out,
                 "<p class=\"do\"><label>Chosen servers: <select name=\"action\"><option value=\"\">\u2013</option>");
        for (unsigned i = 0; i < stats_n_actions; i++)
                if (stats_actions[i].label && stats_action_known(&stats_actions[i]))
                        buf_printf(out, "<option value=\"%s\">%s</option>", stats_actions[i].name,
                                   stats_actions[i].label);
        buf_puts(out, "</select></label> <button>Apply</button></p></form>");
}

/* A listen section's table begins with its frontend. */
static struct back *back_of(const struct stat_obj *o)
{
        return o->be ? o->be : back_find(str_of(o->fe->cell.name));
}

static void close_table(struct stats_page *p, struct buf *out)
{
        if (p->open_iid)
                buf_puts(out, "</tbody></table></div>");
        if (p->form)
                end_form(out);
        if (p->open_iid)
                buf_puts(out, "</section>\n");
        p->open_iid = 0;
        p->form = false;
}

static void open_table(struct stats_page *p, struct buf *out, const struct stat_obj *o)
{
        const char *name = o->kind == STAT_FRONT ? o->fe->cell.name : o->be->cell.name;
        const struct back *b;

        close_table(p, out);
        p->open_iid = o->iid;
        buf_puts(out, "<section><h2>");
        text(out, name);
        buf_printf(out, "<small>mode %s", o->http ? "http" : "tcp");
        if (o->px && o->px->description) {
                buf_puts(out, ", ");
                text(out, o->px->description);
        }
        buf_puts(out, "</small></h2>");
        b = p->admin ? back_of(o) : NULL;
        p->form = b && b->iid == o->iid && b->n_srv > 0;
        if (p->form)
                begin_form(out, b);
        table_head(out);
}

struct drawing {
        struct stats_page *p;
        struct buf *out;
};

static void draw(void *ctx, struct stat_obj *o)
{
        struct drawing *d = ctx;

        if (d->p->open_iid != o->iid)
                open_table(d->p, d->out, o);
        put_row(d->out, o, d->p->form);
}

bool stats_page_html(struct stats_page *p, struct buf *out, size_t room)
{
        struct drawing d = { p, out };
        size_t end = out->n + room;
        bool more;

        if (p->stage == 0) {
                head(out, p);
                p->stage = 1;
        }
        do
                more = stat_walk_each(&p->w, 1, draw, &d);
        while (more && out->n < end);
        if (more)
                return true;
        close_table(p, out);
        buf_puts(out, "</main><footer>Telamon, HAProxy-compatible. Counters since the last start or <code>clear "
                      "counters</code>; "
                      "times in seconds unless a unit stands there.</footer></body></html>\n");
        return false;
}
