"""The manual pages name what the program knows, and render without a complaint."""
import os, pathlib, re, subprocess, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TELAMON = os.environ.get("TELAMON", str(ROOT / "build/telamon"))


def out(*args, stderr=False):
    p = subprocess.run([TELAMON, *args], capture_output=True, text=True)
    return p.stderr if stderr else p.stdout


def plain(roff):
    """The page's text without font changes and escapes."""
    roff = re.sub(r"\\f[BIRP]", "", roff)
    return re.sub(r"\\&", "", roff).replace("\\-", "-").replace("\\e", "\\")


class Telamon1(unittest.TestCase):
    page = plain((ROOT / "doc/telamon.1").read_text())

    def named(self, words):
        self.assertTrue(words)
        return [w for w in words if not re.search(r"(?<![\w-])" + re.escape(w) + r"(?![\w-])", self.page)]

    def test_options_of_the_usage_text(self):
        usage = out("-h", stderr=True)
        self.assertEqual(self.named(re.findall(r"^        (--?[a-zA-Z]+)", usage, re.M)), [])

    def test_options_without_effect(self):
        table = (ROOT / "src/main/argv.c").read_text().split("options[] = {")[1].split("};")[0]
        names = set(re.findall(r'\{ "(--?[A-Za-z0-9]+)"', table))
        self.assertGreater(len(names), 40)
        self.assertEqual(self.named(sorted(names)), [])

    def test_commands(self):
        verbs = re.findall(r"^        ([a-z]+) ", out("-h", stderr=True).split("<command>")[1], re.M)
        self.assertEqual([v for v in verbs if f"telamon {v}" not in self.page], [])
        self.assertIn("manual", verbs)

    def test_an_option_that_is_not_there_is_missed(self):
        self.assertEqual(self.named(["-c", "-Q", "-dW"]), ["-Q"])


class Generated(unittest.TestCase):
    def test_every_keyword_is_in_the_page(self):
        page = set(re.findall(r"^\.TP\n\\fB(.*?)\\fR", out("manual"), re.M))
        words = out("completion", "bash").split("<<'KEYWORDS'\n")[1].split("\nKEYWORDS")[0].split("\n")
        self.assertGreater(len(words), 100)
        self.assertEqual([w for w in words if w.replace("-", "\\-") not in page], [])

    def test_sentences(self):
        """A help text is a sentence: capital, one full stop."""
        text = out("manual").split('.SH "NOT SUPPORTED"')[0]  # there stand lists of names
        self.assertEqual(re.findall(r"^.*[a-z]\.\.$", text, re.M), [])
        self.assertEqual(re.findall(r"^\.TP\n.*\n([a-z].*)$", text, re.M), [])


class Rendering(unittest.TestCase):
    def rendered(self, text):
        p = subprocess.run(["groff", "-t", "-man", "-ww", "-Tutf8", "-P-cbou"], input=text, capture_output=True, text=True)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        return p.stdout

    def test_pages(self):
        self.assertIn("SIGNALS", self.rendered((ROOT / "doc/telamon.1").read_text()))
        self.assertIn("GLOBAL", self.rendered(out("manual")))

    def test_a_bad_page_is_noticed(self):
        with self.assertRaises(AssertionError):
            self.rendered(".TH X 1\n.NOSUCH request\n\\nq\n")


if __name__ == "__main__":
    unittest.main()
