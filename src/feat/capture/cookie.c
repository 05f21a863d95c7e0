/* feat/capture/cookie.c - finds a cookie by the beginning of its name, as it is shown in the log. */
#include "feat/capture/capture.h"

/* Where the cookie at `i` ends: a quoted string may hold separators. */
static size_t cookie_end(struct str f, size_t i, bool set)
{
        bool quoted = false;

        for (; i < f.n; i++) {
                char c = f.p[i];

                if (c == '"')
                        quoted = !quoted;
                else if (c == '\\' && quoted && i + 1 < f.n)
                        i++;
                else if (!quoted && (c == ';' || (c == ',' && !set)))
                        break;
        }
        return i;
}

static size_t put(char *dst, size_t at, size_t n, struct str s)
{
        size_t k = s.n < n - at ? s.n : n - at;

        if (k)
                memcpy(dst + at, s.p, k);
        return at + k;
}

/* Does "name=value" begin with it? */
static bool begins(struct str name, struct str value, struct str prefix)
{
        if (prefix.n <= name.n)
                return str_has_prefix(name, prefix);
        return str_has_prefix(prefix, name) && prefix.p[name.n] == '=' &&
               str_has_prefix(value, str_sub(prefix, name.n + 1, prefix.n - name.n - 1));
}

size_t capture_cookie(struct str field, bool set, struct str prefix, char *dst, size_t n)
{
        for (size_t i = 0; i < field.n;) {
                size_t end = cookie_end(field, i, set), eq = i;
                struct str name, value;

                while (eq < end && field.p[eq] != '=')
                        eq++;
                name = str_trim(str_sub(field, i, eq - i));
                value = eq < end ? str_trim(str_sub(field, eq + 1, end - eq - 1)) : str_sub(field, end, 0);
                if (eq < end && name.n && name.p[0] != '$' && begins(name, value, prefix))
                        return put(dst, put(dst, put(dst, 0, n, name), n, STR("=")), n, value);
                if (set)
                        return 0; /* what follows are attributes */
                i = end + 1;
        }
        return 0;
}
