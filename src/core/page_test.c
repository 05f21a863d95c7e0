/* Error files: what is refused, what is sent, and that another content behind an equal line is a change. */
#include "core/page.h"

#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct loaded {
        struct vfs *v;
        struct conf *c;
        struct buf said;
};

/* "frontend f" with these lines, and a file /e of this content. */
static void load(struct loaded *l, const char *lines, struct str file)
{
        const char *const files[] = { "t.cfg" };
        struct conf_opts o = { .version = "3.4.0" };
        AUTO_BUF(text);
        struct diags d;

        buf_printf(&text, "frontend f\n    mode http\n    bind 127.0.0.1:26001\n%s", lines);
        *l = (struct loaded){ .v = vfs_new_memory() };
        diags_init(&d);
        vfs_add(l->v, VFS_CONFIG, "t.cfg", buf_view(&text));
        vfs_add(l->v, VFS_ERRORFILE, "/e", file);
        vfs_add(l->v, VFS_OTHER, "/c", file);
        l->c = conf_load(l->v, files, 1, &o, &d);
        diags_format(&d, DIAG_CLASSIC, DIAG_WARNING, 1, &l->said);
        buf_putc(&l->said, 0);
        diags_fini(&d);
}

static void unload(struct loaded *l)
{
        conf_put(l->c);
        vfs_free(l->v);
        buf_fini(&l->said);
}

static const struct pages_cfg *pages(const struct loaded *l)
{
        return conf_slot(conf_find(l->c, KIND_FRONTEND, STR("f")), pages_slot);
}

static void refused(const char *lines, struct str file, const char *why)
{
        struct loaded l;

        load(&l, lines, file);
        if (l.c || !strstr(l.said.p, why))
                print_error("%s said: %s\n", lines, l.said.p);
        assert_null(l.c);
        assert_non_null(strstr(l.said.p, why));
        unload(&l);
}

#define LINE "    errorfile 503 /e\n"

static void bad_files(void **state)
{
        static char big[20000];

        (void)state;
        memset(big, 'a', sizeof(big));
        memcpy(big, "HTTP/1.1 503 X\r\n\r\n", 18);
        refused(LINE, STR("garbage\r\n\r\n"), "unable to parse headers");
        refused(LINE, STR("HTTP/1.1 503 X\r\nA: b\r\n"), "no empty line");
        refused(LINE, STR("HTTP/1.1 503 X\r\nA b\r\n\r\n"), "unable to parse headers (error offset: 1");
        refused(LINE, STR("HTTP/1.1 503 X\r\nContent-Length: 5\r\n\r\nbody of it"), "(10 != 5)");
        refused(LINE, STR("HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "chunk-encoded payload");
        refused(LINE, STR("HTTP/1.1 100 X\r\n\r\n"), "interim");
        refused(LINE, (struct str){ big, sizeof(big) }, "larger than 16384");
        refused("    errorfile 503 /missing\n", STR("x"), "error opening file '/missing'");
        refused("    errorfile 999 /e\n", STR(""), "status code '999' not handled");
        refused("    errorfiles nowhere\n", STR(""), "unknown http-errors section 'nowhere'");
        refused("    http-request return errorfiles nowhere\n", STR(""), "unknown http-errors section 'nowhere'");
        refused("    http-error status 503 file /c\n", STR("x"), "a content type must be defined");
        refused("    http-request deny file /c string x content-type a/b\n", STR("x"),
                "unexpected 'string' argument, 'file' already defined");
}

static void what_is_kept(void **state)
{
        struct loaded l;
        const struct page *p;

        (void)state;
        load(&l, LINE "    errorfile 408 /e\n    http-error status 408 default-errorfiles\n    errorloc303 404 /x\n",
             STR("HTTP/1.0 418 Tea pot\nX-A:  1 \nConnection: close\nContent-Length: 4\n\nbody"));
        assert_non_null(l.c);
        p = pages(&l)->at[page_index(503)];
        assert_int_equal(p->status, 503);
        assert_int_equal(p->sent, 418);
        assert_true(p->http10);
        assert_false(p->no_length);
        assert_true(str_is(p->reason, "Tea pot"));
        assert_true(str_is(p->body, "body"));
        assert_int_equal(p->n_fields, 1); /* the writer answers for the others */
        assert_true(str_is(p->field[0].name, "x-a"));
        assert_true(str_is(p->field[0].value, "1"));
        assert_null(pages(&l)->at[page_index(408)]);
        assert_int_equal(pages(&l)->at[page_index(404)]->sent, 303);
        assert_int_equal(page_index(418), -1);
        unload(&l);
        load(&l, LINE, STR(""));
        assert_int_equal(pages(&l)->at[page_index(503)]->form, PAGE_SILENT);
        unload(&l);
}

/* Whether frontend f of the one is f of the other. */
static bool same(const char *lines, const char *a, const char *b)
{
        struct loaded x, y;
        bool r;

        load(&x, lines, str_of(a));
        load(&y, lines, str_of(b));
        assert_non_null(x.c);
        assert_non_null(y.c);
        r = conf_obj_same(conf_find(x.c, KIND_FRONTEND, STR("f")), conf_find(y.c, KIND_FRONTEND, STR("f")));
        unload(&x);
        unload(&y);
        return r;
}

static void another_content_is_a_change(void **state)
{
        static const char *const lines[] = {
                LINE, "    http-request return content-type a/b file /c\n",
                "    errorfiles g\nhttp-errors g\n    errorfile 503 /e\n",
                "    http-request deny errorfiles g\nhttp-errors g\n    errorfile 503 /e\n"
        };

        (void)state;
        for (size_t i = 0; i < array_len(lines); i++) {
                assert_true(same(lines[i], "HTTP/1.0 503 A\r\n\r\n", "HTTP/1.0 503 A\r\n\r\n"));
                assert_false(same(lines[i], "HTTP/1.0 503 A\r\n\r\n", "HTTP/1.0 503 B\r\n\r\n"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bad_files),
                cmocka_unit_test(what_is_kept),
                cmocka_unit_test(another_content_is_a_change),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
