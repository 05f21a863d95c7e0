"""tools/later takes names off the lists of src/feat/later/names.c and leaves the rest of the file as it was."""
import importlib.machinery, importlib.util, pathlib, re, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMES = ROOT / "src/feat/later/names.c"

loader = importlib.machinery.SourceFileLoader("later_tool", str(ROOT / "tools/later"))
spec = importlib.util.spec_from_loader("later_tool", loader)
later = importlib.util.module_from_spec(spec)
loader.exec_module(later)

TEXT = """#include "x.h"

LATER_TABLE(one, .what = "flag", .of = "x", .names =
        "a,b c,"
        "d");

LATER_TABLE(two, .what = "flag", .names =
        "a");

int after;
"""


class Prune(unittest.TestCase):
    def test_one_name(self):
        self.assertEqual(later.pruned(TEXT, {("one", "b c")}), TEXT.replace('"a,b c,"\n        "d"', '"a,d"'))

    def test_only_in_its_table(self):
        self.assertIn('(two, .what = "flag", .names =\n        "a");', later.pruned(TEXT, {("one", "a")}))

    def test_an_empty_table_goes(self):
        self.assertNotIn("two", later.pruned(TEXT, {("two", "a")}))
        self.assertIn("\nint after;\n", later.pruned(TEXT, {("two", "a")}))

    def test_nothing_to_do(self):
        self.assertEqual(later.pruned(TEXT, {("one", "z"), ("three", "a")}), TEXT)

    def test_the_file(self):
        text = NAMES.read_text()
        tables = later.TABLE.findall(text)
        self.assertEqual(len(tables), text.count("LATER_TABLE("))  # it reads all of them
        for head, table, literals, _ in tables:
            names = "".join(re.findall(r'"([^"]*)"', literals)).split(",")
            self.assertEqual(later.wrapped(names), literals.rstrip("\n"), table)
            self.assertNotIn(f'"{names[0]},', later.pruned(text, {(table, names[0])}).split(f"({table},")[-1].split(";")[0])


if __name__ == "__main__":
    unittest.main()
