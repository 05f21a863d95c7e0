/* feat/unused/proxy.c - words of proxies and of server lines for parts that HAProxy has and this program has not. */
#include "feat/unused/unused.h"

#define STRICT     "a message that RFC 9112 calls invalid is refused, always: what it means depends on who reads it"
#define NO_H2C     "HTTP/2 is never taken up on a connection without TLS"
#define POOLS      "a server's idle connections are used by whoever the balance sends to it"
#define FRONT(...) __VA_ARGS__, .kinds = KIND_DEFAULTS | KIND_FE, .manual = "4.2"
#define BACK(...)  __VA_ARGS__, .kinds = KIND_DEFAULTS | KIND_BE, .manual = "4.2"

static const struct kw proxy_rows[] = {
        UNUSED("option accept-unsafe-violations-in-http-request", STRICT, "lets invalid requests pass",
               FRONT(.no_ok = true)),
        UNUSED("option accept-unsafe-violations-in-http-response", STRICT, "lets invalid answers pass",
               BACK(.no_ok = true)),
        UNUSED("option accept-invalid-http-request", STRICT, "lets invalid requests pass, the old word",
               FRONT(.no_ok = true)),
        UNUSED("option accept-invalid-http-response", STRICT, "lets invalid answers pass, the old word",
               BACK(.no_ok = true)),
        UNUSED("option disable-h2-upgrade", NO_H2C, "refuses HTTP/2 without TLS", FRONT(.no_ok = true)),
        UNUSED("option contstats", "long sessions are always counted while they live", "counts bytes as they pass",
               FRONT(.no_ok = true)),
        UNUSED("option socket-stats", "statistics are those of the whole frontend", "statistics of each socket",
               FRONT(.no_ok = true)),
        UNUSED("option http-use-proxy-header", "Connection is what is read and said; Proxy-Connection is not passed on",
               "says Proxy-Connection instead of Connection", FRONT(.no_ok = true)),
        UNUSED("option tcp-smart-accept", "a packet's ACK goes with our first bytes where they follow at once",
               "spares a packet after accept", FRONT(.no_ok = true)),
        UNUSED("option tcp-smart-connect",
               "the handshake's last ACK goes with the first bytes where they follow at once",
               "spares a packet after connect", BACK(.no_ok = true)),
        UNUSED("option prefer-last-server", POOLS, "keeps a client at the server of its last request",
               BACK(.no_ok = true)),
        UNUSED("max-keep-alive-queue", POOLS, "queue above which a client leaves the server of its last request",
               BACK(.args = "<number>")),
        UNUSED("max-session-srv-conns", POOLS, "idle connections that a session keeps for itself",
               .kinds = KIND_DEFAULTS | KIND_FE, .manual = "4.2", .args = "<number>"),
        UNUSED("option use-small-buffers", "there is no pool of buffers: who waits has none",
               "uses less memory while waiting", BACK(.no_ok = true, .args = "[queue] [l7-retries] [check]")),
        UNUSED("bind-process", "there is one process that serves", "which processes served the section",
               .kinds = KIND_PROXY, .manual = "4.2", .args = "<processes>"),
};
KW_TABLE(unused_proxy, KIND_PROXY, struct unused_cfg, proxy_rows);

static const struct kw server_rows[] = {
        UNUSED("log-bufsize", "only servers of a log backend have such a buffer, and mode log is refused",
               "size of a log server's buffer", .max = 1, .manual = "5.2", .args = "<size>"),
        UNUSED("idle-ping", "only HTTP/2 and QUIC know a ping", "asks an idle connection whether it is there", .max = 1,
               .manual = "5.2", .args = "<time>"),
};
KW_TABLE(unused_server, KIND_ANY_SERVER, struct unused_cfg, server_rows);
