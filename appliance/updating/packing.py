"""Making a release, on a developer's machine: what `image-build/release` puts together becomes two files.

python -m appliance.updating.packing facts FOLDER MACHINE           FOLDER/release.json: what the release is
python -m appliance.updating.packing pack FOLDER INTO KEY...        INTO/inglenook-*.tar, and its signed statement
"""

import argparse
import hashlib
import os
import sys
import tarfile
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import UserError
from appliance.store import migrations
from appliance.updating import release
from appliance.updating.release import Release

FACTS = "release.json"
ROOT = Path(__file__).parents[2]


def facts(folder: Path, machine: str) -> Release:
    """Writes what the release is that lies in this folder, as pyproject.toml and the environment say it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        document = tomllib.load(file)
    version, said = document["project"]["version"], document["tool"]["inglenook"]
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", datetime.now(UTC).timestamp()))
    day = datetime.fromtimestamp(seconds, UTC).date()
    made = Release(version, machine, said["updates-from"], day, migrations.newest(), said["news"])
    (folder / FACTS).write_text(made.as_json() + "\n", encoding="utf-8")
    return made


def pack(folder: Path, into: Path, keys: list[Path]) -> Path:
    """Makes both files of a release, of the folder where it was put together; the statement, which is written last."""
    signing = [release.private_key(each) for each in keys]
    if not release.public_keys(folder / "keys"):
        raise UserError(
            "this release brings no key, so a box with it would take no update ever after: put the public key of those "
            "who sign into image-build/keys, or name its folder in INGLENOOK_RELEASE_KEYS"
        )
    made = release.of_json((folder / FACTS).read_text(encoding="utf-8"))
    into.mkdir(parents=True, exist_ok=True)
    file = into / made.file
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            tar.add(path, path.relative_to(folder), filter=_plain)
    with file.open("rb") as content:
        whole = replace(made, bytes=file.stat().st_size, sha256=hashlib.file_digest(content, "sha256").hexdigest())
    statement = into / release.statement_name(made.machine)
    statement.write_text(release.signed(whole, signing), encoding="utf-8")
    return statement


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without whose it was and when: the same content is the same file."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def main() -> None:
    parser = argparse.ArgumentParser(prog="packing", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("facts")
    verb.add_argument("folder", type=Path)
    verb.add_argument("machine", choices=sorted(release.MACHINES.values()))
    verb = verbs.add_parser("pack")
    verb.add_argument("folder", type=Path)
    verb.add_argument("into", type=Path)
    verb.add_argument("key", type=Path, nargs="+")
    said = parser.parse_args()
    try:
        if said.verb == "facts":
            facts(said.folder, said.machine)
        else:
            print(pack(said.folder, said.into, said.key))
    except UserError as error:
        sys.exit(f"packing: {error}")


if __name__ == "__main__":
    main()
