/* main/plan.c - `telamon plan -f NEW (--against OLD | -S MASTER-SOCKET)`: what a reload would change, without doing it.
 *
 * The master socket gives the running configuration as its sealed bundle (command `send bundle`, admin only), so that the
 * comparison is the one the worker would make. */
#include "core/role.h"
#include "main/load.h"
#include "main/mastercli.h"
#include "main/proclog.h"

#include "core/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLAN_TAKEN, PLAN_ERROR, PLAN_NO_LISTENER, PLAN_REFUSED }; /* exit codes */

#define USAGE "Usage : telamon plan -f <new cfgfile|cfgdir>* ( --against <old cfgfile|cfgdir> | -S <master socket> )\n"

static bool print_report(const struct load *l, const struct args *a)
{
        AUTO_BUF(b);

        load_report(l, load_form(a), &b);
        proclog_raw(buf_view(&b));
        return l->conf != NULL;
}

/* The bundle knows its files by name and order. */
static bool load_running(struct load *l, int memfd)
{
        const struct vfs_entry *e;
        struct args a = { .n_files = 0 };
        struct vfs *v;
        bool ok;

        if (vfs_new_bundle(memfd, &v) < 0)
                return false;
        for (size_t i = 0; (e = vfs_next(v, &i)) != NULL;) {
                const char **more = e->kind == VFS_CONFIG ? realloc(a.files, (a.n_files + 1) * sizeof(*more)) : a.files;

                ASSERT(e->kind != VFS_CONFIG || more != NULL);
                a.files = more;
                if (e->kind == VFS_CONFIG)
                        a.files[a.n_files++] = e->path;
        }
        ok = load_bundle(l, &a, memfd);
        free(a.files);
        vfs_free(v);
        return ok;
}

static bool load_old(struct load *l, const struct args *a, const char *against)
{
        struct args old = { .files = &against, .n_files = 1 };
        int memfd;
        bool ok;

        if (against)
                return load_disk(l, &old) || print_report(l, a);
        memfd = mastercli_fetch_bundle(a->masters[0]);
        if (memfd < 0) {
                proclog(PROC_ALERT, "Cannot ask the master socket '%s' (%s).", a->masters[0], strerror(-memfd));
                return false;
        }
        ok = load_running(l, memfd);
        (void)close(memfd);
        return ok || print_report(l, a);
}

static int verdict(enum kw_apply worst, bool any)
{
        if (worst == KW_REFUSED)
                (void)puts("A reload would be refused: it takes a restart.");
        else if (worst == KW_SWAP)
                (void)puts("A reload would start a new worker beside the old one, on the same sockets.");
        else if (!any)
                (void)puts("Nothing would change.");
        return worst == KW_REFUSED ? PLAN_REFUSED : PLAN_TAKEN;
}

static int print_plan(const struct conf *old, const struct conf *new)
{
        AUTO_BUF(out);
        enum kw_apply worst = engine_plan(old, new, &out);

        (void)fwrite(out.p, 1, out.n, stdout);
        if (engine_count_binds(new))
                return verdict(worst, out.n > 0);
        (void)puts("A reload would be refused: nothing would listen.");
        return PLAN_NO_LISTENER;
}

static int compare(const struct args *a, const char *against)
{
        struct load old, new;
        int code = PLAN_ERROR;

        load_init(&old);
        load_init(&new);
        if (load_old(&old, a, against) && (load_disk(&new, a), print_report(&new, a)))
                code = print_plan(old.conf, new.conf);
        load_fini(&old);
        load_fini(&new);
        return code;
}

/* Takes "--against FILE" out of the arguments; the rest are the common options. */
static const char *take_against(int *argc, char **argv)
{
        for (int i = 1; i + 1 < *argc; i++)
                if (strcmp(argv[i], "--against") == 0) {
                        const char *file = argv[i + 1];

                        memmove(argv + i, argv + i + 2, (size_t)(*argc - i - 1) * sizeof(*argv)); /* with the NULL */
                        *argc -= 2;
                        return file;
                }
        return NULL;
}

static int plan_main(int argc, char **argv)
{
        const char *against = take_against(&argc, argv);
        struct args a;
        int code;
        AUTO_BUF(why);

        if (args_parse(argc, argv, &a, &why) != ARGS_OK || (!against && !a.n_masters)) {
                if (why.n)
                        proclog(PROC_ALERT, "%.*s", (int)why.n, why.p);
                (void)fputs(USAGE, stderr);
                return 1;
        }
        load_environment(&a);
        code = compare(&a, against);
        args_fini(&a);
        return code;
}

static const struct verb plan = { .name = "plan",
                                  .args = "-f NEW (--against OLD | -S SOCKET)",
                                  .help = "prints what a reload would change, and how",
                                  .main = plan_main };
VERB(plan);
