/* core/server_post.h - work about one server on another thread.
 *
 * Health checks and ramps of a server live on one data thread, its owner; streams everywhere. Rare events only: every data thread gets a
 * mail. The server is pinned until all have run. Any thread that has a loop. */
#ifndef CORE_SERVER_POST_H
#define CORE_SERVER_POST_H

#include "core/server.h"

void server_post_all(struct server *s, void (*fn)(struct server *s, int arg), int arg);
void server_post_owner(struct server *s, void (*fn)(struct server *s, int arg), int arg);
unsigned server_owner(const struct server *s); /* the data thread of its checks */

#endif
