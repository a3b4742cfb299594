"""Writes tests/fixtures/tiny_tokenizer/tokenizer.json: byte-level BPE with a few merges and the chatml
special tokens, small enough to read. Run from the repository root; needs nothing but Python."""
import json

MERGES = """Y e|Ye s|N o|Ġ t|h e|Ġt he|i n|Ġ a|e r|Ġ ( | s t|st a|sta r|star s|Ġ star|Ġ stars|o r|l l|Ġ Ġ|ĠĠ ĠĠ
|a a|aa aa|aaaa aaaa|Ã ©|Ġ l|i k|ik e|Ġl ike|m o|mo v|mov i|movi e|Ċ Ċ""".replace("\n", "").split("|")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def alphabet():
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in kept]
    return {**{b: chr(b) for b in kept}, **{b: chr(256 + i) for i, b in enumerate(others)}}


letters = alphabet()
tokens = SPECIAL + [letters[b] for b in range(256)]
merges = [m.strip() for m in MERGES]
tokens += [m.replace(" ", "") for m in merges]
assert len(set(tokens)) == len(tokens)

document = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [
        {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True} for i, t in enumerate(SPECIAL)],
    "normalizer": None,
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]},
    "post_processor": None,
    "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
              "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
              "ignore_merges": False, "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges},
}
with open("tests/fixtures/tiny_tokenizer/tokenizer.json", "w") as f:
    json.dump(document, f, ensure_ascii=False, indent=1)
    f.write("\n")
