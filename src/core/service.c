/* core/service.c - see service.h. */
#include "core/service.h"

extern const struct service *const __start_telamon_service[] __attribute__((weak));
extern const struct service *const __stop_telamon_service[] __attribute__((weak));

const struct service *const *service_all(unsigned *ret_n)
{
        *ret_n = (unsigned)(__stop_telamon_service - __start_telamon_service);
        return __start_telamon_service;
}

const struct service *service_find(struct str name)
{
        for (const struct service *const *s = __start_telamon_service; s < __stop_telamon_service; s++)
                if (str_is(name, (*s)->name))
                        return *s;
        return NULL;
}
