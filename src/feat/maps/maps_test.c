/* feat/maps/maps_test.c - sets of patterns: files, every way to match, versions, growth against a naive model, readers during commits. */
#include "base/epoch.h"
#include "base/slab.h"
#include "conf/conf.h"
#include "core/kinds.h"
#include "core/pat.h"
#include "core/retire.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/fixture.h"

static const char map_file[] = "# a comment\n\n  /a   va lue  \n/ab 12\n/a dup\n/abc/d\t5\n/k\n";
static const char num_file[] = "5 five\n10:20 teens\n15 never\n:-3 low\n";
static const char net_file[] =
        "10.0.0.0/8 ten\n10.1.0.0/16 tenone\n10.1.2.3 host\n::1 six\n2001:db8::/32 doc\n0.0.0.0/0 any\n";
static const char acl_file[] = "/a\n  /b  \n# no\n/c d\n";
static const char re_file[] = "^/x[0-9]+$ num\n^/x word\n";

static const char cfg[] =
        "frontend f\n"
        "    mode http\n"
        "    bind 127.0.0.1:1\n"
        "    acl a path -f t.acl -f file@t.acl\n"
        "    acl i path -i -f t.acl\n"
        "    acl v path -f virt@v\n"
        "    acl o path -f opt@nothere\n"
        "    http-request set-header x %[path,map(t.map,d)]%[path,map_beg(t.map)]%[path,map_end(t.map)]"
        "%[path,map_sub(t.map)]%[path,map_dir(t.map)]%[path,map_dom(t.map)]\n"
        "    http-request set-header x %[src_port,map_int(num.map)]%[src,map_ip(net.map)]%[path,map_reg(re.map)]\n"
        "    http-request set-header x %[path,map_str_int(virt@i,7)]%[path,map_str_ip(virt@p,1.2.3.4)]\n"
        "    http-request set-header x %[path,map_beg(virt@b)]%[src,map_ip(virt@n)]%[path,map(virt@s)]\n";

static struct vfs *v;
static struct conf *c;

static struct conf *load(struct vfs *from, struct diags *d)
{
        static const char *const files[] = { "t.cfg" };
        static const struct conf_opts opts = { .version = "3.4.0" };

        return conf_load(from, files, 1, &opts, d);
}

static int setup(void **st)
{
        struct diags d;

        (void)st;
        fx_thread();
        kw_boot();
        v = vfs_new_memory();
        vfs_add(v, VFS_CONFIG, "t.cfg", str_of(cfg));
        vfs_add(v, VFS_MAP, "t.map", str_of(map_file));
        vfs_add(v, VFS_MAP, "num.map", str_of(num_file));
        vfs_add(v, VFS_MAP, "net.map", str_of(net_file));
        vfs_add(v, VFS_MAP, "re.map", str_of(re_file));
        vfs_add(v, VFS_ACL, "t.acl", str_of(acl_file));
        diags_init(&d);
        c = load(v, &d);
        diags_fini(&d);
        return c ? 0 : -1;
}

static int teardown(void **st)
{
        (void)st;
        conf_put(c);
        vfs_free(v);
        retire_run();
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

static struct pat_ref *named(const char *name, bool map)
{
        struct pat_ref *r = pat_ref_find(c, str_of(name), map);

        assert_non_null(r);
        return r;
}

static const char *explain(struct pat_ref *r, const char *text)
{
        static struct buf out;

        out.n = 0;
        pat_explain(r, str_of(text), &out);
        buf_putc(&out, '\0');
        return out.p;
}

/* The line of that way to match says that this key and value are found; value NULL: none is. */
static void found(const char *set, const char *how, const char *text, const char *key, const char *value)
{
        const char *all = explain(named(set, true), text);
        char line[200], want[300];
        const char *at;

        (void)snprintf(line, sizeof(line), "type=%s, case=sensitive, found=%s", how, key ? "yes" : "no");
        at = strstr(all, line);
        (void)snprintf(want, sizeof(want), "key=\"%s\", value=\"%s\"", key ? key : "", value ? value : "");
        if (!at || (key && !strstr(at, want)) || (key && strstr(at, want) > strchr(at, '\n')))
                fail_msg("%s %s '%s': want %s %s in\n%s", set, how, text, line, key ? want : "", all);
}

static void test_matches(void **st)
{
        (void)st;
        found("t.map", "str", "/a", "/a", "va lue"); /* the first of two */
        found("t.map", "str", "/k", "/k", "");
        found("t.map", "str", "/A", NULL, NULL);
        found("t.map", "beg", "/abcd", "/ab", "12"); /* the longest */
        found("t.map", "beg", "/abc/dx", "/abc/d", "5");
        found("t.map", "beg", "/a", "/a", "va lue");
        found("t.map", "beg", "/", NULL, NULL);
        found("t.map", "end", "/x/k", "/k", "");
        found("t.map", "sub", "x/abx", "/a", "va lue"); /* the first in the list */
        found("t.map", "dir", "/y/k/z", "/k", "");
        found("t.map", "dom", "k.x", "/k", "");
        found("num.map", "int", "5", "5", "five");
        found("num.map", "int", "12", "10:20", "teens");
        found("num.map", "int", "-9", ":-3", "low");
        found("num.map", "int", "7", NULL, NULL);
        found("net.map", "ip", "10.1.2.3", "10.1.2.3", "host");
        found("net.map", "ip", "10.1.2.4", "10.1.0.0/16", "tenone");
        found("net.map", "ip", "10.9.9.9", "10.0.0.0/8", "ten");
        found("net.map", "ip", "9.9.9.9", "0.0.0.0/0", "any");
        found("net.map", "ip", "::1", "::1", "six");
        found("net.map", "ip", "2001:db8:1::", "2001:db8::/32", "doc");
        found("net.map", "ip", "::ffff:10.1.2.3", "10.1.2.3", "host");
        found("net.map", "ip", "2001:db9::", NULL, NULL);
        found("re.map", "reg", "/x42", "^/x[0-9]+$", "num");
        found("re.map", "reg", "/xy", "^/x", "word");
}

static void test_files(void **st)
{
        (void)st;
        assert_non_null(strstr(explain(named("t.acl", false), "/c d"), "case=sensitive, match=yes"));
        assert_non_null(strstr(explain(named("t.acl", false), "/b  "),
                               "case=sensitive, match=yes")); /* an ACL's line ends where it ends */
        assert_non_null(strstr(explain(named("t.acl", false), "/b"), "case=sensitive, match=no"));
        assert_non_null(strstr(explain(named("t.acl", false), "/A"), "case=insensitive, match=yes"));
        assert_non_null(strstr(explain(named("nothere", false), "/a"), "match=no"));
        assert_null(pat_ref_find(c, STR("opt@nothere"), false));
        assert_null(pat_ref_find(c, STR("t.acl"), true));
        assert_ptr_equal(named("#0", false), named("t.acl", false));
}

static void refused_file(enum vfs_kind kind, const char *name, const char *text, const char *line, const char *want)
{
        struct vfs *own = vfs_new_memory();
        struct diags d;
        struct buf b = { 0 };
        struct conf *bad;

        buf_printf(&b, "frontend f\n    mode http\n    bind 127.0.0.1:1\n    %s\n", line);
        vfs_add(own, VFS_CONFIG, "t.cfg", buf_view(&b));
        if (text)
                vfs_add(own, kind, name, str_of(text));
        diags_init(&d);
        bad = load(own, &d);
        assert_null(bad);
        if (!strstr(list_first(&d.all, struct diag, link)->text, want))
                fail_msg("%s: got '%s', want '%s'", line, list_first(&d.all, struct diag, link)->text, want);
        diags_fini(&d);
        vfs_free(own);
        buf_fini(&b);
}

static void test_refused(void **st)
{
        (void)st;
        refused_file(VFS_ACL, "x", NULL, "acl a path -f x", "failed to open pattern file <x>");
        refused_file(VFS_ACL, "x", NULL, "acl a path -f", "missing a file name after '-f'");
        refused_file(VFS_ACL, "x", "1.2.3.4\nfoo\n", "acl a src -f x",
                     "'foo' is not a valid IPv4 or IPv6 address at line 2 of file 'x'.");
        refused_file(VFS_MAP, "x", "a 1\nb c d\n", "http-request set-header x %[path,map_str_int(x)]",
                     "unable to parse 'c d' at line 2 of file 'x'.");
        refused_file(VFS_MAP, "x", "( 1\n", "http-request set-header x %[path,map_reg(x)]", "is invalid");
        refused_file(VFS_MAP, "x", "", "http-request set-header x %[path,map_str_int(x,y)]",
                     "the default value 'y' is no integer");
        refused_file(VFS_ACL, "x", "", "acl a path -m reg (", "is invalid");
        refused_file(VFS_ACL, "x", "", "acl a path -m bin 0g", "hexadecimal");
}

static void test_run_time(void **st)
{
        struct pat_ref *r = named("virt@s", true), *num = named("virt@i", true), *addr = named("virt@p", true);
        char why[PAT_WHY_MAX] = "";
        uint32_t next;

        (void)st;
        assert_true(pat_add(r, 0, STR("k"), STR("one"), why));
        assert_true(pat_add(r, 0, STR("k"), STR("two"), why));
        found("virt@s", "str", "k", "k", "one");
        assert_int_equal(pat_set(r, STR("k"), STR("three"), why), 2);
        found("virt@s", "str", "k", "k", "three");
        next = pat_prepare(r);
        assert_int_equal(next, pat_next_version(r));
        assert_true(pat_add(r, next, STR("n"), STR("new"), why));
        found("virt@s", "str", "n", NULL, NULL); /* not yet */
        pat_commit(r, next);
        found("virt@s", "str", "n", "n", "new");
        found("virt@s", "str", "k", NULL, NULL);
        assert_int_equal(pat_del(r, STR("k")), 0);
        assert_int_equal(pat_del(r, STR("n")), 1);
        found("virt@s", "str", "n", NULL, NULL);
        assert_true(pat_add(r, next, STR("n"), STR("again"), why));
        pat_clear(r, next);
        found("virt@s", "str", "n", NULL, NULL);
        assert_false(pat_add(num, 0, STR("k"), STR("x"), why));
        assert_non_null(strstr(why, "unable to parse 'x'"));
        assert_true(pat_add(num, 0, STR("k"), STR("5"), why));
        assert_int_equal(pat_set(num, STR("k"), STR("y"), why), -1);
        assert_false(pat_add(addr, 0, STR("k"), STR("x"), why));
        assert_true(pat_add(addr, 0, STR("k"), STR("::1"), why));
        assert_false(pat_add(named("net.map", true), 0, STR("nonet"), STR("x"), why));
        retire_run();
}

/* A refused ACL is complained about once, not again by those who name it. */
static void test_refused_once(void **st)
{
        static const char text[] = "frontend f\n    mode http\n    bind 127.0.0.1:1\n    acl a path -m bin 0g\n"
                                   "    http-request deny if a\n    http-request deny if !a or { path / }\n";
        struct vfs *own = vfs_new_memory();
        struct diags d;

        (void)st;
        vfs_add(own, VFS_CONFIG, "t.cfg", str_of(text));
        diags_init(&d);
        assert_null(load(own, &d));
        assert_int_equal(d.n_alerts, 1);
        diags_fini(&d);
        vfs_free(own);
}

/* ---- against a naive model ---- */

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned dice(unsigned n)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (unsigned)(seed >> 33) % n;
}

enum { MODEL_MAX = 3000 };
static char model[MODEL_MAX][40];
static unsigned n_model;

static const char *longest_prefix(const char *text)
{
        const char *best = NULL;

        for (unsigned i = 0; i < n_model; i++) {
                if (strncmp(text, model[i], strlen(model[i])) == 0 && (!best || strlen(model[i]) > strlen(best)))
                        best = model[i];
        }
        return best;
}

static void some_text(char *to, unsigned max)
{
        unsigned n = dice(max);

        for (unsigned i = 0; i < n; i++)
                to[i] = (char)('a' + dice(3));
        to[n] = '\0';
}

static void test_model(void **st)
{
        struct pat_ref *r = named("virt@b", true);
        char why[PAT_WHY_MAX], text[40];

        (void)st;
        for (unsigned i = 0; i < 4000; i++) {
                some_text(text, 12);
                if (dice(3) && n_model < MODEL_MAX) {
                        assert_true(pat_add(r, 0, str_of(text), STR("x"), why));
                        memcpy(model[n_model++], text, sizeof(text));
                } else {
                        unsigned left = 0;

                        for (unsigned k = 0; k < n_model; k++) {
                                if (strcmp(model[k], text) != 0)
                                        memmove(model[left++], model[k], sizeof(model[k]));
                        }
                        assert_int_equal(pat_del(r, str_of(text)), n_model - left);
                        n_model = left;
                }
                some_text(text, 20);
                found("virt@b", "beg", text, longest_prefix(text), "x");
                if (i % 512 == 0)
                        retire_run();
        }
        retire_run();
}

static void test_nets(void **st)
{
        struct pat_ref *r = named("virt@n", true);
        char why[PAT_WHY_MAX];

        (void)st;
        assert_true(pat_add(r, 0, STR("10.0.0.0/8"), STR("8"), why));
        assert_true(pat_add(r, 0, STR("10.0.1.0/24"), STR("24"), why));
        assert_true(pat_add(r, 0, STR("10.0.1.77"), STR("32"), why));
        found("virt@n", "ip", "10.0.1.77", "10.0.1.77", "32");
        found("virt@n", "ip", "10.200.1.77", "10.0.0.0/8", "8");
        found("virt@n", "ip", "11.0.0.1", NULL, NULL);
        assert_int_equal(pat_del(r, STR("10.0.1.77")), 1);
        assert_null(strstr(explain(r, "10.0.1.77"), "10.0.1.77\""));
        retire_run();
}

/* ---- readers during commits: there is always exactly one version ---- */

static atomic_bool stop;
static atomic_uint reads, misses;

static void *reader(void *arg)
{
        struct pat_ref *r = arg;
        struct buf out = { 0 };

        thr_self = thr_new(1, &fx_sys, 65536);
        epoch_thread_enter();
        while (!atomic_load(&stop)) {
                out.n = 0;
                pat_explain(r, STR("key"), &out);
                buf_putc(&out, '\0');
                atomic_fetch_add(&misses, strstr(out.p, "found=no") != NULL);
                atomic_fetch_add(&reads, 1);
                epoch_turn();
        }
        epoch_thread_leave();
        buf_fini(&out);
        thr_free(thr_self);
        thr_self = NULL;
        return NULL;
}

static void test_readers(void **st)
{
        struct pat_ref *r = named("virt@s", true);
        char why[PAT_WHY_MAX];
        pthread_t t;

        (void)st;
        assert_true(pat_add(r, pat_version(r), STR("key"), STR("0"), why));
        assert_int_equal(pthread_create(&t, NULL, reader, r), 0);
        for (unsigned i = 0; i < 200 || atomic_load(&reads) < 1000; i++) {
                uint32_t next = pat_prepare(r);

                assert_true(pat_add(r, next, STR("other"), STR("1"), why));
                assert_true(pat_add(r, next, STR("key"), STR("1"), why));
                pat_commit(r, next);
                assert_true(pat_set(r, STR("key"), STR("2"), why) == 1);
                retire_run();
        }
        atomic_store(&stop, true);
        assert_int_equal(pthread_join(t, NULL), 0);
        retire_run();
        assert_int_equal(atomic_load(&misses), 0);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_matches),      cmocka_unit_test(test_files),    cmocka_unit_test(test_refused),
                cmocka_unit_test(test_refused_once), cmocka_unit_test(test_run_time), cmocka_unit_test(test_model),
                cmocka_unit_test(test_nets),         cmocka_unit_test(test_readers),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
