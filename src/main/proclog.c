/* main/proclog.c - see the header. One process-wide state, as stderr is. */
#include "main/proclog.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define KEPT_MAX ((size_t)1 << 20)

static struct {
        bool quiet, silent;
        struct buf kept;
} self = { .kept = { .limit = KEPT_MAX } };

void proclog_quiet(bool quiet)
{
        self.quiet = quiet;
}

void proclog_silence(void)
{
        self.silent = true;
}

bool proclog_is_silent(void)
{
        return self.quiet || self.silent;
}

static void say(struct str s)
{
        while (s.n) {
                ssize_t n = write(STDERR_FILENO, s.p, s.n);

                if (n <= 0) /* a closed or full terminal is no reason to stop serving */
                        return;
                s = str_sub(s, (size_t)n, s.n - (size_t)n);
        }
}

void proclog_keep(struct str lines)
{
        buf_str(&self.kept, lines);
}

void proclog_raw(struct str lines)
{
        proclog_keep(lines);
        if (!self.quiet && !self.silent)
                say(lines);
}

void proclog(enum proc_level l, const char *fmt, ...)
{
        static const char *const names[] = { "[NOTICE]", "[WARNING]", "[ALERT]" };
        char text[2048];
        va_list ap;
        AUTO_BUF(b);

        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        buf_printf(&b, "%-10s (%d) : %s\n", names[l], (int)getpid(), text);
        proclog_raw(buf_view(&b));
}

void proclog_lines(struct str text)
{
        while (text.n) {
                const char *nl = memchr(text.p, '\n', text.n);
                size_t n = nl ? (size_t)(nl - text.p) : text.n;

                if (n && text.p[0] != '[' && text.p[0] != ' ')
                        proclog(PROC_NOTICE, "%.*s", (int)n, text.p);
                else if (n)
                        proclog_raw(str_sub(text, 0, n + (nl != NULL)));
                text = str_sub(text, n + (nl != NULL), text.n - n - (nl != NULL));
        }
}

void proclog_forget(void)
{
        buf_fini(&self.kept);
        self.kept = (struct buf){ .limit = KEPT_MAX };
}

struct str proclog_kept(void)
{
        return (struct str){ self.kept.p ? self.kept.p : "", self.kept.n };
}
