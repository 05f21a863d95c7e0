/* cpu-map: which CPUs each thread gets, after the examples of the manual; and what is refused. */
#include "core/tune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/fixture.h"

/* "0-3" of the CPUs that a thread (from 1) may use; "" when the file says nothing. */
static void shows(const char *lines, unsigned thread, const char *want)
{
        char text[512];
        struct fx_conf *f;
        cpu_set_t set;
        AUTO_BUF(b);

        (void)snprintf(text, sizeof(text), "global\n%s", lines);
        f = fx_load(text);
        if (!f->c)
                fail_msg("%s", f->text.p);
        if (tune_cpus(tune_of(f->c), thread - 1, &set))
                for (unsigned i = 0; i < CPU_SETSIZE; i++)
                        if (CPU_ISSET(i, &set))
                                buf_printf(&b, "%s%u", b.n ? "," : "", i);
        buf_putc(&b, '\0');
        assert_string_equal(b.p, want);
        fx_unload(f);
}

static void refuses(const char *line, const char *what)
{
        char text[512];
        struct fx_conf *f;

        (void)snprintf(text, sizeof(text), "global\n cpu-map %s\n", line);
        f = fx_load(text);
        if (f->c || !strstr(f->text.p, what))
                fail_msg("%s: %s", line, f->text.p);
        fx_unload(f);
}

static void maps(void **st)
{
        (void)st;
        shows(" nbthread 2\n", 1, "");
        shows(" cpu-map 1/all 0-3\n", 7, "0,1,2,3");
        shows(" cpu-map 1 2,4\n", 64, "2,4");
        shows(" cpu-map all 0 3-4\n", 1, "0,3,4");
        shows(" cpu-map auto:1/1-4 3 2 1 0\n", 4, "3");
        shows(" cpu-map auto:1/1-4 0-1 2-3\n", 3, "2");
        shows(" cpu-map auto:1/1-4 0-1 2-3\n", 5, "");
        shows(" cpu-map auto:1/all 0-63\n", 64, "63");
        shows(" cpu-map auto:1/odd 32-63\n", 5, "34");
        shows(" cpu-map auto:1/even 0-31\n", 4, "1");
        shows(" cpu-map 1/1 0\n cpu-map 1/1-2 1\n", 1, "1");
        shows(" cpu-map 2/all 0\n", 1, "");
        shows(" cpu-map 1/2- 5\n", 1, "");
        shows(" cpu-map 1/2- 5\n", 9, "5");
}

static void wrong_ones(void **st)
{
        (void)st;
        refuses("", "is expected first");
        refuses("1/1", "a CPU, or a range");
        refuses("1/0 0", "is expected first");
        refuses("1/x 0", "is expected first");
        refuses("1/all 3-1", "CPUs are numbers");
        refuses("1/all 1,", "CPUs are numbers");
        refuses("1/all a", "CPUs are numbers");
        refuses("1/all 4096", "CPUs are numbers");
        refuses("auto:1/1-4 0", "as many CPUs as threads");
        refuses("auto:1/1 0-3", "as many CPUs as threads");
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(maps), cmocka_unit_test(wrong_ones) };

        fx_thread();
        kw_boot();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
