/* core/log.c - see log.h: the seam only; feat/logs does the work. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

const struct log_driver *log_driver;
struct log_env log_env;
_Atomic bool log_request_asked;

void log_printf(const struct logger *l, enum log_level level, const char *fmt, ...)
{
        char text[1024];
        va_list ap;
        int n;

        if (!log_driver)
                return;
        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (n < 0)
                return;
        log_driver->send(l, level, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

uint64_t log_dropped(void)
{
        return log_driver ? log_driver->dropped() : 0;
}
