"""A whole machine in QEMU: an arm64 board with a card, a network card, and neither a clock chip nor a screen.

It is alone in a network namespace: at its loopback address are the ports that lead to the box, and from inside the box
that address is 10.0.2.2. Every instruction is translated (TCG), so it takes a minute or two to boot.
"""

import base64
import os
import re
import secrets
import shlex
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.image.machine import Inside, enter
from tests.image.machine import until as until_in

PORT, PLAIN_PORT = 8443, 8080
PATIENCE_S = 1800
"""How long a test waits for what must come, on a machine that others use as well."""
MEMORY_MB = 1024  # of the smallest Raspberry Pi that the image is for
NO_CLOCK = "1970-01-01"
MORE_TO_THE_KERNEL = "ro console=ttyAMA0 loglevel=4 systemd.default_timeout_start_sec=900"  # it may be that slow
DISK_S, LOST_DISK_S = 900, 300
"""How long it waits for a disk: one that may be slow, and one that is known not to come."""
_OPTIONS = {  # as on a Pi: four of its cores are two here
    "machine": "virt",
    "cpu": "cortex-a72",
    "smp": "2",
    "m": str(MEMORY_MB),
    "accel": "tcg,thread=multi,tb-size=1024",
    "display": "none",
    "monitor": "none",
}


def until(happened: Callable[[], object], what: str) -> None:
    """Waits for something in the machine; fails, saying what, where it does not come."""
    until_in(happened, what, PATIENCE_S)


class Board(Inside):
    """The machine, and its card, which outlives it: it is switched on, off, and cut from its power."""

    plain, secure = f"http://127.0.0.1:{PLAIN_PORT}", f"https://127.0.0.1:{PORT}"

    def __init__(self, made: Path, folder: Path, namespace: str) -> None:
        self._made, self._folder, self._namespace = made, folder, namespace
        self.card, self.log = folder / "card.img", folder / "console.log"
        subprocess.run(["cp", "--sparse=always", made / "card.img", folder], check=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._shell: socket.socket | None = None

    def switch_on(self, clock: str = "utc", *, whole: bool = True) -> float:
        """Boots it; after how many seconds every unit was started, or those that can be where it is not `whole`.

        `clock`: which time it believes at first.
        """
        began_s = time.monotonic()
        with (self._folder / "qemu.log").open("wb") as said:
            self._process = subprocess.Popen(
                self._qemu(clock, DISK_S if whole else LOST_DISK_S), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self._connect()
        state = self.run("systemctl", "is-system-running", "--wait", check=False)
        assert state == "running" or not whole, self.failed()
        return time.monotonic() - began_s

    def failed(self) -> str:
        return self.run("systemctl", "--failed", "--no-pager", check=False) + self.journal()

    def cut(self) -> None:
        """Cuts the power: what runs is gone at once, whatever it was about to write."""
        if self._process:
            self._process.kill()
            self._process.wait()
        self._leave()

    def switch_off(self) -> float:
        """Shuts it down as a person does; after how many seconds it was off."""
        began_s = time.monotonic()
        assert self._process
        self.run("systemctl", "--no-block", "poweroff")
        self._process.wait(PATIENCE_S)
        self._leave()
        return time.monotonic() - began_s

    def run(self, *command: str, given: str = "", check: bool = True, patience_s: float = PATIENCE_S) -> str:
        assert self._shell
        self._shell.settimeout(patience_s)
        mark = secrets.token_hex(8)
        said = base64.b64encode(given.encode()).decode()
        line = f"echo {said} | base64 -d | {{ {shlex.join(command)}; }} 2>/run/tests.err; echo; echo {mark} $?\n"
        self._shell.sendall(line.encode())
        answer = self._read(re.compile(rf"\n{mark} (\d+)\n".encode()))
        out, code = answer[: answer.rindex(b"\n" + mark.encode())].decode(), int(answer.split()[-1])
        if check and code:
            raise AssertionError(f"{command} ended with {code}: {out}{self.run('cat', '/run/tests.err')}")
        return out.strip()

    @contextmanager
    def network(self, *, outside: bool = False) -> Iterator[None]:
        """Both are the namespace that it is alone in."""
        with Path("/proc/thread-self/ns/net").open() as before, Path(f"/run/netns/{self._namespace}").open() as there:
            enter(there.fileno())
            try:
                yield
            finally:
                enter(before.fileno())

    def _read(self, end: re.Pattern[bytes]) -> bytes:
        assert self._shell
        answer = b""
        while not end.search(answer[-64:]):
            part = self._shell.recv(1 << 16)
            assert part, "the machine is off"
            answer += part
        return answer

    def _connect(self) -> None:
        """Waits for the shell inside."""
        path = self._folder / "shell"
        self._shell = socket.socket(socket.AF_UNIX)
        self._shell.settimeout(PATIENCE_S)
        until(path.exists, "QEMU begins")
        self._shell.connect(str(path))
        path.unlink()
        self._shell.sendall(b"echo; echo ready 0\n")
        self._read(re.compile(rb"\nready 0\n"))

    def _leave(self) -> None:
        if self._shell:
            self._shell.close()
        self._process = self._shell = None

    def _qemu(self, clock: str, disk_s: int) -> list[str]:
        """What the box was told is written on its card has left QEMU, past this machine's own cache (cache=none)."""
        more: dict[str, object] = {
            "kernel": self._made / "vmlinuz",
            "initrd": self._made / "initrd.img",
            "rtc": f"base={clock}",
            "serial": f"file:{self.log}",
            "chardev": f"socket,id=tests,path={self._folder}/shell,server=on,wait=on",
        }
        line = (self._made / "cmdline.txt").read_text(encoding="ascii").strip()
        more["append"] = f"{line} {MORE_TO_THE_KERNEL} systemd.default_device_timeout_sec={disk_s}"
        forwarded = f"hostfwd=tcp:127.0.0.1:{PORT}-:443,hostfwd=tcp:127.0.0.1:{PLAIN_PORT}-:80"
        devices = ["virtio-rng-pci", "virtio-serial-pci", "virtserialport,chardev=tests,name=tests"]
        command = ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self._namespace]  # it ends as the tests do
        command += ["qemu-system-aarch64", "-nodefaults", "-no-reboot"]
        command += [part for name, value in (_OPTIONS | more).items() for part in (f"-{name}", str(value))]
        command += ["-netdev", f"user,id=house,{forwarded}", "-device", "virtio-net-pci,netdev=house,romfile="]
        drive = f"if=none,id=card,file={self.card},format=raw,cache=none,aio=threads"
        command += ["-drive", drive, "-device", "virtio-blk-pci,drive=card"]
        return command + [part for device in devices for part in ("-device", device)]


@contextmanager
def board(made: Path, folder: Path) -> Iterator[Board]:
    """A machine with a new card, off at first and in the end."""
    namespace = f"ing-qemu-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
        machine = Board(made, folder, namespace)
        try:
            yield machine
        finally:
            machine.cut()
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=True)
