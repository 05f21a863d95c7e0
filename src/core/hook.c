/* core/hook.c - which features take part in a proxy's streams, decided once per configuration. */
#include "core/hook.h"
#include "conf/conf.h"

#include <stdlib.h>

extern const struct hook *const __start_telamon_hook[] __attribute__((weak));
extern const struct hook *const __stop_telamon_hook[] __attribute__((weak));

static const struct hook **hooks;
static size_t n_hooks;

static int by_rank_name(const void *a, const void *b)
{
        const struct hook *x = *(const struct hook *const *)a, *y = *(const struct hook *const *)b;

        return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : strcmp(x->name, y->name);
}

void hook_boot(void)
{
        size_t n = (size_t)(__stop_telamon_hook - __start_telamon_hook);

        if (hooks || n == 0)
                return;
        hooks = malloc(n * sizeof(*hooks));
        ASSERT(hooks != NULL);
        memcpy(hooks, __start_telamon_hook, n * sizeof(*hooks));
        qsort(hooks, n, sizeof(*hooks), by_rank_name);
        n_hooks = n;
}

/* ---- run ---- */

static enum hook_answer edit_all(struct strm *s, const struct hook_set *h, bool as_front, struct hmsg *head)
{
        for (int i = 0; h && i < h->n[HOOK_AFTER]; i++) {
                const struct hook_use *u = &h->at[HOOK_AFTER][i];
                enum hook_answer a = u->hook->edit(s, u->arg, as_front, head);
                if (a != HOOK_NEXT)
                        return a;
        }
        return HOOK_NEXT;
}

bool hook_after(struct strm *s, struct hmsg *head)
{
        const struct hook_set *b = s->bcfg ? s->bcfg->hooks : NULL, *f = s->fcfg->hooks;

        if (likely(!(b && b->n[HOOK_AFTER]) && !(f && f->n[HOOK_AFTER])))
                return true;
        if (s->after_done) /* the answer to what went wrong while they ran */
                return true;
        s->after_done = true;
        return edit_all(s, b, false, head) == HOOK_NEXT && edit_all(s, f, true, head) == HOOK_NEXT;
}

bool hook_same_proxy(const struct strm *s)
{
        return s->bcfg && s->bcfg->obj && s->fcfg->obj && s->bcfg->obj->kind == s->fcfg->obj->kind &&
               strcmp(s->bcfg->obj->name, s->fcfg->obj->name) == 0;
}

/* ---- compile ---- */

static void add_point(struct conf *c, struct hook_set *s, enum hook_point p, const struct hook_use *use)
{
        size_t n = s->n[p];
        struct hook_use *v = conf_alloc(c, (n + 1) * sizeof(*v));

        ASSERT(n < UINT8_MAX);
        if (n)
                memcpy(v, s->at[p], n * sizeof(*v));
        v[n] = *use;
        s->at[p] = v;
        s->n[p] = (uint8_t)(n + 1);
}

const struct hook_set *hook_compile(struct conf *c, const struct conf_obj *proxy, bool as_front)
{
        static const struct hook_set none;
        struct hook_set *s = NULL;

        for (size_t i = 0; i < n_hooks; i++) {
                struct hook_use use = { hooks[i], hooks[i]->applies(c, proxy, as_front) };

                if (!use.arg)
                        continue;
                if (!s)
                        s = conf_alloc(c, sizeof(*s));
                add_point(c, s, hooks[i]->point, &use);
        }
        return s ? s : &none; /* most proxies share the empty set */
}
