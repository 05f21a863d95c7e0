/* conf/bundle_fuzz.c - any bytes as a bundle: refused, or a vfs that can be walked and sealed again. */
#include "base/assert.h"
#include "conf/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct vfs *v)
{
        const struct vfs_entry *e;
        const char *const *names;
        size_t n, sum = 0;
        struct str t;

        for (size_t i = 0; (e = vfs_next(v, &i)) != NULL;) {
                for (size_t k = 0; k < e->text.n; k++)
                        sum += (unsigned char)e->text.p[k];
                (void)vfs_read(v, e->kind, e->path, &t);
                (void)vfs_is_dir(v, e->path);
                if (vfs_list(v, e->path, &names, &n) == 0)
                        for (size_t k = 0; k < n; k++)
                                sum += strlen(names[k]);
        }
        ASSERT(sum != SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING), again, e;
        struct vfs *v = NULL;

        ASSERT(fd >= 0);
        ASSERT(write(fd, data, size) == (ssize_t)size);
        ASSERT(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0);
        e = vfs_new_bundle(fd, &v);
        ASSERT(e == 0 || e == -EINVAL);
        if (e == 0) {
                walk(v);
                ASSERT(vfs_seal(v, &again) == 0);
                vfs_free(v);
                ASSERT(vfs_new_bundle(again, &v) == 0);
                vfs_free(v);
                close(again);
        }
        close(fd);
        return 0;
}
