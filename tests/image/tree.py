"""The appliance's tree for this machine: Debian, the stage's packages, then the stage's scripts, each kept by a hash.

    CACHE/base-HASH     Debian with the packages; HASH is over their lists
    CACHE/tree-HASH     the whole of it; HASH is also over the stage, the units and the application

A tree is made under another name and then renamed: one that was broken off is never taken for one that is whole.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "image-build" / "stage-inglenook"
CACHE = Path(os.environ.get("INGLENOOK_IMAGE_CACHE", "/var/cache/inglenook-image"))
SUITE = "trixie"
OF_A_PI = "02-raspberry"  # the sub-stage that makes no sense here
BEFORE = "systemd,systemd-sysv,udev,dbus,iproute2"
"""What the stages before ours have installed, as far as ours stands on it."""

KEPT = 3  # trees of each sort, for branches that are tested in turn
PATIENCE_S = 600


def tree() -> Path:
    """The tree of this working copy, built where it is not there yet. Root's work."""
    CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone():
        base_hash = _hash([*STAGE.glob("*/*-packages*"), Path(__file__)], SUITE, BEFORE)
        whole = _made("tree", _hash(_sources(), base_hash), lambda path: _finish(_base(base_hash), path))
        for sort in ("base", "tree"):
            _forget(sort)
        return whole


def assembled(folder: Path) -> Path:
    """The stage as pi-gen is given it, for this machine's architecture."""
    _run(ROOT / "image-build" / "assemble", folder, "amd64")
    return folder


def run_stage(stage: Path, tree: Path, part: str) -> None:
    _run(ROOT / "image-build" / "run-stage", stage, tree, part)


@contextmanager
def laid_over(tree: Path, scratch: Path) -> Iterator[Path]:
    """The tree as one that may be changed: what is written goes into a folder of its own."""
    upper, work, merged = (scratch / name for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        folder.mkdir(parents=True)
    _run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={tree},upperdir={upper},workdir={work}", merged)
    try:
        yield merged
    finally:
        _run("umount", merged)


def _base(base_hash: str) -> Path:
    return _made("base", base_hash, _bootstrap)


def _bootstrap(path: Path) -> None:
    _run(
        *("mmdebstrap", "--quiet", "--variant=minbase", "--skip=cleanup/apt/lists", f"--include={BEFORE}"),
        *('--aptopt=Acquire::Languages "none"', "--dpkgopt=path-exclude=/usr/share/man/*", SUITE, path),
    )
    with TemporaryDirectory() as scratch:
        stage = Path(scratch, "stage")
        shutil.copytree(STAGE, stage)
        (stage / OF_A_PI / "SKIP").touch()
        run_stage(stage, path, "packages")
    (path / "etc/hostname").write_text("inglenook\n", encoding="ascii")


def _finish(base: Path, path: Path) -> None:
    _run("cp", "-a", base, path)
    with TemporaryDirectory() as scratch:
        stage = assembled(Path(scratch, "stage"))
        (stage / OF_A_PI / "SKIP").touch()
        run_stage(stage, path, "scripts")


def _made(sort: str, name: str, make: Callable[[Path], None]) -> Path:
    path = CACHE / f"{sort}-{name}"
    if not path.exists():
        scratch = CACHE / "making"
        shutil.rmtree(scratch, ignore_errors=True)
        make(scratch)
        scratch.rename(path)
    os.utime(path)
    return path


def _forget(sort: str) -> None:
    for path in sorted(CACHE.glob(f"{sort}-*"), key=lambda each: each.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(path)


def _sources() -> list[Path]:
    """Every file that comes into the tree, or that makes it."""
    folders = ("appliance", "services", "systemd", "image-build")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    left_out = {"__pycache__", OF_A_PI, "build", "config"}  # the last two are for pi-gen
    return [path for path in found if not left_out & set(path.parts)] + [ROOT / "pyproject.toml"]


def _hash(paths: Iterable[Path], *more: str) -> str:
    """Over the files' names, modes and contents."""
    sum_ = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        sum_.update(f"{path.relative_to(ROOT)} {path.stat().st_mode & 0o111:o} {content}\n".encode())
    return sum_.hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: object) -> None:
    """Runs a command that makes something; AssertionError with all that it said where it fails."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert not done.returncode, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
