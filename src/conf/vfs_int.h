/* conf/vfs_int.h - what vfs.c and bundle.c share. Nobody else includes it. */
#ifndef CONF_VFS_INT_H
#define CONF_VFS_INT_H

#include "base/arena.h"
#include "base/map.h"
#include "conf/vfs.h"

enum vfs_what { VFS_W_FILE = 1, VFS_W_ENV, VFS_W_STAT, VFS_W_LIST };

struct vfs_rec {
        struct vfs_entry e; /* first: vfs_next() hands it out */
        enum vfs_what what;
        bool is_dir;        /* VFS_W_STAT */
        const char **names; /* VFS_W_LIST */
        size_t n_names;
        struct vfs_rec *next; /* in the order of the first use */
};

struct vfs {
        struct arena mem;
        struct map recs; /* key: one character for `what`, then the path */
        struct vfs_rec *first, **tail;
        size_t n_recs;
        bool disk, memory;
        void *map; /* the mapped bundle */
        size_t map_len;
};

struct vfs *vfs_new(void);
struct vfs_rec *vfs_find(const struct vfs *v, enum vfs_what what, const char *path);
struct vfs_rec *vfs_record(struct vfs *v, enum vfs_what what, enum vfs_kind kind, const char *path);
/* Cuts the NUL-separated names of a directory list into ->names. */
void vfs_cut_names(struct vfs *v, struct vfs_rec *r);

#endif
