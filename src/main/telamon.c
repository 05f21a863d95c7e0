/* main/telamon.c - the entry point: argv decides the role, nothing else happens here. */
#include "core/role.h"
#include "main/again.h"
#include "main/argv.h"
#include "main/limits.h"
#include "main/load.h"
#include "main/proclog.h"
#include "main/runner.h"
#include "main/single.h"
#include "main/supervisor.h"
#include "main/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ROLE_CHANNEL 3

static void put(FILE *f, const struct buf *b)
{
        (void)fwrite(b->p, 1, b->n, f);
        (void)fflush(f);
}

static int show(const struct args *a)
{
        AUTO_BUF(b);

        if (a->show == SHOW_VERSION)
                version_line(&b);
        else if (a->show == SHOW_BUILD)
                version_build(&b);
        else
                buf_puts(&b, a->show == SHOW_BRANCH ? HAPROXY_BRANCH "\n" : HAPROXY_LEVEL "\n");
        put(stdout, &b);
        return 0;
}

static void verbs_usage(struct buf *out)
{
        unsigned n;
        const struct verb *const *v = verb_all(&n);

        buf_puts(out, "Or : telamon <command>\n");
        for (unsigned i = 0; i < n; i++)
                buf_printf(out, "        %s %s  %s\n", v[i]->name, v[i]->args, v[i]->help);
}

static int usage(const struct buf *why)
{
        AUTO_BUF(v);
        AUTO_BUF(u);

        if (why->n)
                proclog(PROC_ALERT, "%.*s", (int)why->n, why->p);
        version_line(&v);
        args_usage(&u);
        verbs_usage(&u);
        put(stdout, &v);
        put(stderr, &u);
        return 1;
}

static void say_idle(const char *option, const char *why)
{
        proclog(PROC_NOTICE, "option '%s' has no effect: %s.", option, why);
}

static int run(const struct args *a, char **argv, int *ret_ended_by)
{
        if (a->check)
                return single_check(a);
        if (a->master_worker)
                return supervisor_run(a, argv);
        return single_run(a, argv, ret_ended_by);
}

static int start(const struct args *a, char **argv, int *ret_ended_by)
{
        proclog_quiet(a->quiet);
        if (a->show != SHOW_NONE)
                return show(a);
        if (a->condition)
                return load_condition(a->condition);
        again_remember();
        if (a->dir && chdir(a->dir) != 0) {
                proclog(PROC_ALERT, "Could not change to directory %s : %s", a->dir, strerror(errno));
                return 1;
        }
        if (a->verbose) {
                proclog(PROC_NOTICE, "telamon version is %s", TELAMON_VERSION);
                proclog(PROC_NOTICE, "path to executable is %s", a->program);
        }
        args_warn(a, say_idle);
        limits_memory(a);
        load_environment(a);
        return run(a, argv, ret_ended_by);
}

int main(int argc, char **argv)
{
        const struct verb *v = argc > 1 && argv[1][0] != '-' ? verb_find(argv[1]) : NULL;
        const struct role *role = argc > 2 && strcmp(argv[1], "--role") == 0 ? role_find(argv[2]) : NULL;
        enum args_answer answer;
        struct args a;
        int code, ended_by = 0;
        AUTO_BUF(why);

        (void)prctl(PR_SET_NAME, "telamon"); /* a child is started by /proc/self/exe, and `exe` is what ps would say */
        if (v)
                return v->main(argc - 1, argv + 1);
        if (role)
                return role->main(argc, argv, fcntl(ROLE_CHANNEL, F_GETFD) >= 0 ? ROLE_CHANNEL : -1);
        answer = args_parse(argc, argv, &a, &why);
        if (answer == ARGS_REFUSED) {
                proclog(PROC_ALERT, "%.*s.", (int)why.n, why.p);
                return 1;
        }
        if (answer != ARGS_OK)
                return usage(&why);
        if (a.role) {
                buf_printf(&why, "unknown role '%s'", a.role);
                return usage(&why);
        }
        code = start(&a, argv, &ended_by);
        args_fini(&a);
        (void)fflush(NULL);
        runner_exit(ended_by, code);
}
