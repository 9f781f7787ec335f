"""A release, as its signed statement says it, in a file of JSON:

    {"statement": "{\\"version\\": \\"0.2.0\\", ...}", "signatures": ["BASE64", ...]}

Each signature is Ed25519 (RFC 8032), over CONTEXT and the statement's text as it stands. One of a key that is trusted
is enough: so a release can be signed with a next key beside the one that boxes know, which brings that next key.
"""

import base64
import json
import os
import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from appliance.errors import UserError

CONTEXT = b"Inglenook release\n"
SUPPORT_MONTHS = 6
"""How long a release gets security fixes once a newer one is out; the newest always does."""

MOST_STATEMENT_BYTES = 64 << 10
MOST_BYTES = 600 << 20
MACHINES = {"aarch64": "arm64", "x86_64": "amd64"}
_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){1,3}")
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Release:
    """What one release is. `least` is the oldest version that it can be put onto, `layout` the newest layout of stores
    that it knows; the last two are of its file, and 0 and "" of one that is installed.
    """

    version: str
    machine: str
    least: str
    released: date
    layout: str
    news: str = ""
    bytes: int = 0
    sha256: str = ""

    @property
    def file(self) -> str:
        return f"inglenook-{self.version}-{self.machine}.tar"

    def ends_support_of_others(self) -> date:
        """Until when the release before this one gets security fixes."""
        years, month = divmod(self.released.month - 1 + SUPPORT_MONTHS, 12)
        first = date(self.released.year + years, month + 1, 1)
        return first + timedelta(days=min(self.released.day, monthrange(first.year, first.month)[1]) - 1)

    def need_fit(self, running: str, machine: str) -> None:
        """UserError where it is not for this box, or older than what runs here."""
        if self.machine != machine:
            raise UserError(f"release {self.version} is for {self.machine}, and this box is {machine}: take that one")
        if ordered(self.version) < ordered(running):
            raise UserError(
                f"release {self.version} is older than {running}, which runs here. An older one is not put in: it "
                "could not read what the newer one wrote. Take the newest"
            )
        if ordered(running) < ordered(self.least):
            raise UserError(
                f"release {self.version} can be put onto {self.least} and newer, and {running} runs here: "
                f"update to {self.least} first"
            )

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "released": self.released.isoformat()}, indent=1)


def ordered(version: str) -> tuple[int, ...]:
    """A version as it is compared."""
    return tuple(map(int, version.split(".")))


def this_machine() -> str:
    """As Debian calls it."""
    return MACHINES.get(os.uname().machine, os.uname().machine)


def statement_name(machine: str) -> str:
    """The file that says what the release beside it is."""
    return f"inglenook-{machine}.release"


def of_json(text: str) -> Release:
    """ValueError where it is none."""
    try:
        said = json.loads(text)
        release = Release(**{**said, "released": date.fromisoformat(said["released"])})
        whole = isinstance(release.bytes, int) and 0 <= release.bytes <= MOST_BYTES
        texts = (release.version, release.machine, release.least, release.layout, release.news, release.sha256)
        if not whole or not all(isinstance(each, str) for each in texts):
            raise ValueError("a value is of the wrong kind")
        if not all(_VERSION.fullmatch(each) for each in (release.version, release.least)):
            raise ValueError("a version is none")
        if release.machine not in MACHINES.values() or (release.sha256 and not _SHA256.fullmatch(release.sha256)):
            raise ValueError("the machine or the sum is none")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    return release


def signed(release: Release, keys: Iterable[Ed25519PrivateKey]) -> str:
    """The file that states a release."""
    text = release.as_json()
    signatures = [base64.b64encode(key.sign(CONTEXT + text.encode())).decode() for key in keys]
    return json.dumps({"statement": text, "signatures": signatures}, indent=1) + "\n"


def verified(content: bytes, keys: Sequence[Ed25519PublicKey], place: object) -> Release:
    """The release that a file states; `place` is what the file is called. UserError where nobody trusted does."""
    if not keys:
        raise UserError(
            "this box was built without a key for updates, and takes none: write a newer image to its card, and bring "
            "your backup back"
        )
    try:
        document = json.loads(content)
        text, signatures = document["statement"], document["signatures"]
        found = any(_is_by(key, text.encode(), each) for key in keys for each in signatures)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f"{place}: this is no release of Inglenook, or only a part of one; copy both its files again from where "
            "they came"
        ) from None
    if not found:
        raise UserError(
            f"{place}: nobody whom this box trusts has signed this release, so it is not touched; take it from where "
            "you have Inglenook, and from nobody else"
        )
    try:
        return of_json(text)
    except ValueError:
        raise UserError(f"{place}: a release that this version does not understand; write a newer image") from None


def _is_by(key: Ed25519PublicKey, text: bytes, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), CONTEXT + text)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys(folder: Path) -> list[Ed25519PublicKey]:
    """Every key of a folder, each in PEM in a file `*.pem`. UserError where one is no Ed25519 key."""
    return [_public(path) for path in sorted(folder.glob("*.pem"))]


def _public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UserError(f"{path}: this is no public Ed25519 key in PEM; see openssl pkey -pubout")
    return key


def private_key(path: Path) -> Ed25519PrivateKey:
    """A key that signs. UserError where the file has none."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"{path}: this is no Ed25519 key in PEM; make one with openssl genpkey -algorithm ed25519")
    return key
