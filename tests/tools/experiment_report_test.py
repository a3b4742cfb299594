"""The page about an experiment, on made-up and on damaged results."""
import json
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "tools")]

import made_up_experiment  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from report_page import experiment_figures, experiment_page, experiment_tables, figures  # noqa: E402
from report_page.experiment_folder import ExperimentFolder  # noqa: E402
from report_tool_test import damage  # noqa: E402


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rallrec-")
        self.addCleanup(shutil.rmtree, self.folder)

    def render(self, table="table1"):
        made_up_experiment.main(self.folder, table)
        return experiment_page.render(self.folder)

    def test_ours_and_published_stand_in_columns_of_their_own(self):
        html = self.render()
        line = re.search(r"<tr><th>OURS</th>.*?</tr>", html, re.S).group()
        cells = re.findall(r'<td class="(.*?)">(.*?)</td>', line, re.S)
        ours = [text for names, text in cells if "published" not in names]
        published = [text for names, text in cells if "published" in names]
        self.assertTrue(any(text.startswith("0.6543*") for text in ours))
        self.assertFalse(any("0.7772" in text for text in ours))
        self.assertEqual([text[:6] for text in published], ["0.7772", "0.6102", "0.6904"])
        self.assertIn("<sup>s</sup>", published[1])
        for text in ("made-up-135m", "512", "2\N{NARROW NO-BREAK SPACE}000 test rows", "Another-8B", "large", "made-up-data"):
            self.assertIn(text, html)

    def test_the_best_of_ours_is_bold(self):
        made_up_experiment.main(self.folder)
        dataset = ExperimentFolder(self.folder).datasets[0]
        rows = experiment_tables.results(dataset, "ours")["rows"]
        self.assertEqual([row["label"] for row in rows if row["ours"][0]["best"]], ["OURS"])
        self.assertEqual([row["label"] for row in rows if row["ours"][1]["best"]], ["OURS"])
        self.assertEqual([row["ours"][0]["star"] for row in rows], [True] + [False] * (len(rows) - 1))

    def test_every_section_is_there(self):
        html = self.render()
        for text in ("Cells that are not done", "BROKEN", "2 failed", "AUC against prompt.k", "Fine-tuning against inference",
                     "1: 0.036 <small>0.072</small><br>2: 0.9 <small>1</small>", "+0.0408 to +0.0654", "Learning curves",
                     "Cost", '<a href="cells/0/report.html">', "3.00e-06"):
            self.assertIn(text, html)
        self.assertNotIn("What each deviation changes", html)
        self.assertIn("What each deviation changes", self.render("deviations"))

    def test_nothing_hostile_and_nothing_from_elsewhere(self):
        html = self.render()
        self.assertIn("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;", html)
        for text in ("<script", "http://", "https://"):
            self.assertNotIn(text, html)

    def test_a_cell_cannot_name_a_folder_elsewhere(self):
        outside = pathlib.Path(self.folder, "outside")
        made_up_experiment.put(str(outside), "tune/metrics.jsonl", '{"step": 1, "loss": 1}\n')
        inside = ExperimentFolder(os.path.join(self.folder, "inside"))
        for run_dir in ("../outside", str(outside), "cells/../../outside", ".", None):
            self.assertEqual(inside.cell_steps({"run_dir": run_dir}), [], run_dir)

    def test_deviations_are_drawn_from_the_reference(self):
        with unittest.mock.patch.object(experiment_figures, "draw_deviations") as draw:
            self.render("deviations")
        other = next(row for row in draw.call_args.kwargs["rows"] if row[0] == "OTHER")
        np.testing.assert_allclose([other[1], *other[2], other[3]],
                                   [0.6012 - 0.6543, -0.0408, -0.0654, 0.6543 - 0.6012])

    def test_a_grid_puts_values_where_they_belong(self):
        with unittest.mock.patch.object(experiment_figures, "draw_grid") as draw:
            self.render()
        values = draw.call_args.kwargs
        self.assertEqual((values["rows"], values["columns"]), (["ON_HIGH", "ON_SIMPLE"], ["high", "rerank"]))
        np.testing.assert_allclose(values["values"], np.full((2, 2), 0.61))

    def test_an_empty_folder_and_damaged_results(self):
        self.assertIn("no results of an experiment yet", experiment_page.render(self.folder))
        made_up_experiment.main(self.folder, "deviations")
        rng = random.Random(5)
        with unittest.mock.patch.object(experiment_page, "both_themes", drawn):
            for name in ("results.jsonl", "summary.json"):
                path = pathlib.Path(self.folder, name)
                sound = path.read_bytes()
                for _ in range(20 if name == "summary.json" else 3):
                    path.write_bytes(b"\n".join(deep_damage(line, rng) for line in sound.splitlines()))
                    self.assertIn("</html>", experiment_page.render(self.folder), path.read_bytes()[:2000])
                path.write_bytes(sound)


def drawn(draw, size, **data):
    """Draws as both_themes does, and throws the picture away."""
    figure = plt.figure(figsize=size)
    draw(figure, figures.THEMES["light"], **data)
    plt.close(figure)
    return {"light": "", "dark": ""}


def deep_damage(line, rng):
    """As damage, also inside lists."""
    record = json.loads(line)
    target = record
    while isinstance(target, (dict, list)) and target and rng.random() < 0.85:
        parent, key = target, rng.choice(list(target) if isinstance(target, dict) else range(len(target)))
        target = target[key]
    if target is record:
        return damage(line, rng)
    parent[key] = rng.choice([None, -1, 1e308, 10**400, [], {}, "x", True, [None, "x"], {"x": {}}])
    return json.dumps(record).encode()


if __name__ == "__main__":
    unittest.main()
