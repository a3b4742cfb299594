"""Picks test prompts worth reading and takes them apart for showing."""
import ast
import datetime
import re

import numpy as np

from .scores import label_of

MAX_PROMPT = 20000
MAX_ITEMS = 60
MAX_TITLE = 120


def choose(tuned, zero_shot):
    """[(why, index)], without repeats: clear hits and misses, and what tuning changed most."""
    if not len(tuned):
        return []
    signed = np.where(tuned.labels == 1, tuned.scores, 1 - tuned.scores)
    wanted = [("surest hit on a liked item", ordered(-signed, tuned.labels == 1)),
              ("surest hit on a disliked item", ordered(-signed, tuned.labels == 0)),
              ("worst miss on a liked item", ordered(signed, (tuned.labels == 1) & (signed < 0.5))),
              ("worst miss on a disliked item", ordered(signed, (tuned.labels == 0) & (signed < 0.5))),
              ("least certain", ordered(np.abs(signed - 0.5), signed >= 0))]
    if aligned(tuned, zero_shot):
        before = np.where(tuned.labels == 1, zero_shot.scores, 1 - zero_shot.scores)
        wanted.append(("gained most by tuning", ordered(before - signed, signed > before)))
        wanted.append(("lost most by tuning", ordered(signed - before, signed < before)))
    chosen, seen = [], set()
    for why, order in wanted:
        first = next((i for i in order if i not in seen), None)
        if first is not None:
            seen.add(first)
            chosen.append((why, int(first)))
    return chosen


def aligned(tuned, zero_shot):
    return (zero_shot is not None and len(zero_shot) == len(tuned)
            and np.array_equal(zero_shot.labels, tuned.labels))


def ordered(keys, mask):
    """The first few indices under the mask, by rising key."""
    order = np.argsort(keys, kind="stable")
    return [int(i) for i in order[mask[order]][:20]]


def describe(record, why, score, zero_shot_score):
    """What the page shows of one prompt; the scores are None where there are none."""
    label = label_of(record)
    prompt = printable(text_of(record)[:MAX_PROMPT])
    return {
        "why": why, "label": label, "score": score, "zero_shot_score": zero_shot_score,
        "correct": score is not None and (score > 0.5) == (label == 1),
        "target": target_of(prompt), "items": listed_items(prompt), "prompt": prompt,
        "user": printable(str(record.get("user", ""))), "item": printable(str(record.get("item", ""))),
        "date": date_of(record.get("timestamp")),
    }


def text_of(record):
    """The prompt of either form of line: "input", or the contents of "messages"."""
    if isinstance(record.get("input"), str):
        return record["input"]
    messages = record.get("messages")
    if not isinstance(messages, list):
        return ""
    return "\n".join(str(message.get("content", "")) for message in messages if isinstance(message, dict))


def listed_items(prompt):
    """The history shown: the first line that is a list in Python or JSON notation, or else the first
    with "; " between its parts (prompt.list_format)."""
    lines = [line.strip() for line in prompt.splitlines()]
    for line in lines:
        if line.startswith("[") and line.endswith("]"):
            try:
                items = ast.literal_eval(line)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            if isinstance(items, list):
                return [str(item) for item in items[:MAX_ITEMS]]
    for line in lines:
        parts = line.split("; ")
        if len(parts) > 1:
            asked = parts[-1].endswith(":")  # the item asked about, where the list runs on to it
            return parts[:len(parts) - asked][:MAX_ITEMS]
    return []


def target_of(prompt):
    """The item asked about: the words between "***", or the last of a list that stops at it, or else what follows
    ": " in the last line."""
    marked = re.search(r"\*\*\*(.+?)\*\*\*", prompt)
    if marked:
        return marked.group(1)
    last = prompt.rstrip().rsplit("\n", 1)[-1]
    if last.endswith(":") and "; " in last:
        return last.rsplit("; ", 1)[-1][:-1]
    name = last.split(": ", 1)[-1].strip()
    return name if len(name) <= MAX_TITLE else ""


def printable(text):
    return "".join(c if c == "\n" or c == "\t" or c.isprintable() else "\N{REPLACEMENT CHARACTER}"
                   for c in text)


def date_of(timestamp):
    if isinstance(timestamp, bool) or not isinstance(timestamp, (int, float)):
        return ""
    try:
        return datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc).strftime("%Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return ""
