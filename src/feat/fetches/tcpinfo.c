/* feat/fetches/tcpinfo.c - what the kernel knows of a TCP connection (manual 7.3.3; tcp(7), TCP_INFO). */
#include "core/sess.h"
#include "core/srv_conn.h"
#include "feat/fetches/fetch.h"

#include <linux/tcp.h>
#include <netinet/in.h>

/* False: no connection, or none of TCP. */
static bool info_of(int fd, struct tcp_info *ret_i)
{
        socklen_t len = sizeof(*ret_i);

        memset(ret_i, 0, sizeof(*ret_i));
        return fd >= 0 && thr_self->sys->getopt(fd, IPPROTO_TCP, TCP_INFO, ret_i, &len) == 0;
}

static int client_fd(const struct expr_ctx *x)
{
        return x->sess->wire.conn.ev.fd;
}

static int server_fd(const struct expr_ctx *x)
{
        return x->strm && x->strm->sc ? x->strm->sc->wire.conn.ev.fd : -1;
}

#define COUNTER(fn, field)                                                                                             \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                struct tcp_info i;                                                                                     \
                                                                                                                       \
                UNUSED;                                                                                                \
                return info_of(client_fd(x), &i) ? answer_int(ret_smp, i.field) : EXPR_MISS;                           \
        }
COUNTER(fc_fackets, tcpi_fackets)
COUNTER(fc_lost, tcpi_lost)
COUNTER(fc_reordering, tcpi_reordering)
COUNTER(fc_retrans, tcpi_retrans)
COUNTER(fc_sacked, tcpi_sacked)
COUNTER(fc_unacked, tcpi_unacked)

/* args[0].i: how many microseconds the unit has; the kernel counts those. */
static bool unit(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        struct str w = { args[0].s, n_args ? args[0].n : 0 };

        args[0].i = str_is(w, "us") ? 1 : 1000;
        if (args[0].i == 1 || w.n == 0 || str_is(w, "ms"))
                return true;
        (void)kw_fail(c, at, "E0701", "expects 'us' or 'ms', got '%.*s'", (int)w.n, w.p);
        return false;
}

#define TIME(fn, fd, field)                                                                                            \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                struct tcp_info i;                                                                                     \
                                                                                                                       \
                (void)n_args;                                                                                          \
                return info_of(fd(x), &i) ? answer_int(ret_smp, i.field / args[0].i) : EXPR_MISS;                      \
        }
TIME(fc_rtt, client_fd, tcpi_rtt)
TIME(fc_rttvar, client_fd, tcpi_rttvar)
TIME(bc_rtt, server_fd, tcpi_rtt)
TIME(bc_rttvar, server_fd, tcpi_rttvar)

#define ROW(n, f, text)            FETCH_ROW(n, SINT, EXPR_CLIENT, f, "7.3.3", text " of the client's connection")
#define ROW_UNIT(n, from, f, text) FETCH_ROW_ARGS(n, SINT, EXPR_##from, f, "7.3.3", text, unit, ARG_STR)

static const struct fetch rows[] = {
        ROW("fc_fackets", fc_fackets, "forward acknowledgments"),
        ROW("fc_lost", fc_lost, "lost segments"),
        ROW("fc_reordering", fc_reordering, "reordering distance"),
        ROW("fc_retrans", fc_retrans, "retransmitted segments"),
        ROW("fc_sacked", fc_sacked, "segments acknowledged selectively"),
        ROW("fc_unacked", fc_unacked, "unacknowledged segments"),
        ROW_UNIT("fc_rtt", CLIENT, fc_rtt, "round trip time to the client"),
        ROW_UNIT("fc_rttvar", CLIENT, fc_rttvar, "how much the round trip time to the client varies"),
        ROW_UNIT("bc_rtt", SERVER, bc_rtt, "round trip time to the server"),
        ROW_UNIT("bc_rttvar", SERVER, bc_rttvar, "how much the round trip time to the server varies"),
};
FETCH_TABLE(tcpinfo, rows);
