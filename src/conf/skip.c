/* conf/skip.c - sections that nobody here knows: one message each, and their lines are not read.
 *
 * Two ways to see one. Its name is a section of HAProxy that this program has not (later.h): sure, whatever the layout.
 * Or an unknown word stands at the margin where the lines before it were indented and the lines after it are: a guess from
 * the layout, which spares a person one message a line; the first words of the message are those for an unknown keyword,
 * and what follows at the margin is read again. Lines of blocks (.if) keep their meaning throughout. */
#include "conf/conf_int.h"
#include "conf/later.h"

static bool is_indent(char c)
{
        return c == ' ' || c == '\t';
}

static bool says_nothing(struct str word)
{
        return word.n == 0 || word.p[0] == '.';
}

static bool is_absent(struct str word)
{
        return later_find(LATER_SECTION, 0, NULL, word) != NULL;
}

void skip_see_line(struct conf *c, struct str raw, struct str first_word)
{
        if (!says_nothing(first_word))
                c->priv->skip.indented = is_indent(raw.p[0]);
}

/* Whether the next line that says something is indented. */
static bool indented_ahead(struct str text)
{
        while (text.n) {
                const char *lf = memchr(text.p, '\n', text.n);
                size_t n = lf ? (size_t)(lf - text.p) : text.n, i = 0;

                while (i < n && is_indent(text.p[i]))
                        i++;
                if (i < n && !strchr("#\r.", text.p[i]))
                        return i > 0;
                text = str_sub(text, n + (lf ? 1 : 0), text.n - n - (lf ? 1 : 0));
        }
        return false;
}

static bool known_here(struct conf *c, const struct conf_obj *o, const struct line *l)
{
        const struct kw_group *g = NULL;
        size_t n;

        if (l->n > 1 && (str_is(l->w[0].text, "no") || str_is(l->w[0].text, "default")))
                return true;
        (void)kw_lookup(kind_rt_of(o->kind), l->w, l->n, &g);
        return g || later_line(&c->diags->mem, o->kind->bit, l->w, l->n, false, &n);
}

static void say(struct conf *c, const struct word *w, bool absent)
{
        const struct conf_obj *o = c->priv->section;
        const char *names[KINDS_MAX + 1] = { NULL };
        struct map_entry *e;
        size_t n = 0;
        struct diag *g;
        AUTO_BUF(in);

        if (absent) {
                g = diag_add(c->diags, DIAG_ALERT, w->at, "E0109", "%s",
                             later_text(&c->diags->mem, LATER_SECTION, NULL, w->text));
        } else {
                buf_printf(&in, o ? "in '%s' section" : "out of section", o ? o->kind->name : "");
                g = diag_add(c->diags, DIAG_ALERT, w->at, "E0101", "unknown keyword '%.*s' %.*s", (int)w->text.n,
                             w->text.p, (int)in.n, in.p);
                for (size_t i = 0; n < KINDS_MAX && (e = map_next(&kw_engine.sections, &i)) != NULL;)
                        names[n++] = ((const struct kind_rt *)e->value)->k->name;
                diag_suggest(c->diags, g, kw_nearest(w->text, names));
                g->intro = o ? DIAG_INTRO_SPACED : DIAG_INTRO_TIGHT;
        }
        c->priv->skip.said = g;
        c->priv->skip.sure = absent;
        c->priv->skip.lines = 0;
}

bool skip_begin(struct conf *c, const struct line *l)
{
        const struct conf_obj *o = c->priv->section;
        const struct word *w = &l->w[0];
        bool absent = is_absent(w->text);

        if (o && known_here(c, o, l))
                return false;
        if (!absent && (w->at.col != 1 || (o && !c->priv->skip.indented) || !indented_ahead(c->priv->ahead)))
                return false;
        say(c, w, absent);
        return true;
}

bool skip_takes(struct conf *c, struct str raw, struct str first_word)
{
        struct skip *s = &c->priv->skip;
        bool known, next;

        if (!s->said || says_nothing(first_word))
                return false;
        known = map_get(&kw_engine.sections, first_word) || is_absent(first_word);
        next = !is_indent(raw.p[0]) && (!s->sure || indented_ahead(c->priv->ahead));
        if (!known && !next) {
                s->lines++;
                return true;
        }
        skip_end(c);
        s->indented = true; /* what comes stands after a section, so it may be one */
        return false;
}

void skip_end(struct conf *c)
{
        struct skip *s = &c->priv->skip;

        if (s->said)
                s->said->text = arena_printf(&c->diags->mem,
                                             s->lines == 1 ? "%s%s, its %u line is not read"
                                                           : "%s%s, its %u lines are not read",
                                             s->said->text, s->sure ? "" : ", taken for a section", s->lines);
        s->said = NULL;
}
