/* conf/kw_doc.h - documents made from all rows that are linked in.
 *
 * They call kw_boot() themselves. Errors: see base/buf.h. */
#ifndef CONF_KW_DOC_H
#define CONF_KW_DOC_H

#include "base/buf.h"

/* The keyword sections of telamon.cfg(5) as roff: kinds with mostly equal words share one; the words sorted, each with syntax,
 * help, range, default, how a change applies and the section of HAProxy's manual. The page around it is feat/manual's. */
void kw_manual(struct buf *out);

/* "kind TAB keyword" lines, sorted within a kind, for shell completion; without words that do not work. */
void kw_completion(struct buf *out);

/* For other pages made of rows. */
void kw_roff(struct buf *out,
             const char *z); /* text for roff: backslashes, dots and quotes that would start a request */
void kw_sentence(struct buf *out, const char *z); /* a row's help: a capital first, a full stop last */

#endif
