/* feat/fetches/conn.c - samples of connections, proxies and servers (manual 7.3.2, 7.3.3). */
#include "core/expr.h"
#include "core/sess.h"
#include "core/strm_own.h"
#include "net/addr.h"

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)
#define UNUSED (void)x, (void)args, (void)n_args

static enum expr_answer address(const struct addr *a, struct smp *s)
{
        if (a->sa.sa_family == AF_INET) {
                s->type = SMP_IPV4;
                s->ip4 = a->in.sin_addr;
                return EXPR_OK;
        }
        if (a->sa.sa_family != AF_INET6)
                return EXPR_MISS; /* a unix socket */
        s->type = SMP_IPV6;
        s->ip6 = a->in6.sin6_addr;
        return EXPR_OK;
}

static enum expr_answer port(const struct addr *a, struct smp *s)
{
        if (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6)
                return EXPR_MISS;
        smp_int(s, addr_port(a));
        return EXPR_OK;
}

FETCH(src)
{
        UNUSED;
        return address(strm_src(x->strm, x->sess), ret_smp);
}

FETCH(src_port)
{
        UNUSED;
        return port(strm_src(x->strm, x->sess), ret_smp);
}

FETCH(dst)
{
        UNUSED;
        return address(strm_dst(x->strm, x->sess), ret_smp);
}

FETCH(dst_port)
{
        UNUSED;
        return port(strm_dst(x->strm, x->sess), ret_smp);
}

FETCH(fe_name)
{
        UNUSED;
        smp_str(ret_smp, str_of(x->strm->front->cell.name));
        return EXPR_OK;
}

FETCH(fe_id)
{
        UNUSED;
        smp_int(ret_smp, x->strm->front->iid);
        return EXPR_OK;
}

static const struct server *server_of(const struct expr_ctx *x)
{
        return x->check ? x->check->srv : x->strm->srv;
}

static const struct back *back_of(const struct expr_ctx *x)
{
        return x->check ? x->check->srv->back : x->strm->back;
}

FETCH(be_name)
{
        UNUSED;
        if (!back_of(x))
                return EXPR_MISS;
        smp_str(ret_smp, str_of(back_of(x)->cell.name));
        return EXPR_OK;
}

FETCH(be_id)
{
        UNUSED;
        if (!back_of(x))
                return EXPR_MISS;
        smp_int(ret_smp, back_of(x)->iid);
        return EXPR_OK;
}

FETCH(srv_name)
{
        UNUSED;
        if (!server_of(x))
                return EXPR_MISS;
        smp_str(ret_smp, str_of(server_of(x)->cell.name));
        return EXPR_OK;
}

FETCH(srv_id)
{
        UNUSED;
        if (!server_of(x))
                return EXPR_MISS;
        smp_int(ret_smp, server_of(x)->puid);
        return EXPR_OK;
}

FETCH(so_id)
{
        const struct listener *l = x->sess->listener;
        const struct bind_cfg *b = l ? __atomic_load_n(&l->cfg, __ATOMIC_ACQUIRE) : NULL; /* partner: engine_apply() */

        UNUSED;
        if (!b)
                return EXPR_MISS;
        smp_int(ret_smp, b->number + (int)l->port_index);
        return EXPR_OK;
}

FETCH(so_name)
{
        const struct listener *l = x->sess->listener;
        const struct bind_cfg *b = l ? __atomic_load_n(&l->cfg, __ATOMIC_ACQUIRE) : NULL; /* partner: engine_apply() */

        UNUSED;
        if (!b || !b->name)
                return EXPR_MISS;
        smp_str(ret_smp, str_of(b->name));
        return EXPR_OK;
}

/* The name is looked up at run time: the backend may come and go by a reload while this program lives. */
FETCH(nbsrv)
{
        const struct back *b = n_args ? back_find((struct str){ args[0].s, args[0].n }) : back_of(x);

        if (!b)
                return EXPR_MISS;
        smp_int(ret_smp, atomic_load_explicit(&b->act, memory_order_relaxed) +
                                 atomic_load_explicit(&b->bck, memory_order_relaxed));
        return EXPR_OK;
}

static const struct fetch rows[] = {
        { .name = "so_id",
          .out = SMP_SINT,
          .needs = EXPR_CLIENT,
          .fn = so_id,
          .manual = "7.3.3",
          .help = "number of the listener in its section: `id`, or its place" },
        { .name = "so_name",
          .out = SMP_STR,
          .needs = EXPR_CLIENT,
          .fn = so_name,
          .manual = "7.3.3",
          .help = "name of the bind line" },
        { .name = "src",
          .out = SMP_ADDR,
          .needs = EXPR_CLIENT,
          .fn = src,
          .manual = "7.3.3",
          .help = "client address" },
        { .name = "src_port",
          .out = SMP_SINT,
          .needs = EXPR_CLIENT,
          .fn = src_port,
          .manual = "7.3.3",
          .help = "client port" },
        { .name = "dst",
          .out = SMP_ADDR,
          .needs = EXPR_CLIENT,
          .fn = dst,
          .manual = "7.3.3",
          .help = "address connected to" },
        { .name = "dst_port",
          .out = SMP_SINT,
          .needs = EXPR_CLIENT,
          .fn = dst_port,
          .manual = "7.3.3",
          .help = "port connected to" },
        { .name = "fe_name",
          .out = SMP_STR,
          .needs = EXPR_CLIENT,
          .fn = fe_name,
          .manual = "7.3.3",
          .help = "frontend name" },
        { .name = "fe_id",
          .out = SMP_SINT,
          .needs = EXPR_CLIENT,
          .fn = fe_id,
          .manual = "7.3.3",
          .help = "frontend number" },
        { .name = "be_name",
          .out = SMP_STR,
          .needs = EXPR_CLIENT,
          .in_check = true,
          .fn = be_name,
          .manual = "7.3.3",
          .help = "backend name" },
        { .name = "be_id",
          .out = SMP_SINT,
          .needs = EXPR_CLIENT,
          .in_check = true,
          .fn = be_id,
          .manual = "7.3.3",
          .help = "backend number" },
        { .name = "srv_name",
          .out = SMP_STR,
          .needs = EXPR_SERVER,
          .in_check = true,
          .fn = srv_name,
          .manual = "7.3.3",
          .help = "server name" },
        { .name = "srv_id",
          .out = SMP_SINT,
          .needs = EXPR_SERVER,
          .in_check = true,
          .fn = srv_id,
          .manual = "7.3.3",
          .help = "server number" },
        { .name = "nbsrv",
          .args = { ARG_BACK },
          .out = SMP_SINT,
          .needs = EXPR_CLIENT,
          .in_check = true,
          .fn = nbsrv,
          .manual = "7.3.2",
          .help = "usable servers of a backend" },
};
FETCH_TABLE(conn, rows);
