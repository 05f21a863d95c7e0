/* core/forward.h - what a request tells its server of where it came from: option forwardfor, option originalto, http-send-name-header
 * (manual 4.2).  Threads: the stream's. */
#ifndef CORE_FORWARD_H
#define CORE_FORWARD_H

#include "core/strm.h"

/* After all rules, before a server is chosen. Answers with 400 when the head has no place left: rather than lose who asked. */
void forward_addresses(struct strm *s);
static inline void forward_request(struct strm *s)
{
        if ((s->fcfg->px->options | s->bcfg->px->options) & (OPT_FORWARDFOR | OPT_ORIGINALTO))
                forward_addresses(s);
}
/* When the head is about to be sent to s->srv. */
static inline bool forward_wants_name(const struct strm *s)
{
        return s->bcfg && s->bcfg->px->send_name;
}
int forward_name(struct strm *s); /* negative: no place left */

#endif
