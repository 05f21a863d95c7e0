/* core/front.c - which layer and which protocol a bind line has. */
#include "core/front.h"

extern const struct front_layer *const __start_telamon_layer[] __attribute__((weak));
extern const struct front_layer *const __stop_telamon_layer[] __attribute__((weak));
extern const struct front_proto *const __start_telamon_proto[] __attribute__((weak));
extern const struct front_proto *const __stop_telamon_proto[] __attribute__((weak));

const struct front_use *front_compile(struct conf *c, const struct conf_obj *bind)
{
        struct front_use u = { NULL, NULL, NULL }, *kept;

        for (const struct front_layer *const *l = __start_telamon_layer; l < __stop_telamon_layer && !u.layer; l++) {
                u.layer_arg = (*l)->applies(c, bind);
                u.layer = u.layer_arg ? *l : NULL;
        }
        for (const struct front_proto *p = front_proto_next(NULL); p && !u.proto; p = front_proto_next(p))
                u.proto = p->applies(bind) ? p : NULL;
        if (!u.layer && !u.proto)
                return NULL;
        kept = conf_alloc(c, sizeof(*kept));
        *kept = u;
        return kept;
}

const struct front_proto *front_proto_next(const struct front_proto *after)
{
        const struct front_proto *const *p = __start_telamon_proto;

        while (after && p < __stop_telamon_proto && *p++ != after)
                ;
        return p < __stop_telamon_proto ? *p : NULL;
}

const struct front_proto *front_proto_find(struct str name)
{
        const struct front_proto *p = front_proto_next(NULL);

        while (p && !str_is(name, p->name))
                p = front_proto_next(p);
        return p;
}
