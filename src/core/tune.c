/* core/tune.c - see the header. `cpu-map` is kept as text: the slot stays comparable, and each thread reads it once. */
#include "core/tune.h"

#include "core/rows_int.h"
#include "ev/loop.h"
#include "net/conn.h"
#include "net/pipe.h"

#define THREADS_MAX 64u

static const struct tune_cfg none;

const struct tune_cfg *tune_of(const struct conf *c)
{
        const struct conf_obj *o = conf_find(c, KIND_GLOBAL, STR(""));

        return o ? conf_slot(o, tune_slot) : &none;
}

void tune_apply(const struct conf *c, unsigned threads)
{
        const struct tune_cfg *t = tune_of(c);

        for (int i = 0; i < 2; i++)
                conn_tune(i == TUNE_SERVER, (int)t->rcvbuf[i], (int)t->sndbuf[i], (int)t->lowat[i]);
        pipe_set_size((size_t)t->pipe_size);
        pipe_set_limit(t->no_splice ? PIPE_NONE : ((unsigned)t->max_pipes + threads - 1) / threads);
        loop_set_events(t->max_events);
}

/* ---- cpu-map ---- */

struct cpu_line {
        bool automatic;
        uint64_t threads; /* bit 0: the first */
        cpu_set_t cpus;
};

/* "3", "3-5", "3-": from `low` to `high` at most. */
static bool range(struct str s, unsigned low, unsigned high, unsigned *ret_from, unsigned *ret_to)
{
        const char *dash = s.n ? memchr(s.p, '-', s.n) : NULL;
        size_t n = dash ? (size_t)(dash - s.p) : s.n;
        uint64_t a = 0, b = high;

        if (!str_to_u64(str_sub(s, 0, n), &a))
                return false;
        if (!dash)
                b = a;
        else if (n + 1 < s.n && !str_to_u64(str_sub(s, n + 1, s.n - n - 1), &b))
                return false;
        *ret_from = (unsigned)a;
        *ret_to = (unsigned)b;
        return a >= low && a <= b && b <= high;
}

static bool thread_set(struct str s, uint64_t *ret_set)
{
        unsigned a, b;

        if (str_is(s, "all"))
                *ret_set = UINT64_MAX;
        else if (str_is(s, "odd"))
                *ret_set = UINT64_C(0x5555555555555555);
        else if (str_is(s, "even"))
                *ret_set = UINT64_C(0xaaaaaaaaaaaaaaaa);
        else if (range(s, 1, THREADS_MAX, &a, &b))
                *ret_set = (UINT64_MAX >> (THREADS_MAX - (b - a + 1))) << (a - 1);
        else
                return false;
        return true;
}

/* "[auto:]<group>[/<threads>]"; there is one group. */
static bool where(struct str s, struct cpu_line *l)
{
        const char *slash;
        uint64_t group;
        struct str g;

        l->automatic = s.n > 5 && memcmp(s.p, "auto:", 5) == 0;
        if (l->automatic)
                s = str_sub(s, 5, s.n - 5);
        slash = s.n ? memchr(s.p, '/', s.n) : NULL;
        g = slash ? str_sub(s, 0, (size_t)(slash - s.p)) : s;
        if (!thread_set(g, &group))
                return false;
        l->threads = UINT64_MAX;
        if (slash && !thread_set(str_sub(s, g.n + 1, s.n - g.n - 1), &l->threads))
                return false;
        if (!(group & 1))
                l->threads = 0; /* of groups that are not there */
        return true;
}

static bool cpus(struct str s, cpu_set_t *set)
{
        while (s.n) {
                const char *comma = memchr(s.p, ',', s.n);
                size_t n = comma ? (size_t)(comma - s.p) : s.n;
                unsigned a, b;

                if (!range(str_sub(s, 0, n), 0, CPU_SETSIZE - 1, &a, &b))
                        return false;
                for (; a <= b; a++)
                        CPU_SET(a, set);
                if (comma && n + 1 == s.n)
                        return false;
                s = str_sub(s, comma ? n + 1 : n, s.n - (comma ? n + 1 : n));
        }
        return true;
}

static struct str next_word(struct str *s)
{
        const char *end = s->n ? memchr(s->p, ' ', s->n) : NULL;
        size_t n = end ? (size_t)(end - s->p) : s->n;
        struct str w = str_sub(*s, 0, n);

        *s = str_sub(*s, end ? n + 1 : n, s->n - (end ? n + 1 : n));
        return w;
}

/* "auto:1/1-4 0-1 2-3". NULL, or what is wrong. */
static const char *line_read(struct str s, struct cpu_line *l)
{
        struct str w = next_word(&s);

        CPU_ZERO(&l->cpus);
        if (!where(w, l))
                return "a thread group, or a group and threads ('1/all', 'auto:1/1-4'), is expected first";
        if (s.n == 0)
                return "a CPU, or a range of them, is expected";
        while (s.n) {
                w = next_word(&s);
                if (w.n == 0 || !cpus(w, &l->cpus))
                        return "CPUs are numbers and ranges, '0-3,8'";
        }
        if (l->automatic && __builtin_popcountll(l->threads) != CPU_COUNT(&l->cpus))
                return "with 'auto:' there have to be as many CPUs as threads";
        return NULL;
}

static void nth_cpu(const cpu_set_t *from, int n, cpu_set_t *ret_set)
{
        CPU_ZERO(ret_set);
        for (unsigned i = 0; i < CPU_SETSIZE; i++)
                if (CPU_ISSET(i, from) && n-- == 0) {
                        CPU_SET(i, ret_set);
                        return;
                }
}

bool tune_cpus(const struct tune_cfg *t, unsigned thread, cpu_set_t *ret_set)
{
        struct str all = str_of(t->cpu_map ? t->cpu_map : "");
        uint64_t bit = thread < THREADS_MAX ? UINT64_C(1) << thread : 0;
        bool said = false;

        while (all.n) {
                size_t n = (size_t)((const char *)memchr(all.p, '\n', all.n) - all.p);
                struct cpu_line l;

                if (!line_read(str_sub(all, 0, n), &l) && (l.threads & bit)) {
                        said = true;
                        if (l.automatic)
                                nth_cpu(&l.cpus, __builtin_popcountll(l.threads & (bit - 1)), ret_set);
                        else
                                *ret_set = l.cpus;
                }
                all = str_sub(all, n + 1, all.n - n - 1);
        }
        return said;
}

static int cpu_map_parse(struct kw_call *c)
{
        struct tune_cfg *t = c->slot;
        struct cpu_line l;
        const char *wrong;
        AUTO_BUF(b);
        size_t from;

        if (t->cpu_map)
                buf_puts(&b, t->cpu_map);
        from = b.n;
        for (size_t i = 0; i < c->n_args; i++) {
                if (i)
                        buf_putc(&b, ' ');
                buf_str(&b, c->args[i].text);
        }
        wrong = line_read((struct str){ b.p + from, b.n - from }, &l);
        if (wrong) {
                kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0262", "'%s' : %s.", c->kw->name, wrong);
                return -1;
        }
        buf_putc(&b, '\n');
        t->cpu_map = conf_intern(c->conf, buf_view(&b));
        return (int)c->n_args;
}

static void cpu_map_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        struct str all =
                str_of(((const struct tune_cfg *)slot)->cpu_map ? ((const struct tune_cfg *)slot)->cpu_map : "");

        while (all.n) {
                size_t n = (size_t)((const char *)memchr(all.p, '\n', all.n) - all.p);

                buf_printf(out, "    %s %.*s\n", kw->name, (int)n, all.p);
                all = str_sub(all, n + 1, all.n - n - 1);
        }
}

#define SOCK(n, f, i, h)                                                                                               \
        KW_SIZE("tune." n, struct tune_cfg, f[i], 0, INT32_MAX, .apply = KW_NEW, .manual = "3.2", .args = "<size>",    \
                .help = h)

static const struct kw rows[] = {
        SOCK("rcvbuf.client", rcvbuf, TUNE_CLIENT, "kernel's buffer for what a client sends; 0: the kernel's own size"),
        SOCK("rcvbuf.server", rcvbuf, TUNE_SERVER, "kernel's buffer for what a server sends; 0: the kernel's own size"),
        SOCK("sndbuf.client", sndbuf, TUNE_CLIENT,
             "kernel's buffer for what goes to a client; 0: the kernel's own size"),
        SOCK("sndbuf.server", sndbuf, TUNE_SERVER,
             "kernel's buffer for what goes to a server; 0: the kernel's own size"),
        SOCK("notsent-lowat.client", lowat, TUNE_CLIENT,
             "bytes not yet sent to a client above which no more are taken"),
        SOCK("notsent-lowat.server", lowat, TUNE_SERVER,
             "bytes not yet sent to a server above which no more are taken"),
        KW_SIZE("tune.pipesize", struct tune_cfg, pipe_size, 0, 1 << 30, .apply = KW_LIVE, .manual = "3.2",
                .args = "<size>", .help = "size asked for pipes of splicing; below 64k nothing is spliced; 0: 256k"),
        KW_INT("maxpipes", struct tune_cfg, max_pipes, 0, INT32_MAX, .apply = KW_LIVE, .manual = "3.2",
               .args = "<number>", .help = "pipes of the whole process, spread evenly over its threads; 0: no limit"),
        KW_FLAG("nosplice", struct tune_cfg, no_splice, .apply = KW_LIVE, .manual = "3.2",
                .help = "bytes are never moved by the kernel alone"),
        KW_INT("tune.maxpollevents", struct tune_cfg, max_events, 0, 1000000, .apply = KW_LIVE, .manual = "3.2",
               .args = "<number>", .help = "events taken at once; at most 256 count; 0: 256"),
        KW_INT("thread-hard-limit", struct tune_cfg, thread_limit, 1, 64, .apply = KW_SWAP, .manual = "3.1",
               .args = "<number>", .help = "data threads at most, also where the machine has more cores"),
        KW_INT("fd-hard-limit", struct tune_cfg, fd_limit, 0, INT32_MAX, .apply = KW_SWAP, .manual = "3.1",
               .args = "<number>",
               .help = "descriptors that maxconn is derived from at most, when neither ulimit-n nor maxconn says how many"),
        KW_FN("cpu-map", cpu_map_parse, cpu_map_dump, .apply = KW_SWAP, .manual = "3.1",
              .args = "[auto:]<group>[/<threads>] <cpus>...", .sample = "auto:1/1-2 0,1",
              .help = "which CPUs data threads run on; later lines count for threads that they name, too"),
};
KW_TABLE(tune, KIND_GLOBAL, struct tune_cfg, rows, .defaults = &none);
