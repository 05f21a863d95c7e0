/* feat/logs/store.c - lines in memory: a ring of records (32 bits of length, bytes) addressed by positions that only grow. */
#include "feat/logs/store.h"

#include "base/assert.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FORWARDS_MAX = 16 };

struct store {
        struct store *next;
        char *name, *description;
        pthread_mutex_t lock;
        pthread_cond_t more;
        char *p;
        size_t cap, maxlen;
        uint64_t first, end; /* positions: of the oldest record, behind the newest */
        struct forward *forward[FORWARDS_MAX];
        unsigned n_forwards;
        _Atomic uint64_t dropped;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *stores; /* by name; only grows */

/* ---- bytes ---- */

static void copy_in(struct store *s, uint64_t pos, const void *src, size_t n)
{
        size_t at = pos % s->cap, part = s->cap - at < n ? s->cap - at : n;

        memcpy(s->p + at, src, part);
        memcpy(s->p, (const char *)src + part, n - part);
}

static void copy_out(const struct store *s, uint64_t pos, void *dst, size_t n)
{
        size_t at = pos % s->cap, part = s->cap - at < n ? s->cap - at : n;

        memcpy(dst, s->p + at, part);
        memcpy((char *)dst + part, s->p, n - part);
}

static uint32_t length_at(const struct store *s, uint64_t pos)
{
        uint32_t n;

        copy_out(s, pos, &n, sizeof(n));
        return n;
}

/* Is the oldest record still to be sent somewhere? */
static bool is_held(const struct store *s)
{
        for (unsigned i = 0; i < s->n_forwards; i++) {
                if (forward_pos(s->forward[i]) <= s->first)
                        return true;
        }
        return false;
}

static bool make_room(struct store *s, size_t need)
{
        if (need > s->cap)
                return false;
        while (s->cap - (s->end - s->first) < need) {
                if (is_held(s))
                        return false;
                s->first += sizeof(uint32_t) + length_at(s, s->first);
        }
        return true;
}

static bool put(struct store *s, const struct iovec *v, int n, uint32_t len)
{
        uint64_t at;

        if (!make_room(s, sizeof(len) + len))
                return false;
        copy_in(s, s->end, &len, sizeof(len));
        at = s->end + sizeof(len);
        s->end = at + len;
        for (int i = 0; i < n && at < s->end; i++) {
                size_t part = v[i].iov_len < s->end - at ? v[i].iov_len : (size_t)(s->end - at);

                copy_in(s, at, v[i].iov_base, part);
                at += part;
        }
        return true;
}

bool store_put(struct store *s, const struct iovec *v, int n)
{
        size_t len = 0;
        bool ok;

        for (int i = 0; i < n; i++)
                len += v[i].iov_len;
        while (n && v[n - 1].iov_len == 0)
                n--;
        if (n && ((const char *)v[n - 1].iov_base)[v[n - 1].iov_len - 1] == '\n')
                len--;
        (void)pthread_mutex_lock(&s->lock);
        ok = put(s, v, n, (uint32_t)(len < s->maxlen ? len : s->maxlen));
        for (unsigned i = 0; ok && i < s->n_forwards; i++)
                forward_wake(s->forward[i]);
        if (ok && s->n_forwards)
                (void)pthread_cond_broadcast(&s->more);
        (void)pthread_mutex_unlock(&s->lock);
        if (!ok)
                atomic_fetch_add_explicit(&s->dropped, 1, memory_order_relaxed);
        return ok;
}

/* ---- readers ---- */

bool store_line(struct store *s, uint64_t *pos, char *dst, size_t room, size_t *ret_n)
{
        size_t n;

        if (*pos < s->first)
                *pos = s->first;
        if (*pos >= s->end)
                return false;
        n = length_at(s, *pos);
        *ret_n = n < room ? n : room;
        copy_out(s, *pos + sizeof(uint32_t), dst, *ret_n);
        *pos += sizeof(uint32_t) + n;
        return true;
}

bool store_read(struct store *s, uint64_t *pos, char end, struct buf *out)
{
        char *line = malloc(STORE_MAXLEN_DEFAULT * 4 + 1);
        size_t n;
        bool ok;

        if (!line)
                return false;
        (void)pthread_mutex_lock(&s->lock);
        ok = store_line(s, pos, line, STORE_MAXLEN_DEFAULT * 4, &n);
        (void)pthread_mutex_unlock(&s->lock);
        if (ok) {
                line[n] = end;
                buf_add(out, line, n + 1);
        }
        free(line);
        return ok;
}

uint64_t store_end(struct store *s)
{
        uint64_t end;

        (void)pthread_mutex_lock(&s->lock);
        end = s->end;
        (void)pthread_mutex_unlock(&s->lock);
        return end;
}

void store_lock(struct store *s)
{
        (void)pthread_mutex_lock(&s->lock);
}

void store_unlock(struct store *s)
{
        (void)pthread_mutex_unlock(&s->lock);
}

void store_wait(struct store *s, const struct timespec *until)
{
        if (until)
                (void)pthread_cond_timedwait(&s->more, &s->lock, until);
        else
                (void)pthread_cond_wait(&s->more, &s->lock);
}

/* ---- the list ---- */

static struct store *find(const char *name)
{
        struct store *s = stores;

        while (s && strcmp(s->name, name) != 0)
                s = s->next;
        return s;
}

struct store *store_find(const char *name)
{
        struct store *s;

        (void)pthread_mutex_lock(&list_lock);
        s = find(name);
        (void)pthread_mutex_unlock(&list_lock);
        return s;
}

static struct store *make(const char *name)
{
        struct store *s = calloc(1, sizeof(*s)), **at = &stores;

        ASSERT(s);
        s->name = strdup(name);
        s->cap = STORE_SIZE_DEFAULT;
        s->maxlen = STORE_MAXLEN_DEFAULT;
        s->p = malloc(s->cap);
        ASSERT(s->name && s->p); /* a ring of the configuration: ADR 0002 */
        (void)pthread_mutex_init(&s->lock, NULL);
        (void)pthread_cond_init(&s->more, NULL);
        while (*at && strcmp((*at)->name, name) < 0)
                at = &(*at)->next;
        s->next = *at;
        *at = s;
        return s;
}

struct store *store_get(const char *name)
{
        struct store *s;

        (void)pthread_mutex_lock(&list_lock);
        s = find(name);
        if (!s)
                s = make(name);
        (void)pthread_mutex_unlock(&list_lock);
        return s;
}

struct store *store_next(struct store *s)
{
        struct store *n;

        (void)pthread_mutex_lock(&list_lock);
        n = s ? s->next : stores;
        (void)pthread_mutex_unlock(&list_lock);
        return n;
}

const char *store_name(const struct store *s)
{
        return s->name;
}

void store_describe(struct store *s, struct buf *out)
{
        (void)pthread_mutex_lock(&s->lock);
        buf_puts(out, s->description ? s->description : s->name);
        (void)pthread_mutex_unlock(&s->lock);
}

uint64_t store_dropped(const struct store *s)
{
        return atomic_load_explicit(&s->dropped, memory_order_relaxed);
}

/* ---- settings ---- */

/* Positions stay: who reads goes on where it was. The oldest lines go when they do not fit any more. */
static void resize(struct store *s, size_t cap)
{
        struct store was = *s;
        char *line = malloc(s->cap), *p = malloc(cap);
        uint64_t pos;

        ASSERT(p && line);
        while (s->end - s->first > cap)
                s->first += sizeof(uint32_t) + length_at(s, s->first);
        pos = s->first;
        s->p = p;
        s->cap = cap;
        copy_out(&was, pos, line, (size_t)(s->end - pos));
        copy_in(s, pos, line, (size_t)(s->end - pos));
        free(line);
        free(was.p);
}

static bool is_wanted(const struct forward *f, const struct store_target *t)
{
        while (t && !forward_is(f, t))
                t = t->prev;
        return t != NULL;
}

static void set_forwards(struct store *s, const struct store_set *set)
{
        unsigned n = 0;

        for (unsigned i = 0; i < s->n_forwards; i++) {
                if (is_wanted(s->forward[i], set->targets))
                        s->forward[n++] = s->forward[i];
                else
                        forward_stop(s->forward[i]);
        }
        s->n_forwards = n;
        for (const struct store_target *t = set->targets; t; t = t->prev) {
                unsigned i = 0;

                while (i < n && !forward_is(s->forward[i], t))
                        i++;
                if (i == s->n_forwards && i < FORWARDS_MAX)
                        s->forward[s->n_forwards++] = forward_new(s, t, s->first);
                n = s->n_forwards;
        }
        for (unsigned i = 0; i < s->n_forwards; i++)
                forward_times(s->forward[i], set->connect_ms, set->server_ms);
}

void store_set(struct store *s, const struct store_set *set)
{
        (void)pthread_mutex_lock(&s->lock);
        free(s->description);
        s->description = set->description ? strdup(set->description) : NULL;
        s->maxlen = set->maxlen;
        if (set->size != s->cap)
                resize(s, set->size);
        set_forwards(s, set);
        (void)pthread_cond_broadcast(&s->more);
        (void)pthread_mutex_unlock(&s->lock);
}

static bool is_sent(struct store *s)
{
        bool sent = true;

        (void)pthread_mutex_lock(&s->lock);
        for (unsigned i = 0; i < s->n_forwards; i++)
                sent = sent && forward_pos(s->forward[i]) >= s->end;
        (void)pthread_mutex_unlock(&s->lock);
        return sent;
}

bool store_wait_sent(unsigned max_ms)
{
        const struct timespec step = { .tv_nsec = 5000000 };
        struct store *s;

        for (unsigned ms = 0;; ms += 5) {
                for (s = store_next(NULL); s && is_sent(s);)
                        s = store_next(s);
                if (!s || ms >= max_ms)
                        return !s;
                (void)nanosleep(&step, NULL);
        }
}
