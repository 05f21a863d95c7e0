/* net/shard.c - one thread's part of a listener (contract in net/listener.h). */
#include "net/listener.h"

#include <errno.h>

#define RETRY_MS 100

void shard_wait(struct listen_shard *s, int ms)
{
        loop_del(s->loop, &s->ev); /* level-triggered: left in, it would be reported at once, again and again */
        timer_start(s->loop, &s->retry, mono_add_ms(s->loop->thr->now, ms));
}

static void put_off(struct listen_shard *s, int err)
{
        shard_wait(s, RETRY_MS);
        s->on_error(s, err);
}

static void on_retry(struct timer *t)
{
        struct listen_shard *s = container_of(t, struct listen_shard, retry);
        int err = loop_add_level(s->loop, &s->ev, s->exclusive);

        if (err)
                put_off(s, err);
}

/* Errors of one connection that died in the queue, or of its network (accept(2), "Error handling"). */
static bool is_passing(int err)
{
        switch (-err) {
        case ECONNABORTED:
        case ENETDOWN:
        case EPROTO:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case EOPNOTSUPP:
        case ENETUNREACH: return true;
        default: return false;
        }
}

/* false: stop for this event. */
static bool accept_one(struct listen_shard *s)
{
        struct sockaddr_storage ss;
        socklen_t len = sizeof(ss);
        struct addr from;
        int fd;

        if (s->take && !s->take(s)) {
                if (s->ev.added)
                        shard_pause(s);
                return false;
        }
        fd = s->loop->thr->sys->accept(s->ev.fd, (struct sockaddr *)&ss, &len);
        if (fd < 0) {
                if (s->give)
                        s->give(s);
                if (fd != -EAGAIN && !is_passing(fd))
                        put_off(s, fd);
                return is_passing(fd);
        }
        addr_from_sockaddr(&from, (struct sockaddr *)&ss, len);
        if (!s->on_accept(s, fd, &from))
                shard_pause(s);
        return s->ev.added; /* the callback may have paused or stopped us */
}

static void on_readable(struct ev_fd *e, uint32_t events)
{
        struct listen_shard *s = container_of(e, struct listen_shard, ev);

        (void)events;
        for (unsigned n = 0; n == 0 || n < s->batch; n++) {
                if (!accept_one(s))
                        return;
        }
}

int shard_start(struct listen_shard *s, struct loop *l, int fd, bool exclusive)
{
        s->ev = (struct ev_fd){ .fd = fd, .fn = on_readable };
        s->loop = l;
        s->exclusive = exclusive;
        s->paused = false;
        timer_init(&s->retry, on_retry);
        return loop_add_level(l, &s->ev, exclusive);
}

void shard_pause(struct listen_shard *s)
{
        s->paused = true;
        timer_stop(s->loop, &s->retry);
        loop_del(s->loop, &s->ev);
}

int shard_resume(struct listen_shard *s)
{
        int err;

        if (!s->paused)
                return 0;
        err = loop_add_level(s->loop, &s->ev, s->exclusive);
        if (!err)
                s->paused = false;
        return err;
}

void shard_stop(struct listen_shard *s)
{
        if (s->ev.fd < 0)
                return;
        shard_pause(s);
        s->ev.fd = -1;
}
