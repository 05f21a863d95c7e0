/* core/binds.h - what makes two sockets the same; private to the engine (core/engine.h has the public list). */
#ifndef CORE_BINDS_H
#define CORE_BINDS_H

#include "core/engine.h"
#include "core/proxy.h"

/* What the i-th port of a bind line asks of the kernel. */
void bind_spec(const struct bind_cfg *b, unsigned i, struct listen_spec *ret_s);
/* The same socket would come out. Backlog and shard count may differ: they do not need a new one. */
bool bind_spec_same(const struct listen_spec *a, const struct listen_spec *b);

#endif
