"""Writes the ids that Hugging Face's `tokenizers` (0.23.3 at the time) gives to made-up strings.

usage: make_tokenizer_golden.py FOLDER OUTPUT.jsonl   (FOLDER holds tokenizer.json)

The strings come from a fixed seed: a sample of every Unicode block, runs of white space, digits,
contractions, emoji, CJK, combining marks, words that look like special tokens. The reference runs with
encode_special_tokens on, so that text never becomes a special token.
"""
import json
import random
import sys

from tokenizers import Tokenizer

PIECES = ["the", "quick", "Brown", "foxes'", "won't", "I'LL", "we've", "It's", "they'RE", "'d", "'S",
          "naïve", "café", "Ñandú", "北京", "東京タワー", "こんにちは", "Привет", "😀", "👩‍👩‍👧", "e\u0301",
          "a\u0308\u0323", "1", "12", "1234567", "3.14", "½", "²", "Ⅷ", "٣", "\u2028", "\u180e",
          "\u200b", "ſ", "'ſ", "K", "--", "...", "!!!", "(4", "stars)", "http://a.b/c?d=e&f",
          "<|eot_id|>", "<|im_end|>", "<|endoftext|>", "Drama|Comedy", "Yes.", "No."]
SPACES = [" ", "  ", "   ", "\n", "\r\n", "\t", " \n", "\n\n  ", "\u00a0", "\u3000", " \t ", "\v", "\f", "\x1c"]
FIXED = ["", " ", "\n", "a", " a", "  a", "a  ", "a \n b", "\r\n\r\n x", "x" * 200, " " * 200 + "y",
         "ab" * 300, "12345678901234567890", "1 2  3   4", "'s't're've'm'll'd", "'S'T'RE'VE'M'LL'D",
         "a's b'T c'Re", "\u00e9\u0301\u0302", "\ufeffbom", "\x00\x01\x1f\x7f", "\U0010ffff", "\ufffd"]


def block_samples(rng):
    for start in range(0, 0x110000, 0x100):
        if 0xD800 <= start < 0xE000 or (start >= 0x32400 and start % 0x4000):
            continue
        yield "".join(chr(rng.randrange(start, start + 0x100)) for _ in range(6)) + " b"


def mixed(rng):
    for _ in range(150):
        yield "".join(rng.choice([rng.choice(PIECES), rng.choice(SPACES), str(rng.randrange(10**9))])
                      for _ in range(rng.randrange(1, 16)))


rng = random.Random(20250206)
texts = FIXED + list(block_samples(rng)) + list(mixed(rng))
tokenizer = Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")
tokenizer.encode_special_tokens = True
with open(sys.argv[2], "w") as f:
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        decoded = tokenizer.decode(ids, skip_special_tokens=False)
        f.write(json.dumps({"text": text, "ids": ids, "decoded": None if decoded == text else decoded},
                           separators=(",", ":")) + "\n")
