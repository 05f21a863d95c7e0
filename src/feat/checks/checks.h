/* feat/checks/checks.h - health checks: the words (rows.c), who checks what and when (driver.c), one check on the wire (probe.c).
 *
 * A check belongs to one data thread (cell slot mod threads); its timer, socket and result live there. Only state changes leave it, by
 * check_apply(). */
#ifndef FEAT_CHECKS_CHECKS_H
#define FEAT_CHECKS_CHECKS_H

#include "core/check.h"
#include "core/threads.h"
#include "net/conn.h"

struct check_proxy_cfg { /* slot "check_proxy": backends */
        bool tcp_check;
};
extern int check_proxy_slot;

int check_parse_addr(struct kw_call *c);
void check_dump_addr(const struct kw *kw, const void *slot, struct buf *out);

enum probe_state { PROBE_WAITING, PROBE_CONNECTING };

struct probe { /* check->run */
        struct check *check;
        enum probe_state state;
        struct conn conn;
        struct timer timer; /* waiting: the next check; connecting: its deadline */
        mono_t started;
        uint32_t position; /* among the checks that start together: spreads the first ones */
        uint32_t of;
        bool stopping;
        struct grave grave;
};

/* On the owner's thread. */
void probe_start(struct probe *p);         /* arms the first check */
void probe_hurry(struct probe *p, int ms); /* the next check not later than so */
void probe_stop(struct probe *p);          /* closes and stops; the caller buries it */

#endif
