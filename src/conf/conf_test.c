#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "conf/conf_test_kinds.h"

struct load {
        struct vfs *v;
        struct diags d;
        struct conf *c;
        struct buf out;
};

static void load_opts(struct load *l, const char *text, const struct conf_opts *o)
{
        static const char *const files[] = { "t.cfg" };

        *l = (struct load){ .v = vfs_new_memory(), .out = BUF_INIT };
        diags_init(&l->d);
        vfs_add(l->v, VFS_CONFIG, "t.cfg", str_of(text));
        vfs_add(l->v, VFS_ENV, "HOME_X", STR("home"));
        vfs_add(l->v, VFS_ENV, "EMPTY", STR(""));
        vfs_add(l->v, VFS_ENV, "LIST", STR("one two  three"));
        l->c = conf_load(l->v, files, 1, o, &l->d);
}

static void load(struct load *l, const char *text)
{
        load_opts(l, text, &t_opts);
}

static const char *classic(struct load *l)
{
        l->out.n = 0;
        diags_format(&l->d, DIAG_CLASSIC, DIAG_NOTICE, 7, &l->out);
        buf_putc(&l->out, 0);
        return l->out.p;
}

static void unload(struct load *l)
{
        conf_put(l->c);
        diags_fini(&l->d);
        vfs_free(l->v);
        buf_fini(&l->out);
}

static const struct t_proxy *proxy(struct load *l, kind_mask k, const char *name)
{
        struct conf_obj *o = conf_find(l->c, k, str_of(name));

        assert_non_null(o);
        return conf_slot(o, t_proxy_slot);
}

static void test_first(void **st)
{
        struct load l;
        struct conf_obj *b, *s;

        (void)st;
        load(&l,
             "global\n daemon\n maxconn 5000\n"
             "defaults\n mode http\n timeout client 10s\n option httplog\n default-server inter 3s\n"
             "frontend f\n bind :80 ssl crt x\n no option httplog\n"
             "backend b\n timeout server 1m\n server s1 10.0.0.1:80 check weight 5\n server s2 10.0.0.2:80 no-check\n");
        if (!l.c)
                fail_msg("%s", classic(&l));
        assert_int_equal(proxy(&l, K_FRONTEND, "f")->mode, T_MODE_HTTP);
        assert_int_equal(proxy(&l, K_FRONTEND, "f")->to_client, 10000);
        assert_int_equal(proxy(&l, K_FRONTEND, "f")->opts, T_OPT_CLOSE);
        assert_int_equal(proxy(&l, K_BACKEND, "b")->opts, T_OPT_CLOSE | T_OPT_HTTPLOG);
        b = conf_find(l.c, K_BACKEND, STR("b"));
        s = conf_find_child(b, K_SERVER, STR("s1"));
        assert_non_null(s);
        assert_int_equal(((const struct t_check *)conf_slot(s, t_check_slot))->inter, 3000);
        assert_int_equal(((const struct t_server *)conf_slot(s, t_server_slot))->weight, 5);
        assert_int_equal(conf_span_name(s, "weight").line, 14);
        unload(&l);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_first) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
