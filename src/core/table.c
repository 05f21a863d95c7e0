/* core/table.c - see table.h.
 *
 * Layout of an entry's data: the lock, then 8-byte values, then 4-byte ones and rates.
 * A table that no configuration has any more is an orphan while sessions hold entries of it: nobody can reach it otherwise,
 * so it is enough to look for holds now and then, and counting the holders of a table would cost every tracked request. */
#include "core/table.h"

#include "base/epoch.h"
#include "base/map.h"
#include "base/thr.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

const struct table_data_row table_data_rows[TD_N] = {
        [TD_SERVER_ID] = { "server_id", TF_U32, false, true },
        [TD_GPT0] = { "gpt0", TF_U32, false, true },
        [TD_GPC0] = { "gpc0", TF_U32, false, true },
        [TD_GPC0_RATE] = { "gpc0_rate", TF_RATE, false, true },
        [TD_CONN_CNT] = { "conn_cnt", TF_U32, false, true },
        [TD_CONN_RATE] = { "conn_rate", TF_RATE, false, true },
        [TD_CONN_CUR] = { "conn_cur", TF_U32, false, true },
        [TD_SESS_CNT] = { "sess_cnt", TF_U32, false, true },
        [TD_SESS_RATE] = { "sess_rate", TF_RATE, false, true },
        [TD_HTTP_REQ_CNT] = { "http_req_cnt", TF_U32, false, true },
        [TD_HTTP_REQ_RATE] = { "http_req_rate", TF_RATE, false, true },
        [TD_HTTP_ERR_CNT] = { "http_err_cnt", TF_U32, false, true },
        [TD_HTTP_ERR_RATE] = { "http_err_rate", TF_RATE, false, true },
        [TD_BYTES_IN_CNT] = { "bytes_in_cnt", TF_U64, false, true },
        [TD_BYTES_IN_RATE] = { "bytes_in_rate", TF_RATE, false, true },
        [TD_BYTES_OUT_CNT] = { "bytes_out_cnt", TF_U64, false, true },
        [TD_BYTES_OUT_RATE] = { "bytes_out_rate", TF_RATE, false, true },
        [TD_GPC1] = { "gpc1", TF_U32, false, true },
        [TD_GPC1_RATE] = { "gpc1_rate", TF_RATE, false, true },
        [TD_SERVER_KEY] = { "server_key", TF_KEY, false, true },
        [TD_HTTP_FAIL_CNT] = { "http_fail_cnt", TF_U32, false, true },
        [TD_HTTP_FAIL_RATE] = { "http_fail_rate", TF_RATE, false, true },
        [TD_GPT] = { "gpt", TF_U32, true, true },
        [TD_GPC] = { "gpc", TF_U32, true, true },
        [TD_GPC_RATE] = { "gpc_rate", TF_RATE, true, true },
        [TD_GLITCH_CNT] = { "glitch_cnt", TF_U32, false, true },
        [TD_GLITCH_RATE] = { "glitch_rate", TF_RATE, false, true },
};

const char *const table_key_names[TABLE_KEYS] = { "ip", "ipv6", "integer", "string", "binary" };

struct freq { /* events of the period that began at `from`, and of the one before it */
        uint32_t from_ms, n, before;
};

#define HEAD_BYTES 8 /* the lock, and what it takes to align */

/* ---- layout ---- */

static size_t element_bytes(enum table_form f)
{
        return f == TF_U64 ? 8 : f == TF_RATE ? sizeof(struct freq) : 4;
}

/* Those of 8 bytes first, so that all are aligned. off may be NULL. */
static uint32_t lay_out(const struct table_def *d, uint16_t *off)
{
        uint32_t at = HEAD_BYTES;

        for (int wide = 1; wide >= 0; wide--) {
                for (int td = 0; td < TD_N; td++) {
                        enum table_form f = table_data_rows[td].form;

                        if (!d->store[td].n || (f == TF_U64) != wide)
                                continue;
                        if (off)
                                off[td] = (uint16_t)at;
                        at += d->store[td].n * (uint32_t)element_bytes(f);
                }
        }
        return at;
}

uint32_t table_data_bytes(const struct table_def *d)
{
        uint32_t n = lay_out(d, NULL);

        return n <= UINT16_MAX - 8 ? n : 0;
}

/* ---- the ones that run ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list running = LIST_INIT(running), orphans = LIST_INIT(orphans);

static bool same_def(const struct table_def *a, const struct table_def *b)
{
        if (strcmp(a->name, b->name) != 0 || a->key != b->key || a->key_max != b->key_max ||
            a->no_purge != b->no_purge || a->srvkey != b->srvkey || a->brates_factor != b->brates_factor ||
            a->size != b->size || a->expire_ms != b->expire_ms)
                return false;
        for (int td = 0; td < TD_N; td++)
                if (a->store[td].n != b->store[td].n || a->store[td].period_ms != b->store[td].period_ms)
                        return false;
        return true;
}

static struct table *find_same(const struct table_def *d)
{
        list_for_each (i, &running) {
                struct table *t = list_item(i, struct table, link);

                if (same_def(&t->def, d))
                        return t;
        }
        return NULL;
}

static void table_free(struct table *t)
{
        list_del(&t->link);
        stick_fini(&t->stick);
        free(t->mem);
        free((void *)(uintptr_t)t->def.name);
        free(t);
}

static bool is_held(struct table *t)
{
        for (uint32_t i = stick_walk(&t->stick, 0, 0); i != STICK_NONE; i = stick_walk(&t->stick, i + 1, 0)) {
                bool held = stick_holders(&t->stick, i) > 1;

                stick_put(&t->stick, i);
                if (held)
                        return true;
        }
        return false;
}

static void free_orphans(void)
{
        list_for_each_safe (i, &orphans) {
                struct table *t = list_item(i, struct table, link);

                if (!is_held(t))
                        table_free(t);
        }
}

/* calloc() of a large block is fresh pages of the kernel: nothing is touched before it is used. */
static bool make_entries(struct table *t)
{
        struct stick_opts o = { .size = t->def.size,
                                .key_max = t->def.key_max,
                                .data_bytes = (uint16_t)lay_out(&t->def, t->off),
                                .expire_ms = t->def.expire_ms,
                                .no_purge = t->def.no_purge };

        t->mem = calloc(1, stick_bytes(&o) + 64);
        return t->mem && stick_init(&t->stick, &o, (void *)(((uintptr_t)t->mem + 63) & ~(uintptr_t)63)) == 0;
}

static struct table *table_new(const struct table_def *d)
{
        struct table *t = calloc(1, sizeof(*t));

        if (!t)
                return NULL;
        t->def = *d;
        t->def.name = strdup(d->name);
        if (t->def.name && make_entries(t)) {
                list_push(&running, &t->link);
                return t;
        }
        free(t->mem);
        free((void *)(uintptr_t)t->def.name);
        free(t);
        return NULL;
}

struct table *table_open(const struct table_def *d)
{
        struct table *t;

        (void)pthread_mutex_lock(&lock);
        free_orphans();
        t = find_same(d);
        if (!t && table_data_bytes(d))
                t = table_new(d);
        if (t)
                t->configs++;
        (void)pthread_mutex_unlock(&lock);
        return t;
}

void table_close(struct table *t)
{
        (void)pthread_mutex_lock(&lock);
        ASSERT(t->configs > 0);
        if (--t->configs == 0) {
                list_del(&t->link);
                list_push(&orphans, &t->link);
        }
        free_orphans();
        (void)pthread_mutex_unlock(&lock);
}

void table_purge(struct table *t)
{
        for (unsigned s = 0; s < STICK_SHARDS && t->def.expire_ms && stick_used(&t->stick); s++)
                (void)stick_purge(&t->stick, s, thr_self->now, UINT32_MAX);
}

static const struct tables *_Atomic published;

void tables_publish(const struct tables *now)
{
        epoch_publish(&published, now);
}

const struct tables *tables_now(void)
{
        static const struct tables none = { 0 };
        const struct tables *t = epoch_load(&published);

        return t ? t : &none;
}

struct table *table_find(struct str name)
{
        const struct tables *all = tables_now();

        for (size_t i = 0; i < all->n; i++)
                if (str_is(name, all->v[i]->def.name))
                        return all->v[i];
        return NULL;
}

/* ---- keys ---- */

enum smp_type table_smp_type(enum table_key k)
{
        static const enum smp_type types[TABLE_KEYS] = { SMP_IPV4, SMP_IPV6, SMP_SINT, SMP_STR, SMP_BIN };

        return types[k];
}

bool table_fits(const struct table_def *d, enum smp_type type)
{
        return smp_can_cast(type, table_smp_type(d->key));
}

bool table_key_of(const struct table *t, const struct smp *s, char *room, struct str *ret_key)
{
        struct smp k = *s;
        uint32_t n;

        if (!smp_cast(&k, table_smp_type(t->def.key)))
                return false;
        switch (t->def.key) {
        case TABLE_IPV4: memcpy(room, &k.ip4, n = 4); break;
        case TABLE_IPV6: memcpy(room, &k.ip6, n = 16); break;
        case TABLE_INT:
                n = (uint32_t)k.i;
                memcpy(room, &n, 4);
                n = 4;
                break;
        default:
                if (k.s.n == 0 && t->def.key == TABLE_STR)
                        return false; /* an empty key is none */
                if (t->def.key == TABLE_STR || k.s.n >= t->def.key_max || t->def.key_max > TABLE_KEY_ROOM) {
                        *ret_key = (struct str){ k.s.p, k.s.n < t->def.key_max ? k.s.n : t->def.key_max };
                        return true;
                }
                memset(room, 0, t->def.key_max); /* manual: padded by 0 */
                if (k.s.n)
                        memcpy(room, k.s.p, k.s.n);
                n = t->def.key_max;
        }
        *ret_key = (struct str){ room, n };
        return true;
}

void table_key_smp(const struct table *t, struct str key, struct smp *ret_smp)
{
        uint32_t v;

        ret_smp->type = table_smp_type(t->def.key);
        switch (t->def.key) {
        case TABLE_IPV4: memcpy(&ret_smp->ip4, key.p, 4); break;
        case TABLE_IPV6: memcpy(&ret_smp->ip6, key.p, 16); break;
        case TABLE_INT:
                memcpy(&v, key.p, 4);
                smp_int(ret_smp, v);
                break;
        default: smp_str(ret_smp, key); ret_smp->type = table_smp_type(t->def.key);
        }
}

/* ---- data ---- */

static void *data_lock(struct table *t, uint32_t i)
{
        atomic_uint *l = stick_data(&t->stick, i);

        while (unlikely(atomic_exchange_explicit(l, 1, memory_order_acquire))) /* pairs with data_unlock() */
                while (atomic_load_explicit(l, memory_order_relaxed))
                        sched_yield();
        return l;
}

static void data_unlock(void *data)
{
        atomic_store_explicit((atomic_uint *)data, 0, memory_order_release);
}

static uint32_t now_ms(void)
{
        return (uint32_t)(thr_self->now / NS_PER_MS);
}

/* The period that is now begins: the last one counts as the one before, unless a whole one passed without events. */
static void turn(struct freq *f, uint32_t now, uint32_t period)
{
        uint32_t gone = now - f->from_ms;

        if (likely(gone < period))
                return;
        f->before = gone < 2 * (uint64_t)period ? f->n : 0;
        f->from_ms = gone < 2 * (uint64_t)period ? f->from_ms + period : now;
        f->n = 0;
}

/* The events of the last period: those of the current one, and of the one before it the share that is left. One lonely event
 * stays until its share is nothing. */
static uint64_t events(const struct freq *in, uint32_t now, uint32_t period)
{
        struct freq f = *in;
        uint32_t gone;

        turn(&f, now, period);
        gone = now - f.from_ms;
        if (f.n == 0 && f.before <= 1)
                return f.before;
        return f.n + (uint64_t)f.before * (period - gone) / period;
}

static void *element(const struct table *t, void *data, enum table_data td, unsigned idx)
{
        return (char *)data + t->off[td] + idx * element_bytes(table_data_rows[td].form);
}

static uint64_t add(struct table *t, void *data, enum table_data td, unsigned idx, uint64_t by)
{
        void *e = element(t, data, td, idx);
        struct freq *f = e;

        switch (table_data_rows[td].form) {
        case TF_U64: return *(uint64_t *)e += by;
        case TF_RATE: turn(f, now_ms(), (uint32_t)t->def.store[td].period_ms); return f->n += (uint32_t)by;
        default: return *(uint32_t *)e += (uint32_t)by;
        }
}

static uint64_t value(const struct table *t, void *data, enum table_data td, unsigned idx)
{
        void *e = element(t, data, td, idx);

        switch (table_data_rows[td].form) {
        case TF_U64: return *(uint64_t *)e;
        case TF_RATE: return events(e, now_ms(), (uint32_t)t->def.store[td].period_ms);
        default: return *(uint32_t *)e;
        }
}

static void set(struct table *t, void *data, enum table_data td, unsigned idx, uint64_t v)
{
        void *e = element(t, data, td, idx);

        switch (table_data_rows[td].form) {
        case TF_U64: *(uint64_t *)e = v; break;
        case TF_RATE: *(struct freq *)e = (struct freq){ .from_ms = now_ms(), .n = (uint32_t)v }; break;
        default: *(uint32_t *)e = (uint32_t)v; break;
        }
}

uint64_t table_add(struct table *t, uint32_t i, enum table_data td, unsigned idx, uint64_t by)
{
        void *d;
        uint64_t v;

        if (!table_has(t, td, idx))
                return 0;
        d = data_lock(t, i);
        v = add(t, d, td, idx, by);
        data_unlock(d);
        return v;
}

uint64_t table_value(struct table *t, uint32_t i, enum table_data td, unsigned idx)
{
        void *d;
        uint64_t v;

        if (!table_has(t, td, idx))
                return 0;
        d = data_lock(t, i);
        v = value(t, d, td, idx);
        data_unlock(d);
        return v;
}

uint64_t table_set(struct table *t, uint32_t i, enum table_data td, unsigned idx, uint64_t v)
{
        void *d;
        uint64_t was;

        if (!table_has(t, td, idx))
                return 0;
        d = data_lock(t, i);
        was = value(t, d, td, idx);
        set(t, d, td, idx, v);
        data_unlock(d);
        return was;
}

enum table_data table_pick(const struct table *t, enum table_data td, unsigned *idx)
{
        static const struct {
                enum table_data one, array;
                unsigned idx;
        } same[] = { { TD_GPC0, TD_GPC, 0 },
                     { TD_GPC1, TD_GPC, 1 },
                     { TD_GPT0, TD_GPT, 0 },
                     { TD_GPC0_RATE, TD_GPC_RATE, 0 },
                     { TD_GPC1_RATE, TD_GPC_RATE, 1 } };

        for (size_t i = 0; i < array_len(same); i++)
                if (same[i].one == td && !t->def.store[td].n && t->def.store[same[i].array].n) {
                        *idx = same[i].idx;
                        return same[i].array;
                }
        return td;
}

uint64_t table_gpc_add(struct table *t, uint32_t i, enum table_data td, unsigned idx, uint64_t by)
{
        enum table_data rate = td == TD_GPC0 ? TD_GPC0_RATE : td == TD_GPC1 ? TD_GPC1_RATE : TD_GPC_RATE;
        unsigned rate_idx = idx;
        uint64_t n;

        rate = table_pick(t, rate, &rate_idx);
        td = table_pick(t, td, &idx);
        n = table_add(t, i, rate, rate_idx, by);
        return table_has(t, td, idx) ? table_add(t, i, td, idx, by) : n;
}

/* Bytes rates count blocks (brates-factor): what is less than one is left out. */
static uint64_t scaled(const struct table *t, const struct table_event *e)
{
        bool bytes = e->td == TD_BYTES_IN_RATE || e->td == TD_BYTES_OUT_RATE;

        return bytes && t->def.brates_factor > 1 ? e->by / t->def.brates_factor : e->by;
}

hot_path void table_events(struct table *t, uint32_t i, const struct table_event *e, size_t n)
{
        void *d = data_lock(t, i);

        for (size_t k = 0; k < n; k++)
                if (table_has(t, e[k].td, 0))
                        (void)add(t, d, e[k].td, 0, scaled(t, &e[k]));
        data_unlock(d);
}

/* ---- names ---- */

#define NAMES_MAX 65536 /* servers come and go by name resolution: what does not fit is not remembered */

static pthread_rwlock_t names_lock = PTHREAD_RWLOCK_INITIALIZER;
static struct map names = MAP_INIT;
static struct str *name_at; /* [n_names + 1] */
static uint32_t n_names;

static uint32_t name_number(struct str name)
{
        const void *v = map_get(&names, name);

        return (uint32_t)(uintptr_t)v;
}

static uint32_t name_add(struct str name)
{
        struct str *more = n_names < NAMES_MAX ? realloc(name_at, (n_names + 2) * sizeof(*more)) : NULL;
        char *copy;

        if (!more)
                return 0;
        name_at = more;
        copy = malloc(name.n + 1);
        if (!copy)
                return 0;
        memcpy(copy, name.p, name.n);
        if (!map_put(&names, (struct str){ copy, name.n }, (void *)(uintptr_t)(n_names + 1))) {
                free(copy);
                return 0;
        }
        name_at[++n_names] = (struct str){ copy, name.n };
        return n_names;
}

uint32_t table_name_put(struct str name)
{
        uint32_t number;

        (void)pthread_rwlock_rdlock(&names_lock);
        number = name_number(name);
        (void)pthread_rwlock_unlock(&names_lock);
        if (number || name.n == 0)
                return number;
        (void)pthread_rwlock_wrlock(&names_lock);
        number = name_number(name);
        if (!number)
                number = name_add(name);
        (void)pthread_rwlock_unlock(&names_lock);
        return number;
}

struct str table_name_get(uint32_t number)
{
        struct str s = { "", 0 };

        (void)pthread_rwlock_rdlock(&names_lock);
        if (number && number <= n_names)
                s = name_at[number];
        (void)pthread_rwlock_unlock(&names_lock);
        return s;
}
