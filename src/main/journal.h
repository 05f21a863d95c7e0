/* main/journal.h - runtime changes that a respawned worker must get again: the last command for each key, in the order of their
 * first coming.
 *
 * What is kept comes from a worker and is replayed as an admin's, so only the forms that the rows of the commands declare are taken
 * (core/cli.h): each sets one
 * value of a server, a frontend or the process. A worker in foreign hands can so give its successor what an admin of its runtime socket
 * could (another address of a server, say), no more; a reload of a changed file takes it back.
 * Bounded, in a root process: key, command, number and bytes. What is refused is counted and logged (the first, then ever more rarely); an older
 * command of its key goes, since it would be wrong by now.
 * Threads: one. */
#ifndef MAIN_JOURNAL_H
#define MAIN_JOURNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

#define JOURNAL_MAX       100000
#define JOURNAL_KEY_MAX   640  /* feat/cli's keys have 600 at most */
#define JOURNAL_CMD_MAX   1024 /* and cli_journal()'s commands this */
#define JOURNAL_BYTES_MAX ((size_t)32 << 20)
#define JOURNAL_OVERHEAD  128 /* counted for an entry besides its texts */

struct journal_entry {
        struct list link;
        char *key, *cmd;
};

struct journal {
        struct list all;
        struct map keys;
        size_t n, bytes;
        uint64_t refused;
};

void journal_init(struct journal *j);
void journal_fini(struct journal *j);
/* cmd empty: forgets the key. False: refused. */
bool journal_set(struct journal *j, struct str key, struct str cmd);
bool journal_may(struct str cmd); /* is it of a form that is kept? */

#endif
