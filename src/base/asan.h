/* base/asan.h - is this build instrumented? A constant, so that both ways are always compiled. */
#ifndef BASE_ASAN_H
#define BASE_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define ASAN_ON 1
#elif defined(__has_feature)
#define ASAN_ON __has_feature(address_sanitizer)
#else
#define ASAN_ON 0
#endif

#endif
