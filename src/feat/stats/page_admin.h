/* feat/stats/page_admin.h - what the page's form does to servers (manual "stats admin").
 *
 * A form is taken from scripts as HAProxy takes it; a browser must send it from the page itself: Origin or Sec-Fetch-Site say so, and
 * the page's token comes with it. Each change is a command of the runtime socket (core/cli.h), so it is journalled like one. */
#ifndef FEAT_STATS_PAGE_ADMIN_H
#define FEAT_STATS_PAGE_ADMIN_H

#include "feat/stats/page.h"

#define STATS_TOKEN 32u

const char *stats_token(void); /* of this process; hex, NUL-terminated */

struct stats_action {
        const char *name;    /* value of the form's "action" */
        const char *label;   /* NULL: an old name, taken but not offered */
        const char *command; /* words before " <backend>/<server>" */
        const char *word;    /* and after it; NULL: none */
};
extern const struct stats_action stats_actions[];
extern const unsigned stats_n_actions;
bool stats_action_known(const struct stats_action *a); /* this binary has the command */

/* Judges and applies a form; returns what stands behind "st=" in the page's address: DONE, PART, NONE, ERRP, DENY. */
const char *stats_admin_post(const struct stats_use *u, const struct hmsg *req, struct str body);
/* What such a code means, for the page; NULL: no such code. */
const char *stats_admin_text(struct str code);

#endif
