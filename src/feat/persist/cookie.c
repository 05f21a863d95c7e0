/* feat/persist/cookie.c - finding, taking out and dating cookies. */
#include "feat/persist/cookie.h"

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static struct str trim(struct str s)
{
        while (s.n && is_blank(s.p[0]))
                s = str_sub(s, 1, s.n - 1);
        while (s.n && is_blank(s.p[s.n - 1]))
                s.n--;
        return s;
}

static struct cookie split(struct str one)
{
        const char *eq = one.n ? memchr(one.p, '=', one.n) : NULL;

        if (!eq)
                return (struct cookie){ one, { NULL, 0 } };
        return (struct cookie){ one, trim((struct str){ eq + 1, (size_t)(one.p + one.n - eq) - 1 }) };
}

static struct str name_of(const struct cookie *c)
{
        const char *eq = c->all.n ? memchr(c->all.p, '=', c->all.n) : NULL;

        return eq ? trim((struct str){ c->all.p, (size_t)(eq - c->all.p) }) : c->all;
}

bool cookie_next(struct str field, struct str name, size_t *pos, struct cookie *ret_c)
{
        while (*pos < field.n) {
                size_t i = *pos, n = 0;
                struct cookie c;

                while (i + n < field.n && field.p[i + n] != ';' && field.p[i + n] != ',')
                        n++;
                *pos = i + n + 1;
                c = split(trim(str_sub(field, i, n)));
                if (str_eq(name_of(&c), name)) {
                        *ret_c = c;
                        return true;
                }
        }
        return false;
}

static size_t put(char *room, size_t at, struct str s)
{
        memcpy(room + at, s.p, s.n);
        return at + s.n;
}

/* One cookie of the field as it goes on; n == 0: it does not. */
static size_t put_edited(char *room, size_t at, const struct cookie *c, enum cookie_edit how)
{
        const char *tilde = c->value.n ? memchr(c->value.p, '~', c->value.n) : NULL;
        struct str head = { c->all.p, (size_t)(c->value.p - c->all.p) };

        if (how == COOKIE_DROP)
                return at;
        at = put(room, at, tilde ? head : c->all);
        if (tilde)
                at = put(room, at, (struct str){ tilde + 1, (size_t)(c->value.p + c->value.n - tilde) - 1 });
        return at;
}

/* One pass, whatever stands there: a head full of such cookies costs its length. */
bool cookie_edit(struct str field, struct str name, enum cookie_edit how, char *room, struct str *ret_field)
{
        size_t pos = 0, out = 0;
        bool changed = false;

        while (pos < field.n) {
                size_t n = 0, from;
                struct cookie c;

                while (pos + n < field.n && field.p[pos + n] != ';' && field.p[pos + n] != ',')
                        n++;
                c = split(trim(str_sub(field, pos, n)));
                pos += n + 1;
                if (c.all.n == 0)
                        continue;
                from = out;
                if (out)
                        out = put(room, out, STR("; "));
                if (c.value.p && str_eq(name_of(&c), name)) {
                        size_t with = put_edited(room, out, &c, how);

                        changed |= with - out != c.all.n;
                        out = with > out ? with : from;
                } else {
                        out = put(room, out, c.all);
                }
        }
        if (changed)
                *ret_field = (struct str){ room, out };
        return changed;
}

bool cookie_set(struct str field, struct str name, struct cookie *ret_c)
{
        const char *end = field.n ? memchr(field.p, ';', field.n) : NULL;
        struct cookie c = split(trim(str_sub(field, 0, end ? (size_t)(end - field.p) : field.n)));

        if (!c.value.p || !str_eq(name_of(&c), name))
                return false;
        *ret_c = c;
        return true;
}

static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void cookie_date_put(uint32_t s, char ret_text[COOKIE_DATE_LEN])
{
        uint32_t v = (s + 3) >> 2;

        for (int i = COOKIE_DATE_LEN; i-- > 0; v >>= 6)
                ret_text[i] = digit[v & 63];
}

uint32_t cookie_date_get(struct str text)
{
        uint32_t v = 0;

        if (text.n != COOKIE_DATE_LEN)
                return 0;
        for (size_t i = 0; i < text.n; i++) {
                const char *d = text.p[i] ? strchr(digit, text.p[i]) : NULL;

                if (!d)
                        return 0;
                v = v << 6 | (uint32_t)(d - digit);
        }
        return v << 2;
}
