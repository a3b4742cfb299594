"""Prints the house-style figures of the tree: a mirror to look into, never a gate.

usage: check_shape.py ROOT
"""

import pathlib
import re
import statistics
import sys

SOURCES = {".h", ".cc", ".cu", ".cuh"}
# A line that opens a function body at namespace or class level, as clang-format lays it out.
FUNCTION_START = re.compile(r"^( {0,2})(?![ }#/]|namespace|class|struct|enum|using|public|private)\S.*\{$")


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0


def function_lengths(lines):
    lengths = []
    start, indent = None, ""
    for number, line in enumerate(lines):
        if start is None:
            match = FUNCTION_START.match(line)
            if match and "(" in "".join(lines[max(0, number - 4) : number + 1]):
                start, indent = number, match[1]
        elif line == indent + "}":
            lengths.append(number - start - 1)
            start = None
    return lengths


def count(lines, pattern):
    return sum(1 for line in lines if re.match(pattern, line))


def describe(title, paths):
    texts = {path: path.read_text(encoding="utf-8").splitlines() for path in paths}
    sizes = [len(lines) for lines in texts.values()]
    if not sizes:
        return
    everything = [line for lines in texts.values() for line in lines]
    functions = [n for lines in texts.values() for n in function_lengths(lines)]
    longest = max(texts, key=lambda path: len(texts[path]))
    per_thousand = 1000 / max(len(everything), 1)
    print(f"{title}: {len(sizes)} files, {len(everything)} lines")
    print(
        f"  file lines: median {statistics.median(sizes):.0f}, 90 % {quantile(sizes, 0.9)}, "
        f"max {max(sizes)} ({longest})"
    )
    if functions:
        print(
            f"  function lines: median {statistics.median(functions):.0f}, "
            f"90 % {quantile(functions, 0.9)}, max {max(functions)}"
        )
    print(
        "  comments {:.0f} %, #if {:.1f}, #define {:.1f} per 1,000 lines".format(
            100 * count(everything, r"\s*//") / len(everything),
            count(everything, r"\s*#\s*if") * per_thousand,
            count(everything, r"\s*#\s*define") * per_thousand,
        )
    )


def main():
    root = pathlib.Path(sys.argv[1])

    def sources(folder, suffixes):
        return sorted(p for p in (root / folder).rglob("*") if p.suffix in suffixes)

    describe("headers", sources("src", {".h", ".cuh"}))
    describe("sources", sources("src", {".cc", ".cu"}) + sources("apps", {".cc"}))
    describe("tests", sources("tests", SOURCES))


if __name__ == "__main__":
    main()
