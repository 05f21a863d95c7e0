/* base/assert.c - the last words of a process that found its own bug. */
#include "base/assert.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[512];

const char *assert_said(void)
{
        return said;
}

void assert_fail(const char *file, int line, const char *expr)
{
        void *frames[48];
        int n = snprintf(said, sizeof(said), "BUG %s:%d: %s\n", file, line, expr);

        if (n > 0) {
                ssize_t unused = write(STDERR_FILENO, said, strlen(said));
                (void)unused;
        }
        n = backtrace(frames, (int)array_len(frames));
        backtrace_symbols_fd(frames, n, STDERR_FILENO);
        abort();
}
