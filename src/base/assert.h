/* base/assert.h - checks that stay on in production.
 *
 * Three kinds of trouble (HACKING.md, "Errors"): our bug -> ASSERT; the world says no -> negative errno; an answer the
 * caller must handle -> positive enum of the module. ASSERT must never be reachable by what a peer sends: a peer's
 * nonsense is an answer, not a bug. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include <stddef.h>
#include <stdint.h>

/* Prints file, line, expression and a backtrace to stderr and aborts. The supervisor respawns the worker. */
_Noreturn void assert_fail(const char *file, int line, const char *expr);

/* What the failing one says, for who records the crash; "" before. */
const char *assert_said(void);

#define ASSERT(e) ((e) ? (void)0 : assert_fail(__FILE__, __LINE__, #e))

/* Long-lived objects start with a magic number; MAGIC_CHECK turns a stale pointer into a readable abort. */
#define MAGIC_CHECK(o, m) ASSERT((o) != NULL && (o)->magic == (m))

#define must_check     __attribute__((warn_unused_result))
#define cold_path      __attribute__((cold, noinline))
#define hot_path       __attribute__((hot))
#define fmt_like(f, a) __attribute__((format(printf, f, a)))
#define likely(e)      __builtin_expect(!!(e), 1)
#define unlikely(e)    __builtin_expect(!!(e), 0)

#define array_len(a)                 (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, field) ((type *)(void *)((char *)(p)-offsetof(type, field)))

#endif
