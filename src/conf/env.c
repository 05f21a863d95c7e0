/* conf/env.c - the environment that one load sees. An overlay: the process's own is read through the vfs (so that the
 * bundle has it) and never written. */
#include "conf/conf_int.h"

#include <stdio.h>

static const char unset_mark[] = ""; /* value of a variable that the file unset */

static void put(struct conf *c, struct str name, const char *value)
{
        const char *z = conf_intern(c, name);
        bool ok = map_put(&c->priv->env, (struct str){ z, name.n }, (void *)(uintptr_t)value);

        ASSERT(ok);
}

const char *conf_env_get(struct conf *c, struct str name)
{
        const char *z = name.n ? map_get(&c->priv->env, name) : NULL;
        struct str v;

        if (z)
                return z == unset_mark ? NULL : z;
        if (name.n == 0 || c->priv->env_closed || vfs_getenv(c->priv->vfs, conf_intern(c, name), &v) < 0)
                return NULL;
        z = conf_intern(c, v);
        put(c, name, z);
        return z;
}

void conf_env_set(struct conf *c, struct str name, struct str value)
{
        put(c, name, conf_intern(c, value));
}

void conf_env_unset(struct conf *c, struct str name)
{
        put(c, name, unset_mark);
}

static bool is_kept(struct str name, const struct word *keep, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (str_eq(keep[i].text, name))
                        return true;
        return false;
}

void conf_env_reset(struct conf *c, const struct word *keep, size_t n)
{
        struct map_entry *e;

        for (size_t i = 0; i < n; i++)
                (void)conf_env_get(c, keep[i].text); /* pulls it into the overlay */
        c->priv->env_closed = true;
        for (size_t i = 0; (e = map_next(&c->priv->env, &i)) != NULL;)
                if (!is_kept(e->key, keep, n))
                        e->value = (void *)(uintptr_t)unset_mark;
}

void env_init(struct conf *c)
{
        for (const char *const *e = c->opts->env; e && *e; e++) {
                const char *eq = strchr(*e, '=');

                ASSERT(eq != NULL);
                conf_env_set(c, (struct str){ *e, (size_t)(eq - *e) }, str_of(eq + 1));
        }
}

static const char *pseudo(struct conf *c, struct str name)
{
        char z[16];

        if (str_is(name, ".FILE"))
                return c->priv->file_name;
        if (str_is(name, ".SECTION"))
                return !c->priv->section         ? ""
                       : *c->priv->section->name ? c->priv->section->name
                                                 : c->priv->section->kind->name;
        if (!str_is(name, ".LINE"))
                return NULL;
        (void)snprintf(z, sizeof(z), "%u", c->priv->line_at.line);
        return conf_intern(c, str_of(z));
}

bool env_lookup(void *ctx, struct str name, struct str *ret_value)
{
        struct conf *c = ctx;
        const char *z = name.n && name.p[0] == '.' ? pseudo(c, name) : conf_env_get(c, name);

        if (z)
                *ret_value = str_of(z);
        return z != NULL;
}
