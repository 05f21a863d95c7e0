/* main/mastercli.c - see the header. One client = one line at a time; while a command runs in the worker (or a reload is under
 * way) its further lines wait in the input buffer. */
#include "main/mastercli.h"

#include "core/cli.h"
#include "main/binds.h"
#include "main/channel.h"
#include "main/proclog.h"
#include "main/version.h"

#include <errno.h>
#include <pwd.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 16384
#define OUT_MAX        ((size_t)4 << 20)
#define OUT_HIGH       65536 /* a client that has this much to read gets no more commands run, no more of an answer fetched */
#define CLIENTS_MAX    64

struct client {
        struct list link;
        struct mastercli *m;
        struct ev_fd ev;    /* the client */
        struct ev_fd relay; /* a command's connection into the worker, -1 = none */
        struct buf in, out;
        int level, target; /* pid that lines go to, 0 = master */
        unsigned skip;     /* bytes of the worker's answer that are not the client's business */
        bool prompt, eof, wants_reload, quit, dead;
        bool through; /* @@: what the client says goes to the relay as it is */
        bool queued;  /* what is under way began before we asked */
        struct grave grave;
};

struct door { /* one -S */
        struct mastercli *m;
        struct listen_shard shard;
        int fd, level;
        char *name;
};

struct mastercli {
        struct loop *loop;
        const struct mastercli_ops *ops;
        struct door doors[ARGS_MASTERS];
        unsigned n_doors, n_clients;
        struct list clients;
};

static void pump(struct client *c);

/* ---- answers ---- */

static void say_prompt(struct client *c)
{
        if (!c->prompt)
                return;
        if (c->target)
                buf_printf(&c->out, "%d> ", c->target);
        else
                buf_printf(&c->out, "master%s> ", c->m->ops->reload_failed() ? "[ReloadFailed]" : "");
}

static void end_answer(struct client *c)
{
        buf_putc(&c->out, '\n');
        say_prompt(c);
}

static void end_relay(struct client *c)
{
        if (c->relay.fd < 0)
                return;
        loop_del(c->m->loop, &c->relay);
        (void)close(c->relay.fd);
        c->relay.fd = -1;
}

static void on_relay(struct ev_fd *e, uint32_t events)
{
        struct client *c = container_of(e, struct client, relay);
        char bytes[16384];
        ssize_t n = recv(e->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        (void)events;
        if (n > 0) {
                size_t skip = (size_t)n < c->skip ? (size_t)n : c->skip;

                c->skip -= (unsigned)skip;
                buf_add(&c->out, bytes + skip, (size_t)n - skip);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
                end_relay(c);
                say_prompt(c);
        }
        pump(c);
}

static int pid_of(struct client *c, struct str target)
{
        uint64_t v;

        if (str_is(target, "1"))
                return c->m->ops->worker(0);
        if (target.n > 1 && target.p[0] == '!' && str_to_u64(str_sub(target, 1, target.n - 1), &v) && v > 0 &&
            v <= INT_MAX)
                return c->m->ops->worker((int)v);
        return 0;
}

static bool say(int fd, struct str text)
{
        return send(fd, text.p, text.n, MSG_NOSIGNAL) == (ssize_t)text.n;
}

/* A connection into the worker, on which its CLI is given this text first. */
static bool open_relay(struct client *c, int pid, struct str first)
{
        int fds[2], e;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
                buf_printf(&c->out, "Cannot reach the worker (%s)\n", strerror(errno));
                end_answer(c);
                return false;
        }
        e = c->m->ops->attach(pid, fds[1], c->level);
        (void)close(fds[1]);
        if (e < 0 || !say(fds[0], first) || !say(fds[0], STR("\n"))) {
                (void)close(fds[0]);
                buf_puts(&c->out, "Cannot reach the worker\n");
                end_answer(c);
                return false;
        }
        c->through = false;
        c->skip = 0;
        c->relay = (struct ev_fd){ .fd = fds[0], .fn = on_relay };
        (void)loop_add_level(c->m->loop, &c->relay, false);
        return true;
}

/* Sends one line to the worker; its CLI answers and closes. */
static void forward(struct client *c, int pid, struct str line)
{
        if (open_relay(c, pid, line))
                (void)shutdown(c->relay.fd, SHUT_WR);
}

/* "@@1 cmd; cmd": the client talks to the worker until the worker ends it; "@@1": a session, in the client's mode. */
static void enter(struct client *c, int pid, struct str line)
{
        bool session = line.n == 0;

        if (!open_relay(c, pid, !session ? line : c->prompt ? STR("prompt") : STR("prompt i")))
                return;
        c->through = true;
        c->skip = session; /* the empty line that answers `prompt` */
}

static void push_through(struct client *c)
{
        ssize_t n = 0;

        while (c->in.n && (n = send(c->relay.fd, c->in.p, c->in.n, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
                buf_drop(&c->in, (size_t)n);
        if (c->in.n == 0 && c->eof)
                (void)shutdown(c->relay.fd, SHUT_WR);
}

/* ---- commands ---- */

struct command {
        const char *words, *usage, *help;
        int level;
        void (*run)(struct client *c, struct str args);
};

static void run_help(struct client *c, struct str args);

static void run_proc(struct client *c, struct str args)
{
        if (args.n == 0 || str_is(args, "debug"))
                c->m->ops->show_proc(&c->out);
        else
                buf_puts(&c->out, "'show proc' only supports 'debug' as argument\n");
        end_answer(c);
}

static void run_env(struct client *c, struct str args)
{
        bool any = false;

        for (char **e = environ; *e; e++) {
                const char *eq = strchr(*e, '=');

                if (args.n && !(eq && str_eq(args, (struct str){ *e, (size_t)(eq - *e) })))
                        continue;
                buf_printf(&c->out, "%s\n", *e);
                any = true;
        }
        if (args.n && !any)
                buf_puts(&c->out, "Variable not found\n");
        end_answer(c);
}

static const char *level_name(int level)
{
        return level >= CLI_ADMIN ? "admin" : level == CLI_OPERATOR ? "operator" : "user";
}

static void run_sockets(struct client *c, struct str args)
{
        (void)args;
        buf_puts(&c->out, "# socket lvl processes\n");
        for (unsigned i = 0; i < c->m->n_doors; i++)
                buf_printf(&c->out, "%s %s master\n", c->m->doors[i].name, level_name(c->m->doors[i].level));
        end_answer(c);
}

static void run_reload(struct client *c, struct str args)
{
        (void)args;
        c->wants_reload = true;
        c->queued = !c->m->ops->reload(false);
}

static void run_hard_reload(struct client *c, struct str args)
{
        (void)args;
        c->wants_reload = true;
        c->queued = !c->m->ops->reload(true);
}

static void run_version(struct client *c, struct str args)
{
        (void)args;
        buf_puts(&c->out, HAPROXY_LEVEL "\n");
        end_answer(c);
}

static void run_startup_logs(struct client *c, struct str args)
{
        (void)args;
        buf_str(&c->out, proclog_kept());
        end_answer(c);
}

static void run_level(struct client *c, struct str args)
{
        (void)args;
        buf_printf(&c->out, "%s\n", level_name(c->level));
        end_answer(c);
}

static void run_operator(struct client *c, struct str args)
{
        (void)args;
        c->level = c->level > CLI_OPERATOR ? CLI_OPERATOR : c->level;
        say_prompt(c);
}

static void run_user(struct client *c, struct str args)
{
        (void)args;
        c->level = CLI_USER;
        say_prompt(c);
}

static void run_echo(struct client *c, struct str args)
{
        buf_str(&c->out, args);
        buf_putc(&c->out, '\n');
        end_answer(c);
}

static void run_prompt(struct client *c, struct str args)
{
        c->prompt = args.n ? str_is(args, "p") || str_is(args, "timed") : !c->prompt;
        say_prompt(c);
}

/* The bundle holds every file of the configuration, keys too: as much as an admin of this socket could change. */
static void run_bundle(struct client *c, struct str args)
{
        struct channel_arg a[] = { CH_U(0) };
        int fd = c->m->ops->bundle();
        AUTO_BUF(packet);

        (void)args;
        if (fd >= 0 && c->out.n == 0 && channel_encode(CH_APPLY, a, &packet) &&
            channel_post(c->ev.fd, buf_view(&packet), &fd, 1) == 0) {
                c->quit = true;
                return;
        }
        buf_puts(&c->out, "No configuration to send on this socket.\n");
        end_answer(c);
}

static void run_quit(struct client *c, struct str args)
{
        (void)args;
        c->quit = true;
}

static const struct command commands[] = {
        { "echo", "echo <text>", "print text to the output", CLI_USER, run_echo },
        { "hard-reload", "hard-reload", "reload with a new worker; the old one ends at once, with its connections",
          CLI_OPERATOR, run_hard_reload },
        { "operator", "operator", "lower the level of the current CLI session to operator", CLI_USER, run_operator },
        { "reload", "reload", "reload the files; connections go on", CLI_OPERATOR, run_reload },
        { "send bundle", "send bundle", "send the running configuration (for telamon plan)", CLI_ADMIN, run_bundle },
        { "show cli level", "show cli level", "display the level of the current CLI session", CLI_USER, run_level },
        { "show cli sockets", "show cli sockets", "list the master sockets", CLI_USER, run_sockets },
        { "show env", "show env [<name>]", "environment of the master process", CLI_OPERATOR, run_env },
        { "show proc", "show proc [debug]", "show processes status", CLI_USER, run_proc },
        { "show startup-logs", "show startup-logs", "report logs emitted during HAProxy startup", CLI_USER,
          run_startup_logs },
        { "show version", "show version", "show version of the current process", CLI_USER, run_version },
        { "user", "user", "lower the level of the current CLI session to user", CLI_USER, run_user },
        { "help", "help [<command>]", "list matching or all commands", CLI_USER, run_help },
        { "prompt", "prompt [n | i | p | timed]", "toggle interactive mode with prompt", CLI_USER, run_prompt },
        { "quit", "quit", "disconnect", CLI_USER, run_quit },
};

static void help_row(struct buf *out, const char *usage, const char *help)
{
        buf_printf(out, "  %-40s: %s\n", usage, help);
}

static void list_commands(struct client *c)
{
        help_row(&c->out, "@!<pid>", "send a command to the <pid> process");
        help_row(&c->out, "@<relative pid>", "send a command to the <relative pid> process");
        help_row(&c->out, "@@<[!]pid> [<commands>]", "talk to a process until it ends the session");
        help_row(&c->out, "@master", "send a command to the master process");
        for (size_t i = 0; i < array_len(commands); i++)
                if (commands[i].level <= c->level)
                        help_row(&c->out, commands[i].usage, commands[i].help);
        end_answer(c);
}

static void run_help(struct client *c, struct str args)
{
        (void)args;
        buf_puts(&c->out, "The following commands are valid at this level:\n");
        list_commands(c);
}

static void unknown(struct client *c, struct str line)
{
        buf_printf(&c->out, "Unknown command: '%.*s', but maybe one of the following ones is a better match:\n",
                   (int)line.n, line.p);
        list_commands(c);
}

/* Words of a command are separated by single or more blanks; the rest are its arguments. */
static bool matches(struct str line, const char *words, struct str *ret_args)
{
        const char *w = words;
        size_t i = 0;

        while (*w) {
                if (i >= line.n)
                        return false;
                if (*w == ' ') {
                        if (line.p[i] != ' ')
                                return false;
                        while (i < line.n && line.p[i] == ' ')
                                i++;
                        w++;
                } else if (line.p[i++] != *w++)
                        return false;
        }
        if (i < line.n && line.p[i] != ' ')
                return false;
        *ret_args = str_trim(str_sub(line, i, line.n - i));
        return true;
}

static void run_master(struct client *c, struct str line)
{
        struct str args;

        for (size_t i = 0; i < array_len(commands); i++) {
                if (!matches(line, commands[i].words, &args))
                        continue;
                if (c->level >= commands[i].level) {
                        commands[i].run(c, args);
                        return;
                }
                buf_puts(&c->out, "Permission denied\n");
                end_answer(c);
                return;
        }
        unknown(c, line);
}

/* "@1 show info", "@!PID cmd", or alone: all further lines go there. */
static void run_at(struct client *c, struct str line)
{
        const char *sp = memchr(line.p, ' ', line.n);
        size_t n = sp ? (size_t)(sp - line.p) : line.n;
        bool through = line.n > 1 && line.p[1] == '@';
        struct str target = str_sub(line, 1 + through, n - 1 - through), rest = str_trim(str_sub(line, n, line.n - n));
        bool master = target.n == 0 || str_is(target, "master") || str_is(target, "0");
        int pid = master ? 0 : pid_of(c, target);

        if ((!master || through) && !pid) {
                buf_printf(&c->out, "Can't find the target PID matching the prefix '%.*s'\n", (int)n, line.p);
                say_prompt(c);
        } else if (through)
                enter(c, pid, rest);
        else if (rest.n == 0) {
                c->target = pid;
                say_prompt(c);
        } else if (pid)
                forward(c, pid, rest);
        else
                run_master(c, rest);
}

static void run_line(struct client *c, struct str line)
{
        if (line.n == 0)
                end_answer(c);
        else if (line.p[0] == '@')
                run_at(c, line);
        else if (str_is(line, "quit") || (c->target && str_is(line, "prompt")))
                run_master(c, line);
        else if (c->target && c->m->ops->worker(c->target))
                forward(c, c->target, line);
        else if (c->target) {
                buf_printf(&c->out, "Can't find the target PID matching the prefix '@!%d'\n", c->target);
                c->target = 0;
                say_prompt(c);
        } else
                run_master(c, line);
}

/* ---- a client's life ---- */

static void bury(struct grave *g)
{
        struct client *c = container_of(g, struct client, grave);

        buf_fini(&c->in);
        buf_fini(&c->out);
        free(c);
}

static void drop(struct client *c)
{
        if (c->dead)
                return;
        c->dead = true;
        end_relay(c);
        loop_del(c->m->loop, &c->ev);
        (void)close(c->ev.fd);
        list_del(&c->link);
        c->m->n_clients--;
        loop_bury(c->m->loop, &c->grave, bury);
}

static bool busy(const struct client *c)
{
        return c->relay.fd >= 0 || c->wants_reload || c->quit || c->out.n > OUT_HIGH;
}

/* The next command: up to an unescaped ';' or the end of the line; what goes through (@@) has its own ';'. */
static bool next_command(struct client *c, struct str *ret_line)
{
        bool through = c->in.n > 1 && c->in.p[0] == '@' && c->in.p[1] == '@';

        for (size_t i = 0; i < c->in.n; i++)
                if (c->in.p[i] == '\n' || (!through && c->in.p[i] == ';' && (i == 0 || c->in.p[i - 1] != '\\'))) {
                        *ret_line = (struct str){ c->in.p, i };
                        return true;
                }
        return false;
}

static void run_input(struct client *c)
{
        struct str line;

        while (!busy(c) && next_command(c, &line)) {
                size_t used = line.n + 1;
                struct str text = line.n && line.p[line.n - 1] == '\r' ? str_sub(line, 0, line.n - 1) : line;
                char *own = strndup(text.p, text.n); /* the command may grow the buffers */

                ASSERT(own != NULL);
                buf_drop(&c->in, used);
                run_line(c, str_trim(str_of(own)));
                free(own);
        }
}

static void flush_out(struct client *c)
{
        while (c->out.n) {
                ssize_t n = send(c->ev.fd, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0) {
                        drop(c);
                        return;
                }
                buf_drop(&c->out, (size_t)n);
        }
}

static void pace_relay(struct client *c)
{
        if (c->relay.fd < 0)
                return;
        if (c->out.n > OUT_HIGH)
                loop_del(c->m->loop, &c->relay);
        else if (loop_add_level(c->m->loop, &c->relay, false) < 0)
                end_relay(c);
}

static void pump(struct client *c)
{
        struct str line;

        do {
                run_input(c);
                if (c->through && c->relay.fd >= 0)
                        push_through(c);
                flush_out(c);
        } while (!c->dead && !busy(c) && next_command(c, &line)); /* it was held back until the answers left */
        if (c->dead)
                return;
        pace_relay(c);
        if (c->out.failed || c->in.n >= LINE_MAX_BYTES)
                drop(c);
        else if (c->out.n == 0 && (c->quit || (c->eof && !busy(c))))
                drop(c);
}

static void read_client(struct client *c)
{
        char bytes[4096];

        while (c->in.n < LINE_MAX_BYTES && !c->eof) {
                ssize_t n = recv(c->ev.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (n <= 0) {
                        c->eof = true;
                        if (c->in.n && c->in.p[c->in.n - 1] != '\n') /* a last line without a newline is a line */
                                buf_putc(&c->in, '\n');
                        return;
                }
                buf_add(&c->in, bytes, (size_t)n);
        }
}

static void on_client(struct ev_fd *e, uint32_t events)
{
        struct client *c = container_of(e, struct client, ev);

        (void)events;
        read_client(c);
        pump(c);
}

static bool on_accept(struct listen_shard *s, int fd, const struct addr *from)
{
        struct door *d = container_of(s, struct door, shard);
        struct client *c = d->m->n_clients < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;

        (void)from;
        if (!c) {
                (void)close(fd);
                return true;
        }
        c->m = d->m;
        c->level = d->level;
        c->ev = (struct ev_fd){ .fd = fd, .fn = on_client };
        c->relay.fd = -1;
        c->out.limit = OUT_MAX;
        list_push(&d->m->clients, &c->link);
        d->m->n_clients++;
        if (loop_add(d->m->loop, &c->ev) < 0)
                drop(c);
        return true;
}

static void on_accept_error(struct listen_shard *s, int err)
{
        (void)s;
        proclog(PROC_WARNING, "master socket: cannot accept (%s).", strerror(err < 0 ? -err : err));
}

void mastercli_reloading(struct mastercli *m)
{
        list_for_each (i, &m->clients)
                list_item(i, struct client, link)->queued = false;
}

void mastercli_reloaded(struct mastercli *m, bool ok, struct str log)
{
        list_for_each_safe (i, &m->clients) {
                struct client *c = list_item(i, struct client, link);

                if (!c->wants_reload || c->queued)
                        continue;
                buf_printf(&c->out, "Success=%d\n--\n", ok);
                buf_str(&c->out, log);
                buf_putc(&c->out, '\n');
                c->wants_reload = false;
                c->quit = true;
                pump(c);
        }
}

/* ---- -S addr[,word[,value]]... ---- */

static bool option_id(struct listen_spec *s, const char *word, const char *value)
{
        const struct passwd *pw = strcmp(word, "user") == 0 ? getpwnam(value) : NULL;
        const struct group *gr = strcmp(word, "group") == 0 ? getgrnam(value) : NULL;
        uint64_t v;

        if (pw)
                s->unix_uid = (int)pw->pw_uid;
        else if (gr)
                s->unix_gid = (int)gr->gr_gid;
        else if (strcmp(word, "uid") == 0 && str_to_u64(str_of(value), &v) && v < INT32_MAX)
                s->unix_uid = (int)v;
        else if (strcmp(word, "gid") == 0 && str_to_u64(str_of(value), &v) && v < INT32_MAX)
                s->unix_gid = (int)v;
        else
                return false;
        return true;
}

static bool option_other(struct listen_spec *s, int *level, const char *word, const char *value)
{
        static const char *const levels[] = { [CLI_USER] = "user", [CLI_OPERATOR] = "operator", [CLI_ADMIN] = "admin" };
        char *end;

        if (strcmp(word, "mode") == 0) {
                long v = strtol(value, &end, 8);

                s->unix_mode = (int)v;
                return *value && !*end && v >= 0 && v <= 07777;
        }
        for (int i = CLI_USER; strcmp(word, "level") == 0 && i <= CLI_ADMIN; i++)
                if (strcmp(value, levels[i]) == 0) {
                        *level = i;
                        return true;
                }
        return option_id(s, word, value);
}

static bool parse_door(char *text, struct listen_spec *ret_s, int *ret_level)
{
        struct listen_spec s = { .shards = 1, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };
        char *save, *addr = strtok_r(text, ",", &save), *word, *value;
        const char *why = "";

        if (!addr || addr_parse(str_of(addr), ADDR_WANT_PORT | ADDR_FD | ADDR_UNIX, &s.at, &why) != ADDR_OK)
                return false;
        *ret_level = CLI_ADMIN;
        while ((word = strtok_r(NULL, ",", &save)) != NULL) {
                value = strtok_r(NULL, ",", &save);
                if (!value || !option_other(&s, ret_level, word, value))
                        return false;
        }
        *ret_s = s;
        return true;
}

static bool open_door(struct mastercli *m, const char *text, const struct args *a)
{
        struct door *d = &m->doors[m->n_doors];
        char *own = strdup(text);
        const char *step = "";
        struct listen_spec s;
        int e;

        ASSERT(own != NULL);
        if (!parse_door(own, &s, &d->level)) {
                proclog(PROC_ALERT, "Can't parse the master socket '%s'.", text);
                free(own);
                return false;
        }
        free(own);
        e = binds_open(&s, a, &d->fd, &step);
        if (e < 0) {
                binds_explain(&s, "-S", "master socket", step, e);
                return false;
        }
        d->m = m;
        d->name = strndup(text, strcspn(text, ","));
        d->shard.batch = 4;
        d->shard.on_accept = on_accept;
        d->shard.on_error = on_accept_error;
        if (shard_start(&d->shard, m->loop, d->fd, false) < 0)
                return false;
        m->n_doors++;
        return true;
}

struct mastercli *mastercli_new(struct loop *l, const struct args *a, const struct mastercli_ops *ops)
{
        struct mastercli *m = calloc(1, sizeof(*m));

        ASSERT(m != NULL);
        m->loop = l;
        m->ops = ops;
        list_init(&m->clients);
        for (unsigned i = 0; i < a->n_masters; i++)
                if (!open_door(m, a->masters[i], a)) {
                        mastercli_free(m);
                        return NULL;
                }
        return m;
}

void mastercli_free(struct mastercli *m)
{
        if (!m)
                return;
        list_for_each_safe (i, &m->clients)
                drop(list_item(i, struct client, link));
        for (unsigned i = 0; i < m->n_doors; i++) {
                shard_stop(&m->doors[i].shard);
                (void)close(m->doors[i].fd);
                free(m->doors[i].name);
        }
        loop_turn(m->loop, false); /* graves */
        free(m);
}

int mastercli_fetch_bundle(const char *address)
{
        static const char ask[] = "send bundle\n";
        static struct channel_msg m;
        struct addr_spec at;
        struct sockaddr_un un;
        const char *why;
        socklen_t len;
        int fd, e = -EPROTO;

        if (addr_parse(str_of(address), ADDR_UNIX, &at, &why) != ADDR_OK || at.family != AF_UNIX)
                return -EAFNOSUPPORT; /* a descriptor cannot come over TCP */
        len = addr_spec_unix(&at, &un);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&un, len) != 0 || send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) < 0)
                e = -errno;
        else if (channel_recv(fd, true, &m) == 1 && m.type == CH_APPLY) {
                e = m.fds[0];
                m.n_fds = 0;
        }
        channel_drop(&m);
        (void)close(fd);
        return e;
}
