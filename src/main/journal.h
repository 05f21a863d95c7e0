/* main/journal.h - runtime changes that a respawned worker must get again: the last command for each key, in the order of their
 * first coming. Bounded: a key beyond the limit is refused and counted. Threads: one. */
#ifndef MAIN_JOURNAL_H
#define MAIN_JOURNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

#define JOURNAL_MAX 100000

struct journal_entry {
        struct list link;
        char *key, *cmd;
};

struct journal {
        struct list all;
        struct map keys;
        size_t n;
        uint64_t refused;
};

void journal_init(struct journal *j);
void journal_fini(struct journal *j);
void journal_set(struct journal *j, struct str key, struct str cmd); /* cmd empty: forgets the key */

#endif
