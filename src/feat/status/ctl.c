/* feat/status/ctl.c - `telamon ctl COMMAND...`: one command to a runtime socket, its answer, and an exit code that tells how it went.
 *
 * The socket has no status of its own. Severities are switched on for the connection, so that a refusal begins with "[3]: " (or less)
 * here and in HAProxy alike; an unknown command and missing rights are told by their texts, which clients rely on anyway. */
#include "base/buf.h"
#include "core/role.h"
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define USAGE                                                                                                          \
        "Usage : telamon ctl [ -s <socket> ] [ -m ] [ -t <milliseconds> ] [ --json ] <command>...\n"                   \
        "  -s <socket>  path of a runtime socket, or <address>:<port>; else TELAMON_SOCKET of the environment,\n"      \
        "               else " DEFAULT_SOCKET "\n"                                                                     \
        "  -m           it is a master's socket (-S): show proc, reload, @1 <command>\n"                               \
        "  -t <ms>      how long the process may be silent (10000)\n"                                                  \
        "  --json       the answer as one JSON object\n"                                                               \
        "A command that ends with << gets standard input as its payload.\n"                                            \
        "Exit code: 0 done, 1 refused by the process, 2 usage, 3 no answer.\n"
#define DEFAULT_SOCKET "/run/haproxy/admin.sock"
#define PAYLOAD_MAX    (4u << 20)
#define JSON_MAX       (256u << 20)

enum { DONE, REFUSED, BAD_USAGE, NO_ANSWER };

struct ctl {
        const char *socket;
        int timeout_ms;
        bool json, master;
        struct buf line;   /* what is sent */
        struct buf answer; /* --json: all of it; else its first line, until it is judged */
        bool judged, refused, begun;
        bool stranger; /* who answers is no runtime socket */
        int severity;  /* -1: none was said */
        bool held;     /* a line end is not printed yet: the last one is only the answer's end */
        uint64_t got;
};

/* ---- the command ---- */
static int usage(const char *why)
{
        if (why)
                (void)fprintf(stderr, "telamon ctl: %s\n", why);
        (void)fputs(USAGE, stderr);
        return BAD_USAGE;
}

/* One argument is a line as typed; of several, each is a word, whatever it holds. */
static void put_words(struct buf *out, int argc, char **argv)
{
        for (int i = 0; i < argc; i++) {
                if (i > 0)
                        buf_putc(out, ' ');
                for (const char *p = argv[i]; *p; p++) {
                        if (argc > 1 && strchr(" ;\\\t", *p))
                                buf_putc(out, '\\');
                        buf_putc(out, *p);
                }
        }
}

static bool ends_with(struct str s, struct str end)
{
        return s.n >= end.n && str_eq(str_sub(s, s.n - end.n, end.n), end);
}

/* The payload ends at an empty line, or at a pattern when it has empty lines itself. */
static bool put_payload(struct buf *line)
{
        char piece[65536];
        AUTO_BUF(data);
        size_t n;

        while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0 && data.n <= PAYLOAD_MAX)
                buf_add(&data, piece, n);
        if (data.n > PAYLOAD_MAX || data.failed)
                return false;
        if (data.n && data.p[data.n - 1] != '\n')
                buf_putc(&data, '\n');
        if (data.n && (memmem(data.p, data.n, "\n\n", 2) || data.p[0] == '\n'))
                buf_printf(line, "%%telamon-%d%%\n%.*s%%telamon-%d%%\n", (int)getpid(), (int)data.n, data.p,
                           (int)getpid());
        else
                buf_printf(line, "\n%.*s\n", (int)data.n, data.n ? data.p : "");
        return true;
}

static bool make_line(struct ctl *c, int argc, char **argv)
{
        AUTO_BUF(cmd);

        put_words(&cmd, argc, argv);
        if (cmd.n == 0 || memchr(cmd.p, '\n', cmd.n) || memchr(cmd.p, '\r', cmd.n))
                return false;
        if (!c->master)
                buf_puts(&c->line, "set severity-output number;");
        buf_str(&c->line, buf_view(&cmd));
        if (c->json && (str_is(buf_view(&cmd), "show info") || str_is(buf_view(&cmd), "show stat")))
                buf_puts(&c->line, " json");
        if (ends_with(buf_view(&cmd), STR(" <<")))
                return put_payload(&c->line);
        buf_putc(&c->line, '\n');
        return true;
}

/* ---- the connection ---- */
static bool parse_tcp(const char *text, struct addr *ret_a)
{
        const char *colon = strrchr(text, ':');
        char host[64];
        struct addr a;
        uint64_t port;
        size_t n = colon ? (size_t)(colon - text) : 0;

        memset(&a, 0, sizeof(a));
        if (!colon || strchr(text, '/') || !str_to_u64(str_of(colon + 1), &port) || port == 0 || port > 65535)
                return false;
        if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
                text++;
                n -= 2;
        }
        if (n == 0 || n >= sizeof(host))
                return false;
        memcpy(host, text, n);
        host[n] = 0;
        if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1)
                a.in.sin_family = AF_INET;
        else if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) == 1)
                a.in6.sin6_family = AF_INET6;
        else
                return false;
        addr_set_port(&a, (int)port);
        *ret_a = a;
        return true;
}

static int dial(const char *where)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        struct addr a;
        bool tcp = parse_tcp(where, &a);
        int fd = socket(tcp ? a.sa.sa_family : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

        if (fd < 0)
                return -errno;
        if (!tcp && strlen(where) >= sizeof(un.sun_path)) {
                (void)close(fd);
                return -ENAMETOOLONG;
        }
        memcpy(un.sun_path, where, tcp ? 0 : strlen(where));
        r = tcp ? connect(fd, &a.sa, addr_len(&a)) : connect(fd, (struct sockaddr *)&un, sizeof(un));
        if (r < 0) {
                r = -errno;
                (void)close(fd);
                return r;
        }
        return fd;
}

/* ---- the answer ---- */

/* "[3]: " and less is an error; unknown words, missing rights and a master say so in words. */
static void judge(struct ctl *c, struct str line)
{
        static const char *const refusals[] = { "Unknown command", "Permission denied", "Success=0",
                                                "Can't find the target PID" };

        c->judged = true;
        c->severity = -1;
        if (line.n >= 5 && line.p[0] == '[' && chr_is_digit(line.p[1]) && memcmp(line.p + 2, "]: ", 3) == 0) {
                c->severity = line.p[1] - '0';
                line = str_sub(line, 5, line.n - 5);
        }
        c->refused = c->severity >= 0 && c->severity <= 3;
        for (size_t i = 0; i < array_len(refusals); i++)
                c->refused |= str_has_prefix(line, str_of(refusals[i]));
}

static void say(struct ctl *c, struct str s)
{
        FILE *to = c->refused ? stderr : stdout;

        if (s.n && s.p[s.n - 1] == '\n') {
                s.n--; /* perhaps the end of the answer: printed when more comes */
                c->held = true;
        }
        if (s.n)
                (void)fwrite(s.p, 1, s.n, to);
}

static void take(struct ctl *c, struct str s)
{
        if (!c->begun && s.n && !c->master) { /* the empty answer of `set severity-output` */
                c->begun = true;
                c->stranger = s.p[0] != '\n';
                s = str_sub(s, 1, s.n - 1);
        }
        if (s.n == 0 || c->stranger)
                return;
        if (c->json || !c->judged) {
                buf_str(&c->answer, s);
                if (c->json || !memchr(c->answer.p, '\n', c->answer.n))
                        return;
                judge(c, buf_view(&c->answer));
                s = buf_view(&c->answer);
                if (c->severity >= 0)
                        s = str_sub(s, 5, s.n - 5);
        }
        if (c->held)
                (void)fputc('\n', c->refused ? stderr : stdout);
        c->held = false;
        say(c, s);
}

static int read_all(struct ctl *c, int fd)
{
        static char piece[65536];
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n;
        char last = 0;

        for (;;) {
                int r = poll(&p, 1, c->timeout_ms);
                if (r == 0)
                        return -ETIMEDOUT;
                n = r < 0 ? -1 : read(fd, piece, sizeof(piece));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return c->got && last == '\n' ? 0 : -EPIPE;
                c->got += (uint64_t)n;
                last = piece[n - 1];
                take(c, (struct str){ piece, (size_t)n });
                if (c->stranger)
                        return -EPROTO;
                if (c->answer.failed || c->answer.n > JSON_MAX)
                        return -EMSGSIZE;
        }
}

static int write_all(struct ctl *c, int fd)
{
        size_t at = 0;

        while (at < c->line.n) {
                ssize_t n = write(fd, c->line.p + at, c->line.n - at);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EPIPE ? 0 : -errno; /* it has answered already */
                at += (size_t)n;
        }
        (void)shutdown(fd, SHUT_WR); /* a master's socket stays open until we have said all */
        return 0;
}

/* ---- --json ---- */
static void json_text(struct str s)
{
        (void)fputc('"', stdout);
        for (size_t i = 0; i < s.n; i++) {
                unsigned char ch = (unsigned char)s.p[i];
                if (ch == '"' || ch == '\\')
                        (void)printf("\\%c", ch);
                else if (ch < 0x20 || ch >= 0x7f)
                        (void)printf("\\u%04x", ch);
                else
                        (void)fputc(ch, stdout);
        }
        (void)fputc('"', stdout);
}

static void put_json(struct ctl *c)
{
        struct str s = buf_view(&c->answer);

        judge(c, s);
        if (c->severity >= 0)
                s = str_sub(s, 5, s.n - 5);
        while (s.n && s.p[s.n - 1] == '\n')
                s.n--;
        (void)printf("{\"ok\":%s,\"severity\":", c->refused ? "false" : "true");
        if (c->severity >= 0)
                (void)printf("%d", c->severity);
        else
                (void)fputs("null", stdout);
        (void)fputs(",\"answer\":", stdout);
        if (s.n && !c->refused && (s.p[0] == '[' || s.p[0] == '{'))
                (void)fwrite(s.p, 1, s.n, stdout);
        else
                json_text(s);
        (void)fputs("}\n", stdout);
}

/* ---- the verb ---- */
static int run(struct ctl *c)
{
        int fd = dial(c->socket), err = fd < 0 ? fd : 0;

        if (!err) {
                err = write_all(c, fd);
                err = err ? err : read_all(c, fd);
                (void)close(fd);
        }
        if (err) {
                (void)fflush(stdout);
                (void)fprintf(stderr, "telamon ctl: %s: %s\n", c->socket,
                              err == -EPIPE    ? "the answer is not complete"
                              : err == -EPROTO ? "this is no runtime socket"
                                               : strerror(-err));
                return NO_ANSWER;
        }
        if (c->json)
                put_json(c);
        if (fflush(stdout) != 0)
                return NO_ANSWER;
        return c->refused ? REFUSED : DONE;
}

/* Options before the command; index of its first word, or -1. */
static int options(struct ctl *c, int argc, char **argv)
{
        int i = 1;
        int64_t ms;

        for (; i < argc && argv[i][0] == '-'; i++) {
                if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-m") == 0) {
                        *(argv[i][1] == 'm' ? &c->master : &c->json) = true;
                        continue;
                }
                if (i + 1 >= argc)
                        return -1;
                if (strcmp(argv[i], "-s") == 0)
                        c->socket = argv[++i];
                else if (strcmp(argv[i], "-t") == 0 && str_to_i64(str_of(argv[i + 1]), &ms) && ms > 0 &&
                         ms <= INT32_MAX)
                        c->timeout_ms = (int)ms, i++;
                else
                        return -1;
        }
        return i < argc ? i : -1;
}

static int ctl_main(int argc, char **argv)
{
        const char *env = getenv("TELAMON_SOCKET");
        struct ctl c = { .socket = env && *env ? env : DEFAULT_SOCKET, .timeout_ms = 10000 };
        int at = options(&c, argc, argv), code;

        if (at < 0)
                return usage(NULL);
        if (!make_line(&c, argc - at, argv + at))
                return usage("a command is one line; a payload is at most 4 MiB");
        (void)signal(SIGPIPE, SIG_IGN);
        code = run(&c);
        buf_fini(&c.line);
        buf_fini(&c.answer);
        return code;
}

static const struct verb ctl = { "ctl", "[-s <socket>] [-m] [-t <ms>] [--json] <command>...",
                                 "a command of the runtime socket; exit code 1: refused, 3: no answer", ctl_main };
VERB(ctl);
