/* core/put.h - numbers as text for the hot paths: no format string, no NUL, never more than the room.
 *
 * Why: a log line is forty small numbers; snprintf would cost more than the rest of it.
 * Each function returns the new end of text; what does not fit is left out whole. */
#ifndef CORE_PUT_H
#define CORE_PUT_H

#include <stdint.h>
#include <string.h>

extern const char put_pairs[201]; /* "00" .. "99" */

static inline char *put_2(char *p, unsigned v) /* two digits, unchecked */
{
        memcpy(p, put_pairs + 2 * (v % 100), 2);
        return p + 2;
}

static inline char *put_3(char *p, unsigned v) /* three digits, unchecked */
{
        *p = (char)('0' + v / 100 % 10);
        return put_2(p + 1, v);
}

static inline char *put_u64(char *p, const char *end, uint64_t v)
{
        char tmp[20], *t = tmp + sizeof(tmp);
        size_t n;

        if (v < 10 && p < end) {
                *p = (char)('0' + v);
                return p + 1;
        }
        while (v >= 100) {
                t -= 2;
                memcpy(t, put_pairs + 2 * (v % 100), 2);
                v /= 100;
        }
        if (v >= 10) {
                t -= 2;
                memcpy(t, put_pairs + 2 * v, 2);
        } else {
                *--t = (char)('0' + v);
        }
        n = (size_t)(tmp + sizeof(tmp) - t);
        if (n > (size_t)(end - p))
                return p;
        memcpy(p, t, n);
        return p + n;
}

static inline char *put_i64(char *p, const char *end, int64_t v)
{
        char *q;

        if (v >= 0)
                return put_u64(p, end, (uint64_t)v);
        if (p >= end)
                return p;
        *p = '-';
        q = put_u64(p + 1, end, 0 - (uint64_t)v);
        return q == p + 1 ? p : q;
}

/* At least `digits` upper-case hexadecimal digits. */
static inline char *put_hex(char *p, const char *end, uint64_t v, unsigned digits)
{
        char tmp[16], *t = tmp + sizeof(tmp);
        size_t n;

        while (v || digits) {
                *--t = "0123456789ABCDEF"[v & 15];
                v >>= 4;
                if (digits)
                        digits--;
                if (t == tmp)
                        break;
        }
        n = (size_t)(tmp + sizeof(tmp) - t);
        if (n > (size_t)(end - p))
                return p;
        memcpy(p, t, n);
        return p + n;
}

/* As much of the bytes as fits. */
static inline char *put_bytes(char *p, const char *end, const char *s, size_t n)
{
        if (n > (size_t)(end - p))
                n = (size_t)(end - p);
        memcpy(p, s, n);
        return p + n;
}

#endif
