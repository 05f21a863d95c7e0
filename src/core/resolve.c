/* core/resolve.c - flights: one question under way each, with all who wait for its answer. */
#include "core/resolve.h"

#include "base/thr.h"

#include <errno.h>
#include <stdlib.h>

const struct resolve_driver *resolve_driver;

struct resolve_flight {
        struct resolver *r;
        uint32_t id;
        enum resolve_type type;
        struct list asks;
        size_t n;
        char key[1 + RESOLVE_NAME_MAX]; /* the type, then the name in lower case */
};

/* Labels of 1 to 63 letters, digits, '-' and '_'; *ret_n bytes without a dot at the end. */
static bool name_take(struct str name, char *to, size_t *ret_n)
{
        size_t label = 0;

        if (name.n > 0 && name.p[name.n - 1] == '.')
                name.n--;
        if (name.n == 0 || name.n > RESOLVE_NAME_MAX)
                return false;
        for (size_t i = 0; i < name.n; i++) {
                unsigned char c = chr_lower((unsigned char)name.p[i]);
                bool dot = c == '.';

                if (dot ? label == 0 : !(chr_is_digit((char)c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'))
                        return false;
                label = dot ? 0 : label + 1;
                if (label > 63)
                        return false;
                to[i] = (char)c;
        }
        *ret_n = name.n;
        return label > 0;
}

bool resolve_name_ok(struct str name)
{
        char text[RESOLVE_NAME_MAX];
        size_t n;

        return name_take(name, text, &n);
}

static struct str name_key(const struct resolve_flight *f)
{
        return (struct str){ f->key, f->n };
}

static struct str id_key(const uint32_t *id)
{
        return (struct str){ (const char *)id, sizeof(*id) };
}

void resolve_init(struct resolver *r, struct loop *l, const struct resolve_ops *ops, void *arg)
{
        *r = (struct resolver){ .loop = l, .ops = ops, .arg = arg, .by_name = MAP_INIT, .by_id = MAP_INIT };
}

static void flight_end(struct resolve_flight *f)
{
        (void)map_del(&f->r->by_name, name_key(f));
        (void)map_del(&f->r->by_id, id_key(&f->id));
}

static void ask_leave(struct resolve_ask *a)
{
        timer_stop(a->flight->r->loop, &a->patience);
        list_del(&a->link);
        a->flight = NULL;
}

void resolve_cancel(struct resolver *r, struct resolve_ask *a)
{
        struct resolve_flight *f = a->flight;

        if (!f)
                return;
        ask_leave(a);
        if (!list_empty(&f->asks) || map_get(&r->by_id, id_key(&f->id)) != f)
                return; /* others wait; or its answer is being told, which frees it */
        flight_end(f);
        r->ops->cancel(r->arg, f->id);
        free(f);
}

void resolve_fini(struct resolver *r)
{
        struct map_entry *e;

        for (size_t i = 0; (e = map_next(&r->by_id, &i)) != NULL;) {
                struct resolve_flight *f = e->value;

                list_for_each_safe (a, &f->asks)
                        ask_leave(list_item(a, struct resolve_ask, link));
                r->ops->cancel(r->arg, f->id);
                free(f);
        }
        map_fini(&r->by_id);
        map_fini(&r->by_name);
}

static void out_of_patience(struct timer *t)
{
        struct resolve_ask *a = container_of(t, struct resolve_ask, patience);

        resolve_cancel(a->flight->r, a);
        a->done(a, RESOLVE_TIMEOUT, NULL, 0, 0);
}

static struct resolve_flight *flight_new(struct resolver *r, const char *key, size_t n)
{
        struct resolve_flight *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        do
                f->id = ++r->last_id;
        while (map_get(&r->by_id, id_key(&f->id)));
        f->r = r;
        f->n = n;
        f->type = (enum resolve_type)key[0];
        memcpy(f->key, key, n);
        list_init(&f->asks);
        if (map_put(&r->by_id, id_key(&f->id), f) && map_put(&r->by_name, name_key(f), f))
                return f;
        flight_end(f);
        free(f);
        return NULL;
}

int resolve_ask(struct resolver *r, struct resolve_ask *a, struct str name, enum resolve_type type, uint32_t timeout_ms)
{
        char key[1 + RESOLVE_NAME_MAX] = { (char)type };
        struct resolve_flight *f;
        size_t n;
        int err;

        if (!name_take(name, key + 1, &n))
                return -EINVAL;
        f = map_get(&r->by_name, (struct str){ key, n + 1 });
        if (!f) {
                f = flight_new(r, key, n + 1);
                if (!f)
                        return -ENOMEM;
                err = r->ops->send(r->arg, f->id, (struct str){ f->key + 1, n }, type);
                if (err < 0) {
                        flight_end(f);
                        free(f);
                        return err;
                }
        }
        a->flight = f;
        list_push(&f->asks, &a->link);
        timer_init(&a->patience, out_of_patience);
        timer_start(r->loop, &a->patience, mono_add_ms(thr_self->now, timeout_ms));
        return 0;
}

/* Keeps what was asked for and can be believed; *ret_ttl is the shortest time of it. */
static size_t clean(enum resolve_type type, struct resolve_record *rec, size_t n, uint32_t *ret_ttl)
{
        uint32_t ttl = RESOLVE_TTL_MAX_S;
        size_t kept = 0, len;

        for (size_t i = 0; i < n && kept < RESOLVE_RECORDS_MAX; i++) {
                struct resolve_record *x = &rec[i];

                if (x->type != type)
                        continue;
                if (type == RESOLVE_SRV) {
                        len = strnlen(x->target, sizeof(x->target));
                        if (x->port == 0 || !name_take((struct str){ x->target, len }, x->target, &len))
                                continue; /* "." too: the service is not offered (RFC 2782) */
                        x->target[len] = 0;
                }
                if (x->ttl_s > INT32_MAX) /* RFC 2181 section 8: as if it were 0 */
                        x->ttl_s = 0;
                if (x->ttl_s < ttl)
                        ttl = x->ttl_s;
                if (kept != i)
                        rec[kept] = *x;
                kept++;
        }
        *ret_ttl = kept ? ttl : 0;
        return kept;
}

bool resolve_answer(struct resolver *r, uint32_t id, enum resolve_verdict v, struct resolve_record *rec, size_t n)
{
        struct resolve_flight *f = map_get(&r->by_id, id_key(&id));
        uint32_t ttl = 0;

        if (!f)
                return false;
        flight_end(f); /* who asks again from done() starts a new one */
        n = v == RESOLVE_OK ? clean(f->type, rec, n, &ttl) : 0;
        if (v == RESOLVE_OK && n == 0)
                v = RESOLVE_OTHER;
        while (!list_empty(&f->asks)) { /* done() may cancel others of this list */
                struct resolve_ask *a = list_first(&f->asks, struct resolve_ask, link);

                ask_leave(a);
                a->done(a, v, n ? rec : NULL, n, ttl);
        }
        free(f);
        return true;
}
