/* main/privileges.h - giving rights away: chroot, user, group, capabilities (manual 3.1, management.txt 13).
 *
 * Threads: before any other thread exists.  Errors: negative errno; *ret_what says which step, for the message. */
#ifndef MAIN_PRIVILEGES_H
#define MAIN_PRIVILEGES_H

#include "core/global.h"

struct privileges {
        int uid, gid;       /* -1 = keep */
        const char *chroot; /* NULL = keep the root; borrowed */
        bool foreign;       /* keep CAP_NET_RAW, if there: the file has `usesrc` */
};

void privileges_of(const struct conf *c, struct privileges *ret_p);

/* What must be loaded while the real root is still there: time zone, unwinder. */
void privileges_prepare(void);

/* Never to be undone: afterwards no capability but that one is left in any set and execve() gives none. */
int privileges_drop(const struct privileges *p, const char **ret_what);

#endif
