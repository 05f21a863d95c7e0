/* core/kinds.h - the kinds of objects a file describes, one bit each. Rows name them; conf/ only carries the bits. */
#ifndef CORE_KINDS_H
#define CORE_KINDS_H

#include "conf/kw.h"

#define KIND_GLOBAL         ((kind_mask)1 << 0)
#define KIND_DEFAULTS       ((kind_mask)1 << 1)
#define KIND_FRONTEND       ((kind_mask)1 << 2)
#define KIND_BACKEND        ((kind_mask)1 << 3)
#define KIND_LISTEN         ((kind_mask)1 << 4)
#define KIND_BIND           ((kind_mask)1 << 5)
#define KIND_SERVER         ((kind_mask)1 << 6)
#define KIND_DEFAULT_SERVER ((kind_mask)1 << 7)
#define KIND_STATS_SOCKET   ((kind_mask)1 << 8)
#define KIND_HTTP_ERRORS    ((kind_mask)1 << 16)
#define KIND_USERLIST       ((kind_mask)1 << 18)

#define KIND_FE         (KIND_FRONTEND | KIND_LISTEN)
#define KIND_BE         (KIND_BACKEND | KIND_LISTEN)
#define KIND_PROXY      (KIND_DEFAULTS | KIND_FRONTEND | KIND_BACKEND | KIND_LISTEN)
#define KIND_ANY_SERVER (KIND_SERVER | KIND_DEFAULT_SERVER)
#define KIND_ANY_BIND   (KIND_BIND | KIND_STATS_SOCKET)

#endif
