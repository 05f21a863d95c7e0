/* main/limits.h - file descriptors and memory the process may use (management.txt 5 and 6). */
#ifndef MAIN_LIMITS_H
#define MAIN_LIMITS_H

#include "core/global.h"
#include "main/argv.h"

void limits_memory(const struct args *a);            /* -m and -dM; warns when it cannot be had */
/* Raises the descriptor limit for ulimit-n or maxconn (two per connection), or to all that is allowed. Warns when that is less
 * than the file asks for. */
void limits_files(const struct global_cfg *g, size_t n_listeners, unsigned threads);

#endif
