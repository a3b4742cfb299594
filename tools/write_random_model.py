"""Writes a model folder with random weights and the shapes and names of Llama-3.1-8B, or smaller ones.

usage: write_random_model.py OUTPUT --tokenizer DIR [--layers 32] [--hidden 4096] … [--seed 1]

config.json (with Llama-3.1's rope scaling), bf16 safetensors shards with their index, and the tokenizer
files of DIR. Tensors are written a few million values at a time, so that a model of 16 GB is made in
less than 1 GB of memory. It answers nothing sensible: it is for measuring memory and time at full size.

Scales keep activations finite at any depth: a matrix with n inputs has standard deviation 0.5 / sqrt(n),
those that write into the residual stream 1 / sqrt(2 layers) of that, norms are around 1. The same seed
and shape give the same bytes, however tensors are cut.
"""

import argparse
import json
import pathlib
import shutil
import struct
import sys
import zlib

import numpy as np

CHUNK = 1 << 22  # values drawn at a time: 16 MB in fp32
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
ROPE_SCALING = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
    "rope_type": "llama3",
}


def tensors_of(shape):
    """(name, dimensions, standard deviation, mean) in the order of the forward pass."""
    hidden, inner = shape.hidden, shape.intermediate
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    residual = (2 * shape.layers) ** -0.5

    def matrix(name, out, into, scale=1.0):
        return name, (out, into), 0.5 * scale * into**-0.5, 0.0

    yield "model.embed_tokens.weight", (shape.vocabulary, hidden), 0.02, 0.0
    for layer in range(shape.layers):
        at = f"model.layers.{layer}."
        yield at + "input_layernorm.weight", (hidden,), 0.02, 1.0
        yield matrix(at + "self_attn.q_proj.weight", query, hidden)
        yield matrix(at + "self_attn.k_proj.weight", key, hidden)
        yield matrix(at + "self_attn.v_proj.weight", key, hidden)
        yield matrix(at + "self_attn.o_proj.weight", hidden, query, residual)
        yield at + "post_attention_layernorm.weight", (hidden,), 0.02, 1.0
        yield matrix(at + "mlp.gate_proj.weight", inner, hidden)
        yield matrix(at + "mlp.up_proj.weight", inner, hidden)
        yield matrix(at + "mlp.down_proj.weight", hidden, inner, residual)
    yield "model.norm.weight", (hidden,), 0.02, 1.0
    if not shape.tied:
        yield matrix("lm_head.weight", shape.vocabulary, hidden)


def bytes_of(tensor):
    return 2 * int(np.prod(tensor[1], dtype=np.int64))


def shards_of(tensors, count):
    """Consecutive tensors in `count` lists of about equal bytes, none of them empty."""
    if not 1 <= count <= len(tensors):
        sys.exit(f"--shards {count}: there are {len(tensors)} tensors, so 1 to {len(tensors)} shards")
    total, passed = sum(map(bytes_of, tensors)), 0
    shards = [[]]
    for i, tensor in enumerate(tensors):
        full = passed * count >= total * len(shards)
        must = len(tensors) - i <= count - len(shards)
        if shards[-1] and len(shards) < count and (full or must):
            shards.append([])
        shards[-1].append(tensor)
        passed += bytes_of(tensor)
    return shards


def to_bf16(values):
    """fp32 to the bits of the nearest bf16, ties to even."""
    bits = values.view(np.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype("<u2")


def values_of(tensor, seed):
    """The tensor's bf16 bits, CHUNK at a time; they depend on seed, name and shape alone."""
    name, dimensions, deviation, mean = tensor
    rng = np.random.Generator(np.random.SFC64([seed, zlib.crc32(name.encode())]))
    left = int(np.prod(dimensions, dtype=np.int64))
    while left > 0:
        values = rng.standard_normal(min(left, CHUNK), dtype=np.float32)
        left -= values.size
        yield to_bf16(values * np.float32(deviation) + np.float32(mean))


def write_shard(path, tensors, seed):
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for tensor in tensors:
        begin, end = end, end + bytes_of(tensor)
        header[tensor[0]] = {"dtype": "BF16", "shape": tensor[1], "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            for values in values_of(tensor, seed):
                file.write(values.data)


def config_of(shape):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "attention_bias": False,
        "bos_token_id": min(128000, shape.vocabulary - 2),
        "eos_token_id": min(128009, shape.vocabulary - 1),
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "max_position_embeddings": 131072,
        "mlp_bias": False,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "rms_norm_eps": 1e-05,
        "rope_scaling": ROPE_SCALING,
        "rope_theta": 500000.0,
        "tie_word_embeddings": shape.tied,
        "torch_dtype": "bfloat16",
        "vocab_size": shape.vocabulary,
    }


def write_model(output, shape):
    tensors = list(tensors_of(shape))
    shards = shards_of(tensors, shape.shards)
    total = sum(map(bytes_of, tensors))
    if shutil.disk_usage(output).free < total + (64 << 20):
        sys.exit(f"{output}: the weights take {total / 1e9:.1f} GB, and there is less space on the disk")
    places = {}
    for i, shard in enumerate(shards):
        name = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        write_shard(output / name, shard, shape.seed)
        places.update((tensor[0], name) for tensor in shard)
        print(f"{output / name}: {sum(map(bytes_of, shard)) / 1e9:.3f} GB", file=sys.stderr)
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (output / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    (output / "config.json").write_text(json.dumps(config_of(shape), indent=2) + "\n")


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=pathlib.Path, help="folder to make; must not exist")
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True, help="folder with tokenizer.json")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--intermediate", type=int, default=14336)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--kv-heads", type=int, default=8)
    parser.add_argument("--head-dim", type=int, default=128)
    parser.add_argument("--vocabulary", type=int, default=128256)
    parser.add_argument("--tied", action="store_true", help="the head is the embedding table")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments=None):
    shape = parse(arguments)
    if not (shape.tokenizer / "tokenizer.json").is_file():
        sys.exit(f"{shape.tokenizer}/tokenizer.json is missing; --tokenizer names the folder that has it")
    if shape.output.exists():
        sys.exit(f"{shape.output} exists already; name another folder or remove it")
    shape.output.mkdir(parents=True)
    for name in TOKENIZER_FILES:
        if (shape.tokenizer / name).is_file():
            shutil.copyfile(shape.tokenizer / name, shape.output / name)
    write_model(shape.output, shape)


if __name__ == "__main__":
    sys.exit(main())
