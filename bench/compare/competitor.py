"""transformers + PEFT on the CPU, as bench/compare/llm.py times them."""

import time

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

CHATML_TURN = "<|im_start|>{}\n{}<|im_end|>\n"


class Competitor:
    """Each method returns (result, seconds of the timed part, useful tokens)."""

    def __init__(self, model, threads, dtype, batch_tokens=4096):
        self.batch_tokens = batch_tokens  # padded tokens of a batch in tune_sorted
        torch.set_num_threads(threads)
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.model = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype))
        self.pad = self.tokenizer.pad_token_id or 0
        self.end_of_turn = self.tokenizer.convert_tokens_to_ids("<|im_end|>")
        self.label_ids = [self.tokenizer.encode(word)[0] for word in ("Yes", "No")]

    def prompt_ids(self, row):
        turns = [(role, row[key]) for role, key in (("system", "system"), ("user", "input")) if row.get(key)]
        text = "".join(CHATML_TURN.format(*turn) for turn in turns)
        return self.tokenizer.encode(text + "<|im_start|>assistant\n")

    def pair_ids(self, row):
        return self.prompt_ids(row), self.tokenizer.encode(row["output"]) + [self.end_of_turn]

    def padded(self, sequences):
        width = max(map(len, sequences))
        ids = torch.tensor([s + [self.pad] * (width - len(s)) for s in sequences])
        mask = torch.tensor([[1] * len(s) + [0] * (width - len(s)) for s in sequences])
        return ids, mask

    def tune(self, rows):
        """One optimizer step over all rows in micro-batches of 4; the result is the loss."""
        return self.tune_in(rows, [rows[i : i + 4] for i in range(0, len(rows), 4)])

    def tune_sorted(self, rows):
        """The same step in its best setting: length-sorted, the largest batches that fit."""
        longest_first = sorted(rows, key=lambda row: -len(self.prompt_ids(row)))
        batches = []
        for row in longest_first:
            # The first row of a batch is its longest: the padded batch is rows x that length.
            width = len(self.prompt_ids(batches[-1][0])) + 4 if batches else 0
            if not batches or (len(batches[-1]) + 1) * width > self.batch_tokens:
                batches.append([])
            batches[-1].append(row)
        return self.tune_in(rows, batches)

    def tune_in(self, rows, batches):
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
        encoded = [[self.pair_ids(row) for row in batch] for batch in batches]
        label_count = sum(len(answer) for pairs in encoded for _, answer in pairs)
        start = time.perf_counter()
        loss_sum = 0.0
        for pairs in encoded:
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
        prompt_tokens = sum(len(prompt) for pairs in encoded for prompt, _ in pairs)
        return loss_sum, seconds, prompt_tokens + label_count

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
    def embed_generate(self, rows):
        """Item by item as the paper's authors do: `generate` of 256 tokens that returns hidden states, of
        which the prompt's are pooled."""
        sequences = [self.tokenizer.encode(row["input"]) for row in rows]
        output = np.zeros((len(rows), self.model.config.hidden_size), dtype=np.float32)
        start = time.perf_counter()
        for i, sequence in enumerate(sequences):
            ids = torch.tensor([sequence])
            step = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=256,
                min_new_tokens=256,
                do_sample=False,
                output_hidden_states=True,
                return_dict_in_generate=True,
            )
            output[i] = step.hidden_states[0][-1][0].float().mean(0).numpy()
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
