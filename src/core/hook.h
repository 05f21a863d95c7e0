/* core/hook.h - where features and rules take part in a stream.
 *
 * A hook is a row; whether it applies to a proxy is asked once per configuration (applies), so a proxy pays only for what it uses. */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include "core/strm.h"

enum hook_point { HOOK_REQUEST, HOOK_RESPONSE, HOOK_POINTS };
enum hook_answer {
        HOOK_NEXT,  /* go on */
        HOOK_WAIT,  /* call again after the next wake */
        HOOK_TAKEN, /* an applet or an answer was set: no further hooks */
        HOOK_CLOSE, /* end the stream silently; term is set */
};

struct hook {
        const char *name;
        int rank; /* monitor 10, stats 20, rules 30, switching 40 */
        enum hook_point point;
        /* A value for `run` when the proxy uses this, else NULL. Lives in the configuration's arena; side: the proxy as frontend or
         * backend. */
        const void *(*applies)(struct conf *c, const struct conf_obj *proxy, bool as_front);
        enum hook_answer (*run)(struct strm *s, const void *arg, bool as_front);
        /* Names the backends that `run` may choose, as far as they are known beforehand; NULL: none. */
        void (*leads)(const void *arg, void (*each)(void *ctx, const char *backend), void *ctx);
};

#define HOOK(id) static const struct hook *const id##_hook_reg __attribute__((used, section("telamon_hook"))) = &id

struct hook_use {
        const struct hook *hook;
        const void *arg;
};

struct hook_set {
        struct hook_use *at[HOOK_POINTS];
        uint8_t n[HOOK_POINTS];
};

void hook_boot(void);
const struct hook_set *hook_compile(struct conf *c, const struct conf_obj *proxy, bool as_front);

#endif
