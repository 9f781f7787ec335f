"""Puts in the update that is at hand, as root, or takes back one that was being tried when the machine stopped.

It runs from the release that it replaces (its unit resolves the link first), and does what needs a store as their user.
"""

import argparse
import http.client
import logging
import subprocess
import time
from pathlib import Path

from appliance import certificates
from appliance.config import Config, load
from appliance.errors import UserError
from appliance.updating import exchange
from appliance.updating.places import WANTED, Places
from services import state
from services.process import end_on_user_error

log = logging.getLogger(__name__)

USER = "inglenook"
COLLECTOR, SCHEDULER, DASHBOARD = (f"inglenook-{each}.service" for each in ("collector", "scheduler", "dashboard"))
SOCKET = "inglenook-dashboard.socket"
NAMES = {DASHBOARD: "the dashboard", COLLECTOR: "the collector"}
UNITS, WANTS = Path("/usr/local/lib/systemd/system"), Path("/etc/systemd/system")
LOOK_S = 0.2
TRIED_S = 45.0
"""How long a new release has until it must be well; on a Raspberry Pi 3 the dashboard takes a quarter of it."""

ENDED_TOO_OFTEN = 3
COMMAND_S = 3_600


class Systemd:
    """The box's services, as systemd runs them."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def as_user(self, *command: str) -> str:
        """Runs a command as the user whose stores these are. UserError with what it said last where it fails."""
        done = subprocess.run(  # noqa: S603 - of a release that was checked
            command,
            user=USER,
            group=USER,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode:
            raise UserError(_last(done.stderr) or f"{command[-1]} ended with {done.returncode}")
        return done.stdout

    def prepare(self, folder: Path) -> None:
        """Makes users and folders that the release wants. In a unit of its own, since this one may not do that."""
        units = folder / "systemd"
        for program, file in (
            (("systemd-sysusers",), units / "sysusers.d/inglenook.conf"),
            (("systemd-tmpfiles", "--create"), units / "tmpfiles.d/inglenook.conf"),
        ):
            _run("systemd-run", "--quiet", "--wait", "--collect", *program, str(file))

    def stop(self, *, collector: bool = False) -> None:
        """The dashboard's doors too: somebody who knocks would have it started."""
        _run("systemctl", "stop", *((COLLECTOR,) if collector else (SCHEDULER, SOCKET, DASHBOARD)))

    def start(self, *, scheduler: bool = False) -> None:
        _run("systemctl", "start", "--no-block", *((SCHEDULER,) if scheduler else (COLLECTOR, SOCKET, DASHBOARD)))

    def reload(self) -> None:
        """Reads the units anew, and has those started at boot that a release brings."""
        _run("systemctl", "daemon-reload")
        if new := [path.name for path in sorted(UNITS.glob("inglenook-*.*")) if _is_new(path)]:
            _run("systemctl", "enable", *new)

    def heard(self) -> set[str]:
        return _heard(self._config)

    def trouble(self, version: str, heard: set[str]) -> str:
        until = time.monotonic() + TRIED_S
        while True:
            silent = heard - _heard(self._config)
            answers = _answers(self._config, version)
            if answers and not silent and state.ask(self._config.run) is not None:
                return ""
            if often := [unit for unit in NAMES if _restarts(unit) >= ENDED_TOO_OFTEN]:
                return f"{NAMES[often[0]]} ended again and again (journalctl --unit={often[0]} says why)"
            if time.monotonic() > until:
                break
            time.sleep(LOOK_S)
        if not answers:
            return f"the dashboard did not answer for {TRIED_S:.0f} seconds"
        return f"nothing was heard of {', '.join(sorted(silent)) or 'the collector'} for {TRIED_S:.0f} seconds"


def _is_new(unit: Path) -> bool:
    """Whether a unit wants to be started at boot, and is not yet."""
    return unit.is_file() and "[Install]" in unit.read_text("utf-8") and not any(WANTS.glob(f"*.wants/{unit.name}"))


def _heard(config: Config) -> set[str]:
    """The meters that have sent a good frame and are being read."""
    told = state.ask(config.run) or {"meters": []}
    return {each["source"] for each in told["meters"] if each["state"] == "reading"}


def _answers(config: Config, version: str) -> bool:
    """Whether the dashboard of this version answers, with its store open."""
    connection = _connection(config)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        return answer.status == http.client.OK and f'version="{version}"'.encode() in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(config: Config) -> http.client.HTTPConnection:
    doors = config.doors
    if not doors.https:
        return http.client.HTTPConnection("127.0.0.1", 8000, timeout=5)
    context = certificates.authority(config.data, doors.name).trusting()
    return http.client.HTTPSConnection("127.0.0.1", doors.port, timeout=5, context=context)


def _restarts(unit: str) -> int:
    said = _run("systemctl", "show", "--property=NRestarts", "--value", unit).strip()
    return int(said) if said.isdecimal() else 0


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False)  # noqa: S603
    if done.returncode:
        raise UserError(f"{' '.join(command[:2])}: {_last(done.stderr) or done.returncode}")
    return done.stdout


def _last(said: str) -> str:
    return (said.strip().splitlines() or [""])[-1].removeprefix("inglenook: ")


def _config(data: Path) -> Config:
    """As it is said, or without it: a broken file does not keep a box on a release that is no good."""
    try:
        return load(data)
    except UserError as error:
        log.error("%s", error)
        return Config(data)


def main() -> None:
    parser = argparse.ArgumentParser(prog="inglenook-update", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--settle", choices=("booting", "running"), help="only take back what was being tried")
    said = parser.parse_args()
    places = Places()
    if said.settle:
        config = _config(said.data)
        (config.run / WANTED).unlink(missing_ok=True)
        exchange.settle(config, places, Systemd(config), exchange.POWER_CUT, booting=said.settle == "booting")
        return
    config = load(said.data)
    machine = Systemd(config)
    last = exchange.update(config, places, machine)
    if last is None:
        log.info("no update is at hand")
    else:
        log.info("update %s: %s %s", last.version, last.state, last.problem)


if __name__ == "__main__":
    end_on_user_error(main)
