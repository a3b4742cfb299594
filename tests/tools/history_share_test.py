"""The share of Yes among shown answers, and its AUC with ties."""
import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools")]

import history_share as tool  # noqa: E402
import numpy as np  # noqa: E402


class HistoryShareTest(unittest.TestCase):
    def test_counts_the_answers_of_the_history_alone(self):
        prompts = [
            ("Yes or No.\nM*A*S*H: Yes; Alien: Nemesis: No; Babe: Yes; Heat: Yes; Say Yes:", 1),
            ("Yes or No.\nBabe:", 0),
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "test.jsonl"
            lines = [json.dumps({"input": text, "label": label}) for text, label in prompts]
            path.write_text("\n".join(lines) + "\n")
            shares, labels = tool.read(path)
        self.assertEqual(shares.tolist(), [0.75, 0.5])
        self.assertEqual(labels.tolist(), [1, 0])

    def test_ties_count_as_a_half(self):
        scores, labels = np.array([0.1, 0.5, 0.5, 0.9]), np.array([0, 0, 1, 1])
        self.assertEqual(tool.auc(scores, labels), 0.875)


if __name__ == "__main__":
    unittest.main()
