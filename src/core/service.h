/* core/service.h - services: answers that `http-request use-service <name>` gives. A feature adds one with a row (manual 4.4, use-service).
 *
 * Threads: rows are const; the applet runs on its stream's loop (core/applet.h). */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include "core/applet.h"

struct service {
        const char *name;             /* as written in the file */
        const struct applet_ops *ops; /* its `start` gets the request */
        const char *help;
};

#define SERVICE(id)                                                                                                    \
        static const struct service *const id##_svc_reg __attribute__((used, section("telamon_service"))) = &id

const struct service *service_find(struct str name); /* NULL: unknown */
const struct service *const *service_all(unsigned *ret_n);

#endif
