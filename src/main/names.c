/* main/names.c - see the header. A batch is shared by the loader and its threads and goes with the last of them. */
#include "main/names.h"

#include "base/map.h"
#include "base/time.h"
#include "core/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct row {
        char *name;
        struct buf text;
        int err;
        bool known;
};

struct batch {
        pthread_mutex_t lock;
        pthread_cond_t news;
        unsigned refs; /* the loader, and each thread */
        struct row *v;
        struct map names; /* of v, while it is filled */
        size_t n, cap, next, n_known;
        bool given_up; /* nobody reads the answers any more */
};

static struct {
        struct map known; /* name -> struct row */
        struct row **rows;
        size_t n_rows;
        int64_t left_ms;
} load = { .known = MAP_INIT };

int (*names_system)(const char *name, struct buf *out);

static int ask_system(const char *name, struct buf *out)
{
        struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *all = NULL;
        struct addr a;

        if (names_system)
                return names_system(name, out);
        if (getaddrinfo(name, NULL, &hints, &all) != 0)
                return -ENOENT;
        for (const struct addrinfo *i = all; i; i = i->ai_next) {
                if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
                        continue;
                addr_from_sockaddr(&a, i->ai_addr, i->ai_addrlen);
                addr_print_ip(&a, out);
                buf_putc(out, '\n');
        }
        freeaddrinfo(all);
        return out->n ? 0 : -ENOENT;
}

/* ---- batches ---- */

static void batch_put(struct batch *b) /* with its lock */
{
        bool last = --b->refs == 0;

        pthread_mutex_unlock(&b->lock);
        if (!last)
                return;
        for (size_t i = 0; i < b->n; i++) {
                free(b->v[i].name);
                buf_fini(&b->v[i].text);
        }
        free(b->v);
        map_fini(&b->names);
        pthread_mutex_destroy(&b->lock);
        pthread_cond_destroy(&b->news);
        free(b);
}

static void *ask_all(void *arg)
{
        struct batch *b = arg;

        pthread_mutex_lock(&b->lock);
        while (b->next < b->n && !b->given_up) {
                struct row *r = &b->v[b->next++];
                struct buf text = BUF_INIT;
                int err;

                pthread_mutex_unlock(&b->lock);
                err = ask_system(r->name, &text);
                pthread_mutex_lock(&b->lock);
                r->text = text;
                r->err = err;
                r->known = true;
                b->n_known++;
                pthread_cond_signal(&b->news);
        }
        batch_put(b);
        return NULL;
}

static struct batch *batch_new(void)
{
        struct batch *b = calloc(1, sizeof(*b));
        pthread_condattr_t at;

        ASSERT(b != NULL);
        b->refs = 1;
        b->names = (struct map)MAP_INIT;
        (void)pthread_mutex_init(&b->lock, NULL); /* these cannot fail on Linux */
        (void)pthread_condattr_init(&at);
        (void)pthread_condattr_setclock(&at, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&b->news, &at);
        (void)pthread_condattr_destroy(&at);
        return b;
}

static void batch_add(void *ctx, const char *name)
{
        struct batch *b = ctx;

        if (map_get(&load.known, str_of(name)))
                return;
        if (map_get(&b->names, str_of(name)))
                return;
        if (b->n == b->cap) {
                b->cap = b->cap ? b->cap * 2 : 64;
                b->v = realloc(b->v, b->cap * sizeof(*b->v));
                ASSERT(b->v != NULL);
        }
        b->v[b->n] = (struct row){ .name = strdup(name), .text = BUF_INIT };
        ASSERT(b->v[b->n].name != NULL);
        map_set(&b->names, str_of(b->v[b->n].name), b);
        b->n++;
}

static void start_threads(struct batch *b) /* with its lock */
{
        size_t n = b->n < NAMES_AT_ONCE ? b->n : NAMES_AT_ONCE;
        pthread_attr_t at;
        pthread_t id;

        (void)pthread_attr_init(&at);
        (void)pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
        for (size_t i = 0; i < n; i++)
                if (pthread_create(&id, &at, ask_all, b) == 0)
                        b->refs++;
        (void)pthread_attr_destroy(&at);
}

static int64_t now_ms(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wait_for_all(struct batch *b) /* with its lock */
{
        int64_t begin = now_ms(), end = begin + load.left_ms;
        struct timespec until = { .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };

        while (b->refs > 1 && b->n_known < b->n)
                if (pthread_cond_timedwait(&b->news, &b->lock, &until) != 0)
                        break;
        load.left_ms -= now_ms() - begin;
        if (load.left_ms < 0)
                load.left_ms = 0;
        b->given_up = true;
}

/* What is known now is what this load knows of the name; no answer is an answer, too: it is not waited for again. */
static void keep(struct batch *b) /* with its lock */
{
        load.rows = realloc(load.rows, (load.n_rows + b->n) * sizeof(*load.rows));
        ASSERT(load.rows != NULL);
        for (size_t i = 0; i < b->n; i++) {
                const struct row *from = &b->v[i];
                struct row *r;

                if (map_get(&load.known, str_of(from->name)))
                        continue;
                r = calloc(1, sizeof(*r));
                ASSERT(r != NULL);
                r->name = strdup(from->name);
                ASSERT(r->name != NULL);
                r->err = from->known ? from->err : -ETIMEDOUT;
                if (from->known)
                        buf_str(&r->text, buf_view(&from->text));
                map_set(&load.known, str_of(r->name), r);
                load.rows[load.n_rows++] = r;
        }
}

static int host(const char *name, void (*others)(lookup_add_fn add, void *ctx), struct buf *out)
{
        const struct row *r = map_get(&load.known, str_of(name));

        if (!r) {
                struct batch *b = batch_new();

                batch_add(b, name);
                if (others)
                        others(batch_add, b);
                pthread_mutex_lock(&b->lock);
                start_threads(b);
                wait_for_all(b);
                keep(b);
                batch_put(b);
                r = map_get(&load.known, str_of(name));
                ASSERT(r != NULL);
        }
        if (r->err == 0)
                buf_str(out, buf_view(&r->text));
        return r->err;
}

void names_begin(int patience_ms)
{
        static const struct lookup_ops ops = { host };

        names_end();
        load.left_ms = patience_ms;
        lookup_ops = &ops;
}

void names_end(void)
{
        lookup_ops = NULL;
        map_fini(&load.known);
        load.known = (struct map)MAP_INIT;
        for (size_t i = 0; i < load.n_rows; i++) {
                free(load.rows[i]->name);
                buf_fini(&load.rows[i]->text);
                free(load.rows[i]);
        }
        free(load.rows);
        load.rows = NULL;
        load.n_rows = 0;
}
