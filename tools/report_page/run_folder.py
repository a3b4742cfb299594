"""Reads what a run folder holds, however much of it there is.

Files may be cut off or damaged: what cannot be read is left out and named in `notes`.
"""
import json
import os
import tomllib

BASELINES = ["baseline/deep_fm", "baseline/x_deep_fm", "baseline/dcn", "baseline/auto_int"]
STAGES = ["ingest", "describe", "embed", "light_gcn", "align", "retrieve", "prompt", "tune", "infer",
          *BASELINES, "evaluate"]
MAX_SMALL_FILE = 64 << 20
MAX_NUMBER = 10**100


class Folder:
    """Files of a folder by their names in it."""

    def __init__(self, path):
        self.path = path
        self.notes = []

    def name(self):
        return os.path.basename(os.path.abspath(self.path))

    def file(self, relative):
        return os.path.join(self.path, relative)

    def lines(self, relative):
        """The JSON objects of a JSON Lines file that can be read."""
        for _, record in self.numbered_lines(relative):
            yield record

    def numbered_lines(self, relative):
        """(offset of the line, object) for each line that can be read."""
        try:
            stream = open(self.file(relative), "rb")
        except FileNotFoundError:
            return
        bad = 0
        with stream:
            offset = 0
            for line in stream:
                record = as_object(line)
                if record is not None:
                    yield offset, record
                elif line.strip():
                    bad += 1
                offset += len(line)
        if bad:
            self.notes.append(f"{relative}: {bad} line{'s' if bad > 1 else ''} could not be read")

    def line_at(self, relative, offset):
        with open(self.file(relative), "rb") as stream:
            stream.seek(offset)
            return as_object(stream.readline()) or {}

    def note(self, text):
        """Says once what the page could not show."""
        if text not in self.notes:
            self.notes.append(text)

    def read(self, relative):
        try:
            with open(self.file(relative), "rb") as stream:
                return stream.read(MAX_SMALL_FILE).decode("utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def read_json(self, relative):
        text = self.read(relative)
        if text is None:
            return {}
        record = as_object(text)
        if record is None:
            self.notes.append(f"{relative}: not a JSON object, left out")
        return record or {}


class RunFolder(Folder):
    def __init__(self, path):
        super().__init__(path)
        self.config_text = self.read("config.resolved.toml") or ""
        self.config = self._toml(self.config_text)
        self.environment = self.read_json("environment.json")
        self.manifests = self._manifests()
        self.metrics = self.read_json(os.path.join("evaluate", "metrics.json"))
        self.steps = list(self.lines(os.path.join("tune", "metrics.jsonl")))

    def _toml(self, text):
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.notes.append(f"config.resolved.toml: {error}")
            return {}

    def _manifests(self):
        found = {}
        for stage in STAGES:
            manifest = self.read_json(os.path.join(stage, "manifest.json"))
            if manifest:
                found[stage] = manifest
        return found


def as_object(text):
    """The JSON object in a text, or None. NaN and infinities, which JSON lacks, become None."""
    try:
        record = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def number(value):
    """The value as float where it is a number that a figure can show, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) <= MAX_NUMBER else None
