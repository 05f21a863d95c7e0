/* feat/unused/bind.c - words of bind lines for parts that HAProxy has and this program has not. */
#include "feat/unused/unused.h"

#define THREADS "each thread has its own queue of connections on each address, and the kernel spreads them"

static const struct kw rows[] = {
        UNUSED("shards", THREADS, "sockets of the line", .max = 1, .manual = "5.1",
               .args = "{ <number> | by-thread | by-group }"),
        UNUSED("thread", THREADS, "threads that serve the line", .max = 1, .manual = "5.1", .args = "<threads>"),
        UNUSED("process", THREADS, "processes that served the line", .max = 1, .manual = "5.1", .args = "<processes>"),
        UNUSED("idle-ping", "only HTTP/2 and QUIC know a ping", "asks an idle connection whether it is there", .max = 1,
               .manual = "5.1", .args = "<time>"),
};
KW_TABLE(unused_bind, KIND_ANY_BIND, struct unused_cfg, rows);
