/* core/page.h - answers that the file describes, made once while it is read: errorfile, errorloc, http-error, and what "return" and
 * "deny" say (manual 4.2 "errorfile", "http-error", "http-request return"; 12.4 http-errors).
 *
 * An error file is a whole HTTP response. It is parsed by the parser for servers' answers and goes out through the validating writer, so
 * a file with a mistake is refused at load, and nothing it says can break the framing.
 * Ownership: pages live in the configuration's arena.  Threads: parse while loading, send from the stream's thread. */
#ifndef CORE_PAGE_H
#define CORE_PAGE_H

#include "core/logfmt.h"
#include "core/reply.h"
#include "core/rules.h"

enum page_form {
        PAGE_DEFAULT, /* "default-errorfiles", or nothing said of the contents of an error: what strm_answer() has for `status` */
        PAGE_SILENT, /* an empty error file: the connection is closed without a word */
        PAGE_FILE,   /* an error file, as it is */
        PAGE_NAMED,  /* "errorfiles <name>": the page of that http-errors section for `status` */
        PAGE_MADE,   /* fields and contents of its own */
};

#define PAGE_FIELDS_MAX 16

struct page {
        enum page_form form;
        int status; /* what it stands for: logged and counted */
        int sent;   /* in the status line; 0 = status */
        bool http10;
        bool no_length;  /* an error file that does not say how long it is: the end of the connection is its end */
        const char *set; /* PAGE_NAMED */
        const struct page *otherwise; /* PAGE_NAMED: when the section has none; NULL: the proxy's */
        struct str reason, type, body;
        const struct logfmt *body_fmt; /* lf-string, lf-file; NULL: body as it is */
        unsigned n_fields;
        const struct page_field {
                struct str name, value;
                const struct logfmt *fmt; /* NULL: value as it is */
        } * field;
};

/* The statuses that errorfile, http-error and deny_status know, ascending. */
#define PAGE_CODES 21
extern const short page_code[PAGE_CODES];
int page_index(int64_t status); /* -1: none of them */

/* Reads an error file for `status`. NULL: *ret_why, borrowed until the next call, says what is wrong with it. */
const struct page *page_read(struct kw_call *c, int status, struct str path, const char **ret_why);
/* A redirection without contents (errorloc: 302 or 303). */
const struct page *page_redirect(struct kw_call *c, int status, int sent, struct str url);

/* Words that say what an answer is:
 *   status <code>, default-errorfiles, errorfile <file>, errorfiles <name>, content-type <type>, string, lf-string, file, lf-file
 *   <contents>, hdr <name> <format>
 * Takes words until one that is none of these. `deny_status` is a second name of `status`. */
struct page_words {
        struct kw_call *kw;
        const struct word *w;
        size_t n;
        unsigned allowed;   /* EXPR_* of formats */
        int status;         /* what is not said */
        bool any_status;    /* 200 to 599; else one of page_code[] */
        bool as_error;      /* without contents it is the error page of its status; else an empty answer */
        const char *before; /* of messages: "error detected while parsing an 'http-request return' rule : " */
};
/* How many words it took, -1 after an alert. */
int page_parse(const struct page_words *w, const struct page **ret_page);

/* Sends it, or what stands behind it, and ends the exchange. Log flags are the caller's business (strm_term). */
void page_send(struct strm *s, const struct page *p, const struct expr_ctx *x);

/* ---- pages of a proxy ---- */

struct pages_cfg { /* slot "pages": proxies and http-errors sections */
        const struct page *at[PAGE_CODES];
        const struct pages_line {
                const struct pages_line *prev; /* lists are shared with the defaults they come from */
                const char *keyword;
                struct words words;
        } * lines;
        const struct pages_ref { /* http-errors sections named in lines and rules, for the check after the load */
                const struct pages_ref *prev;
                const char *name;
                int status; /* 0: the section alone */
                struct span at;
        } * refs;
        uint64_t
                contents; /* of all files that were read for this object: a file that changed is a change of who uses it */
};
extern int pages_slot;

/* The page that stands for an error of this stream: its backend's, else its frontend's. NULL: the built-in one. */
const struct page *page_of_stream(const struct strm *s, int status);
void pages_refer(struct kw_call *c, const char *name, int status, struct span at);

#endif
