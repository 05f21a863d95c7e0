/* conf/vfs.h - every file that a configuration names is read through here.
 *
 * Why: the worker has an empty root and no rights. The loader reads from disk and records all it read (also that a file
 * was missing, and directory lists); the record is sealed into one memfd, the bundle. The worker repeats the same
 * compile over the bundle and cannot see anything else.
 * Ownership: returned bytes belong to the vfs and live until vfs_free().  Threads: one at a time.
 * Errors: negative errno, the same from disk and from the bundle. */
#ifndef CONF_VFS_H
#define CONF_VFS_H

#include "base/buf.h"
#include "base/str.h"

/* VFS_ENV is no file: environment variables that the configuration names are part of what it was made from, so they are
 * recorded under their name as if they were files. The worker expands them as the loader did. */
enum vfs_kind { VFS_CONFIG, VFS_ERRORFILE, VFS_CERT, VFS_CA, VFS_MAP, VFS_ACL, VFS_STATE, VFS_OTHER, VFS_ENV };

struct vfs;

struct vfs *vfs_new_disk(void);
int vfs_new_bundle(int memfd, struct vfs **ret_v); /* maps it; -EINVAL when it is not one of ours or was cut */
struct vfs *vfs_new_memory(void);                  /* for tests: vfs_add() its content */
void vfs_add(struct vfs *v, enum vfs_kind kind, const char *path, struct str text);
void vfs_free(struct vfs *v);

/* The whole file. -EFBIG above 64 MiB, -EISDIR, -EINVAL for what is neither file nor directory (a FIFO would block). A
 * path is read once; later calls give the same bytes. From a bundle, a path that was not recorded is -ENOENT. */
int vfs_read(struct vfs *v, enum vfs_kind kind, const char *path, struct str *ret_text);
/* The same for answers of the machine that are no file (a resolved name, a user's number): `make` writes the text, or answers a negative
 * errno; both are recorded under `key`, so a bundle gives the loader's answer and never asks. */
int vfs_make(struct vfs *v, enum vfs_kind kind, const char *key, int (*make)(const char *key, struct buf *out),
             struct str *ret_text);
int vfs_getenv(struct vfs *v, const char *name, struct str *ret_value); /* 0 or -ENOENT */
int vfs_is_dir(struct vfs *v, const char *path);                        /* 1, 0, or negative errno */
/* Names in a directory, sorted by strcmp, without "." entries. */
int vfs_list(struct vfs *v, const char *path, const char *const **ret_names, size_t *ret_n);

int vfs_seal(const struct vfs *v, int *ret_memfd); /* F_SEAL_WRITE|SHRINK|GROW|SEAL; O_CLOEXEC */

/* What was read (files that were missing too), for watches and for the supervisor's allow-list; VFS_ENV are among them.
 * Directories are not. for (size_t i = 0; (e = vfs_next(v, &i)) != NULL;) */
struct vfs_entry {
        enum vfs_kind kind;
        const char *path;
        int error; /* 0, or the errno that reading gave */
        struct str text;
        uint64_t dev, ino;
        int64_t mtime_ns;
};
const struct vfs_entry *vfs_next(const struct vfs *v, size_t *pos);

#endif
