/* core/table.h - stick tables (manual 11.1): what a configuration declares of one, its entries' data, and the ones that run.
 *
 * A running table is known by its whole definition: configurations that declare it alike share it, so a reload that leaves the
 * line alone leaves the entries alone, and a table goes when the last configuration that has it and the last entry that is held
 * are gone.
 * Entries are those of core/stick.h, held by an index. Each has a lock of its own, held for the few instructions of one
 * reading or one update; the lock order is: no other lock while an entry's is held.
 * Threads: table_open() and table_close() one at a time (they lock); what works on entries any. */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "base/list.h"
#include "core/expr.h"
#include "core/stick.h"

enum table_key { TABLE_IPV4, TABLE_IPV6, TABLE_INT, TABLE_STR, TABLE_BIN, TABLE_KEYS };

enum table_data { /* in the order in which `show table` prints them */
                  TD_SERVER_ID,
                  TD_GPT0,
                  TD_GPC0,
                  TD_GPC0_RATE,
                  TD_CONN_CNT,
                  TD_CONN_RATE,
                  TD_CONN_CUR,
                  TD_SESS_CNT,
                  TD_SESS_RATE,
                  TD_HTTP_REQ_CNT,
                  TD_HTTP_REQ_RATE,
                  TD_HTTP_ERR_CNT,
                  TD_HTTP_ERR_RATE,
                  TD_BYTES_IN_CNT,
                  TD_BYTES_IN_RATE,
                  TD_BYTES_OUT_CNT,
                  TD_BYTES_OUT_RATE,
                  TD_GPC1,
                  TD_GPC1_RATE,
                  TD_SERVER_KEY,
                  TD_HTTP_FAIL_CNT,
                  TD_HTTP_FAIL_RATE,
                  TD_GPT,
                  TD_GPC,
                  TD_GPC_RATE,
                  TD_GLITCH_CNT,
                  TD_GLITCH_RATE,
                  TD_N
};

enum table_form { TF_U32, TF_U64, TF_RATE, TF_KEY };

struct table_data_row {
        const char *name;
        enum table_form form;
        bool array;   /* name(<n>[,<period>]) */
        bool by_name; /* may stand behind `store` */
};
extern const struct table_data_row table_data_rows[TD_N];
extern const char *const table_key_names[TABLE_KEYS]; /* as `show table` says them */

enum { TABLE_BY_NAME, TABLE_BY_ADDR }; /* srvkey */
#define TABLE_ARRAY_MAX 100

struct table_store {
        uint16_t n; /* elements; 0: not stored */
        int period_ms;
};

struct table_def {
        const char *name; /* of its section */
        enum table_key key;
        uint16_t key_max; /* bytes */
        bool no_purge;
        uint8_t srvkey;
        uint16_t brates_factor; /* bytes rates count blocks of so many */
        uint32_t size;
        int64_t expire_ms; /* 0: never */
        struct table_store store[TD_N];
};

struct table {
        struct list link;     /* of the running ones */
        struct table_def def; /* name: owned */
        struct stick stick;
        uint16_t off[TD_N]; /* in an entry's data; 0: not stored */
        unsigned configs;   /* that have it */
        void *mem;
};

/* 0: data that do not fit in an entry. */
uint32_t table_data_bytes(const struct table_def *d);
/* The one that runs with this definition, or a new one; NULL: no memory, or sizes that cannot be. table_close() for each. */
struct table *table_open(const struct table_def *d);
void table_close(struct table *t);

/* A sample as a key of this table, in a room of KEY_ROOM bytes or where the sample is. False: it cannot be one. */
#define TABLE_KEY_ROOM 512
bool table_key_of(const struct table *t, const struct smp *s, char *room, struct str *ret_key);
/* What a key was made of; borrows it. */
void table_key_smp(const struct table *t, struct str key, struct smp *ret_smp);
bool table_fits(const struct table_def *d, enum smp_type type); /* can samples of this type be keys */
enum smp_type table_smp_type(enum table_key k);

/* ---- data of a held entry; idx: of an array, else 0 ---- */
static inline bool table_has(const struct table *t, enum table_data td, unsigned idx)
{
        return idx < t->def.store[td].n;
}
/* Counts; of a rate, events. What is not stored is left out. The new value of a counter. */
uint64_t table_add(struct table *t, uint32_t i, enum table_data td, unsigned idx, uint64_t by);
/* What it says now: a counter's value, a rate's events in its period. Not stored: 0. */
uint64_t table_value(struct table *t, uint32_t i, enum table_data td, unsigned idx);
/* Sets it, a rate as if so many events had come just now. Returns what it was. */
uint64_t table_set(struct table *t, uint32_t i, enum table_data td, unsigned idx, uint64_t v);

/* gpc0, gpc1, gpt0 and the rates of the first two are the first elements of the arrays where a table has those (manual 11.1). */
enum table_data table_pick(const struct table *t, enum table_data td, unsigned *idx);
/* Adds to a general purpose counter and to its rate, as far as they are stored. The counter's new value; without one, the
 * events that the rate counts in its current period. */
uint64_t table_gpc_add(struct table *t, uint32_t i, enum table_data td, unsigned idx, uint64_t by);

struct table_event { /* one of several things that one event counts */
        enum table_data td;
        uint64_t by;
};
void table_events(struct table *t, uint32_t i, const struct table_event *e, size_t n);

/* ---- the servers' names in entries: TD_SERVER_KEY holds their number; number 0 is none ---- */
uint32_t table_name_put(struct str name);   /* 0: no room */
struct str table_name_get(uint32_t number); /* lives as long as the process */

/* ---- those of the configuration in force, the last one of the file first; inside an epoch ---- */
struct tables {
        size_t n;
        struct table *v[];
};
void tables_publish(const struct tables *now); /* lives as long as the configuration; NULL: none. Control thread */
const struct tables *tables_now(void);
struct table *table_find(struct str name); /* of these */

/* Frees what expired of this table, of all shards. */
void table_purge(struct table *t);

#endif
