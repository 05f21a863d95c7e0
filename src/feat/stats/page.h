/* feat/stats/page.h - `stats ...` words of a proxy and the page they switch on (configuration.txt "stats enable", management.txt 9). */
#ifndef FEAT_STATS_PAGE_H
#define FEAT_STATS_PAGE_H

#include "core/applet.h"
#include "feat/stats/stats.h"

struct stats_user { /* in the order of the file, newest first in memory */
        const struct stats_user *next;
        const char *name_pass; /* "user:password" as the client will send it, decoded */
};

struct stats_scope {
        const struct stats_scope *next;
        const char *name; /* "." = the section itself */
};

struct stats_cfg { /* slot "stats" */
        bool enable;
        bool hide_version, show_legends, show_modules, show_node, show_desc;
        const char *uri, *realm, *node, *desc; /* NULL: the built-in or global value */
        int refresh_ms;                        /* 0 = none */
        const struct stats_user *users;
        const struct stats_scope *scopes;
        const struct stats_rule *admin, *access; /* page_rules.h; the last line's */
};
extern int stats_slot;

struct stats_use { /* what the hook gets */
        const struct stats_cfg *cfg;
        const char *section; /* name of the proxy, for scope "." */
        const char *desc;    /* resolved */
        struct str uri;
        const struct stats_rules *admin, *access; /* NULL: none */
};

/* What the URI asked for. */
struct stats_query {
        bool csv, typed, json, no_refresh, up, no_maint;
        struct str scope, st; /* st: how the last form ended */
};
/* rest: what follows the configured prefix. */
void stats_query_parse(struct str rest, struct stats_query *ret_q);

/* True: `authorization` (field value, may be empty) names one of the users. Time does not depend on where a guess differs. */
bool stats_auth_ok(const struct stats_cfg *cfg, struct str authorization);

/* page_html.c: the page in pieces. */
struct stats_page {
        const struct stats_use *use;
        struct stats_query q;
        struct stat_walk w;
        unsigned stage;
        int open_iid; /* proxy whose table is open */
        char scope[64];
        char uri[200];
        char st[8];
        bool admin;        /* may change servers */
        bool ask;          /* `stats http-request auth`: 401 */
        bool form;         /* a table's form is open */
        const char *realm; /* for the 401; NULL: the built-in one */
};
bool stats_page_html(struct stats_page *p, struct buf *out, size_t room); /* true: more */

bool stats_in_scope(const struct stats_use *u, const char *proxy);

#endif
