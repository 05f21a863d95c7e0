/* base/str.c - comparisons and number parsing over borrowed bytes. */
#include "base/str.h"

#include "base/assert.h"

bool str_ieq(struct str a, struct str b)
{
        if (a.n != b.n)
                return false;
        for (size_t i = 0; i < a.n; i++)
                if (chr_lower((unsigned char)a.p[i]) != chr_lower((unsigned char)b.p[i]))
                        return false;
        return true;
}

bool str_has_prefix(struct str s, struct str prefix)
{
        return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_is_token(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!chr_is_alnum(s.p[i]) && (!s.p[i] || !strchr("!#$%&'*+-.^_`|~", s.p[i])))
                        return false;
        return s.n > 0;
}

struct str str_trim(struct str s)
{
        while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
                s.p++, s.n--;
        while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
                s.n--;
        return s;
}

bool str_to_u64(struct str s, uint64_t *ret_v)
{
        uint64_t v = 0;

        if (s.n == 0)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                if (!chr_is_digit(s.p[i]) || __builtin_mul_overflow(v, 10u, &v) ||
                    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
                        return false;
        }
        *ret_v = v;
        return true;
}

bool str_to_i64(struct str s, int64_t *ret_v)
{
        bool neg = s.n && s.p[0] == '-';
        uint64_t v;

        if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
                s = str_sub(s, 1, s.n - 1);
        if (!str_to_u64(s, &v) || v > (uint64_t)INT64_MAX + (neg ? 1 : 0))
                return false;
        *ret_v = neg ? (int64_t)(0 - v) : (int64_t)v;
        return true;
}

size_t str_distance(struct str a, struct str b)
{
        size_t row[3][64]; /* only the last two rows of the table are ever looked at */

        a.n = a.n < 63 ? a.n : 63;
        b.n = b.n < 63 ? b.n : 63;
        for (size_t j = 0; j <= b.n; j++)
                row[0][j] = j;
        for (size_t i = 1; i <= a.n; i++) {
                size_t *cur = row[i % 3], *up = row[(i - 1) % 3], *up2 = row[(i + 1) % 3];
                cur[0] = i;
                for (size_t j = 1; j <= b.n; j++) {
                        size_t best = up[j - 1] + (a.p[i - 1] != b.p[j - 1]);
                        best = best < up[j] + 1 ? best : up[j] + 1;
                        best = best < cur[j - 1] + 1 ? best : cur[j - 1] + 1;
                        if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                                best = best < up2[j - 2] + 1 ? best : up2[j - 2] + 1;
                        cur[j] = best;
                }
        }
        return row[a.n % 3][b.n];
}
