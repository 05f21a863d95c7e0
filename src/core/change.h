/* core/change.h - the one way to change the running proxy: change sets, prepared, committed, retired (mechanisms.md a).
 *
 * A reload compares two configurations and yields a change set; the CLI, DNS, Kubernetes, Patroni and REST write one directly.
 * prepare does all that can fail (memory, sockets, compiled rules); commit is pointer stores and one message per loop; retire frees after
 * an epoch and when the last pin is gone.
 * Three-way rule: a row that changed in the file wins over a runtime value; an unchanged row keeps the runtime value.
 * Threads: control thread. */
#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H

#include "core/engine.h"
#include "core/server.h"

enum change_op { CHANGE_ADD, CHANGE_DEL, CHANGE_SET };

struct change {
        struct list link;
        enum change_op op;
        struct ident id;
        const struct conf_obj *before, *after;
        enum kw_apply apply; /* the heaviest of the rows that changed */
};

struct apply; /* core/apply.c */

struct change_set {
        struct arena mem;
        struct list all; /* in commit order: adds (back, server, front, listener), sets, deletes (reverse) */
        size_t n;
        struct conf *from, *to; /* references */
        struct apply *prepared; /* between prepare and commit or discard */
};

/* Compares; `from` NULL = everything is new. Only objects of ORIGIN_FILE take part. What comes or goes with its section is not listed by
 * itself: a new backend is one change whatever its servers. */
void change_diff(struct conf *from, struct conf *to, struct change_set *ret_set);
/* A section `global` that appears or disappears has no rows to compare: what its words would take. */
enum kw_apply change_global_weight(const struct change_set *s);
/* One line per change: "~ server web/s1: weight 1 -> 5 (live)", "+ frontend api", "- bind ...". */
void change_print(const struct change_set *s, struct buf *out);
bool change_prepare(struct change_set *s, struct engine_binds *b, struct diags *d);
void change_commit(struct change_set *s);
void change_discard(struct change_set *s); /* of a set that was not committed */
void change_set_fini(struct change_set *s);

#endif
