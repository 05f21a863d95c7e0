/* core/expr.h - samples, fetches, converters and their compiled programs (mechanisms.md g; manual chapters 7.2, 7.3).
 *
 * An expression is compiled once into a flat program that the hot path runs without allocation; casts are inserted at compile time. A
 * sample is a tagged union; its bytes borrow from the head, the program's constants, rotating scratch, or the stream's arena. smp_keep() is
 * mandatory before a wait.
 * Results: EXPR_OK, EXPR_MISS (no such sample), EXPR_WAIT (needs more data: resume later).
 * Fetches and converters are rows: name, argument types, output type, what it needs (layers) and function. */
#ifndef CORE_EXPR_H
#define CORE_EXPR_H

#include "conf/kw.h"
#include "core/strm.h"

enum smp_type { SMP_ANY, SMP_BOOL, SMP_SINT, SMP_IPV4, SMP_IPV6, SMP_ADDR, SMP_STR, SMP_BIN, SMP_METH, SMP_TYPES };

struct smp {
        enum smp_type type;
        bool is_const; /* the bytes must not be changed in place */
        bool more;     /* x->iterate: another value follows; call again with this struct */
        bool changes;  /* more bytes may change it: a test that it fails waits for them */
        uint64_t iter; /* the fetch's own position among its values; 0 at the start */
        union {
                bool b;
                int64_t i;
                struct in_addr ip4;
                struct in6_addr ip6;
                struct {
                        const char *p;
                        uint32_t n, cap; /* cap: writable room, 0 when const */
                } s;
                struct {
                        int meth; /* enum hmsg_method; other: s holds the text */
                        const char *p;
                        uint32_t n;
                } m;
        };
};

enum expr_answer { EXPR_OK, EXPR_MISS, EXPR_WAIT };

enum { /* what a fetch needs, and so where it may be used (manual 7.3) */
       EXPR_INTERNAL = 1,
       EXPR_CLIENT = 2,
       EXPR_SERVER = 4,
       EXPR_REQ_HEAD = 8,
       EXPR_RSP_HEAD = 16,
       EXPR_REQ_BODY = 32,
       EXPR_RSP_BODY = 64,
       EXPR_LOG = 128, /* final values: bytes, timers */
       EXPR_TLS = 256,
       EXPR_CONF = 512,        /* no stream at all: constants, env */
       EXPR_REQ_LINE = 1024,   /* method and version: from the request head on, kept for the log line */
       EXPR_STATUS = 2048,     /* from the answer head on, kept for the log line */
       EXPR_REQ_BYTES = 8192,  /* what the client sent so far, not taken yet (manual 7.3.5) */
       EXPR_RSP_BYTES = 16384, /* the server likewise */
       EXPR_ANY_HEAD = 32768,  /* a head of either direction: the request's on requests, else the answer's */
       EXPR_CHECK = 4096,      /* a health check runs: x->check instead of x->strm */
       EXPR_LOADED = 1 << 29,  /* logfmt_compile(): the whole configuration has been read */
       EXPR_SOFT = 1 << 30,    /* expr_compile(): what is not there only warns (log lines); it will be a MISS */
};

enum expr_arg_type {
        ARG_NONE,
        ARG_STR,
        ARG_SINT,
        ARG_TIME,
        ARG_SIZE,
        ARG_IPV4_MASK,
        ARG_FRONT,
        ARG_BACK,
        ARG_SERVER,
        ARG_TABLE,
        ARG_REG,
        ARG_VAR
};

enum { EXPR_ARGS_MAX = 12 }; /* acl() */

struct expr_arg {
        enum expr_arg_type type;
        int64_t i;
        const char *s;
        uint32_t n;
        void *ptr; /* resolved object, compiled pattern, ... */
};

/* What is there at each place that runs programs. */
#define EXPR_AT_REQUEST                                                                                                \
        (EXPR_INTERNAL | EXPR_CONF | EXPR_CLIENT | EXPR_REQ_HEAD | EXPR_REQ_LINE | EXPR_REQ_BYTES | EXPR_REQ_BODY |    \
         EXPR_ANY_HEAD)
#define EXPR_AT_RESPONSE                                                                                               \
        (EXPR_INTERNAL | EXPR_CONF | EXPR_CLIENT | EXPR_SERVER | EXPR_REQ_LINE | EXPR_RSP_HEAD | EXPR_STATUS |         \
         EXPR_RSP_BYTES | EXPR_RSP_BODY | EXPR_ANY_HEAD)
#define EXPR_AT_LOG     (EXPR_INTERNAL | EXPR_CONF | EXPR_CLIENT | EXPR_SERVER | EXPR_REQ_LINE | EXPR_STATUS | EXPR_LOG)
#define EXPR_AT_CHECK   (EXPR_INTERNAL | EXPR_CONF | EXPR_CHECK | EXPR_RSP_HEAD | EXPR_ANY_HEAD)
#define EXPR_AT_TCP     (EXPR_INTERNAL | EXPR_CONF | EXPR_CLIENT)
#define EXPR_AT_CONTENT (EXPR_AT_TCP | EXPR_REQ_BYTES) /* tcp-request content; heads, too, where the mode is http */
#define EXPR_AT_ANSWER  (EXPR_AT_TCP | EXPR_SERVER | EXPR_RSP_BYTES) /* tcp-response content */

struct server;
struct vars;
struct expr_check { /* what a health check shows its programs: embedded in the feature's own */
        const struct server *srv;
        struct vars **vars; /* check.x (core/vars.h) */
};

struct expr_ctx {          /* what a program runs on */
        struct strm *strm; /* NULL: no stream (yet), as in tcp-request connection rules, health checks, constants */
        struct sess *sess; /* the client's connection: EXPR_CLIENT */
        const struct hmsg *req, *rsp;
        unsigned have;                  /* EXPR_* available now */
        unsigned never;                 /* EXPR_* that will not come either: MISS, not WAIT, also when not final */
        bool final;                     /* what is missing will not come: MISS, not WAIT */
        bool iterate;                   /* conditions: fetches with several values hand them out one after the other */
        const struct expr_check *check; /* EXPR_CHECK */
        const char *origin;             /* a log line: what makes it (%OG); NULL: unspec */
};

typedef enum expr_answer (*fetch_fn)(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                                     struct smp *ret_smp);
typedef bool (*conv_fn)(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp);

struct fetch {
        const char *name;
        enum expr_arg_type args[EXPR_ARGS_MAX];
        uint8_t min_args;
        enum smp_type out;
        unsigned needs;
        bool in_check;  /* works for health checks, too, whatever else it needs: looks at x->check first */
        bool acl_forms; /* NAME_beg, NAME_end, NAME_sub, NAME_dom, NAME_dir, NAME_len exist as criteria (manual 7.3) */
        const char *acl_of; /* the fetch that these, and the plain name as a criterion, stand for; NULL: itself */
        fetch_fn fn;
        /* Checks and resolves arguments at compile time; NULL = types are enough. Appends an alert and returns false. */
        bool (*check)(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at);
        const char *help, *manual;
};

struct conv {
        const char *name;
        enum expr_arg_type args[EXPR_ARGS_MAX];
        uint8_t min_args;
        enum smp_type in, out; /* out SMP_ANY: as its input, or when `in` is another type, known only when it runs */
        conv_fn fn;
        bool (*check)(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at);
        const char *help, *manual;
};

#define FETCH_TABLE(id, rows)                                                                                          \
        static const struct fetch_table id##_fetches = { rows, array_len(rows) };                                      \
        static const struct fetch_table *const id##_fetch_reg __attribute__((used, section("telamon_fetch"))) =        \
                &id##_fetches
#define CONV_TABLE(id, rows)                                                                                           \
        static const struct conv_table id##_convs = { rows, array_len(rows) };                                         \
        static const struct conv_table *const id##_conv_reg __attribute__((used, section("telamon_conv"))) = &id##_convs
struct fetch_table {
        const struct fetch *rows;
        size_t n;
};
struct conv_table {
        const struct conv *rows;
        size_t n;
};

struct expr; /* a compiled fetch + converters */

/* Collects the rows; aborts on two of one name. Idempotent; expr_compile() calls it. */
void expr_boot(void);
const struct fetch_table *const *expr_fetch_tables(size_t *ret_n); /* for documents */
const struct conv_table *const *expr_conv_tables(size_t *ret_n);
const struct fetch *expr_fetch(struct str name); /* NULL when unknown */
const struct conv *expr_conv(struct str name);
/* Compiles "fetch(args),conv(args),..." from `text`; `allowed` = EXPR_* that exist at this place. *ret_used: how much text it took.
 * NULL after an alert. The program lives in the configuration's arena. */
const struct expr *expr_compile(struct kw_call *c, struct str text, const struct word *at, unsigned allowed,
                                size_t *ret_used);
/* Told of each program and where it runs: streams keep the request line when one asks for it after the head is gone. */
void expr_keep_request(unsigned needs, unsigned allowed);
enum expr_answer expr_run(const struct expr *e, const struct expr_ctx *x, struct smp *ret_smp);
enum smp_type expr_type(const struct expr *e); /* of its result; SMP_ADDR: v4 or v6 */
unsigned expr_needs(const struct expr *e);     /* EXPR_* */
/* A copy that ends with a cast to `to`; NULL when no such conversion exists (manual 7.1). */
const struct expr *expr_cast(struct kw_call *c, const struct expr *e, enum smp_type to);
const char *smp_type_name(enum smp_type t);
bool smp_cast(struct smp *s, enum smp_type to); /* manual 7.1's conversions; scratch is the thread's */
char *expr_scratch(size_t *ret_n);              /* one of the thread's rotating buffers (three live at a time) */
bool smp_keep(struct smp *s,
              struct strm *st); /* copies borrowed bytes into the stream's own memory; false: no memory */
bool smp_can_cast(enum smp_type from, enum smp_type to);

static inline void smp_str(struct smp *s, struct str v) /* borrowed bytes */
{
        s->type = SMP_STR;
        s->is_const = true;
        s->s.p = v.p;
        s->s.n = (uint32_t)v.n;
        s->s.cap = 0;
}

static inline void smp_int(struct smp *s, int64_t v)
{
        s->type = SMP_SINT;
        s->i = v;
}

static inline void smp_bool(struct smp *s, bool v)
{
        s->type = SMP_BOOL;
        s->b = v;
}

enum { PRIO_CLASS_MAX = 2047, PRIO_OFFSET_MAX = 524287 };
struct strm_prio { /* of a stream in a queue: core/queue.h */
        int16_t class;
        int32_t offset_ms;
};

/* What a stream keeps between two runs: copied samples, and where each rule list goes on. Made when first needed, freed by
 * expr_state_fini(), which the stream calls at its end (twice is fine). */
enum { EXPR_RESUMES = 14 };                        /* RULE_POINTS, once for the frontend and once for the backend */
struct expr_state *expr_state_of(struct strm *st); /* NULL: no memory */
void expr_state_fini(struct strm *st);
void *expr_keep(struct expr_state *e,
                size_t n); /* memory for as long as the stream lives, aligned to 8; NULL: no memory */
enum expr_own { EXPR_OWN_CAPTURE, EXPR_OWN_UNIQUE_ID, EXPR_OWNS }; /* features that keep something of a stream */
void **expr_own(struct expr_state *e, enum expr_own which);        /* NULL at first; of expr_keep() */
struct vars **expr_vars(struct expr_state *e);                     /* core/vars.h */
mono_t *expr_until(struct expr_state *e);                          /* of strm_waited(); 0: no wait */
struct strm_tie *expr_tie(struct expr_state *e);                   /* core/strm.h: kept here, as few streams have one */
struct strm_own *expr_strm_own(struct expr_state *e);              /* core/strm_own.h, likewise */
struct strm_prio *expr_prio(struct expr_state *e);
struct track_set;
struct track_set **
expr_tracked(struct expr_state *e); /* core/track.h, as the next one: gone before expr_state_fini() */
struct sticky;
struct sticky **expr_sticky(struct expr_state *e);
struct rules_seen *expr_rules(struct expr_state *e); /* core/rules.h */
/* The status as the server said it, for server_status: to be kept before it is replaced. 0: the server did not answer. */
void expr_keep_status(struct strm *st);
uint16_t expr_server_status(const struct strm *st);
uint16_t *expr_resume(struct expr_state *e, unsigned which); /* a rule list's place: below EXPR_RESUMES */

#endif
