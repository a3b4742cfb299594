"""transformers + PEFT on the CPU, as bench/compare/llm.py times them."""

import time

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

CHATML_PROMPT = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"


class Competitor:
    """Each method returns (result, seconds of the timed part, useful tokens)."""

    def __init__(self, model, threads, dtype):
        torch.set_num_threads(threads)
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.model = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype))
        self.pad = self.tokenizer.pad_token_id or 0
        self.end_of_turn = self.tokenizer.convert_tokens_to_ids("<|im_end|>")
        self.label_ids = [self.tokenizer.encode(word)[0] for word in ("Yes", "No")]

    def prompt_ids(self, row):
        return self.tokenizer.encode(CHATML_PROMPT.format(row["input"]))

    def padded(self, sequences):
        width = max(map(len, sequences))
        ids = torch.tensor([s + [self.pad] * (width - len(s)) for s in sequences])
        mask = torch.tensor([[1] * len(s) + [0] * (width - len(s)) for s in sequences])
        return ids, mask

    def tune(self, rows):
        """One optimizer step over all rows in micro-batches of 4; the result is the loss."""
        config = LoraConfig(
            r=8,
            lora_alpha=16,
            lora_dropout=0.05,
            target_modules=["q_proj", "v_proj"],
            task_type="CAUSAL_LM",
        )
        model = get_peft_model(self.model, config)
        model.train()
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=5e-4)
        prompts = [self.prompt_ids(row) for row in rows]
        answers = [self.tokenizer.encode(row["output"]) + [self.end_of_turn] for row in rows]
        label_count = sum(map(len, answers))
        start = time.perf_counter()
        loss_sum = 0.0
        for i in range(0, len(rows), 4):
            pairs = list(zip(prompts[i : i + 4], answers[i : i + 4]))
            ids, mask = self.padded([prompt + answer for prompt, answer in pairs])
            labels = torch.full_like(ids, -100)
            for r, (prompt, answer) in enumerate(pairs):
                labels[r, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
            share = sum(len(answer) for _, answer in pairs) / label_count
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss * share
            loss.backward()
            loss_sum += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        seconds = time.perf_counter() - start
        self.model = model.unload()
        return loss_sum, seconds, sum(map(len, prompts)) + label_count

    @torch.inference_mode()
    def embed(self, rows):
        """Length-sorted padded batches of 16; mean over a text's tokens of the final-norm states."""
        sequences = [self.tokenizer.encode(row["input"]) for row in rows]
        order = sorted(range(len(rows)), key=lambda i: len(sequences[i]))
        output = np.zeros((len(rows), self.model.config.hidden_size), dtype=np.float32)
        start = time.perf_counter()
        for i in range(0, len(rows), 16):
            batch = order[i : i + 16]
            ids, mask = self.padded([sequences[j] for j in batch])
            hidden = self.model.model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            output[batch] = mean.numpy()
        return output, time.perf_counter() - start, sum(map(len, sequences))

    @torch.inference_mode()
    def infer(self, rows):
        """One two-token `generate` per prompt, as the paper's authors score."""
        sequences = [self.prompt_ids(row) for row in rows]
        scores = []
        start = time.perf_counter()
        for sequence in sequences:
            ids = torch.tensor([sequence])
            step = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=2,
                do_sample=False,
                output_logits=True,
                return_dict_in_generate=True,
            )
            yes, no = step.logits[0][0, self.label_ids].float().tolist()
            scores.append(1 / (1 + np.exp(no - yes)))
        return np.array(scores), time.perf_counter() - start, sum(map(len, sequences))
