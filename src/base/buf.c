/* base/buf.c - growable bytes; growth doubles, the limit is hard. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_LIMIT_DEFAULT (64u << 20)

bool buf_reserve(struct buf *b, size_t n)
{
        size_t limit = b->limit ? b->limit : BUF_LIMIT_DEFAULT, cap = b->cap ? b->cap : 256;
        char *p;

        if (n <= b->cap - b->n)
                return true;
        if (n > limit || b->n > limit - n) {
                b->failed = true;
                return false;
        }
        while (cap < b->n + n)
                cap *= 2;
        p = realloc(b->p, cap);
        if (!p) {
                b->failed = true;
                return false;
        }
        b->p = p;
        b->cap = cap;
        return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
        if (n == 0 || !buf_reserve(b, n))
                return;
        memcpy(b->p + b->n, p, n);
        b->n += n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (n < 0 || !buf_reserve(b, (size_t)n + 1)) {
                b->failed = true;
                return;
        }
        va_start(ap, fmt);
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
        va_end(ap);
        b->n += (size_t)n;
}

void buf_drop(struct buf *b, size_t n)
{
        ASSERT(n <= b->n);
        b->n -= n;
        if (b->n)
                memmove(b->p, b->p + n, b->n);
}

void buf_fini(struct buf *b)
{
        free(b->p);
        b->p = NULL;
        b->n = b->cap = 0;
}
