/* feat/http_rules/act.h - what the actions of this folder share: arguments, failed edits, answers.
 *
 * Ownership: parsed arguments live in the configuration's arena.  Threads: parse while loading, run on the stream's thread. */
#ifndef FEAT_HTTP_RULES_ACT_H
#define FEAT_HTTP_RULES_ACT_H

#include "base/regex.h"
#include "core/rules.h"

/* Longest value that a rule makes: as tune.bufsize's default. One that is longer is a failed edit, it is never cut. */
enum { ACT_VALUE_MAX = 16384 };

#define ACT_HTTP     (RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE) | RULE_ON(HTTP_AFTER))
#define ACT_MESSAGES (RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE))

struct act_text { /* a log-format string */
        const struct logfmt *fmt;
        struct str value; /* when it is plain text; p NULL: print it */
};
bool act_text_parse(struct rule_call *c, const struct word *w, struct act_text *ret_t);
/* Its value; `room` of ACT_VALUE_MAX + 1 bytes may hold it. False: it is too long. */
bool act_text(const struct act_text *t, const struct rule_ctx *x, char *room, struct str *ret_v);

int act_none_parse(struct rule_call *c, const void **ret_arg);                  /* no arguments */
bool act_name(struct rule_call *c, const struct word *w, struct str *ret_name); /* a field name, in lower case */
/* A pattern that is freed with the configuration; NULL after an alert, `before` in front of it. */
const struct regex *act_regex(struct rule_call *c, const struct word *w, const char *before);

bool act_expr(struct rule_call *c, const struct word *w, enum smp_type to,
              const struct expr **ret_e);                               /* a whole word */
bool act_int(const struct expr *e, struct rule_ctx *x, int64_t *ret_v); /* false: it has no value */
/* "2s", or an expression of milliseconds (then *ret_ms is 0). -1 after an alert. */
int act_time(struct rule_call *c, const struct word *w, int *ret_ms, const struct expr **ret_expr);

#define ACT_PAGE_WORDS                                                                                                        \
        "[ { status | deny_status } <code> ] [content-type <type>] [ default-errorfiles | { errorfile | errorfiles | file | " \
        "lf-file | string | lf-string } <contents> ] [ hdr <name> <fmt> ]*"
struct page_words;
/* These words; w says what is not said. The argument is a struct page. */
int act_page(struct rule_call *c, struct page_words *w, const void **ret_arg);

/* What becomes of the rules after an edit that returned r: negative is counted and, but for `strict-mode off`, ends the exchange. */
enum rule_answer act_edited(int r, struct rule_ctx *x);
/* Host was edited: a target in absolute form names the same authority again. 0, or what the edit says. */
must_check int act_follow_host(struct hmsg *m);
void act_drop_answer(struct rule_ctx *x); /* in http-response rules: the server's answer is dropped unread */
char act_phase(const struct rule_ctx *x); /* of the termination state: 'R' or 'H' */

#endif
