/* core/track.c - counting in tracked entries (core/track.h). */
#include "core/track.h"

#include "base/buf.h"
#include "base/slab.h"
#include "core/expr.h"

/* ---- sets ---- */

static struct track_set *set_of_sess(const struct sess *ss)
{
        return ss && ss->more ? ss->more->tracked : NULL;
}

static struct track_set *set_of_strm(const struct strm *st)
{
        return st && st->vars ? *expr_tracked(st->vars) : NULL;
}

static const struct track *in_set(const struct track_set *s, unsigned sc)
{
        return s && sc < s->n && s->v[sc].t ? &s->v[sc] : NULL;
}

const struct track *track_find(const struct sess *ss, const struct strm *st, unsigned sc)
{
        const struct track *k = in_set(set_of_strm(st), sc);

        return k ? k : in_set(set_of_sess(ss), sc);
}

static struct track_set **place(struct sess *ss, struct strm *st)
{
        struct expr_state *e = st ? expr_state_of(st) : NULL;
        struct sess_more *m = st ? NULL : sess_more_of(ss);

        return e ? expr_tracked(e) : m ? &m->tracked : NULL;
}

/* Room for that number; NULL: no memory. */
static struct track *room(struct track_set **set, unsigned sc)
{
        struct track_set *s = *set, *more;
        unsigned n = sc < 3 ? 3 : sc + 1; /* each event walks all of them */
        size_t size;

        if (s && sc < s->n)
                return &s->v[sc];
        more = mem_get(sizeof(*more) + n * sizeof(more->v[0]), &size);
        if (!more)
                return NULL;
        memset(more, 0, sizeof(*more) + n * sizeof(more->v[0]));
        more->size = size;
        more->n = n;
        if (s) {
                memcpy(more->v, s->v, s->n * sizeof(s->v[0]));
                mem_put(s, s->size);
        }
        *set = more;
        return &more->v[sc];
}

/* Lets go of all entries. */
static void drop(struct track_set **set)
{
        struct track_set *s = *set;

        if (!s)
                return;
        *set = NULL;
        for (unsigned i = 0; i < s->n; i++) {
                struct track *k = &s->v[i];

                if (!k->t)
                        continue;
                if (table_has(k->t, TD_CONN_CUR, 0))
                        (void)table_add(k->t, k->i, TD_CONN_CUR, 0, (uint64_t)-1);
                stick_touch(&k->t->stick, k->i, thr_self->now);
                stick_put(&k->t->stick, k->i);
        }
        mem_put(s, s->size);
}

/* ---- events ---- */

static void count_in(const struct track_set *s, const struct table_event *e, size_t n)
{
        for (unsigned i = 0; s && i < s->n; i++)
                if (s->v[i].t)
                        table_events(s->v[i].t, s->v[i].i, e, n);
}

static void count(struct strm *s, const struct table_event *e, size_t n)
{
        count_in(set_of_strm(s), e, n);
        count_in(set_of_sess(s->sess), e, n);
}

static const struct table_event accepted_events[] = { { TD_SESS_CNT, 1 }, { TD_SESS_RATE, 1 } };
static const struct table_event request_events[] = { { TD_HTTP_REQ_CNT, 1 }, { TD_HTTP_REQ_RATE, 1 } };
static const struct table_event error_events[] = { { TD_HTTP_ERR_CNT, 1 }, { TD_HTTP_ERR_RATE, 1 } };
static const struct table_event failure_events[] = { { TD_HTTP_FAIL_CNT, 1 }, { TD_HTTP_FAIL_RATE, 1 } };

static _Atomic uint64_t codes[2][8]; /* err, fail */

void track_codes_set(const struct track_codes *c)
{
        for (unsigned i = 0; i < 8; i++) {
                atomic_store_explicit(&codes[0][i], c->err[i], memory_order_relaxed);
                atomic_store_explicit(&codes[1][i], c->fail[i], memory_order_relaxed);
        }
}

__attribute__((constructor)) static void codes_boot(void)
{
        static const struct track_codes usual = TRACK_CODES_DEFAULT;

        track_codes_set(&usual);
}

static bool is_code(unsigned which, unsigned bit)
{
        return atomic_load_explicit(&codes[which][bit / 64], memory_order_relaxed) >> (bit % 64) & 1;
}

/* Manual 11.1, http_err_cnt and http_fail_cnt. */
static bool error_of(int status)
{
        return status >= 100 && status <= 599 && is_code(0, (unsigned)status - 100);
}

static bool failure_of(int status)
{
        return status >= 100 && status <= 599 && is_code(1, (unsigned)status - 100);
}

/* A key that is tracked late counts what already happened (manual: connection and request counters). */
static void count_first(const struct track *k, const struct strm *st)
{
        static const struct table_event first[] = { { TD_CONN_CNT, 1 },
                                                    { TD_CONN_RATE, 1 },
                                                    { TD_CONN_CUR, 1 },
                                                    { TD_HTTP_REQ_CNT, 1 },
                                                    { TD_HTTP_REQ_RATE, 1 } };
        int status = st && st->rsp_seen ? st->status : 0;

        table_events(k->t, k->i, first, st && st->http ? 5 : 3);
        if (error_of(status))
                table_events(k->t, k->i, error_events, array_len(error_events));
        if (failure_of(status))
                table_events(k->t, k->i, failure_events, array_len(failure_events));
}

void track_begin(struct sess *ss, struct strm *st, unsigned sc, struct table *t, struct str key)
{
        struct track_set **set;
        struct track *k;
        bool is_new;
        uint32_t i;

        if (track_find(ss, st, sc))
                return;
        set = place(ss, st);
        k = set ? room(set, sc) : NULL;
        i = k ? stick_get(&t->stick, key, thr_self->now, &is_new) : STICK_NONE;
        if (i == STICK_NONE)
                return;
        *k = (struct track){ t, i };
        count_first(k, st);
}

void track_sess_begin(struct sess *ss)
{
        count_in(set_of_sess(ss), accepted_events, array_len(accepted_events));
}

void track_sess_end(struct sess *ss)
{
        if (ss->more)
                drop(&ss->more->tracked);
}

void track_request(struct strm *s)
{
        count(s, request_events, array_len(request_events));
}

void track_status(struct strm *s, int status)
{
        if (error_of(status))
                count(s, error_events, array_len(error_events));
        if (failure_of(status))
                count(s, failure_events, array_len(failure_events));
}

void track_bytes(struct strm *s, uint32_t in, uint32_t out)
{
        const struct table_event e[] = {
                { TD_BYTES_IN_CNT, in }, { TD_BYTES_IN_RATE, in }, { TD_BYTES_OUT_CNT, out }, { TD_BYTES_OUT_RATE, out }
        };

        if (in || out)
                count(s, e, array_len(e));
}

/* Ended before the server's answer began: whose fault it was, the termination code says (manual 8.5). An ended keep-alive
 * connection is no request. */
static const struct table_event *events_of_end(const struct strm *s)
{
        char who = s->term[0], when = s->term[1];

        if (!s->http || s->rsp_seen || s->no_log)
                return NULL;
        if ((when == 'R' || when == 'T') && (who == 'P' || who == 'C' || who == 'c'))
                return error_events;
        return when == 'H' && (who == 'S' || who == 's' || who == 'P') ? failure_events : NULL;
}

void track_end(struct strm *s)
{
        const struct table_event *e = events_of_end(s);

        if (e)
                count(s, e, 2);
        if (!s->vars)
                return;
        drop(expr_tracked(s->vars));
        for (struct sticky *k = *expr_sticky(s->vars), *next; k; k = next) { /* no server came to it */
                next = k->next;
                mem_put(k, k->size);
        }
        *expr_sticky(s->vars) = NULL;
}

/* ---- what a request teaches ---- */

bool sticky_has(const struct strm *s, const struct table *t, bool rsp)
{
        const struct sticky *k = s->vars ? *expr_sticky(s->vars) : NULL;

        while (k && (k->t != t || k->rsp != rsp))
                k = k->next;
        return k != NULL;
}

void sticky_want(struct strm *s, struct table *t, struct str key, bool rsp)
{
        struct expr_state *e = expr_state_of(s);
        struct sticky *k, **list = e ? expr_sticky(e) : NULL;
        unsigned n = 0;
        size_t size;

        if (!e)
                return; /* no memory: it learns nothing this time */
        for (k = *list; k; k = k->next)
                n += k->rsp == rsp;
        if (n >= STICKY_MAX || sticky_has(s, t, rsp))
                return;
        k = mem_get(sizeof(*k) + key.n, &size);
        if (!k)
                return;
        *k = (struct sticky){ .next = *list, .size = size, .t = t, .rsp = rsp, .n = (uint16_t)key.n };
        memcpy(k->key, key.p, key.n);
        *list = k;
}

/* What the table calls a server; the text is in `room` or the server's. */
static struct str name_of(const struct table *t, const struct server *srv, struct buf *room)
{
        struct sockaddr_storage ss;
        struct addr a;
        socklen_t n;

        if (t->def.srvkey == TABLE_BY_NAME)
                return str_of(srv->cell.name);
        n = server_addr_get(srv, &ss, NULL);
        buf_drop(room, room->n);
        if (n == 0 || (ss.ss_family != AF_INET && ss.ss_family != AF_INET6))
                return (struct str){ "", 0 };
        addr_from_sockaddr(&a, (struct sockaddr *)&ss, n);
        addr_print(&a, room);
        return (struct str){ room->p, room->n };
}

static void write_server(struct sticky *k, const struct server *srv)
{
        AUTO_BUF(room);
        bool is_new;
        uint32_t i = stick_get(&k->t->stick, (struct str){ k->key, k->n }, thr_self->now, &is_new);

        if (i == STICK_NONE)
                return;
        (void)table_set(k->t, i, TD_SERVER_ID, 0, (uint64_t)srv->puid);
        if (table_has(k->t, TD_SERVER_KEY, 0))
                (void)table_set(k->t, i, TD_SERVER_KEY, 0, table_name_put(name_of(k->t, srv, &room)));
        stick_put(&k->t->stick, i);
}

void sticky_store(struct strm *s)
{
        struct sticky *k, *next;

        if (!s->vars)
                return;
        k = *expr_sticky(s->vars);
        *expr_sticky(s->vars) = NULL;
        for (; k; k = next) {
                next = k->next;
                if (s->srv && !server_cfg_now(s->srv)->non_stick)
                        write_server(k, s->srv);
                mem_put(k, k->size);
        }
}

/* By the name that the table remembers, or else by number. */
static struct server *server_of(struct table *t, uint32_t i, struct back *b)
{
        struct str name = table_name_get((uint32_t)table_value(t, i, TD_SERVER_KEY, 0));
        uint32_t n = __atomic_load_n(&b->n_srv, __ATOMIC_ACQUIRE);
        struct server **v = __atomic_load_n(&b->srv, __ATOMIC_ACQUIRE);
        int id = (int)table_value(t, i, TD_SERVER_ID, 0);
        AUTO_BUF(room);

        if (name.n && t->def.srvkey == TABLE_BY_NAME)
                return server_find(b, name);
        for (uint32_t k = 0; k < n; k++)
                if (v[k] && (name.n ? str_eq(name_of(t, v[k], &room), name) : id && v[k]->puid == id))
                        return v[k];
        return NULL;
}

struct server *sticky_find(struct table *t, struct str key, struct back *b)
{
        uint32_t i = stick_find(&t->stick, key, thr_self->now);
        struct server *srv;

        if (i == STICK_NONE)
                return NULL;
        srv = server_of(t, i, b);
        stick_touch(&t->stick, i, thr_self->now);
        stick_put(&t->stick, i);
        return srv;
}
