/* feat/fetches/conn.c - samples of connections, and names of proxies and servers (manual 7.3.3). */
#include "core/front.h"
#include "core/sess.h"
#include "core/srv_conn.h"
#include "core/strm_own.h"
#include "feat/fetches/fetch.h"

/* ---- the client's connection ---- */

FETCH(src)
{
        UNUSED;
        return answer_addr(ret_smp, strm_src(x->strm, x->sess));
}

FETCH(src_port)
{
        UNUSED;
        return answer_port(ret_smp, strm_src(x->strm, x->sess));
}

FETCH(dst)
{
        UNUSED;
        return answer_addr(ret_smp, strm_dst(x->strm, x->sess));
}

FETCH(dst_port)
{
        UNUSED;
        return answer_port(ret_smp, strm_dst(x->strm, x->sess));
}

static const struct front *front_of(const struct expr_ctx *x)
{
        return x->strm ? x->strm->front : x->sess->front;
}

/* Is it of this machine: can something be bound to it. Unix sockets are. */
static bool is_local(const struct addr *a)
{
        struct addr any = *a;
        bool ok = true;
        int fd;

        if (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6)
                return true;
        fd = thr_self->sys->socket(a->sa.sa_family, SOCK_DGRAM, 0);
        if (fd < 0)
                return false;
        addr_set_port(&any, 0);
        ok = thr_self->sys->bind(fd, &any.sa, addr_len(&any)) == 0;
        thr_self->sys->close(fd);
        return ok;
}

FETCH(src_is_local)
{
        UNUSED;
        return answer_bool(ret_smp, is_local(strm_src(x->strm, x->sess)));
}

FETCH(dst_is_local)
{
        UNUSED;
        return answer_bool(ret_smp, is_local(strm_dst(x->strm, x->sess)));
}

/* ---- the connection's own addresses, whatever rules of its streams made of them ---- */

FETCH(fc_src)
{
        UNUSED;
        return answer_addr(ret_smp, sess_fc_src(x->sess));
}

FETCH(fc_src_port)
{
        UNUSED;
        return answer_port(ret_smp, sess_fc_src(x->sess));
}

FETCH(fc_src_is_local)
{
        UNUSED;
        return answer_bool(ret_smp, is_local(sess_fc_src(x->sess)));
}

FETCH(fc_dst)
{
        UNUSED;
        return answer_addr(ret_smp, sess_fc_dst(x->sess));
}

FETCH(fc_dst_port)
{
        UNUSED;
        return answer_port(ret_smp, sess_fc_dst(x->sess));
}

FETCH(fc_dst_is_local)
{
        UNUSED;
        return answer_bool(ret_smp, is_local(sess_fc_dst(x->sess)));
}

FETCH(dst_conn)
{
        const struct listener *l = x->sess->listener;

        UNUSED;
        return l ? answer_int(ret_smp, RELAXED(l->cur)) : EXPR_MISS;
}

static bool speaks_h2(const struct sess *s)
{
        return s->proto && strcmp(s->proto->name, "h2") == 0;
}

/* What is on the wire, not what the request says; a TCP proxy does not know. */
FETCH(fc_http_major)
{
        UNUSED;
        return x->sess->http ? answer_int(ret_smp, speaks_h2(x->sess) ? 2 : 1) : EXPR_MISS;
}

/* HTTP/1 and TCP: one at a time. */
FETCH(fc_nb_streams)
{
        const struct front_proto *p = x->sess->proto;

        UNUSED;
        return answer_int(ret_smp, p && p->streams ? p->streams(x->sess) : x->strm != NULL);
}

FETCH(fc_streams_limit)
{
        const struct front_proto *p = x->sess->proto;

        UNUSED;
        return answer_int(ret_smp, p && p->streams ? p->streams_max : 1);
}

/* ---- names of proxies and servers ---- */

FETCH(fe_name)
{
        UNUSED;
        return answer_text(ret_smp, front_of(x)->cell.name);
}

FETCH(fe_id)
{
        UNUSED;
        return answer_int(ret_smp, RELAXED(front_of(x)->iid));
}

FETCH(fe_defbe)
{
        const struct front_cfg *cfg = x->strm ? x->strm->fcfg : x->sess->cfg;

        UNUSED;
        return cfg ? answer_text(ret_smp, cfg->px->default_backend) : EXPR_MISS;
}

static const struct server *server_of(const struct expr_ctx *x)
{
        return x->check ? x->check->srv : x->strm ? x->strm->srv : NULL;
}

static const struct back *back_of(const struct expr_ctx *x)
{
        return x->check ? x->check->srv->back : x->strm ? x->strm->back : NULL;
}

/* Where no backend was used: the frontend's (manual). */
FETCH(be_name)
{
        UNUSED;
        return answer_text(ret_smp, back_of(x) ? back_of(x)->cell.name : front_of(x)->cell.name);
}

FETCH(be_id)
{
        UNUSED;
        return answer_int(ret_smp, back_of(x) ? RELAXED(back_of(x)->iid) : RELAXED(front_of(x)->iid));
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

/* ---- the server's connection ---- */

/* NULL: none, or it is closed. */
static const struct srv_conn *server_conn(const struct expr_ctx *x)
{
        const struct srv_conn *c = x->strm ? x->strm->sc : NULL;

        return c && c->wire.conn.ev.fd >= 0 ? c : NULL;
}

static bool bc_src_addr(const struct expr_ctx *x, struct addr *ret_a)
{
        const struct srv_conn *c = server_conn(x);
        struct sockaddr_storage sa;
        socklen_t len = sizeof(sa);

        if (!c || thr_self->sys->getsockname(c->wire.conn.ev.fd, (struct sockaddr *)&sa, &len) < 0)
                return false;
        addr_from_sockaddr(ret_a, (struct sockaddr *)&sa, len);
        return true;
}

static bool bc_dst_addr(const struct expr_ctx *x, struct addr *ret_a)
{
        struct sockaddr_storage sa;
        struct strm *s = x->strm;
        socklen_t len = s && s->srv ? server_addr_get(s->srv, &sa, s) : 0;

        if (len == 0)
                return false;
        addr_from_sockaddr(ret_a, (struct sockaddr *)&sa, len);
        return true;
}

FETCH(bc_src)
{
        struct addr a;

        UNUSED;
        return bc_src_addr(x, &a) ? answer_addr(ret_smp, &a) : EXPR_MISS;
}

FETCH(bc_src_port)
{
        struct addr a;

        UNUSED;
        return bc_src_addr(x, &a) ? answer_port(ret_smp, &a) : EXPR_MISS;
}

FETCH(bc_dst)
{
        struct addr a;

        UNUSED;
        return bc_dst_addr(x, &a) ? answer_addr(ret_smp, &a) : EXPR_MISS;
}

FETCH(bc_dst_port)
{
        struct addr a;

        UNUSED;
        return bc_dst_addr(x, &a) ? answer_port(ret_smp, &a) : EXPR_MISS;
}

/* Servers are spoken to in HTTP/1: one stream a connection. */
FETCH(bc_http_major)
{
        UNUSED;
        return x->strm && x->strm->sc && x->strm->http ? answer_int(ret_smp, 1) : EXPR_MISS;
}

FETCH(bc_streams)
{
        UNUSED;
        return x->strm && x->strm->sc ? answer_int(ret_smp, 1) : EXPR_MISS;
}

FETCH(bc_reused)
{
        UNUSED;
        return x->strm ? answer_bool(ret_smp, x->strm->reused) : EXPR_MISS;
}

#define ROW(n, type, from, f, text) FETCH_ROW(n, type, EXPR_##from, f, "7.3.3", text)
#define ROW_CHECK(n, type, from, f, text)                                                                              \
        {                                                                                                              \
                .name = n, .out = SMP_##type, .needs = EXPR_##from, .in_check = true, .fn = f, .manual = "7.3.3",      \
                .help = text                                                                                           \
        }

static const struct fetch rows[] = {
        ROW("so_id", SINT, CLIENT, so_id, "number of the listener in its section: `id`, or its place"),
        ROW("so_name", STR, CLIENT, so_name, "name of the bind line"),
        ROW("src", ADDR, CLIENT, src, "client address"),
        ROW("src_port", SINT, CLIENT, src_port, "client port"),
        ROW("src_is_local", BOOL, CLIENT, src_is_local, "is the client's address one of this machine"),
        ROW("dst", ADDR, CLIENT, dst, "address connected to"),
        ROW("dst_port", SINT, CLIENT, dst_port, "port connected to"),
        ROW("dst_is_local", BOOL, CLIENT, dst_is_local, "is the address connected to one of this machine"),
        ROW("dst_conn", SINT, CLIENT, dst_conn, "connections on the same listener now"),
        ROW("fc_http_major", SINT, CLIENT, fc_http_major, "HTTP version on the client's wire: 1 or 2"),
        ROW("fc_nb_streams", SINT, CLIENT, fc_nb_streams, "streams on the client's connection now"),
        ROW("fc_settings_streams_limit", SINT, CLIENT, fc_streams_limit, "streams that the client's connection takes"),
        ROW("fc_src", ADDR, CLIENT, fc_src, "client address of the connection"),
        ROW("fc_src_port", SINT, CLIENT, fc_src_port, "client port of the connection"),
        ROW("fc_src_is_local", BOOL, CLIENT, fc_src_is_local, "is the client's address one of this machine"),
        ROW("fc_dst", ADDR, CLIENT, fc_dst, "address connected to"),
        ROW("fc_dst_port", SINT, CLIENT, fc_dst_port, "port connected to"),
        ROW("fc_dst_is_local", BOOL, CLIENT, fc_dst_is_local, "is the address connected to one of this machine"),
        ROW("fe_name", STR, CLIENT, fe_name, "frontend name"),
        ROW("fe_id", SINT, CLIENT, fe_id, "frontend number"),
        ROW("fe_defbe", STR, CLIENT, fe_defbe, "name of the frontend's default backend"),
        ROW_CHECK("be_name", STR, CLIENT, be_name, "backend name"),
        ROW_CHECK("be_id", SINT, CLIENT, be_id, "backend number"),
        ROW_CHECK("srv_name", STR, SERVER, srv_name, "server name"),
        ROW_CHECK("srv_id", SINT, SERVER, srv_id, "server number"),
        ROW("bc_src", ADDR, SERVER, bc_src, "our address on the server's connection"),
        ROW("bc_src_port", SINT, SERVER, bc_src_port, "our port on the server's connection"),
        ROW("bc_dst", ADDR, SERVER, bc_dst, "the server's address"),
        ROW("bc_dst_port", SINT, SERVER, bc_dst_port, "the server's port"),
        ROW("bc_http_major", SINT, SERVER, bc_http_major, "HTTP version on the server's wire"),
        ROW("bc_nb_streams", SINT, SERVER, bc_streams, "streams on the server's connection"),
        ROW("bc_settings_streams_limit", SINT, SERVER, bc_streams, "streams that the server's connection takes"),
        ROW("bc_reused", BOOL, SERVER, bc_reused, "had the server's connection been used before"),
};
FETCH_TABLE(conn, rows);
