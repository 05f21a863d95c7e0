/* core/cli.h - commands of the runtime socket as rows: adding one touches one folder (management.txt 9.3).
 *
 * A command runs inside an epoch on the loop of the CLI connection; it may read any cell, change state through server_set_*(),
 * and post work to the control thread. Long answers come in pieces by `more`.
 * Framing, prompt, payload (<<), levels, severity prefixes and the final empty line are the applet's business (feat/cli), not the
 * command's. */
#ifndef CORE_CLI_H
#define CORE_CLI_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/proxy.h"

enum cli_level { CLI_NONE, CLI_USER, CLI_OPERATOR, CLI_ADMIN };

struct cli_call {
        struct arena *mem;      /* of this command */
        const struct str *args; /* all words, the command's own included */
        unsigned n_args;
        struct str payload; /* after <<, or n == 0 */
        uint8_t *level;     /* of the session: `operator`, `user` lower it */
        struct buf *out;
        void *state;                 /* of this command between `more` calls; from mem */
        bool replay;                 /* from the journal: not journalled again */
        bool wait;                   /* set by the command: `more` is called again only after cli_wake() */
        struct cli_session *session; /* NULL: no connection */
};

struct cli_cmd {
        const char *words; /* "set server": longest match wins */
        const char *args;  /* "<backend>/<server> ..." for help */
        const char *help;  /* the help line's text */
        /* What it may hand to cli_journal(), after its own words; forms with ';' between them: "* weight #;* state ready|maint", where * is a
         * word, # a number, a|b one of them. The supervisor keeps nothing else for the next worker. NULL: it journals nothing. */
        const char *journal;
        enum cli_level level;
        bool experimental; /* only after `experimental-mode on` */
        void (*run)(struct cli_call *c);
        bool (*more)(struct cli_call *c); /* appends a bounded piece to out; true: call again. NULL: run() said all */
        /* Bytes that come while it runs, instead of the next command's; returns how many it took. May be NULL: they wait. */
        size_t (*input)(struct cli_call *c, struct str in, bool eof);
        void (*stop)(struct cli_call *c); /* the connection went while `more` had more to say; may be NULL */
};

#define CLI_CMD(id) static const struct cli_cmd *const id##_cli_reg __attribute__((used, section("telamon_cli"))) = &id

void cli_boot(void);
const struct cli_cmd *cli_find(const struct str *args, unsigned n_args); /* NULL: unknown */
const struct cli_cmd *const *cli_all(unsigned *ret_n);

/* Messages with a severity (syslog level): "[3]: No such server.\n" when the session asked for it. */
/* A command that set `wait` has something to say now. The session's thread. */
void cli_wake(struct cli_session *s);
/* feat/cli puts "[3]: " there when the session asked for it. */
extern void (*cli_severity)(const struct cli_session *s, int severity, struct buf *out);
void cli_msg(struct cli_call *c, int severity, const char *fmt, ...) fmt_like(3, 4);
/* Records a change that must survive a respawn (engine_hooks.journal). */
void cli_journal(struct cli_call *c, const char *key, const char *fmt, ...) fmt_like(3, 4);
bool cli_may_journal(
        struct str cmd); /* is it of a form that the row of its command has? After cli_boot(); any bytes are fine */
/* Runs one line without a connection (journal replay, tests). */
void cli_run_line(const char *line, enum cli_level level, bool replay, struct buf *out);

#endif
