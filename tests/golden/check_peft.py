"""Loads an adapter of `rallrec tune` with PEFT and compares its logits with `rallrec infer`.

usage: check_peft.py RALLREC MODEL ADAPTER PROMPTS

MODEL is a Llama-architecture folder with a ChatML tokenizer (tests/support/tiny_model.h makes one), PROMPTS
JSON Lines of {"input"}. Fails on a missing or unexpected key, and where a label word's logit differs by
more than 1e-4. Needs torch, transformers, peft and tokenizers; run by hand, not part of the test suite.
"""
import json
import subprocess
import sys
import tempfile

import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM


def load(model_folder, adapter_folder):
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    config = PeftConfig.from_pretrained(adapter_folder)
    assert config.base_model_name_or_path == model_folder, config.base_model_name_or_path
    model = PeftModel.from_pretrained(base, adapter_folder)
    result = model.load_adapter(adapter_folder, adapter_name="again")
    missing = [key for key in result.missing_keys if "lora" in key and "again" in key]
    assert not missing and not result.unexpected_keys, (missing, result.unexpected_keys)
    stored = load_file(adapter_folder + "/adapter_model.safetensors")
    held = {k.replace(".default", ""): v for k, v in model.state_dict().items() if ".default" in k}
    assert stored.keys() == held.keys()
    assert all(torch.equal(stored[key], held[key]) for key in stored)
    return model.eval(), base


def main():
    rallrec, model_folder, adapter_folder, prompts = sys.argv[1:]
    model, _ = load(model_folder, adapter_folder)
    tokenizer = Tokenizer.from_file(model_folder + "/tokenizer.json")
    words = [tokenizer.encode(word, add_special_tokens=False).ids[0] for word in ("Yes", "No")]
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as scores:
        subprocess.run([rallrec, "infer", "--model", model_folder, "--adapter", adapter_folder, "--quant",
                        "fp32", "--input", prompts, "--output", scores.name], check=True)
        lines = [json.loads(line) for line in open(scores.name)]
    worst, spread = 0.0, 0.0
    for line in lines:
        text = f"<|im_start|>user\n{line['input']}<|im_end|>\n<|im_start|>assistant\n"
        ids = torch.tensor([tokenizer.encode(text, add_special_tokens=False).ids])
        with torch.no_grad():
            logits = model(ids).logits[0, -1, words].tolist()
            with model.disable_adapter():
                bare = model(ids).logits[0, -1, words].tolist()
        ours = (line["logit_yes"], line["logit_no"])
        worst = max(worst, *(abs(a - b) for a, b in zip(ours, logits)))
        spread = max(spread, *(abs(a - b) for a, b in zip(bare, logits)))
    assert spread > 0.01, "the adapter changes nothing: this check would prove nothing"
    assert worst < 1e-4, worst
    print(f"{len(lines)} prompts: largest difference {worst:.2e}; the adapter moves logits by up to {spread:.2f}")


if __name__ == "__main__":
    main()
