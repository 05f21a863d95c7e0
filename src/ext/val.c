#include "ext/val.h"

const struct val *val_get(const struct val *v, const char *key)
{
        if (!v || v->type != VAL_MAP)
                return NULL;
        for (uint32_t i = 0; i < v->n; i++)
                if (str_is(v->fields[i].key, key))
                        return &v->fields[i].val;
        return NULL;
}

const struct val *val_at(const struct val *v, uint32_t i)
{
        return v && v->type == VAL_LIST && i < v->n ? &v->items[i] : NULL;
}

struct str val_text(const struct val *v)
{
        return v && v->type == VAL_STR ? v->s : STR("");
}

int64_t val_int(const struct val *v, int64_t other)
{
        return v && v->type == VAL_INT ? v->i : other;
}

bool val_bool(const struct val *v, bool other)
{
        return v && v->type == VAL_BOOL ? v->b : other;
}

void val_set_str(struct arena *mem, struct val *v, struct str text)
{
        *v = (struct val){ .type = VAL_STR, .s = { arena_strdup(mem, text), text.n } };
}
