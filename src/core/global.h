/* core/global.h - the settings of the process (section `global`), manual chapter 3. */
#ifndef CORE_GLOBAL_H
#define CORE_GLOBAL_H

#include "conf/conf.h"

/* Whose defaults count where HAProxy's versions differ (design: `compat`). */
enum { COMPAT_2_6 = 26, COMPAT_3_4 = 34 };

struct global_cfg {
        const char *user, *group; /* NULL = unchanged */
        int uid, gid;             /* -1 = unset; `user`/`group` are looked up by the loader into these */
        const char *chroot, *pidfile;
        bool daemon, master_worker, quiet, zero_warning;
        int nbthread;           /* 0 = one per usable core */
        int maxconn;            /* 0 = derived from the fd limit */
        int ulimit_n;           /* 0 = derived */
        int hard_stop_after_ms; /* 0 = none */
        int grace_ms;
        int stats_timeout_ms, stats_maxconn;
        const char *node, *description;
        const char *log_tag;           /* NULL = "haproxy" */
        const char *log_send_hostname; /* NULL = off, "" = the machine's */
        int spread_checks;             /* percent, 0..50 */
        int max_spread_checks_ms;      /* 0 = a check's own interval */
        uint64_t bufsize;              /* tune.bufsize: the largest head, and the first read size */
        int compat;                    /* COMPAT_* */
        int maxconnrate, maxsessrate;  /* per second, 0 = none */
        int maxaccept, max_http_hdr;
        int logurilen; /* tune.http.logurilen */
};

extern int global_slot;

const struct global_cfg *global_of(const struct conf *c); /* built-in defaults when the file has no such section */

#endif
