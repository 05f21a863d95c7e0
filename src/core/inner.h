/* core/inner.h - what the files of the engine and the change machine share; nobody outside core includes it.
 *
 * Threads: control thread, unless said otherwise. */
#ifndef CORE_INNER_H
#define CORE_INNER_H

#include "core/change.h"
#include "core/check.h"
#include "core/lb.h"
#include "core/proxy.h"
#include "core/queue.h"
#include "core/server.h"

/* world.c: the name tables that any thread may read inside an epoch, replaced as a whole when a name comes or goes. */
void world_names_publish(void);
void world_names_forget(void);
/* Replaces the array of a backend's servers by one with room for at least the old number, too (NULLs at its end); the caller frees the
 * old one after an epoch. back->lock held. */
void world_servers_replace(struct back *b, struct server **v, uint32_t n, struct server ***ret_old);

/* server_state.c */
void server_recount(struct back *b); /* back->lock held: act, bck and the backend's own state from its servers */
bool server_would_serve(const struct server *s);
/* Both at once, and nobody who tracks it hears of it: core/server_track.c does that. */
void server_set_chained(struct server *s, enum server_oper o, unsigned set, unsigned clear,
                        const struct state_cause *why);

/* engine.c */
void engine_journal(const char *key, const char *cmd); /* any thread; cmd NULL: the key is forgotten */
void engine_reap_soon(void);                           /* something was retired */
unsigned engine_reap(void);                            /* what nobody uses any more goes; how many still wait */
bool engine_is_running(void);                          /* data threads run */

#endif
