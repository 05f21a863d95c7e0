"""`make install` puts exactly these files where the system looks for them, and the unit points at the binary."""
import pathlib, shutil, subprocess, tempfile, unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def install():
    """`make install` of the release build into a scratch root, with the prefix it has anyway: {path: Path}."""
    root = pathlib.Path(tempfile.mkdtemp())
    subprocess.run(["make", "--no-print-directory", "install", f"DESTDIR={root}"], cwd=ROOT, check=True, capture_output=True)
    return {"/" + str(p.relative_to(root)): p for p in sorted(root.rglob("*")) if p.is_file()}


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = install()
        cls.root = pathlib.Path(str(cls.files["/usr/local/sbin/telamon"]).removesuffix("/usr/local/sbin/telamon"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def test_list(self):
        self.assertEqual(sorted(self.files), [
            "/usr/local/lib/systemd/system/telamon.service",
            "/usr/local/sbin/telamon",
            "/usr/local/share/bash-completion/completions/telamon",
            "/usr/local/share/fish/vendor_completions.d/telamon.fish",
            "/usr/local/share/man/man1/telamon.1",
            "/usr/local/share/man/man5/telamon.cfg.5",
            "/usr/local/share/zsh/site-functions/_telamon",
        ])

    def test_it_runs(self):
        out = subprocess.run([self.files["/usr/local/sbin/telamon"], "-v"], capture_output=True, text=True, check=True).stdout
        self.assertIn("Telamon version", out)

    def test_unit(self):
        unit = self.files["/usr/local/lib/systemd/system/telamon.service"].read_text()
        self.assertIn("ExecStart=/usr/local/sbin/telamon -Ws ", unit)

    def test_pages_are_whole(self):
        self.assertIn(".SH \"SEE ALSO\"", self.files["/usr/local/share/man/man5/telamon.cfg.5"].read_text())
        self.assertIn(".TH TELAMON 1", self.files["/usr/local/share/man/man1/telamon.1"].read_text())

    def test_no_path_of_the_build(self):
        for name, p in self.files.items():
            if name != "/usr/local/sbin/telamon":
                self.assertNotIn(str(ROOT), p.read_text(), name)


if __name__ == "__main__":
    unittest.main()
