/* core/cells.h - making and retiring frontends, backends, servers and listeners; private to the engine.
 *
 * How each goes away (all on the control thread):
 *   server    out of its backend's array and view; checks stopped, idle connections closed on every thread; then freed when no stream
 *             pins it.
 *   listener  taken off every loop, then its sockets are closed; freed when its last connection ended.
 *   frontend  listeners gone and last connection ended; its last cfg stays published until then, because a session reads it
 *             between requests.
 *   backend   freed when every cfg that was retired with it or before is gone: only those can lead a stream to it. */
#ifndef CORE_CELLS_H
#define CORE_CELLS_H

#include "core/inner.h"

struct front *front_new(struct str name, enum origin o);
struct back *back_new(struct str name, enum origin o);
struct server *server_new(struct back *b, struct str name, enum origin o);
struct listener *listener_new(struct front *f, const char *key);

/* A new immutable cfg; NULL after an alert (log lines that do not compile). */
struct front_cfg *front_cfg_new(struct front *f, struct conf *c, const struct conf_obj *o, struct diags *d);
struct back_cfg *back_cfg_new(struct back *b, struct conf *c, const struct conf_obj *o, struct diags *d);
void front_cfg_drop(struct front_cfg *c); /* never published */
void back_cfg_drop(struct back_cfg *c);

void listener_drop(struct listener *l); /* never linked to its frontend */
void front_drop(struct front *f);       /* never published */
void back_drop(struct back *b);
void server_drop(struct server *s);

void front_retire(struct front *f);
void back_retire(struct back *b);
void server_retire(struct server *s); /* already out of the array */
void listener_retire(struct listener *l);

unsigned cells_reap(void); /* frees what nobody uses any more; how many still wait */

#endif
