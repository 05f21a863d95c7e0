/* feat/cli/cli.h - a session on the runtime socket (management.txt 9.3): one line, or many in interactive mode.
 *
 * The session is a pure machine: bytes in, bytes out; the applet (core/applet.h) moves them. A command that cannot finish at once keeps
 * its state in the session's arena, which lives for one line.
 * Bounds: CLI_LINE_MAX a line, CLI_WORDS words, CLI_PAYLOAD_MAX a payload; one command at a time; its answer is made in pieces.
 * Threads: the stream's loop. */
#ifndef FEAT_CLI_CLI_H
#define FEAT_CLI_CLI_H

#include "core/applet.h"
#include "core/cli.h"

#define CLI_WORDS       64u
#define CLI_LINE_MAX    16000u /* below APPLET_PIECE: a line that is longer is refused, not waited for */
#define CLI_PAYLOAD_MAX (128u * 1024)
#define CLI_MARK_MAX    64u /* pattern that ends a payload */

enum cli_mode { CLI_ONE, CLI_INTERACTIVE, CLI_PROMPT };
enum cli_sev { CLI_SEV_NONE, CLI_SEV_NUMBER, CLI_SEV_STRING };

struct cli_session {
        uint8_t level; /* enum cli_level, lowered by `operator` and `user` */
        uint8_t mode, severity;
        bool timed, quit, expert, experimental;
        int timeout_ms;        /* set timeout cli; 0 = unchanged */
        struct applet *applet; /* NULL in tests */
        /* private */
        struct arena mem; /* of the line at work */
        char *rest;       /* commands of the line not yet run; NULL: none */
        struct str args[CLI_WORDS];
        struct cli_call call;
        const struct cli_cmd *cmd; /* at work, or NULL */
        bool in_payload, line_done;
        char mark[CLI_MARK_MAX + 1];
        struct buf payload;
        size_t payload_line; /* where its last, perhaps unfinished, line begins */
};

void cli_session_init(struct cli_session *s, uint8_t level);
void cli_session_fini(struct cli_session *s);
size_t cli_session_input(struct cli_session *s, struct str in, bool eof); /* bytes taken */
enum applet_answer cli_session_more(struct cli_session *s, struct buf *out);

/* words.c: cuts one command in place: words end at blanks, the command at ';'; '\' takes the next byte as it is. *ret_next: the
 * text after the ';', or NULL. Returns the number of words, or -1 when there are more than `max`. */
int cli_cut(char *text, struct str *words, unsigned max, char **ret_next);
/* The pattern after a final "<<", with the "<<" cut off; false: no payload follows. */
bool cli_payload_mark(char *line, char *ret_mark, size_t size);

/* help.c */
void cli_help_unknown(struct cli_call *c);
void cli_help_line(struct buf *out, const struct cli_cmd *cmd);

/* Finds "back/srv" in args[i]; says why not. */
struct server *cli_server_arg(struct cli_call *c, unsigned i);
bool cli_arg_is(const struct cli_call *c, unsigned i, const char *w);
/* A delay as the manual writes it (2.5), `unit_us` when it has none: 1 ms to 24 days, never rounded to nothing. */
bool cli_delay(struct str s, uint64_t unit_us, int *ret_ms);

#endif
