/* feat/marks/marks.c - `on-marked-down shutdown-sessions` and `on-marked-up shutdown-backup-sessions` (manual 5.2).
 *
 * Streams end on their own threads, with D or U in the log (manual 8.5). */
#include "conf/conf.h"
#include "core/event.h"
#include "core/kinds.h"
#include "core/server_post.h"
#include "core/strm.h"

struct marks_cfg { /* slot "marks": server and default-server lines */
        int down, up;
};

enum { NOTHING, SHUTDOWN };
static const struct kw_val down_vals[] = { { "shutdown-sessions", SHUTDOWN }, { NULL, 0 } };
static const struct kw_val up_vals[] = { { "shutdown-backup-sessions", SHUTDOWN }, { NULL, 0 } };

static const struct kw rows[] = {
        KW_ENUM("on-marked-down", struct marks_cfg, down, down_vals, .args = "shutdown-sessions", .manual = "5.2",
                .apply = KW_LIVE, .help = "Ends all sessions on the server when it goes down or into maintenance."),
        KW_ENUM("on-marked-up", struct marks_cfg, up, up_vals, .args = "shutdown-backup-sessions", .manual = "5.2",
                .apply = KW_LIVE,
                .help = "Ends all sessions on the backup servers of the backend when this active server comes back."),
};
KW_TABLE(marks, KIND_ANY_SERVER, struct marks_cfg, rows, .rank = 21);

static void end_here(struct server *s, int cause)
{
        struct server_col *col = server_col(s);

        list_for_each_safe (i, &col->streams)
                strm_shutdown(list_item(i, struct strm, srv_link), (char)cause);
}

/* The backend's lock is held: its servers stay. */
static void end_on_backups(struct back *b)
{
        for (uint32_t i = 0; i < b->n_srv; i++)
                if (b->srv[i]->backup)
                        server_post_all(b->srv[i], end_here, 'U');
}

static void on_state(const void *event)
{
        const struct event_server *e = event;
        const struct conf_obj *o = e->srv->obj;
        const struct marks_cfg *cfg = o ? conf_slot(o, marks_slot) : NULL;
        bool was_up = e->from_oper != SRV_STOPPED && !(e->from_admin & SRV_ADM_MAINT), up = server_is_up(e->srv);

        if (!cfg || was_up == up)
                return;
        if (!up && cfg->down == SHUTDOWN)
                server_post_all(e->srv, end_here, 'D');
        else if (up && cfg->up == SHUTDOWN && !e->srv->backup && e->now_usable)
                end_on_backups(e->srv->back);
}

static const struct event_sub sub = { .type = EVENT_SERVER_STATE, .rank = 60, .name = "marks", .fn = on_state };
EVENT_SUB(sub);
