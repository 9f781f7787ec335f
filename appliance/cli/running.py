"""`inglenook run`: all services in the foreground, each started again when it dies."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click

from appliance.cli.context import Context, common, warn
from appliance.errors import UserError
from appliance.store.keys import KeyRing

STOP_S = 5
RESTART_S = (0.5, 1, 2, 5, 10)
STEADY_S = 60
_PR_SET_PDEATHSIG = 1


@click.command("run")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The dashboard's port.")
@click.option("--demo", is_flag=True, help="A simulated house with history, in a folder of its own (./demo).")
@common
def run_command(context: Context, port: int, demo: bool) -> None:
    """Run the box: the collector, the scheduler and the dashboard, until Ctrl-C."""
    data = _demo_folder(context) if demo else context.config.data
    _need_port(port)
    _prepare(data, demo=demo)
    house = Supervisor(data)
    house.start("collector", "services.collector", "--data", str(data))
    house.start("dashboard", "services.dashboard", "--data", str(data), "--port", str(port))
    house.start("scheduler", "services.scheduler", "--data", str(data))
    if demo:
        house.start("history", "services.demo", "--data", str(data), "--past", once=True)
    sys.exit(house.watch())


def _need_port(port: int) -> None:
    """Says at once that the port is taken, rather than let the dashboard die again and again."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(f"port {port} cannot be used: {error.strerror}; choose another with --port") from None


def _demo_folder(context: Context) -> Path:
    """The folder that was named, else ./demo: the demo's simulated house never comes into a real one."""
    root = click.get_current_context().find_root().obj
    said = click.get_current_context().params
    return Path(said.get("data") or root["data"] or os.environ.get("INGLENOOK_DATA") or "demo").absolute()


def _prepare(data: Path, *, demo: bool) -> None:
    """Makes what the services need, in a process of its own: what makes a store is large, and `run` stays small."""
    if demo:
        _end(["services.demo", "--data", str(data)])
    if "home" not in KeyRing(data).store_names():
        _end(["services.setup", "--data", str(data)])
    else:
        KeyRing(data).open("home")


def _end(module_and_options: list[str]) -> None:
    ended = subprocess.run([sys.executable, "-m", *module_and_options], check=False)  # noqa: S603
    if ended.returncode:
        raise UserError(f"{module_and_options[0]} ended with {ended.returncode}; what it said stands above")


class Service:
    """One child process, started again when it dies."""

    def __init__(self, name: str, command: list[str], *, once: bool) -> None:
        self.name, self.command, self.once = name, command, once
        self.failures, self.due_at = 0, 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.started_at = time.monotonic()
        # A session of its own, so that Ctrl-C reaches the supervisor alone; and it ends when the supervisor does.
        self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=_die_with_parent)  # noqa: S603

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
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the wait below

    def start(self, name: str, module: str, *options: str, once: bool = False) -> None:
        service = Service(name, [sys.executable, "-m", module, *options], once=once)
        self.services.append(service)
        service.start()

    def watch(self) -> int:
        """Until it is told to stop. 0, or 1 where a service did not stop in time."""
        while not self.stopping:
            self._care()
            signal.sigtimedwait([signal.SIGUSR2], 0.5)  # a sleep that any signal ends
        return self._end_all()

    def _care(self) -> None:
        for service in list(self.services):
            code = service.ended()
            if code is not None and service.once:
                self.services.remove(service)
            elif code is not None:
                warn(f"the {service.name} ended ({code}) and is started again")
            elif service.process is None and time.monotonic() >= service.due_at:
                service.start()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _end_all(self) -> int:
        running = [service.process for service in self.services if service.process]
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
