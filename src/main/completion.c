/* main/completion.c - `telamon completion bash|zsh|fish`: completion of options, verbs, the keywords behind `explain`, the
 * commands behind `ctl`.
 *
 * All three scripts do the same: a table of options and verbs, and for `explain` and `ctl` the lines that go on with what stands there. */
#include "conf/kw_doc.h"
#include "core/cli.h"
#include "core/role.h"
#include "main/argv.h"

#include <stdio.h>
#include <stdlib.h>

/* A line, cut at tabs into three parts. */
struct cut {
        struct str part[3];
};

static struct str after(struct str s, size_t n)
{
        return n < s.n ? str_sub(s, n, s.n - n) : (struct str){ s.p + s.n, 0 };
}

static bool next_line(struct str *rest, struct cut *ret_c)
{
        const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
        struct str line;

        if (!end)
                return false;
        line = str_sub(*rest, 0, (size_t)(end - rest->p));
        *rest = after(*rest, line.n + 1);
        for (int i = 0; i < 3; i++) {
                const char *tab = line.n ? memchr(line.p, '\t', line.n) : NULL;
                size_t n = tab ? (size_t)(tab - line.p) : line.n;

                ret_c->part[i] = str_sub(line, 0, n);
                line = after(line, n + 1);
        }
        return true;
}

static int by_text(const void *a, const void *b)
{
        const struct str *x = a, *y = b;
        int r = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

        return r ? r : x->n < y->n ? -1 : x->n > y->n;
}

/* Every keyword once, one a line. */
static void keywords(struct buf *out)
{
        AUTO_BUF(all);
        struct str rest, *v = NULL;
        struct cut c;
        size_t n = 0;

        kw_completion(&all);
        rest = buf_view(&all);
        while (next_line(&rest, &c)) {
                v = realloc(v, (n + 1) * sizeof(*v));
                ASSERT(v != NULL);
                v[n++] = c.part[1];
        }
        if (n)
                qsort(v, n, sizeof(*v), by_text);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || !str_eq(v[i], v[i - 1]))
                        buf_printf(out, "%.*s\n", (int)v[i].n, v[i].p);
        free(v);
}

/* Every command of the runtime socket, one a line; they are sorted. */
static void commands(struct buf *out)
{
        unsigned n;
        const struct cli_cmd *const *all;

        cli_boot();
        all = cli_all(&n);
        for (unsigned i = 0; i < n; i++)
                buf_printf(out, "%s\n", all[i]->words);
}

/* Inside '...' of a shell. */
static void quoted(struct buf *out, struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '\'')
                        buf_puts(out, "'\\''");
                else
                        buf_putc(out, s.p[i]);
}

/* The options, or the verbs, one word after the other; only those whose third part is `kind` unless it is NULL. */
static void words(struct buf *out, const char *kind)
{
        AUTO_BUF(o);
        struct str rest;
        struct cut c;
        const char *blank = "";

        args_options(&o);
        rest = buf_view(&o);
        while (next_line(&rest, &c)) {
                if (kind && !str_is(c.part[2], kind))
                        continue;
                buf_printf(out, "%s%.*s", blank, (int)c.part[0].n, c.part[0].p);
                blank = kind ? "|" : " ";
        }
}

static void verbs(struct buf *out)
{
        unsigned n;
        const struct verb *const *v = verb_all(&n);

        for (unsigned i = 0; i < n; i++)
                buf_printf(out, "%s%s", i ? " " : "", v[i]->name);
}

static void bash(struct buf *out)
{
        buf_puts(out, "# bash completion for telamon\n"
                      "_telamon_explain() {\n  cat <<'KEYWORDS'\n");
        keywords(out);
        buf_puts(out, "KEYWORDS\n}\n_telamon_ctl() {\n  cat <<'COMMANDS'\n");
        commands(out);
        buf_puts(out, "COMMANDS\n}\n"
                      "_telamon() {\n"
                      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} said k\n"
                      "  COMPREPLY=()\n"
                      "  if [[ (${COMP_WORDS[1]} == explain || ${COMP_WORDS[1]} == ctl) && $COMP_CWORD -gt 1 ]]; then\n"
                      "    said=\"${COMP_WORDS[*]:2:COMP_CWORD-2}\"\n"
                      "    while read -r k; do\n"
                      "      [[ -z $said || $k == \"$said \"* ]] || continue\n"
                      "      k=${k#\"$said\"} k=${k# } k=${k%% *}\n"
                      "      [[ $k == \"$cur\"* ]] && COMPREPLY+=(\"$k\")\n"
                      "    done < <(_telamon_${COMP_WORDS[1]})\n"
                      "    return\n"
                      "  fi\n"
                      "  case $prev in\n    ");
        words(out, "none");
        buf_puts(out, ") return ;;\n    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\")); return ;;\n"
                      "  esac\n"
                      "  if [[ $cur == -* ]]; then\n    COMPREPLY=($(compgen -W '");
        words(out, NULL);
        buf_puts(out, "' -- \"$cur\"))\n  else\n    [[ $COMP_CWORD -eq 1 ]] && COMPREPLY=($(compgen -W '");
        verbs(out);
        buf_puts(out, "' -- \"$cur\"))\n"
                      "    COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
                      "  fi\n"
                      "}\n"
                      "complete -o filenames -F _telamon telamon\n");
}

static void zsh_options(struct buf *out)
{
        AUTO_BUF(o);
        struct str rest;
        struct cut c;

        args_options(&o);
        rest = buf_view(&o);
        while (next_line(&rest, &c)) {
                buf_printf(out, "    '%.*s:", (int)c.part[0].n, c.part[0].p);
                quoted(out, c.part[1]);
                buf_puts(out, "'\n");
        }
}

static void zsh(struct buf *out)
{
        unsigned n;
        const struct verb *const *v = verb_all(&n);

        buf_puts(out, "#compdef telamon\n"
                      "local -a keywords options verbs next\n"
                      "if [[ $words[2] == (explain|ctl) ]] && (( CURRENT > 2 )); then\n"
                      "  local said=\"${(j: :)words[3,CURRENT-1]}\"\n"
                      "  if [[ $words[2] == explain ]]; then\n"
                      "  keywords=(${(f)\"$(<<'KEYWORDS'\n");
        keywords(out);
        buf_puts(out, "KEYWORDS\n"
                      ")\"})\n"
                      "  else\n"
                      "  keywords=(${(f)\"$(<<'COMMANDS'\n");
        commands(out);
        buf_puts(out, "COMMANDS\n"
                      ")\"})\n"
                      "  fi\n"
                      "  [[ -n $said ]] && keywords=(${${(M)keywords:#$said *}#$said })\n"
                      "  next=(${keywords%% *})\n"
                      "  compadd -a next\n"
                      "  return\n"
                      "fi\n"
                      "case $words[CURRENT-1] in\n  ");
        words(out, "none");
        buf_puts(out, ") return ;;\n  completion) compadd bash zsh fish; return ;;\nesac\n"
                      "if [[ $PREFIX == -* ]]; then\n  options=(\n");
        zsh_options(out);
        buf_puts(out, "  )\n  _describe option options\n  return\nfi\nif (( CURRENT == 2 )); then\n  verbs=(\n");
        for (unsigned i = 0; i < n; i++) {
                buf_printf(out, "    '%s:", v[i]->name);
                quoted(out, str_of(v[i]->help));
                buf_puts(out, "'\n");
        }
        buf_puts(out, "  )\n  _describe command verbs\nfi\n_files\n");
}

static void fish(struct buf *out)
{
        AUTO_BUF(o);
        struct str rest;
        struct cut c;
        unsigned n;
        const struct verb *const *v = verb_all(&n);

        buf_puts(out, "# fish completion for telamon\n"
                      "function __telamon_keywords\n"
                      "  set -l said (commandline -opc)[3..-1]\n"
                      "  set -l all '");
        keywords(out);
        buf_puts(out, "'\n"
                      "  if test (commandline -opc)[2] = ctl\n"
                      "    set all '");
        commands(out);
        buf_puts(out, "'\n"
                      "  end\n"
                      "  for k in (string split \\n -- $all)\n"
                      "    set -l w (string split ' ' -- $k)\n"
                      "    set -l n (count $said)\n"
                      "    test (count $w) -gt $n; or continue\n"
                      "    test $n -eq 0; or test \"$w[1..$n]\" = \"$said\"; or continue\n"
                      "    echo $w[(math $n + 1)]\n"
                      "  end\n"
                      "end\n"
                      "complete -c telamon -n '__fish_seen_subcommand_from explain ctl' -f -a '(__telamon_keywords)'\n"
                      "complete -c telamon -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n");
        args_options(&o);
        rest = buf_view(&o);
        while (next_line(&rest, &c)) {
                const char *follow = str_is(c.part[2], "file") ? " -r" : str_is(c.part[2], "none") ? " -x" : "";

                buf_printf(out, "complete -c telamon -o '%.*s'%s -d '", (int)(c.part[0].n - 1), c.part[0].p + 1,
                           follow);
                quoted(out, c.part[1]);
                buf_puts(out, "'\n");
        }
        for (unsigned i = 0; i < n; i++) {
                buf_printf(out, "complete -c telamon -n '__fish_use_subcommand' -a '%s' -d '", v[i]->name);
                quoted(out, str_of(v[i]->help));
                buf_puts(out, "'\n");
        }
}

static int completion_main(int argc, char **argv)
{
        static const struct {
                const char *shell;
                void (*print)(struct buf *out);
        } shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
        AUTO_BUF(b);

        for (size_t i = 0; i < array_len(shells) && argc == 2; i++) {
                if (strcmp(argv[1], shells[i].shell) != 0)
                        continue;
                shells[i].print(&b);
                return fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0 ? 0 : 1;
        }
        (void)fputs("usage: telamon completion bash|zsh|fish\n", stderr);
        return 1;
}

static const struct verb verb_completion = { "completion", "bash|zsh|fish", "print a completion script for this shell",
                                             completion_main };
VERB(verb_completion);
