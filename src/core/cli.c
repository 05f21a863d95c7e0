/* core/cli.c - the register of runtime commands and what commands share. The connection side is feat/cli. */
#include "core/cli.h"

#include "core/inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct cli_cmd *const __start_telamon_cli[] __attribute__((weak));
extern const struct cli_cmd *const __stop_telamon_cli[] __attribute__((weak));

#define LINE_WORDS 64

static const struct cli_cmd **cmds;
static unsigned n_cmds;

static int by_words(const void *a, const void *b)
{
        return strcmp((*(const struct cli_cmd *const *)a)->words, (*(const struct cli_cmd *const *)b)->words);
}

void cli_boot(void)
{
        size_t n = (size_t)(__stop_telamon_cli - __start_telamon_cli);

        if (cmds || n == 0)
                return;
        cmds = malloc(n * sizeof(*cmds));
        ASSERT(cmds != NULL);
        memcpy(cmds, __start_telamon_cli, n * sizeof(*cmds));
        qsort(cmds, n, sizeof(*cmds), by_words);
        for (size_t i = 1; i < n; i++)
                ASSERT(strcmp(cmds[i - 1]->words, cmds[i]->words) != 0); /* two features claim one command */
        n_cmds = (unsigned)n;
}

/* How many leading args are exactly the command's words; 0 = not this command. */
static unsigned match(const char *words, const struct str *args, unsigned n_args)
{
        unsigned n = 0;

        while (*words) {
                size_t len = strcspn(words, " ");

                if (n >= n_args || !str_eq(args[n], (struct str){ words, len }))
                        return 0;
                n++;
                words += len;
                words += *words == ' ';
        }
        return n;
}

const struct cli_cmd *cli_find(const struct str *args, unsigned n_args)
{
        const struct cli_cmd *best = NULL;
        unsigned best_n = 0;

        for (unsigned i = 0; i < n_cmds; i++) {
                unsigned n = match(cmds[i]->words, args, n_args);

                if (n > best_n) {
                        best = cmds[i];
                        best_n = n;
                }
        }
        return best;
}

const struct cli_cmd *const *cli_all(unsigned *ret_n)
{
        *ret_n = n_cmds;
        return cmds;
}

/* ---- what may be journalled ---- */

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

/* The whole of cmd, which is not empty. */
static bool fits(struct str form, struct str cmd)
{
        while (form.n && cmd.n)
                if (!fits_word(next_word(&form), next_word(&cmd)))
                        return false;
        return form.n == 0 && cmd.n == 0;
}

/* The text behind the first n words. */
static struct str behind(struct str text, unsigned n)
{
        while (n-- > 0)
                (void)next_word(&text);
        return text;
}

static unsigned count_words(const char *words)
{
        unsigned n = 1;

        for (; *words; words++)
                n += *words == ' ';
        return n;
}

bool cli_may_journal(struct str cmd)
{
        struct str args[LINE_WORDS], left = cmd, forms;
        const struct cli_cmd *row;
        unsigned n = 0;

        while (left.n && n < LINE_WORDS)
                args[n++] = next_word(&left);
        row = cli_find(args, n);
        if (!row || !row->journal)
                return false;
        left = behind(cmd, count_words(row->words));
        for (forms = str_of(row->journal); forms.n;) {
                const char *semi = memchr(forms.p, ';', forms.n);
                size_t len = semi ? (size_t)(semi - forms.p) : forms.n;

                if (fits(str_sub(forms, 0, len), left))
                        return true;
                forms = str_sub(forms, len + (semi != NULL), forms.n - len - (semi != NULL));
        }
        return false;
}

/* ---- what commands share ---- */

void (*cli_severity)(const struct cli_session *s, int severity, struct buf *out);

void cli_msg(struct cli_call *c, int severity, const char *fmt, ...)
{
        char text[1024];
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (n < 0)
                return;
        if (c->session && cli_severity)
                cli_severity(c->session, severity, c->out);
        buf_add(c->out, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void cli_journal(struct cli_call *c, const char *key, const char *fmt, ...)
{
        char text[1024];
        va_list ap;
        int n;

        if (c->replay)
                return;
        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= sizeof(text))
                return; /* names are far shorter than that; a cut command would be another command */
        engine_journal(key, text);
}

static unsigned cut(char *line, struct str *args)
{
        unsigned n = 0;

        for (char *save = NULL, *w = strtok_r(line, " \t", &save); w && n < LINE_WORDS;
             w = strtok_r(NULL, " \t", &save))
                args[n++] = str_of(w);
        return n;
}

void cli_run_line(const char *line, enum cli_level level, bool replay, struct buf *out)
{
        struct arena mem = ARENA_INIT;
        uint8_t lv = (uint8_t)level;
        struct str args[LINE_WORDS];
        struct cli_call c = { .mem = &mem, .args = args, .level = &lv, .out = out, .replay = replay };
        const struct cli_cmd *cmd;

        c.n_args = cut(arena_strdup(&mem, str_of(line)), args);
        cmd = cli_find(args, c.n_args);
        if (!cmd)
                buf_printf(out, "Unknown command: '%.*s'.\n", (int)(c.n_args ? args[0].n : 0),
                           c.n_args ? args[0].p : "");
        else if (cmd->level > level)
                buf_puts(out, "Permission denied\n");
        else {
                cmd->run(&c);
                while (cmd->more && !c.wait && cmd->more(&c))
                        ;
        }
        arena_fini(&mem);
}
