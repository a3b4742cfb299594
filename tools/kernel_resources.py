#!/usr/bin/env python3
"""What the compiler gives each CUDA kernel: registers, spills, shared memory, theoretical occupancy.

usage: kernel_resources.py [--write docs/kernels.md] [--sources FILE.cu ...]

Compiles every src/kernels/*_gpu.cu for sm_80, sm_90 and sm_100 with `nvcc -Xptxas -v` and prints a table. No
GPU is needed. Ends with 1 where a kernel spills registers, or where the PTX of a kernel lacks an instruction
that EXPECTED names. With --write the table replaces what lies between the markers in that file; with
--check it ends with 1 where the file's table is another one.

Theoretical occupancy is that of the registers, of the static shared memory and, where DYNAMIC_SHARED has an
entry, of the dynamic shared memory of a launch at the size that the entry states. It is not a measurement.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARCHITECTURES = (80, 90, 100)
# Per SM: threads, resident blocks, shared memory. 64 Ki registers, given out 256 to a warp.
LIMITS = {80: (2048, 32, 164 * 1024), 90: (2048, 32, 228 * 1024), 100: (2048, 32, 228 * 1024)}
REGISTERS = 64 * 1024
RESERVED_SHARED = 1024  # of each resident block, by the driver

# Kernel -> bytes of a launch.
DYNAMIC_SHARED = {
    "pool_kernel": 8 * 4096,  # 4096 columns
    "int8_epilogue_kernel": 4 * 8 * (128 + 32),  # rank 8
    "spmm_bitmap_kernel": 2 * 3 * 64 * 72 * 2,
}
# Names of kernels -> what their PTX must hold. A kernel that walks four floats (or eight bf16) at a time
# must do so by 16-byte loads.
EXPECTED = [
    (r"(rms_norm|swi_glu|adam)\w*<(\d+, )?4>", r"ld\.global\.v4\.f32"),
    (r"rope_kernel<4>|segment_sum_kernel<4>", r"ld\.global\.v4\.f32"),
    (r"pool_kernel<(float, 4|unsigned short, 8)>", r"ld\.global(\.nc)?\.v4\.(f32|u32|b32)"),
    (r"int8_(quantize|epilogue)_kernel<4>", r"ld\.global(\.nc)?\.v4\.(f32|u32|b32)"),
    (r"gather_kernel<float, 4>", r"ld\.global(\.nc)?\.v4\.f32"),
    (r"(fm_interaction|cross_layer)\w*<4>", r"ld\.global(\.nc)?\.v4\.f32"),
    # Tensor cores, fed by asynchronous copies and ldmatrix.
    (r"spmm_bitmap_kernel", r"(?s)cp\.async\.cg.*ldmatrix\.sync.*mma\.sync\.aligned\.m16n8k16"),
]
BEGIN, END = "<!-- kernel_resources: begin -->", "<!-- kernel_resources: end -->"


def nvcc(*arguments):
    command = ["nvcc", "-std=c++17", f"-I{ROOT / 'src'}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return done.stderr


def with_short_names(kernels):
    """The same values under name<template arguments> in place of mangled names."""
    text = subprocess.run(["c++filt"], input="\n".join(kernels), capture_output=True, text=True, check=True)
    renamed = {}
    for value, line in zip(kernels.values(), text.stdout.splitlines()):
        line = line.replace("(anonymous namespace)::", "").replace("(int)", "")
        renamed[re.search(r"(\w+(?:<.*?>)?)\(", line)[1]] = value
    return renamed


def parse_ptx(text):
    """mangled name -> (threads of a block, body)."""
    kernels = {}
    for part in re.split(r"(?=\.(?:visible \.)?entry )", text)[1:]:
        name = re.search(r"\.entry (\w+)", part)[1]
        limit = re.search(r"\.maxntid (\d+)(?:, (\d+), (\d+))?", part)
        if limit is None:
            sys.exit(f"{name}: no __launch_bounds__")
        kernels[name] = (int(limit[1]) * int(limit[2] or 1) * int(limit[3] or 1), part)
    return kernels


def parse_ptxas(text):
    """mangled name -> (registers, spilled bytes, static shared bytes)."""
    found = {}
    for part in text.split("Compiling entry function '")[1:]:
        spills = sum(int(n) for n in re.findall(r"(\d+) bytes spill", part))
        shared = re.search(r"(\d+) bytes smem", part)
        found[part.split("'")[0]] = (
            int(re.search(r"Used (\d+) registers", part)[1]), spills, int(shared[1]) if shared else 0)
    return found


def occupancy(architecture, threads, registers, shared):
    """Resident threads of an SM as a share of the most it takes."""
    most_threads, most_blocks, most_shared = LIMITS[architecture]
    warps = (threads + 31) // 32
    per_warp = (registers * 32 + 255) // 256 * 256
    by_registers = REGISTERS // per_warp // 4 * 4 // warps
    by_shared = most_shared // (shared + RESERVED_SHARED)
    blocks = min(most_threads // (warps * 32), most_blocks, by_registers, by_shared)
    return blocks * warps * 32 / most_threads


def inspect(source, scratch):
    """Rows (file, kernel, threads, {sm: (registers, spills, shared, occupancy)}) and problems."""
    ptx_file = scratch / "kernels.ptx"
    nvcc("-arch=compute_80", "-ptx", source, "-o", ptx_file)
    kernels = with_short_names(parse_ptx(ptx_file.read_text()))
    usage = {}
    for architecture in ARCHITECTURES:
        report = nvcc(f"-arch=sm_{architecture}", "-cubin", "-Xptxas=-v", source, "-o", scratch / "kernels.cubin")
        usage[architecture] = with_short_names(parse_ptxas(report))
    rows, problems = [], []
    for name, (threads, body) in kernels.items():
        dynamic = DYNAMIC_SHARED.get(name.split("<")[0], 0)
        figures = {}
        for architecture in ARCHITECTURES:
            registers, spills, static = usage[architecture][name]
            figures[architecture] = (registers, spills, static + dynamic,
                                     occupancy(architecture, threads, registers, static + dynamic))
            if spills:
                problems.append(f"{source.name}: {name} spills {spills} bytes on sm_{architecture}")
        for pattern, instruction in EXPECTED:
            if re.fullmatch(pattern, name) and not re.search(instruction, body):
                problems.append(f"{source.name}: {name} has no {instruction}")
        rows.append((source.name, name, threads, figures))
    return sorted(rows), problems


def table(rows):
    lines = ["| kernel | threads | shared bytes | " + " | ".join(
        f"sm_{a}: registers, spills, occupancy" for a in ARCHITECTURES) + " |",
        "|---|---|---|" + "---|" * len(ARCHITECTURES)]
    for _, name, threads, figures in rows:
        shared = figures[ARCHITECTURES[0]][2]
        cells = [f"{r}, {s}, {100 * o:.0f} %" for r, s, _, o in figures.values()]
        lines.append(f"| `{name}` | {threads} | {shared} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def replace_table(path, text):
    old = path.read_text(encoding="utf-8")
    head, rest = old.split(BEGIN)
    return old, head + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path)
    parser.add_argument("--sources", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    rows, problems = [], []
    with tempfile.TemporaryDirectory() as folder:
        for source in options.sources or sorted((ROOT / "src/kernels").glob("*_gpu.cu")):
            more_rows, more_problems = inspect(source, pathlib.Path(folder))
            rows += more_rows
            problems += more_problems
    print(table(rows))
    if options.write:
        options.write.write_text(replace_table(options.write, table(rows))[1], encoding="utf-8")
    if options.check:
        old, new = replace_table(options.check, table(rows))
        if old != new:
            problems.append(f"{options.check} holds another table; run tools/kernel_resources.py --write {options.check}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
