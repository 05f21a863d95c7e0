/* feat/stats/prom.h - the numbers of the process and its proxies in Prometheus' text format 0.0.4 (service prometheus-exporter).
 *
 * Names, types and labels are HAProxy 3.4's. A metric's lines stand together, so the walk goes over all objects once a metric; it stops
 * after each piece and keeps numbers, no pointers, so proxies and servers may come and go meanwhile.
 * Threads: any loop, inside an epoch. */
#ifndef FEAT_STATS_PROM_H
#define FEAT_STATS_PROM_H

#include "feat/stats/stats.h"

enum prom_scope {
        PROM_GLOBAL = 8,
        PROM_FRONT = STAT_FRONT,
        PROM_BACK = STAT_BACK,
        PROM_SERVER = STAT_SERVER,
        PROM_TABLE = 16
};

enum prom_how {
        PROM_PLAIN,
        PROM_MS,    /* milliseconds there, seconds here */
        PROM_CHECK, /* only of servers whose check has a result */
        PROM_CHECK_MS,
        PROM_STATE,  /* one line for each state */
        PROM_CODES,  /* this column and the five behind it, by class of status */
        PROM_CHECKS, /* one line for each check status */
        PROM_AGG,    /* servers of a backend counted by state */
        PROM_AGG_CHECKS,
        PROM_HIST,  /* a histogram of core/hist.h */
        PROM_LABEL, /* of PROM_GLOBAL: the text is a label, the value 1 */
        PROM_SIZE,  /* of PROM_TABLE, like the next one */
        PROM_USED,
};

struct prom_row {
        const char *name;   /* behind "haproxy_<scope>_"; "telamon_<scope>_" of PROM_HIST, which HAProxy has not */
        const char *source; /* column of `show stat`, line of `show info`; NULL: nothing here has such a value, NaN */
        uint8_t scopes;     /* PROM_* */
        uint8_t how;        /* enum prom_how */
        bool counter;       /* or a gauge */
        bool http;          /* only of proxies in mode http */
        bool extra;         /* only with extra-counters */
        bool agent;         /* of the agent check */
        uint8_t hist;       /* enum hist_kind */
        const char *mod;    /* a label with this value */
        const char *label;  /* PROM_LABEL */
        const char *help;   /* NULL: the source's */
};
extern const struct prom_row prom_rows[];
extern const unsigned prom_n_rows;

struct prom_query {
        uint8_t scopes;
        bool no_maint, extra, desc, some; /* some: only the metrics that `names` lists without '-' */
        char names[1024];                 /* "metrics" parameters, decoded, joined by ',' */
        size_t n_names;
};
/* query: behind the '?', may be empty. False: a scope that does not exist, or more names than there is room for. */
bool prom_query_parse(struct str query, struct prom_query *ret_q);
bool prom_query_wants(const struct prom_query *q, struct str metric);

struct prom { /* a scrape */
        struct prom_query q;
        uint8_t scope_at; /* index of the scope at work */
        unsigned row;
        bool begun; /* HELP and TYPE of this metric were said */
        struct stat_walk w;
        size_t table_at; /* PROM_TABLE: how many were said */
};
/* Appends lines of about `room` bytes. True: there is more. */
bool prom_print(struct prom *p, struct buf *out, size_t room);

#endif
