/* Config goldens: tests/conf/NNN.cfg gives exactly NNN.out (classic diagnostics, then the canonical dump), and the dump loads again to
 * the same dump. GOLDEN_UPDATE=1 in the environment writes the .out files; the diff is for a person to read, beside what
 * `haproxy -c` says (tests/conf/README.md). */
#include "conf/conf.h"

#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *source_root;

static bool read_file(const char *path, struct buf *out)
{
        FILE *f = fopen(path, "re");
        char b[4096];
        size_t n;

        if (!f)
                return false;
        while ((n = fread(b, 1, sizeof(b), f)) > 0)
                buf_add(out, b, n);
        (void)fclose(f);
        return true;
}

/* Diagnostics and dump of a text; false when it did not load. */
static bool compile(const char *name, struct str text, struct buf *diag, struct buf *dump)
{
        const char *const files[] = { name };
        struct conf_opts o = { .version = "3.4.0", .keep_spans = true };
        struct vfs *v = vfs_new_memory();
        struct diags d;
        struct conf *c;
        bool ok;

        diags_init(&d);
        vfs_add(v, VFS_CONFIG, name, text);
        c = conf_load(v, files, 1, &o, &d);
        ok = c != NULL;
        diags_format(&d, DIAG_CLASSIC, DIAG_NOTICE, 1, diag);
        if (c)
                conf_dump(c, dump);
        conf_put(c);
        diags_fini(&d);
        vfs_free(v);
        return ok;
}

static bool same(struct str a, struct str b)
{
        size_t i = 0, line = 1;

        if (str_eq(a, b))
                return true;
        while (i < a.n && i < b.n && a.p[i] == b.p[i])
                line += a.p[i++] == '\n';
        print_error("first difference in line %zu:\n  is      %.100s\n  expected %.100s\n", line, a.p + i, b.p + i);
        return false;
}

static bool check_round_trip(const char *name, struct str dump)
{
        AUTO_BUF(diag);
        AUTO_BUF(again);
        bool ok = compile(name, dump, &diag, &again);

        buf_putc(&again, 0);
        again.n--;
        if (!ok)
                print_error("%s: the dump does not load:\n%.*s\n", name, (int)diag.n, diag.p);
        return ok && same(buf_view(&again), dump);
}

static bool check_file(const char *dir, const char *name)
{
        AUTO_BUF(cfg);
        AUTO_BUF(want);
        AUTO_BUF(got);
        AUTO_BUF(dump);
        char path[1024];
        bool loaded, ok = true;

        (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
        assert_true(read_file(path, &cfg));
        loaded = compile(name, buf_view(&cfg), &got, &dump);
        buf_putc(&dump, 0);
        dump.n--;
        if (loaded)
                ok = check_round_trip(name, buf_view(&dump));
        buf_printf(&got, "---- %s\n%.*s", loaded ? "valid" : "refused", (int)dump.n, dump.p);
        buf_putc(&got, 0);
        got.n--;
        (void)snprintf(path, sizeof(path), "%s/%.*s.out", dir, (int)(strlen(name) - 4), name);
        if (getenv("GOLDEN_UPDATE")) {
                FILE *f = fopen(path, "we");
                assert_non_null(f);
                (void)fwrite(got.p, 1, got.n, f);
                (void)fclose(f);
                return ok;
        }
        if (!read_file(path, &want))
                print_error("%s is missing\n", path);
        buf_putc(&want, 0);
        want.n--;
        return same(buf_view(&got), buf_view(&want)) && ok;
}

static int is_cfg(const struct dirent *e)
{
        size_t n = strlen(e->d_name);

        return n > 4 && strcmp(e->d_name + n - 4, ".cfg") == 0;
}

static void goldens(void **state)
{
        struct dirent **v = NULL;
        unsigned bad = 0;
        char dir[512];
        int n;

        (void)state;
        (void)snprintf(dir, sizeof(dir), "%s/tests/conf", source_root);
        n = scandir(dir, &v, is_cfg, alphasort);
        assert_true(n >= 10);
        for (int i = 0; i < n; i++) {
                if (!check_file(dir, v[i]->d_name)) {
                        print_error("FAILED %s\n", v[i]->d_name);
                        bad++;
                }
                free(v[i]);
        }
        free(v);
        print_message("%d goldens\n", n);
        assert_int_equal(bad, 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(goldens) };

        source_root = argc > 1 ? argv[1] : ".";
        return cmocka_run_group_tests(tests, NULL, NULL);
}
