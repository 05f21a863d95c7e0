/* What agents say, honest and other ones; the words of the first table as HAProxy 3.4 takes them. */
#include "feat/agent/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NONE                                                                                                           \
        {                                                                                                              \
                CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1, ""                                                          \
        }

static void words(void **state)
{
        static const struct {
                const char *line;
                struct agent_answer a;
        } rows[] = {
                { "up", { CHECK_L7OK, AGENT_ADM_NONE, -1, -1, -1, "via agent : up" } },
                { "UP", { CHECK_L7OK, AGENT_ADM_NONE, -1, -1, -1, "via agent : UP" } },
                { "down", { CHECK_L7STS, AGENT_ADM_NONE, -1, -1, -1, "via agent : down" } },
                { "failed", { CHECK_L7STS, AGENT_ADM_NONE, -1, -1, -1, "via agent : failed" } },
                { "down #no disk, no fun",
                  { CHECK_L7STS, AGENT_ADM_NONE, -1, -1, -1, "via agent : down (no disk, no fun)" } },
                { "stopped#planned", { CHECK_L7STS, AGENT_ADM_NONE, -1, -1, -1, "via agent : stopped (planned)" } },
                { "up down",
                  { CHECK_L7STS, AGENT_ADM_NONE, -1, -1, -1, "via agent : down" } }, /* the last one counts */
                { "75%", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, 75, -1, "" } },
                { "weight:20", { CHECK_NEUTRAL, AGENT_ADM_NONE, 20, -1, -1, "" } },
                { "weight:300%", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, 300, -1, "" } },
                { "maxconn:30", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, 30, "" } },
                { "ready", { CHECK_NEUTRAL, AGENT_ADM_READY, -1, -1, -1, "" } },
                { "Drain", { CHECK_NEUTRAL, AGENT_ADM_DRAIN, -1, -1, -1, "" } },
                { "drain maint", { CHECK_NEUTRAL, AGENT_ADM_MAINT, -1, -1, -1, "" } },
                { "up,ready\t50%  maxconn:11", { CHECK_L7OK, AGENT_ADM_READY, -1, 50, 11, "via agent : up" } },
                { "", NONE },
                { " ,\t ", NONE },
                { "garbage", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1, "agent reports an error : garbage" } },
                { "garbage 30%", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, 30, -1, "agent reports an error : garbage" } },
                { "50", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1, "agent reports an error : 50" } },
                { "-5%", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1, "agent reports an error : -5%" } },
                { "weight:300",
                  { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1,
                    "agent warns : Absolute weight can only be between 0 and 256 inclusive." } },
                { "weight:",
                  { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1,
                    "agent warns : Empty weight string empty or preceded by garbage" } },
                { "maxconn:-3",
                  { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1,
                    "agent warns : maxconn string empty or preceded by garbage" } },
                { "maxconn:99999999999",
                  { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1,
                    "agent warns : maxconn string empty or preceded by garbage" } },
                { "\x01\xff\x80", { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1, "agent reports an error : ???" } },
                { "weight:99999999999999999999%",
                  { CHECK_NEUTRAL, AGENT_ADM_NONE, -1, -1, -1,
                    "agent warns : Empty weight string empty or preceded by garbage" } },
        };

        (void)state;
        for (unsigned i = 0; i < array_len(rows); i++) {
                struct agent_answer a;

                agent_parse(str_of(rows[i].line), &a);
                if (a.status != rows[i].a.status || a.admin != rows[i].a.admin || a.weight != rows[i].a.weight ||
                    a.weight_pct != rows[i].a.weight_pct || a.maxconn != rows[i].a.maxconn ||
                    strcmp(a.info, rows[i].a.info) != 0)
                        fail_msg("\"%s\": %d %d %d %d%% %lld \"%s\"", rows[i].line, a.status, a.admin, a.weight,
                                 a.weight_pct, (long long)a.maxconn, a.info);
        }
}

static void a_zero_byte_is_no_end(void **state)
{
        struct agent_answer a;

        (void)state;
        agent_parse((struct str){ "up\0down", 7 }, &a);
        assert_int_equal(a.status, CHECK_NEUTRAL);
        assert_string_equal(a.info, "agent reports an error : up?down");
}

static void lines_end(void **state)
{
        (void)state;
        assert_int_equal(agent_line_end(STR("up")), -1);
        assert_int_equal(agent_line_end(STR("")), -1);
        assert_int_equal(agent_line_end(STR("\n")), 0);
        assert_int_equal(agent_line_end(STR("up\r\ndown\n")), 2);
        assert_int_equal(agent_line_end(STR("up\ndown\r")), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(a_zero_byte_is_no_end),
                                            cmocka_unit_test(lines_end) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
