"""Where releases lie on a box, which of them runs, and what the last update did.

/opt/inglenook               -> inglenook-releases/VERSION: what runs. Units and all that starts them lie in it
/opt/inglenook-previous      -> the one that ran before, by which it is taken back
/opt/inglenook-releases/     each release that is installed, whole where it has its release.json
/var/lib/inglenook-update/   root's; all may read it
    trying                   while a new one is tried: the version to go back to, and that of the new one
    last.json                what the last update did
DATA/updates/                what was fetched
DATA/run/update-wanted       somebody who is signed in wants the update
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.errors import UserError
from appliance.store.destroying import sync_folder, unlink
from appliance.store.keys import write_durably
from appliance.updating import release
from appliance.updating.release import Release

FACTS = "release.json"
WANTED = "update-wanted"
FETCHED = "updates"
GOOD, BACK, REFUSED = "good", "back", "refused"


@dataclass(frozen=True, slots=True)
class Last:
    """What the last update did. `state`: it runs (good), it did not do well and the one before runs (back), or it was
    not begun (refused). `seconds` is how long people were not let in, until one of the two ran well or was started
    again; `locked` are the stores that nobody but their person could try it on.
    """

    version: str
    state: str
    at: datetime
    problem: str = ""
    seconds: float = 0
    locked: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "at": self.at.astimezone(UTC).isoformat()}


@dataclass(frozen=True, slots=True)
class Places:
    """Of the machine whose files begin at `root`."""

    root: Path = Path("/")

    @property
    def current(self) -> Path:
        return self.root / "opt/inglenook"

    @property
    def previous(self) -> Path:
        return self.root / "opt/inglenook-previous"

    @property
    def releases(self) -> Path:
        return self.root / "opt/inglenook-releases"

    @property
    def state(self) -> Path:
        return self.root / "var/lib/inglenook-update"

    def installed(self) -> Release | None:
        """The release that runs; None where Inglenook was not installed as one, on a developer's machine say."""
        with suppress(OSError, ValueError):
            return release.of_json((self.current / FACTS).read_text(encoding="utf-8"))
        return None

    def running(self) -> str:
        """The version that runs."""
        found = self.installed()
        return found.version if found else version("inglenook")

    def keys(self) -> list[Ed25519PublicKey]:
        """Those whose releases this box takes."""
        return release.public_keys(self.current / "keys")

    def last(self) -> Last | None:
        with suppress(OSError, ValueError, TypeError, KeyError):
            said = json.loads((self.state / "last.json").read_bytes())
            return Last(**{**said, "at": datetime.fromisoformat(said["at"]), "locked": tuple(said["locked"])})
        return None

    def say(self, last: Last) -> None:
        self._write("last.json", json.dumps(last.as_dict()))

    def is_trying(self) -> bool:
        return (self.state / "trying").exists()

    def trying(self) -> tuple[str, str] | None:
        """The version to go back to, and the one that is tried; None while none is."""
        with suppress(FileNotFoundError):
            before, new = (self.state / "trying").read_text(encoding="ascii").split()
            return before, new
        return None

    def begin_trying(self, new: str) -> None:
        self._write("trying", f"{self.current.readlink().name} {new}\n")

    def end_trying(self) -> None:
        unlink(self.state / "trying")

    def _write(self, name: str, text: str) -> None:
        """A file that all may read."""
        write_durably(self.state / name, text.encode(), mode=0o644)

    def point(self, link: Path, version: str) -> None:
        """Has a link name a release, at once and for good."""
        scratch = link.with_name(f"{link.name}.new")
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(self.releases.relative_to(link.parent) / version)
        scratch.rename(link)
        sync_folder(link.parent)

    def forget_old(self) -> None:
        """Removes each release that neither runs nor ran before."""
        kept = {self.current.resolve(), self.previous.resolve()}
        for path in self._releases():
            if path not in kept:
                shutil.rmtree(path)

    def _releases(self) -> Iterator[Path]:
        yield from (each for each in self.releases.resolve().glob("*") if each.is_dir())


def want(run: Path) -> None:
    """Says, in the run folder of the box, that somebody wants what is at hand."""
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    (run / WANTED).touch()


def is_wanted(run: Path) -> bool:
    """Whether one is put in, or will be in a moment."""
    return (run / WANTED).exists()


def need_a_box(places: Places) -> Release:
    """The release that runs. UserError where Inglenook came another way, by which it is then updated too."""
    found = places.installed()
    if found is None:
        raise UserError(
            "Inglenook was not installed here as a box’s release is: update it the way that it came, then run: "
            "inglenook upgrade"
        )
    return found
