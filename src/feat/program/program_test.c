/* Section program: the Data Plane API is taken with a warning, anything else is refused. */
#include "conf/conf.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/fixture.h"

#include <string.h>

static void says(const char *text, bool loads, const char *what)
{
        struct fx_conf *f = fx_load(text);

        if ((f->c != NULL) != loads || (what && !strstr(f->text.p, what)))
                fail_msg("%s: %s", text, f->text.p);
        if (f->c) { /* what is dumped loads to the same */
                AUTO_BUF(out);
                struct fx_conf *again;

                conf_dump(f->c, &out);
                buf_putc(&out, '\0');
                again = fx_load(out.p);
                if (!again->c || !strstr(again->text.p, what))
                        fail_msg("%s\n%s", out.p, again->text.p);
                fx_unload(again);
        }
        fx_unload(f);
}

static void the_api(void **st)
{
        (void)st;
        says("program api\n command dataplaneapi --port 5555 --reload-cmd \"kill -SIGUSR2 1\"\n no option start-on-reload\n",
             true, "[WARNING]  (7) : config : parsing [t.cfg:2] : the Data Plane API is not started");
        says("program api\n command /usr/local/bin/dataplaneapi\n user root\n group root\n", true, "is not started");
}

static void others(void **st)
{
        (void)st;
        says("program x\n command /bin/dataplaneapi.sh\n", false, "'/bin/dataplaneapi.sh' would not be started");
        says("program x\n command dataplaneap\n", false, "'dataplaneap' would not be started");
        says("program x\n command\n", false, "'command' expects");
        says("program x\n", true, "The program section 'x' lacks a command to launch.");
        says("program\n", false, "");
        says("program x\n commnd y\n", false, "did you mean 'command'");
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(the_api), cmocka_unit_test(others) };

        fx_thread();
        kw_boot();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
