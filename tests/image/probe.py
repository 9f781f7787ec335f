"""Tries, from within a service's sandbox, what it must and must not be able to do; prints what came of each as JSON.

It is run in place of the service, by the service's own unit, and imports nothing of this project.
"""

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

DATA = Path("/var/lib/inglenook")
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_TRACEME, CLONE_NEWUSER, CLONE_NEWNS, PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ = 0, 0x1000_0000, 0x2_0000, 39, 23
SYSLOG_READ_ALL, PERSONALITY_LINUX32, KEYCTL_GET_KEYRING_ID = 3, 8, 0
SYSCALLS = {"x86_64": {"keyctl": 250, "bpf": 321}, "aarch64": {"keyctl": 219, "bpf": 280}}[os.uname().machine]


def called(value: int) -> int:
    """What a call of the C library gave; OSError where it failed."""
    if value < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return value


def listed(path: Path) -> None:
    list(path.iterdir())


def made(path: Path) -> None:
    (path / "probe").write_text("made by a probe")
    (path / "probe").unlink()


def ran(path: Path) -> None:
    """Runs a program that lies there."""
    program = path / "probe"
    program.write_text("#!/bin/sh\nexit 0\n")
    try:
        program.chmod(0o700)
        if os.spawnv(os.P_WAIT, program, [str(program)]):
            raise PermissionError(errno.EACCES, "not run")
    finally:
        program.unlink()


def set_user_id(path: Path) -> None:
    program = path / "probe"
    program.touch()
    try:
        program.chmod(0o4700)
    finally:
        program.unlink()


def spoken(kind: int, sort: int) -> None:
    socket.socket(kind, sort).close()


def reached(address: str) -> None:
    """Whether a connection to somebody is let out: a refusal from there is an answer too."""
    with socket.socket() as out:
        out.settimeout(2)
        try:
            out.connect((address, 9))
        except ConnectionRefusedError:
            return


def executable_memory() -> None:
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC):
        return


def alone() -> None:
    """Whether it sees no process but itself, which is the first one there."""
    seen = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
    if seen != ["1"] or os.getpid() != 1:
        raise OSError(errno.EBUSY, f"sees {seen}")


def child(what: Callable[[], object]) -> None:
    """Does it in a child, which does not come back the same."""
    pid = os.fork()
    if not pid:
        try:
            what()
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise OSError(code, os.strerror(code) if code > 0 else signal.Signals(-code).name)


TRIES: dict[str, Callable[[], object]] = {
    "read the box's key": lambda: (DATA / "keys/box.key").read_bytes(),
    "read the home store": lambda: (DATA / "stores/home/store.db").read_bytes(),
    "list the stores": lambda: listed(DATA / "stores"),
    "list the inbox": lambda: listed(DATA / "inbox/home"),
    "read the public key": lambda: (DATA / "stores/home/keys.json").read_bytes(),
    "read the meters": lambda: (DATA / "meters.toml").read_bytes(),
    "write the data folder": lambda: made(DATA),
    "write the home store's folder": lambda: made(DATA / "stores/home"),
    "write the spool": lambda: made(DATA / "spool"),
    "write the run folder": lambda: made(DATA / "run"),
    "write its own program": lambda: made(Path("/opt/inglenook")),
    "write the system": lambda: made(Path("/usr/lib")),
    "write the configuration of the system": lambda: made(Path("/etc")),
    "write the state of the system": lambda: made(Path("/var/lib")),
    "write /run": lambda: made(Path("/run")),
    "write /dev/shm": lambda: made(Path("/dev/shm")),
    "write its own /tmp": lambda: Path("/tmp/left-by-a-probe").touch(),
    "read passwords": lambda: Path("/etc/shadow").read_bytes(),
    "list homes": lambda: listed(Path("/home/somebody")),
    "run a program from the data folder": lambda: ran(DATA / "run"),
    "write a disk that is plugged in": lambda: made(Path("/media/disk")),
    "run a program from a disk": lambda: ran(Path("/media/disk")),
    "run a program from /tmp": lambda: ran(Path("/tmp")),
    "make a set-user-ID program": lambda: set_user_id(DATA / "run"),
    "use IPv4": lambda: spoken(socket.AF_INET, socket.SOCK_STREAM),
    "use netlink": lambda: spoken(socket.AF_NETLINK, socket.SOCK_RAW),
    "open a raw socket": lambda: spoken(socket.AF_INET, socket.SOCK_RAW),
    "open a packet socket": lambda: spoken(socket.AF_PACKET, socket.SOCK_RAW),
    "open a vsock": lambda: spoken(socket.AF_VSOCK, socket.SOCK_STREAM),
    "reach the house": lambda: reached("10.87.0.1"),
    "reach the internet": lambda: reached("203.0.113.5"),
    "see its own processes alone": lambda: alone(),
    "see the kernel's settings": lambda: listed(Path("/proc/sys/kernel")),
    "be traced": lambda: child(lambda: called(LIBC.ptrace(PTRACE_TRACEME, 0, 0, 0))),
    "make a user namespace": lambda: child(lambda: called(LIBC.unshare(CLONE_NEWUSER))),
    "make a mount namespace": lambda: child(lambda: called(LIBC.unshare(CLONE_NEWNS))),
    "mount": lambda: called(LIBC.mount(b"tmpfs", b"/mnt", b"tmpfs", 0, None)),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "ask whether the clock is set": lambda: called(LIBC.adjtimex((ctypes.c_byte * 208)())),
    "name the machine": lambda: socket.sethostname("probe"),
    "read the kernel's log": lambda: called(LIBC.klogctl(SYSLOG_READ_ALL, ctypes.create_string_buffer(64), 64)),
    "open the kernel's log": lambda: Path("/dev/kmsg").open("rb").close(),
    "load a module": lambda: called(LIBC.syscall(SYSCALLS["bpf"], 0, 0, 0)),
    "use keys of a session": lambda: called(LIBC.syscall(SYSCALLS["keyctl"], KEYCTL_GET_KEYRING_ID, -3, 0)),
    "write a control group": lambda: made(Path("/sys/fs/cgroup")),
    "write a kernel setting": lambda: Path("/sys/kernel/mm/ksm/run").write_text("0"),
    "map memory that is written and run": executable_memory,
    "change its execution domain": lambda: called(LIBC.personality(PERSONALITY_LINUX32)),
    "be scheduled in real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "become root": lambda: child(lambda: os.setuid(0)),
    "give a file away": lambda: os.chown(DATA / "run", 0, 0),
    "make a device": lambda: os.mknod("/tmp/null", 0o20600, os.makedev(1, 3)),
    "use a pseudo-terminal": os.openpty,
    "open a disk": lambda: Path("/dev/vda").open("rb").close(),
}


def facts() -> dict[str, object]:
    """What the kernel says of it."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return {
        "capabilities": {name: status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
        "no new privileges": LIBC.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        "umask": f"{os.umask(0):o}",
        "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
        "user namespace": Path("/proc/self/uid_map").read_text().split(),
        "groups": sorted(os.getgroups()),
        "process": os.getpid(),
        "boot": os.environ.get("INGLENOOK_BOOT", ""),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "folder": str(Path.cwd()),
    }


def tried(what: Callable[[], object]) -> str:
    """What came of it: "can", or why not."""
    try:
        what()
    except OSError as error:
        return error.strerror or type(error).__name__
    return "can"


if __name__ == "__main__":
    json.dump({"facts": facts(), "tries": {name: tried(what) for name, what in TRIES.items()}}, sys.stdout)
