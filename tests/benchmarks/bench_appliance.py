"""The booted appliance: how soon it answers, what its services take, how large it and its wheels are. Root's work."""

import tempfile
from pathlib import Path

import click

from tests.benchmarks.row import Row
from tests.image import machine, needs, tree
from tests.image.machine import Machine
from tests.image.visitor import METER, Visitor

WHEELS = Path("01-application", "files", "release", "wheels")


def rows() -> list[Row]:
    if why := needs.lacking():
        click.echo(f"without the appliance: {why}", err=True)
        return []
    with tempfile.TemporaryDirectory() as name, tree.tree() as whole:
        scratch = Path(name)
        wheels = tree.assembled(scratch / "stage") / WHEELS
        sizes = _bytes(wheels), _bytes(whole)
        with machine.booted(whole, scratch) as running:
            began_s, answers_s = _seconds(running)
            memory = _memory(running, scratch)
    return [
        Row("The appliance's dashboard answers, from the start of the container", answers_s, 15, "s"),
        Row("The appliance's dashboard answers, from the start of its unit", answers_s - began_s, 2, "s"),
        Row("All services of the appliance, claimed and with a meter, PSS together", memory, 150, "MB"),
        Row("The appliance unpacked, Debian's base included", sizes[1] / 1e6, 1200, "MB"),
        Row("The appliance's wheels", sizes[0] / 1e6, 150, "MB"),
    ]


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _seconds(running: Machine) -> tuple[float, float]:
    """When the dashboard's unit began, and when it had answered itself, from the start of the container's systemd."""
    [start] = running.run("systemctl", "show", "--property=UserspaceTimestampMonotonic", "--value").splitlines()
    names = ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
    began, answered = ((int(each) - int(start)) / 1e6 for each in running.shown("inglenook-dashboard.service", *names))
    return began, answered


def _memory(running: Machine, scratch: Path) -> float:
    """Megabytes, once nothing but the services themselves runs."""
    visitor = Visitor(running, scratch)
    visitor.claims()
    running.write(f"{machine.DATA}/inglenook.toml", METER)
    running.run("systemctl", "restart", *(f"{service}.service" for service in machine.SERVICES))
    visitor.get("/now")
    return sum(running.idle_pss_kib().values()) * 1024 / 1e6
