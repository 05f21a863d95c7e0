/* core/event.h - how features hear of what happens without knowing each other: typed events, direct calls in rank order.
 *
 * A subscriber runs inside the publisher's call and must not block or change the object. Subscriptions are const rows. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/server.h"

enum event_type {
        EVENT_SERVER_STATE, /* struct event_server; any thread, back->lock held */
        EVENT_SERVER_ADDR,  /* struct event_addr; any thread, back->lock held */
        EVENT_BACK_STATE,   /* struct event_back: no server left, or some again */
        EVENT_FRONT_STATE,  /* struct event_front: started, stopped, paused; control thread */
        EVENT_STREAM_END,   /* struct strm *: log it */
        EVENT_SESS_REJECT,  /* a session that ended before a stream (bad PROXY line, denied) */
        EVENT_APPLIED, /* struct conf *: is in force now, the first one too; NULL: the world ends; control thread */
        EVENT_RELOAD,  /* const char *: the diff */
        EVENT_CHECK_RESULT, /* struct event_check: option log-health-checks */
        EVENT_BAD_MESSAGE,  /* struct event_bad: a head that is no HTTP */
        EVENT_TYPES
};

struct event_server {
        struct server *srv;
        enum server_oper from_oper, to_oper;
        uint8_t from_admin, to_admin;
        bool was_usable, now_usable;
        const struct state_cause *why;
        unsigned requeued; /* sessions that were put back into the queue */
};

struct event_addr { /* another IP for a name */
        struct server *srv;
        struct addr from, to; /* AF_UNSPEC: none */
        const char *by;       /* who said so */
};

struct event_back { /* back->lock held */
        struct back *back;
        bool available;
};

struct event_front {
        struct front *front;
        enum front_state from, to;
};

struct check;
struct check_result;
struct event_check { /* the check's thread, before a state change that follows from it */
        const struct check *check;
        const struct check_result *result;
        int was_health;
        int was_status; /* enum check_status of the result before */
        bool first, up; /* up: by the check's own count, this result included */
};

struct event_bad { /* the stream's thread */
        const struct strm *strm;
        bool response;
        struct str bytes; /* received and not yet used, the bad head first; borrowed for the call */
        uint32_t at;      /* offset of the first bad byte */
        const char *why;  /* literal */
};

struct event_sub {
        enum event_type type;
        int rank;
        const char *name;
        void (*fn)(const void *event);
};

#define EVENT_SUB(id)                                                                                                  \
        static const struct event_sub *const id##_sub_reg __attribute__((used, section("telamon_sub"))) = &id

void event_boot(void); /* sorts the rows */
void event_publish(enum event_type t, const void *event);

#endif
