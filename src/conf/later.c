/* conf/later.c - see later.h. Lists are walked as they stand: only a word that is refused anyway comes here. */
#include "conf/later.h"

extern const struct later_table *const __start_telamon_later[] __attribute__((weak));
extern const struct later_table *const __stop_telamon_later[] __attribute__((weak));

const struct later_table *const *later_tables(size_t *ret_n)
{
        *ret_n = __start_telamon_later ? (size_t)(__stop_telamon_later - __start_telamon_later) : 0;
        return __start_telamon_later;
}

bool later_next(struct str *names, struct str *ret_name)
{
        const char *comma = names->n ? memchr(names->p, ',', names->n) : NULL;
        size_t n = comma ? (size_t)(comma - names->p) : names->n;

        if (names->n == 0)
                return false;
        *ret_name = str_sub(*names, 0, n);
        *names = str_sub(*names, n + (comma != NULL), names->n - n - (comma != NULL));
        return true;
}

static bool fits(const struct later_table *t, const char *what, kind_mask kinds, const char *of)
{
        return strcmp(t->what, what) == 0 && (kinds ? (t->kinds & kinds) != 0 : t->kinds == 0) &&
               (of ? t->of && strcmp(t->of, of) == 0 : !t->of);
}

static bool equal(struct str listed, struct str name)
{
        if (listed.p[listed.n - 1] == '*')
                return str_has_prefix(name, str_sub(listed, 0, listed.n - 1)) && !memchr(name.p, ' ', name.n);
        return str_eq(listed, name);
}

/* `first`: the name of a group, "http-check" of "http-check send"; else a whole one. */
static bool lists(const struct later_table *t, struct str name, bool first)
{
        struct str names = str_of(t->names), one;

        while (later_next(&names, &one)) {
                if (first ? name.n && one.n > name.n && one.p[name.n] == ' ' && str_has_prefix(one, name)
                          : equal(one, name))
                        return true;
        }
        return false;
}

static struct str without_no(struct str name)
{
        return str_has_prefix(name, STR("no-")) ? str_sub(name, 3, name.n - 3) : (struct str){ "", 0 };
}

static const struct later_table *find(const char *what, kind_mask kinds, const char *of, struct str name, bool first)
{
        size_t n;
        const struct later_table *const *t = later_tables(&n);

        for (size_t i = 0; name.n && i < n; i++)
                if (fits(t[i], what, kinds, of) &&
                    (lists(t[i], name, first) || (kinds && lists(t[i], without_no(name), first))))
                        return t[i];
        return NULL;
}

const struct later_table *later_find(const char *what, kind_mask kinds, const char *of, struct str name)
{
        return find(what, kinds, of, name, false);
}

static const char *say(struct arena *mem, const struct later_table *t, struct str name)
{
        if (!t)
                return NULL;
        return arena_printf(mem, "'%.*s' is %s %s of HAProxy that Telamon does not support%s", (int)name.n, name.p,
                            strchr("aeiou", t->what[0]) ? "an" : "a", t->what, t->never ? "" : " yet");
}

const char *later_text(struct arena *mem, const char *what, const char *of, struct str name)
{
        return say(mem, later_find(what, 0, of, name), name);
}

const char *later_line(struct arena *mem, kind_mask kind, const struct word *w, size_t n, bool begun, size_t *ret_n)
{
        const struct later_table *t;
        AUTO_BUF(two);

        *ret_n = 2;
        if (n > 1)
                buf_printf(&two, "%.*s %.*s", (int)w[0].text.n, w[0].text.p, (int)w[1].text.n, w[1].text.p);
        t = find(LATER_KEYWORD, kind, NULL, buf_view(&two), false);
        if (t)
                return say(mem, t, buf_view(&two));
        *ret_n = 1;
        if (begun)
                return NULL;
        t = find(LATER_KEYWORD, kind, NULL, w[0].text, false);
        if (!t)
                t = find(LATER_KEYWORD, kind, NULL, w[0].text, true);
        return say(mem, t, w[0].text);
}
