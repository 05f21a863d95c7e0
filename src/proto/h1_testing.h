/* proto/h1_testing.h - what the tests and fuzzers of the HTTP/1 codec share: storage, feeding, writing into one string. */
#ifndef PROTO_H1_TESTING_H
#define PROTO_H1_TESTING_H

#include "proto/h1.h"

#include <stdlib.h>

enum { HT_FIELDS = 100, HT_IOV = 512 };

enum ht_kind { HT_REQUEST, HT_RESPONSE, HT_TRAILERS };

struct ht {
        struct h1 h;
        struct hmsg m;
        struct hfield f[HT_FIELDS];
        char arena[4096];
        char *bytes; /* heap, exact size: the sanitizer sees a read past the end */
        enum ht_kind kind;
        enum hmeth req;
};

static inline void ht_init(struct ht *t, enum ht_kind kind, enum hmeth req, unsigned opts)
{
        h1_init(&t->h, 0, opts);
        hmsg_init(&t->m, t->f, HT_FIELDS, t->arena, sizeof(t->arena));
        t->bytes = NULL;
        t->kind = kind;
        t->req = req;
}

static inline void ht_fini(struct ht *t)
{
        free(t->bytes);
        t->bytes = NULL;
}

/* Feeds the first n bytes, in a fresh block of just that size (what the last call changed in place is carried over). */
static inline enum h1_verdict ht_feed(struct ht *t, const char *p, uint32_t old, uint32_t n)
{
        char *fresh = malloc(n ? n : 1);

        if (!fresh)
                abort();
        if (old)
                memcpy(fresh, t->bytes, old);
        if (n > old)
                memcpy(fresh + old, p + old, n - old);
        free(t->bytes);
        t->bytes = fresh;
        hmsg_rebase(&t->m, fresh, n);
        switch (t->kind) {
        case HT_REQUEST: return h1_request(&t->h, &t->m, n);
        case HT_RESPONSE: return h1_response(&t->h, &t->m, n, t->req);
        default: return h1_trailers(&t->h, &t->m, n);
        }
}

static inline enum h1_verdict ht_all(struct ht *t, const char *p, uint32_t n)
{
        return ht_feed(t, p, 0, n);
}

/* In pieces of `step` bytes; stops at the first verdict other than MORE. */
static inline enum h1_verdict ht_pieces(struct ht *t, const char *p, uint32_t n, uint32_t step)
{
        enum h1_verdict v = H1_MORE;

        for (uint32_t old = 0; v == H1_MORE && old < n;) {
                uint32_t now = n - old > step ? old + step : n;
                v = ht_feed(t, p, old, now);
                old = now;
        }
        return v;
}

/* The writer's frame for passing the message on unchanged. */
static inline struct h1_wopt ht_frame(const struct hmsg *m)
{
        return (struct h1_wopt){ .frame = m->announced, .length = m->length };
}

/* Writes into one heap string (NUL added); returns h1_write()'s answer. */
static inline int ht_write(const struct hmsg *m, const struct h1_wopt *o, char **ret_s, size_t *ret_n)
{
        struct iovec iov[HT_IOV];
        struct h1_out out = { .iov = iov, .iov_cap = HT_IOV, .scratch_cap = m->head_len + 1024 };
        size_t n = 0;

        out.scratch = malloc(out.scratch_cap);
        int r = o ? h1_write(m, o, &out) : h1_write_trailers(m, &out);
        char *s = malloc(out.total + 1);
        if (!s)
                abort();
        for (uint32_t i = 0; i < out.niov; i++) {
                memcpy(s + n, iov[i].iov_base, iov[i].iov_len);
                n += iov[i].iov_len;
        }
        s[n] = '\0';
        free(out.scratch);
        *ret_s = s;
        *ret_n = n;
        return r;
}

#endif
