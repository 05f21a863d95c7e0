/* feat/agent/answer_fuzz.c - any bytes from an agent: what is taken from them stays in range, and what is shown can stand in a CSV. */
#include "feat/agent/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str in = { (const char *)data, size < AGENT_LINE_MAX ? size : AGENT_LINE_MAX };
        ssize_t end = agent_line_end(in);
        struct agent_answer a;

        ASSERT(end < (ssize_t)in.n);
        agent_parse(end < 0 ? in : str_sub(in, 0, (size_t)end), &a);
        ASSERT(a.status == CHECK_L7OK || a.status == CHECK_L7STS || a.status == CHECK_NEUTRAL);
        ASSERT(a.weight >= -1 && a.weight <= (int)SRV_WEIGHT_MAX && (a.weight < 0 || a.weight_pct < 0));
        ASSERT(a.weight_pct >= -1 && a.weight_pct <= 100000);
        ASSERT(a.maxconn >= -1 && a.maxconn <= INT32_MAX);
        ASSERT(memchr(a.info, 0, sizeof(a.info)));
        for (const char *p = a.info; *p; p++)
                ASSERT(*p >= ' ' && *p <= '~');
        return 0;
}
