/* main/supervisor.h - the -W and -Ws form: a parent that parses nothing from the network and outlives its children (design.md
 * section 2). It holds the listening sockets, the last good bundle and the journal of runtime changes; a loader reads files for
 * it, a worker without rights serves. */
#ifndef MAIN_SUPERVISOR_H
#define MAIN_SUPERVISOR_H

#include "main/argv.h"

/* argv: of this process, given on to loader and worker. Exit code. */
int supervisor_run(const struct args *a, char **argv);

#endif
