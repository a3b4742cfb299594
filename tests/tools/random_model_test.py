"""The model with random weights: names, shapes, scales and bytes, and what it refuses."""
import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools")]

import numpy as np  # noqa: E402
import write_random_model as tool  # noqa: E402
from safetensors import safe_open  # noqa: E402

TOKENIZER = ROOT / "tests" / "fixtures" / "tiny_tokenizer"
PROGRAM = sys.argv.pop() if len(sys.argv) > 1 else None
TINY = "--layers 2 --hidden 32 --intermediate 48 --heads 4 --kv-heads 2 --head-dim 8 --vocabulary 300"


def bf16_as_float(path):
    """name -> fp32 values, read from the bytes without a bf16 type."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    result = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        bits = np.frombuffer(data[begin:end], "<u2").astype(np.uint32) << 16
        result[name] = bits.view(np.float32).reshape(entry["shape"])
    return result


class RandomModel(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, *more):
        output = pathlib.Path(self.folder.name) / name
        arguments = [str(output), "--tokenizer", str(TOKENIZER), *TINY.split(), *more]
        with contextlib.redirect_stderr(io.StringIO()):
            tool.main(arguments)
        return output

    def test_the_default_is_the_published_model(self):
        shape = tool.parse(["x", "--tokenizer", "y"])
        tensors = list(tool.tensors_of(shape))
        # 291 tensors, 8.03 B parameters and 16.06 GB are what the published folder's index states.
        self.assertEqual(len(tensors), 291)
        self.assertEqual(sum(map(tool.bytes_of, tensors)), 16060522496)
        shards = tool.shards_of(tensors, 4)
        self.assertEqual(sum(shards, []), tensors)
        self.assertLess(max(sum(map(tool.bytes_of, shard)) for shard in shards), 5.3e9)
        config = tool.config_of(shape)
        self.assertEqual((config["vocab_size"], config["num_hidden_layers"]), (128256, 32))
        self.assertEqual(config["rope_scaling"]["factor"], 8.0)

    def test_shards_hold_every_tensor_once_at_its_scale(self):
        output = self.write("model", "--shards", "3")
        index = json.loads((output / "model.safetensors.index.json").read_text())
        files = sorted(set(index["weight_map"].values()))
        self.assertEqual(len(files), 3)
        values = {}
        for file in files:
            here = bf16_as_float(output / file)
            with safe_open(output / file, "np") as other:
                self.assertEqual(set(other.keys()), set(here))
            self.assertEqual({index["weight_map"][name] for name in here}, {file})
            values.update(here)
        shape = tool.parse(["x", "--tokenizer", "y", *TINY.split()])
        wanted = {name: rest for name, *rest in tool.tensors_of(shape)}
        self.assertEqual(set(values), set(wanted))
        self.assertEqual(index["metadata"]["total_size"], sum(2 * v.size for v in values.values()))
        for name, (dimensions, deviation, mean) in wanted.items():
            self.assertEqual(values[name].shape, dimensions, name)
            self.assertAlmostEqual(values[name].mean() - mean, 0, delta=deviation, msg=name)
            self.assertAlmostEqual(values[name].std() / deviation, 1, delta=0.5, msg=name)
        self.assertEqual((output / "tokenizer.json").read_bytes(), (TOKENIZER / "tokenizer.json").read_bytes())

    def test_the_seed_alone_decides_the_bytes(self):
        first, again, other = self.write("a"), self.write("b"), self.write("c", "--seed", "2")
        for path in first.glob("*.safetensors"):
            self.assertEqual(path.read_bytes(), (again / path.name).read_bytes())
            self.assertNotEqual(path.read_bytes(), (other / path.name).read_bytes())

    def test_rounding_is_to_the_nearest_and_to_even(self):
        values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -2.5], np.float32)
        got = (tool.to_bf16(values).astype(np.uint32) << 16).view(np.float32)
        np.testing.assert_array_equal(got, np.float32([1.0, 1.0, 1 + 2**-6, 1 + 2**-7, -2.5]))

    def test_an_existing_folder_and_a_missing_tokenizer_are_refused(self):
        self.write("model")
        with self.assertRaisesRegex(SystemExit, "exists already"):
            self.write("model")
        with self.assertRaisesRegex(SystemExit, "tokenizer.json is missing"):
            tool.main([f"{self.folder.name}/new", "--tokenizer", self.folder.name])
        with self.assertRaisesRegex(SystemExit, "--shards 99"):
            self.write("many", "--shards", "99")

    def test_the_program_computes_finite_logits_with_it(self):
        self.assertIsNotNone(PROGRAM, "the last argument is the program")
        output = self.write("model")
        folder = pathlib.Path(self.folder.name)
        (folder / "ids.jsonl").write_text('{"ids":[1,5,9,40]}\n{"ids":[7]}\n')
        line = [PROGRAM, "logits", "--model", output, "--quant", "fp32"]
        line += ["--input", folder / "ids.jsonl", "--output", folder / "logits.safetensors"]
        subprocess.run(list(map(str, line)), check=True, capture_output=True)
        with safe_open(folder / "logits.safetensors", "np") as file:
            logits = file.get_tensor("logits")
        self.assertEqual(logits.shape, (2, 300))
        self.assertTrue(np.isfinite(logits).all())
        self.assertGreater(logits.std(), 0.1)


if __name__ == "__main__":
    unittest.main()
