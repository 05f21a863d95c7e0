/* core/apply.h - what change.c and apply.c share; private to the engine. */
#ifndef CORE_APPLY_H
#define CORE_APPLY_H

#include "core/change.h"

/* Does this section run as a frontend or backend (not `disabled`)? */
bool change_runs(const struct conf_obj *o, enum cell_kind side);
/* The section of the other configuration with the same identity, or NULL. */
const struct conf_obj *change_find(const struct conf *c, const struct conf_obj *o, enum cell_kind side);

#endif
