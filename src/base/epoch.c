/* base/epoch.c - thin shell over liburcu's QSBR flavour.
 *
 * liburcu is not instrumented, so ThreadSanitizer does not see that a reader's quiescent point comes before the
 * writer's return from synchronize; the two macros below tell it. Only that direction: the other one (publish before
 * load) is a plain release and acquire of ours, which must stay visible to the tool. */
#include "base/epoch.h"
#include "base/assert.h"

#include <urcu-qsbr.h>

#if defined(__has_feature)
#define HAS_TSAN __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define HAS_TSAN 1
#else
#define HAS_TSAN 0
#endif

#if HAS_TSAN
void __tsan_acquire(void *p);
void __tsan_release(void *p);
static char quiet;
#define READER_DONE() __tsan_release(&quiet)
#define WRITER_SEES() __tsan_acquire(&quiet)
#else
#define READER_DONE() (void)0
#define WRITER_SEES() (void)0
#endif

void epoch_thread_enter(void)
{
        urcu_qsbr_register_thread();
}

void epoch_thread_leave(void)
{
        READER_DONE();
        urcu_qsbr_unregister_thread();
}

void epoch_online(void)
{
        urcu_qsbr_thread_online();
}

void epoch_offline(void)
{
        READER_DONE();
        urcu_qsbr_thread_offline();
}

void epoch_turn(void)
{
        READER_DONE();
        urcu_qsbr_quiescent_state();
}

void epoch_wait(void)
{
        urcu_qsbr_synchronize_rcu();
        WRITER_SEES();
}
