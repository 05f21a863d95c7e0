/* conf/bundle.c - the record of a vfs as one sealed memfd, and back.
 *
 * Layout: struct head, then per record a struct item, the path with its NUL, the text. Both sides are the same binary
 * on the same machine, so numbers are in native order; still every length is checked, because a bundle may outlive the
 * binary that wrote it (live upgrade). The seals matter: a file that could still shrink would be a SIGBUS later. */
#include "conf/vfs_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_MAGIC   "TLMNBNDL"
#define BUNDLE_VERSION 1u
#define BUNDLE_SEALS   (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define PATH_LEN_MAX   4100u

struct head {
        char magic[8];
        uint32_t version, n_items;
        uint64_t total; /* bytes, this head included */
};

struct item {
        uint32_t what, kind, is_dir, path_len; /* path without its NUL */
        int32_t error;
        uint32_t zero;
        uint64_t text_len, dev, ino;
        int64_t mtime_ns;
};

static int write_all(int fd, const void *p, size_t n)
{
        while (n) {
                ssize_t w = write(fd, p, n);

                if (w < 0 && errno == EINTR)
                        continue;
                if (w < 0)
                        return -errno;
                p = (const char *)p + w;
                n -= (size_t)w;
        }
        return 0;
}

static int write_rec(int fd, const struct vfs_rec *r)
{
        struct item it = { .what = r->what,
                           .kind = r->e.kind,
                           .is_dir = r->is_dir,
                           .path_len = (uint32_t)strlen(r->e.path),
                           .error = r->e.error,
                           .text_len = r->e.text.n,
                           .dev = r->e.dev,
                           .ino = r->e.ino,
                           .mtime_ns = r->e.mtime_ns };
        int e = write_all(fd, &it, sizeof(it));

        if (e == 0)
                e = write_all(fd, r->e.path, it.path_len + 1u);
        return e ? e : write_all(fd, r->e.text.p, r->e.text.n);
}

int vfs_seal(const struct vfs *v, int *ret_memfd)
{
        struct head h = { BUNDLE_MAGIC, BUNDLE_VERSION, (uint32_t)v->n_recs, sizeof(h) };
        int fd = memfd_create("telamon-bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING), e;

        if (fd < 0)
                return -errno;
        for (const struct vfs_rec *r = v->first; r; r = r->next)
                h.total += sizeof(struct item) + strlen(r->e.path) + 1 + r->e.text.n;
        e = write_all(fd, &h, sizeof(h));
        for (const struct vfs_rec *r = v->first; r && e == 0; r = r->next)
                e = write_rec(fd, r);
        if (e == 0 && fcntl(fd, F_ADD_SEALS, BUNDLE_SEALS) < 0)
                e = -errno;
        if (e < 0) {
                close(fd);
                return e;
        }
        *ret_memfd = fd;
        return 0;
}

/* A list's text must be names that each end with NUL; a record's path must not hide a NUL. */
static bool item_fits(const struct item *it, const char *path, const char *text)
{
        if (it->what < VFS_W_FILE || it->what > VFS_W_LIST || it->kind > VFS_ENV || it->is_dir > 1 || it->error < 0 ||
            it->zero || path[it->path_len] != 0 || strlen(path) != it->path_len)
                return false;
        return it->what != VFS_W_LIST || it->text_len == 0 || text[it->text_len - 1] == 0;
}

/* Reads one record at *p; false when it does not fit before `end`. */
static bool read_rec(struct vfs *v, const char **p, const char *end)
{
        struct item it;
        struct vfs_rec *r;
        const char *path, *text;

        if ((size_t)(end - *p) < sizeof(it))
                return false;
        memcpy(&it, *p, sizeof(it));
        path = *p + sizeof(it);
        if (it.path_len > PATH_LEN_MAX || (size_t)(end - path) < it.path_len + 1u)
                return false;
        text = path + it.path_len + 1;
        if ((uint64_t)(end - text) < it.text_len || !item_fits(&it, path, text) || vfs_find(v, it.what, path))
                return false;
        r = vfs_record(v, it.what, it.kind, path);
        r->e = (struct vfs_entry){ .kind = it.kind,
                                   .path = r->e.path,
                                   .error = it.error,
                                   .text = { text, (size_t)it.text_len },
                                   .dev = it.dev,
                                   .ino = it.ino,
                                   .mtime_ns = it.mtime_ns };
        r->is_dir = it.is_dir;
        if (it.what == VFS_W_LIST)
                vfs_cut_names(v, r);
        *p = text + it.text_len;
        return true;
}

static bool read_bundle(struct vfs *v)
{
        const char *p = v->map, *end = p + v->map_len;
        struct head h;

        memcpy(&h, p, sizeof(h));
        if (memcmp(h.magic, BUNDLE_MAGIC, sizeof(h.magic)) != 0 || h.version != BUNDLE_VERSION || h.total != v->map_len)
                return false;
        p += sizeof(h);
        for (uint32_t i = 0; i < h.n_items; i++)
                if (!read_rec(v, &p, end))
                        return false;
        return p == end;
}

int vfs_new_bundle(int memfd, struct vfs **ret_v)
{
        int seals = fcntl(memfd, F_GET_SEALS);
        struct stat st;
        struct vfs *v;
        void *m;

        if (seals < 0)
                return errno == EBADF ? -EBADF : -EINVAL; /* EINVAL: a file system without seals */
        if ((seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
                return -EINVAL;
        if (fstat(memfd, &st) < 0)
                return -errno;
        if (st.st_size < (off_t)sizeof(struct head))
                return -EINVAL;
        m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, memfd, 0);
        if (m == MAP_FAILED)
                return -errno;
        v = vfs_new();
        v->map = m;
        v->map_len = (size_t)st.st_size;
        if (!read_bundle(v)) {
                vfs_free(v);
                return -EINVAL;
        }
        *ret_v = v;
        return 0;
}
