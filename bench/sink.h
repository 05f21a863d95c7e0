/* bench/sink.h - receives and counts the log datagrams of the proxy.
 *
 * Why: without a bound port the kernel answers each line with an ICMP error, which distorts the cost of logging. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include "bench/loop.h"

struct sink {
        struct ev ev;
        uint64_t lines, bytes;
};

int sink_open(struct sink *s, struct loop *l, uint16_t port);
void sink_settle(struct sink *s); /* takes what still arrives, until 50 ms without any (2 s at most) */
void sink_close(struct sink *s);

#endif
