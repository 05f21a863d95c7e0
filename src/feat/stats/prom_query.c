/* feat/stats/prom_query.c - what a scrape asks for: "?scope=server&metrics=haproxy_server_status&no-maint". */
#include "feat/stats/prom.h"

static const struct {
        const char *name;
        uint8_t scopes;
} known[] = {
        { "", 0 }, /* none so far */
        { "*", PROM_GLOBAL | PROM_FRONT | PROM_BACK | PROM_SERVER | PROM_TABLE },
        { "global", PROM_GLOBAL },
        { "frontend", PROM_FRONT },
        { "backend", PROM_BACK },
        { "server", PROM_SERVER },
        { "listener", 0 }, /* no such objects here: an empty answer, as where HAProxy has none */
        { "sticktable", PROM_TABLE },
        { "resolver", 0 },
};

static int hex(char c)
{
        unsigned char l = chr_lower((unsigned char)c);

        return chr_is_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* RFC 3986 2.1; returns the bytes written, at most `room`. */
static size_t decode(struct str in, char *out, size_t room)
{
        size_t n = 0;

        for (size_t i = 0; i < in.n && n < room; i++) {
                bool esc = in.p[i] == '%' && i + 2 < in.n && hex(in.p[i + 1]) >= 0 && hex(in.p[i + 2]) >= 0;

                out[n++] = esc ? (char)(hex(in.p[i + 1]) * 16 + hex(in.p[i + 2])) : in.p[i];
                i += esc ? 2 : 0;
        }
        return n;
}

static bool add_scope(struct prom_query *q, struct str value, bool first)
{
        for (size_t i = 0; i < array_len(known); i++)
                if (str_is(value, known[i].name)) {
                        q->scopes = value.n && !first ? q->scopes | known[i].scopes : known[i].scopes;
                        return true;
                }
        return false;
}

static bool add_names(struct prom_query *q, struct str value)
{
        if (value.n + 1 > sizeof(q->names) - q->n_names)
                return false;
        if (q->n_names)
                q->names[q->n_names++] = ',';
        if (value.n)
                memcpy(q->names + q->n_names, value.p, value.n);
        q->n_names += value.n;
        return true;
}

/* Cuts what stands before `c` off *rest. */
static struct str until(struct str *rest, char c)
{
        const char *at = rest->n ? memchr(rest->p, c, rest->n) : NULL;
        struct str head = at ? str_sub(*rest, 0, (size_t)(at - rest->p)) : *rest;

        *rest = at ? str_sub(*rest, head.n + 1, rest->n - head.n - 1) : STR("");
        return head;
}

static bool take(struct prom_query *q, struct str param, bool *first_scope)
{
        bool has_value = param.n && memchr(param.p, '=', param.n);
        struct str name = until(&param, '=');
        char room[sizeof(q->names)];
        struct str value = { room, decode(param, room, sizeof(room)) };

        if (str_is(name, "scope")) {
                bool first = *first_scope;
                *first_scope = false;
                return has_value && add_scope(q, value, first);
        }
        if (str_is(name, "metrics"))
                return add_names(q, value);
        q->no_maint |= str_is(name, "no-maint");
        q->extra |= str_is(name, "extra-counters");
        q->desc |= str_is(name, "desc-labels");
        return true;
}

/* Is the metric in the list, with a '-' or without? */
static bool listed(const struct prom_query *q, struct str metric, bool excluded)
{
        struct str rest = { q->names, q->n_names };

        while (rest.n) {
                struct str one = until(&rest, ',');
                bool minus = one.n && one.p[0] == '-';

                if (minus == excluded && str_eq(minus ? str_sub(one, 1, one.n - 1) : one, metric))
                        return true;
        }
        return false;
}

static bool has_wish(const struct prom_query *q)
{
        struct str rest = { q->names, q->n_names };

        while (rest.n) {
                struct str one = until(&rest, ',');
                if (one.n && one.p[0] != '-')
                        return true;
        }
        return false;
}

bool prom_query_wants(const struct prom_query *q, struct str metric)
{
        if (listed(q, metric, true))
                return false;
        return !q->some || listed(q, metric, false);
}

bool prom_query_parse(struct str query, struct prom_query *ret_q)
{
        struct prom_query q = { .scopes = PROM_GLOBAL | PROM_FRONT | PROM_BACK | PROM_SERVER | PROM_TABLE };
        bool first_scope = true;

        if (query.n && memchr(query.p, '#', query.n))
                query = until(&query, '#');
        while (query.n)
                if (!take(&q, until(&query, '&'), &first_scope))
                        return false;
        q.some = has_wish(&q);
        *ret_q = q;
        return true;
}
