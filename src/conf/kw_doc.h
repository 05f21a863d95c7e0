/* conf/kw_doc.h - documents made from all rows that are linked in.
 *
 * They call kw_boot() themselves. Errors: see base/buf.h. */
#ifndef CONF_KW_DOC_H
#define CONF_KW_DOC_H

#include "base/buf.h"

/* roff of telamon.cfg(5): a section for each kind, its words sorted, each with syntax, range, default, help, how a change
 * applies and the section of HAProxy's manual. */
void kw_manual(struct buf *out);

/* "kind TAB keyword" lines, sorted within a kind, for shell completion; without words that do not work. */
void kw_completion(struct buf *out);

#endif
