/* base/buf.h - a growable run of bytes, with a hard limit.
 *
 * Ownership: the caller's storage; buf_fini() frees the bytes (twice is fine).
 * Errors: appending past `limit` or out of memory sets `failed` and drops the bytes; check once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/assert.h"
#include "base/str.h"

struct buf {
        char *p;
        size_t n, cap;
        size_t limit; /* 0 = 64 MiB */
        bool failed;
};

#define BUF_INIT                                                                                                       \
        {                                                                                                              \
                NULL, 0, 0, 0, false                                                                                   \
        }

void buf_add(struct buf *b, const void *p, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) fmt_like(2, 3);
void buf_drop(struct buf *b, size_t n); /* forget the first n bytes */
void buf_fini(struct buf *b);
bool buf_reserve(struct buf *b, size_t n); /* room for n more bytes at b->p + b->n */

static inline void buf_str(struct buf *b, struct str s)
{
        buf_add(b, s.p, s.n);
}

static inline void buf_puts(struct buf *b, const char *z)
{
        buf_add(b, z, strlen(z));
}

static inline void buf_putc(struct buf *b, char c)
{
        buf_add(b, &c, 1);
}

static inline struct str buf_view(const struct buf *b)
{
        return (struct str){ b->p, b->n };
}

/* For cleanup attributes: AUTO_BUF(b); */
static inline void buf_autofini(struct buf *b)
{
        buf_fini(b);
}
#define AUTO_BUF(name) struct buf name __attribute__((cleanup(buf_autofini))) = BUF_INIT

#endif
