/* core/role.c - finding the rows of roles and verbs. */
#include "core/role.h"

#include "base/assert.h"

#include <string.h>

/* Weak: a unit test may link no row at all. */
extern const struct role *const __start_telamon_role[] __attribute__((weak));
extern const struct role *const __stop_telamon_role[] __attribute__((weak));
extern const struct verb *const __start_telamon_verb[] __attribute__((weak));
extern const struct verb *const __stop_telamon_verb[] __attribute__((weak));

const struct role *role_find(const char *name)
{
        for (const struct role *const *r = __start_telamon_role; r != __stop_telamon_role; r++)
                if (strcmp((*r)->name, name) == 0)
                        return *r;
        return NULL;
}

const struct verb *verb_find(const char *name)
{
        for (const struct verb *const *v = __start_telamon_verb; v != __stop_telamon_verb; v++)
                if (strcmp((*v)->name, name) == 0)
                        return *v;
        return NULL;
}

const struct verb *const *verb_all(unsigned *ret_n)
{
        *ret_n = (unsigned)(__stop_telamon_verb - __start_telamon_verb);
        return __start_telamon_verb;
}
