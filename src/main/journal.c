/* main/journal.c - see the header. */
#include "main/journal.h"

#include "main/proclog.h"

#include <stdlib.h>

/* * = a word, # = a number, a|b = one of them. */
static const char *const forms[] = {
        "set server * addr * port #",
        "set server * addr *",
        "set server * fqdn *",
        "set server * health up|stopping|down",
        "set server * state ready|drain|maint",
        "set server * weight #",
        "set maxconn server * #",
        "set maxconn frontend * #",
        "set maxconn global #",
        "enable|disable health *",
        "enable|disable|shutdown frontend *",
};

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

/* The next word, words being separated by one blank. */
static struct str next_word(struct str *s)
{
        const char *sp = s->n ? memchr(s->p, ' ', s->n) : NULL;
        size_t n = sp ? (size_t)(sp - s->p) : s->n;
        struct str w = str_sub(*s, 0, n);

        *s = str_sub(*s, n + (sp != NULL), s->n - n - (sp != NULL));
        return w;
}

static bool one_of(struct str words, struct str w)
{
        while (words.n) {
                const char *bar = memchr(words.p, '|', words.n);
                size_t n = bar ? (size_t)(bar - words.p) : words.n;

                if (str_eq(str_sub(words, 0, n), w))
                        return true;
                words = str_sub(words, n + (bar != NULL), words.n - n - (bar != NULL));
        }
        return false;
}

static bool fits_word(struct str form, struct str w)
{
        uint64_t v;

        if (w.n == 0)
                return false;
        if (str_is(form, "*"))
                return true;
        return str_is(form, "#") ? str_to_u64(w, &v) : one_of(form, w);
}

static bool fits(struct str form, struct str cmd)
{
        while (form.n && cmd.n)
                if (!fits_word(next_word(&form), next_word(&cmd)))
                        return false;
        return form.n == 0 && cmd.n == 0;
}

bool journal_may(struct str cmd)
{
        if (cmd.n == 0 || cmd.n > JOURNAL_CMD_MAX || cmd.p[cmd.n - 1] == ' ')
                return false;
        for (size_t i = 0; i < cmd.n; i++)
                if ((unsigned char)cmd.p[i] < ' ' || cmd.p[i] == 0x7f)
                        return false;
        for (size_t i = 0; i < array_len(forms); i++)
                if (fits(str_of(forms[i]), cmd))
                        return true;
        return false;
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
