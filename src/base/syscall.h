/* base/syscall.h - one system call without libc around it. Private to base/sys.c.
 *
 * Why: libc's wrappers of calls that may wait are cancellation points, which in a program with threads costs more instructions than the
 * rest of the way to the kernel, and syscall(2) moves seven registers and keeps errno. Nothing here cancels threads.
 * Errors: negative errno, as the kernel says it; errno is not touched. */
#ifndef BASE_SYSCALL_H
#define BASE_SYSCALL_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
        register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
        long ret;

        __asm__ volatile("syscall"
                         : "=a"(ret)
                         : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return ret;
}
#else /* other machines */
static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
        long r = syscall(nr, a, b, c, d, e, f);

        return r < 0 ? -(long)errno : r;
}
#endif

#endif
