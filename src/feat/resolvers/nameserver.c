/* feat/resolvers/nameserver.c - questions over UDP through c-ares, one channel a nameserver.
 *
 * A question goes to all nameservers of its section at once; the first good answer wins (manual 5.3.1). When all have failed to
 * answer in time it is asked again, `resolve_retries` times in all. c-ares moves the datagrams, checks that an answer comes from
 * where it was asked and repeats the question, and gives up after `timeout retry`; what is asked and what is read is proto/dns: ids
 * come from our own source of randomness, as c-ares 1.18 has none in an empty root. Sockets close when nothing is under way, so
 * each burst has source ports of its own. */
#include "base/map.h"
#include "base/thr.h"
#include "ev/loop.h"
#include "feat/resolvers/resolvers.h"
#include "proto/dns.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>

#define PAYLOAD_MAX 4096 /* c-ares 1.18 reads no more of a datagram */

struct query { /* a flight of core/resolve */
        struct section *section;
        uint32_t id;
        struct dns_question asked; /* id: unused */
        char name[RESOLVE_NAME_MAX + 1];
        struct list shots;
        unsigned tries_left, under_way;
        enum resolve_verdict last;
        struct timer begin;
};

struct shot {                /* to one nameserver; c-ares knows no cancelling, so it outlives its query */
        struct query *query; /* NULL: nobody waits any more */
        struct nameserver *ns;
        struct list link;
        uint16_t wire_id;
};

struct ns_fd {
        struct ev_fd ev;
        struct nameserver *ns;
        struct list link;
        struct grave grave;
};

static void count(struct nameserver *ns, enum ns_count c)
{
        STAT_INC(ns->count[c]);
}

/* ---- sockets of a channel ---- */

static void set_timer(struct nameserver *ns)
{
        struct timeval max = { .tv_sec = 3600 }, left, *t = ares_timeout(ns->channel, &max, &left);
        uint64_t ms = (uint64_t)t->tv_sec * 1000 + (uint64_t)t->tv_usec / 1000 + 1;

        timer_start(thr_self->loop, &ns->timer, t == &max ? MONO_NEVER : mono_add_ms(thr_self->now, (int64_t)ms));
}

static void on_timer(struct timer *t)
{
        struct nameserver *ns = container_of(t, struct nameserver, timer);

        ares_process_fd(ns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        set_timer(ns);
}

static void on_fd(struct ev_fd *e, uint32_t events)
{
        struct nameserver *ns = container_of(e, struct ns_fd, ev)->ns;

        (void)events;
        if (!ns)
                return; /* closed in this turn */
        ares_process_fd(ns->channel, e->fd, ARES_SOCKET_BAD);
        set_timer(ns);
}

static void free_fd(struct grave *g)
{
        free(container_of(g, struct ns_fd, grave));
}

static void drop_fd(struct ns_fd *f)
{
        list_del(&f->link);
        f->ns = NULL;
        loop_del(thr_self->loop, &f->ev);
        loop_bury(thr_self->loop, &f->grave, free_fd);
}

/* c-ares wants this socket watched, or is about to close it (neither). */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
        struct nameserver *ns = arg;
        struct ns_fd *f = NULL;

        list_for_each (i, &ns->fds)
                if (list_item(i, struct ns_fd, link)->ev.fd == fd)
                        f = list_item(i, struct ns_fd, link);
        if (!readable && !writable) {
                if (f)
                        drop_fd(f);
                return;
        }
        if (f)
                return;
        f = calloc(1, sizeof(*f));
        ASSERT(f != NULL);
        f->ev = (struct ev_fd){ .fn = on_fd, .fd = fd };
        f->ns = ns;
        list_push(&ns->fds, &f->link);
        if (loop_add_level(thr_self->loop, &f->ev, false) < 0)
                count(ns, NS_SND_ERROR); /* its timeout tells the query */
}

/* ---- queries ---- */

static struct str id_key(const uint32_t *id)
{
        return (struct str){ (const char *)id, sizeof(*id) };
}

static void query_free(struct query *q)
{
        list_for_each_safe (i, &q->shots) {
                list_item(i, struct shot, link)->query = NULL;
                list_del(i);
        }
        timer_stop(q->section->resolver.loop, &q->begin);
        (void)map_del(&q->section->queries, id_key(&q->id));
        free(q);
}

static void conclude(struct query *q, enum resolve_verdict v, struct nameserver *by, struct resolve_record *rec,
                     size_t n)
{
        struct section *s = q->section;
        uint32_t id = q->id;

        query_free(q);
        s->answered_by = by;
        s->resolver.answered_by = by ? by->label : NULL;
        (void)resolve_answer(&s->resolver, id, v, rec, n);
}

static void send_all(struct query *q);

/* All nameservers have been heard or given up. */
static void round_ended(struct query *q)
{
        if (q->last != RESOLVE_TIMEOUT)
                conclude(q, q->last, NULL, NULL, 0);
        else if (q->tries_left == 0 || q->section->n_ns == 0)
                conclude(q, RESOLVE_TIMEOUT, NULL, NULL, 0);
        else
                send_all(q);
}

static enum resolve_verdict verdict_of(struct nameserver *ns, enum dns_verdict v)
{
        static const struct {
                enum ns_count count;
                enum resolve_verdict verdict;
        } rows[] = { [DNS_OK] = { NS_VALID, RESOLVE_OK },
                     [DNS_EMPTY] = { NS_ANY_ERR, RESOLVE_OTHER },
                     [DNS_NX] = { NS_NX, RESOLVE_NX },
                     [DNS_REFUSED] = { NS_REFUSED, RESOLVE_REFUSED },
                     [DNS_FAILED] = { NS_OTHER, RESOLVE_OTHER },
                     [DNS_TRUNCATED] = { NS_TRUNCATED, RESOLVE_OTHER },
                     [DNS_ALIAS_END] = { NS_CNAME_ERROR, RESOLVE_OTHER },
                     [DNS_INVALID] = { NS_INVALID, RESOLVE_OTHER } };

        count(ns, rows[v].count);
        return rows[v].verdict;
}

static void tell(struct query *q, struct nameserver *ns, const struct dns_record *v, size_t n)
{
        struct resolve_record *rec = calloc(n, sizeof(*rec));

        if (!rec) {
                q->last = RESOLVE_OTHER;
                return;
        }
        for (size_t i = 0; i < n; i++) {
                rec[i].type = q->asked.type == DNS_A ? RESOLVE_A : RESOLVE_AAAA;
                rec[i].ttl_s = v[i].ttl_s;
                memcpy(rec[i].ip, v[i].ip, sizeof(rec[i].ip));
        }
        conclude(q, RESOLVE_OK, ns, rec, n);
        free(rec);
}

/* True: the query was told and is gone. */
static bool read_answer(struct query *q, struct shot *s, const unsigned char *p, size_t n)
{
        static struct dns_record v[RESOLVE_RECORDS_MAX]; /* 10 KiB; one thread, never entered twice */
        struct dns_question asked = q->asked;
        unsigned aliases = 0;
        size_t got = 0;
        enum dns_verdict r;

        asked.id = s->wire_id;
        r = dns_read(p, n, &asked, v, RESOLVE_RECORDS_MAX, &got, &aliases);
        if (r == DNS_INVALID && n >= PAYLOAD_MAX) { /* it was cut */
                count(s->ns, NS_TOO_BIG);
                q->last = RESOLVE_OTHER;
                return false;
        }
        q->last = verdict_of(s->ns, r);
        if (aliases)
                count(s->ns, NS_CNAME);
        if (q->last != RESOLVE_OK)
                return false;
        tell(q, s->ns, v, got);
        return true;
}

static void on_shot(void *arg, int status, int timeouts, unsigned char *p, int n)
{
        struct shot *s = arg;
        struct query *q = s->query;
        bool gone = false;

        (void)timeouts;
        if (!q) {
                if (status == ARES_SUCCESS)
                        count(s->ns, NS_OUTDATED);
                free(s);
                return;
        }
        list_del(&s->link);
        q->under_way--;
        if (status == ARES_SUCCESS && p && n > 0)
                gone = read_answer(q, s, p, (size_t)n);
        else {
                count(s->ns, status == ARES_ETIMEOUT ? NS_TIMEOUT : NS_SND_ERROR);
                q->last = RESOLVE_TIMEOUT;
        }
        free(s);
        if (!gone && q->under_way == 0)
                round_ended(q);
}

static void shoot(struct query *q, struct nameserver *ns)
{
        struct shot *s = calloc(1, sizeof(*s));
        unsigned char wire[DNS_QUERY_MAX];
        struct dns_question asked = q->asked;
        size_t n;

        if (!s)
                return;
        thr_self->sys->random(&s->wire_id, sizeof(s->wire_id));
        asked.id = s->wire_id;
        n = dns_query(&asked, (uint16_t)(q->section->cfg.payload < PAYLOAD_MAX ? q->section->cfg.payload : PAYLOAD_MAX),
                      wire);
        s->query = q;
        s->ns = ns;
        list_push(&q->shots, &s->link);
        q->under_way++;
        count(ns, NS_SENT);
        ares_send(ns->channel, wire, (int)n, on_shot, s); /* may answer at once, when it cannot be sent */
        set_timer(ns);
}

static void send_all(struct query *q)
{
        struct section *s = q->section;

        q->tries_left -= q->tries_left > 0;
        q->last = RESOLVE_TIMEOUT;
        q->under_way++; /* ours: the round does not end while it begins */
        for (unsigned i = 0; i < s->n_ns; i++)
                if (s->ns[i].channel)
                        shoot(q, &s->ns[i]);
        if (--q->under_way == 0) /* not one could be sent: the next try is not at once */
                timer_start(s->resolver.loop, &q->begin, mono_add_ms(thr_self->now, s->cfg.retry_ms));
}

static void on_begin(struct timer *t)
{
        struct query *q = container_of(t, struct query, begin);

        if (q->tries_left == 0)
                round_ended(q);
        else
                send_all(q);
}

/* ---- struct resolve_ops ---- */

static int ops_send(void *arg, uint32_t id, struct str name, enum resolve_type type)
{
        struct section *s = arg;
        struct query *q;

        if (type == RESOLVE_SRV)
                return -EOPNOTSUPP;
        q = calloc(1, sizeof(*q));
        if (!q)
                return -ENOMEM;
        q->section = s;
        q->id = id;
        memcpy(q->name, name.p, name.n);
        q->asked = (struct dns_question){ .type = type == RESOLVE_A ? DNS_A : DNS_AAAA, .name = { q->name, name.n } };
        list_init(&q->shots);
        q->tries_left = s->cfg.retries > 0 ? (unsigned)s->cfg.retries : 1;
        if (!map_put(&s->queries, id_key(&q->id), q)) {
                free(q);
                return -ENOMEM;
        }
        timer_init(&q->begin, on_begin);
        timer_start(s->resolver.loop, &q->begin, thr_self->now);
        return 0;
}

static void ops_cancel(void *arg, uint32_t id)
{
        struct section *s = arg;
        struct query *q = map_get(&s->queries, id_key(&id));

        if (q)
                query_free(q);
}

static const struct resolve_ops ops = { ops_send, ops_cancel };

/* ---- channels ---- */

static int channel_open(struct nameserver *ns, const struct ns_cfg *at, int retry_ms)
{
        struct ares_options o = { .flags = ARES_FLAG_IGNTC | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
                                           ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS,
                                  .timeout = retry_ms,
                                  .tries = 1,
                                  .ednspsz = PAYLOAD_MAX,
                                  .lookups = (char[]){ "b" },
                                  .sock_state_cb = on_socket,
                                  .sock_state_cb_data = ns };
        struct ares_addr_port_node node = { .family = at->addr.sa.sa_family };
        ares_channel c;

        if (ares_init_options(&c, &o,
                              ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
                                      ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
                return -ENOMEM;
        node.udp_port = node.tcp_port = addr_port(&at->addr);
        if (node.family == AF_INET)
                node.addr.addr4 = at->addr.in.sin_addr;
        else
                memcpy(&node.addr.addr6, &at->addr.in6.sin6_addr, sizeof(node.addr.addr6));
        if (ares_set_servers_ports(c, &node) != ARES_SUCCESS) {
                ares_destroy(c);
                return -ENOMEM;
        }
        ns->channel = c;
        return 0;
}

int nameservers_open(struct section *s, struct loop *l)
{
        AUTO_BUF(b);

        resolve_init(&s->resolver, l, &ops, s);
        s->ns = calloc((size_t)s->cfg.n_ns + 1, sizeof(*s->ns));
        ASSERT(s->ns != NULL);
        for (int i = 0; i < s->cfg.n_ns; i++) {
                struct nameserver *ns = &s->ns[i];

                ns->section = s;
                ns->name = strdup(s->cfg.ns[i].name);
                b.n = 0;
                buf_printf(&b, "%s/%s", s->name, ns->name);
                ns->label = strndup(b.p, b.n);
                ASSERT(ns->name != NULL && ns->label != NULL);
                list_init(&ns->fds);
                timer_init(&ns->timer, on_timer);
                s->n_ns++;
                if (channel_open(ns, &s->cfg.ns[i], s->cfg.retry_ms) < 0)
                        return -ENOMEM;
        }
        return 0;
}

void nameservers_close(struct section *s)
{
        resolve_fini(&s->resolver);
        for (unsigned i = 0; i < s->n_ns; i++) {
                struct nameserver *ns = &s->ns[i];

                if (ns->channel)
                        ares_destroy(ns->channel); /* all its shots come home */
                timer_stop(s->resolver.loop, &ns->timer);
                list_for_each_safe (k, &ns->fds)
                        drop_fd(list_item(k, struct ns_fd, link));
                free(ns->name);
                free(ns->label);
        }
        free(s->ns);
        map_fini(&s->queries);
}

__attribute__((constructor)) static void boot(void)
{
        (void)ares_library_init(ARES_LIB_INIT_ALL); /* does nothing on this system; kept for c-ares's rules */
}
