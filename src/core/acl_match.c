/* core/acl_match.c - does a sample match one of the patterns (manual 7.1.1 to 7.1.6). */
#include "base/regex.h"
#include "core/pat.h"

#include <arpa/inet.h>

static bool bytes_eq(const char *a, const char *b, size_t n, bool icase)
{
        if (!icase)
                return memcmp(a, b, n) == 0;
        for (size_t i = 0; i < n; i++) {
                if (chr_lower((unsigned char)a[i]) != chr_lower((unsigned char)b[i]))
                        return false;
        }
        return true;
}

static bool match_sub(struct str v, const struct acl_pat *p)
{
        if (!p->icase)
                return p->s.n == 0 || memmem(v.p, v.n, p->s.p, p->s.n) != NULL;
        for (size_t i = 0; i + p->s.n <= v.n; i++) {
                if (bytes_eq(v.p + i, p->s.p, p->s.n, true))
                        return true;
        }
        return false;
}

static bool is_delim(char ch, bool dom)
{
        return ch == '/' || (dom && (ch == '.' || ch == ':' || ch == '?'));
}

/* The pattern between delimiters, or between one and an end; its own delimiters at both ends do not count. */
static bool match_part(struct str v, const struct acl_pat *p, bool dom)
{
        struct str w = p->s;

        while (w.n && is_delim(w.p[0], dom))
                w = str_sub(w, 1, w.n - 1);
        while (w.n && is_delim(w.p[w.n - 1], dom))
                w.n--;
        if (w.n == 0)
                return false;
        for (size_t i = 0; i + w.n <= v.n; i++) {
                if ((i == 0 || is_delim(v.p[i - 1], dom)) && (i + w.n == v.n || is_delim(v.p[i + w.n], dom)) &&
                    bytes_eq(v.p + i, w.p, w.n, p->icase))
                        return true;
        }
        return false;
}

static bool match_text(enum acl_match how, struct str v, const struct acl_pat *p)
{
        size_t n = p->s.n;

        switch (how) {
        case ACL_BIN:
        case ACL_STR: return v.n == n && bytes_eq(v.p, p->s.p, n, p->icase);
        case ACL_BEG: return v.n >= n && bytes_eq(v.p, p->s.p, n, p->icase);
        case ACL_END: return v.n >= n && bytes_eq(v.p + v.n - n, p->s.p, n, p->icase);
        case ACL_SUB: return match_sub(v, p);
        case ACL_DIR: return match_part(v, p, false);
        case ACL_DOM: return match_part(v, p, true);
        default: return false;
        }
}

static bool find_sorted(const struct acl_test *t, struct str v)
{
        uint32_t lo = 0, hi = t->n;

        while (lo < hi) {
                uint32_t mid = lo + (hi - lo) / 2;
                const struct str *p = &t->pat[mid].s;
                int d = p->n != v.n ? (p->n < v.n ? -1 : 1) : memcmp(p->p, v.p, v.n);

                if (d == 0)
                        return true;
                if (d < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return false;
}

static bool masked_eq(const uint8_t *a, const struct acl_pat *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if ((a[i] ^ p->ip[i]) & p->mask[i])
                        return false;
        }
        return true;
}

const uint8_t *acl_embedded_ip4(const uint8_t *six)
{
        static const uint8_t zero[12], mapped[12] = { [10] = 0xff, [11] = 0xff };

        if (six[0] == 0x20 && six[1] == 0x02)
                return six + 2;
        return memcmp(six, zero, 12) == 0 || memcmp(six, mapped, 12) == 0 ? six + 12 : NULL;
}

static bool match_ip(const struct smp *s, const struct acl_pat *p)
{
        uint8_t six[16] = { [10] = 0xff, [11] = 0xff };
        const uint8_t *four;

        if (s->type == SMP_IPV4) {
                memcpy(six + 12, &s->ip4, 4);
                return p->family == AF_INET ? masked_eq(six + 12, p, 4) : masked_eq(six, p, 16);
        }
        if (p->family == AF_INET6)
                return masked_eq(s->ip6.s6_addr, p, 16);
        four = acl_embedded_ip4(s->ip6.s6_addr);
        return four && masked_eq(four, p, 4);
}

bool acl_pat_match(enum acl_match how, const struct acl_pat *p, const struct smp *s)
{
        int64_t n;

        switch (how) {
        case ACL_INT:
        case ACL_LEN: n = how == ACL_INT ? s->i : (int64_t)s->s.n; return n >= p->lo && n <= p->hi;
        case ACL_IP: return match_ip(s, p);
        case ACL_REG: return regex_match(p->regex, (struct str){ s->s.p, s->s.n });
        default: return match_text(how, (struct str){ s->s.p, s->s.n }, p);
        }
}

bool acl_match(const struct acl_test *t, const struct smp *s)
{
        if (t->match == ACL_FOUND || t->match == ACL_BOOL)
                return t->match == ACL_FOUND || s->b;
        for (uint32_t i = 0; i < t->n_sets; i++) {
                if (pat_find(t->sets[i], s))
                        return true;
        }
        if (t->sorted)
                return find_sorted(t, (struct str){ s->s.p, s->s.n });
        for (uint32_t i = 0; i < t->n; i++) {
                if (acl_pat_match(t->match, &t->pat[i], s))
                        return true;
        }
        return false;
}
