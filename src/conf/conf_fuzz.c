/* conf/conf_fuzz.c - any bytes as a configuration. What loads must dump, the dump must load, and to an equal dump. */
#include "conf/conf.h"

#include "conf/conf_test_kinds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf *read_text(struct vfs *v, const char *name, struct diags *d)
{
        return conf_load(v, &name, 1, &t_opts, d);
}

/* A dump of a configuration whose words came from the fuzzer; a second load must agree. */
static void round_trip(struct vfs *v, struct conf *c)
{
        struct diags d;
        struct conf *again;
        AUTO_BUF(once);
        AUTO_BUF(twice);

        diags_init(&d);
        buf_putc(&once, '\n');
        buf_putc(&twice, '\n');
        conf_dump(c, &once);
        vfs_add(v, VFS_CONFIG, "dump.cfg", buf_view(&once));
        again = read_text(v, "dump.cfg", &d);
        ASSERT(again != NULL);
        conf_dump(again, &twice);
        ASSERT(once.p && twice.p && str_eq(buf_view(&once), buf_view(&twice)));
        conf_put(again);
        diags_fini(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct vfs *v = vfs_new_memory();
        struct diags d;
        struct conf *c;
        AUTO_BUF(out);

        diags_init(&d);
        vfs_add(v, VFS_CONFIG, "f.cfg", (struct str){ (const char *)data, size });
        vfs_add(v, VFS_ENV, "A", STR("one  two "));
        vfs_add(v, VFS_ENV, "E", STR(""));
        c = read_text(v, "f.cfg", &d);
        ASSERT((c == NULL) == (d.n_alerts > 0));
        diags_format(&d, DIAG_CLASSIC, DIAG_NOTICE, 1, &out);
        diags_format(&d, DIAG_FRAME, DIAG_NOTICE, 1, &out);
        diags_format(&d, DIAG_JSON, DIAG_NOTICE, 1, &out);
        if (c)
                round_trip(v, c);
        conf_put(c);
        diags_fini(&d);
        vfs_free(v);
        return 0;
}
