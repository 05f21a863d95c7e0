/* main/single.h - the forms without a supervisor: check (-c), and -d, -db, foreground or -D, where the calling process is
 * the worker. */
#ifndef MAIN_SINGLE_H
#define MAIN_SINGLE_H

#include "main/argv.h"

int single_check(const struct args *a);                               /* -c; exit code 0, 1 or 2 */
int single_run(const struct args *a, char **argv, int *ret_ended_by); /* exit code, and the signal that ended it */
#endif
