"""Processes that a test starts, and everything that those start: none outlives the test."""

import ctypes
import os
import pathlib
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans():
    """From now on a grandchild whose parent ends becomes a child of this process, where it can be found."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def start(line, log, **more):
    """A process in the background whose output goes to the file `log`; killed with this process."""
    with open(log, "ab") as file:
        return subprocess.Popen(
            [str(word) for word in line], stdout=file, stderr=file, preexec_fn=_die_with_parent, **more
        )


def wait_for(condition, seconds, *logs):
    """Until the condition holds; the end of the log files is in the error where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            text = ""
            for path in logs:
                text += f"\n== {path}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-25:])
            raise TimeoutError(f"not within {seconds} s{text}")
        time.sleep(0.2)


def _parents():
    """pid -> pid of its parent, of all processes that still run."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found


def descendants():
    parents, family = _parents(), {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return family - {os.getpid()}
        family |= more


def _reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def stop_all(patience=5.0):
    """SIGTERM, then SIGKILL, until nothing is left that came from this process."""
    deadline = time.monotonic() + patience
    first = True
    while family := descendants():
        number = signal.SIGTERM if first else signal.SIGKILL
        if first or time.monotonic() > deadline:
            for pid in family:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        first = False
        time.sleep(0.05)
        _reap()
