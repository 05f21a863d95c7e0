#include "conf/vfs.h"

#include "base/assert.h"
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/telamon-vfs-XXXXXX";

static const char *in_dir(const char *name)
{
        static char path[4][256];
        static int i;

        i = (i + 1) % 4;
        (void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
        return path[i];
}

static void put_file(const char *name, const char *text)
{
        FILE *f = fopen(in_dir(name), "w");

        assert_non_null(f);
        (void)fputs(text, f);
        (void)fclose(f);
}

static int setup(void **st)
{
        (void)st;
        if (!mkdtemp(dir))
                return -1;
        put_file("b.cfg", "bee\n");
        put_file("a.cfg", "ay\n");
        put_file(".hidden.cfg", "no\n");
        put_file("empty", "");
        if (mkfifo(in_dir("fifo"), 0600) < 0 || mkdir(in_dir("sub"), 0700) < 0 || mkdir(in_dir("none"), 0700) < 0)
                return -1;
        return truncate(in_dir("empty"), 0);
}

static int teardown(void **st)
{
        static const char *const files[] = { "a.cfg", "b.cfg", ".hidden.cfg", "empty", "fifo", "huge" };

        (void)st;
        for (size_t i = 0; i < array_len(files); i++)
                (void)unlink(in_dir(files[i]));
        (void)rmdir(in_dir("sub"));
        (void)rmdir(in_dir("none"));
        return rmdir(dir);
}

/* The same questions to the disk and to the bundle made of it. */
static void ask(struct vfs *v)
{
        struct str t = { NULL, 0 };
        const char *const *names = NULL;
        size_t n = 0;

        assert_int_equal(vfs_read(v, VFS_CONFIG, in_dir("a.cfg"), &t), 0);
        assert_true(str_is(t, "ay\n"));
        assert_int_equal(vfs_read(v, VFS_MAP, in_dir("empty"), &t), 0);
        assert_int_equal(t.n, 0);
        assert_int_equal(vfs_read(v, VFS_CERT, in_dir("missing"), &t), -ENOENT);
        assert_int_equal(vfs_read(v, VFS_CERT, in_dir("fifo"), &t), -EINVAL);
        assert_int_equal(vfs_read(v, VFS_CERT, in_dir("sub"), &t), -EISDIR);
        assert_int_equal(vfs_read(v, VFS_CONFIG, "/dev/null", &t), 0);
        assert_int_equal(vfs_is_dir(v, in_dir("sub")), 1);
        assert_int_equal(vfs_is_dir(v, in_dir("a.cfg")), 0);
        assert_int_equal(vfs_is_dir(v, in_dir("missing")), -ENOENT);
        assert_int_equal(vfs_list(v, dir, &names, &n), 0);
        assert_true(n >= 6);
        assert_string_equal(names[0], "a.cfg");
        assert_string_equal(names[1], "b.cfg");
        assert_int_equal(vfs_list(v, in_dir("none"), &names, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(vfs_list(v, in_dir("missing"), &names, &n), -ENOENT);
        assert_int_equal(vfs_getenv(v, "TELAMON_T", &t), 0);
        assert_true(str_is(t, "val"));
        assert_int_equal(vfs_getenv(v, "TELAMON_NO", &t), -ENOENT);
}

static void test_bundle(void **st)
{
        struct vfs *v = vfs_new_disk(), *b = NULL;
        const struct vfs_entry *e;
        struct str t;
        size_t n = 0;
        int fd = -1;

        (void)st;
        (void)setenv("TELAMON_T", "val", 1);
        ask(v);
        assert_int_equal(vfs_seal(v, &fd), 0);
        assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(vfs_new_bundle(fd, &b), 0);
        close(fd);
        (void)setenv("TELAMON_T", "changed", 1); /* the bundle must not look */
        ask(b);
        assert_int_equal(vfs_read(b, VFS_CONFIG, in_dir("b.cfg"), &t), -ENOENT); /* exists, but was not recorded */
        assert_int_equal(vfs_is_dir(b, "/"), -ENOENT);
        for (size_t i = 0; (e = vfs_next(b, &i)) != NULL; n++) {
                if (strcmp(e->path, in_dir("missing")) == 0)
                        assert_int_equal(e->error, ENOENT);
                if (strcmp(e->path, in_dir("a.cfg")) == 0) {
                        struct stat s;

                        assert_int_equal(stat(e->path, &s), 0);
                        assert_int_equal(e->kind, VFS_CONFIG);
                        assert_true(e->ino == s.st_ino && e->dev == s.st_dev);
                        assert_true(e->mtime_ns / 1000000000 == s.st_mtim.tv_sec);
                }
        }
        assert_int_equal(n, 8); /* six files and two variables */
        vfs_free(b);
        vfs_free(v);
}

static void test_read_once(void **st)
{
        struct vfs *v = vfs_new_disk();
        struct str t;

        (void)st;
        assert_int_equal(vfs_read(v, VFS_CONFIG, in_dir("a.cfg"), &t), 0);
        put_file("a.cfg", "other\n");
        assert_int_equal(vfs_read(v, VFS_CONFIG, in_dir("a.cfg"), &t), 0);
        assert_true(str_is(t, "ay\n"));
        put_file("a.cfg", "ay\n");
        vfs_free(v);
}

static void test_huge(void **st)
{
        struct vfs *v = vfs_new_disk();
        struct str t;

        (void)st;
        put_file("huge", "");
        assert_int_equal(truncate(in_dir("huge"), (64l << 20) + 1), 0);
        assert_int_equal(vfs_read(v, VFS_MAP, in_dir("huge"), &t), -EFBIG);
        vfs_free(v);
}

static int memfd_of(const void *p, size_t n, bool sealed)
{
        int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, p, n), (ssize_t)n);
        if (sealed)
                assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
        return fd;
}

/* Cut anywhere, and with any one byte changed: -EINVAL or a vfs, never a crash. */
static void test_hostile(void **st)
{
        struct vfs *v = vfs_new_memory(), *b;
        struct str text = STR("some text");
        struct stat s;
        char *copy;
        int fd, e;

        (void)st;
        vfs_add(v, VFS_CONFIG, "x.d/a.cfg", text);
        vfs_add(v, VFS_ENV, "NAME", text);
        {
                const char *const *names;
                size_t n;

                assert_int_equal(vfs_list(v, "x.d", &names, &n), 0);
                assert_int_equal(n, 1);
        }
        assert_int_equal(vfs_seal(v, &fd), 0);
        assert_int_equal(fstat(fd, &s), 0);
        copy = malloc((size_t)s.st_size);
        assert_int_equal(pread(fd, copy, (size_t)s.st_size, 0), s.st_size);
        close(fd);
        for (size_t n = 0; n < (size_t)s.st_size; n++) {
                fd = memfd_of(copy, n, true);
                assert_int_equal(vfs_new_bundle(fd, &b), -EINVAL);
                close(fd);
        }
        for (size_t i = 0; i < (size_t)s.st_size; i++) {
                copy[i] = (char)(copy[i] ^ 0xff);
                fd = memfd_of(copy, (size_t)s.st_size, true);
                e = vfs_new_bundle(fd, &b);
                assert_true(e == 0 || e == -EINVAL);
                if (e == 0)
                        vfs_free(b);
                close(fd);
                copy[i] = (char)(copy[i] ^ 0xff);
        }
        fd = memfd_of(copy, (size_t)s.st_size, false);
        assert_int_equal(vfs_new_bundle(fd, &b), -EINVAL); /* could still be cut under us */
        close(fd);
        fd = open("/dev/null", O_RDONLY);
        assert_int_equal(vfs_new_bundle(fd, &b), -EINVAL);
        close(fd);
        assert_int_equal(vfs_new_bundle(-1, &b), -EBADF);
        free(copy);
        vfs_free(v);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_bundle), cmocka_unit_test(test_read_once),
                                            cmocka_unit_test(test_huge), cmocka_unit_test(test_hostile) };
        return cmocka_run_group_tests(tests, setup, teardown);
}
