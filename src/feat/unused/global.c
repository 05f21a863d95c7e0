/* feat/unused/global.c - words of section global for parts that HAProxy has and this program has not. */
#include "feat/unused/unused.h"

#define ONE_POLLER  "epoll is the only way of waiting here, and every Linux has it"
#define ONE_GROUP   "all threads are one group here"
#define NO_BUFFERS  "there is no pool of buffers: an idle connection has none, and a busy one borrows its thread's"
#define NO_POOLS    "memory is taken in slabs that give back what is free by themselves"
#define NO_COPY     "what is forwarded is never copied for its own sake"
#define NO_PROFILER "the program has no profiler of its own; perf(1) works on it"
#define NO_DGRAM    "only sockets that wait for datagrams use it: QUIC, log-forward"
#define NO_FORK     "nothing that a configuration file names is ever started by the worker"
#define SCHEDULER   "a thread runs what is ready in the order in which it came"

static const struct kw rows[] = {
        UNUSED("noepoll", ONE_POLLER, "chose another way of waiting for events", .manual = "3.2"),
        UNUSED("nopoll", ONE_POLLER, "forbade a way of waiting for events", .manual = "3.2"),
        UNUSED("nokqueue", ONE_POLLER, "forbade a way of waiting for events, on BSD", .manual = "3.2"),
        UNUSED("noevports", ONE_POLLER, "forbade a way of waiting for events, on Solaris", .manual = "3.2"),
        UNUSED("nogetaddrinfo", "names are always looked up with getaddrinfo(3)", "chose an older function of libc",
               .manual = "3.2"),
        UNUSED("busy-polling", "a thread without work sleeps until there is some", "keeps idle threads awake",
               .manual = "3.2"),
        UNUSED("tune.epoll.mask-events", "no event takes a path that a kernel bug would need to be kept from",
               "hides events of the kernel", .manual = "3.2", .args = "<event>[,...]"),
        UNUSED("tune.fd.edge-triggered", "it always is where that is safe", "how events of the kernel are asked for",
               .manual = "3.2", .args = "{ on | off }"),
        UNUSED("tune.runqueue-depth", SCHEDULER, "tasks that run before events are asked for again", .manual = "3.2",
               .args = "<number>"),
        UNUSED("tune.sched.low-latency", SCHEDULER, "lets urgent tasks run first", .manual = "3.2",
               .args = "{ on | off }"),
        UNUSED("tune.events.max-events-at-once", SCHEDULER, "events that a handler takes at once", .manual = "3.2",
               .args = "<number>"),
        UNUSED("tune.recv_enough", "a read that was not filled up is the last of its turn",
               "size of a read after which none follows", .manual = "3.2", .args = "<size>"),
        UNUSED("tune.idletimer", "the size of reads follows what comes, not pauses",
               "pause after which a stream is idle", .manual = "3.2", .args = "<time>"),

        UNUSED("max-threads-per-group", ONE_GROUP, "threads of a group at most", .manual = "3.1", .args = "<number>"),
        UNUSED("thread-group", ONE_GROUP, "which threads a group has", .manual = "3.1", .args = "<group> [<range>...]"),
        UNUSED("tune.takeover-other-tg-connections", ONE_GROUP, "use of idle connections of another group",
               .manual = "3.2", .args = "{ none | restricted | full }"),
        UNUSED("tune.listener.multi-queue", "the kernel spreads connections: each thread has its own queue of them",
               "spreads connections over threads", .manual = "3.2", .args = "{ on | fair | off }"),
        UNUSED("tune.listener.default-shards", "each thread always has its own queue of connections",
               "sockets of a bind line", .manual = "3.2", .args = "{ by-process | by-thread | by-group }"),
        UNUSED("stats bind-process", "there is one process that serves", "which process had the statistics",
               .manual = "3.1", .args = "<processes>"),

        UNUSED("tune.buffers.limit", NO_BUFFERS, "buffers at most", .manual = "3.2", .args = "<number>"),
        UNUSED("tune.buffers.reserve", NO_BUFFERS, "buffers kept for bad times", .manual = "3.2", .args = "<number>"),
        UNUSED("tune.bufsize.small", NO_BUFFERS, "size of a small buffer", .manual = "3.2", .args = "<size>"),
        UNUSED("tune.bufsize.large", NO_BUFFERS, "size of a large buffer", .manual = "3.2", .args = "<size>"),
        UNUSED("tune.chksize", "a check's answer may have the size that its rules need", "buffer of a check",
               .manual = "3.2", .args = "<size>"),
        UNUSED("tune.defaults.purge", "nothing is kept of a file but what it says", "forgets unused defaults sections",
               .manual = "3.2"),
        UNUSED("tune.memory.hot-size", NO_POOLS, "memory that a thread keeps of each pool", .manual = "3.2",
               .args = "<size>"),
        UNUSED("tune.pool-high-fd-ratio", "the server's pool-max-conn and pool-purge-delay rule idle connections",
               "share of descriptors above which idle connections are closed", .manual = "3.2", .args = "<percent>"),
        UNUSED("tune.pool-low-fd-ratio", "the server's pool-max-conn and pool-purge-delay rule idle connections",
               "share of descriptors below which idle connections are kept", .manual = "3.2", .args = "<percent>"),
        UNUSED("no-memory-trimming", NO_POOLS, "keeps free memory when the process reloads", .manual = "3.1"),
        UNUSED("prealloc-fd", "the kernel's table of descriptors grows as it needs to", "has the table made at once",
               .manual = "3.1"),
        UNUSED("tune.pattern.cache-size", "a pattern is looked up in its tree, which is as fast as a cache of it",
               "results of patterns that are remembered", .manual = "3.2", .args = "<number>"),

        UNUSED("tune.disable-fast-forward", NO_COPY, "turned a path of HAProxy's engine off", .manual = "3.2"),
        UNUSED("tune.disable-zero-copy-forwarding", NO_COPY, "turned a path of HAProxy's engine off", .manual = "3.2"),
        UNUSED("tune.applet.zero-copy-forwarding", NO_COPY, "turned a path of HAProxy's engine off", .manual = "3.2",
               .args = "{ on | off }"),
        UNUSED("tune.pt.zero-copy-forwarding", NO_COPY, "turned a path of HAProxy's engine off", .manual = "3.2",
               .args = "{ on | off }"),
        UNUSED("tune.h1.zero-copy-fwd-recv", NO_COPY, "turned a path of HAProxy's engine off", .manual = "3.2",
               .args = "{ on | off }"),
        UNUSED("tune.h1.zero-copy-fwd-send", NO_COPY, "turned a path of HAProxy's engine off", .manual = "3.2",
               .args = "{ on | off }"),
        UNUSED("tune.h2.zero-copy-fwd-send", NO_COPY, "turned a path of HAProxy's engine off", .manual = "3.2",
               .args = "{ on | off }"),

        UNUSED("tune.rcvbuf.backend", NO_DGRAM, "kernel's buffer for what datagram servers say", .manual = "3.2",
               .args = "<size>"),
        UNUSED("tune.rcvbuf.frontend", NO_DGRAM, "kernel's buffer for what datagram clients say", .manual = "3.2",
               .args = "<size>"),
        UNUSED("tune.sndbuf.backend", NO_DGRAM, "kernel's buffer for datagrams to servers", .manual = "3.2",
               .args = "<size>"),
        UNUSED("tune.sndbuf.frontend", NO_DGRAM, "kernel's buffer for datagrams to clients", .manual = "3.2",
               .args = "<size>"),

        UNUSED("quick-exit", "an exit never visits memory to give it back", "ends without giving memory back",
               .manual = "3.4"),
        UNUSED("profiling.tasks", NO_PROFILER, "measures tasks", .manual = "3.4", .args = "{ auto | on | off }"),
        UNUSED("profiling.memory", NO_PROFILER, "measures memory", .manual = "3.4", .args = "{ on | off }"),
        UNUSED("debug.counters", "counters of rare events always run", "counts rare events", .manual = "3.4",
               .args = "{ on | off }"),
        UNUSED("stress-level", "a test program plants trouble, never the one that serves", "plants trouble",
               .manual = "3.4", .args = "<level>"),
        UNUSED("insecure-fork-wanted", NO_FORK, "lets the worker start programs", .manual = "3.1"),
        UNUSED("insecure-setuid-wanted", NO_FORK, "lets started programs gain rights", .manual = "3.1"),
        UNUSED("expose-experimental-directives", "no word here is an experiment", "allows experimental words",
               .manual = "3.1"),
        UNUSED("expose-deprecated-directives", "an old word is taken with a warning, or is refused for good",
               "allows old words", .manual = "3.1"),
        UNUSED("close-spread-time", "a soft stop closes idle connections as soon as their client may be told so",
               "time over which a soft stop closes connections", .manual = "3.1", .args = "<time>"),
};

KW_TABLE(unused_global, KIND_GLOBAL, struct unused_cfg, rows);
