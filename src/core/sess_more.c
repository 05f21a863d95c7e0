/* core/sess_more.c - what few sessions have: the address they were asked at, variables. See sess.h. */
#include "base/slab.h"
#include "core/sess.h"
#include "core/vars.h"

struct sess_more *sess_more_of(struct sess *s)
{
        size_t size;

        if (s->more)
                return s->more;
        s->more = mem_get(sizeof(*s->more), &size);
        if (s->more)
                *s->more = (struct sess_more){ .size = size };
        return s->more;
}

void sess_more_fini(struct sess *s)
{
        if (!s->more)
                return;
        vars_fini(s->more->vars);
        mem_put(s->more, s->more->size);
        s->more = NULL;
}

const struct addr *sess_dst(struct sess *s)
{
        static const struct addr nowhere = { .sa = { .sa_family = AF_UNIX } };
        struct sess_more *m = sess_more_of(s);
        struct sockaddr_storage sa;
        socklen_t len = sizeof(sa);

        if (!m)
                return &nowhere;
        if (m->has_dst)
                return &m->dst;
        m->dst = nowhere; /* also when the peer is gone: asked only once */
        m->has_dst = true;
        if (thr_self->sys->getsockname(s->wire.conn.ev.fd, (struct sockaddr *)&sa, &len) == 0)
                addr_from_sockaddr(&m->dst, (struct sockaddr *)&sa, len);
        return &m->dst;
}

bool sess_keep_fc(struct sess *s)
{
        const struct addr *dst = sess_dst(s);

        if (!s->more)
                return false;
        if (!s->more->has_fc) {
                s->more->fc_src = s->src;
                s->more->fc_dst = *dst;
        }
        s->more->has_fc = true;
        return true;
}

const struct addr *sess_fc_src(const struct sess *s)
{
        return s->more && s->more->has_fc ? &s->more->fc_src : &s->src;
}

const struct addr *sess_fc_dst(struct sess *s)
{
        return s->more && s->more->has_fc ? &s->more->fc_dst : sess_dst(s);
}
