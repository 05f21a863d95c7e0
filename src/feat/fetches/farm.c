/* feat/fetches/farm.c - states of frontends, backends and servers (manual 7.3.2): loads, rates, queues, weights. */
#include "core/queue.h"
#include "feat/fetches/fetch.h"
#include "feat/fetches/refs.h"

/* ---- frontends ---- */

#define FRONT_NUMBER(fn, value)                                                                                        \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                const struct front *f = ref_front(x, args, n_args);                                                    \
                                                                                                                       \
                return f ? answer_int(ret_smp, (value)) : EXPR_MISS;                                                   \
        }
FRONT_NUMBER(fe_conn, RELAXED(f->cur))
FRONT_NUMBER(fe_req_rate, rate_now(&f->req_rate, thr_self->now))
FRONT_NUMBER(fe_sess_rate, rate_now(&f->sess_rate, thr_self->now))

/* ---- backends ---- */

/* The servers as they are now (core/proxy.h says how to read them); NULL: the end, or one that is going. */
static struct server *nth(const struct back *b, uint32_t n, uint32_t i)
{
        return i < n ? b->srv[i] : NULL;
}

static uint32_t n_servers(const struct back *b)
{
        return __atomic_load_n(&b->n_srv, __ATOMIC_ACQUIRE); /* pairs with world_servers_replace() */
}

static int64_t queued_in(struct queue *_Atomic *q)
{
        struct queue *v = atomic_load_explicit(q, memory_order_acquire); /* pairs with who made it */

        return v ? queue_length(v) : 0;
}

static int64_t queue_of(const struct back *b)
{
        uint32_t n = n_servers(b);
        int64_t sum = b->queue ? queue_length(b->queue) : 0;

        for (uint32_t i = 0; i < n; i++) {
                struct server *s = nth(b, n, i);

                sum += s ? queued_in(&s->queue) : 0;
        }
        return sum;
}

/* Backups count where nobody else is usable. */
static int64_t usable(const struct back *b)
{
        uint32_t act = RELAXED(b->act);

        return act ? act : RELAXED(b->bck);
}

/* Rounded up; without servers twice the queue (manual). */
static int64_t queue_share(const struct back *b)
{
        int64_t q = queue_of(b), n = usable(b);

        return n ? (q + n - 1) / n : q * 2;
}

/* How many more connections a server takes; -1: any number. */
static int64_t places(const struct server *s)
{
        int64_t max = RELAXED(s->maxconn), cur = RELAXED(s->cur);

        return max == 0 ? -1 : cur < max ? max - cur : 0;
}

static int64_t free_places(const struct back *b)
{
        uint32_t n = n_servers(b);
        int64_t sum = 0;
        bool backups = RELAXED(b->act) == 0;

        for (uint32_t i = 0; i < n; i++) {
                const struct server *s = nth(b, n, i);

                if (!s || !RELAXED(s->usable) || RELAXED(s->backup) != backups)
                        continue;
                if (places(s) < 0)
                        return -1;
                sum += places(s);
        }
        return sum;
}

/* Places and seats in queues; -1 when some server has any number of either. */
static int64_t slots(const struct back *b)
{
        uint32_t n = n_servers(b);
        int64_t sum = 0;

        for (uint32_t i = 0; i < n; i++) {
                struct server *s = nth(b, n, i);
                int64_t seats;

                if (!s || !RELAXED(s->usable))
                        continue;
                seats = server_cfg_now(s)->maxqueue;
                if (places(s) < 0 || seats == 0)
                        return -1;
                seats -= queued_in(&s->queue);
                sum += places(s) + (seats > 0 ? seats : 0);
        }
        return sum;
}

#define BACK_NUMBER(fn, value)                                                                                         \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                const struct back *b = ref_back(x, args, n_args);                                                      \
                                                                                                                       \
                return b ? answer_int(ret_smp, (value)) : EXPR_MISS;                                                   \
        }
BACK_NUMBER(nbsrv, usable(b))
BACK_NUMBER(be_conn, RELAXED(b->cur))
BACK_NUMBER(be_conn_free, free_places(b))
BACK_NUMBER(be_sess_rate, rate_now(&b->sess_rate, thr_self->now))
BACK_NUMBER(connslots, slots(b))
BACK_NUMBER(queue, queue_of(b))
BACK_NUMBER(avg_queue, queue_share(b))

/* ---- servers ---- */

#define SERVER_NUMBER(fn, value)                                                                                       \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                struct server *s = ref_server(x, args);                                                                \
                                                                                                                       \
                UNUSED;                                                                                                \
                return s ? answer_int(ret_smp, (value)) : EXPR_MISS;                                                   \
        }
SERVER_NUMBER(srv_conn, RELAXED(s->cur))
SERVER_NUMBER(srv_conn_free, places(s))
SERVER_NUMBER(srv_iweight, RELAXED(s->iweight))
SERVER_NUMBER(srv_queue, queued_in(&s->queue))
SERVER_NUMBER(srv_sess_rate, rate_now(&s->sess_rate, thr_self->now))
SERVER_NUMBER(srv_uweight, RELAXED(s->weight))
SERVER_NUMBER(srv_weight, server_shown_weight(server_lb_weight(s)))

FETCH(srv_is_up)
{
        const struct server *s = ref_server(x, args);

        UNUSED;
        return s ? answer_bool(ret_smp, server_is_up(s)) : EXPR_MISS;
}

#define ROW_FRONT(n, f, text) FETCH_ROW_ARGS(n, SINT, EXPR_INTERNAL, f, "7.3.2", text, ref_check_front, ARG_FRONT)
#define ROW_BACK(n, f, text)                                                                                           \
        {                                                                                                              \
                .name = n, .args = { ARG_BACK }, .out = SMP_SINT, .needs = EXPR_INTERNAL, .in_check = true, .fn = f,   \
                .check = ref_check_back, .manual = "7.3.2", .help = text                                               \
        }
#define ROW_SERVER(n, type, f, text)                                                                                   \
        {                                                                                                              \
                .name = n, .args = { ARG_SERVER }, .min_args = 1, .out = SMP_##type, .needs = EXPR_INTERNAL, .fn = f,  \
                .check = ref_check_server, .manual = "7.3.2", .help = text                                             \
        }

static const struct fetch rows[] = {
        ROW_FRONT("fe_conn", fe_conn, "connections of a frontend now"),
        ROW_FRONT("fe_req_rate", fe_req_rate, "requests of a frontend in the last second"),
        ROW_FRONT("fe_sess_rate", fe_sess_rate, "sessions of a frontend in the last second"),
        ROW_BACK("nbsrv", nbsrv, "usable servers of a backend"),
        ROW_BACK("be_conn", be_conn, "connections of a backend now"),
        ROW_BACK("be_conn_free", be_conn_free, "how many more connections a backend's servers take; -1: any number"),
        ROW_BACK("be_sess_rate", be_sess_rate, "sessions of a backend in the last second"),
        ROW_BACK("connslots", connslots, "how many more a backend's servers and their queues take; -1: any number"),
        ROW_BACK("queue", queue, "how many wait in a backend and its servers"),
        ROW_BACK("avg_queue", avg_queue, "how many wait in a backend for each of its servers"),
        ROW_SERVER("srv_conn", SINT, srv_conn, "connections of a server now"),
        ROW_SERVER("srv_conn_free", SINT, srv_conn_free, "how many more connections a server takes; -1: any number"),
        ROW_SERVER("srv_is_up", BOOL, srv_is_up, "is a server up"),
        ROW_SERVER("srv_iweight", SINT, srv_iweight, "weight of a server in the file"),
        ROW_SERVER("srv_queue", SINT, srv_queue, "how many wait for a server"),
        ROW_SERVER("srv_sess_rate", SINT, srv_sess_rate, "sessions of a server in the last second"),
        ROW_SERVER("srv_uweight", SINT, srv_uweight, "weight of a server as set now"),
        ROW_SERVER("srv_weight", SINT, srv_weight, "weight of a server that counts now"),
};
FETCH_TABLE(farm, rows);
