/* feat/stats/stats.h - one table of columns from which CSV, typed lines, JSON, the page and the metrics are made.
 *
 * Values are read from live cells: each counter by itself is exact, a row is a moment's view.
 * Threads: any loop, inside an epoch. A long listing is cut into pieces and keeps a cursor (struct stat_walk), never pointers. */
#ifndef FEAT_STATS_STATS_H
#define FEAT_STATS_STATS_H

#include "base/buf.h"
#include "core/check.h"
#include "core/proxy.h"
#include "core/server.h"

enum stat_type { STAT_NONE, STAT_U32, STAT_U64, STAT_S32, STAT_STR };

struct stat_val {
        enum stat_type type; /* STAT_NONE: the column says nothing about this object */
        uint64_t u;          /* STAT_S32: two's complement */
        struct str s;        /* borrowed from the cell, a literal, or `text` */
        char text[256];
};

enum stat_kind { STAT_FRONT = 1, STAT_BACK = 2, STAT_SERVER = 4 };

struct stat_obj { /* one line */
        enum stat_kind kind;
        struct front *fe;
        struct back *be; /* also of a server */
        struct server *sv;
        const struct proxy_cfg *px;
        const struct lb_cfg *lb; /* of a backend */
        int iid, sid;
        int maxconn, fullconn;    /* of the published cfg */
        uint64_t weight, uweight; /* backend: of the servers that take traffic */
        mono_t now;
        bool http, legends; /* legends: address and algorithm may be shown */
        bool count_up;      /* the `up` filter was asked: "UP (3/4)" */
        struct px_sum sum;
};

/* Fills *o for a cell; inside an epoch. Without `sum` only columns for which stat_col_sums() says no may be asked for. */
void stat_obj_front(struct stat_obj *o, struct front *f, bool sum);
void stat_obj_back(struct stat_obj *o, struct back *b, bool sum);
void stat_obj_server(struct stat_obj *o, struct server *s, bool sum);

struct stat_col {
        const char *name;
        const char *tags;      /* origin, nature, scope, persistence (management.txt 9.2) */
        const char *back_tags; /* of a backend's value when they differ */
        const char *help;
        uint8_t kinds; /* STAT_FRONT | ... that have it */
        bool http;     /* only of proxies in mode http */
        enum stat_type type;
        uint16_t sum; /* offset in struct px_sum, when there is no `get` */
        void (*get)(const struct stat_obj *o, struct stat_val *v);
};

extern const struct stat_col stat_cols[];
extern const unsigned stat_n_cols;

/* Column number `i` of an object. */
void stat_get(const struct stat_obj *o, unsigned i, struct stat_val *ret_v);
bool stat_col_sums(unsigned i); /* made from the sums over all threads, or all servers */

/* ---- listings ---- */
enum stat_form { STAT_CSV, STAT_TYPED, STAT_JSON };

struct stat_walk {
        /* what is wanted */
        int iid;          /* 0 or less: all */
        struct str proxy; /* by name instead; n == 0: all */
        unsigned kinds;   /* STAT_FRONT | ... */
        int sid;          /* 0 or less: all */
        struct str scope; /* proxies whose name contains it */
        bool up, no_maint, legends, desc;
        bool no_sum;                                  /* no column with sums will be asked for */
        bool (*wanted)(void *ctx, const char *proxy); /* NULL: all */
        void *wanted_ctx;
        /* cursor: all zero at the start */
        int at_iid;
        unsigned stage;
        uint32_t server;
        bool found, begun;
};

/* Appends lines of about `room` bytes. True: there is more. */
bool stat_walk_print(struct stat_walk *w, enum stat_form form, struct buf *out, size_t room);
/* Calls fn for each object until it has run `max` times. True: there is more. */
typedef void (*stat_fn)(void *ctx, struct stat_obj *o);
bool stat_walk_each(struct stat_walk *w, unsigned max, stat_fn fn, void *ctx);

void stat_csv_header(struct buf *out);
void stat_csv_text(struct buf *out, struct str s);  /* quoted when it holds a quote or a comma */
void stat_json_text(struct buf *out, struct str s); /* with quotes; control bytes and invalid UTF-8 escaped */
/* `fn` for each run of valid UTF-8; anything else becomes U+FFFD. */
void stat_utf8(struct buf *out, struct str s, void (*fn)(struct buf *out, struct str valid));
void stat_html_text(struct buf *out, struct str s); /* text or attribute value: the only way of a name into the page */
void stat_json_field(struct buf *out, unsigned pos, const char *name, const char *tags, const struct stat_val *v);
void stat_typed_value(struct buf *out, const char *tags, const struct stat_val *v);

/* ---- show info ---- */
#define STATS_POOLS 32u /* kinds of pools that are summed */

struct info_row {
        unsigned pos; /* number in the typed form: HAProxy keeps numbers for lines it does not print */
        const char *name, *tags, *help;
        void (*get)(struct stat_val *v, bool precise);
};
extern const struct info_row info_rows[];
extern const unsigned info_n_rows;

#define STATS_VERSION "3.4.0-telamon" /* the level of compatibility; clients take the first two numbers */
#define STATS_RELEASE "2026/11/21"

struct servers_walk {       /* cursor of `show servers state` and `show servers conn` */
        struct str backend; /* n == 0: all */
        int at_iid;
        uint32_t server;
        bool begun;
};
bool servers_state_print(struct servers_walk *w, struct buf *out, size_t room);
bool servers_conn_print(struct servers_walk *w, struct buf *out, size_t room);

/* The published proxies in order: the first one whose iid is greater than `after`, or NULL. Inside an epoch. */
const struct world_px *stats_next_px(int after);

#endif
