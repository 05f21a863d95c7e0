/* conf/vfs.c - reading with a record. The same record, sealed, is the bundle (bundle.c). */
#include "conf/vfs_int.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 << 20)
#define DEV_NULL ((dev_t)0x103) /* major 1, minor 3 (Linux devices.txt) */
#define KEY_MAX  4200u          /* PATH_MAX and a little: longer paths cannot be opened anyway */

struct vfs *vfs_new(void)
{
        struct vfs *v = calloc(1, sizeof(*v));

        ASSERT(v != NULL);
        v->tail = &v->first;
        return v;
}

struct vfs *vfs_new_disk(void)
{
        struct vfs *v = vfs_new();

        v->disk = true;
        return v;
}

struct vfs *vfs_new_memory(void)
{
        struct vfs *v = vfs_new();

        v->memory = true;
        return v;
}

void vfs_free(struct vfs *v)
{
        if (!v)
                return;
        if (v->map)
                munmap(v->map, v->map_len);
        map_fini(&v->recs);
        arena_fini(&v->mem);
        free(v);
}

static bool key_of(char key[KEY_MAX], enum vfs_what what, const char *path, struct str *ret_key)
{
        size_t n = strlen(path);

        if (n + 1 > KEY_MAX)
                return false;
        key[0] = (char)('0' + what);
        memcpy(key + 1, path, n);
        *ret_key = (struct str){ key, n + 1 };
        return true;
}

struct vfs_rec *vfs_find(const struct vfs *v, enum vfs_what what, const char *path)
{
        char mem[KEY_MAX];
        struct str key;

        return key_of(mem, what, path, &key) ? map_get(&v->recs, key) : NULL;
}

struct vfs_rec *vfs_record(struct vfs *v, enum vfs_what what, enum vfs_kind kind, const char *path)
{
        struct vfs_rec *r = arena_alloc(&v->mem, sizeof(*r));
        char *key = arena_printf(&v->mem, "%c%s", '0' + (int)what, path);
        bool ok = map_put(&v->recs, str_of(key), r);

        ASSERT(ok && key != NULL);
        r->e = (struct vfs_entry){ .kind = kind, .path = key + 1, .text = { "", 0 } };
        r->what = what;
        *v->tail = r;
        v->tail = &r->next;
        v->n_recs++;
        return r;
}

void vfs_add(struct vfs *v, enum vfs_kind kind, const char *path, struct str text)
{
        enum vfs_what what = kind == VFS_ENV ? VFS_W_ENV : VFS_W_FILE;
        struct vfs_rec *r = vfs_find(v, what, path);

        ASSERT(v->memory || v->disk);
        if (!r)
                r = vfs_record(v, what, kind, path);
        r->e.error = 0;
        r->e.text = (struct str){ arena_strdup(&v->mem, text), text.n };
}

/* Reads until the end whatever fstat() said: the file may grow meanwhile, and /dev/null has no size. */
static int slurp(struct vfs *v, int fd, struct str *ret_text)
{
        struct buf b = BUF_INIT;
        ssize_t got = 1;
        int r = 0;

        b.limit = FILE_MAX + 65536 + 1;
        while (r == 0 && got > 0) {
                if (!buf_reserve(&b, 65536) || !b.p)
                        r = -ENOMEM;
                else if ((got = read(fd, b.p + b.n, 65536)) > 0)
                        b.n += (size_t)got;
                else if (got < 0 && errno == EINTR)
                        got = 1;
                else if (got < 0)
                        r = -errno;
                if (b.n > FILE_MAX)
                        r = -EFBIG;
        }
        if (r == 0)
                *ret_text = (struct str){ arena_strdup(&v->mem, buf_view(&b)), b.n };
        buf_fini(&b);
        return r;
}

static int file_kind(const struct stat *st)
{
        if (S_ISREG(st->st_mode) || (S_ISCHR(st->st_mode) && st->st_rdev == DEV_NULL))
                return 0; /* "-f /dev/null" is in the manual (management.txt 3) */
        return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
}

static int read_disk(struct vfs *v, struct vfs_entry *e)
{
        int fd = open(e->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r;
        struct stat st;

        if (fd < 0)
                return -errno;
        r = fstat(fd, &st) < 0 ? -errno : file_kind(&st);
        if (r == 0 && (size_t)st.st_size > FILE_MAX)
                r = -EFBIG;
        if (r == 0) {
                e->dev = st.st_dev;
                e->ino = st.st_ino;
                e->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
                r = slurp(v, fd, &e->text);
        }
        close(fd);
        return r;
}

int vfs_read(struct vfs *v, enum vfs_kind kind, const char *path, struct str *ret_text)
{
        struct vfs_rec *r = vfs_find(v, VFS_W_FILE, path);

        if (!r) {
                if (strlen(path) + 1 >= KEY_MAX)
                        return -ENAMETOOLONG;
                if (!v->disk)
                        return -ENOENT;
                r = vfs_record(v, VFS_W_FILE, kind, path);
                r->e.error = -read_disk(v, &r->e);
        }
        if (r->e.error)
                return -r->e.error;
        *ret_text = r->e.text;
        return 0;
}

int vfs_make(struct vfs *v, enum vfs_kind kind, const char *key, int (*make)(const char *key, struct buf *out),
             struct str *ret_text)
{
        struct vfs_rec *r = vfs_find(v, VFS_W_FILE, key);

        if (!r) {
                AUTO_BUF(b);

                if (strlen(key) + 1 >= KEY_MAX)
                        return -ENAMETOOLONG;
                if (!v->disk && !v->memory)
                        return -ENOENT;
                r = vfs_record(v, VFS_W_FILE, kind, key);
                r->e.error = -make(key, &b);
                r->e.text = (struct str){ arena_strdup(&v->mem, buf_view(&b)), b.n };
        }
        if (r->e.error)
                return -r->e.error;
        *ret_text = r->e.text;
        return 0;
}

int vfs_getenv(struct vfs *v, const char *name, struct str *ret_value)
{
        struct vfs_rec *r = vfs_find(v, VFS_W_ENV, name);

        if (!r) {
                const char *z = v->disk ? getenv(name) : NULL;

                if (!v->disk || strlen(name) + 1 >= KEY_MAX)
                        return -ENOENT;
                r = vfs_record(v, VFS_W_ENV, VFS_ENV, name);
                r->e.error = z ? 0 : ENOENT;
                r->e.text = (struct str){ arena_strdup(&v->mem, str_of(z ? z : "")), z ? strlen(z) : 0 };
        }
        if (r->e.error)
                return -r->e.error;
        *ret_value = r->e.text;
        return 0;
}

/* Is `path` a directory that some file of the memory vfs lies in? Returns the rest of that file's name. */
static const char *below(const struct vfs_rec *r, const char *path)
{
        size_t n = strlen(path);

        while (n > 1 && path[n - 1] == '/')
                n--;
        if (r->what != VFS_W_FILE || strncmp(r->e.path, path, n) != 0 || r->e.path[n] != '/')
                return NULL;
        return r->e.path + n + 1;
}

static int stat_memory(const struct vfs *v, const char *path)
{
        if (vfs_find(v, VFS_W_FILE, path))
                return 0;
        for (const struct vfs_rec *r = v->first; r; r = r->next)
                if (below(r, path))
                        return 1;
        return -ENOENT;
}

int vfs_is_dir(struct vfs *v, const char *path)
{
        struct vfs_rec *r = vfs_find(v, VFS_W_STAT, path);
        struct stat st;
        int n;

        if (!r && strlen(path) + 1 >= KEY_MAX)
                return -ENAMETOOLONG;
        if (!r && !v->disk && !v->memory)
                return -ENOENT;
        if (!r) {
                n = v->memory ? stat_memory(v, path) : stat(path, &st) < 0 ? -errno : S_ISDIR(st.st_mode);
                if (v->memory)
                        return n; /* files may be added later */
                r = vfs_record(v, VFS_W_STAT, VFS_OTHER, path);
                r->e.error = n < 0 ? -n : 0;
                r->is_dir = n > 0;
        }
        return r->e.error ? -r->e.error : r->is_dir;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void vfs_cut_names(struct vfs *v, struct vfs_rec *r)
{
        struct str t = r->e.text;
        size_t n = 0;

        for (size_t i = 0; i < t.n; i++)
                n += t.p[i] == 0;
        r->names = arena_alloc(&v->mem, (n + 1) * sizeof(*r->names));
        r->n_names = 0;
        for (size_t i = 0; i < t.n; i += strlen(t.p + i) + 1)
                r->names[r->n_names++] = t.p + i;
        qsort(r->names, r->n_names, sizeof(*r->names), by_name);
}

static int list_disk(const char *path, struct buf *names)
{
        DIR *d = opendir(path);
        struct dirent *de;
        int r = 0;

        if (!d)
                return -errno;
        for (errno = 0; (de = readdir(d)) != NULL; errno = 0)
                if (de->d_name[0] != '.')
                        buf_add(names, de->d_name, strlen(de->d_name) + 1);
        r = names->failed ? -ENOMEM : -errno;
        closedir(d);
        return r;
}

static int list_memory(const struct vfs *v, const char *path, struct buf *names)
{
        if (stat_memory(v, path) != 1)
                return stat_memory(v, path) == 0 ? -ENOTDIR : -ENOENT;
        for (const struct vfs_rec *r = v->first; r; r = r->next) {
                const char *z = below(r, path);

                if (z && z[0] != '.' && !strchr(z, '/'))
                        buf_add(names, z, strlen(z) + 1);
        }
        return 0;
}

int vfs_list(struct vfs *v, const char *path, const char *const **ret_names, size_t *ret_n)
{
        struct vfs_rec *r = vfs_find(v, VFS_W_LIST, path);

        if (!r || v->memory) {
                AUTO_BUF(b);
                int n;

                if (strlen(path) + 1 >= KEY_MAX)
                        return -ENAMETOOLONG;
                if (!v->disk && !v->memory)
                        return -ENOENT;
                n = v->memory ? list_memory(v, path, &b) : list_disk(path, &b);
                r = r ? r : vfs_record(v, VFS_W_LIST, VFS_OTHER, path);
                r->e.error = -n;
                r->e.text = (struct str){ arena_strdup(&v->mem, buf_view(&b)), b.n };
                vfs_cut_names(v, r);
        }
        if (r->e.error)
                return -r->e.error;
        *ret_names = r->names;
        *ret_n = r->n_names;
        return 0;
}

const struct vfs_entry *vfs_next(const struct vfs *v, size_t *pos)
{
        const struct vfs_rec *r = *pos == 0 ? v->first : ((const struct vfs_rec *)*pos)->next;

        while (r && (r->what == VFS_W_STAT || r->what == VFS_W_LIST))
                r = r->next;
        if (!r)
                return NULL;
        *pos = (size_t)r;
        return &r->e;
}
