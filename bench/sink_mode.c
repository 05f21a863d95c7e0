/* bench/sink_mode.c - mode sink: no load, only the log port for the given time. */
#include "bench/modes.h"

#include <errno.h>

static int sink_listen(struct job *j)
{
        return j->o.sink_port ? 0 : -EINVAL;
}

static int sink_start(struct job *j)
{
        (void)j;
        return 0;
}

const struct mode mode_sink = { .name = "sink", .listen = sink_listen, .start = sink_start };
