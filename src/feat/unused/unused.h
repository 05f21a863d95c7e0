/* feat/unused/unused.h - words of HAProxy that have nothing to act upon in this program. They are taken, warned about, counted and kept
 * for dumps (KW_T_NONE of conf/kw.h); each row says why nothing comes of it. A word whose effect somebody could miss stands in
 * feat/later/names.c instead and is refused. */
#ifndef FEAT_UNUSED_UNUSED_H
#define FEAT_UNUSED_UNUSED_H

#include "conf/kw.h"
#include "core/kinds.h"

struct unused_cfg {
}; /* the rows store nothing */

#define UNUSED(n, w, h, ...) KW_NONE(n, w, .help = h, __VA_ARGS__)

#endif
