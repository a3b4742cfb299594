"""Makes tests/golden/peft: a LoRA adapter written by PEFT for the model tests/golden/tiny/grouped.

Needs torch, transformers and peft. A and B are random with a fixed seed, so B is not zero.

usage: make_peft_adapter.py MODEL_FOLDER OUTPUT_FOLDER
       make_peft_adapter.py --compare MODEL_FOLDER PEFT_FOLDER REWRITTEN_FOLDER

The second form loads an adapter that was read and written by this project with PEFT and compares every
tensor with those PEFT wrote, bit by bit.
"""
import pathlib
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM


def make(model_folder, output):
    torch.manual_seed(17)
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    base.config._name_or_path = "tiny/grouped"
    base.name_or_path = "tiny/grouped"
    config = LoraConfig(r=3, lora_alpha=6, lora_dropout=0.1, task_type="CAUSAL_LM",
                        target_modules=["v_proj", "q_proj", "down_proj"])
    model = get_peft_model(base, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.normal_()
    model.save_pretrained(output)
    (pathlib.Path(output) / "README.md").unlink()


def tensors(model_folder, adapter):
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, adapter)
    return {name: value for name, value in model.state_dict().items() if "lora_" in name}


def compare(model_folder, first, second):
    one, other = tensors(model_folder, first), tensors(model_folder, second)
    assert one.keys() == other.keys() and one
    for name, value in one.items():
        assert value.dtype == other[name].dtype and torch.equal(value, other[name]), name
    print(f"{len(one)} tensors are equal")


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        compare(*sys.argv[2:])
    else:
        make(*sys.argv[1:])
