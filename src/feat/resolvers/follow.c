/* feat/resolvers/follow.c - each name is asked for every `timeout resolve`; what comes back is dealt out to its servers.
 *
 * A question is a name in a section with a family that is tried first; all servers of that name share it. An error of one family
 * is followed by a question for the other, and both by another round, `resolve_retries` in all (manual 5.3.2). A bad end counts only
 * when the last good answer is older than `hold <status>`; then the servers have no address and are in maintenance. An address that
 * is missing in an answer is kept for `hold obsolete`.
 * Of several servers of a backend with one name each gets an address of its own, unless it has allow-dup-ip; those that there is
 * none for are in maintenance. A server that somebody forced into maintenance keeps the address that it has. */
#include "base/map.h"
#include "base/thr.h"
#include "conf/conf.h"
#include "core/check.h"
#include "core/engine.h"
#include "core/lookup.h"
#include "feat/resolvers/resolvers.h"

#include <limits.h>
#include <stdlib.h>

#define FIRST_PER_MS 8u /* many names are not asked for in one go */
#define KEY_MAX      300u
#define NOWHERE      UINT_MAX

struct known { /* an address that the name stands for */
        struct addr ip;
        mono_t seen;
        unsigned used; /* by how many servers of the backend that is being looked at */
};

struct question {
        struct section *section;
        struct list link;
        struct list servers; /* struct follow, those of a backend side by side */
        struct resolve_ask ask;
        struct timer next;
        mono_t valid; /* the last good answer; at first, when it began */
        int family;   /* what is preferred: AF_INET, AF_INET6 */
        bool only;    /* no other family */
        bool second;  /* the other one is being asked for */
        int rounds_left;
        struct known *known;
        size_t n_known;
        size_t key_n, name_n;
        char key[KEY_MAX]; /* the name in lower case, then "/" and what tells it from others */
};

struct follow { /* a server */
        struct list link;
        struct server *srv;
        struct question *q;
        const struct resolve_cfg *cfg; /* of the current configuration */
        unsigned at;                   /* index in q->known, while answers are dealt out */
        bool marked;
};

static struct map follows = MAP_INIT; /* by &srv; control thread */

/* ---- servers ---- */

static void bring_up(struct server *s)
{
        static const struct state_cause why = { .duration_ms = -1, .by = "thanks to valid DNS answer" };
        static const struct state_cause fresh = { .duration_ms = -1 };

        if (s->check)
                check_init_health(s->check); /* what was found out about another address says nothing */
        server_set_oper(s, SRV_RUNNING, &fresh);
        server_set_admin(s, 0, SRV_ADM_RMAINT, &why);
}

static void take_down(struct follow *f, const char *reason)
{
        struct state_cause why = { .duration_ms = -1, .reason = reason };

        if (atomic_load_explicit(&f->srv->admin, memory_order_relaxed) & SRV_ADM_RMAINT)
                return;
        server_set_admin(f->srv, SRV_ADM_RMAINT, 0, &why);
        server_addr_set_ip(f->srv, NULL, NULL);
}

static bool forced(const struct server *s)
{
        return atomic_load_explicit(&s->admin, memory_order_relaxed) & (SRV_ADM_FMAINT | SRV_ADM_CMAINT);
}

/* The runtime socket may be writing it. */
static struct addr addr_of(struct server *s)
{
        struct addr a;

        pthread_mutex_lock(&s->back->lock);
        a = s->addr;
        pthread_mutex_unlock(&s->back->lock);
        return a;
}

static bool same_ip(const struct addr *a, const struct addr *b)
{
        struct addr x = *a, y = *b;

        addr_set_port(&x, 0);
        addr_set_port(&y, 0);
        return addr_eq(&x, &y);
}

/* ---- dealing out ---- */

static unsigned place_of(const struct question *q, const struct addr *ip)
{
        for (size_t i = 0; i < q->n_known; i++)
                if (same_ip(&q->known[i].ip, ip))
                        return (unsigned)i;
        return NOWHERE;
}

static const struct lookup_want *want_of(const struct server *s)
{
        static const struct lookup_want any;
        const struct server_addr_cfg *a = conf_slot(s->obj, server_addr_slot);

        return a->want ? a->want : &any;
}

/* The best address that nobody of this backend has; with allow-dup-ip else the best of all. */
static unsigned choose(const struct question *q, const struct follow *f)
{
        struct addr v[RESOLVE_RECORDS_MAX];
        unsigned place[RESOLVE_RECORDS_MAX], n = 0, best;

        for (int any = 0; any <= f->cfg->dup_ip && n == 0; any++)
                for (size_t i = 0; i < q->n_known && n < RESOLVE_RECORDS_MAX; i++)
                        if (any || q->known[i].used == 0) {
                                v[n] = q->known[i].ip;
                                place[n++] = (unsigned)i;
                        }
        best = lookup_choose(want_of(f->srv), v, n);
        return best == NOWHERE ? NOWHERE : place[best];
}

static void give(struct question *q, struct follow *f, const char **by)
{
        struct server *s = f->srv;
        const struct addr *ip = &q->known[f->at].ip, was = addr_of(s);

        if (!same_ip(&was, ip)) {
                server_addr_set_ip(s, ip, *by);
                if (q->section->answered_by)
                        STAT_INC(q->section->answered_by->count[NS_UPDATE]);
                *by = "DNS cache";
        }
        if (atomic_load_explicit(&s->admin, memory_order_relaxed) & SRV_ADM_RMAINT)
                bring_up(s);
}

/* Servers of one backend: who has a good address keeps it, then the others choose. */
static struct list *deal_backend(struct question *q, struct list *from, const char **by)
{
        const struct back *b = list_item(from, struct follow, link)->srv->back;
        struct list *i, *end = from;

        for (size_t k = 0; k < q->n_known; k++)
                q->known[k].used = 0;
        for (; end != &q->servers && list_item(end, struct follow, link)->srv->back == b; end = end->next) {
                struct follow *f = list_item(end, struct follow, link);
                struct addr now = addr_of(f->srv);

                f->at = place_of(q, &now);
                if (f->at != NOWHERE && q->known[f->at].used && !f->cfg->dup_ip)
                        f->at = NOWHERE;
                if (f->at != NOWHERE)
                        q->known[f->at].used++;
        }
        for (i = from; i != end; i = i->next) {
                struct follow *f = list_item(i, struct follow, link);

                if (forced(f->srv))
                        continue;
                if (f->at == NOWHERE && (f->at = choose(q, f)) != NOWHERE)
                        q->known[f->at].used++;
                if (f->at != NOWHERE)
                        give(q, f, by);
                else
                        take_down(f, "No IP for server ");
        }
        return end;
}

static void deal(struct question *q, const char *by)
{
        for (struct list *i = q->servers.next; i != &q->servers;)
                i = deal_backend(q, i, &by);
}

/* ---- answers ---- */

static void read_record(const struct resolve_record *r, struct addr *ret_ip)
{
        memset(ret_ip, 0, sizeof(*ret_ip));
        if (r->type == RESOLVE_A) {
                ret_ip->in.sin_family = AF_INET;
                memcpy(&ret_ip->in.sin_addr, r->ip, 4);
        } else {
                ret_ip->in6.sin6_family = AF_INET6;
                memcpy(&ret_ip->in6.sin6_addr, r->ip, 16);
        }
}

/* What is new, and what was seen lately enough. */
static void remember(struct question *q, const struct resolve_record *rec, size_t n)
{
        mono_t now = thr_self->now;
        struct known *v = calloc(n + q->n_known, sizeof(*v));
        size_t got = 0;

        if (!v)
                return; /* the next answer may find more memory */
        for (size_t i = 0; i < n; i++) {
                read_record(&rec[i], &v[got].ip);
                v[got++].seen = now;
        }
        for (size_t i = 0; i < q->n_known && got < RESOLVE_RECORDS_MAX; i++) {
                const struct known *k = &q->known[i];
                bool told = false;

                for (size_t m = 0; m < n && !told; m++)
                        told = same_ip(&v[m].ip, &k->ip);
                if (!told && now < mono_add_ms(k->seen, q->section->cfg.hold_ms[HOLD_OBSOLETE]))
                        v[got++] = *k;
        }
        free(q->known);
        q->known = v;
        q->n_known = got;
}

static void failed(struct question *q, enum resolve_verdict v)
{
        static const struct {
                int hold;
                const char *reason;
        } rows[] = { [RESOLVE_NX] = { HOLD_NX, "DNS NX status" },
                     [RESOLVE_REFUSED] = { HOLD_REFUSED, "DNS refused status" },
                     [RESOLVE_TIMEOUT] = { HOLD_TIMEOUT, "DNS timeout status" },
                     [RESOLVE_OTHER] = { HOLD_OTHER, "unspecified DNS error" } };

        if (thr_self->now < mono_add_ms(q->valid, q->section->cfg.hold_ms[rows[v].hold]))
                return;
        q->n_known = 0;
        list_for_each (i, &q->servers) {
                struct follow *f = list_item(i, struct follow, link);

                if (!forced(f->srv))
                        take_down(f, rows[v].reason);
        }
}

static void ask(struct question *q)
{
        bool four = (q->family == AF_INET) != q->second;
        uint32_t patience = (uint32_t)q->section->cfg.retry_ms;
        uint64_t all = (uint64_t)patience * ((uint64_t)q->section->cfg.retries + 2) + 1000;

        if (resolve_ask(&q->section->resolver, &q->ask, (struct str){ q->key, q->name_n },
                        four ? RESOLVE_A : RESOLVE_AAAA, all > UINT32_MAX ? UINT32_MAX : (uint32_t)all) < 0)
                timer_start(thr_self->loop, &q->next, mono_add_ms(thr_self->now, q->section->cfg.resolve_ms));
}

static void begin_round(struct timer *t)
{
        struct question *q = container_of(t, struct question, next);

        if (atomic_load_explicit(&world.retiring, memory_order_relaxed))
                return; /* another process looks after the servers now */
        q->second = false;
        q->rounds_left = q->section->cfg.retries;
        ask(q);
}

static void done(struct resolve_ask *a, enum resolve_verdict v, const struct resolve_record *rec, size_t n,
                 uint32_t ttl_s)
{
        struct question *q = container_of(a, struct question, ask);
        const char *by = q->section->resolver.answered_by;

        (void)ttl_s; /* as in HAProxy: the time between two questions is the file's */
        if (v != RESOLVE_OK && v != RESOLVE_TIMEOUT && !q->only && !q->second) {
                q->second = true;
                ask(q);
                return;
        }
        if (v != RESOLVE_OK && v != RESOLVE_TIMEOUT && --q->rounds_left > 0) {
                q->second = false;
                ask(q);
                return;
        }
        if (v == RESOLVE_OK) {
                q->valid = thr_self->now;
                remember(q, rec, n);
                deal(q, by ? by : "DNS");
        } else {
                failed(q, v);
        }
        timer_start(thr_self->loop, &q->next, mono_add_ms(thr_self->now, q->section->cfg.resolve_ms));
}

/* ---- which servers ---- */

static struct str srv_key(struct server *const *s)
{
        return (struct str){ (const char *)s, sizeof(*s) };
}

static void question_free(struct question *q)
{
        resolve_cancel(&q->section->resolver, &q->ask);
        timer_stop(q->section->resolver.loop, &q->next);
        list_del(&q->link);
        (void)map_del(&q->section->by_name, (struct str){ q->key, q->key_n });
        free(q->known);
        free(q);
}

static void forget(struct follow *f)
{
        list_del(&f->link);
        (void)map_del(&follows, srv_key(&f->srv));
        free(f);
}

static void follow_free(struct follow *f)
{
        struct question *q = f->q;

        forget(f);
        if (list_empty(&q->servers))
                question_free(q);
}

/* "www.example.com/6": the family tells questions apart, and whether the other one will do. */
static size_t make_key(struct str name, const struct lookup_want *w, char key[KEY_MAX])
{
        size_t n = 0;

        if (name.n && name.p[name.n - 1] == '.')
                name.n--;
        if (name.n > RESOLVE_NAME_MAX)
                return 0;
        for (; n < name.n; n++)
                key[n] = (char)chr_lower((unsigned char)name.p[n]);
        key[n++] = '/';
        key[n++] =
                (w->family ? w->family : w->prefer) == AF_INET ? '4' : '6'; /* IPv6 first unless told otherwise: 5.2 */
        key[n++] = w->family ? '!' : '?';
        return n;
}

static struct question *question_of(struct section *s, struct str name, const struct lookup_want *w, unsigned *n_new)
{
        char key[KEY_MAX];
        size_t n = make_key(name, w, key);
        struct question *q = n ? map_get(&s->by_name, (struct str){ key, n }) : NULL;

        if (q || n == 0)
                return q;
        q = calloc(1, sizeof(*q));
        ASSERT(q != NULL);
        memcpy(q->key, key, n);
        q->key_n = n;
        q->name_n = n - 3;
        q->section = s;
        q->family = key[n - 2] == '4' ? AF_INET : AF_INET6;
        q->only = w->family != AF_UNSPEC;
        q->valid = thr_self->now;
        q->ask.done = done;
        list_init(&q->servers);
        list_push(&s->questions, &q->link);
        map_set(&s->by_name, (struct str){ q->key, q->key_n }, q);
        timer_init(&q->next, begin_round);
        timer_start(thr_self->loop, &q->next, mono_add_ms(thr_self->now, (*n_new)++ / FIRST_PER_MS));
        return q;
}

static void sync_server(struct server *s, unsigned *n_new)
{
        const struct conf_obj *o = s->obj;
        const struct resolve_cfg *cfg = o ? conf_slot(o, resolve_slot) : NULL;
        const char *name = atomic_load_explicit(&s->fqdn, memory_order_acquire);
        struct section *sec = cfg && cfg->resolvers && name ? section_find(str_of(cfg->resolvers)) : NULL;
        struct question *q = sec ? question_of(sec, str_of(name), want_of(s), n_new) : NULL;
        struct follow *f = map_get(&follows, srv_key(&s));

        if (f && f->q != q) {
                follow_free(f);
                f = NULL;
        }
        if (!q)
                return;
        if (!f) {
                f = calloc(1, sizeof(*f));
                ASSERT(f != NULL);
                f->srv = s;
                f->q = q;
                map_set(&follows, srv_key(&f->srv), f);
        } else {
                list_del(&f->link);
        }
        list_push(&q->servers, &f->link); /* in the world's order */
        f->cfg = cfg;
        f->marked = true;
}

static void drop_unmarked(void)
{
        struct map_entry *e;
        struct list gone;

        list_init(&gone);
        for (size_t i = 0; (e = map_next(&follows, &i)) != NULL;) {
                struct follow *f = e->value;

                if (!f->marked) {
                        list_del(&f->link);
                        list_push(&gone, &f->link);
                }
                f->marked = false;
        }
        while (!list_empty(&gone))
                follow_free(list_first(&gone, struct follow, link));
}

static void drop_idle_questions(struct section *s)
{
        list_for_each_safe (i, &s->questions) {
                struct question *q = list_item(i, struct question, link);

                if (list_empty(&q->servers))
                        question_free(q);
        }
}

void follow_sync(void)
{
        unsigned n_new = 0;

        list_for_each (i, &world.backs) {
                struct back *b = list_item(i, struct back, link);

                for (uint32_t k = 0; k < b->n_srv; k++)
                        sync_server(b->srv[k], &n_new);
        }
        drop_unmarked();
        for (struct section *s = section_next(NULL); s; s = section_next(s))
                drop_idle_questions(s);
}

void follow_section_ends(struct section *s)
{
        list_for_each_safe (i, &s->questions) {
                struct question *q = list_item(i, struct question, link);

                list_for_each_safe (k, &q->servers)
                        forget(list_item(k, struct follow, link));
                question_free(q);
        }
}

/* ---- the runtime socket ---- */

static bool follows_names(const struct server *s)
{
        const struct conf_obj *o = s->obj;
        const struct resolve_cfg *cfg = o ? conf_slot(o, resolve_slot) : NULL;

        return cfg && cfg->resolvers && atomic_load_explicit(&s->fqdn, memory_order_acquire);
}

static void sync_here(void *arg)
{
        (void)arg;
        follow_sync();
}

static void renamed(void)
{
        engine_on_control(sync_here, NULL);
}

__attribute__((constructor)) static void boot(void)
{
        static const struct resolve_driver driver = { follows_names, renamed };

        resolve_driver = &driver;
}
