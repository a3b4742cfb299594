"""Makes the tiny Llama checkpoints and expected outputs under tests/golden/tiny.

Needs torch and transformers. Weights are random with a fixed seed; ids and outputs go to
expected.json: the logits at the last position of each prompt, mean-pooled final-norm hidden states,
and a greedy continuation, all in fp32.

usage: make_tiny_models.py OUTPUT_FOLDER
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers

CASES = {
    "grouped": {"num_key_value_heads": 2},
    "tied": {"num_key_value_heads": 4, "tie_word_embeddings": True},
    "head_dim": {"num_key_value_heads": 1, "head_dim": 24, "rope_theta": 500000.0},
    "scaled": {
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    },
    "sharded_bf16": {"num_key_value_heads": 2},
}
PROMPT_LENGTHS = (1, 2, 17, 60)
NEW_TOKENS = 8


def make_model(name, changes):
    config = transformers.LlamaConfig(
        vocab_size=131,
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=2,
        num_attention_heads=4,
        **{"max_position_embeddings": 128, "tie_word_embeddings": False, **changes},
    )
    model = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.15 if parameter.dim() == 2 else 0.3
            parameter.copy_(torch.randn_like(parameter) * scale + (parameter.dim() == 1))
        model.model.embed_tokens.weight.mul_(4.0)
        model.tie_weights()
    return model.to(torch.bfloat16) if name.endswith("bf16") else model


def older_config(folder):
    """config.json as files before transformers 5 had it: rope_theta and rope_scaling."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters", {})
    config["rope_theta"] = rope.pop("rope_theta", 10000.0)
    config["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    path.write_text(json.dumps(config, indent=2) + "\n")


def expected(model):
    result = []
    for length in PROMPT_LENGTHS:
        ids = torch.randint(0, model.config.vocab_size, (1, length))
        with torch.no_grad():
            hidden = model.model(ids).last_hidden_state[0]
            logits = model.lm_head(hidden[-1])
            text = ids
            for _ in range(NEW_TOKENS):
                text = torch.cat([text, model(text).logits[:, -1].argmax(-1, keepdim=True)], 1)
        result.append({
            "ids": ids[0].tolist(),
            "logits": [round(x, 6) for x in logits.tolist()],
            "mean_hidden": [round(x, 6) for x in hidden.mean(0).tolist()],
            "greedy": text[0, length:].tolist(),
        })
    return result


def main():
    output = pathlib.Path(sys.argv[1])
    torch.manual_seed(42)
    for name, changes in CASES.items():
        folder = output / name
        shutil.rmtree(folder, ignore_errors=True)
        model = make_model(name, dict(changes))
        model.save_pretrained(folder, max_shard_size="60KB" if "sharded" in name else "5GB")
        (folder / "generation_config.json").unlink(missing_ok=True)
        if name in ("tied", "sharded_bf16"):
            older_config(folder)
        # Loaded again: .to(bfloat16) has rounded the rotary frequencies too.
        model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        (folder / "expected.json").write_text(json.dumps(expected(model)) + "\n")


if __name__ == "__main__":
    main()
