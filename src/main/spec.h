/* main/spec.h - a listen_spec as bytes, for the channel. Decoding checks every field: the supervisor has rights, and what it
 * binds was asked for by a process that reads files of others. */
#ifndef MAIN_SPEC_H
#define MAIN_SPEC_H

#include "core/engine.h"

void spec_encode(const struct listen_spec *s, struct buf *out);
/* interface is allocated in mem. false: not a spec. */
bool spec_decode(struct str in, struct arena *mem, struct listen_spec *ret_s);

#endif
