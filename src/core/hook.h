/* core/hook.h - where features and rules take part in a stream.
 *
 * A hook is a row; whether it applies to a proxy is asked once per configuration (applies), so a proxy pays only for what it uses. */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include "core/strm.h"

enum hook_point {
        HOOK_REQUEST,
        HOOK_RESPONSE, /* before anything of a server's answer goes on; in mode tcp of what the server says */
        HOOK_AFTER,    /* the head of any answer, our own included, just before it is sent */
        HOOK_CONN,     /* a connection was accepted: not yet a session */
        HOOK_SESS,     /* it becomes a session */
        HOOK_POINTS
};
enum hook_answer {
        HOOK_NEXT,  /* go on */
        HOOK_WAIT,  /* call again after the next wake; with a limit: strm_waited() */
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
        /* HOOK_AFTER, instead of run: HOOK_NEXT, or HOOK_TAKEN when another answer was made. */
        enum hook_answer (*edit)(struct strm *s, const void *arg, bool as_front, struct hmsg *head);
        /* HOOK_CONN and HOOK_SESS, instead of run. False: the connection is closed. */
        bool (*admit)(struct sess *s, const void *arg);
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

/* Does anything look at what this stream's client is answered? The one question of who has no such rules. */
static inline bool hook_on_answers(const struct strm *s)
{
        const struct hook_set *f = s->fcfg->hooks, *b = s->bcfg ? s->bcfg->hooks : NULL;

        return (f && (f->n[HOOK_RESPONSE] | f->n[HOOK_AFTER])) || (b && (b->n[HOOK_RESPONSE] | b->n[HOOK_AFTER]));
}

/* HOOK_AFTER for this head. False: another answer took its place, the caller sends nothing. */
bool hook_after(struct strm *s, struct hmsg *head);
bool hook_same_proxy(const struct strm *s); /* a listen section is both sides of this stream: its rules run once */
void hook_boot(void);
const struct hook_set *hook_compile(struct conf *c, const struct conf_obj *proxy, bool as_front);

#endif
