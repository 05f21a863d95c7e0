"""Every row that an object registers in a telamon_* section is in the finished program, once (ADR 0003)."""
import collections, pathlib, re, subprocess, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def rows(*files):
    """Counts of the symbols that stand in a telamon_* section, as section/name."""
    out = subprocess.run(["objdump", "-t", *map(str, files)], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^[0-9a-f]{16} l.{5}O (telamon_\w+)\s+[0-9a-f]{16}\s+(?:\.hidden )?([\w.]+)$", out, re.M)
    return collections.Counter(f"{section}/{name.split('.')[0]}" for section, name in found)


class Registration(unittest.TestCase):
    maxDiff = None

    def check(self, program):
        objects = [o for o in (ROOT / "build-asan/src").glob("lib*.a.p/*.o")]  # no LTO there: symbols can be read
        self.assertTrue(objects, "build-asan first")
        self.assertEqual(rows(*objects), rows(ROOT / program))

    def test_shipped_program(self):
        self.check("build/telamon")

    def test_asan_program(self):
        self.check("build-asan/telamon")

    def test_reader_sees_rows(self):
        """The comparison above is not one of two empty lists that only look equal."""
        source = 'static const int a = 1, *const a_reg __attribute__((used, section("telamon_x"))) = &a;'
        obj = ROOT / "build-asan/reader_test.o"
        for flags in ([], ["-fsanitize=address"]):
            subprocess.run(["gcc", *flags, "-x", "c", "-c", "-o", str(obj), "-"], input=source, text=True, check=True)
            self.assertEqual(rows(obj), {"telamon_x/a_reg": 1})
        obj.unlink()


if __name__ == "__main__":
    unittest.main()
