/* main/record.c - see the header. Frames are printed as offsets into the program: both processes run the same file, each at an address of
 * its own. */
#include "main/record.h"

#include "base/time.h"
#include "main/symbols.h"

#include <execinfo.h>
#include <sys/prctl.h>
#include <unistd.h>

extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* the linker's: the program's first byte, */
extern const char etext[];                                              /* and the end of its code */

void record_frames(struct record *r, int skip)
{
        void *frame[RECORD_FRAMES + 8];
        int n = backtrace(frame, (int)array_len(frame)); /* privileges_prepare() has loaded what it needs */

        r->base = (uint64_t)(uintptr_t)__ehdr_start;
        r->end = (uint64_t)(uintptr_t)etext;
        r->n = 0;
        for (int i = skip; i < n && r->n < RECORD_FRAMES; i++)
                r->frame[r->n++] = (uint64_t)(uintptr_t)frame[i];
        if (prctl(PR_GET_NAME, r->name) != 0)
                r->name[0] = 0;
}

void record_crash(struct record *r, int signo, const siginfo_t *si)
{
        r->signo = signo;
        r->sender = si->si_code <= 0 && si->si_pid != getpid() ? si->si_pid : 0;
        r->addr = si->si_code > 0 ? (uint64_t)(uintptr_t)si->si_addr : 0;
        r->lag_ns = r->cpu_ns = 0;
        (void)strncpy(r->text, signo == SIGABRT ? assert_said() : "", sizeof(r->text) - 1);
        record_frames(r, 2);
        record_done(r);
}

void record_done(struct record *r)
{
        atomic_fetch_add_explicit(&r->seq, 1, memory_order_release); /* record_take() */
}

bool record_take(const struct record *r, uint32_t *seen, struct record *ret_r)
{
        uint32_t seq = atomic_load_explicit(&r->seq, memory_order_acquire);

        if (seq == *seen)
                return false;
        *seen = seq;
        memcpy(ret_r, r, sizeof(*ret_r));
        ret_r->text[sizeof(ret_r->text) - 1] = 0;
        ret_r->name[sizeof(ret_r->name) - 1] = 0;
        if (ret_r->n > RECORD_FRAMES)
                ret_r->n = RECORD_FRAMES;
        return true;
}

/* Text of another process, for a terminal. */
static void put_text(const char *z, struct buf *out)
{
        for (; *z && *z != '\n'; z++)
                buf_putc(out, *z >= ' ' && *z < 0x7f ? *z : '?');
}

static void put_head(const struct record *r, struct buf *out)
{
        buf_puts(out, r->signo ? "crash in thread " : "thread ");
        put_text(r->name, out);
        if (!r->signo) {
                buf_printf(out, " makes no turn since %llu ms, %llu ms of them on a processor\n",
                           (unsigned long long)(r->lag_ns / NS_PER_MS), (unsigned long long)(r->cpu_ns / NS_PER_MS));
                return;
        }
        buf_printf(out, ": signal %d (%s)", r->signo, r->signo > 0 && r->signo < NSIG ? strsignal(r->signo) : "?");
        if (r->sender)
                buf_printf(out, " sent by process %d", r->sender);
        else if (r->addr)
                buf_printf(out, " at address 0x%llx", (unsigned long long)r->addr);
        if (r->text[0]) {
                buf_puts(out, ": ");
                put_text(r->text, out);
        }
        buf_putc(out, '\n');
}

void record_print(const struct record *r, struct buf *out)
{
        put_head(r, out);
        if (r->n == 0)
                buf_puts(out, "    (it does not answer)\n");
        for (uint32_t i = 0; i < r->n; i++) {
                uint64_t at = r->frame[i];

                if (at < r->base || at >= r->end)
                        buf_printf(out, "    #%-2u 0x%llx (a library)\n", i, (unsigned long long)at);
                else {
                        buf_printf(out, "    #%-2u telamon+0x%llx ", i, (unsigned long long)(at - r->base));
                        symbols_name(at - r->base, out);
                        buf_putc(out, '\n');
                }
        }
}
