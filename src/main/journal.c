/* main/journal.c - see the header. */
#include "main/journal.h"

#include <stdlib.h>

void journal_init(struct journal *j)
{
        *j = (struct journal){ .keys = MAP_INIT };
        list_init(&j->all);
}

static void drop(struct journal *j, struct journal_entry *e)
{
        list_del(&e->link);
        (void)map_del(&j->keys, str_of(e->key));
        free(e->key);
        free(e->cmd);
        free(e);
        j->n--;
}

void journal_fini(struct journal *j)
{
        list_for_each_safe (i, &j->all)
                drop(j, list_item(i, struct journal_entry, link));
        map_fini(&j->keys);
}

static void add(struct journal *j, struct str key, struct str cmd)
{
        struct journal_entry *e = calloc(1, sizeof(*e));
        bool ok;

        ASSERT(e != NULL);
        e->key = strndup(key.p, key.n);
        e->cmd = strndup(cmd.p, cmd.n);
        ASSERT(e->key && e->cmd);
        ok = map_put(&j->keys, str_of(e->key), e);
        ASSERT(ok);
        list_push(&j->all, &e->link);
        j->n++;
}

void journal_set(struct journal *j, struct str key, struct str cmd)
{
        struct journal_entry *e = map_get(&j->keys, key);

        if (cmd.n == 0) {
                if (e)
                        drop(j, e);
                return;
        }
        if (!e && j->n >= JOURNAL_MAX) {
                j->refused++;
                return;
        }
        if (e) {
                free(e->cmd);
                e->cmd = strndup(cmd.p, cmd.n);
                ASSERT(e->cmd != NULL);
                return;
        }
        add(j, key, cmd);
}
