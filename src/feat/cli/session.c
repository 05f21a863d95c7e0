/* feat/cli/session.c - framing of the runtime socket: lines in, answers that end with an empty line out. */
#include "core/sess.h"
#include "feat/cli/cli.h"

#include <stdio.h>

static const char *const severity_names[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };

static void put_severity(const struct cli_session *s, int severity, struct buf *out)
{
        if (s->severity == CLI_SEV_NUMBER)
                buf_printf(out, "[%d]: ", severity);
        else if (s->severity == CLI_SEV_STRING)
                buf_printf(out, "[%s]: ", severity_names[severity & 7]);
}

__attribute__((constructor)) static void severity_boot(void)
{
        cli_severity = put_severity;
}

void cli_session_init(struct cli_session *s, uint8_t level)
{
        memset(s, 0, sizeof(*s));
        s->level = level;
        s->payload.limit = CLI_PAYLOAD_MAX;
}

static void line_end(struct cli_session *s)
{
        arena_fini(&s->mem);
        buf_fini(&s->payload);
        s->payload.failed = false;
        s->rest = NULL;
        s->line_done = true;
}

void cli_session_fini(struct cli_session *s)
{
        if (s->cmd && s->cmd->stop)
                s->cmd->stop(&s->call);
        s->cmd = NULL;
        line_end(s);
}

void cli_wake(struct cli_session *s)
{
        s->call.wait = false;
        if (s->applet)
                applet_wake(s->applet);
}

/* ---- input ---- */
static void begin_line(struct cli_session *s, struct str line)
{
        s->rest = arena_strdup(&s->mem, line);
        if (cli_payload_mark(s->rest, s->mark, sizeof(s->mark))) {
                s->in_payload = true;
                s->payload_line = 0;
        }
}

/* Takes payload bytes up to the end of one line. True: that line was the end mark. */
static bool payload_line(struct cli_session *s, struct str piece)
{
        struct str line;

        buf_str(&s->payload, piece);
        if (s->payload.n == 0 || s->payload.p[s->payload.n - 1] != '\n')
                return false;
        line = str_sub(buf_view(&s->payload), s->payload_line, s->payload.n - s->payload_line - 1);
        if (line.n && line.p[line.n - 1] == '\r')
                line.n--;
        if (!str_is(line, s->mark)) {
                s->payload_line = s->payload.n;
                return false;
        }
        s->payload.n = s->payload_line; /* the mark is not part of it */
        s->in_payload = false;
        return true;
}

static size_t payload_input(struct cli_session *s, struct str in)
{
        size_t taken = 0;

        while (taken < in.n && s->in_payload && !s->payload.failed) {
                const char *nl = memchr(in.p + taken, '\n', in.n - taken);
                size_t n = nl ? (size_t)(nl - in.p) + 1 - taken : in.n - taken;

                (void)payload_line(s, str_sub(in, taken, n));
                taken += n;
        }
        return taken;
}

size_t cli_session_input(struct cli_session *s, struct str in, bool eof)
{
        const char *nl;
        size_t taken = 0;

        if (s->quit)
                return in.n;
        if (s->cmd && s->cmd->input)
                return s->cmd->input(&s->call, in, eof);
        if (s->cmd || (s->rest && !s->in_payload))
                return 0; /* one line at a time */
        if (!s->in_payload && in.n > 0) {
                nl = memchr(in.p, '\n', in.n);
                if (nl ? (size_t)(nl - in.p) > CLI_LINE_MAX : in.n > CLI_LINE_MAX) {
                        s->line_done = s->quit = true;
                        s->rest = arena_strdup(&s->mem, STR("")); /* told by `more` */
                        s->payload.failed = true;
                        return in.n;
                }
                if (nl) {
                        taken = (size_t)(nl - in.p) + 1;
                        begin_line(s, (struct str){ in.p, taken - 1 });
                }
        }
        if (s->in_payload)
                taken += payload_input(s, str_sub(in, taken, in.n - taken));
        if (eof && taken == in.n && (s->in_payload || !s->rest))
                s->quit = true; /* an unfinished line is not run: it may have been cut */
        return taken;
}

/* ---- output ---- */
static void put_prompt(const struct cli_session *s, struct buf *out)
{
        unsigned long long up;

        if (s->mode != CLI_PROMPT || s->quit)
                return;
        up = s->timed && thr_self->now > world.started ? (thr_self->now - world.started) / NS_PER_S : 0;
        if (s->timed)
                buf_printf(out, "[%llu:%02llu:%02llu:%02llu]> ", up / 86400, up / 3600 % 24, up / 60 % 60, up % 60);
        else
                buf_puts(out, "> ");
}

static void answer_end(struct cli_session *s, struct buf *out)
{
        s->cmd = NULL;
        if (!s->quit)
                buf_putc(out, '\n');
        if (s->rest)
                return;
        if (s->mode == CLI_ONE)
                s->quit = true;
        put_prompt(s, out);
        line_end(s);
}

static bool permitted(struct cli_session *s)
{
        if (s->cmd->level > s->level)
                cli_msg(&s->call, 3, "Permission denied\n");
        else if (s->cmd->experimental && !s->experimental)
                cli_msg(&s->call, 3, "This command is restricted to experimental mode only.\n");
        else
                return true;
        return false;
}

static void run_next(struct cli_session *s, struct buf *out)
{
        int n = cli_cut(s->rest, s->args, CLI_WORDS, &s->rest);

        s->call = (struct cli_call){ .mem = &s->mem,
                                     .args = s->args,
                                     .n_args = n > 0 ? (unsigned)n : 0,
                                     .payload = buf_view(&s->payload),
                                     .level = &s->level,
                                     .out = out,
                                     .session = s };
        s->cmd = NULL;
        if (n < 0) {
                s->rest = NULL;
                cli_msg(&s->call, 3, "Too many words on a line (at most %u).\n", CLI_WORDS);
        } else if (n > 0) {
                s->cmd = cli_find(s->args, (unsigned)n);
                if (!s->cmd)
                        cli_help_unknown(&s->call);
                else if (!permitted(s))
                        s->cmd = NULL;
                else
                        s->cmd->run(&s->call);
        }
        if (!s->cmd || !s->cmd->more)
                answer_end(s, out);
}

static enum applet_answer too_long(struct cli_session *s, struct buf *out)
{
        struct cli_call c = { .out = out, .session = s };

        if (s->in_payload)
                cli_msg(&c, 3, "The payload is too large (at most %u bytes).\n\n", CLI_PAYLOAD_MAX);
        else
                cli_msg(&c, 3, "The line is too long (at most %u bytes).\n\n", CLI_LINE_MAX);
        s->quit = true;
        s->in_payload = false;
        line_end(s);
        return APPLET_MORE;
}

enum applet_answer cli_session_more(struct cli_session *s, struct buf *out)
{
        s->call.out = out;
        if (s->payload.failed)
                return too_long(s, out);
        if (s->cmd) {
                if (s->call.wait)
                        return APPLET_WAIT;
                if (!s->cmd->more(&s->call))
                        answer_end(s, out);
                return s->call.wait ? APPLET_WAIT : APPLET_MORE;
        }
        if (s->rest && !s->in_payload) {
                run_next(s, out);
                return s->call.wait ? APPLET_WAIT : APPLET_MORE;
        }
        return s->quit ? APPLET_DONE : APPLET_WAIT;
}

/* ---- the applet ---- */
static size_t input(struct applet *a, struct str in, bool eof)
{
        struct cli_session *s = a->data;
        bool was = s->in_payload;
        size_t n;

        if (!s->applet) {
                cli_session_init(s, a->strm->sess->cli_level ? a->strm->sess->cli_level : CLI_OPERATOR);
                s->applet = a;
        }
        n = cli_session_input(s, in, eof);
        if (s->in_payload && !was && s->mode == CLI_PROMPT)
                buf_puts(&a->out, "+ ");
        return n;
}

static enum applet_answer more(struct applet *a, struct buf *out)
{
        struct cli_session *s = a->data;
        enum applet_answer r;

        if (!s->applet)
                return APPLET_WAIT;
        r = cli_session_more(s, out);
        if (s->timeout_ms)
                a->strm->client_ms = s->timeout_ms;
        return r;
}

static void stop(struct applet *a)
{
        cli_session_fini(a->data);
}

static const struct applet_ops cli_ops = {
        .name = "<CLI>",
        .size = sizeof(struct cli_session),
        .input = input,
        .more = more,
        .stop = stop,
};

__attribute__((constructor)) static void boot(void)
{
        applet_cli = &cli_ops;
}
