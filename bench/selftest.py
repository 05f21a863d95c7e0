#!/usr/bin/env python3
"""What the report says must follow from the samples: medians, ratios, goals, rejected rounds."""
import types
import unittest

import configs
import report
import rows

BENCH = types.SimpleNamespace(cpus=types.SimpleNamespace(own=lambda threads: threads == 1))
HTTP = next(r for r in rows.ROWS if r.name == "http")


def us_samples(*values):
    return [{"us": v} for v in values]


class Report(unittest.TestCase):
    def test_ratio_is_of_medians(self):
        samples = {"haproxy": us_samples(20, 30, 1000), "telamon": us_samples(15, 15, 500)}
        found = report.evaluate(HTTP, samples)["us"]["telamon"]
        self.assertEqual(found["ratio"], 0.5)
        self.assertEqual((found["min"], found["max"], found["n"]), (15, 500, 3))
        self.assertTrue(found["goal"]["met"] and found["goal"]["aim_met"])

    def test_goal_missed(self):
        samples = {"haproxy": us_samples(100), "telamon": us_samples(61), "nginx": us_samples(61)}
        found = report.evaluate(HTTP, samples)["us"]
        self.assertFalse(found["telamon"]["goal"]["met"])
        self.assertIn("NOT MET", report.goal_text(found["telamon"]["goal"]))
        self.assertIsNone(found["nginx"]["goal"])

    def test_no_reference_no_verdict(self):
        found = report.evaluate(HTTP, {"telamon": us_samples(1)})["us"]["telamon"]
        self.assertIsNone(found["ratio"])
        self.assertIsNone(found["goal"])

    def test_absolute_goal(self):
        row = next(r for r in rows.ROWS if r.name == "instr")
        found = report.evaluate(row, {"haproxy": [{"instr": 47000}], "telamon": [{"instr": 8001}]})
        self.assertFalse(found["instr"]["telamon"]["goal"]["met"])


class Rounds(unittest.TestCase):
    def test_starved_round_is_rejected(self):
        with self.assertRaises(rows.Rejected):
            rows.check_saturated(BENCH, HTTP, {"cpu": 0.94, "load_cpu": 0.80, "wait": 0.1})

    def test_saturated_round_counts(self):
        values = {"cpu": 0.95, "load_cpu": 0.80}
        rows.check_saturated(BENCH, HTTP, values)
        self.assertNotIn("load_limited", values)

    def test_round_at_the_limit_of_the_load_is_marked(self):
        values = {"cpu": 0.80, "load_cpu": 0.99}
        rows.check_saturated(BENCH, HTTP, values)
        self.assertEqual(values["load_limited"], 1)

    def test_added_latency(self):
        samples = {"direct": [{"p50": 10, "p99": 40}], "haproxy": [{"p50": 90, "p99": 640}]}
        rows.add_direct(samples)
        self.assertEqual(samples["haproxy"][0]["p99_added"], 600)
        self.assertEqual(samples["direct"][0]["p99_added"], 40)


class Totals(unittest.TestCase):
    TOTAL = {"conns": 2, "units": 10, "sent": 4360, "rcvd": 2600}

    def text(self, **front):
        same = {"stot": "2", "req_tot": "10", "hrsp_2xx": "10", "bin": "4360", "bout": "2600"}
        back = {**same, "stot": "10"}
        stat = {("fe", "FRONTEND"): {**same, **front}, ("be", "BACKEND"): back, ("be", "s0"): back}
        return rows.check_totals(types.SimpleNamespace(show_stat=lambda: stat), self.TOTAL)

    def test_equal(self):
        self.assertNotIn("DIFFERS", self.text())

    def test_one_off(self):
        self.assertIn("DIFFERS: fe req_tot 9 instead of 10", self.text(req_tot="9"))
        self.assertIn("fe bin -21 per request", self.text(bin="4150"))


class Files(unittest.TestCase):
    def test_every_server_has_its_own_address(self):
        text = configs.haproxy_many(1000, 100)
        addresses = [line.split()[2] for line in text.splitlines() if line.startswith("    server")]
        self.assertEqual(len(addresses), 100000)
        self.assertEqual(len(set(addresses)), 100000)

    def test_names_are_unique(self):
        self.assertEqual(len({r.name for r in rows.ROWS}), len(rows.ROWS))


if __name__ == "__main__":
    unittest.main()
