/* proto/dns.c - see the header. */
#include "proto/dns.h"

#include "base/assert.h"

#define HEAD         12u
#define CLASS_IN     1
#define JUMPS_MAX    64    /* of one compressed name */
#define RECORDS_SEEN 2048u /* of one answer: no datagram holds more */

/* ---- writing ---- */

static void put16(unsigned char *p, unsigned v)
{
        p[0] = (unsigned char)(v >> 8);
        p[1] = (unsigned char)v;
}

/* Labels of 1 to 63 bytes; the bytes written, 0 when it is no name. */
static size_t put_name(struct str name, unsigned char *to)
{
        size_t at = 0;

        if (name.n && name.p[name.n - 1] == '.')
                name.n--;
        if (name.n == 0 || name.n > DNS_NAME_MAX)
                return 0;
        while (name.n) {
                const char *dot = memchr(name.p, '.', name.n);
                size_t label = dot ? (size_t)(dot - name.p) : name.n;

                if (label == 0 || label > 63 || (dot && label + 1 == name.n))
                        return 0;
                to[at++] = (unsigned char)label;
                memcpy(to + at, name.p, label);
                at += label;
                name = str_sub(name, label + (dot != NULL), name.n - label - (dot != NULL));
        }
        to[at++] = 0;
        return at;
}

size_t dns_query(const struct dns_question *q, uint16_t payload, unsigned char to[DNS_QUERY_MAX])
{
        static const unsigned char flags[] = { 1, 0, 0, 1, 0, 0, 0, 0, 0, 1 }; /* RD; one question, one additional */
        size_t name = put_name(q->name, to + HEAD), at = HEAD + name;

        if (name == 0)
                return 0;
        put16(to, q->id);
        memcpy(to + 2, flags, sizeof(flags));
        put16(to + at, q->type);
        put16(to + at + 2, CLASS_IN);
        to[at + 4] = 0; /* OPT, RFC 6891 section 6.1.2: root, type, our payload, no extended flags, no data */
        put16(to + at + 5, DNS_OPT);
        put16(to + at + 7, payload < DNS_PAYLOAD_MIN ? DNS_PAYLOAD_MIN : payload);
        memset(to + at + 9, 0, 6);
        return at + 15;
}

/* ---- reading ---- */

struct name { /* in lower case, with dots */
        size_t n;
        char text[DNS_NAME_MAX + 2];
};

struct rec {
        size_t owner, data; /* offsets */
        unsigned type, len;
        uint32_t ttl_s;
};

struct reader {
        const unsigned char *p;
        size_t n, at;
};

static unsigned get16(const struct reader *r, size_t at)
{
        return (unsigned)r->p[at] << 8 | r->p[at + 1];
}

/* One label at `at` into `to`. A dot or NUL inside one could pass for another name. */
static bool take_label(const struct reader *r, size_t at, size_t len, struct name *to)
{
        if (at + len > r->n || to->n + len + 1 > DNS_NAME_MAX + 1)
                return false;
        for (size_t i = 0; i < len; i++) {
                unsigned char c = chr_lower(r->p[at + i]);

                if (c <= ' ' || c == '.')
                        return false;
                to->text[to->n++] = (char)c;
        }
        to->text[to->n++] = '.';
        return true;
}

/* The name at `at`; where what follows it begins, 0 when it is broken. A pointer must lead backwards, so it ends. */
static size_t take_name(const struct reader *r, size_t at, struct name *to)
{
        size_t next = 0, low = at;

        to->n = 0;
        for (unsigned jumps = 0; at < r->n;) {
                unsigned len = r->p[at];

                if (len == 0)
                        return next ? next : at + 1;
                if (len >= 0xc0) {
                        size_t to_at;

                        if (at + 2 > r->n || ++jumps > JUMPS_MAX)
                                return 0;
                        to_at = get16(r, at) & 0x3fff;
                        if (to_at >= low)
                                return 0;
                        next = next ? next : at + 2;
                        at = low = to_at;
                        continue;
                }
                if (len > 63 || !take_label(r, at + 1, len, to))
                        return 0;
                at += 1 + len;
        }
        return 0;
}

static bool name_is(const struct name *a, const struct name *b)
{
        return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

static bool take_record(struct reader *r, struct rec *ret)
{
        struct name skipped;
        size_t at = take_name(r, r->at, &skipped);

        if (at == 0 || at + 10 > r->n)
                return false;
        ret->owner = r->at;
        ret->type = get16(r, at);
        if (get16(r, at + 2) != CLASS_IN)
                ret->type = 0;
        ret->ttl_s = (uint32_t)get16(r, at + 4) << 16 | get16(r, at + 6);
        ret->len = get16(r, at + 8);
        ret->data = at + 10;
        r->at = at + 10 + ret->len;
        return r->at <= r->n;
}

/* Does it answer this question? r->at is then behind the question; *ret_name is the name asked for. */
static bool take_question(struct reader *r, const struct dns_question *q, struct name *ret_name)
{
        unsigned char wire[DNS_QUERY_MAX];
        size_t len = put_name(q->name, wire), at;
        struct reader asked = { wire, len, 0 };
        struct name got;

        if (len == 0 || r->n < HEAD || get16(r, 0) != q->id || !(r->p[2] & 0x80) || get16(r, 4) != 1)
                return false;
        at = take_name(r, HEAD, &got);
        if (at == 0 || at + 4 > r->n || get16(r, at) != q->type || get16(r, at + 2) != CLASS_IN)
                return false;
        r->at = at + 4;
        return take_name(&asked, 0, ret_name) != 0 && name_is(&got, ret_name);
}

static bool owned_by(const struct reader *r, const struct rec *x, const struct name *owner)
{
        struct name n;

        return take_name(r, x->owner, &n) != 0 && name_is(&n, owner);
}

struct answer { /* what was read, and what is given out */
        struct reader r;
        const struct dns_question *q;
        struct rec recs[RECORDS_SEEN];
        size_t n_recs;
        struct dns_record *to;
        size_t max, n;
        unsigned aliases;
};

static void collect(struct answer *a, const struct name *owner, uint32_t ttl_s)
{
        unsigned len = a->q->type == DNS_A ? 4 : 16;

        for (size_t i = 0; i < a->n_recs && a->n < a->max; i++) {
                const struct rec *x = &a->recs[i];
                struct dns_record *to = &a->to[a->n];

                if (x->type != a->q->type || x->len != len || !owned_by(&a->r, x, owner))
                        continue;
                memset(to, 0, sizeof(*to));
                memcpy(to->ip, a->r.p + x->data, len);
                to->ttl_s = x->ttl_s < ttl_s ? x->ttl_s : ttl_s;
                a->n++;
        }
}

static const struct rec *find_alias(const struct answer *a, const struct name *owner)
{
        for (size_t i = 0; i < a->n_recs; i++)
                if (a->recs[i].type == DNS_CNAME && owned_by(&a->r, &a->recs[i], owner))
                        return &a->recs[i];
        return NULL;
}

static enum dns_verdict follow(struct answer *a, struct name *owner)
{
        uint32_t ttl_s = UINT32_MAX;

        for (; a->aliases <= DNS_ALIASES_MAX; a->aliases++) {
                const struct rec *x;

                collect(a, owner, ttl_s);
                if (a->n)
                        return DNS_OK;
                x = find_alias(a, owner);
                if (!x)
                        return a->aliases ? DNS_ALIAS_END : DNS_EMPTY;
                if (x->ttl_s < ttl_s)
                        ttl_s = x->ttl_s;
                if (take_name(&a->r, x->data, owner) == 0)
                        return DNS_INVALID;
        }
        return DNS_ALIAS_END;
}

enum dns_verdict dns_read(const unsigned char *p, size_t n, const struct dns_question *q, struct dns_record *v,
                          size_t max, size_t *ret_n, unsigned *ret_aliases)
{
        struct answer a;
        struct name name;
        unsigned rcode;
        enum dns_verdict verdict;

        a.r = (struct reader){ p, n, 0 };
        a.q = q;
        a.to = v;
        a.max = max;
        a.n = a.aliases = 0;
        if (!take_question(&a.r, q, &name))
                return DNS_INVALID;
        rcode = p[3] & 15;
        if (p[2] & 2)
                return DNS_TRUNCATED;
        if (rcode)
                return rcode == 3 ? DNS_NX : rcode == 5 ? DNS_REFUSED : DNS_FAILED;
        a.n_recs = get16(&a.r, 6);
        if (a.n_recs > RECORDS_SEEN)
                return DNS_INVALID;
        for (size_t i = 0; i < a.n_recs; i++)
                if (!take_record(&a.r, &a.recs[i]))
                        return DNS_INVALID;
        verdict = follow(&a, &name);
        if (verdict == DNS_OK)
                *ret_n = a.n;
        if (ret_aliases)
                *ret_aliases = a.aliases;
        return verdict;
}
