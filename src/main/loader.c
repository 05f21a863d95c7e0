/* main/loader.c - role "loader": one full compile over the disk, then the supervisor gets the sealed bundle and what it needs to
 * bind. Short-lived; it is the only role that reads files. */
#include "core/role.h"
#include "core/srv_source.h"
#include "main/channel.h"
#include "main/limits.h"
#include "main/load.h"
#include "main/privileges.h"
#include "main/proclog.h"
#include "main/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct loader {
        int fd;
        struct args args;
        struct load load;
        struct engine_binds binds;
        bool shown;
};

static int send_text(int fd, struct str text)
{
        int e = 0;

        while (text.n && e == 0) {
                size_t n = text.n < CHANNEL_TEXT ? text.n : CHANNEL_TEXT;
                struct channel_arg a[] = { CH_S(str_sub(text, 0, n)) };

                e = channel_send(fd, CH_TEXT, a, NULL, 0);
                text = str_sub(text, n, text.n - n);
        }
        return e;
}

static int send_binds(const struct loader *l)
{
        int e = 0;

        for (size_t i = 0; i < l->binds.n && e == 0; i++) {
                const struct engine_bind *b = &l->binds.v[i];
                AUTO_BUF(spec);
                AUTO_BUF(place);

                spec_encode(&b->spec, &spec);
                load_place(&l->load, b->at, &place);
                e = channel_send(l->fd, CH_SOCKET,
                                 (struct channel_arg[]){ CH_S(str_of(b->key)), CH_S(str_of(b->what)),
                                                         CH_S(buf_view(&place)), CH_S(buf_view(&spec)) },
                                 NULL, 0);
        }
        return e;
}

static int send_log_paths(const struct loader *l)
{
        size_t n = 0;
        const char *const *paths = engine_log_paths(l->load.conf, &n);
        int e = 0;

        for (size_t i = 0; i < n && e == 0; i++)
                e = channel_send(l->fd, CH_LOG_PATH, (struct channel_arg[]){ CH_S(str_of(paths[i])) }, NULL, 0);
        return e;
}

static struct str text_or_empty(const char *z)
{
        return z ? str_of(z) : STR("");
}

static int send_loaded(const struct loader *l, int code)
{
        struct channel_arg a[] = {
                CH_U(code), CH_U(0), CH_U(0), CH_U(0), CH_U(0), CH_U(0), CH_S(STR("")), CH_S(STR(""))
        };
        const struct global_cfg *g;
        unsigned threads;
        int bundle = -1, e;

        a[5].u = l->shown ? LOADED_SHOWN : 0;
        if (code)
                return channel_send(l->fd, CH_LOADED, a, NULL, 0);
        g = global_of(l->load.conf);
        threads = engine_threads(l->load.conf);
        a[1].u = (uint64_t)g->uid + 1;
        a[2].u = (uint64_t)g->gid + 1;
        a[3].u = limits_files_wanted(g, l->binds.n, threads);
        a[4].u = threads;
        a[5].u |= (g->daemon ? LOADED_DAEMON : 0) | (g->quiet ? LOADED_QUIET : 0) |
                  (srv_source_foreign(l->load.conf) ? LOADED_FOREIGN : 0);
        a[6].s = text_or_empty(g->chroot);
        a[7].s = text_or_empty(g->pidfile);
        e = vfs_seal(l->load.vfs, &bundle);
        if (e == 0)
                e = channel_send(l->fd, CH_LOADED, a, &bundle, 1);
        return e;
}

/* The supervisor keeps and answers classic lines; who looks at a terminal sees the faulty words framed, as without a supervisor. */
static void show(struct loader *l)
{
        AUTO_BUF(text);

        if (load_form(&l->args) != DIAG_FRAME || args_background(&l->args))
                return;
        load_report(&l->load, DIAG_FRAME, &text);
        proclog_raw(buf_view(&text));
        l->shown = true;
}

static int load_and_tell(struct loader *l)
{
        int code = load_disk(&l->load, &l->args) ? 0 : 1, e;
        AUTO_BUF(text);

        if (code == 0) {
                engine_binds(l->load.conf, engine_threads(l->load.conf), &l->binds);
                code = l->binds.n ? 0 : 2;
        }
        show(l);
        load_report(&l->load, l->args.json_diag ? DIAG_JSON : DIAG_CLASSIC, &text);
        e = send_text(l->fd, buf_view(&text));
        if (e == 0 && code == 0)
                e = send_binds(l);
        if (e == 0 && code == 0)
                e = send_log_paths(l);
        return e ? e : send_loaded(l, code);
}

static int loader_main(int argc, char **argv, int channel_fd)
{
        struct loader l = { .fd = channel_fd };
        int e;
        AUTO_BUF(why);

        if (channel_fd < 0 || args_parse(argc, argv, &l.args, &why) != ARGS_OK)
                return 1;
        proclog_quiet(l.args.quiet);
        load_environment(&l.args);
        load_init(&l.load);
        e = load_and_tell(&l);
        if (e < 0)
                proclog(PROC_ALERT, "loader: cannot report (%s).", strerror(-e));
        if (l.binds.n)
                engine_binds_fini(&l.binds);
        load_fini(&l.load);
        args_fini(&l.args);
        return e < 0 ? 1 : 0;
}

static const struct role loader = { .name = "loader",
                                    .help = "reads and checks the files for the supervisor",
                                    .main = loader_main };
ROLE(loader);
