#!/usr/bin/env python3
"""What the compiler made of each CUDA kernel: registers, spills, shared memory, occupancy, instructions.

usage: kernel_resources.py [--build build-cuda] [--check docs/kernels.md | --write docs/kernels.md]

Reads the objects of a build with CUDA, which must hold one of every .cu file under src/, and what ptxas said
about them (OBJECT.ptxas, see cmake/ptxas_report.sh); compiles nothing and needs no GPU. Prints a table. Ends with
1 where a kernel spills registers, or where its machine code for an architecture lacks an instruction that
tools/kernel_expectations.toml names. With --write the table replaces what lies between the markers in that
file; with --check it ends with 1 where the file's table is another one of the same compiler.

Theoretical occupancy is that of the registers, of the static shared memory and of the dynamic shared memory that
kernel_expectations.toml states. It is not a measurement.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Per SM: threads, resident blocks, shared memory. 64 Ki registers, given out 256 to a warp.
LIMITS = {80: (2048, 32, 164 * 1024), 90: (2048, 32, 228 * 1024), 100: (2048, 32, 228 * 1024)}
REGISTERS = 64 * 1024
RESERVED_SHARED = 1024  # of each resident block, by the driver
BEGIN, END = "<!-- kernel_resources: begin -->", "<!-- kernel_resources: end -->"


def cuda_program(name):
    """Where tools/setup.sh looks, too."""
    places = [os.environ.get("CUDA_PATH", "/none") + "/bin", "/usr/local/cuda/bin", os.environ["PATH"],
              str(ROOT / ".deps/cuda/nvidia/cu13/bin")]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        sys.exit(f"{name} is not installed; run tools/setup.sh cuda")
    return found


def output(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


def short_names(mangled):
    """{mangled: name<template arguments>}."""
    text = subprocess.run(["c++filt"], input="\n".join(mangled), capture_output=True, text=True, check=True)
    short = {}
    for name, line in zip(mangled, text.stdout.splitlines()):
        line = line.replace("(anonymous namespace)::", "").replace("(int)", "")
        short[name] = re.search(r"(\w+(?:<.*?>)?)\(", line)[1]
    return short


def threads_of(ptx):
    """mangled name -> threads of a block, by __launch_bounds__."""
    threads = {}
    for part in re.split(r"(?=\.(?:visible \.)?entry )", ptx)[1:]:
        name = re.search(r"\.entry (\w+)", part)[1]
        limit = re.search(r"\.maxntid (\d+)(?:, (\d+), (\d+))?", part)
        if limit is None:
            sys.exit(f"{name}: no __launch_bounds__")
        threads[name] = int(limit[1]) * int(limit[2] or 1) * int(limit[3] or 1)
    return threads


def parse_ptxas(text):
    """(mangled name, architecture) -> (registers, spilled bytes, static shared bytes)."""
    found = {}
    for part in text.split("Compiling entry function '")[1:]:
        name, architecture = re.match(r"(\w+)' for 'sm_(\d+)", part).groups()
        spills = sum(int(n) for n in re.findall(r"(\d+) bytes spill", part))
        shared = re.search(r"(\d+) bytes smem", part)
        found[name, int(architecture)] = (
            int(re.search(r"Used (\d+) registers", part)[1]), spills, int(shared[1]) if shared else 0)
    return found


def parse_sass(text):
    """(mangled name, architecture) -> machine code."""
    found = {}
    for part in text.split("\tcode for sm_")[1:]:
        architecture = int(re.match(r"\d+", part)[0])
        for function in part.split("Function : ")[1:]:
            found[function.split()[0], architecture] = function
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


def objects_of(build):
    """source -> its object. Every .cu file under src/ must have one, with a report beside it that is as new."""
    found = {}
    for source in sorted((ROOT / "src").rglob("*.cu")):
        folder = build / source.relative_to(ROOT).parent
        objects = list(folder.glob(f"CMakeFiles/*/{source.name}.o"))
        if len(objects) != 1 or not objects[0].with_name(objects[0].name + ".ptxas").exists():
            sys.exit(f"{source.relative_to(ROOT)}: no object with its report under {folder}; build preset cuda first")
        if objects[0].stat().st_mtime < source.stat().st_mtime:
            sys.exit(f"{objects[0]} is older than its source; build preset cuda first")
        found[source] = objects[0]
    return found


def inspect(source, built, expectations):
    """Rows (file, kernel, threads, {sm: (registers, spills, shared, occupancy)}) and problems."""
    cuobjdump = cuda_program("cuobjdump")
    threads = threads_of(output(cuobjdump, "-ptx", built))
    usage = parse_ptxas(built.with_name(built.name + ".ptxas").read_text())
    code = parse_sass(output(cuobjdump, "-sass", built))
    rows, problems = [], []
    for mangled, name in short_names(list(threads)).items():
        dynamic = expectations["dynamic_shared"].get(name.split("<")[0], 0)
        figures = {}
        for architecture in LIMITS:
            registers, spills, static = usage[mangled, architecture]
            figures[architecture] = (registers, spills, static + dynamic,
                                     occupancy(architecture, threads[mangled], registers, static + dynamic))
            if spills:
                problems.append(f"{source.name}: {name} spills {spills} bytes on sm_{architecture}")
            problems += missing(source, name, architecture, code[mangled, architecture], expectations)
        rows.append((source.name, name, threads[mangled], figures))
    return sorted(rows), problems


def missing(source, name, architecture, code, expectations):
    problems = []
    for expected in expectations["expect"]:
        if re.fullmatch(expected["kernel"], name):
            expected["met"] = True
            if not re.search(expected["sass"], code):
                problems.append(f"{source.name}: {name} {expected['why']}, "
                                f"but has no {expected['sass']} on sm_{architecture}")
    return problems


def compiler_of(build):
    """Such as "nvcc 13.0.88"."""
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    nvcc = re.search(r"CMAKE_CUDA_COMPILER:\w+=(.*)", cache)[1]
    return "nvcc " + re.search(r"V([\d.]+)", output(nvcc, "--version"))[1]


def table(rows, compiler):
    lines = [f"By {compiler}:", "", "| kernel | threads | shared bytes | " + " | ".join(
        f"sm_{a}: registers, spills, occupancy" for a in LIMITS) + " |",
        "|---|---|---|" + "---|" * len(LIMITS)]
    for _, name, threads, figures in rows:
        shared = figures[min(LIMITS)][2]
        cells = [f"{r}, {s}, {100 * o:.0f} %" for r, s, _, o in figures.values()]
        lines.append(f"| `{name}` | {threads} | {shared} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def replace_table(path, text):
    old = path.read_text(encoding="utf-8")
    head, rest = old.split(BEGIN)
    return old, head + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-cuda")
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--check", type=pathlib.Path)
    options = parser.parse_args()
    expectations = tomllib.loads((ROOT / "tools/kernel_expectations.toml").read_text(encoding="utf-8"))
    rows, problems = [], []
    for source, built in objects_of(options.build).items():
        more_rows, more_problems = inspect(source, built, expectations)
        rows += more_rows
        problems += more_problems
    compiler = compiler_of(options.build)
    text = table(rows, compiler)
    print(text)
    problems += [f"kernel_expectations.toml: no kernel is called {expected['kernel']}"
                 for expected in expectations["expect"] if "met" not in expected]
    if options.write:
        options.write.write_text(replace_table(options.write, text)[1], encoding="utf-8")
    if options.check:
        old, new = replace_table(options.check, text)
        if f"By {compiler}:" not in old:
            print(f"{options.check} was made by another compiler than {compiler}: not compared", file=sys.stderr)
        elif old != new:
            problems.append(f"{options.check} holds another table; run tools/kernel_resources.py --write {options.check}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
