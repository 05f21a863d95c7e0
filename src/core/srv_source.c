/* core/srv_source.c - see the header. */
#include "core/srv_source.h"

#include "core/retire.h"
#include "core/sess.h"
#include "core/strm_own.h"

#include <stdlib.h>

struct image { /* what the words come to */
        struct addr src, as;
        int usesrc, port_low, n_ports;
        unsigned tcp_ut_ms;
        bool fastopen;
        char interface[16]; /* IFNAMSIZ */
};

struct srv_source {
        struct image i;
        atomic_uint turn; /* of the ports; any order will do */
};

static bool is_any(const struct addr *a)
{
        if (a->sa.sa_family == AF_INET)
                return a->in.sin_addr.s_addr == 0;
        return a->sa.sa_family != AF_INET6 || IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static void take_source(struct image *i, const struct source_cfg *c)
{
        if (!is_any(&c->addr) || c->port_low)
                memcpy(&i->src, &c->addr, sizeof(i->src));
        if (c->usesrc == USESRC_ADDR)
                memcpy(&i->as, &c->usesrc_addr, sizeof(i->as));
        i->usesrc = c->usesrc;
        i->port_low = c->port_low;
        i->n_ports = c->port_low ? c->port_high - c->port_low + 1 : 0;
        if (c->interface)
                memcpy(i->interface, c->interface, strnlen(c->interface, sizeof(i->interface) - 1));
}

static bool same(const struct image *a, const struct image *b)
{
        return addr_eq(&a->src, &b->src) && addr_eq(&a->as, &b->as) && a->usesrc == b->usesrc &&
               a->port_low == b->port_low && a->n_ports == b->n_ports && a->tcp_ut_ms == b->tcp_ut_ms &&
               a->fastopen == b->fastopen && strcmp(a->interface, b->interface) == 0;
}

/* False: nothing is asked for. */
static bool make(const struct conf_obj *o, struct image *ret_i)
{
        const struct srv_source_cfg *own = conf_slot(o, srv_source_slot);
        const struct source_cfg *px = conf_slot(o->parent, source_slot);
        const struct image none = { .usesrc = USESRC_NONE };

        *ret_i = none;
        if (own->source.text)
                take_source(ret_i, &own->source);
        else if (px && px->text)
                take_source(ret_i, px);
        ret_i->tcp_ut_ms = (unsigned)own->tcp_ut_ms;
        ret_i->fastopen = own->tfo;
        return !same(ret_i, &none);
}

void srv_source_update(struct server *s, const struct conf_obj *o)
{
        struct srv_source *was = atomic_load_explicit(&s->source, memory_order_relaxed), *now = NULL;
        struct image i;

        if (make(o, &i)) {
                if (was && same(&was->i, &i))
                        return;
                now = calloc(1, sizeof(*now));
                ASSERT(now != NULL); /* configuration-sized: ADR 0002 */
                now->i = i;
        }
        if (!was && !now)
                return;
        atomic_store_explicit(&s->source, now, memory_order_release); /* pairs with the acquire in srv_source_how() */
        atomic_fetch_add_explicit(&s->addr_seq, 2,
                                  memory_order_acq_rel); /* idle connections from elsewhere are not used again */
        if (was)
                retire_later(was, free);
}

void srv_source_free(struct server *s)
{
        free(atomic_load_explicit(&s->source, memory_order_relaxed));
}

/* The address that the server is to see. False: the source of its own counts. */
static bool take_foreign(const struct image *i, struct strm *st, struct addr *ret_src)
{
        const struct addr *client = st->sess ? strm_src(st, st->sess) : NULL;

        if (i->usesrc == USESRC_ADDR) {
                *ret_src = i->as;
                return true;
        }
        if (i->usesrc == USESRC_NONE || !client ||
            (client->sa.sa_family != AF_INET && client->sa.sa_family != AF_INET6))
                return false;
        *ret_src = *client;
        if (i->usesrc == USESRC_CLIENTIP)
                addr_set_port(ret_src, 0);
        return true;
}

const struct conn_how *srv_source_how(const struct server *s, struct strm *st, struct srv_how *mem)
{
        struct srv_source *x = atomic_load_explicit(&s->source, memory_order_acquire);

        if (likely(!x))
                return NULL;
        *mem = (struct srv_how){ .how = { .user_timeout_ms = x->i.tcp_ut_ms,
                                          .fastopen = st && x->i.fastopen,
                                          .interface = x->i.interface[0] ? x->i.interface : NULL } };
        if (st && take_foreign(&x->i, st, &mem->src)) {
                mem->how.transparent = true;
                mem->how.src = &mem->src;
        } else if (x->i.src.sa.sa_family != AF_UNSPEC) {
                mem->src = x->i.src;
                mem->how.src = &mem->src;
                if (st && x->i.n_ports) {
                        mem->n_ports = (unsigned)x->i.n_ports;
                        addr_set_port(&mem->src, x->i.port_low + (int)(atomic_fetch_add_explicit(&x->turn, 1,
                                                                                                 memory_order_relaxed) %
                                                                       mem->n_ports));
                }
        }
        return &mem->how;
}

bool srv_source_is_private(const struct server *s)
{
        const struct srv_source *x = atomic_load_explicit(&s->source, memory_order_acquire);

        return x && (x->i.usesrc == USESRC_CLIENT || x->i.usesrc == USESRC_CLIENTIP);
}

static bool line_is_foreign(const struct conf_obj *o)
{
        const struct srv_source_cfg *own = conf_slot(o, srv_source_slot);
        const struct source_cfg *px = conf_slot(o->parent, source_slot);

        return own->source.text ? own->source.usesrc != USESRC_NONE : px && px->usesrc != USESRC_NONE;
}

bool srv_source_foreign(const struct conf *c)
{
        for (const struct conf_obj *o = c->first; o; o = o->sibling)
                for (const struct conf_obj *k = o->kind->bit & KIND_BE ? o->child : NULL; k; k = k->sibling)
                        if (k->kind->bit == KIND_SERVER && line_is_foreign(k))
                                return true;
        return false;
}
