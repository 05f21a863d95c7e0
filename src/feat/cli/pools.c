/* feat/cli/pools.c - `show pools`: what slabs and buffers hold, all threads together (management.txt 9.3). */
#include "base/slab.h"
#include "feat/cli/cli.h"

#include <stdlib.h>

#define POOLS_MAX 32u

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct pool_sum *)a)->name, ((const struct pool_sum *)b)->name);
}

static int falling(uint64_t a, uint64_t b)
{
        return (a < b) - (a > b);
}

static int by_size(const void *a, const void *b)
{
        return falling(((const struct pool_sum *)a)->size, ((const struct pool_sum *)b)->size);
}

static int by_usage(const void *a, const void *b)
{
        return falling(((const struct pool_sum *)a)->bytes, ((const struct pool_sum *)b)->bytes);
}

struct wish {
        int (*order)(const void *a, const void *b);
        struct str prefix;
        uint64_t most;
};

/* False: said why not. */
static bool read_words(struct cli_call *c, struct wish *w)
{
        for (unsigned i = 2; i < c->n_args; i++) {
                if (cli_arg_is(c, i, "byname"))
                        w->order = by_name;
                else if (cli_arg_is(c, i, "bysize"))
                        w->order = by_size;
                else if (cli_arg_is(c, i, "byusage"))
                        w->order = by_usage;
                else if (cli_arg_is(c, i, "match") && i + 1 < c->n_args)
                        w->prefix = c->args[++i];
                else if (!str_to_u64(c->args[i], &w->most)) {
                        cli_msg(c, 3,
                                "Expects 'byname', 'bysize', 'byusage', 'match <prefix>' and a number of lines.\n");
                        return false;
                }
        }
        return true;
}

static bool wanted(const struct wish *w, const struct pool_sum *p)
{
        return strncmp(p->name, w->prefix.p ? w->prefix.p : "", w->prefix.n) == 0 &&
               (w->order != by_usage || p->used_bytes);
}

static void show_pools(struct cli_call *c)
{
        struct wish w = { .most = POOLS_MAX };
        struct pool_sum v[POOLS_MAX];
        unsigned n = pool_sums(v, POOLS_MAX), shown = 0;
        uint64_t bytes = 0, used = 0;

        if (!read_words(c, &w))
                return;
        if (w.order)
                qsort(v, n, sizeof(v[0]), w.order);
        buf_puts(c->out, "Dumping pools usage.\n");
        for (unsigned i = 0; i < n && shown < w.most; i++) {
                if (!wanted(&w, &v[i]))
                        continue;
                buf_printf(c->out, "  - Pool %s (%zu bytes) : %llu bytes allocated, ", v[i].name, v[i].size,
                           (unsigned long long)v[i].bytes);
                buf_printf(c->out, "%llu used (%llu bytes), %llu failures, %u users\n", (unsigned long long)v[i].used,
                           (unsigned long long)v[i].used_bytes, (unsigned long long)v[i].failed, v[i].users);
                bytes += v[i].bytes;
                used += v[i].used_bytes;
                shown++;
        }
        buf_printf(c->out, "Total: %u pools, %llu bytes allocated, %llu used.\n", shown, (unsigned long long)bytes,
                   (unsigned long long)used);
}

static const struct cli_cmd cmd_pools = {
        .words = "show pools",
        .args = "[by*] [match <pfx>] [<nb>]",
        .help = "memory of objects and buffers, all threads together",
        .level = CLI_USER,
        .run = show_pools,
};
CLI_CMD(cmd_pools);
