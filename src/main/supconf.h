/* main/supconf.h - what the supervisor knows of a configuration: the sealed bundle, its sockets, the paths it may open for the
 * worker. Filled from a loader's messages, which are checked as they come. */
#ifndef MAIN_SUPCONF_H
#define MAIN_SUPCONF_H

#include "main/argv.h"
#include "main/channel.h"
#include "main/spec.h"

struct sup_bind {
        const char *key, *what, *place;
        struct str spec_bytes; /* equal bytes = equal spec */
        struct listen_spec spec;
        unsigned n_fds, n_polled; /* of them, those that a worker is known to poll */
        int fds[LISTEN_SHARDS_MAX];
};

struct supconf {
        struct arena mem;
        int bundle; /* -1 = none */
        struct sup_bind *binds;
        size_t n_binds, cap_binds;
        const char **logs;
        size_t n_logs;
        int uid, gid, code;
        unsigned flags; /* LOADED_* */
        uint64_t files;
        const char *chroot, *pidfile;
        int64_t took_ms; /* the loader */
        bool loaded;     /* CH_LOADED came */
        struct buf text;
};

#define SUPCONF_BINDS_MAX 65536
#define SUPCONF_LOGS_MAX  256

struct supconf *supconf_new(void);
void supconf_free(struct supconf *c);                        /* closes bundle and sockets */
bool supconf_take(struct supconf *c, struct channel_msg *m); /* a loader's message; false: refused */
/* Opens what `old` (may be NULL) does not have and takes over what it has. false: nothing was taken, the reason was logged. */
bool supconf_bind(struct supconf *c, struct supconf *old, const struct args *a);
/* After the worker has taken c: old keeps no socket that c uses. */
void supconf_settle(struct supconf *c, struct supconf *old);
/* After the worker has refused c: old keeps all it had. */
void supconf_give_back(struct supconf *c, struct supconf *old);
/* Before a new worker: more sockets where it has more threads than the last one. There are never fewer: whoever waits in the queue of
 * one that is closed would be refused. What cannot be had is logged, the worker does with what there is. */
void supconf_widen(struct supconf *c, const struct args *a);
void supconf_widened(struct supconf *c); /* the worker polls what there is */
void supconf_narrow(struct supconf *c);  /* it did not come up: what nobody polls is closed */
bool supconf_has_log(const struct supconf *c, struct str path);

#endif
