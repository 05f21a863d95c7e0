/* feat/stats/page_rules.h - the rule lists of a statistics page: the first whose condition holds decides.
 *
 * Ownership: everything lives in the configuration's arena.  Threads: parse while loading, run anywhere. */
#ifndef FEAT_STATS_PAGE_RULES_H
#define FEAT_STATS_PAGE_RULES_H

#include "core/cond.h"
#include "feat/stats/page.h"

enum stats_access { STATS_ALLOW, STATS_DENY, STATS_AUTH };

struct stats_rule {
        const struct stats_rule *prev;
        enum stats_access what;
        const char *realm; /* STATS_AUTH; NULL: the built-in one */
        const struct cond *cond;
        struct words words;
};

/* Keyword rows of `stats admin` and `stats http-request`. */
int stats_admin_parse(struct kw_call *c);
void stats_admin_dump(const struct kw *kw, const void *slot, struct buf *out);
int stats_access_parse(struct kw_call *c);
void stats_access_dump(const struct kw *kw, const void *slot, struct buf *out);
bool stats_realm_ok(struct str realm);

const struct stats_rules *stats_rules_compile(struct conf *c, const struct stats_rule *last); /* NULL: no rule */
/* The first that holds: COND_TRUE, *ret_rule. COND_FALSE: none does. COND_WAIT: ask again. */
must_check enum cond_answer stats_rules_first(const struct stats_rules *list, struct strm *s,
                                              const struct stats_rule **ret_rule);

#endif
