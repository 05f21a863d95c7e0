"""The runner counts cmocka cases as they are: failed, crashed, left early, and a program that prints nothing."""
import importlib.machinery, importlib.util, pathlib, subprocess, tempfile, unittest

CHECK = pathlib.Path(__file__).resolve().parent.parent.parent / "tools/check"
PROGRAM = """
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>
static void test_good(void **st) { (void)st; }
static void test_other(void **st) { (void)st; %s; }
static void test_last(void **st) { (void)st; }
int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_other),
                                            cmocka_unit_test(test_last) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
"""


def load():
    loader = importlib.machinery.SourceFileLoader("check", str(CHECK))
    source = loader.get_source("check").removesuffix("sys.exit(main())\n")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader))
    module.__file__ = str(CHECK)
    exec(compile(source, str(CHECK), "exec"), module.__dict__)
    return module


class Cmocka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.check = load()

    def cases(self, body):
        with tempfile.TemporaryDirectory() as d:
            exe = d + "/t"
            subprocess.run(["gcc", "-x", "c", "-o", exe, "-", "-lcmocka"], input=PROGRAM % body, text=True, check=True)
            r = subprocess.run([exe], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            return self.check.cmocka(r.stdout, r.returncode)

    def test_all_pass(self):
        self.assertEqual(self.cases(""), [("test_good", True), ("test_other", True), ("test_last", True)])

    def test_one_fails(self):
        got = dict(self.cases("assert_int_equal(1, 2)"))
        self.assertEqual(got, {"test_good": True, "test_other": False, "test_last": True})

    def test_skip_is_a_failure(self):
        self.assertIn(False, dict(self.cases("skip()")).values())

    def test_crash_is_a_failure(self):
        self.assertFalse(all(ok for _, ok in self.cases("abort()")))

    def test_leaving_early_is_a_failure(self):
        self.assertFalse(all(ok for _, ok in self.cases("exit(0)")))

    def test_other_programs_by_exit_code(self):
        self.assertEqual(self.check.cmocka("3 corpus files replayed\n", 0), [("", True)])
        self.assertEqual(self.check.cmocka("", 1), [("", False)])


class Tap(unittest.TestCase):
    def test_lines(self):
        tap = load().tap
        self.assertEqual(tap("1..2\nok 1 a\nnot ok 2 b\n# why\n", 1), [("a", True), ("b", False)])
        self.assertEqual(tap("1..1\nok 1 a # skip no tool\n", 0), [("a # skip no tool", False)])
        self.assertFalse(all(ok for _, ok in tap("1..3\nok 1 a\n", 0)))
        self.assertFalse(all(ok for _, ok in tap("ok 1 a\n", 1)))
