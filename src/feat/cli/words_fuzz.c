/* feat/cli/words_fuzz.c - any bytes as a command line: words stay inside the line, hold no separator that was not escaped, and a session
 * that gets them in pieces of any size says the same as one that gets them at once. */
#include "feat/cli/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cut(const uint8_t *data, size_t size)
{
        char line[4096 + 1], mark[CLI_MARK_MAX + 1], *rest;
        struct str w[CLI_WORDS];
        size_t n = size < sizeof(line) - 1 ? size : sizeof(line) - 1;

        memcpy(line, data, n);
        line[n] = 0;
        if (cli_payload_mark(line, mark, sizeof(mark)))
                ASSERT(strlen(mark) <= CLI_MARK_MAX);
        for (rest = line; rest;) {
                char *from = rest;
                int k = cli_cut(rest, w, CLI_WORDS, &rest);
                if (k < 0)
                        break;
                for (int i = 0; i < k; i++)
                        ASSERT(w[i].p >= from && w[i].p + w[i].n <= line + n);
                ASSERT(!rest || rest > from);
        }
}

/* echo only: other commands would look at a world that is not there. */
static void talk(struct cli_session *s, struct str in, size_t piece, struct buf *out)
{
        size_t have = 0, taken = 0;

        while (!s->quit || s->rest) {
                enum applet_answer a = cli_session_more(s, out);
                if (a == APPLET_DONE)
                        return;
                if (a == APPLET_MORE)
                        continue;
                if (have < in.n)
                        have = have + piece < in.n ? have + piece : in.n;
                size_t n = cli_session_input(s, str_sub(in, taken, have - taken), have == in.n);
                taken += n;
                if (n == 0 && have == in.n && !s->quit && !s->rest)
                        return;
        }
        while (cli_session_more(s, out) == APPLET_MORE)
                ;
}

static void run(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
        AUTO_BUF(in);
        struct cli_session s;

        cli_session_init(&s, CLI_NONE); /* no rights: words are read, nothing is done */
        s.mode = CLI_INTERACTIVE;
        buf_add(&in, data, size);
        buf_putc(&in, '\n');
        talk(&s, buf_view(&in), piece, out);
        cli_session_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        AUTO_BUF(one);
        AUTO_BUF(many);

        if (size > 3000)
                return 0;
        check_cut(data, size);
        run(data, size, SIZE_MAX / 2, &one);
        run(data, size, 7, &many);
        ASSERT(str_eq(buf_view(&one), buf_view(&many)));
        return 0;
}
