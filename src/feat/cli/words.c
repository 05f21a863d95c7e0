/* feat/cli/words.c - a command line into words (management.txt 9.3: ';' separates commands, '\' escapes). */
#include "feat/cli/cli.h"

static bool blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

/* Copies one word over itself without its escapes; returns where it ended. */
static char *take_word(char *p, struct str *ret_word)
{
        char *to = p;

        ret_word->p = p;
        while (*p && !blank(*p) && *p != ';') {
                if (*p == '\\' && p[1])
                        p++;
                *to++ = *p++;
        }
        ret_word->n = (size_t)(to - ret_word->p);
        return p;
}

int cli_cut(char *text, struct str *words, unsigned max, char **ret_next)
{
        unsigned n = 0;
        char *p = text;

        for (;;) {
                struct str w;

                while (blank(*p))
                        p++;
                if (*p == 0 || *p == ';')
                        break;
                p = take_word(p, &w);
                if (n == max)
                        return -1;
                words[n++] = w;
        }
        *ret_next = *p == ';' ? p + 1 : NULL;
        return (int)n;
}

bool cli_payload_mark(char *line, char *ret_mark, size_t size)
{
        char *end = line + strlen(line), *at;
        size_t n;

        while (end > line && blank(end[-1]))
                *--end = 0;
        at = end;
        while (at > line && !blank(at[-1]))
                at--;
        if (at[0] != '<' || at[1] != '<' || at == line)
                return false;
        n = (size_t)(end - at) - 2;
        if (n >= size)
                return false;
        memcpy(ret_mark, at + 2, n + 1);
        *at = 0;
        return true;
}
