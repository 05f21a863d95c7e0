/* main/sdnotify.c - see the header. */
#include "main/sdnotify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void send_to(const char *path, const char *text, size_t n)
{
        static const struct timeval second = { 1, 0 };
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        size_t len = strlen(path);
        int fd;

        if (len == 0 || len >= sizeof(un.sun_path))
                return;
        memcpy(un.sun_path, path, len);
        if (path[0] == '@') /* abstract */
                un.sun_path[0] = 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return;
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second,
                         sizeof(second)); /* who does not listen is not waited for */
        (void)sendto(fd, text, n, MSG_NOSIGNAL, (struct sockaddr *)&un,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
        (void)close(fd);
}

void sdnotify(const char *fmt, ...)
{
        const char *path = getenv("NOTIFY_SOCKET");
        char text[512];
        va_list ap;
        int n;

        if (!path)
                return;
        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (n > 0)
                send_to(path, text, strlen(text));
}

void sdnotify_reloading(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        sdnotify("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=Reloading Configuration.",
                 (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}
