"""The booted box is updated, and goes back by itself from a release that does not do well; with the figures.

It leaves the box on the version with which it was built.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.boxes import NAME, PASSWORD
from tests.image.machine import DATA, SERVICES, Machine
from tests.image.tree import ROOT
from tests.image.visitor import Visitor
from tests.p1_cable import until

MOST_GAP_S, MOST_S = 10, 60
UNIT = "inglenook-update-install.service"
STATE = "/var/lib/inglenook-update"
METER = """
[dashboard]
https = true
[meters.house]
link = "simulated"
meter = "dsmr"
zone = "Europe/Amsterdam"
simulated = { zone = "Europe/Amsterdam", interval_s = 1 }

[collector]
flush_seconds = 1
"""
NEXT_LAYOUT = '''"""A table more."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{before}"


def upgrade() -> None:
    op.create_table("of_a_newer_one", sa.Column("id", sa.Integer, primary_key=True))
'''
BROKEN = "raise SystemExit('this release is broken on purpose')\n"


class Releases:
    """Makes releases as a developer does, from a copy of this working copy, and signs them with a key of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.source, self.keys = folder, folder / "source", folder / "keys"
        self.key = folder / "key.pem"
        key = Ed25519PrivateKey.generate()
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.keys.mkdir()
        (self.keys / "release.pem").write_text(self.public)
        self.source.mkdir()
        for name in ("appliance", "services", "systemd", "image-build", "pyproject.toml", "README.md", "LICENSE"):
            place = ROOT / name
            if place.is_dir():
                shutil.copytree(place, self.source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(place, self.source / name)
        (self.source / ".venv").symlink_to((ROOT / ".venv").resolve())

    def made(self, version: str, files: dict[str, str]) -> Path:
        """The folder of a release in which these files are others."""
        project = self.source / "pyproject.toml"
        before = next(line for line in project.read_text().splitlines() if line.startswith("version = "))
        project.write_text(project.read_text().replace(before, f'version = "{version}"'))
        for name, text in files.items():
            (self.source / name).write_text(text)
        into = self.folder / version
        done = subprocess.run(
            [self.source / "image-build/release", into, _machine(), self.key],
            env={**os.environ, "INGLENOOK_RELEASE_KEYS": str(self.keys)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stdout + done.stderr
        return into


def _machine() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return Releases(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def at_home(appliance: Machine, tmp_path_factory: pytest.TempPathFactory, releases: Releases) -> Iterator[Visitor]:
    """Who lives with a claimed box that reads a meter, and trusts the key of these releases."""
    visitor = Visitor(appliance, tmp_path_factory.mktemp("visitor"))
    if "/claim" in visitor.get("/now").url:
        assert "recovery kit" in visitor.claims().text
    else:  # another test has claimed it
        visitor.post("/sign-in", name=NAME, password=PASSWORD)
    appliance.write("/opt/inglenook/keys/of-this-test.pem", releases.public)
    appliance.write(f"{DATA}/inglenook.toml", METER)
    until(lambda: visitor.get("/api/now").json().get("import_w") is not None, "the meter's power is known")
    built = appliance.run("readlink", "/opt/inglenook")
    yield visitor
    services = [f"{service}.service" for service in SERVICES]
    appliance.run("systemctl", "stop", *services)
    appliance.run("ln", "-sfnT", built, "/opt/inglenook")
    appliance.run("systemctl", "daemon-reload")
    appliance.run("systemctl", "start", *services)


def _plug_in(appliance: Machine, release: Path) -> None:
    stick = Path(f"/proc/{appliance.leader}/root/media/stick")
    shutil.rmtree(stick, ignore_errors=True)
    shutil.copytree(release, stick)


def _updated(appliance: Machine, at_home: Visitor) -> tuple[dict[str, Any], float]:
    """Clicks, and waits until it is over, however long the installation takes; what it did, and in how many seconds."""
    before, begun = _last(appliance), time.monotonic()
    assert "An update is being put in" in at_home.post("/update/now", on="/update").text
    appliance.run("sh", "-c", "while test -e /var/lib/inglenook/run/update-wanted; do sleep 0.2; done", patience_s=900)
    until(lambda: appliance.shown(UNIT, "ActiveState") == ["inactive"], "the update is over")
    assert _last(appliance) != before, appliance.journal(UNIT)
    return _last(appliance), time.monotonic() - begun


def _last(appliance: Machine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(appliance.run("cat", f"{STATE}/last.json", check=False) or "{}")
    return found


def _gap_s(appliance: Machine, since: datetime) -> float:
    """The longest time between two readings of the meter since then."""
    said = appliance.run("inglenook", "--json", "readings", "electricity.power", "--from", since.isoformat())
    times = [datetime.fromisoformat(json.loads(line)["at"]) for line in said.splitlines()]
    assert len(times) > 10, said
    return max((after - before).total_seconds() for before, after in pairwise(times))


def _is_active(appliance: Machine, service: str) -> bool:
    return appliance.shown(f"{service}.service", "ActiveState") == ["active"]


def _print(what: str, last: dict[str, Any], seconds: float, gap_s: float) -> None:
    away_s = last["seconds"]
    print(f"{what}: {seconds:.0f} s, of which the page was away {away_s:.0f} s, and readings lay {gap_s:.0f} s apart")


def _version(appliance: Machine) -> str:
    return appliance.run("readlink", "/opt/inglenook").rpartition("/")[2]


def test_a_release_is_put_in_by_a_click_and_the_meter_is_hardly_missed(
    appliance: Machine, at_home: Visitor, releases: Releases
) -> None:
    _plug_in(appliance, releases.made("7.0.0", {}))
    assert "7.0.0 is at hand" in at_home.get("/update").text
    since = datetime.now(UTC)
    last, seconds = _updated(appliance, at_home)
    assert (last["state"], last["problem"], last["version"]) == ("good", "", "7.0.0"), appliance.journal()
    until(lambda: at_home.get("/api/now").json().get("age_s", 99) < 5, "readings come")
    assert "Inglenook 7.0.0 runs here" in at_home.get("/update").text
    assert _version(appliance) == "7.0.0"
    until(lambda: all(_is_active(appliance, each) for each in SERVICES), "every service runs")
    gap_s = _gap_s(appliance, since)
    _print("an update", last, seconds, gap_s)
    assert gap_s <= MOST_GAP_S


def test_a_release_that_moved_the_stores_and_does_not_do_well_is_taken_back_within_a_minute(
    appliance: Machine, at_home: Visitor, releases: Releases
) -> None:
    before = _version(appliance)
    revision = max(path.stem[:4] for path in (ROOT / "appliance/store/migrations/versions").glob("[0-9]*.py"))
    broken = releases.made(
        "8.0.0",
        {
            "appliance/store/migrations/versions/9999_a_table_more.py": NEXT_LAYOUT.format(before=revision),
            "services/dashboard/__main__.py": BROKEN,
        },
    )
    _plug_in(appliance, broken)
    since = datetime.now(UTC)
    last, seconds = _updated(appliance, at_home)
    assert (last["state"], last["version"]) == ("back", "8.0.0"), appliance.journal()
    assert "the dashboard ended again and again" in last["problem"]
    until(lambda: at_home.get("/api/now").json().get("age_s", 99) < 5, "readings come")
    page = at_home.get("/update").text
    assert f"Inglenook {before} runs here" in page
    assert "taken back" in page
    assert _version(appliance) == before
    assert not appliance.run("sh", "-c", f"ls -d {DATA}/update-* {STATE}/trying 2>/dev/null || true")
    gap_s = _gap_s(appliance, since)
    _print("an update that is taken back", last, seconds, gap_s)
    assert gap_s <= MOST_GAP_S
    assert last["seconds"] <= MOST_S


def test_an_update_that_is_killed_while_the_release_is_tried_is_taken_back_at_once(
    appliance: Machine, at_home: Visitor
) -> None:
    before = _version(appliance)
    at_home.post("/update/now", on="/update")
    appliance.run("sh", "-c", f"until test -e {STATE}/trying; do sleep 0.1; done", patience_s=900)
    appliance.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", UNIT)
    until(lambda: appliance.shown(UNIT, "ActiveState") == ["failed"], "systemd cleans up")
    appliance.run("systemctl", "reset-failed", UNIT)
    assert (_version(appliance), _last(appliance)["state"]) == (before, "back")
    until(lambda: at_home.get("/api/now").json().get("age_s", 99) < 5, "readings come")
    assert not appliance.run("sh", "-c", f"ls -d {DATA}/update-kept {STATE}/trying 2>/dev/null || true")


def test_an_update_that_a_power_cut_stopped_is_taken_back_at_boot(appliance: Machine, at_home: Visitor) -> None:
    before = _version(appliance)
    services = [f"{service}.service" for service in SERVICES]
    appliance.run("systemctl", "stop", *services)
    appliance.write(f"{STATE}/trying", f"{before} 9.9.9\n")
    appliance.run("systemctl", "start", "inglenook-scheduler.service")
    assert not _is_active(appliance, "inglenook-scheduler"), (
        "what it wrote would be lost: the stores are to be put back"
    )
    appliance.run("sh", "-c", f"ln -sfnT inglenook-releases/{before} /opt/inglenook-previous")
    appliance.run("sh", "-c", "ln -sfnT inglenook-releases/9.9.9 /opt/inglenook")
    appliance.run("systemctl", "start", "inglenook-update-settle.service")
    assert _version(appliance) == before
    assert _last(appliance)["state"] == "back"
    appliance.run("systemctl", "start", *services)
    assert "it stopped half-way" in at_home.get("/update").text.lower()


def test_a_release_that_was_not_copied_whole_is_said_on_the_page(
    appliance: Machine, at_home: Visitor, releases: Releases
) -> None:
    stick = Path(f"/proc/{appliance.leader}/root/media/stick")
    os.truncate(next(stick.glob("*.tar")), 1_000_000)
    page = at_home.get("/update").text
    assert "copied to its end" in page
    assert "Update now" not in page
