"""`inglenook run`: all services in the foreground, each started again when it dies."""

import ctypes
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click

from appliance.cli.context import Context, Number, common, warn
from appliance.config import FILE
from appliance.errors import UserError

LOCK = "lock"
PORT = 8000
MENDABLE = 2  # how a service ends that said what is wrong
STOP_S = 5
WAIT_S = 0.5
PAST_FILE = "past.json"  # what services.demo has still to fill
RESTART_S = (0.5, 1, 2, 5, 10)
STEADY_S = 60
_PR_SET_PDEATHSIG = 1


@click.command("run")
@click.option("--port", type=Number(1, 65535), help="The dashboard's port: 8000, or by HTTPS what [dashboard] says.")
@click.option("--demo", is_flag=True, help="A simulated house with history, in a folder of its own (./demo).")
@common
def run_command(context: Context, port: int | None, demo: bool) -> None:
    """Run the box: the collector, the scheduler and the dashboard, until Ctrl-C."""
    data = context.config.data
    house = Supervisor(data)
    lock = _need_alone(data)
    doors = context.config.doors
    port = port or (doors.port if doors.https else PORT)
    for each in {port, doors.plain_port} if doors.https else {port}:
        _need_port(each)
    _prepare(house, demo=demo)
    house.start("collector", "services.collector", "--data", str(data))
    house.start("dashboard", "services.dashboard", "--data", str(data), "--port", str(port))
    house.start("scheduler", "services.scheduler", "--data", str(data))
    if (data / PAST_FILE).exists():
        house.start("history", "services.demo", "--data", str(data), "--past", once=True)
    code = house.watch()
    os.close(lock)
    sys.exit(code)


def _need_alone(data: Path) -> int:
    """The lock of a box that runs, which ends with this process however that ends; UserError where it is held."""
    path = data / "run" / LOCK
    for folder in (data, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"a box is already running on {data}: use that one, or stop it first, or name another folder with --data"
        ) from None
    return lock


def _need_port(port: int) -> None:
    """Says at once that the port is taken, rather than let the dashboard die again and again."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(f"port {port} cannot be used: {error.strerror}; choose another with --port") from None


def _prepare(house: "Supervisor", *, demo: bool) -> None:
    """Makes and opens what the services need, in a process of its own: that is large, and `run` stays small.

    What keeps home from being opened is said once, before the services would die of it again and again.
    """
    if demo and not (house.data / FILE).exists():
        house.finish("services.demo", "--data", str(house.data))
    house.finish("services.setup", "--data", str(house.data))


class Service:
    """One child process, started again when it dies."""

    def __init__(self, name: str, command: list[str], *, once: bool) -> None:
        self.name, self.command, self.once = name, command, once
        self.failures, self.due_at = 0, 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = _child(self.command)

    def ended(self) -> int | None:
        """How it ended, if it has; it is due again later and later, unless it ran for a while or ended as it should."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        steady = code == 0 or time.monotonic() - self.started_at > STEADY_S
        self.failures = 0 if steady else self.failures + 1
        self.due_at = time.monotonic() + RESTART_S[min(self.failures, len(RESTART_S) - 1)]
        return code


class Supervisor:
    """The services of one box, under `inglenook run`. On an appliance systemd does this."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.services: list[Service] = []
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._woken, wakes = socket.socketpair()
        self._woken.setblocking(False)
        wakes.setblocking(False)
        signal.set_wakeup_fd(wakes.detach())  # every signal above ends the wait below

    def finish(self, module: str, *options: str) -> None:
        """Runs a process to its end; ends with it where it said what a person can mend, or where it is time to stop.

        UserError where it fails otherwise.
        """
        process = _child([sys.executable, "-m", module, *options])
        while (code := process.poll()) is None and not self.stopping:
            self._wait()
        if self.stopping:
            sys.exit(_ended([process]))
        if code == MENDABLE:
            sys.exit(code)
        if code:
            raise UserError(f"{module} ended with {code}; what it said stands above")

    def start(self, name: str, module: str, *options: str, once: bool = False) -> None:
        service = Service(name, [sys.executable, "-m", module, *options], once=once)
        self.services.append(service)
        service.start()

    def watch(self) -> int:
        """Until it is told to stop. 0, or 1 where a service did not stop in time."""
        while not self.stopping:
            self._care()
            self._wait()
        return _ended([service.process for service in self.services if service.process])

    def _wait(self) -> None:
        if select.select([self._woken], [], [], WAIT_S)[0]:
            self._woken.recv(4096)

    def _care(self) -> None:
        for service in list(self.services):
            code = service.ended()
            if code is not None and service.once:
                self.services.remove(service)
            elif code is not None:
                why = f"ended ({code})" if code else "found its configuration changed"
                warn(f"the {service.name} {why} and is started again")
            elif service.process is None and time.monotonic() >= service.due_at:
                service.start()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True


def _child(command: list[str]) -> subprocess.Popen[bytes]:
    """A process in a session of its own, so that Ctrl-C reaches the supervisor alone; it ends when the latter does."""
    return subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent)  # noqa: S603


def _ended(running: list[subprocess.Popen[bytes]]) -> int:
    """Stops these processes. 0, or 1 where one did not stop in time."""
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_S
    late = 0
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            late = 1
    return late


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
