"""Puts a release beside the one that runs: copied to where only root writes, checked, unpacked, installed.

The release brings its own `install`, which is run only once its signature and its sum are right.
"""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import UserError
from appliance.store import room
from appliance.updating.at_hand import Found, copied
from appliance.updating.places import Places

PATIENCE_S = 1_200
ROOM = 5
"""How many times its own size a release may take while it is put in: twice packed, then unpacked and compiled."""


def put(found: Found, places: Places) -> Path:
    """The folder of the release, whole. UserError where it cannot be put there; what was begun is gone then."""
    target = places.releases / found.release.version
    room.need(places.releases, ROOM * found.release.bytes, "the update")
    with _incoming(places) as folder:
        copied(found, folder / "release.tar")
        _unpack(folder / "release.tar", folder / "release")
        try:
            _run("bash", folder / "release" / "install", folder / "release", target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
    return target


@contextmanager
def _incoming(places: Places) -> Iterator[Path]:
    """A folder that nobody else reads, empty, and gone afterwards."""
    folder = places.state / "incoming"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _unpack(file: Path, to: Path) -> None:
    try:
        with tarfile.open(file, "r:") as tar:
            tar.extractall(to, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise UserError(f"the release could not be unpacked: {error}; free some space, and try again") from None


def _run(*command: object) -> None:
    try:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise UserError(f"the release was not installed after {PATIENCE_S} seconds; try again") from None
    if done.returncode:
        why = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise UserError(f"the release could not be installed: {why[-1]}; tell those from whom it is")
