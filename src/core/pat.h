/* core/pat.h - sets of patterns that ACLs and maps look samples up in: named by a file, filled from it and at run time.
 *
 * A pat_ref is the set: its entries, in order, each of a version; only those of the current version match. A pat_expr is one way to
 * match a sample against a set; its index is exact (one hash table for texts, numbers, prefixes and networks of any length) where
 * the method allows it, else a list whose first match counts. Of several prefixes or networks that match, the longest counts; of equal
 * keys, the first.
 * Ownership: sets belong to the configuration that named them and go with it; so do changes at run time, as in HAProxy.
 * Threads: look-ups are free of locks and run inside an epoch; changes take the set's lock and become visible one by one, or all at
 * once by pat_commit(). Manual: 2.7, 7.1; management.txt 9.3, "add map" and the like. */
#ifndef CORE_PAT_H
#define CORE_PAT_H

#include "core/cond.h"

struct pat_ref;
struct pat_expr;
struct pat_entry;

enum pat_out { PAT_STR, PAT_INT, PAT_IP }; /* what a map's values must be */

/* The set of that name ("file@x", "opt@x", "virt@x", or "x"), loaded when it is new. NULL after an alert. `what` uses it: "acl", "map". */
struct pat_ref *pat_ref_get(struct kw_call *c, struct str name, const struct word *at, bool map);
/* NULL after an alert: an entry is no such pattern, or its value no such value. */
struct pat_expr *pat_expr_new(struct kw_call *c, struct pat_ref *r, enum acl_match how, bool icase, enum pat_out out,
                              const struct word *at);
/* The sample was cast as for acl_match(). NULL: none. */
const struct pat_entry *pat_find(const struct pat_expr *x, const struct smp *s);
struct str pat_key(const struct pat_entry *e);
struct str pat_value(const struct pat_entry *e); /* of a map; borrowed until the turn ends */
const struct regex *pat_regex(const struct pat_expr *x, const struct pat_entry *e);

/* ---- at run time; all of them from a loop's thread ---- */

enum { PAT_WHY_MAX = 200 };

/* By its name or "#id", among the sets of this configuration. NULL: none. */
struct pat_ref *pat_ref_find(const struct conf *c, struct str name, bool map);
bool pat_ref_is_map(const struct pat_ref *r);
uint32_t pat_version(const struct pat_ref *r);      /* the current one */
uint32_t pat_next_version(const struct pat_ref *r); /* the newest that was prepared */
uint32_t pat_prepare(struct pat_ref *r);
void pat_commit(struct pat_ref *r, uint32_t version); /* all others go */
void pat_clear(struct pat_ref *r, uint32_t version);
/* False: it is no such pattern or value; why says so. */
bool pat_add(struct pat_ref *r, uint32_t version, struct str key, struct str value, char why[PAT_WHY_MAX]);
/* How many entries of the current version had that key ("#0x1234": that entry). */
unsigned pat_del(struct pat_ref *r, struct str key);
/* By the index of an ACL_STR pat_expr: the first entry of that key gets the value, or a new one is made; all of that key go. */
bool pat_put(struct pat_expr *by_key, struct str key, struct str value, char why[PAT_WHY_MAX]);
void pat_take(struct pat_expr *by_key, struct str key);
/* -1: not such a value. */
int pat_set(struct pat_ref *r, struct str key, struct str value, char why[PAT_WHY_MAX]);

/* For listings: a description, then entry by entry from *pos (NULL: the first), at most n of one version. True: there are more. */
void pat_describe(const struct pat_ref *r, struct buf *out);
bool pat_list(struct pat_ref *r, uint32_t version, const void **pos, unsigned n, struct buf *out);
struct pat_ref *pat_ref_next(const struct conf *c, const struct pat_ref *r, bool map);
/* What a look-up of this text says, one line for each way to match. */
void pat_explain(struct pat_ref *r, struct str text, struct buf *out);

#endif
