/* core/proxy_opt.h - the bits of struct proxy_cfg.options (core/proxy.h). */
#ifndef CORE_PROXY_OPT_H
#define CORE_PROXY_OPT_H

enum {
        OPT_HTTPLOG = 1 << 0,
        OPT_TCPLOG = 1 << 1,
        OPT_DONTLOGNULL = 1 << 2,
        OPT_DONTLOG_NORMAL = 1 << 3,
        OPT_LOGASAP = 1 << 4,
        OPT_FORWARDFOR = 1 << 5,
        OPT_SERVER_CLOSE = 1 << 6,
        OPT_HTTPCLOSE = 1 << 7,
        OPT_REDISPATCH = 1 << 8,
        OPT_ABORTONCLOSE = 1 << 9,
        OPT_CLITCPKA = 1 << 10,
        OPT_SRVTCPKA = 1 << 11,
        OPT_SPLICE_REQ = 1 << 12,
        OPT_SPLICE_RSP = 1 << 13,
        OPT_SPLICE_AUTO = 1 << 14,
        OPT_LOG_SEPARATE_ERRORS = 1 << 15,
        OPT_NOLINGER = 1 << 16,
        OPT_ORIGINALTO = 1 << 17,
        OPT_IDLE_CLOSE_ON_RESPONSE = 1 << 18,
        OPT_LOG_HEALTH = 1 << 19,
        OPT_KEEP_ALIVE = 1 << 20,
        OPT_NO_ABORTONCLOSE = 1 << 21, /* said so: it is on by itself in HTTP backends */
        OPT_DROP_REQ_TRAILERS = 1 << 22,
        OPT_DROP_RSP_TRAILERS = 1 << 23,
        OPT_IGNORE_PROBES = 1 << 24,
        OPT_PRETEND_KEEPALIVE = 1 << 25,
        OPT_INDEPENDENT_STREAMS = 1 << 26,
        OPT_LOG_CLF = 1 << 28,  /* of httplog or tcplog */
        OPT_LOG_JSON = 1 << 29, /* likewise */
};

#endif
