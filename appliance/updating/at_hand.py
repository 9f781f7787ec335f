"""Which update is at hand: on a stick or in a folder, or fetched from the address that the configuration names.

Looking reads a small statement and checks its signature; the release itself is read where it is put in, or was fetched.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.config import Config
from appliance.errors import SourceError, UserError
from appliance.store import room
from appliance.updating import release
from appliance.updating.places import FETCHED, Places, need_a_box
from appliance.updating.release import Release

if TYPE_CHECKING:  # only who fetches loads what that takes: the dashboard looks, and stays small
    from appliance.web import Web

DISKS = ("media", "mnt")
"""Where disks are plugged in; looked through two folders deep."""

PROBLEM = "problem"
MOST_PROBLEM_BYTES = 4_096
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A release that this box can take, and the folder in which it lies."""

    release: Release
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / self.release.file


def look(config: Config, places: Places) -> tuple[Found | None, list[str]]:
    """The newest release that can be put in, and what is wrong with those that cannot."""
    problems = _of_last_fetch(config)
    found = list[Found]()
    try:
        running, keys = need_a_box(places).version, places.keys()
    except UserError as error:
        return None, list(error.problems)
    machine = release.this_machine()
    for folder in _folders(config, places, release.statement_name(machine)):
        try:
            stated = stated_in(folder, machine, keys)
            if stated.version == running:
                continue  # put in already
            stated.need_fit(running, machine)
            need_whole(folder / stated.file, stated)
            found.append(Found(stated, folder))
        except UserError as error:
            problems += error.problems
    return max(found, key=lambda each: release.ordered(each.release.version), default=None), problems


def _folders(config: Config, places: Places, name: str) -> Iterator[Path]:
    if (config.data / FETCHED / name).exists():
        yield config.data / FETCHED
    for disks in DISKS:
        for depth in ("", "*/", "*/*/"):
            with suppress(OSError):
                yield from sorted(path.parent for path in (places.root / disks).glob(f"{depth}{name}"))


def stated_in(folder: Path, machine: str, keys: Sequence[Ed25519PublicKey]) -> Release:
    """The release that lies in a folder, as it is stated there, by somebody who is trusted."""
    path = folder / release.statement_name(machine)
    with opened(path) as file:
        return release.verified(file.read(release.MOST_STATEMENT_BYTES), keys, path)


def need_whole(file: Path, stated: Release) -> None:
    """UserError where the release's file is missing, or has not all its bytes; what stands in them is not looked at."""
    with opened(file) as content:
        size = os.fstat(content.fileno()).st_size
    if size != stated.bytes:
        raise UserError(
            f"{file}: {size} bytes are there of {stated.bytes}, so it was not copied to its end; copy it again"
        )


def opened(path: Path) -> BinaryIO:
    """A file that somebody else may have put there; a link, a pipe or a device is refused."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; copy both files of the release again") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise UserError(f"{path}: this is no file; copy both files of the release again")
    return os.fdopen(number, "rb")


def copied(found: Found, to: Path) -> None:
    """Copies a release's file, whose bytes are then those that were signed for. UserError where they are not."""
    sum_ = hashlib.sha256()
    left = found.release.bytes
    with opened(found.file) as source, to.open("wb") as target:
        while left > 0 and (piece := source.read(min(_PIECE, left))):
            left -= len(piece)
            sum_.update(piece)
            target.write(piece)
    if left or sum_.hexdigest() != found.release.sha256:
        to.unlink()
        raise UserError(
            f"{found.file}: it is not what was signed, by its length or its sum: it was damaged on its way. Copy it "
            "again, from another stick perhaps"
        )


def fetch(config: Config, places: Places, web: "Web") -> Found | None:
    """Looks at the address that the configuration names, and fetches a release that is newer; None where none is.

    SourceError where nobody answers there, UserError where what is there is no release for this box; it stays said.
    """
    folder = config.data / FETCHED
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        found = _fetched(config, places, web)
    except (SourceError, UserError) as error:
        (folder / PROBLEM).write_text(f"{error}", encoding="utf-8")
        raise
    (folder / PROBLEM).unlink(missing_ok=True)
    if found is None:
        _clear(folder)
    return found


def _fetched(config: Config, places: Places, web: "Web") -> Found | None:
    running, machine = need_a_box(places).version, release.this_machine()
    if not config.update_url:
        raise UserError(
            'no address is named from which updates come: write [update] and url = "https://..." into '
            f"{config.data / 'inglenook.toml'}, or plug in a stick with the release on it"
        )
    base, name = config.update_url.rstrip("/"), release.statement_name(machine)
    answer = web.get(f"{base}/{name}", most=release.MOST_STATEMENT_BYTES)
    stated = release.verified(answer.body, places.keys(), f"{base}/{name}")
    if release.ordered(stated.version) <= release.ordered(running):
        return None
    stated.need_fit(running, machine)
    folder = config.data / FETCHED
    found = Found(stated, folder)
    if not _is_there(found):
        _download(web, f"{base}/{stated.file}", found)
    scratch = folder / f"{name}.new"
    scratch.write_bytes(answer.body)
    scratch.replace(folder / name)
    return found


def _of_last_fetch(config: Config) -> list[str]:
    with suppress(UserError), opened(config.data / FETCHED / PROBLEM) as file:  # root reads another user's file here
        said = file.read(MOST_PROBLEM_BYTES).decode(errors="replace")
        return [f"the last look for updates: {said}"] if config.update_url else []
    return []


def _clear(folder: Path) -> None:
    for old in folder.glob("inglenook-*"):
        old.unlink()


def _is_there(found: Found) -> bool:
    with suppress(UserError, OSError):
        need_whole(found.file, found.release)
        return True
    return False


def _download(web: "Web", url: str, found: Found) -> None:
    _clear(found.folder)
    room.need(found.folder, found.release.bytes, "fetching the update")
    part = found.file.with_suffix(".part")
    try:
        with part.open("wb") as file:
            web.get(url, into=file, most=found.release.bytes, within_s=7_200)
        _check(part, found.release)
        part.replace(found.file)
    except OSError as error:
        raise SourceError(f"{part}: {error.strerror}; free some space") from None
    finally:
        part.unlink(missing_ok=True)


def _check(part: Path, stated: Release) -> None:
    with part.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != stated.sha256:
            raise SourceError("the release that was fetched is not what was signed; it is fetched again tomorrow")
