#!/usr/bin/env python3
"""Writes made-up interactions as a RecBole atomic file: users with a taste, items with a kind.

usage: write_interactions.py FILE.inter [--item-file FILE.item] [--users 400] [--items 300]
                             [--per-user 30] [--seed 1]
"""

import argparse
import pathlib
import random


KINDS = ["mystery", "romance", "travel", "cooking", "history"]
NOUNS = ["Garden", "Letter", "River", "Winter", "Harbour", "Window", "Journey"]


def write_items(path, items):
    """Titles that no two items share, and the kind that decides who likes them."""
    lines = ["item_id:token\ttitle:token\tcategory:token"]
    for item in range(items):
        title = f"The {NOUNS[item % len(NOUNS)]} of {KINDS[item % len(KINDS)].title()} {item}"
        lines.append(f"i{item}\t{title}\t{KINDS[item % len(KINDS)]}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--item-file", type=pathlib.Path)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--per-user", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    kinds = len(KINDS)
    lines = ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
    for user in range(options.users):
        taste = draw.randrange(kinds)
        # Two of three are of the kind that the user likes.
        weights = [6 * kinds if item % kinds == taste else kinds for item in range(options.items)]
        chosen = dict.fromkeys(draw.choices(range(options.items), weights, k=options.per_user))
        for time, item in enumerate(chosen):
            rating = draw.choice((4, 5) if item % kinds == taste else (1, 2, 3))
            lines.append(f"u{user}\ti{item}\t{rating}\t{time}")
    options.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if options.item_file:
        write_items(options.item_file, options.items)


if __name__ == "__main__":
    main()
