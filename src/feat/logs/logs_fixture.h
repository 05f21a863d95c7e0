/* feat/logs/logs_fixture.h - for the tests of log lines: a UDP sink on loopback, a configuration that logs to it, one stream. */
#ifndef FEAT_LOGS_LOGS_FIXTURE_H
#define FEAT_LOGS_LOGS_FIXTURE_H

#include "conf/conf.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/fixture.h"
#include "feat/logs/logs.h"

#include <stdio.h>
#include <unistd.h>

static int udp;
static char port_text[16];

static inline int make_udp(void)
{
        struct sockaddr_in sa = { .sin_family = AF_INET };
        socklen_t len = sizeof(sa);
        struct timeval tv = { .tv_usec = 200000 };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
        (void)snprintf(port_text, sizeof(port_text), "%d", ntohs(sa.sin_port));
        return fd;
}

/* The next datagram, or "" when none comes. */
static inline const char *got_from(int fd)
{
        static char text[70000];
        ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

        text[n > 0 ? n : 0] = '\0';
        return text;
}

static inline const char *got(void)
{
        return got_from(udp);
}

/* Configuration text with '@' for the sink's address. */
static inline struct fx_conf *load(const char *text)
{
        AUTO_BUF(b);

        for (const char *p = text; *p; p++) {
                if (*p == '@')
                        buf_printf(&b, "127.0.0.1:%s", port_text);
                else
                        buf_putc(&b, *p);
        }
        buf_putc(&b, '\0');
        return fx_load(b.p);
}

static inline int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        event_boot();
        udp = make_udp();
        world.pid = 18760;
        world.node = (char *)"vm";
        list_init(&world.fronts);
        list_init(&world.backs);
        atomic_init(&world.cur_conns, 1);
        return 0;
}

static inline int teardown(void **st)
{
        (void)st;
        thr_free(thr_self);
        thr_self = NULL;
        return close(udp);
}

/* Logs one stream through the event, as the data plane does. */
static inline const char *line_of(struct fx_stream *f)
{
        event_publish(EVENT_STREAM_END, &f->s);
        return got();
}

#define HEAD "Nov 21 12:05:52 haproxy[18760]: "

#endif
