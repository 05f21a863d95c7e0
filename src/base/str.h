/* base/str.h - a borrowed run of bytes, not terminated by NUL.
 *
 * Ownership: a struct str never owns; the owner is named where the str is handed out.
 * Errors: none; parsers return false and leave *ret_x untouched. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
        const char *p;
        size_t n;
};

#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })

static inline struct str str_of(const char *z)
{
        return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
        return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *z)
{
        return str_eq(a, str_of(z));
}

/* n bytes from there on; the caller knows that they are there. */
static inline struct str str_sub(struct str s, size_t from, size_t n)
{
        return (struct str){ s.p + from, n };
}

/* ASCII only, independent of the locale (RFC 9110 5.1: field names are case-insensitive ASCII tokens). */
static inline unsigned char chr_lower(unsigned char c)
{
        return (unsigned char)((unsigned char)(c - 'A') < 26 ? c | 0x20 : c);
}

static inline bool chr_is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool chr_is_digit(char c)
{
        return (unsigned char)(c - '0') < 10;
}

bool str_ieq(struct str a, struct str b); /* equal but for ASCII case */
bool str_has_prefix(struct str s, struct str prefix);
bool str_is_token(struct str s);                /* RFC 9110 5.6.2: names of fields, methods and cookies */
struct str str_trim(struct str s);              /* without SP and HTAB at both ends */
bool str_to_u64(struct str s, uint64_t *ret_v); /* digits only, the whole string, no overflow */
bool str_to_i64(struct str s, int64_t *ret_v);  /* optional sign, digits */
size_t str_distance(
        struct str a,
        struct str b); /* edit distance (insert, drop, change, swap), for "did you mean"; compares at most 63 bytes */

#endif
