/* core/smp.c - samples: conversions between types (manual 7.1), scratch memory, keeping bytes past a wait. */
#include "core/expr.h"
#include "core/put.h"
#include "core/rules.h"
#include "core/vars.h"
#include "core/strm_own.h"
#include "base/slab.h"
#include "net/addr.h"
#include "proto/hmsg.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* ---- scratch: a converter may read one buffer while it writes the next; the third serves conditions that keep one ---- */

enum { SCRATCH_BUFS = 3, SCRATCH_BYTES = 16384 };

struct scratch {
        unsigned next;
        char p[SCRATCH_BUFS][SCRATCH_BYTES];
};

static unsigned local_index;

__attribute__((constructor)) static void reserve_index(void)
{
        local_index = thr_local_index(free);
}

char *expr_scratch(size_t *ret_n)
{
        struct scratch *s = thr_self->local[local_index];

        if (unlikely(!s)) {
                s = calloc(1, sizeof(*s));
                ASSERT(s); /* ADR 0002: once per thread */
                thr_self->local[local_index] = s;
        }
        s->next = (s->next + 1) % SCRATCH_BUFS;
        *ret_n = SCRATCH_BYTES;
        return s->p[s->next];
}

/* ---- casts ---- */

#define B(t) (1u << SMP_##t)

/* Which types each type converts to. SMP_ADDR stands for either family; SMP_ANY takes what comes. */
static const uint16_t casts[SMP_TYPES] = {
        [SMP_ANY] = 0xffff,
        [SMP_BOOL] = B(BOOL) | B(SINT) | B(STR),
        [SMP_SINT] = B(BOOL) | B(SINT) | B(IPV4) | B(ADDR) | B(STR) | B(BIN),
        [SMP_IPV4] = B(SINT) | B(IPV4) | B(IPV6) | B(ADDR) | B(STR) | B(BIN),
        [SMP_IPV6] = B(IPV4) | B(IPV6) | B(ADDR) | B(STR) | B(BIN),
        [SMP_ADDR] = B(IPV4) | B(IPV6) | B(ADDR) | B(STR) | B(BIN),
        [SMP_STR] = B(BOOL) | B(SINT) | B(IPV4) | B(IPV6) | B(ADDR) | B(STR) | B(BIN) | B(METH),
        [SMP_BIN] = B(SINT) | B(STR) | B(BIN),
        [SMP_METH] = B(STR) | B(BIN) | B(METH),
};

bool smp_can_cast(enum smp_type from, enum smp_type to)
{
        return to == SMP_ANY || (casts[from] & (1u << to));
}

const char *smp_type_name(enum smp_type t)
{
        static const char *const names[SMP_TYPES] = { "any",  "boolean", "integer", "ipv4",  "ipv6",
                                                      "addr", "string",  "binary",  "method" };

        return names[t];
}

static bool set_text(struct smp *s, char *p, size_t n, size_t cap)
{
        s->type = SMP_STR;
        s->is_const = false;
        s->s.p = p;
        s->s.n = (uint32_t)n;
        s->s.cap = (uint32_t)cap;
        return true;
}

static bool to_str(struct smp *s)
{
        size_t cap;
        char *p;

        if (s->type == SMP_BIN) { /* as HAProxy: text ends at the first NUL */
                s->s.n = (uint32_t)strnlen(s->s.p, s->s.n);
                s->type = SMP_STR;
                return true;
        }
        if (s->type == SMP_METH) {
                smp_str(s, (struct str){ s->m.p, s->m.n });
                return true;
        }
        p = expr_scratch(&cap);
        if (s->type == SMP_BOOL)
                return set_text(s, p, (size_t)(put_u64(p, p + cap, s->b) - p), cap);
        if (s->type == SMP_SINT)
                return set_text(s, p, (size_t)(put_i64(p, p + cap, s->i) - p), cap);
        if (!inet_ntop(s->type == SMP_IPV4 ? AF_INET : AF_INET6,
                       s->type == SMP_IPV4 ? (void *)&s->ip4 : (void *)&s->ip6, p, (socklen_t)cap))
                return false;
        return set_text(s, p, strlen(p), cap);
}

/* The number a text starts with; 0 when it starts with none, as HAProxy reads it. */
static int64_t leading_int(struct str t)
{
        uint64_t v = 0, limit = INT64_MAX;
        bool neg = t.n && t.p[0] == '-';

        for (size_t i = neg || (t.n && t.p[0] == '+') ? 1 : 0; i < t.n && chr_is_digit(t.p[i]); i++) {
                if (v > (limit - (uint64_t)(t.p[i] - '0')) / 10)
                        return neg ? INT64_MIN : INT64_MAX;
                v = v * 10 + (uint64_t)(t.p[i] - '0');
        }
        return neg ? -(int64_t)v : (int64_t)v;
}

static bool to_sint(struct smp *s)
{
        int64_t v = 0;

        switch (s->type) {
        case SMP_BOOL: v = s->b; break;
        case SMP_IPV4: v = ntohl(s->ip4.s_addr); break;
        case SMP_STR:
                if (s->s.n == 0)
                        return false;
                v = leading_int((struct str){ s->s.p, s->s.n });
                break;
        case SMP_BIN:
                for (uint32_t i = 0; i < s->s.n && i < 8; i++)
                        v = (int64_t)((uint64_t)v << 8 | (unsigned char)s->s.p[i]);
                break;
        default: return s->type == SMP_SINT;
        }
        if (s->type != SMP_SINT)
                smp_int(s, v);
        return true;
}

static bool parse_ip(struct smp *s, int family)
{
        char z[INET6_ADDRSTRLEN];
        struct in6_addr a;

        if (s->s.n == 0 || s->s.n >= sizeof(z))
                return false;
        memcpy(z, s->s.p, s->s.n);
        z[s->s.n] = '\0';
        if (inet_pton(family, z, &a) != 1)
                return false;
        s->type = family == AF_INET ? SMP_IPV4 : SMP_IPV6;
        if (family == AF_INET)
                memcpy(&s->ip4, &a, sizeof(s->ip4));
        else
                s->ip6 = a;
        return true;
}

static bool to_ip4(struct smp *s)
{
        struct in6_addr six = s->ip6;

        if (s->type == SMP_IPV4)
                return true;
        if (s->type == SMP_STR)
                return parse_ip(s, AF_INET);
        if (s->type == SMP_IPV6) {
                if (!IN6_IS_ADDR_V4MAPPED(&six))
                        return false;
                memcpy(&s->ip4, six.s6_addr + 12, 4);
        } else if (s->type == SMP_SINT) {
                s->ip4.s_addr = htonl((uint32_t)s->i);
        } else {
                return false;
        }
        s->type = SMP_IPV4;
        return true;
}

static bool to_ip6(struct smp *s)
{
        struct in6_addr six = { 0 };

        if (s->type == SMP_IPV6)
                return true;
        if (s->type == SMP_STR)
                return parse_ip(s, AF_INET6);
        if (s->type != SMP_IPV4)
                return false;
        six.s6_addr[10] = six.s6_addr[11] = 0xff;
        memcpy(six.s6_addr + 12, &s->ip4, 4);
        s->ip6 = six;
        s->type = SMP_IPV6;
        return true;
}

static bool to_addr(struct smp *s)
{
        if (s->type == SMP_IPV4 || s->type == SMP_IPV6)
                return true;
        if (s->type == SMP_STR)
                return parse_ip(s, AF_INET) || parse_ip(s, AF_INET6);
        return to_ip4(s);
}

static bool to_bin(struct smp *s)
{
        uint64_t be;
        size_t cap, n = 0;
        char *p;

        if (s->type == SMP_METH)
                smp_str(s, (struct str){ s->m.p, s->m.n });
        if (s->type == SMP_STR || s->type == SMP_BIN) {
                s->type = SMP_BIN;
                return true;
        }
        p = expr_scratch(&cap);
        if (s->type == SMP_SINT) {
                be = __builtin_bswap64((uint64_t)s->i);
                memcpy(p, &be, n = 8);
        } else if (s->type == SMP_IPV4) {
                memcpy(p, &s->ip4, n = 4);
        } else if (s->type == SMP_IPV6) {
                memcpy(p, &s->ip6, n = 16);
        }
        (void)set_text(s, p, n, cap);
        s->type = SMP_BIN;
        return true;
}

static bool to_bool(struct smp *s)
{
        if (s->type == SMP_BOOL)
                return true;
        if (!to_sint(s))
                return false;
        smp_bool(s, s->i != 0);
        return true;
}

static bool to_meth(struct smp *s)
{
        struct str t = { s->s.p, s->s.n };

        if (s->type != SMP_STR)
                return s->type == SMP_METH;
        s->type = SMP_METH;
        s->m.meth = hmsg_method_of(t);
        s->m.p = t.p;
        s->m.n = (uint32_t)t.n;
        return true;
}

bool smp_cast(struct smp *s, enum smp_type to)
{
        static bool (*const fn[SMP_TYPES])(struct smp *) = {
                [SMP_BOOL] = to_bool, [SMP_SINT] = to_sint, [SMP_IPV4] = to_ip4, [SMP_IPV6] = to_ip6,
                [SMP_ADDR] = to_addr, [SMP_STR] = to_str,   [SMP_BIN] = to_bin,  [SMP_METH] = to_meth
        };

        if (s->type == to || to == SMP_ANY)
                return true;
        return smp_can_cast(s->type, to) && fn[to](s);
}

/* ---- what a stream keeps ---- */

struct kept {
        struct kept *next;
        size_t size, used;
        char p[]; /* aligned to 8 */
};

struct expr_state {
        size_t size; /* of this block, for mem_put() */
        struct kept *kept;
        struct vars *vars;
        uint16_t resume[EXPR_RESUMES];
        uint16_t srv_status; /* 0: the stream's status is the server's */
        struct strm_tie tie;
        struct strm_prio prio;
        struct rules_seen rules;
        mono_t until;
        struct track_set *tracked;
        struct sticky *sticky;
        void *own[EXPR_OWNS];
        struct strm_own alone;
};

struct expr_state *expr_state_of(struct strm *st)
{
        size_t size;

        if (st->vars)
                return st->vars;
        st->vars = mem_get(sizeof(*st->vars), &size);
        if (!st->vars)
                return NULL;
        memset(st->vars, 0, sizeof(*st->vars));
        st->vars->size = size;
        st->has_more = true;
        return st->vars;
}

void expr_state_fini(struct strm *st)
{
        struct expr_state *e = st->vars;

        if (!e)
                return;
        vars_fini_stream(st);
        for (struct kept *k = e->kept, *next; k; k = next) {
                next = k->next;
                mem_put(k, k->size);
        }
        mem_put(e, e->size);
        st->vars = NULL;
}

struct vars **expr_vars(struct expr_state *e)
{
        return &e->vars;
}

mono_t *expr_until(struct expr_state *e)
{
        return &e->until;
}

struct strm_own *expr_strm_own(struct expr_state *e)
{
        return &e->alone;
}

struct strm_tie *expr_tie(struct expr_state *e)
{
        return &e->tie;
}

struct strm_prio *expr_prio(struct expr_state *e)
{
        return &e->prio;
}

struct track_set **expr_tracked(struct expr_state *e)
{
        return &e->tracked;
}

struct sticky **expr_sticky(struct expr_state *e)
{
        return &e->sticky;
}

struct rules_seen *expr_rules(struct expr_state *e)
{
        return &e->rules;
}

uint16_t *expr_resume(struct expr_state *e, unsigned which)
{
        ASSERT(which < array_len(e->resume));
        return &e->resume[which];
}

void **expr_own(struct expr_state *e, enum expr_own which)
{
        return &e->own[which];
}

void expr_keep_status(struct strm *st)
{
        struct expr_state *e = st->rsp_seen ? expr_state_of(st) : NULL; /* no memory: the later one is shown */

        if (e && !e->srv_status)
                e->srv_status = st->status;
}

uint16_t expr_server_status(const struct strm *st)
{
        if (st->vars && st->vars->srv_status)
                return st->vars->srv_status;
        return st->rsp_seen ? st->status : 0;
}

static char *keep_room(struct expr_state *e, size_t n)
{
        struct kept *k = e->kept;
        size_t size;

        n = (n + 7) & ~(size_t)7; /* what follows stays aligned */
        if (!k || k->size - sizeof(*k) - k->used < n) {
                k = mem_get(sizeof(*k) + n, &size);
                if (!k)
                        return NULL;
                *k = (struct kept){ .next = e->kept, .size = size };
                e->kept = k;
        }
        k->used += n;
        return k->p + k->used - n;
}

void *expr_keep(struct expr_state *e, size_t n)
{
        return n <= MEM_MAX / 2 ? keep_room(e, n) : NULL;
}

bool smp_keep(struct smp *s, struct strm *st)
{
        const char **p = s->type == SMP_METH ? &s->m.p : &s->s.p;
        uint32_t n = s->type == SMP_METH ? s->m.n : s->s.n;
        struct expr_state *e;
        char *to;

        if ((s->type != SMP_STR && s->type != SMP_BIN && s->type != SMP_METH) || n == 0)
                return true;
        e = expr_state_of(st);
        to = e ? keep_room(e, n) : NULL;
        if (!to)
                return false;
        memcpy(to, *p, n);
        *p = to;
        if (s->type != SMP_METH)
                s->s.cap = n;
        s->is_const = false;
        return true;
}
