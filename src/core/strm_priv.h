/* core/strm_priv.h - the steps of a stream, over several files: strm.c drives and keeps time, strm_route.c finds the backend and the
 * server, strm_conn.c connects, strm_xfer.c moves messages, answer.c makes our own. */
#ifndef CORE_STRM_PRIV_H
#define CORE_STRM_PRIV_H

#include "core/check.h"
#include "core/sess.h"
#include "core/srv_conn.h"
#include "core/strm.h"

enum run { RUN_NEXT, RUN_WAIT }; /* the step changed (or may do more): go on / nothing to do until a wake */

enum run strm_step_head(struct strm *s);
enum run strm_step_route(struct strm *s);
enum run strm_step_server(struct strm *s);
enum run strm_step_queued(struct strm *s);
enum run strm_step_connect(struct strm *s);
enum run strm_step_retry(struct strm *s);
enum run strm_step_xfer(struct strm *s);
enum run strm_step_answer(struct strm *s);

/* What a deadline means when it passes. */
enum deadline_kind {
        DL_NONE,
        DL_HTTP_REQUEST,
        DL_CLIENT,
        DL_QUEUE,
        DL_CONNECT,
        DL_RETRY,
        DL_SERVER,
        DL_TUNNEL,
        DL_HOOK
};

enum run strm_goto(struct strm *s, enum strm_step step); /* RUN_NEXT */
void strm_term(struct strm *s, char cause, char phase);  /* the first one wins */
void strm_drop_server(struct strm *s, bool clean);       /* gives connection, slot and server back */
void strm_count_client_abort(struct strm *s);
void strm_count_bad_request(struct strm *s); /* a head that never came or was wrong is a request, too */
bool strm_client_left(const struct strm *s); /* reset, or gone with option abortonclose: nobody waits for the answer */
/* For our own answers: what is here of a body that nobody wants is read first, so that it does not cost the connection. Bytes that are
 * still on their way do: no answer waits for them. */
bool strm_keeps(struct strm *s);
void strm_answer_builtin(struct strm *s, int status);  /* whatever the file says of error pages */
void strm_answer_nothing(struct strm *s, int status);  /* closes without a word; the status is logged */
struct server *strm_tied_server(const struct strm *s); /* NULL: any may serve it */
void strm_tie_broke(struct strm *s);                   /* the tied server is down, or another one is tried */
void strm_xfer_deadline(struct strm *s);               /* sets deadline and kind for STRM_XFER */
mono_t strm_wait_until(const struct strm *s);          /* of strm_waited(), MONO_NEVER: no limit runs */
enum run strm_connect_failed(struct strm *s, int err, bool timeout);
void strm_on_deadline(struct strm *s);

/* Was the whole request read, by a client that is still there, so that the connection may serve another one? */
static inline bool strm_may_keep(const struct strm *s)
{
        unsigned o = s->fcfg->px->options | (s->bcfg ? s->bcfg->px->options : 0);

        return (s->cl.flags & SIDE_RX_DONE) && s->term[0] != 'C' && !(o & OPT_HTTPCLOSE) &&
               !atomic_load_explicit(&world.stopping, memory_order_relaxed);
}

/* Memory for a request line, as mem_get() gives it: most are short, and the thread keeps one such piece at hand. */
char *strm_line_get(size_t n, size_t *ret_size);

static inline struct px_stat *strm_front_stat(const struct strm *s)
{
        return s->st_front;
}

static inline struct px_stat *strm_back_stat(const struct strm *s) /* NULL before ROUTE */
{
        return s->st_back;
}

static inline struct px_stat *strm_srv_stat(const struct strm *s) /* NULL without a server */
{
        return s->st_srv;
}

/* `observe` of its server. */
static inline void strm_observed(const struct strm *s, enum check_seen what)
{
        if (s->srv && unlikely(atomic_load_explicit(&s->srv->observe, memory_order_relaxed)))
                check_observed(s->srv, what);
}

static inline int strm_retries(const struct strm *s)
{
        return s->bcfg->px->retries;
}

#endif
