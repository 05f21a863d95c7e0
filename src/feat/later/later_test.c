/* Every listed name, in a file: it must be refused as what it is. One that is not has come (a row took it: `tools/later
 * --prune` takes it off its list) or stands where nobody looks. */
#include "conf/conf.h"
#include "conf/later.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct place {
        kind_mask kind;
        const char *what, *of;
        const char *before, *after;
};

static const struct place places[] = {
        { KIND_GLOBAL, LATER_KEYWORD, NULL, "global\n ", "\n" },
        { KIND_DEFAULTS, LATER_KEYWORD, NULL, "defaults d\n ", "\n" },
        { KIND_FRONTEND, LATER_KEYWORD, NULL, "frontend f\n ", "\n" },
        { KIND_BACKEND, LATER_KEYWORD, NULL, "backend b\n ", "\n" },
        { KIND_LISTEN, LATER_KEYWORD, NULL, "listen l\n ", "\n" },
        { KIND_BIND, LATER_KEYWORD, NULL, "frontend f\n bind 127.0.0.1:1 ", "\n" },
        { KIND_STATS_SOCKET, LATER_KEYWORD, NULL, "global\n stats socket /x ", "\n" },
        { KIND_SERVER, LATER_KEYWORD, NULL, "backend b\n server s 127.0.0.1:1 ", "\n" },
        { KIND_DEFAULT_SERVER, LATER_KEYWORD, NULL, "backend b\n default-server ", "\n" },
        { 0, LATER_SECTION, NULL, "", " x\n" },
        { 0, "sample fetch", NULL, "listen l\n acl a ", " -m found\n" },
        { 0, "converter", NULL, "listen l\n acl a src,", " -m found\n" },
        { 0, "predefined ACL", NULL, "listen l\n use_backend b if ", "\n" },
        { 0, "matching method", NULL, "listen l\n acl a path -m ", " x\n" },
        { 0, "matching method", "del-header", "listen l\n http-request del-header x -m ", "\n" },
        { 0, "flag", "acl", "listen l\n acl a path ", " x\n" },
        { 0, "flag", "log-format", "listen l\n log-format %{+", "}o\n" },
        { 0, "format alias", NULL, "listen l\n log-format %", "\n" },
        { 0, "action", "http-request", "listen l\n http-request ", "\n" },
        { 0, "action", "http-response", "listen l\n http-response ", "\n" },
        { 0, "action", "http-after-response", "listen l\n http-after-response ", "\n" },
        { 0, "action", "tcp-request connection", "listen l\n tcp-request connection ", "\n" },
        { 0, "action", "tcp-request session", "listen l\n tcp-request session ", "\n" },
        { 0, "action", "tcp-request content", "listen l\n tcp-request content ", "\n" },
        { 0, "action", "tcp-response content", "listen l\n tcp-response content ", "\n" },
};

static bool says(const struct buf *out, const char *name, const char *of, bool never)
{
        char want[256];
        const char *at;

        (void)snprintf(want, sizeof(want), "'%s' is a keyword of HAProxy", of ? of : "");
        if (of && strstr(out->p, want)) /* what it belongs to is not there either */
                return true;
        (void)snprintf(want, sizeof(want), "'%s' is a", name);
        at = strstr(out->p, want);
        return at && strstr(at, never ? " of HAProxy that Telamon does not support"
                                      : " of HAProxy that Telamon does not support yet");
}

/* Whether a file with this name in its place is refused for what the name is. */
static bool is_refused(const struct place *p, const char *name, bool never)
{
        const char *const files[] = { "t.cfg" };
        struct conf_opts o = { .version = "3.4.0" };
        struct vfs *v = vfs_new_memory();
        struct diags d;
        struct conf *c;
        bool ok;
        AUTO_BUF(text);
        AUTO_BUF(out);

        buf_printf(&text, "%s%s%s", p->before, name, p->after);
        diags_init(&d);
        vfs_add(v, VFS_CONFIG, files[0], buf_view(&text));
        c = conf_load(v, files, 1, &o, &d);
        diags_format(&d, DIAG_CLASSIC, DIAG_NOTICE, 1, &out);
        buf_putc(&out, 0);
        ok = !c && says(&out, name, p->of, never);
        conf_put(c);
        diags_fini(&d);
        vfs_free(v);
        return ok;
}

static bool is_place_of(const struct place *p, const struct later_table *t)
{
        return strcmp(p->what, t->what) == 0 && (p->kind & t->kinds) == p->kind && !p->of == !t->of &&
               (!p->of || strcmp(p->of, t->of) == 0);
}

/* In all places where it might stand. A name with a star stands for one that begins so. */
static bool is_refused_everywhere(const struct later_table *t, struct str listed)
{
        char name[128];
        bool ok = true, asked = false;

        (void)snprintf(name, sizeof(name), "%.*s", (int)listed.n, listed.p);
        if (name[listed.n - 1] == '*')
                name[listed.n - 1] = 'x';
        for (size_t i = 0; i < array_len(places); i++) {
                if (!is_place_of(&places[i], t))
                        continue;
                asked = true;
                ok = is_refused(&places[i], name, t->never) && ok;
        }
        return ok && asked;
}

static void test_every_name(void **st)
{
        size_t n, bad = 0, all = 0;
        const struct later_table *const *t = later_tables(&n);

        (void)st;
        for (size_t i = 0; i < n; i++) {
                struct str names = str_of(t[i]->names), one;

                while (later_next(&names, &one)) {
                        all++;
                        if (is_refused_everywhere(t[i], one))
                                continue;
                        print_message("has come: %s: %.*s\n", t[i]->id, (int)one.n, one.p); /* tools/later reads this */
                        bad++;
                }
        }
        if (bad || all < 100)
                fail_msg("%zu of %zu names have a row, or nobody looks for them: see tools/later", bad, all);
}

/* Nothing is listed twice, and nothing that a file cannot hold as one name. */
static void test_names(void **st)
{
        size_t n;
        const struct later_table *const *t = later_tables(&n);

        (void)st;
        for (size_t i = 0; i < n; i++) {
                struct str names = str_of(t[i]->names), one;

                while (later_next(&names, &one)) {
                        if (one.n == 0 || one.n > 100 || one.p[0] == ' ' || one.p[one.n - 1] == ' ')
                                fail_msg("%s: a name is empty or has blanks: '%.*s'", t[i]->id, (int)one.n, one.p);
                        if (later_find(t[i]->what, t[i]->kinds & -t[i]->kinds, t[i]->of, one) != t[i])
                                fail_msg("%s: '%.*s' is on another list, too", t[i]->id, (int)one.n, one.p);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_name),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
