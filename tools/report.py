"""Writes the HTML report of a run folder. `rallrec report` calls it; see docs/formats.md.

    python tools/report.py --run-dir runs/demo [--output report.html]

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
    parser = argparse.ArgumentParser(description="HTML report of a run folder")
    parser.add_argument("--run-dir", required=True)
    parser.add_argument("--output", help="default: report.html in the run folder")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if not os.path.isdir(arguments.run_dir):
        fail(66, f"{arguments.run_dir}: no such run folder")
    try:
        from report_page import page
    except ImportError as error:
        fail(66, f"{error}; tools/setup.sh installs what the report needs")
    output = arguments.output or os.path.join(arguments.run_dir, "report.html")
    try:
        write_page(output, page.render(arguments.run_dir))
    except OSError as error:
        fail(74, f"{output}: {error.strerror}")


if __name__ == "__main__":
    main()
