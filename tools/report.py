"""Writes the HTML report of a run folder or of an experiment's. `rallrec report` calls it; see
docs/formats.md.

    python tools/report.py --run-dir runs/demo [--output report.html]
    python tools/report.py --experiment runs/table1 [--output report.html]

One file, nothing loaded from elsewhere. Stages that the folder lacks are left out. Exit codes are
those of rallrec: 64 usage, 65 bad data, 66 missing input, 74 I/O.
"""
import argparse
import os
import sys
import tempfile


def fail(code, message):
    print(message, file=sys.stderr)
    sys.exit(code)


def write_page(path, text):
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device: it must not be replaced by a file.
        with open(path, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
        return
    folder = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix="." + os.path.basename(path) + ".tmp-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def parse_arguments():
    parser = argparse.ArgumentParser(description="HTML report of a run or an experiment")
    folder = parser.add_mutually_exclusive_group(required=True)
    folder.add_argument("--run-dir")
    folder.add_argument("--experiment")
    parser.add_argument("--output", help="default: report.html in that folder")
    return parser.parse_args()


def refuse_other_folders(folder, wants_run):
    """A folder of nothing yet is fine; a page in the wrong one would replace the right one."""
    entries = set(os.listdir(folder))
    run, experiment = "config.resolved.toml" in entries, bool(entries & {"results.jsonl", "cells"})
    if wants_run and experiment and not run:
        fail(66, f"{folder}: is the folder of an experiment; use --experiment")
    if not wants_run and run:
        fail(66, f"{folder}: is the folder of a run; use --run-dir")
    if not wants_run and entries and not experiment:
        fail(66, f"{folder}: is not the folder of an experiment")


def main():
    arguments = parse_arguments()
    folder = arguments.run_dir or arguments.experiment
    if not os.path.isdir(folder):
        fail(66, f"{folder}: no such {'run' if arguments.run_dir else 'experiment'} folder")
    refuse_other_folders(folder, bool(arguments.run_dir))
    try:
        from report_page import experiment_page, page
    except ImportError as error:
        fail(66, f"{error}; tools/setup.sh installs what the report needs")
    render = page.render if arguments.run_dir else experiment_page.render
    output = arguments.output or os.path.join(folder, "report.html")
    try:
        write_page(output, render(folder))
    except OSError as error:
        fail(74, f"{output}: {error.strerror}")


if __name__ == "__main__":
    main()
