"""postfix-examples/monitoring by Prometheus' own promtool: metrics, alert rules, dashboard, and that the names agree."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE.parent.parent / "postfix-examples" / "monitoring"
RULES, DASHBOARD = FOLDER / "tlspolicyd-rules.yml", FOLDER / "tlspolicyd-dashboard.json"
CASES = HERE / "alert_rules.yml"
SAMPLE = os.path.join(os.environ.get("TLSPOLICYD_BIN", ""), "show_sample")
NAME = re.compile(r"tlspolicyd_[a-z_]+")
SERIES = re.compile(r'^(\w+)(?:\{(.*)\})? ([0-9.e+-]+)$', re.M)
GRAFANA = {"$instance": ".*", "$__rate_interval": "5m"}


def rendered(state):
    return subprocess.run([SAMPLE, "metrics", state], check=True, stdout=subprocess.PIPE, text=True).stdout


def families(text):
    return set(re.findall(r"^# TYPE (\w+) ", text, re.M))


def family(name):
    """Of a name in an expression: the parts of a histogram belong to it."""
    return re.sub(r"_(bucket|sum|count)$", "", name)


def promtool(*words, text=None):
    run = subprocess.run(["promtool", *words], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return run.returncode, run.stdout


def expressions():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", ())]
    found += [(each["name"], each["expr"]) for each in dashboard["annotations"]["list"]]
    for variable, value in GRAFANA.items():
        found = [(title, expression.replace(variable, value)) for title, expression in found]
    return found


class Metrics(unittest.TestCase):
    def test_promtool_takes_them_whatever_the_state_is(self):
        for state in ("empty", "well", "trouble", "full", "hostile"):
            with self.subTest(state=state):
                self.assertEqual((0, ""), promtool("check", "metrics", text=rendered(state)))

    def test_each_is_explained_in_the_readme_and_no_other(self):
        readme = (FOLDER / "README.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| `(tlspolicyd_[a-z_]+)", readme, re.M)
        self.assertEqual(sorted(families(rendered("well"))), sorted(rows))

    def test_dashboard_and_rules_name_none_that_does_not_exist(self):
        known = families(rendered("well"))
        for path in (RULES, DASHBOARD, CASES):
            text = re.sub(r"tlspolicyd-\w+|tlspolicyd_build_info, instance", "", path.read_text(encoding="utf-8"))
            self.assertEqual(set(), {family(name) for name in NAME.findall(text)} - known, path.name)

    def test_the_dashboard_shows_each(self):
        shown = {family(name) for _, expression in expressions() for name in NAME.findall(expression)}
        self.assertEqual(set(), families(rendered("well")) - shown)


class Rules(unittest.TestCase):
    def test_promtool_takes_them(self):
        code, said = promtool("check", "rules", str(RULES))
        self.assertEqual(0, code, said)
        self.assertIn(f"{len(self.alerts())} rules found", said)

    def alerts(self):
        return re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))

    def test_each_fires_when_it_should_and_not_before_and_none_when_all_is_well(self):
        code, said = promtool("test", "rules", str(CASES))
        self.assertEqual(0, code, said)

    def test_each_has_a_case(self):
        named = set(re.findall(r'name: "(\w+): ', CASES.read_text(encoding="utf-8")))
        self.assertEqual(set(self.alerts()), named)

    def test_the_cases_are_made_of_series_that_exist(self):
        known = {(name, frozenset(re.findall(r'(\w+="[^"]*")', labels)))
                 for state in ("well", "trouble") for name, labels, _ in SERIES.findall(rendered(state))}
        for name, labels in re.findall(r"series: '(tlspolicyd_\w+)\{([^}]*)\}'", CASES.read_text(encoding="utf-8")):
            labels = frozenset(re.findall(r'(\w+="[^"]*")', labels)) - {'instance="mx1"'}
            self.assertIn((name, labels), known)


class Dashboard(unittest.TestCase):
    def test_each_expression_finds_something_in_what_the_service_shows(self):
        series = [{"series": f'{name}{{instance="mx1"{"," if labels else ""}{labels}}}', "values": f"{value}x20"}
                  for name, labels, value in SERIES.findall(rendered("trouble"))]
        # JSON is YAML. No expression may come to nothing: a label or a value would be mistyped.
        checks = [{"expr": f"clamp_max(count({expression}), 1) or vector(0)", "eval_time": "15m",
                   "exp_samples": [{"labels": "{}", "value": 1}]}
                  for title, expression in expressions() if title != "Started"]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "cases.yml")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": checks}]}, file)
            code, said = promtool("test", "rules", path)
        self.assertEqual(0, code, said)
        self.assertGreater(len(checks), 30)

    def test_it_can_be_imported_anywhere(self):
        dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        names = [each["name"] for each in dashboard["templating"]["list"]]
        self.assertEqual(["datasource", "instance"], names)
        for panel in dashboard["panels"]:
            for holder in [panel, *panel.get("targets", ())]:
                self.assertEqual("${datasource}", holder.get("datasource", {"uid": "${datasource}"})["uid"])
        self.assertNotIn("id", dashboard)
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_panels_neither_overlap_nor_stick_out_and_say_what_they_show(self):
        taken = set()
        for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
            if panel["type"] != "row":
                self.assertTrue(panel["description"], panel["title"])


if __name__ == "__main__":
    unittest.main()
