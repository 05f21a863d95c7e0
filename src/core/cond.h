/* core/cond.h - `acl` lines and the conditions made of them (manual 7.1, 7.2).
 *
 *   if a !b || { hdr(host) -i www.example.com }      unless local
 *
 * A condition is compiled into a row of tests, each with where to go on when it matches and when it does not; named ACLs are
 * spread into it, so nothing is looked up at run time.
 * Ownership: everything lives in the configuration's arena.  Threads: compile while loading, run anywhere. */
#ifndef CORE_COND_H
#define CORE_COND_H

#include "core/expr.h"

struct cond;
struct pat_expr;
struct regex;

/* Words of a line, kept for the dump. A quoted "if" is a value and stays quoted; elsewhere quotes change nothing, as in HAProxy. */
struct words {
        const struct kept_word {
                const char *text;
                bool quoted;
        } * v;
        size_t n;
};
void words_keep(struct conf *c, const struct word *w, size_t n, struct words *ret_words);
void words_dump(const struct words *w, struct buf *out); /* " a b \"c d\"" */

enum cond_answer { COND_FALSE, COND_TRUE, COND_WAIT /* needs more of the message: ask again */ };

/* Words from "if" or "unless" on, all of them. `what` for messages: "switching rule", "an 'http-request deny' condition".
 * `allowed`: EXPR_*. NULL after an alert, here or about an ACL's own line. ACLs must stand before their use, in the same section. */
const struct cond *cond_compile(struct kw_call *c, const char *what, const struct word *w, size_t n, unsigned allowed);
enum cond_answer cond_run(const struct cond *d, const struct expr_ctx *x);
unsigned cond_needs(const struct cond *d);

static inline bool cond_starts(const struct word *w) /* is this the word that begins a condition */
{
        return str_is(w->text, "if") || str_is(w->text, "unless");
}

/* ---- one test: an expression against patterns ---- */

enum acl_match {
        ACL_FOUND,
        ACL_BOOL,
        ACL_INT,
        ACL_LEN,
        ACL_STR,
        ACL_BEG,
        ACL_END,
        ACL_SUB,
        ACL_DIR,
        ACL_DOM,
        ACL_IP,
        ACL_REG,
        ACL_BIN, /* as ACL_STR, patterns in hexadecimal digits */
};

struct acl_pat {
        bool icase;
        uint8_t family; /* ACL_IP: AF_INET, AF_INET6 */
        union {
                struct str s;
                struct regex *regex; /* ACL_REG of an acl line */
                struct {
                        int64_t lo, hi; /* ACL_INT, ACL_LEN */
                };
                struct {
                        uint8_t ip[16], mask[16];
                };
        };
};

struct acl_test {
        const struct expr *expr;
        enum acl_match match;
        bool sorted; /* ACL_STR with many patterns: by length, then bytes */
        uint32_t n, n_sets;
        const struct acl_pat *pat;
        const struct pat_expr **sets; /* -f, core/pat.h */
};

/* "<criterion> [flags] [operator] [<value>...]". `what` for messages: "ACL 'x'". NULL after an alert. */
const struct acl_test *acl_test_compile(struct kw_call *c, const char *what, const struct word *w, size_t n);
bool acl_match(const struct acl_test *t, const struct smp *s); /* s was cast by the test's expression */

enum { ACL_WHY_MAX = 200 };
/* One pattern of a set; the text must live as long. Not for ACL_REG. False: why says what is wrong with it. */
bool acl_pat_parse(struct acl_pat *p, enum acl_match how, struct str text, char why[ACL_WHY_MAX]);
bool acl_pat_match(enum acl_match how, const struct acl_pat *p, const struct smp *s);
/* The IPv4 address inside 2002:IPV4::, ::IPV4 and ::ffff:IPV4 (manual 7.1.6), or NULL. */
const uint8_t *acl_embedded_ip4(const uint8_t *six);

struct acl_row { /* a predefined ACL (manual 7.4) */
        const char *name, *text;
};
struct acl_table {
        const struct acl_row *rows;
        size_t n;
};
#define ACL_TABLE(id, r)                                                                                               \
        static const struct acl_table id##_acls = { r, array_len(r) };                                                 \
        static const struct acl_table *const id##_acl_reg __attribute__((used, section("telamon_acl"))) = &id##_acls

struct acl_line {                    /* one `acl` line; a name may have several */
        const struct acl_line *prev; /* lists are shared with the defaults they come from */
        const char *name;
        struct words words;          /* as written */
        const struct acl_test *test; /* NULL: refused, and said so */
};

struct acl_cfg { /* slot "acl": defaults, frontend, backend, listen */
        const struct acl_line *last;
        unsigned
                load; /* of the sets of patterns that the section uses, in ACLs and maps; 0: none. Each load has its own */
};
extern int acl_slot;

#endif
