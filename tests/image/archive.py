"""An archive of packages such as apt reads (Debian's "Repository Format"), of one package, in a tree."""

import hashlib
import subprocess
from pathlib import Path

NAME = "of-an-archive"
_CONTROL = """Package: {name}
Version: {version}
Architecture: all
Maintainer: Somebody <somebody@example.org>
Description: what is updated
"""


def offered(tree: Path, origin: str, codename: str) -> None:
    """The package is installed in its version 1, and that archive alone is known, which has version 2."""
    archive = tree / "archive"
    older, newer = (_package(archive, version) for version in ("1", "2"))
    index = (
        f"{_CONTROL.format(name=NAME, version='2')}Filename: ./{newer.name}\n"
        f"Size: {newer.stat().st_size}\nSHA256: {_sum(newer.read_bytes())}\n"
    ).encode()
    (archive / "Packages").write_bytes(index)
    (archive / "Release").write_text(
        f"Origin: {origin}\nLabel: {origin}\nSuite: stable\nCodename: {codename}\n"
        f"Date: Sat, 01 Nov 2025 00:00:00 UTC\nSHA256:\n {_sum(index)} {len(index)} Packages\n"
    )
    (tree / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/archive ./\n")
    inside(tree, "dpkg", "--install", f"/archive/{older.name}")
    inside(tree, "apt-get", "update")


def inside(tree: Path, *command: str) -> str:
    """Runs a command in a tree that does not run; what it said."""
    done = subprocess.run(["chroot", tree, *command], capture_output=True, text=True, check=False)
    assert not done.returncode, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _package(archive: Path, version: str) -> Path:
    source, made = archive / f"source-{version}", archive / f"{NAME}_{version}.deb"
    (source / "DEBIAN").mkdir(parents=True)
    (source / "DEBIAN" / "control").write_text(_CONTROL.format(name=NAME, version=version))
    subprocess.run(["dpkg-deb", "--build", source, made], check=True, capture_output=True)
    return made


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
