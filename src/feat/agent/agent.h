/* feat/agent/agent.h - agent checks (manual 5.2, agent-check): the words (rows.c), one check on the wire (probe.c), its answer
 * (answer.c).
 *
 * An agent is asked on the data thread that owns the server, as the health checks are. What it says is obeyed, so it is read with care:
 * one line of bounded length, words that are known. What is not understood changes nothing and is shown in `last_agt`. */
#ifndef FEAT_AGENT_AGENT_H
#define FEAT_AGENT_AGENT_H

#include "core/check.h"

#define AGENT_LINE_MAX 1024u /* what follows is not read */

enum agent_admin { AGENT_ADM_NONE, AGENT_ADM_READY, AGENT_ADM_DRAIN, AGENT_ADM_MAINT };

struct agent_answer {
        enum check_status status; /* CHECK_L7OK up, CHECK_L7STS down, CHECK_NEUTRAL: neither */
        enum agent_admin admin;
        int weight;      /* absolute, -1: none said */
        int weight_pct;  /* of the initial one, -1: none said */
        int64_t maxconn; /* -1: none said */
        char info[128];  /* as shown */
};

/* Takes one line, without its end, apart. Any bytes. */
void agent_parse(struct str line, struct agent_answer *ret_a);
/* The end of the line, "\r" or "\n"; -1: not there yet. */
ssize_t agent_line_end(struct str bytes);
/* Does what was said, on the server's own thread. */
void agent_obey(struct check *c, const struct agent_answer *a);

#endif
