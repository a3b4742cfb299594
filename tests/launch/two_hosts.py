"""Two hosts on this machine: network and host-name namespaces of their own, joined by one cable (a veth pair).

Everything lives in processes that this one starts, so that nothing is left of it when they end: no named namespace, no
interface in the machine's own network.
"""

import shutil
import subprocess

import process_group

ADDRESSES = ("10.77.0.1", "10.77.0.2")
NAMES = ("hosta", "hostb")
SUBNET = "10.77.0.0/24"

# What mpirun starts programs on other machines with: AGENT HOST WORD...
AGENT = """\
#!/bin/sh
host=$1
shift
case "$host" in
  {addresses[0]}) pid={pids[0]} ;;
  {addresses[1]}) pid={pids[1]} ;;
  *) echo "$host: not one of the two hosts" >&2 && exit 1 ;;
esac
exec nsenter --target "$pid" --net --uts sh -c "$*"
"""


def why_not():
    """What is missing for two hosts on this machine; "" = nothing."""
    for name in ("ip", "unshare", "nsenter", "mpirun"):
        if not shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/bin"):
            return f"{name} is missing (packages iproute2, util-linux, openmpi-bin)"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "sh", "-c", "ip link add cable type veth peer name other && hostname x"],
        text=True,
        capture_output=True,
    )
    return "" if tried.returncode == 0 else f"no network namespaces for this user: {tried.stderr.strip()}"


class TwoHosts:
    """`with` makes and removes them. `folder` receives hosts.txt for mpirun and the agent that stands in for ssh."""

    def __init__(self, folder):
        self.folder = folder
        self.pids = []

    def __enter__(self):
        process_group.adopt_orphans()
        try:
            for name in NAMES:
                line = ["unshare", "--net", "--uts", "sh", "-c"]
                line += [f"hostname {name} && ip link set lo up && echo ready && exec sleep 600"]
                log = self.folder / f"{name}.log"
                log.unlink(missing_ok=True)
                self.pids.append(process_group.start(line, log).pid)
                process_group.wait_for(lambda log=log: "ready" in log.read_text(), 10, log)
            self.on(0, "ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.pids[1])
            for host, address in enumerate(ADDRESSES):
                self.on(host, "ip", "address", "add", f"{address}/24", "dev", "cable")
                self.on(host, "ip", "link", "set", "cable", "up")
        except BaseException:
            self.__exit__()
            raise
        (self.folder / "hosts.txt").write_text("".join(f"{address} slots=1\n" for address in ADDRESSES))
        agent = self.folder / "agent"
        agent.write_text(AGENT.format(addresses=ADDRESSES, pids=self.pids))
        agent.chmod(0o755)
        return self

    def __exit__(self, *_):
        process_group.stop_all()
        self.pids.clear()

    def line(self, host, *words):
        return ["nsenter", "--target", str(self.pids[host]), "--net", "--uts", *(str(word) for word in words)]

    def on(self, host, *words, check=True, **more):
        """Runs a command on that host and returns what it left."""
        done = subprocess.run(self.line(host, *words), text=True, capture_output=True, **more)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr}")
        return done

    def shape(self, megabits):
        """Lets the cable carry so many megabits per second each way. What hinders it, or ""."""
        for host in range(2):
            limit = ["tbf", "rate", f"{1e6 * megabits:.0f}bit", "burst", "16kb", "latency", "500ms"]
            done = self.on(host, "tc", "qdisc", "replace", "dev", "cable", "root", *limit, check=False)
            if done.returncode != 0:
                return done.stderr.strip()
        return ""

    def received_bytes(self, host):
        text = self.on(host, "cat", "/proc/net/dev").stdout
        line = next(line for line in text.splitlines() if line.strip().startswith("cable:"))
        return int(line.split(":")[1].split()[0])

    def cut(self):
        self.on(1, "ip", "link", "set", "cable", "down")
