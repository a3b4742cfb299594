"""Makes tests/golden/losses.json: the losses and gradient norms of 20 LoRA steps in double precision, for D6.

An implementation of its own of the Llama forward pass, on NumPy, with gradients by the package `autograd`, clipping
and AdamW; it has no line in common with the engine, and its logits are first compared with those that transformers
gave for the same checkpoints (expected.json). Prompts and the adapter's start are formulas that golden_losses_test.cc
has as well. No dropout: masks are the engine's own.

usage: make_loss_golden.py OUTPUT_FILE      (needs numpy and autograd)
"""

import json
import pathlib
import struct
import sys

import autograd
import autograd.numpy as np

FOLDER = pathlib.Path(__file__).parent / "tiny"
MODELS = ("grouped", "tied", "head_dim", "scaled", "sharded_bf16")
MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SETTINGS = {
    "attention": {"modules": ("q_proj", "v_proj"), "r": 4, "alpha": 8.0, "rate": 1e-2, "warmup": 0, "norm": 0.5},
    "all": {"modules": MODULES, "r": 2, "alpha": 6.0, "rate": 5e-3, "warmup": 5, "norm": 0.0},
}
STEPS = 20
PROMPTS = 12
VOCABULARY = 131


def prompt(p):
    """Ids, and how many of the last are trained on."""
    return [(31 * p + 17 * t + 3 * t * t) % VOCABULARY for t in range(5 + 7 * p % 23)], 1 + p % 2


def first_parameters(count):
    i = np.arange(count)
    return (((37 * i + 11) % 101 - 50) / 500).astype(np.float32).astype(np.float64)


def read_tensors(path):
    data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[8 + size + begin:8 + size + end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, "<f4")
        yield name.removeprefix("model."), values.reshape(entry["shape"]).astype(np.float64)


class Model:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {k: v for f in sorted(folder.glob("*.safetensors")) for k, v in read_tensors(f)}
        self.heads = self.config["num_attention_heads"]
        self.kv_heads = self.config["num_key_value_heads"]
        self.head_dim = self.config["head_dim"]
        self.frequencies = self.inverse_frequencies()

    def inverse_frequencies(self):
        rope = self.config.get("rope_parameters") or self.config.get("rope_scaling") or {}
        theta = self.config.get("rope_theta") or rope["rope_theta"]
        plain = theta ** (-np.arange(0, self.head_dim, 2) / self.head_dim)
        if rope.get("rope_type", "default") == "default":
            return plain
        low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
        turns = rope["original_max_position_embeddings"] * plain / (2 * np.pi)
        kept = np.clip((turns - low) / (high - low), 0.0, 1.0)
        return plain * (kept + (1.0 - kept) / factor)

    def norm(self, x, name):
        scale = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.config["rms_norm_eps"])
        return self.weights[name] * x / scale

    def linear(self, x, layer, block, module, lora):
        name = f"layers.{layer}.{block}.{module}"
        y = x @ self.weights[name + ".weight"].T
        if (layer, module) in lora:
            a, b, scale = lora[layer, module]
            y = y + scale * ((x @ a.T) @ b.T)
        return y

    def turned(self, x, heads):
        """[tokens, heads · d] to [heads, tokens, d] with the rotary embedding."""
        tokens, half = len(x), self.head_dim // 2
        x = np.transpose(np.reshape(x, (tokens, heads, self.head_dim)), (1, 0, 2))
        angles = np.arange(tokens)[:, None] * self.frequencies
        first, second = x[..., :half], x[..., half:]
        return np.concatenate((first * np.cos(angles) - second * np.sin(angles),
                               second * np.cos(angles) + first * np.sin(angles)), axis=-1)

    def attention(self, x, layer, lora):
        tokens = len(x)
        q, k, v = (self.linear(x, layer, "self_attn", m, lora) for m in ("q_proj", "k_proj", "v_proj"))
        q, k = self.turned(q, self.heads), self.turned(k, self.kv_heads)
        v = np.transpose(np.reshape(v, (tokens, self.kv_heads, self.head_dim)), (1, 0, 2))
        repeats = self.heads // self.kv_heads
        k, v = np.repeat(k, repeats, axis=0), np.repeat(v, repeats, axis=0)
        scores = q @ np.transpose(k, (0, 2, 1)) / np.sqrt(self.head_dim)
        scores = np.where(np.tri(tokens, dtype=bool), scores, -1e30)
        scores = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
        mixed = (scores / np.sum(scores, axis=-1, keepdims=True)) @ v
        mixed = np.reshape(np.transpose(mixed, (1, 0, 2)), (tokens, self.heads * self.head_dim))
        return self.linear(mixed, layer, "self_attn", "o_proj", lora)

    def mlp(self, x, layer, lora):
        gate = self.linear(x, layer, "mlp", "gate_proj", lora)
        up = self.linear(x, layer, "mlp", "up_proj", lora)
        return self.linear(gate / (1.0 + np.exp(-gate)) * up, layer, "mlp", "down_proj", lora)

    def logits(self, ids, lora):
        x = self.weights["embed_tokens.weight"][np.array(ids)]
        for layer in range(self.config["num_hidden_layers"]):
            x = x + self.attention(self.norm(x, f"layers.{layer}.input_layernorm.weight"), layer, lora)
            x = x + self.mlp(self.norm(x, f"layers.{layer}.post_attention_layernorm.weight"), layer, lora)
        head = self.weights.get("lm_head.weight", self.weights["embed_tokens.weight"])
        return self.norm(x, "norm.weight") @ head.T

    def size_of(self, module):
        """(out, in) of a linear."""
        block = "self_attn" if module[0] in "qkvo" and module != "up_proj" else "mlp"
        return self.weights[f"layers.0.{block}.{module}.weight"].shape


class Adapter:
    """Views of a flat vector: per layer, per module in MODULES' order, A [r, in] then B [out, r]."""

    def __init__(self, model, setting):
        self.places, end = {}, 0
        self.scale = setting["alpha"] / setting["r"]
        for layer in range(model.config["num_hidden_layers"]):
            for module in (m for m in MODULES if m in setting["modules"]):
                out, into = model.size_of(module)
                middle = end + setting["r"] * into
                self.places[layer, module] = (end, (setting["r"], into), middle, (out, setting["r"]))
                end = middle + out * setting["r"]
        self.parameters = end

    def views(self, flat):
        def part(begin, shape):
            return np.reshape(flat[begin:begin + shape[0] * shape[1]], shape)
        return {at: (part(a, a_shape), part(b, b_shape), self.scale)
                for at, (a, a_shape, b, b_shape) in self.places.items()}


def loss_of(model, adapter, flat):
    """The mean over all labels of -log p."""
    lora, total, labels = adapter.views(flat), 0.0, 0
    for p in range(PROMPTS):
        ids, answer = prompt(p)
        places = np.arange(len(ids) - answer - 1, len(ids) - 1)
        rows = model.logits(ids, lora)[places]
        rows = rows - np.max(rows, axis=-1, keepdims=True)
        rows = rows - np.log(np.sum(np.exp(rows), axis=-1, keepdims=True))
        total = total - np.sum(rows[np.arange(answer), np.array(ids[-answer:])])
        labels += answer
    return total / labels


def rate_of(step, setting):
    if step < setting["warmup"]:
        return setting["rate"] * step / setting["warmup"]
    return setting["rate"] * (STEPS - step) / (STEPS - setting["warmup"])


def train(model, setting):
    adapter = Adapter(model, setting)
    flat = first_parameters(adapter.parameters)
    value_and_grad = autograd.value_and_grad(lambda x: loss_of(model, adapter, x))
    m, v = np.zeros_like(flat), np.zeros_like(flat)
    losses, norms = [], []
    for step in range(STEPS):
        loss, gradient = value_and_grad(flat)
        norm = float(np.sqrt(np.sum(gradient * gradient)))
        losses.append(float(loss))
        norms.append(norm)
        if 0.0 < setting["norm"] < norm:
            gradient = gradient * (setting["norm"] / norm)
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient * gradient
        corrected = (m / (1.0 - 0.9 ** (step + 1))) / (np.sqrt(v / (1.0 - 0.999 ** (step + 1))) + 1e-8)
        flat = flat - rate_of(step, setting) * corrected
    return {"losses": losses, "gradient_norms": norms}


def check_logits(name, model):
    for one in json.loads((FOLDER / name / "expected.json").read_text()):
        error = np.abs(model.logits(one["ids"], {})[-1] - np.array(one["logits"])).max()
        if error > 1e-4:
            sys.exit(f"{name}: logits are {error:.2e} from those of transformers")


def main(output):
    golden = {}
    for name in MODELS:
        model = Model(FOLDER / name)
        check_logits(name, model)
        for label, setting in SETTINGS.items():
            run = train(model, setting)
            print(f"{name} {label}: {run['losses'][0]:.6f} to {run['losses'][-1]:.6f}", file=sys.stderr)
            golden[f"{name}_{label}"] = run
    pathlib.Path(output).write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
