/* main/limits.h - file descriptors and memory the process may use (management.txt 5 and 6). */
#ifndef MAIN_LIMITS_H
#define MAIN_LIMITS_H

#include "core/global.h"
#include "main/argv.h"

void limits_memory(const struct args *a); /* -m and -dM; warns when it cannot be had */
/* Descriptors the file asks for: ulimit-n, or two per connection of maxconn and some; 0 = all that may be had. */
uint64_t limits_files_wanted(const struct global_cfg *g, size_t n_listeners, unsigned threads);
/* Raises the limit; warns when that is less than wanted. Children inherit it. */
void limits_files(uint64_t want);

#endif
