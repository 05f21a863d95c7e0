/* base/asan.h - is this build instrumented? A constant, so that both ways are always compiled.
 *
 * asan_hide(): nobody may touch these bytes until asan_show(); whoever kept a pointer into them is found at its first use. Nothing in
 * other builds. */
#ifndef BASE_ASAN_H
#define BASE_ASAN_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define ASAN_ON 1
#elif defined(__has_feature)
#define ASAN_ON __has_feature(address_sanitizer)
#else
#define ASAN_ON 0
#endif

#if ASAN_ON
#include <sanitizer/asan_interface.h>
#else
static inline void __asan_poison_memory_region(const void *p, size_t n)
{
        (void)p, (void)n;
}
static inline void __asan_unpoison_memory_region(const void *p, size_t n)
{
        (void)p, (void)n;
}
static inline int __asan_address_is_poisoned(const void *p)
{
        (void)p;
        return 0;
}
#endif

static inline void asan_hide(const void *p, size_t n)
{
        __asan_poison_memory_region(p, n);
}

static inline void asan_show(const void *p, size_t n)
{
        __asan_unpoison_memory_region(p, n);
}

static inline bool asan_hidden(const void *p) /* false in other builds */
{
        return __asan_address_is_poisoned(p);
}

#endif
