"""A box in a folder: its root, its data, a key that it trusts, and a stick on which releases are put."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.store import migrations
from appliance.updating import packing, release
from appliance.updating.places import Places
from appliance.updating.release import Release

INSTALL = """#!/bin/bash
set -e
test ! -e "$1/broken" || { echo "there is no wheel for numpy" >&2; exit 1; }
mkdir -p "$2/bin"
cp -r "$1/keys" "$2/"
cp "$1/release.json" "$2/release.json"
"""


class Box:
    """One on which 0.1.0 runs, and which trusts one key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places, self.data = Places(folder / "root"), folder / "data"
        self.stick = self.places.root / "media/stick"
        for each in (self.places.state, self.stick, self.data, self.places.releases / "0.1.0/keys"):
            each.mkdir(parents=True)
        self.key = self.make_key("release")
        (self.folder / "release.pub.pem").rename(self.places.releases / "0.1.0/keys/release.pem")
        installed = Release("0.1.0", release.this_machine(), "0.1.0", date(2026, 1, 1), migrations.newest())
        (self.places.releases / "0.1.0/release.json").write_text(installed.as_json())
        self.places.point(self.places.current, "0.1.0")

    def make_key(self, name: str) -> Path:
        """A pair: the file of the private one; the public one lies beside it."""
        key, path = Ed25519PrivateKey.generate(), self.folder / f"{name}.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path.with_suffix(".pub.pem").write_bytes(public)
        return path

    def made(
        self,
        version: str,
        *keys: Path,
        into: Path | None = None,
        files: dict[str, str] | None = None,
        **facts: object,
    ) -> Path:
        """Makes a release as it is made for boxes; where its file lies. It is signed by the key that the box trusts."""
        folder = self.folder / f"stage-{version}"
        (folder / "keys").mkdir(parents=True, exist_ok=True)
        (folder / "keys/release.pem").write_bytes((self.places.current / "keys/release.pem").read_bytes())
        installed = self.places.installed()
        assert installed
        stated = replace(installed, version=version, **facts)  # type: ignore[arg-type]
        for name, text in {"release.json": stated.as_json(), "install": INSTALL, **(files or {})}.items():
            (folder / name).write_text(text)
        statement = packing.pack(folder, into or self.stick, list(keys or (self.key,)))
        said = json.loads(json.loads(statement.read_text())["statement"])
        return statement.with_name(f"inglenook-{version}-{said['machine']}.tar")
