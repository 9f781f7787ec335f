"""A booted appliance: its tree in systemd-nspawn, over which a memory file system takes all that is written.

Beside it lies the house: a network of its own, with somebody at home (10.87.0.1, fd87::1) and somebody on the internet
(203.0.113.5, 2001:db8::5). Both networks exist in namespaces that are made here; nothing reaches this machine's own.
"""

import ctypes
import json
import os
import secrets
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

BOX, HOME, INTERNET = "10.87.0.2", "10.87.0.1", "203.0.113.5"
BOX6, HOME6, INTERNET6 = "fd87::2", "fd87::1", "2001:db8::5"
DATA = "/var/lib/inglenook"
SERVICES = ("inglenook-collector", "inglenook-scheduler", "inglenook-dashboard")
PATIENCE_S = 240  # it shares its processors with the other tests
_CLONE_NEWNET = 0x4000_0000


def until(happened: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Waits for something that the box does, and asks seldom: each time is several processes."""
    end_s = monotonic() + patience_s
    while not happened():
        assert monotonic() < end_s, f"{what}: it did not happen in {patience_s} s"
        sleep(0.1)


class Inside(ABC):
    """One that runs; `plain` and `secure` are where a browser finds it, without a slash at the end."""

    plain: str
    secure: str

    @abstractmethod
    def run(self, *command: str, given: str = "", check: bool = True, patience_s: float = PATIENCE_S) -> str:
        """Runs a command in it as root; what it said. AssertionError where it fails and that is not expected."""

    @abstractmethod
    def network(self, *, outside: bool = False) -> AbstractContextManager[None]:
        """What this thread connects to meanwhile is the box's own network, or that of the house outside of it."""

    def write(self, path: str, text: str, owner: str = "root") -> None:
        self.run("sh", "-c", f'cat > "{path}" && chown "{owner}" "{path}"', given=text)

    def shown(self, unit: str, *names: str) -> list[str]:
        """Properties of a unit, in the order in which they are asked for."""
        lines = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).splitlines()
        found = dict(line.partition("=")[::2] for line in lines)
        return [found[name] for name in names]

    def processes(self, unit: str) -> list[int]:
        """The processes of a unit, by the machine's own numbers."""
        [group] = self.shown(unit, "ControlGroup")
        return [int(each) for each in self.run("cat", f"/sys/fs/cgroup{group}/cgroup.procs").split()]

    def idle_pss_kib(self) -> dict[str, int]:
        """What memory each process of the services takes, once no job runs: its share of what it shares, in KiB."""

        found: list[int] = []

        def is_idle() -> bool:
            found[:] = [each for service in SERVICES for each in self.processes(f"{service}.service")]
            return len(found) == len(SERVICES) + 1

        until(is_idle, "no job runs")
        return {f"{pid} {self._command(pid)}": self._pss_kib(pid) for pid in found}

    def _command(self, pid: int) -> str:
        return self.run("cat", f"/proc/{pid}/cmdline").replace("\0", " ")

    def _pss_kib(self, pid: int) -> int:
        return int(self.run("grep", "^Pss:", f"/proc/{pid}/smaps_rollup").split()[1])

    def journal(self, unit: str = "*") -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}", check=False)

    def open_ports(self) -> set[tuple[str, str]]:
        """Protocol and address of all that listens, but for the port from which avahi asks."""
        lines = [line.split() for line in self.run("ss", "-tulpnH").splitlines()]
        return {(line[0], line[4]) for line in lines if "avahi-daemon" not in line[-1] or line[4].endswith(":5353")}


class Machine(Inside):
    """One that runs in a container."""

    plain, secure = f"http://{BOX}", f"https://{BOX}"

    def __init__(self, leader: int, house: str, log: Path) -> None:
        self.leader, self.house, self.log = leader, house, log

    def run(self, *command: str, given: str = "", check: bool = True, patience_s: float = PATIENCE_S) -> str:
        entered = ["nsenter", "--target", str(self.leader), "--all", "--", *command]
        done = subprocess.run(entered, capture_output=True, text=True, input=given, timeout=patience_s, check=False)
        assert not check or not done.returncode, f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    @contextmanager
    def network(self, *, outside: bool = False) -> Iterator[None]:
        with ExitStack() as held:
            before = held.enter_context(Path("/proc/thread-self/ns/net").open())
            there = f"/run/netns/{self.house}" if outside else f"/proc/{self.leader}/ns/net"
            enter(held.enter_context(Path(there).open()).fileno())
            try:
                yield
            finally:
                enter(before.fileno())

    def settled(self) -> None:
        """Waits until nothing is left to be started."""
        until(lambda: self.run("systemctl", "list-jobs", check=False) == "No jobs running.", "every unit is started")


@contextmanager
def booted(tree: Path, scratch: Path) -> Iterator[Machine]:
    """Boots the tree, and switches it off."""
    token = secrets.token_hex(3)
    box, house = f"ing-box-{token}", f"ing-house-{token}"
    log = scratch / "console.log"
    with _networks(box, house), log.open("wb") as console:
        process = subprocess.Popen(
            _command(tree, box), stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=_ENVIRONMENT
        )
        try:
            machine = Machine(_leader(process.pid), house, log)
            until(lambda: machine.run("systemctl", "is-system-running", check=False) not in ("", "offline"), "it boots")
            machine.settled()
            yield machine
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


_ENVIRONMENT = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}  # as on Debian: the host's may be the old one


def _command(tree: Path, network: str) -> list[str]:
    return [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        f"--directory={tree}",
        "--volatile=overlay",
        "--machine=inglenook",
        "--register=no",
        "--keep-unit",
        f"--network-namespace-path=/run/netns/{network}",
        "--capability=CAP_NET_ADMIN",
        "--resolv-conf=off",
        "--console=pipe",
    ]


def _leader(pid: int) -> int:
    """The box's first process, as this machine numbers it."""
    children, ours = Path(f"/proc/{pid}/task/{pid}/children"), Path("/proc/self/ns/pid").readlink()
    found: list[int] = []

    def is_there() -> bool:
        numbers = map(int, children.read_text().split())
        found[:] = [each for each in numbers if Path(f"/proc/{each}/ns/pid").readlink() != ours]
        return bool(found)

    until(is_there, "the container begins")
    return found[0]


@contextmanager
def _networks(box: str, house: str) -> Iterator[None]:
    """The box's network and the house's, joined by a cable."""
    try:
        for name in (box, house):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", house, "link", "add", "lan", "type", "veth", "peer", "name", "host0", "netns", box)
        here = ((house, "lan", (HOME, INTERNET, HOME6, INTERNET6)), (box, "host0", (BOX, BOX6)))
        for name, link, addresses in here:
            for address in addresses:
                how = ("/64", "nodad") if ":" in address else ("/24",)
                _ip("-n", name, "address", "add", address + how[0], "dev", link, *how[1:])
            _ip("-n", name, "link", "set", link, "up")
        for gateway in (HOME, HOME6):
            _ip("-n", box, "route", "add", "default", "via", gateway)
        yield
    finally:
        for name in (box, house):
            _ip("netns", "delete", name, check=False)


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)


def enter(number: int) -> None:
    """This thread goes into the network namespace that an open file is."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(number, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def json_lines(text: str) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]
