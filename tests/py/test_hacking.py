"""The walk-throughs of HACKING.md still fit the tree: their context lines exist, the whole feature compiles."""
import pathlib, re, subprocess, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "HACKING.md").read_text()
FEATURES = "\n".join(p.read_text() for p in sorted((ROOT / "src/feat").glob("*/*.[ch]")))


def squeezed(line):
    return " ".join(line.split())


def context(diff):
    """The lines that a diff takes for granted, without the file names noted at their right."""
    lines = (re.sub(r"\s{4,}\S+$", "", line[1:]) for line in diff.split("\n") if line[:1] in (" ", "-"))
    return [squeezed(line) for line in lines if len(line.strip()) > 4]


class Walkthroughs(unittest.TestCase):
    def test_context_lines_exist(self):
        source = {squeezed(line) for line in FEATURES.split("\n")}
        lines = [line for d in re.findall(r"```diff\n(.*?)```", TEXT, re.S) for line in context(d)]
        self.assertGreater(len(lines), 5)
        self.assertEqual([line for line in lines if line not in source], [])

    def test_the_feature_compiles(self):
        code, = re.findall(r"```c\n(.*?)```", TEXT, re.S)
        p = subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", str(ROOT / "src"),
                            "-x", "c", "-"], input=code, text=True, capture_output=True)
        self.assertEqual((p.returncode, p.stderr), (0, ""))

    def test_named_headers_exist(self):
        names = set(re.findall(r"`((?:base|ev|conf|proto|net|core|feat/\w+)/\w+\.[ch])`", TEXT))
        self.assertGreater(len(names), 15)
        self.assertEqual([n for n in sorted(names) if not (ROOT / "src" / n).exists()], [])


if __name__ == "__main__":
    unittest.main()
