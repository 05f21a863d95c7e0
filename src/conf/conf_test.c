#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
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

/* Text -> the classic lines, as HAProxy words them ("P" stands for the usual start, "[ALERT]    (7) : config : parsing
 * [t.cfg:"). Wording was compared by hand with Debian's 2.6.12 and with 3.4.0 (-c); where a row is ours alone, it says so. */
static const char *const messages[][2] = {
        { "foo\n", "P1]: unknown keyword 'foo' out of section.\n" },
        { "frontend f\n bnd :1\n", "P2] : unknown keyword 'bnd' in 'frontend' section; did you mean 'bind' maybe ?\n" },
        { "global\n foo\n", "P2] : unknown keyword 'foo' in 'global' section\n" },
        { "global\n daemon\nfoo x\n a \"b\n\n # c\n d\n", /* ours: one message a section */
          "P3] : unknown keyword 'foo' in 'global' section, taken for a section, its 2 lines are not read\n" },
        { "fronted f\n a\nbackend b\n",
          "P1]: unknown keyword 'fronted' out of section, taken for a section, its 1 line is not read; did you mean "
          "'frontend' maybe ?\n" },
        { "t-absent\na\nb\n",
          "P1] : 't-absent' is a section of HAProxy that Telamon does not support yet, its 2 lines are not read\n" },
        { "t-absent\n a\n.if 1\n b\n.endif\n c\n", /* and the block was closed */
          "P1] : 't-absent' is a section of HAProxy that Telamon does not support yet, its 3 lines are not read\n" },
        /* ours: names of HAProxy that are not here */
        { "listen l\n t-later x\n", "P2] : 't-later' is a keyword of HAProxy that Telamon does not support yet\n" },
        { "listen l\n no t-later\n", "P2] : 't-later' is a keyword of HAProxy that Telamon does not support yet\n" },
        { "listen l\n t-two one x\n", "P2] : 't-two one' is a keyword of HAProxy that Telamon does not support yet\n" },
        { "listen l\n t-two x\n", "P2] : 't-two' is a keyword of HAProxy that Telamon does not support yet\n" },
        { "listen l\n option t-lone\n",
          "P2] : 'option t-lone' is a keyword of HAProxy that Telamon does not support yet\n" },
        { "listen l\n t-set.x y\n", "P2] : 't-set.x' is a keyword of HAProxy that Telamon does not support yet\n" },
        { "listen l\n option t-lon\n", "P2] : unknown option 't-lon'\n" },
        { "listen l\n mode tcp\nt-later\n mode tcp\n", /* at the margin, and no section */
          "P3] : 't-later' is a keyword of HAProxy that Telamon does not support yet\n" },
        { "global\n t-later\n", "P2] : unknown keyword 't-later' in 'global' section\n" }, /* of other kinds */
        { "backend b\n server s 127.0.0.1:80 t-later a no-t-later t-tune.x weight x\n",
          "[ALERT]    (7) : config : [t.cfg:2] : 'server b/s' : 't-later' is a keyword of HAProxy that Telamon does not support\n"
          "[ALERT]    (7) : config : [t.cfg:2] : 'server b/s' : 'no-t-later' is a keyword of HAProxy that Telamon does not support\n"
          "[ALERT]    (7) : config : [t.cfg:2] : 'server b/s' : 't-tune.x' is a keyword of HAProxy that Telamon does not support\n"
          "[ALERT]    (7) : config : [t.cfg:2] : 'server b/s' : cannot parse 'weight' value 'x', an integer is expected.\n" },
        { "global\nfoo x\n daemon\n", "P2] : unknown keyword 'foo' in 'global' section\n" }, /* no layout: a keyword */
        { "global\n daemon\nfoo x\ndaemon\n", "P3] : unknown keyword 'foo' in 'global' section\n" },
        { "global\n mode http\n", "P2] : unknown keyword 'mode' in 'global' section; did you mean 'node' maybe ?\n" },
        { "defaults\n bind :80\n", "P2] : 'bind' not allowed in 'defaults' section.\n" },
        { "frontend f\n option httplo\n", "P2] : unknown option 'httplo'; did you mean 'httplog' maybe ?\n" },
        { "frontend f\n option\n", "P2] : 'option' expects an option name.\n" },
        { "listen l\n timeout clint 5s\n",
          "P2] : 'timeout' supports 'client', 'connect' and 'server' (got 'clint')\n" },
        { "listen l\n timeout client 5x\n", "P2] : unexpected character 'x' in 'timeout client'\n" },
        { "listen l\n timeout client -1\n", "P2] : unexpected character '-' in 'timeout client'\n" },
        { "listen l\n timeout client 1S\n", "P2] : unexpected character 'S' in 'timeout client'\n" },
        { "listen l\n timeout client\n", "P2] : 'timeout client' expects an integer value (in milliseconds)\n" },
        { "listen l\n timeout client 30d\n",
          "P2] : timer overflow in argument '30d' to 'timeout client' (maximum value is 2147483647 ms or ~24.8 "
          "days)\n" },
        { "listen l\n timeout client 5s 6s\n",
          "P2] : 'timeout client' : unexpected extra argument '6s' after value '5s'.\n" },
        { "global\n maxconn\n", "P2] : 'maxconn' expects an integer argument.\n" },
        { "global\n maxconn 1e9\n", "P2] : cannot parse 'maxconn' value '1e9', an integer is expected.\n" },
        { "global\n nbthread 0\n", "P2] : 'nbthread' value must be between 1 and 64 (was 0)\n" },
        { "global\n daemon foo\n", "P2] : 'daemon' cannot handle unexpected argument 'foo'.\n" },
        { "global foo\n", "P1] : 'global' cannot handle unexpected argument 'foo'.\n" },
        { "frontend\n", "P1] : 'frontend' expects an <id> argument\n" },
        { "frontend a$b\n", "P1] : character '$' is not permitted in 'frontend' name 'a$b'.\n" },
        { "frontend \"a b\"\n", "P1] : character ' ' is not permitted in 'frontend' name 'a b'.\n" },
        { "backend b\nfrontend b\nbackend b\n", "[ALERT]    (7) : config : Parsing [t.cfg:3]: backend 'b' has "
                                                "the same name as backend 'b' declared at "
                                                "t.cfg:1.\n" },
        { "frontend b\nlisten b\n", "[ALERT]    (7) : config : Parsing [t.cfg:2]: listen 'b' has the same name as "
                                    "frontend 'b' declared at t.cfg:1.\n" },
        { "backend b from x\n", "P1] : defaults section 'x' not found for backend 'b'.\n" },
        { "defaults d from nope\n", "P1] : defaults section 'nope' not found for defaults 'd'.\n" },
        { "backend c from\n", "P1] : 'backend' cannot handle unexpected argument 'from'.\n" }, /* ours: silent there */
        { "defaults d\nbackend c from d foo\n", "P2] : 'backend' cannot handle unexpected argument 'foo'.\n" },
        { "frontend f\n no timeout client 5s\n",
          "P2]: negation/default currently supported only for options.\n" }, /* plus the words of our tables */
        { "frontend f\n server s :1\n",
          "P2] : 'server' not allowed because frontend 'f' has no backend capability.\n" },
        { "frontend f\n bind :80 fooo\n", "P2] : 'bind :80' in section 'frontend' : unknown keyword 'fooo'.\n" },
        { "backend b\n server s :1 chek\n", "[ALERT]    (7) : config : [t.cfg:2] : 'server b/s' : unknown keyword "
                                            "'chek'; did you mean 'check' maybe ?\n" },
        { "backend b\n server s :1 xyz\n",
          "[ALERT]    (7) : config : [t.cfg:2] : 'server b/s' : unknown keyword 'xyz'.\n" },
        { "backend b\n server s :1 inter\n",
          "[ALERT]    (7) : config : [t.cfg:2] : 'server b/s' : 'inter' expects a delay as argument.\n" },
        { "backend b\n server s\n", "P2] : 'server' expects <name> and <addr>[:<port>] as arguments.\n" },
        { "frontend f\n mode \"$EMPTY\"\n",
          "P2]: argument number 1 at position 7 is empty and marks the end of the argument list:\n  mode "
          "\"$EMPTY\"\n       ^\n" },
        { "frontend f\n mode http \"unt\n",
          "P2]: unmatched quote at position 12:\n  mode http \"unt\n            ^\n" },
        { "frontend f\n mode \"${A\"\n",
          "P2]: unmatched brace in environment variable name at position 9:\n  mode \"${A\"\n         ^\n" },
        { "frontend f\n mode \"$1\"\n", "P2]: forbidden first char in environment variable name at position "
                                        "9:\n  mode \"$1\"\n         ^\n" },
        { "frontend f\n mode \\x6g\n",
          "P2]: truncated or invalid hexadecimal sequence at position 7:\n  mode \\x6g\n       ^\n" },
        { "\xef\xbb\xbf"
          "frontend f\n",
          "P1]: the file starts with a byte order mark.\n" }, /* ours: clearer */
        { ".if 1\n", "P1]: non-terminated '.if' block.\n" },
        { ".else\n", "P1]: lone '.else' with no matching '.if'.\n" },
        { ".elif 1\n", "P1]: lone '.elif' with no matching '.if'.\n" },
        { ".endif\n", "P1]: lone '.endif' with no matching '.if'.\n" },
        { ".if 0\n.else\n.else\n.endif\n", "P3]: '.else' after '.else' is not permitted.\n" },
        { ".if 0\n.else\n.elif 1\n.endif\n", "P3]: '.elif' after '.else' is not permitted.\n" },
        { ".foo\n", "P1]: unknown directive '.foo'.\n" },
        { ".alert a b\n",
          "P1]: Unexpected argument 'b' for '.alert'. Use quotes if the message should contain spaces.\n" },
        { ".alert\n", "P1]: ''.\n" },
        { ".if foo\n.endif\n",
          "P1]: unparsable conditional expression 'foo' in '.if' at position 1:\n  .if foo\n      ^\n" },
        { ".if defined(A) || foo\n.endif\n", "P1]: unparsable conditional expression 'foo' in '.if' at position "
                                             "15:\n  .if defined(A) || foo\n                    ^\n" },
        { ".if 1 x\n.endif\n", "P1]: unexpected character 'x' at the end of conditional expression '1 x' in '.if' "
                               "at position 3:\n  .if 1 x\n        ^\n" },
        { ".if (1\n.endif\n",
          "P1]: expected ')' after conditional expression '(1' in '.if' at position 1:\n  .if (1\n      ^\n" },
        { ".if streq(a)\n.endif\n",
          "P1]: missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq' used in "
          "conditional expression in '.if' at position 8:\n  .if streq(a)\n             ^\n" },
        { ".if feature(OPENSSL,a)\n.endif\n",
          "P1]: expected ')' before ',a)' in argument 1 of predicate 'feature' used in conditional expression "
          "in "
          "'.if' at position 16:\n  .if feature(OPENSSL,a)\n                     ^\n" },
        { "global\n lua-load x\n", "P2] : 'lua-load' is not supported: Lua is not built in\n" },
};

static void test_messages(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(messages); i++) {
                const char *want = messages[i][1];
                struct load l;
                AUTO_BUF(full);

                if (want[0] == 'P')
                        buf_printf(&full, "[ALERT]    (7) : config : parsing [t.cfg:%s", ++want);
                else
                        buf_puts(&full, want);
                buf_putc(&full, 0);
                load(&l, messages[i][0]);
                if (strcmp(classic(&l), full.p) != 0)
                        fail_msg("for\n%s\ngot\n%s\nwanted\n%s", messages[i][0], classic(&l), full.p);
                assert_null(l.c);
                unload(&l);
        }
}

/* Accepted, but not in silence. */
static void test_warnings(void **st)
{
        static const char *const cases[][2] = {
                { "frontend f\n option redispatch\n",
                  "'redispatch' ignored because frontend 'f' has no backend capability.\n" },
                { "frontend f\n balance x\n", "'balance' ignored because frontend 'f' has no backend capability.\n" },
                { "frontend f\n timeout server 5s\n",
                  "'timeout server' will be ignored because frontend 'f' has no backend capability\n" },
                { "frontend f\n timeout client 50\n", "'timeout client 50' in frontend 'f' is suspiciously small for a "
                                                      "value in milliseconds. Please use an "
                                                      "explicit unit ('50ms') if that was the intent.\n" },
                { "frontend f\n timeout client 1d1\n", "unexpected character '1' after the timer value '1d1', only "
                                                       "(us=microseconds,ms=milliseconds,s=seconds,m=minutes,h=hours,d="
                                                       "days) are supported. This will be reported "
                                                       "as an error in next versions.\n" },
                { "global\n tune.old 5 6\n", "'tune.old' has no effect here: buffers are sized by themselves\n" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                struct load l;

                load(&l, cases[i][0]);
                if (!l.c || l.d.n_warnings != 1 || !strstr(classic(&l), cases[i][1]) ||
                    strncmp(classic(&l), "[WARNING]  (7) : config : parsing [t.cfg:2] : ", 45) != 0)
                        fail_msg("for\n%s\ngot\n%s", cases[i][0], classic(&l));
                unload(&l);
        }
}

static void test_no_lf(void **st)
{
        struct load l;

        (void)st;
        load(&l, "frontend f\n mode http");
        assert_non_null(l.c);
        assert_string_equal(classic(&l),
                            "[WARNING]  (7) : config : parsing [t.cfg:2]: Missing LF on last line, file might "
                            "have been truncated at position 11.\n");
        assert_int_equal(proxy(&l, K_FRONTEND, "f")->mode, T_MODE_HTTP);
        unload(&l);
}

static void test_all_errors(void **st)
{
        struct load l;
        unsigned want = 2;

        (void)st;
        load(&l,
             "frontend f\n bnd :1\n mode \"x\n timeout client 5x\n bind :1 a b ssl crt\nbackend\n foo\n server s\n");
        assert_null(l.c);
        assert_int_equal(l.d.n_alerts, 8);
        list_for_each (i, &l.d.all) {
                const struct diag *g = list_item(i, struct diag, link);

                assert_true(g->at.line == want || g->at.line == want + 1);
                want = g->at.line;
        }
        assert_int_equal(want, 8);
        unload(&l);
}

static void test_columns(void **st)
{
        static const struct {
                const char *text;
                uint32_t line, col, len;
        } cases[] = {
                { "listen l\n   timeout client   5x\n", 2, 22, 1 },
                { "listen l\n   timeout client   \"5x\"\n", 2, 21, 4 },
                { "listen l\n\ttimeout\tclient\n", 2, 2, 14 },
                { "listen l\n server s :1 weight 257\n", 2, 21, 3 },
                { "listen l\n server s :1 chek\n", 2, 14, 4 },
                { "global\n maxconn 5 6\n", 2, 12, 1 },
                { "frontend f\n mode htp\n", 2, 7, 3 },
                { "frontend ab$c\n", 1, 12, 1 },
                { ".if 1 && foo\n.endif\n", 1, 10, 1 },
                { "listen l\n server s \"${A\"\n", 2, 13, 1 },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                const struct diag *g;
                struct load l;

                load(&l, cases[i].text);
                assert_int_equal(l.d.n_alerts, 1);
                g = list_first(&l.d.all, struct diag, link);
                if (g->at.line != cases[i].line || g->at.col != cases[i].col || g->at.len != cases[i].len)
                        fail_msg("%s: %u:%u+%u", cases[i].text, g->at.line, g->at.col, g->at.len);
                unload(&l);
        }
}

static void test_frame(void **st)
{
        struct load l;

        (void)st;
        load(&l, "backend b\n\tserver s \"\xc3\xa9\":1\tchek \x1b[0m\n");
        diags_format(&l.d, DIAG_FRAME, DIAG_ALERT, 0, &l.out);
        buf_putc(&l.out, 0);
        assert_string_equal(l.out.p, "error[E0101]: 'server b/s' : unknown keyword 'chek'\n"
                                     "  --> t.cfg:2:18\n"
                                     "   |\n"
                                     " 2 | \tserver s \"\xc3\xa9\":1\tchek ?[0m\n"
                                     "   | \t              \t^^^^ did you mean `check`?\n\n");
        unload(&l);
}

static void test_json(void **st)
{
        struct load l;

        (void)st;
        load(&l, "global\n foo\x01\"\xff\n nodd x\n");
        diags_format(&l.d, DIAG_JSON, DIAG_NOTICE, 0, &l.out);
        buf_putc(&l.out, 0);
        assert_string_equal(
                l.out.p,
                "[{\"level\":\"alert\",\"code\":\"E0004\",\"file\":\"t.cfg\",\"line\":2,\"column\":6,\"length\":1,"
                "\"text\":\"unmatched quote at position 6\"},\n"
                "{\"level\":\"alert\",\"code\":\"E0101\",\"file\":\"t.cfg\",\"line\":3,\"column\":2,\"length\":4,"
                "\"text\":\"unknown keyword 'nodd' in 'global' section\",\"suggestion\":\"node\"}]\n");
        unload(&l);
}

static void test_closing(void **st)
{
        struct load l;

        (void)st;
        load(&l, "foo\n");
        diags_closing(&l.d, 7, &l.out);
        buf_putc(&l.out, 0);
        assert_string_equal(l.out.p, "[ALERT]    (7) : config : Error(s) found in configuration file : t.cfg\n"
                                     "[ALERT]    (7) : config : Fatal errors found in configuration.\n");
        unload(&l);
}

static void test_defaults(void **st)
{
        struct load l;

        (void)st;
        load(&l, "defaults one\n mode http\n timeout client 1s\n option httplog\n"
                 "frontend a\n"
                 "defaults two from one\n timeout client 2s\n no option httplog\n"
                 "defaults\n maxconn 7\n"
                 "frontend b\n"
                 "frontend c from two\n default timeout client\n maxconn 8\n");
        assert_null(l.c); /* a timeout takes no `default` */
        unload(&l);
        load(&l, "defaults one\n mode http\n timeout client 1s\n option httplog\n no option httpclose\n"
                 "defaults two from one\n timeout client 2s\n no option httplog\n"
                 "defaults\n maxconn 7\n"
                 "frontend b\n"
                 "frontend c from two\n default option httpclose\n maxconn 8\n"
                 "frontend d from one\n");
        if (!l.c)
                fail_msg("%s", classic(&l));
        assert_int_equal(proxy(&l, K_FRONTEND, "b")->mode, T_MODE_TCP); /* nothing of `two` is left */
        assert_int_equal(proxy(&l, K_FRONTEND, "b")->to_client, 0);
        assert_int_equal(proxy(&l, K_FRONTEND, "b")->maxconn, 7);
        assert_int_equal(proxy(&l, K_FRONTEND, "c")->mode, T_MODE_HTTP);
        assert_int_equal(proxy(&l, K_FRONTEND, "c")->to_client, 2000);
        assert_int_equal(proxy(&l, K_FRONTEND, "c")->opts, T_OPT_CLOSE);
        assert_int_equal(proxy(&l, K_FRONTEND, "c")->maxconn, 8);
        assert_int_equal(proxy(&l, K_FRONTEND, "d")->opts, T_OPT_HTTPLOG); /* c did not write into what it shares */
        assert_int_equal(proxy(&l, K_FRONTEND, "d")->to_client, 1000);
        assert_int_equal(l.d.n_warnings, 0);
        unload(&l);
        load(&l, "defaults d1\nfrontend f\nfrontend g from d1\n"); /* 3.4: a warning, 2.6: an alert */
        assert_non_null(l.c);
        assert_int_equal(l.d.n_warnings, 1);
        unload(&l);
        load(&l, "defaults d1\nfrontend g from d1\ndefaults d1\n");
        assert_non_null(strstr(classic(&l),
                               "Parsing [t.cfg:3]: defaults 'd1' has the same name as another defaults section "
                               "declared at t.cfg:1 which was explicitly referenced"));
        unload(&l);
}

static const struct t_check *check_of(struct load *l, const char *backend, const char *server)
{
        struct conf_obj *b = conf_find(l->c, K_BACKEND, str_of(backend)), *s;

        assert_non_null(b);
        s = conf_find_child(b, K_SERVER, str_of(server));
        assert_non_null(s);
        return conf_slot(s, t_check_slot);
}

static void test_default_server(void **st)
{
        struct load l;

        (void)st;
        load(&l, "defaults\n default-server inter 3s check\n"
                 "backend b\n server a :1\n default-server rise 9\n server b :1 no-check\n default-server inter 4s\n"
                 " server c :1 inter 5s\n server d :1\n"
                 "backend other\n server a :1\n"
                 "defaults\nbackend clean\n server a :1\n");
        if (!l.c)
                fail_msg("%s", classic(&l));
        assert_int_equal(check_of(&l, "b", "a")->inter, 3000);
        assert_int_equal(check_of(&l, "b", "a")->rise, 2);
        assert_true(check_of(&l, "b", "a")->check);
        assert_int_equal(check_of(&l, "b", "b")->rise, 9);
        assert_false(check_of(&l, "b", "b")->check);
        assert_int_equal(check_of(&l, "b", "c")->inter, 5000);
        assert_int_equal(check_of(&l, "b", "d")->inter, 4000);
        assert_int_equal(check_of(&l, "b", "d")->rise, 9);
        assert_int_equal(check_of(&l, "other", "a")->rise, 2);
        assert_int_equal(check_of(&l, "other", "a")->inter, 3000);
        assert_int_equal(check_of(&l, "clean", "a")->inter, 2000);
        unload(&l);
}

static void test_names(void **st)
{
        struct load l;
        struct conf_obj *g;

        (void)st;
        load(&l, "frontend a.b-c_d:9\nbackend a.b-c_d:9\nglobal\n maxconn 1\nglobal\n daemon\n");
        if (!l.c)
                fail_msg("%s", classic(&l)); /* a frontend and a backend may share a name */
        g = conf_find(l.c, K_GLOBAL, STR(""));
        assert_int_equal(((const struct t_global *)conf_slot(g, t_global_slot))->maxconn, 1); /* global goes on */
        assert_true(((const struct t_global *)conf_slot(g, t_global_slot))->daemon);
        assert_int_equal(l.c->n_objs, 3);
        assert_null(conf_find(l.c, K_LISTEN, STR("a.b-c_d:9")));
        assert_null(conf_find(l.c, K_BACKEND, STR("no such text anywhere")));
        assert_true(conf_find(l.c, K_FRONTEND, STR("a.b-c_d:9")) != conf_find(l.c, K_BACKEND, STR("a.b-c_d:9")));
        unload(&l);
}

/* Children are found while their section is read, while another is, and after the load; the first of a name is found. */
static void test_children(void **st)
{
        const struct conf_obj *f, *b, *x, *y;
        struct load l;
        size_t n = 0;

        (void)st;
        load(&l, "global\n daemon\nfrontend f\n bind :80\n bind :81\n bind :80\nbackend a\n server s :1\n server t :1\n"
                 "global\n maxconn 9\nbackend b\n server t :2\n server s :2\n");
        if (!l.c)
                fail_msg("%s", classic(&l));
        f = conf_find(l.c, K_FRONTEND, STR("f"));
        assert_ptr_equal(conf_find_child(f, K_BIND, STR("")), f->child);
        assert_false(f->child->again);
        assert_true(f->child->sibling->again);
        assert_null(conf_find_child(f, K_SERVER, STR("")));
        x = conf_find_child(conf_find(l.c, K_BACKEND, STR("a")), K_SERVER, STR("s"));
        b = conf_find(l.c, K_BACKEND, STR("b"));
        y = conf_find_child(b, K_SERVER | K_BIND, STR("s"));
        assert_ptr_equal(y, b->child->sibling);
        assert_ptr_not_equal(x, y);
        assert_false(y->again);
        assert_null(conf_find_child(b, K_SERVER, STR(":80")));
        for (const struct conf_obj *o = l.c->first; o; o = o->sibling, n++)
                assert_true(o->kind->section);
        assert_int_equal(n, 4);
        unload(&l);
        load(&l, "backend a\n server s :1\nbackend b\n server s :1\n server s :1\n");
        assert_non_null(strstr(classic(&l), "t.cfg:5"));
        assert_int_equal(l.d.n_alerts, 1);
        unload(&l);
}

/* Equal structs are one, but for what each object has alone; an edit that changes nothing makes no new one. */
static void test_sharing(void **st)
{
        const struct conf_obj *a;
        struct load l;

        (void)st;
        load(&l, "backend a\n server s :1 check\n server t :1 check\n server u :1 inter 2s\n server v :1\n"
                 "frontend f\n bind :80\n bind :80\n");
        if (!l.c)
                fail_msg("%s", classic(&l));
        a = conf_find(l.c, K_BACKEND, STR("a"))->child;
        assert_ptr_equal(conf_slot(a, t_check_slot), conf_slot(a->sibling, t_check_slot));
        a = a->sibling->sibling;
        assert_ptr_equal(conf_slot(a, t_check_slot), conf_slot(a->sibling, t_check_slot));
        assert_int_equal(conf_n_slots(l.c, t_check_slot), 2);
        a = conf_find(l.c, K_FRONTEND, STR("f"))->child;
        assert_ptr_not_equal(conf_slot(a, t_bind_slot), conf_slot(a->sibling, t_bind_slot));
        assert_int_equal(conf_n_slots(l.c, t_bind_slot), 3);
        unload(&l);
}

static void test_blocks(void **st)
{
        struct conf_opts o = t_opts;
        struct load l;
        const struct t_global *g;

        (void)st;
        load(&l, "global\n setenv WITH yes\n"
                 ".if streq(\"$WITH\",yes)\n maxconn 1\n"
                 "  .if feature(NOPE)\n   maxconn 2 \"unmatched\n .if foo bar\n .endif\n  .elif feature(TELAMON)\n   "
                 "nbthread 3\n"
                 "  .elif 1 ) bad\n  nbthread 4\n  .else\n nbthread 5\n  .endif # done\n"
                 ".else\n maxconn 6\n.endif\n"
                 ".if !defined(NOPE) && version_atleast(3.4)\n tune.big 9\n.endif\n"
                 ".notice \"hello there\"\n.diag x\n");
        if (!l.c)
                fail_msg("%s", classic(&l));
        g = conf_slot(conf_find(l.c, K_GLOBAL, STR("")), t_global_slot);
        assert_int_equal(g->maxconn, 1);
        assert_int_equal(g->nbthread, 3);
        assert_int_equal(g->big, 9);
        assert_string_equal(classic(&l), "[NOTICE]   (7) : config : parsing [t.cfg:22]: 'hello there'.\n");
        unload(&l);
        o.diag = o.warn_is_error = true; /* advice is no warning */
        load_opts(&l, ".diag \"take care\"\n", &o);
        assert_non_null(l.c);
        l.out.n = 0;
        diags_format(&l.d, DIAG_CLASSIC, DIAG_ADVICE, 7, &l.out);
        assert_true(str_is(buf_view(&l.out), "[DIAG]     (7) : config : parsing [t.cfg:1]: 'take care'.\n"));
        unload(&l);
}

static void test_env(void **st)
{
        static const char *const pseudo_env[] = { "HAPROXY_BRANCH=3.4", NULL };
        struct conf_opts o = t_opts;
        struct load l;
        const struct t_global *g;

        (void)st;
        o.env = pseudo_env;
        load_opts(&l, "global\n node \"$HOME_X-${HAPROXY_BRANCH}-${.LINE}-${.SECTION}-${.FILE}\"\n", &o);
        if (!l.c)
                fail_msg("%s", classic(&l));
        g = conf_slot(conf_find(l.c, K_GLOBAL, STR("")), t_global_slot);
        assert_string_equal(g->node, "home-3.4-2-global-t.cfg");
        unload(&l);
        load_opts(&l,
                  "global\n setenv HOME_X changed\n unsetenv EMPTY\n setenv NEW n\n node "
                  "\"$HOME_X${EMPTY-unset}${NEW}\"\n"
                  " resetenv NEW\n.if defined(HOME_X) || defined(LIST) || !defined(NEW)\n.alert bad\n.endif\n",
                  &o);
        if (!l.c)
                fail_msg("%s", classic(&l));
        g = conf_slot(conf_find(l.c, K_GLOBAL, STR("")), t_global_slot);
        assert_string_equal(g->node, "changedunsetn");
        assert_null(getenv("NEW")); /* the process's own environment is untouched */
        unload(&l);
        load(&l, "backend b\n server s ${HOME_X}:80\n server t \"$HOME_X\":${NO-81}\n");
        if (!l.c)
                fail_msg("%s", classic(&l));
        assert_string_equal(
                ((const struct t_server *)conf_slot(
                         conf_find_child(conf_find(l.c, K_BACKEND, STR("b")), K_SERVER, STR("s")), t_server_slot))
                        ->addr,
                "home:80");
        assert_string_equal(
                ((const struct t_server *)conf_slot(
                         conf_find_child(conf_find(l.c, K_BACKEND, STR("b")), K_SERVER, STR("t")), t_server_slot))
                        ->addr,
                "home:81");
        unload(&l);
}

static void test_files(void **st)
{
        static const char *const files[] = { "d", "last.cfg" };
        struct vfs *v = vfs_new_memory();
        struct diags d;
        struct conf *c;

        (void)st;
        diags_init(&d);
        vfs_add(v, VFS_CONFIG, "d/20-b.cfg", STR("frontend b\n"));
        vfs_add(v, VFS_CONFIG, "d/10-a.cfg", STR("defaults\n mode http\nfrontend a\n"));
        vfs_add(v, VFS_CONFIG, "d/30.txt", STR("nonsense\n"));
        vfs_add(v, VFS_CONFIG, "d/.x.cfg", STR("nonsense\n"));
        vfs_add(v, VFS_CONFIG, "d/sub.cfg/x.cfg", STR("nonsense\n"));
        vfs_add(v, VFS_CONFIG, "last.cfg", STR("defaults\n mode tcp\nfrontend c\n"));
        c = conf_load(v, files, 2, &t_opts, &d);
        assert_non_null(c);
        assert_string_equal(conf_find(c, K_DEFAULTS, STR(""))->kind->name, "defaults");
        assert_int_equal(((const struct t_proxy *)conf_slot(conf_find(c, K_FRONTEND, STR("b")), t_proxy_slot))->mode,
                         T_MODE_HTTP); /* defaults reach into later files */
        assert_int_equal(((const struct t_proxy *)conf_slot(conf_find(c, K_FRONTEND, STR("c")), t_proxy_slot))->mode,
                         T_MODE_TCP);
        assert_int_equal(d.files[conf_find(c, K_FRONTEND, STR("c"))->at.file].text.n, 30);
        conf_put(c);
        diags_fini(&d);
        vfs_free(v);
}

static void test_file_errors(void **st)
{
        static const char *const missing[] = { "nope.cfg" }, *const empty[] = { "d" },
                                 *const start[] = { "a.cfg", "b.cfg" };
        struct vfs *v = vfs_new_memory();
        struct diags d;
        AUTO_BUF(b);

        (void)st;
        diags_init(&d);
        vfs_add(v, VFS_CONFIG, "d/x.txt", STR(""));
        vfs_add(v, VFS_CONFIG, "a.cfg", STR("frontend f\n"));
        vfs_add(v, VFS_CONFIG, "b.cfg", STR(" mode http\n"));
        assert_null(conf_load(v, missing, 1, &t_opts, &d));
        assert_null(conf_load(v, empty, 1, &t_opts, &d));
        assert_null(conf_load(v, start, 2, &t_opts, &d)); /* each file starts with a section (manual 2.1) */
        diags_format(&d, DIAG_CLASSIC, DIAG_NOTICE, 7, &b);
        buf_putc(&b, 0);
        assert_string_equal(b.p,
                            "[ALERT]    (7) : config : Cannot open configuration file/directory nope.cfg : No such "
                            "file or directory\n"
                            "[ALERT]    (7) : config : no configuration file in directory d.\n"
                            "[ALERT]    (7) : config : parsing [b.cfg:1]: unknown keyword 'mode' out of section.\n");
        diags_fini(&d);
        vfs_free(v);
}

static void test_zero_warning(void **st)
{
        struct conf_opts o = t_opts;
        struct load l;

        (void)st;
        o.warn_is_error = true;
        load_opts(&l, "frontend f\n balance x\n", &o);
        assert_null(l.c);
        assert_non_null(strstr(classic(&l), "Some warnings were found and 'zero-warning' is set. Aborting.\n"));
        unload(&l);
        load_opts(&l, "frontend f\n", &o);
        assert_non_null(l.c);
        unload(&l);
}

static void test_checks(void **st)
{
        struct load l;

        (void)st;
        load(&l, "backend b\n server s :1\n server t :1 weight 3 rise 101\n");
        assert_non_null(l.c);
        assert_string_equal(classic(&l), "[WARNING]  (7) : config : parsing [t.cfg:3] : 'rise' without 'check'.\n");
        assert_int_equal(list_first(&l.d.all, struct diag, link)->at.col, 23);
        unload(&l);
}

static char *dump(struct load *l)
{
        AUTO_BUF(b);

        conf_dump(l->c, &b);
        buf_putc(&b, 0);
        return strdup(b.p);
}

static const char rich[] =
        "global\n daemon\n no quiet\n tune.bufsize 32k\n tune.old 1 \"2 3\"\n node \"a b\"\n tune.big -5\n"
        "defaults base\n mode http\n timeout client 90s\n default-server inter 3s backup\n"
        "defaults two from base\n option httplog\n"
        "frontend f from two\n bind :80 ssl crt \"x y\"\n bind :81\n acl one \"q w\"\n acl two '#x'\n acl z 5\n"
        "backend b from two\n timeout server 1500ms\n no option httpclose\n server s1 :1 check cookie a#b\n"
        " server s2 \":2\" weight 0 no-backup track-old s1\n"
        "listen l from base\n maxconn 0\n";

static void test_round_trip(void **st)
{
        struct load a, b;
        char *once, *twice;

        (void)st;
        load(&a, rich);
        if (!a.c)
                fail_msg("%s", classic(&a));
        once = dump(&a);
        load(&b, once);
        if (!b.c)
                fail_msg("%s\n%s", once, classic(&b));
        twice = dump(&b);
        assert_string_equal(once, twice);
        assert_non_null(strstr(once, "    server s2 :2 weight 0 inter 3s track-old s1\n"));
        assert_non_null(strstr(once, "    no quiet\n"));
        assert_non_null(strstr(once, "    timeout client 90s\n"));
        for (const struct conf_obj *o = a.c->first; o; o = o->next) {
                struct conf_obj *p = o->parent ? NULL : conf_find(b.c, o->kind->bit, str_of(o->name));

                if (p && !o->kind->is_defaults)
                        assert_true(conf_obj_same(o, p));
        }
        free(once);
        free(twice);
        unload(&a);
        unload(&b);
}

struct seen {
        struct buf b;
};

static void note_delta(void *ctx, const struct conf_delta *d)
{
        struct seen *s = ctx;

        buf_printf(&s->b, "%s: [%s] -> [%s]\n", d->kw ? d->kw->name : "(line)", d->before, d->after);
}

static void test_diff(void **st)
{
        struct load a, b;
        struct seen s = { BUF_INIT };
        struct conf_obj *x, *y;

        (void)st;
        load(&a, "backend b\n mode http\n option httplog\n server s 1.1.1.1:1 weight 5 track-old x\n server t :1\n");
        load(&b, "\n\nbackend b\n # other places, other order\n option httplog\n timeout server 2s\n server t :1\n"
                 " server s 1.1.1.2:1 inter 1s weight 05\n");
        x = conf_find(a.c, K_BACKEND, STR("b"));
        y = conf_find(b.c, K_BACKEND, STR("b"));
        assert_false(conf_obj_same(x, y));
        conf_diff_obj(x, y, note_delta, &s);
        conf_diff_obj(conf_find_child(x, K_SERVER, STR("s")), conf_find_child(y, K_SERVER, STR("s")), note_delta, &s);
        assert_true(conf_obj_same(conf_find_child(x, K_SERVER, STR("t")), conf_find_child(y, K_SERVER, STR("t"))));
        conf_diff_obj(conf_find_child(x, K_SERVER, STR("t")), conf_find_child(y, K_SERVER, STR("t")), note_delta, &s);
        buf_putc(&s.b, 0);
        assert_string_equal(s.b.p, "mode: [mode http] -> []\n"
                                   "timeout server: [] -> [timeout server 2s]\n"
                                   "(line): [server s 1.1.1.1:1] -> [server s 1.1.1.2:1]\n"
                                   "inter: [] -> [inter 1s]\n"
                                   "track-old: [track-old x] -> []\n");
        buf_fini(&s.b);
        unload(&a);
        unload(&b);
}

/* 100,000 servers of equal words share their structs; memory is counted, time is not (see bench/). */
static void test_many(void **st)
{
        enum { N = 100000 };
        struct conf_opts o = t_opts;
        struct load l;
        size_t with, without;
        AUTO_BUF(b);

        (void)st;
        buf_puts(&b, "defaults\n default-server inter 3s\nbackend b\n");
        for (int i = 0; i < N; i++)
                buf_printf(&b, " server s%d 127.0.0.1:80 check weight %d\n", i, i % 4);
        buf_putc(&b, 0);
        load_opts(&l, b.p, &o);
        assert_non_null(l.c);
        assert_int_equal(l.c->n_objs, N + 3);
        assert_true(conf_n_slots(l.c, t_server_slot) <= 8);
        assert_true(conf_n_slots(l.c, t_check_slot) <= 4);
        with = conf_memory(l.c);
        assert_true(with < (size_t)N * 1024);
        assert_non_null(conf_find_child(conf_find(l.c, K_BACKEND, STR("b")), K_SERVER, STR("s99999")));
        unload(&l);
        o.keep_spans = false;
        load_opts(&l, b.p, &o);
        without = conf_memory(l.c);
        assert_true(without < with);
        assert_null(l.c->first->stmts);
        unload(&l);
}

/* The worker's load: the same text and environment out of a bundle, nothing else. */
static void test_bundle(void **st)
{
        static const char *const files[] = { "t.cfg" };
        struct load a, b = { .out = BUF_INIT };
        char *x, *y;
        int fd;

        (void)st;
        load(&a, "frontend f\n log-tag \"$HOME_X${UNSET-u}\"\n.if defined(EMPTY)\n maxconn 9\n.endif\n");
        assert_non_null(a.c);
        assert_int_equal(vfs_seal(a.v, &fd), 0);
        assert_int_equal(vfs_new_bundle(fd, &b.v), 0);
        close(fd);
        diags_init(&b.d);
        b.c = conf_load(b.v, files, 1, &t_opts, &b.d);
        assert_non_null(b.c);
        x = dump(&a);
        y = dump(&b);
        assert_string_equal(x, "frontend f\n    maxconn 9\n    log-tag homeu\n");
        assert_string_equal(x, y);
        assert_true(conf_obj_same(a.c->first, b.c->first));
        free(x);
        free(y);
        unload(&a);
        unload(&b);
}

static void test_life(void **st)
{
        struct load l;
        struct conf *c;

        (void)st;
        load(&l, "frontend f\n log-tag x\n");
        c = conf_get(l.c);
        unload(&l); /* also frees the vfs: a conf keeps nothing of it */
        assert_string_equal(((const struct t_proxy *)conf_slot(conf_find(c, K_FRONTEND, STR("f")), t_proxy_slot))->tag,
                            "x");
        conf_put(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first),          cmocka_unit_test(test_messages),
                cmocka_unit_test(test_warnings),       cmocka_unit_test(test_no_lf),
                cmocka_unit_test(test_all_errors),     cmocka_unit_test(test_columns),
                cmocka_unit_test(test_frame),          cmocka_unit_test(test_json),
                cmocka_unit_test(test_closing),        cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_default_server), cmocka_unit_test(test_names),
                cmocka_unit_test(test_children),       cmocka_unit_test(test_sharing),
                cmocka_unit_test(test_blocks),         cmocka_unit_test(test_env),
                cmocka_unit_test(test_files),          cmocka_unit_test(test_file_errors),
                cmocka_unit_test(test_zero_warning),   cmocka_unit_test(test_checks),
                cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_diff),
                cmocka_unit_test(test_many),           cmocka_unit_test(test_life),
                cmocka_unit_test(test_bundle),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
