"""The appliance's tree for this machine: Debian, the stage's packages, then the stage's scripts, each kept by a hash.

    CACHE/base-HASH     Debian with the packages; HASH is over their lists
    CACHE/tree-HASH     the whole of it; HASH is also over the stage, the units and the application

CACHE is /var/cache/inglenook-image, or what INGLENOOK_IMAGE_CACHE says; it takes 1.5 GB, since the last two of each are
kept. A tree is made under another name and then renamed: one that was broken off is never taken for one that is whole.
"""

import fcntl
import hashlib
import inspect
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "image-build" / "stage-inglenook"
CACHE = Path(os.environ.get("INGLENOOK_IMAGE_CACHE", "/var/cache/inglenook-image"))
SUITE = "trixie"
OF_A_PI = "02-raspberry"  # the sub-stage that makes no sense here
BEFORE = "systemd,systemd-sysv,udev,dbus,iproute2"
"""What the stages before ours have installed, as far as ours stands on it."""

NOT_READ = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
KEPT = 2  # trees of each sort, for branches that are tested in turn; what is in use stays beside them
PATIENCE_S = 1800  # Debian comes over the network, onto a machine that may have other things to do


@contextmanager
def tree() -> Iterator[Path]:
    """The tree of this working copy, built where it is not there yet; it stays while it is used. Root's work."""
    CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
    (CACHE / "lock").touch()
    with ExitStack() as held:
        with _locked(CACHE / "lock", fcntl.LOCK_EX):
            base_hash = _hash(STAGE.glob("*/*-packages*"), SUITE, BEFORE, *NOT_READ, inspect.getsource(_bootstrap))
            whole = _made("tree", _hash(_sources(), base_hash), lambda path: _finish(_base(base_hash), path))
            held.enter_context(_locked(whole, fcntl.LOCK_SH))
            for sort in ("base", "tree"):
                _forget(sort)
        yield whole


def assembled(folder: Path) -> Path:
    """The stage as pi-gen is given it, for this machine's architecture."""
    _run(ROOT / "image-build" / "assemble", folder, {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine])
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
        *('--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in NOT_READ),
        *(SUITE, path),
    )
    with TemporaryDirectory() as scratch:
        stage = Path(scratch, "stage")
        shutil.copytree(STAGE, stage)
        (stage / OF_A_PI / "SKIP").touch()
        run_stage(stage, path, "packages")
    for folder in ("var/cache/apt", "var/lib/apt/lists"):  # as large as half of the rest
        shutil.rmtree(path / folder)
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
        with suppress(BlockingIOError), _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
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
def _locked(path: Path, how: int) -> Iterator[None]:
    number = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(number, how)
        yield
    finally:
        os.close(number)


def _run(*command: object) -> None:
    """Runs a command that makes something; AssertionError with all that it said where it fails."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert not done.returncode, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
