/* feat/auth/auth.h - `userlist` sections and who a request says it is (manual 3.4, 7.3.6 http_auth...).
 *
 * Passwords are stored as they are or as crypt(3) hashes. A hash is slow on purpose: it is computed on the helper threads of ev/offload, and
 * the rule waits. What was found is kept for a while by each thread, in a table of fixed size, under a keyed digest of hash and password.
 * Ownership: users live in the configuration's arena. Threads: any, on their own streams. */
#ifndef FEAT_AUTH_AUTH_H
#define FEAT_AUTH_AUTH_H

#include "conf/conf.h"
#include "core/expr.h"

struct auth_group {
        const struct auth_group *next;
        const char *name;
        const char *users; /* names with commas between; NULL: none */
};

struct auth_user {
        const struct auth_user *next;
        const char *name;
        const char *password; /* NULL: none fits */
        const char *groups;   /* names with commas between; NULL: none */
        bool plain;           /* insecure-password: as it is */
};

struct auth_ref { /* a list named by a sample */
        struct auth_ref *prev;
        const char *name;
        struct span at;
        const struct auth_cfg *list; /* found after the load */
};

struct auth_cfg { /* slot "auth": userlist sections; proxies have refs only */
        const struct auth_user *users;
        const struct auth_group *groups;
        struct auth_ref *refs;
};
extern int auth_slot;

struct auth_said {       /* the credentials of a request: RFC 7617, RFC 6750 */
        struct str type; /* "Basic", "Bearer" */
        struct str user, password, token;
        char plain[1024]; /* what base64 hid */
};
/* False: none, or of another kind. `field`: lower case. */
bool auth_said(const struct hmsg *req, struct str field, struct auth_said *ret_a);

enum auth_answer { AUTH_NO, AUTH_YES, AUTH_WAIT /* being computed: the stream is woken */ };
enum auth_answer auth_check(struct strm *s, const struct auth_cfg *list, const struct auth_said *a,
                            const struct auth_user **ret_user);
/* Calls `each` for the groups that the user is in, until it returns true. */
bool auth_groups(const struct auth_cfg *list, const struct auth_user *u, bool (*each)(void *ctx, struct str group),
                 void *ctx);

/* The list as the configuration in force has it: a reload that changes it alone leaves the proxies that use it as they are. */
const struct auth_cfg *auth_list(const struct auth_ref *r);

/* feat/auth/verify.c */
enum auth_answer auth_verify(struct strm *s, const char *hash, struct str password);

#endif
