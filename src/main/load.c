/* main/load.c - see the header. */
#include "main/load.h"

#include "main/names.h"
#include "main/proclog.h"
#include "main/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct conf_opts options(const struct args *a, bool keep)
{
        return (struct conf_opts){ .version = HAPROXY_LEVEL,
                                   .feature = version_feature,
                                   .enabled = version_enabled,
                                   .openssl_version = "",
                                   .warn_is_error = a->warn_is_error,
                                   .diag = a->advice,
                                   .keep_spans = keep };
}

void load_init(struct load *l)
{
        *l = (struct load){ 0 };
        diags_init(&l->diags);
}

void load_fini(struct load *l)
{
        conf_put(l->conf);
        diags_fini(&l->diags);
        vfs_free(l->vfs);
        load_init(l);
}

static bool compile(struct load *l, const struct args *a, const struct conf_opts *o)
{
        const char **files = calloc(a->n_files + 1, sizeof(*files));

        ASSERT(files != NULL);
        if (a->n_files)
                memcpy(files, a->files, a->n_files * sizeof(*files));
        files[a->n_files] = LOAD_OVERRIDES;
        l->conf = conf_load(l->vfs, files, a->n_files + (a->maxconn ? 1 : 0), o, &l->diags);
        free(files);
        return l->conf != NULL;
}

bool load_disk(struct load *l, const struct args *a)
{
        struct conf_opts o = options(a, true);
        bool ok;
        AUTO_BUF(b);

        l->vfs = vfs_new_disk();
        if (a->maxconn) {
                buf_printf(&b, "global\n    maxconn %d\n", a->maxconn);
                vfs_add(l->vfs, VFS_CONFIG, LOAD_OVERRIDES, buf_view(&b));
        }
        names_begin(NAMES_PATIENCE_MS);
        ok = compile(l, a, &o);
        names_end();
        return ok;
}

bool load_bundle(struct load *l, const struct args *a, int memfd)
{
        struct conf_opts o = options(a, false);
        int e = vfs_new_bundle(memfd, &l->vfs);

        if (e < 0) {
                diag_add(&l->diags, DIAG_ALERT, SPAN_NONE, "E0003", "cannot read the bundle : %s", strerror(-e));
                return false;
        }
        return compile(l, a, &o);
}

void load_environment(const struct args *a)
{
        char host[256];
        AUTO_BUF(b);

        for (size_t i = 0; i < a->n_files; i++)
                buf_printf(&b, "%s%s", i ? ";" : "", a->files[i]);
        buf_putc(&b, 0);
        if (gethostname(host, sizeof(host)) != 0)
                host[0] = 0;
        host[sizeof(host) - 1] = 0;
        (void)setenv("HAPROXY_CFGFILES", b.p, 1);
        (void)setenv("HAPROXY_LOCALPEER", a->peer ? a->peer : host, 1);
        (void)setenv("HAPROXY_STARTUP_VERSION", HAPROXY_LEVEL, 1);
        (void)setenv("HAPROXY_BRANCH", HAPROXY_BRANCH, 1);
        if (a->master_worker)
                (void)setenv("HAPROXY_MWORKER", "1", 1);
        else
                (void)unsetenv("HAPROXY_MWORKER");
}

enum diag_form load_form(const struct args *a)
{
        if (a->json_diag)
                return DIAG_JSON;
        return isatty(STDERR_FILENO) ? DIAG_FRAME : DIAG_CLASSIC;
}

void load_report(const struct load *l, enum diag_form form, struct buf *out)
{
        diags_format(&l->diags, form, DIAG_ADVICE, (int)getpid(), out);
        if (form != DIAG_JSON)
                diags_closing(&l->diags, (int)getpid(), out);
}

int load_condition(const char *text)
{
        struct args none = { 0 };
        struct conf_opts o = options(&none, false);
        struct load l;
        int r;

        load_init(&l);
        r = conf_condition(str_of(text), &o, &l.diags);
        if (r < 0) {
                AUTO_BUF(b);

                diags_format(&l.diags, DIAG_CLASSIC, DIAG_NOTICE, (int)getpid(), &b);
                proclog_raw(buf_view(&b));
        }
        load_fini(&l);
        return r < 0 ? 2 : r == 0;
}

void load_place(const struct load *l, struct span at, struct buf *out)
{
        if (at.line && at.file < l->diags.n_files)
                buf_printf(out, "%s:%u", l->diags.files[at.file].name, at.line);
}
