/* feat/stats/list.c - walking all proxies in pieces, and the three forms of a line: CSV, typed, JSON (management.txt 9.1, 9.2). */
#include "feat/stats/stats.h"

#define ROWS_PER_LOCK 32u /* a backend's lock is held for so many servers at a time */

static const char *const type_names[] = { "none", "u32", "u64", "s32", "str" };

const struct world_px *stats_next_px(int after)
{
        size_t n, lo = 0, hi;
        const struct world_px *px = world_proxies(&n);

        hi = n;
        while (lo < hi) {
                size_t mid = (lo + hi) / 2;
                if (px[mid].iid > after)
                        hi = mid;
                else
                        lo = mid + 1;
        }
        return lo < n ? &px[lo] : NULL;
}

/* ---- filters ---- */
static bool contains(const char *name, struct str part)
{
        return memmem(name, strlen(name), part.p, part.n) != NULL;
}

static bool px_wanted(const struct stat_walk *w, const struct world_px *p)
{
        const char *name = p->front ? p->front->cell.name : p->back->cell.name;

        if (w->iid > 0 && p->iid != w->iid)
                return false;
        if (w->wanted && !w->wanted(w->wanted_ctx, name))
                return false;
        if (w->proxy.n && !str_is(w->proxy, name))
                return false;
        return w->scope.n == 0 || contains(name, w->scope);
}

static bool server_wanted(const struct stat_walk *w, const struct server *s)
{
        uint8_t admin = atomic_load_explicit(&s->admin, memory_order_relaxed);

        if (w->sid > 0 && s->puid != w->sid)
                return false;
        if (w->up && !server_is_up(s))
                return false;
        return !(w->no_maint && (admin & SRV_ADM_MAINT));
}

/* ---- the walk ---- */
enum { AT_FRONT, AT_SERVERS, AT_BACK, AT_END };

struct visit {
        struct stat_walk *w;
        stat_fn fn;
        void *ctx;
        unsigned left; /* objects that may still be shown in this piece */
};

static void show(struct visit *v, struct stat_obj *o)
{
        o->legends = v->w->legends;
        o->count_up = v->w->up;
        v->fn(v->ctx, o);
        v->left--;
}

static void visit_front(struct visit *v, struct front *f)
{
        struct stat_obj o;

        if (!f || !(v->w->kinds & STAT_FRONT) || v->w->sid > 0)
                return;
        stat_obj_front(&o, f, !v->w->no_sum);
        show(v, &o);
}

static void visit_back(struct visit *v, struct back *b)
{
        struct stat_obj o;

        if (!b || !(v->w->kinds & STAT_BACK) || v->w->sid > 0)
                return;
        stat_obj_back(&o, b, !v->w->no_sum);
        show(v, &o);
}

/* True: all servers were visited. */
static bool visit_servers(struct visit *v, struct back *b)
{
        struct server *some[ROWS_PER_LOCK];
        struct stat_obj o;
        unsigned n;

        if (!b || !(v->w->kinds & STAT_SERVER))
                return true;
        do {
                pthread_mutex_lock(&b->lock);
                for (n = 0; n < ROWS_PER_LOCK && v->w->server + n < b->n_srv; n++)
                        some[n] = b->srv[v->w->server + n];
                pthread_mutex_unlock(&b->lock);
                for (unsigned i = 0; i < n && v->left > 0; i++) {
                        v->w->server++;
                        if (!server_wanted(v->w, some[i]))
                                continue;
                        stat_obj_server(&o, some[i], !v->w->no_sum);
                        show(v, &o);
                }
        } while (n == ROWS_PER_LOCK && v->left > 0);
        return v->left > 0;
}

/* One proxy from where the cursor stands. True: done with it. */
static bool visit_px(struct visit *v, const struct world_px *p)
{
        struct stat_walk *w = v->w;

        if (w->stage == AT_FRONT) {
                w->stage = AT_SERVERS;
                w->server = 0;
                visit_front(v, p->front);
        }
        if (v->left == 0)
                return false;
        if (w->stage == AT_SERVERS) {
                if (!visit_servers(v, p->back))
                        return false;
                w->stage = AT_BACK;
        }
        visit_back(v, p->back);
        return true;
}

bool stat_walk_each(struct stat_walk *w, unsigned max, stat_fn fn, void *ctx)
{
        struct visit v = { w, fn, ctx, max };
        const struct world_px *p;

        while ((p = stats_next_px(w->at_iid)) != NULL) {
                if (px_wanted(w, p)) {
                        w->found = true;
                        if (v.left == 0 || !visit_px(&v, p))
                                return true;
                }
                w->at_iid = p->iid;
                w->stage = AT_FRONT;
        }
        return false;
}

/* ---- the forms ---- */
void stat_csv_header(struct buf *out)
{
        buf_puts(out, "# ");
        for (unsigned i = 0; i < stat_n_cols; i++)
                buf_printf(out, "%s,", stat_cols[i].name);
        buf_puts(out, "-,\n");
}

static void put_number(struct buf *out, const struct stat_val *v)
{
        if (v->type == STAT_S32)
                buf_printf(out, "%d", (int)(int64_t)v->u);
        else if (v->type == STAT_U32)
                buf_printf(out, "%u", (unsigned)v->u);
        else
                buf_printf(out, "%llu", (unsigned long long)v->u);
}

static void csv_row(struct buf *out, const struct stat_obj *o)
{
        struct stat_val v;

        for (unsigned i = 0; i < stat_n_cols; i++) {
                stat_get(o, i, &v);
                if (v.type == STAT_STR)
                        stat_csv_text(out, v.s);
                else if (v.type != STAT_NONE)
                        put_number(out, &v);
                buf_putc(out, ',');
        }
        buf_puts(out, "-,\n");
}

void stat_typed_value(struct buf *out, const char *tags, const struct stat_val *v)
{
        buf_printf(out, ":%s:%s:", tags, type_names[v->type]);
        if (v->type == STAT_STR)
                buf_str(out, v->s);
        else
                put_number(out, v);
}

static const char *tags_of(const struct stat_obj *o, const struct stat_col *c)
{
        return o->kind == STAT_BACK && c->back_tags ? c->back_tags : c->tags;
}

static void typed_row(struct buf *out, const struct stat_obj *o, bool desc)
{
        char letter = o->kind == STAT_FRONT ? 'F' : o->kind == STAT_BACK ? 'B' : 'S';
        struct stat_val v;

        for (unsigned i = 0; i < stat_n_cols; i++) {
                stat_get(o, i, &v);
                if (v.type == STAT_NONE)
                        continue;
                buf_printf(out, "%c.%d.%d.%u.%s.1", letter, o->iid, o->sid, i, stat_cols[i].name);
                stat_typed_value(out, tags_of(o, &stat_cols[i]), &v);
                if (desc)
                        buf_printf(out, ":\"%s\"", stat_cols[i].help);
                buf_putc(out, '\n');
        }
}

static const char *word_of(char c, const char *letters, const char *const *words)
{
        const char *at = strchr(letters, c);

        ASSERT(at && c);
        return words[at - letters];
}

/* "field":...,"value":{...} without braces, so that a caller can put the object's own members before. */
void stat_json_field(struct buf *out, unsigned pos, const char *name, const char *tags, const struct stat_val *v)
{
        static const char *const origin[] = { "Metric", "Status", "Key", "Config", "Product" };
        static const char *const nature[] = { "Age", "Avg", "Counter", "Duration", "Gauge", "Limit",
                                              "Min", "Max", "Name",    "Output",   "Rate",  "Time" };
        static const char *const scope[] = { "Cluster", "Process", "Service", "System" };

        buf_printf(out, "\"field\":{\"pos\":%u,\"name\":\"%s\"},\"processNum\":1,", pos, name);
        buf_printf(out, "\"tags\":{\"origin\":\"%s\",\"nature\":\"%s\",\"scope\":\"%s\"},",
                   word_of(tags[0], "MSKCP", origin), word_of(tags[1], "AaCDGLmMNORT", nature),
                   word_of(tags[2], "CPSs", scope));
        buf_printf(out, "\"value\":{\"type\":\"%s\",\"value\":", type_names[v->type]);
        if (v->type == STAT_STR)
                stat_json_text(out, v->s);
        else
                put_number(out, v);
        buf_puts(out, "}");
}

static void json_row(struct buf *out, const struct stat_obj *o, bool first_row)
{
        const char *type = o->kind == STAT_FRONT ? "Frontend" : o->kind == STAT_BACK ? "Backend" : "Server";
        struct stat_val v;
        bool first = true;

        buf_puts(out, first_row ? "[" : ",[");
        for (unsigned i = 0; i < stat_n_cols; i++) {
                stat_get(o, i, &v);
                if (v.type == STAT_NONE)
                        continue;
                buf_printf(out, "%s{\"objType\":\"%s\",\"proxyId\":%d,\"id\":%d,", first ? "" : ",", type, o->iid,
                           o->sid);
                stat_json_field(out, i, stat_cols[i].name, tags_of(o, &stat_cols[i]), &v);
                buf_putc(out, '}');
                first = false;
        }
        buf_putc(out, ']');
}

struct printing {
        struct buf *out;
        enum stat_form form;
        bool desc, first;
};

static void print_one(void *ctx, struct stat_obj *o)
{
        struct printing *p = ctx;

        if (p->form == STAT_CSV)
                csv_row(p->out, o);
        else if (p->form == STAT_TYPED)
                typed_row(p->out, o, p->desc);
        else
                json_row(p->out, o, p->first);
        p->first = false;
}

bool stat_walk_print(struct stat_walk *w, enum stat_form form, struct buf *out, size_t room)
{
        struct printing p = { out, form, w->desc, !w->begun };
        size_t end = out->n + room;
        bool more;

        if (!w->begun && form == STAT_CSV)
                stat_csv_header(out);
        if (!w->begun && form == STAT_JSON)
                buf_putc(out, '[');
        w->begun = true;
        do
                more = stat_walk_each(w, 1, print_one, &p);
        while (more && out->n < end);
        if (!more && form == STAT_JSON)
                buf_puts(out, "]\n");
        return more;
}
