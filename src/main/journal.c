/* main/journal.c - see the header. */
#include "main/journal.h"

#include "core/cli.h"
#include "main/proclog.h"

#include <stdlib.h>

void journal_init(struct journal *j)
{
        *j = (struct journal){ .keys = MAP_INIT };
        list_init(&j->all);
}

static size_t cost(const struct journal_entry *e)
{
        return strlen(e->key) + strlen(e->cmd) + JOURNAL_OVERHEAD;
}

static void free_entry(struct journal_entry *e)
{
        free(e->key);
        free(e->cmd);
        free(e);
}

static void drop(struct journal *j, struct journal_entry *e)
{
        list_del(&e->link);
        (void)map_del(&j->keys, str_of(e->key));
        j->n--;
        j->bytes -= cost(e);
        free_entry(e);
}

void journal_fini(struct journal *j)
{
        list_for_each_safe (i, &j->all)
                drop(j, list_item(i, struct journal_entry, link));
        map_fini(&j->keys);
}

/* ---- what may be kept ---- */

bool journal_may(struct str cmd)
{
        if (cmd.n == 0 || cmd.n > JOURNAL_CMD_MAX || cmd.p[cmd.n - 1] == ' ')
                return false;
        for (size_t i = 0; i < cmd.n; i++)
                if ((unsigned char)cmd.p[i] < ' ' || cmd.p[i] == 0x7f)
                        return false;
        cli_boot();
        return cli_may_journal(cmd);
}

/* ---- changes ---- */

static bool refuse(struct journal *j, const char *why)
{
        j->refused++;
        if ((j->refused & (j->refused - 1)) == 0)
                proclog(PROC_WARNING,
                        "A runtime change is not kept for the next worker (%s); %llu so far, %zu are kept.", why,
                        (unsigned long long)j->refused, j->n);
        return false;
}

static struct journal_entry *entry_new(struct str key, struct str cmd)
{
        struct journal_entry *e = calloc(1, sizeof(*e));

        if (!e)
                return NULL;
        e->key = strndup(key.p, key.n);
        e->cmd = strndup(cmd.p, cmd.n);
        if (e->key && e->cmd)
                return e;
        free_entry(e);
        return NULL;
}

static bool add(struct journal *j, struct str key, struct str cmd)
{
        struct journal_entry *e = entry_new(key, cmd);

        if (!e || !map_put(&j->keys, str_of(e->key), e)) {
                if (e)
                        free_entry(e);
                return refuse(j, "out of memory");
        }
        list_push(&j->all, &e->link);
        j->n++;
        j->bytes += cost(e);
        return true;
}

static bool change(struct journal *j, struct journal_entry *e, struct str cmd)
{
        char *own = strndup(cmd.p, cmd.n);

        if (!own) {
                drop(j, e);
                return refuse(j, "out of memory");
        }
        j->bytes += cmd.n - strlen(e->cmd);
        free(e->cmd);
        e->cmd = own;
        return true;
}

bool journal_set(struct journal *j, struct str key, struct str cmd)
{
        struct journal_entry *e = map_get(&j->keys, key);
        const char *why = NULL;

        if (cmd.n == 0) {
                if (e)
                        drop(j, e);
                return true;
        }
        if (key.n == 0 || key.n > JOURNAL_KEY_MAX || !journal_may(cmd))
                why = "it is not of a form that is";
        else if (j->bytes + key.n + cmd.n + JOURNAL_OVERHEAD > JOURNAL_BYTES_MAX || (!e && j->n >= JOURNAL_MAX))
                why = "there are too many";
        if (why && e)
                drop(j, e);
        if (why)
                return refuse(j, why);
        return e ? change(j, e, cmd) : add(j, key, cmd);
}
