/* feat/persist/persist.h - persistence by cookies: which server a client is tied to (manual 4.2 "cookie", 5.2 "cookie"). */
#ifndef FEAT_PERSIST_PERSIST_H
#define FEAT_PERSIST_PERSIST_H

#include "conf/conf.h"
#include "core/proxy.h"

enum persist_mode { PERSIST_PASSIVE, PERSIST_REWRITE, PERSIST_INSERT, PERSIST_PREFIX };

struct persist_attr { /* what an inserted cookie says of itself, in the order of the file */
        const struct persist_attr *prev;
        const char *text; /* "domain=x", or as written */
        bool domain;
};

struct persist_cfg {      /* slot "persist": defaults, backend, listen */
        const char *name; /* of the cookie; NULL: none */
        int mode;         /* enum persist_mode */
        bool indirect, nocache, postonly, preserve, httponly, secure, dynamic;
        bool firm;                /* option persist: also when the server is down */
        int maxidle_s, maxlife_s; /* 0: no dates */
        const struct persist_attr *attrs;
        const char *key; /* dynamic-cookie-key */
};
extern int persist_slot;

struct persist_server_cfg { /* slot "persist_server": server lines */
        const char *value;
};
extern int persist_server_slot;

#define PERSIST_DYNAMIC_LEN 16 /* digits of a dynamic cookie */

#endif
