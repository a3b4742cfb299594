"""The report's reading and figures, on made-up and on damaged run folders."""
import json
import os
import pathlib
import random
import shutil
import stat
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "tools")]

import made_up_run  # noqa: E402
import made_up_tables  # noqa: E402
import numpy as np  # noqa: E402
import report  # noqa: E402
from report_page import (dataset, examples, figures, item_map, page, retrieval, scores,  # noqa: E402
                         statistics)
from report_page.figures import smoothed  # noqa: E402
from report_page.run_folder import RunFolder, as_object  # noqa: E402


class Curves(unittest.TestCase):
    def test_area_under_the_roc_curve_is_the_share_of_ordered_pairs(self):
        rng = np.random.default_rng(1)
        for count in (2, 3, 17, 400):
            labels = np.append([0, 1], rng.integers(0, 2, count - 2))
            values = rng.integers(0, 7, count) / 7  # many ties
            x, y = scores.roc(labels, values)
            difference = values[labels == 1][:, None] - values[labels == 0][None, :]
            pairs = np.mean(np.where(difference == 0, 0.5, difference > 0))
            self.assertAlmostEqual(np.trapezoid(y, x), pairs, places=12)
            self.assertEqual((x[0], y[0], x[-1], y[-1]), (0, 0, 1, 1))

    def test_long_curves_are_thinned_and_keep_their_ends(self):
        rng = np.random.default_rng(2)
        labels = rng.integers(0, 2, 50000)
        x, y = scores.roc(labels, rng.random(50000))
        self.assertLessEqual(len(x), 1000)
        self.assertEqual((x[0], y[0], x[-1], y[-1]), (0, 0, 1, 1))

    def test_calibration_bins_hold_every_prompt_once(self):
        labels = np.array([0, 0, 1, 0, 1, 1, 1])
        values = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9])
        rows = scores.calibration(labels, values, bins=3)
        self.assertEqual(rows[:, 3].sum(), 7)
        self.assertAlmostEqual((rows[:, 1] * rows[:, 3]).sum(), labels.sum())
        self.assertAlmostEqual(rows[0, 0], np.mean(values[:3]))
        self.assertEqual(len(scores.calibration(labels[:2], values[:2])), 2)

    def test_smoothing_keeps_straight_lines(self):
        line = np.arange(200) * 0.5 + 3
        np.testing.assert_allclose(smoothed(line), line)
        np.testing.assert_allclose(smoothed([1.0]), [1.0])


class Output(unittest.TestCase):
    def test_a_device_is_written_to_and_not_replaced(self):
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        report.write_page(os.ttyname(slave), "page")
        self.assertTrue(stat.S_ISCHR(os.stat(os.ttyname(slave)).st_mode))
        self.assertEqual(os.read(master, 100), b"page")

    def test_a_link_is_followed(self):
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder, "target.html")
            target.write_text("old")
            pathlib.Path(folder, "link.html").symlink_to(target)
            report.write_page(os.path.join(folder, "link.html"), "new")
            self.assertEqual(target.read_text(), "new")
            self.assertEqual(len(os.listdir(folder)), 2)


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="rallrec-")
        self.addCleanup(shutil.rmtree, self.folder)

    def complete(self):
        made_up_run.main(self.folder)
        return self.folder

    def put(self, name, text):
        made_up_run.put(self.folder, name, text)

    def test_a_complete_run_has_every_section(self):
        html = page.render(self.complete())
        for text in ("Result", "0.7312", "0.6900 – 0.7702", "+0.1688", "Scores", "Tuning", "Stages",
                     "light_gcn", "6 min 38 s", "Data", "Prompts to read", "made-up-135m", "0123abc",
                     "made-up CPU, 2 cores, avx2", "Learning the embeddings", "Retrieval",
                     "made-up-135m, atomic, tuned on 512 prompts", "Item embeddings"):
            self.assertIn(text, html)
        self.assertEqual(html.count("data:image/svg+xml"), 2 * 8)
        self.assertEqual(html.count("data:image/png"), 2)

    def test_nothing_hostile_and_nothing_from_elsewhere(self):
        html = page.render(self.complete())
        self.assertIn("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;", html)
        self.assertIn("{{ 7 * 7 }}", html)
        for text in ("<script", "http://", "https://", "\x07"):
            self.assertNotIn(text, html)

    def test_an_empty_folder_and_single_pieces(self):
        self.assertIn("no finished stage yet", page.render(self.folder))
        self.enterContext(unittest.mock.patch.object(figures, "both_themes", one_theme))
        made_up_run.main(self.folder)
        pieces = [(folder, name) for folder, _, names in os.walk(self.folder) for name in names]
        for folder, name in pieces:
            with tempfile.TemporaryDirectory(prefix="rallrec-") as alone:
                relative = os.path.relpath(os.path.join(folder, name), self.folder)
                os.makedirs(os.path.dirname(os.path.join(alone, relative)), exist_ok=True)
                shutil.copy(os.path.join(folder, name), os.path.join(alone, relative))
                self.assertIn("</html>", page.render(alone))

    def test_damaged_lines_are_named(self):
        self.put("tune/metrics.jsonl", '{"step": 1, "loss": 1}\n{"step": 2, "lo')
        html = page.render(self.folder)
        self.assertIn("1 line could not be read", html)
        self.assertIn("1 step,", html)

    def test_prompts_without_scores_are_shown(self):
        self.put("prompt/test.jsonl", '{"input": "q\\nx 5; y 3\\nLast: Z", "label": 0}\n{"input": 5}\n')
        html = page.render(self.folder)
        for text in ("not scored yet", "2 items of the history", ">Z<", "truth <b>No</b>"):
            self.assertIn(text, html)

    def test_one_class_has_no_curves_but_examples(self):
        self.put("infer/scores.jsonl", '{"label": 1, "score": 0.5, "input": "q"}\n' * 3)
        html = page.render(self.folder)
        self.assertNotIn("ROC", html)
        self.assertIn("Prompts to read", html)

    def test_runs_of_a_baseline_and_of_the_bare_model(self):
        lines = "".join(f'{{"label": {i % 2}, "score": 0.{1 + i}}}\n' for i in range(8))
        metrics = {"n": 8, "positive_rate": 0.5, "auc": 0.6123, "log_loss": 0.7, "accuracy": 0.5, "intervals": {}}
        for model, config, file in (
                ("baseline", '[baseline]\nmodel = "dcn"\n', "baseline/dcn/scores.jsonl"),
                ("zero_shot", '[infer]\nadapter = "none"\n', "infer/scores.jsonl")):
            self.put("config.resolved.toml", config)
            self.put(file, lines)
            self.put("evaluate/metrics.json", json.dumps({model: metrics}))
            html = page.render(self.folder)
            self.assertIn(f"AUC, {figures.LABELS[model]}", html)
            self.assertIn("0.6123", html)
            self.assertIn("ROC", html)
            self.assertNotIn("against zero-shot", html)
            os.remove(os.path.join(self.folder, file))

    def test_odd_values_are_left_out(self):
        self.put("infer/scores.jsonl", "".join(
            line + "\n" for line in
            ('{"label": 2, "score": 0.5}', '{"label": 1, "score": NaN}', '{"label": 1, "score": 7}',
             '{"label": true, "score": 0.5}', '{"output": "Yes.", "score": 0.75}', '{"output": 3, "score": 0.5}',
             '[1]', '{"label": 0, "score": "x"}', '{"label": 0, "score": 0.25, "messages": [1, {"content": 5}], '
             '"timestamp": 1e300}')))
        found = scores.Scores(RunFolder(self.folder), "infer/scores.jsonl")
        self.assertEqual(found.scores.tolist(), [0.5, 0.75, 0.25])
        self.assertIn("</html>", page.render(self.folder))

    def test_damaged_folders_never_fail(self):
        self.complete()
        rng = random.Random(3)
        files = ["environment.json", "ingest/manifest.json", "tune/manifest.json", "evaluate/metrics.json",
                 "tune/metrics.jsonl", "infer/scores.jsonl", "config.resolved.toml"]
        with unittest.mock.patch.object(figures, "both_themes", one_theme):
            for name in files:
                path = os.path.join(self.folder, name)
                sound = pathlib.Path(path).read_bytes()
                damaged = [damage(line, rng) for line in sound.splitlines()]
                pathlib.Path(path).write_bytes(b"\n".join(damaged))
                self.assertIn("</html>", page.render(self.folder), damaged[:3])
                pathlib.Path(path).write_bytes(sound)


def damage(line, rng):
    """A line of JSON with one value replaced, or a line of anything with bytes replaced."""
    record = as_object(line)
    if record is None or rng.random() < 0.1:
        at = rng.randrange(len(line) + 1)
        return line[:at] + rng.choice([b"\xff", b"\x00", b"1e999", b"}", b'"']) + line[at + 2:]
    target = record
    while True:
        key = rng.choice(list(target))
        if not (isinstance(target[key], dict) and target[key] and rng.random() < 0.8):
            break
        target = target[key]
    target[key] = rng.choice([None, -1, 1e308, 10**400, [], {}, "x", True, [None, "x"], {"x": {}}])
    return json.dumps(record).encode()


real_both_themes = figures.both_themes


def one_theme(*arguments, **data):
    light = {"light": figures.THEMES["light"]}
    with unittest.mock.patch.object(figures, "THEMES", light):
        images = real_both_themes(*arguments, **data)
    return {"light": images["light"], "dark": images["light"]}


class Tables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rallrec-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        made_up_tables.main(cls.folder)
        cls.run_folder = RunFolder(cls.folder)
        cls.dataset = dataset.Dataset.load(cls.run_folder)

    def test_statistics_count_what_is_there(self):
        # Fields: the two ids, gender, title, genres; their values 20 + 60 + 2 + 60 + 3.
        self.assertEqual(statistics.table(self.dataset), (20, 60, 140, 5, 145))
        more = dict(statistics.more(self.dataset))
        self.assertEqual(more["interactions"], 240)
        self.assertAlmostEqual(more["share of label 1"], self.dataset.label.mean())

    def test_a_history_is_what_the_user_did_before(self):
        sample = len(self.dataset.row) - 1
        rows = self.dataset.history(sample)
        self.assertEqual(len(rows), made_up_tables.PER_USER - 1)
        self.assertTrue((self.dataset.user[rows] == self.dataset.user[self.dataset.row[sample]]).all())
        self.assertTrue((np.diff(rows) > 0).all() and rows[-1] < self.dataset.row[sample])

    def test_cells_hold_cosines_and_ranks(self):
        channels = retrieval.Channels(self.run_folder, len(self.dataset.items))
        sample = len(self.dataset.row) - 1
        card = retrieval.card(self.dataset, channels, retrieval.Neighbours(self.run_folder), sample, "high", {"k": 2})
        self.assertEqual(card["columns"], ["text", "graph", "aligned", "sum of cosines"])
        shown = [row for row in card["rows"] if row["shown"]]
        # The neighbours are places 2, 0 and 1, of which the view shows two.
        rows = self.dataset.history(sample)
        self.assertEqual([row["title"] for row in shown],
                         [self.dataset.title(self.dataset.item[rows[place]]) for place in (2, 0)])
        text = dataset.embedding(self.run_folder, "text", len(self.dataset.items)).astype(np.float64)
        a, b = text[self.dataset.item[rows[2]]], text[self.dataset.target(sample)]
        self.assertAlmostEqual(shown[0]["cells"][0]["value"],
                               a @ b / np.sqrt((a @ a) * (b @ b)), places=5)
        self.assertAlmostEqual(shown[0]["cells"][3]["value"],
                               sum(cell["value"] for cell in shown[0]["cells"][:3]), places=5)
        self.assertIn(1, [row["cells"][3]["rank"] for row in card["rows"]])

    def test_the_reranker_is_that_of_the_worked_example(self):
        # History t1 … t8 are places 0 … 7; K = 4, alpha = 2/3, beta = 1.
        similar, newest = [1, 4, 0, 5], [7, 6, 5, 4]
        expected = {"max": [1, 4, 7, 0], "sum": [1, 4, 7, 5]}
        for combine, places in expected.items():
            shown = retrieval.shown_places("rerank", similar, newest, 8, {"k": 4, "rerank_combine": combine})
            self.assertEqual(list(shown), places)
        self.assertAlmostEqual(shown[4][0], 1 / 3 + 1 / 12)
        self.assertEqual(shown[4][1], "both")

    def test_maps_keep_groups_together(self):
        rng = np.random.default_rng(4)
        groups = np.repeat(np.eye(3), 20, axis=0) + 0.05 * rng.standard_normal((60, 3))
        points = item_map.tsne(groups)
        centres = points.reshape(3, 20, 2).mean(axis=1)
        spread = np.linalg.norm(points.reshape(3, 20, 2) - centres[:, None], axis=2).max()
        apart = min(np.linalg.norm(centres[i] - centres[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
        self.assertGreater(apart, 2 * spread)
        np.testing.assert_array_equal(points, item_map.tsne(groups))

    def test_perplexity_is_met(self):
        points = np.random.default_rng(5).standard_normal((50, 4))
        p = item_map.affinities(item_map.squares(points), 10.0)
        self.assertAlmostEqual(p.sum(), 1.0, places=6)
        np.testing.assert_allclose(p, p.T)

    def test_purity_counts_neighbours_of_the_own_kind(self):
        kinds = ["a"] * 15 + ["b"] * 15
        matrix = np.eye(2)[[0] * 15 + [1] * 15].astype(np.float32)
        rows = dict(item_map.purities({"text": matrix}, kinds, np.ones(30, dtype=bool)))
        self.assertEqual(rows[item_map.MAPS["text"]], 1.0)
        self.assertEqual(rows["by chance"], 0.5)

    def test_damaged_tables_are_named(self):
        folder = tempfile.mkdtemp(prefix="rallrec-")
        self.addCleanup(shutil.rmtree, folder)
        made_up_run.put(folder, "ingest/interactions.h5", "not HDF5")
        run = RunFolder(folder)
        self.assertIsNone(dataset.Dataset.load(run))
        self.assertIn("ingest/interactions.h5: not what its stage writes, left out", run.notes)
        made_up_tables.put_arrays(folder, "embed/text_embeddings.h5", {"text": np.full((3, 2), np.nan)})
        self.assertIsNone(dataset.embedding(run, "text", 3))
        self.assertIn("embed/text_embeddings.h5: 'text'", run.notes[-1])


class Examples(unittest.TestCase):
    def test_lists_in_prompts(self):
        self.assertEqual(examples.listed_items("a\n['x (5)', \"y's\"]\nb"), ["x (5)", "y's"])
        self.assertEqual(examples.listed_items('["x"]'), ["x"])
        for text in ("", "[1, 2", "[__import__('os')]", "[" * 5000 + "]" * 5000):
            self.assertEqual(examples.listed_items(text), [])

        self.assertEqual(examples.listed_items("q\nx 5; y; z 1\nb: c"), ["x 5", "y", "z 1"])
        self.assertEqual(examples.listed_items("Likes?\nA (1): Yes; B: No; C: 2 (3):"), ["A (1): Yes", "B: No"])

    def test_the_item_asked_about(self):
        self.assertEqual(examples.target_of("a: b\nWill it be ***x: y***, yes?\nSay: so"), "x: y")
        self.assertEqual(examples.target_of("a: b\nLast film: Made: up (1970)\n"), "Made: up (1970)")
        self.assertEqual(examples.target_of("Likes?\nA (1): Yes; B: No; C: 2 (3):"), "C: 2 (3)")
        for text in ("", "no mark", "a: " + "x" * 200):
            self.assertIn(examples.target_of(text), ("", "no mark"))

    def test_json_that_python_would_accept_is_cleaned(self):
        self.assertEqual(as_object('{"a": NaN, "b": Infinity}'), {"a": None, "b": None})
        self.assertIsNone(as_object("[" * 100000))


if __name__ == "__main__":
    unittest.main()
