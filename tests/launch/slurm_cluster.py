"""A Slurm of two nodes on this machine, in one folder: munged, slurmctld and two slurmd on ports of their own.

The programs are those of a folder of unpacked packages (tools/setup.sh slurm), else those of the system. Nothing of a
Slurm or munge that the machine has is used or changed.
"""

import getpass
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import time

import process_group

LIBRARIES = "usr/lib/x86_64-linux-gnu"
CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
TmpFS={folder}/tmp.%n
PluginDir={plugins}
SlurmctldPort={ports[0]}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=pmix
JobRequeue=1
KillWait=5
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 RealMemory=2000
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=4 RealMemory=2000
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def why_not(programs):
    """What is missing for a cluster on this machine; "" = nothing."""
    for name in ("munged", "slurmctld", "slurmd", "srun"):
        if not _find(programs, name):
            return f"{name} is missing; `tools/setup.sh slurm` fetches it into .deps/slurm"
    if not shutil.which("mpirun"):
        return "mpirun is missing; `tools/setup.sh packages` installs it"
    return ""


def _find(programs, name):
    """Debian's packages hold the daemons as NAME-wlm."""
    for path in (programs / f"usr/sbin/{name}-wlm", programs / f"usr/sbin/{name}", programs / f"usr/bin/{name}"):
        if path.is_file():
            return path
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def _free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class SlurmCluster:
    """Two nodes, n1 and n2, of four CPUs each by their own word. `with` starts and stops it."""

    def __init__(self, programs, folder):
        self.programs, self.folder = pathlib.Path(programs), pathlib.Path(folder)
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}
        if (self.programs / LIBRARIES).is_dir():
            libraries = f"{self.programs / LIBRARIES}:{self.programs / LIBRARIES}/slurm-wlm"
            self.environment["LD_LIBRARY_PATH"] = libraries
            self.environment["PATH"] = f"{self.programs}/usr/bin:{os.environ['PATH']}"
        self.started = 0.0  # when slurmctld was, by time.monotonic()

    def __enter__(self):
        process_group.adopt_orphans()
        try:
            self._write_files()
            self._start_daemons()
            self.wait_for(lambda: self.run("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == "2", 30)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        process_group.stop_all()

    def _write_files(self):
        # munged wants a folder that others may enter and a key that only its owner may read.
        self.folder.chmod(0o711)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        for name in ("state", "spool.n1", "spool.n2", "tmp.n1", "tmp.n2"):
            (self.folder / name).mkdir()
        own = self.programs / LIBRARIES / "slurm-wlm"
        plugins = own if own.is_dir() else pathlib.Path("/") / LIBRARIES / "slurm-wlm"
        text = CONFIGURATION.format(
            folder=self.folder, user=getpass.getuser(), ports=_free_ports(3), plugins=plugins
        )
        (self.folder / "slurm.conf").write_text(text)

    def _daemon(self, name, log, *flags):
        line = [_find(self.programs, name), *flags]
        return process_group.start(line, self.folder / log, env=self.environment)

    def _start_daemons(self):
        at = self.folder
        files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid"}
        files.update({"seed-file": "munged.seed", "log-file": "munged.log"})
        self._daemon("munged", "munged.log", "-F", *(f"--{flag}={at / name}" for flag, name in files.items()))
        self.wait_for((at / "munge.socket").exists, 10)
        self._daemon("slurmctld", "slurmctld.log", "-D", "-i")
        self.started = time.monotonic()
        step = _find(self.programs, "slurmstepd")
        for node in ("n1", "n2"):
            self._daemon("slurmd", f"slurmd.{node}.log", "-D", "-N", node, "-d", step)

    def run(self, *line, **more):
        """The output of a command of the cluster, on this machine as on a login node."""
        words = [str(word) for word in line]
        environment = {**self.environment, **more}
        done = subprocess.run(words, env=environment, text=True, capture_output=True, timeout=60)
        return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}{done.stdout}"

    def state_of(self, job):
        """(COMPLETED, RUNNING, …; how often it was requeued; "code:signal")."""
        words = self.run("scontrol", "-o", "show", "job", job).split()
        values = dict(word.split("=", 1) for word in words if "=" in word)
        return values.get("JobState", " ".join(words)), int(values.get("Restarts", -1)), values.get("ExitCode")

    def wait_for(self, condition, seconds):
        process_group.wait_for(condition, seconds, *sorted(self.folder.glob("*.log")))
