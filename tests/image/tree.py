"""The appliance's tree: Debian, the stage's packages, then the stage's scripts, each kept by a hash.

    CACHE/amd64-base-HASH     Debian with the packages; HASH is over their lists
    CACHE/amd64-tree-HASH     the whole of it; HASH is also over the stage, the units and the application

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
AMD64, ARM64 = "amd64", "arm64"
HERE = {"x86_64": AMD64, "aarch64": ARM64}[os.uname().machine]

NOT_READ = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
KEPT = 2  # trees of each sort, for branches that are tested in turn; what is in use stays beside them
PATIENCE_S = 1800  # Debian comes over the network, onto a machine that may have other things to do


@contextmanager
def tree(machine: str = HERE, more: str = "") -> Iterator[Path]:
    """The tree of this working copy, built where it is not there yet; it stays while it is used. Root's work.

    `more` are packages beside those that it needs in a container, each after a comma. A tree for another machine than
    this one needs qemu-user's binfmt.
    """
    with ExitStack() as held:
        with alone(machine):
            words = (SUITE, BEFORE, machine, more, *NOT_READ, inspect.getsource(_bootstrap))
            base_hash = hash_of(STAGE.glob("*/*-packages*"), *words)

            def bootstrap(path: Path) -> None:
                _bootstrap(path, machine, more)

            def finish(path: Path) -> None:
                _finish(made(f"{machine}-base", base_hash, bootstrap), path, machine)

            whole = made(f"{machine}-tree", hash_of(_sources(), base_hash), finish)
            held.enter_context(kept(whole))
        yield whole


def assembled(folder: Path, machine: str = HERE) -> Path:
    """The stage as pi-gen is given it."""
    run(ROOT / "image-build" / "assemble", folder, machine)
    return folder


def part_for_a_pi(folder: Path) -> Path:
    """A stage of that part alone."""
    shutil.copytree(STAGE / OF_A_PI, folder / OF_A_PI)
    return folder


def run_stage(stage: Path, tree: Path, part: str) -> None:
    run(ROOT / "image-build" / "run-stage", stage, tree, part)


@contextmanager
def laid_over(tree: Path, scratch: Path) -> Iterator[Path]:
    """The tree as one that may be changed: what is written goes into a folder of its own."""
    upper, work, merged = (scratch / name for name in ("upper", "work", "merged"))
    for folder in (upper, work, merged):
        folder.mkdir(parents=True)
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={tree},upperdir={upper},workdir={work}", merged)
    try:
        yield merged
    finally:
        run("umount", merged)


def _bootstrap(path: Path, machine: str, more: str) -> None:
    run(
        *("unshare", "--mount", "--propagation", "private"),  # what it mounts is gone when it ends, however it ends
        *("mmdebstrap", "--quiet", "--variant=minbase", "--skip=cleanup/apt/lists", f"--architectures={machine}"),
        *(f"--include={BEFORE}{more}", '--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"),
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


def _finish(base: Path, path: Path, machine: str) -> None:
    run("cp", "-a", base, path)
    with TemporaryDirectory() as scratch:
        stage = assembled(Path(scratch, "stage"), machine)
        (stage / OF_A_PI / "SKIP").touch()
        run_stage(stage, path, "scripts")


def made(sort: str, hash_: str, make: Callable[[Path], None]) -> Path:
    """What `make` puts at the path that it is given, by the hash of what goes in.

    Of each sort the newest stay, and what is in use.
    """
    path = CACHE / f"{sort}-{hash_}"
    if not path.exists():
        scratch = CACHE / f"making-{sort}"
        shutil.rmtree(scratch, ignore_errors=True)
        make(scratch)
        scratch.rename(path)
    os.utime(path)
    for old in sorted(CACHE.glob(f"{sort}-*"), key=lambda each: each.stat().st_mtime)[:-KEPT]:
        with suppress(BlockingIOError), _locked(old, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(old)
    return path


@contextmanager
def kept(path: Path) -> Iterator[None]:
    """It stays meanwhile."""
    with _locked(path, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(machine: str) -> Iterator[None]:
    """Nobody else makes anything for such a machine meanwhile: by its name every sort begins."""
    CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = CACHE / f"{machine}.lock"
    lock.touch()
    with _locked(lock, fcntl.LOCK_EX):
        yield


def _sources() -> list[Path]:
    """Every file that comes into the tree, or that makes it."""
    folders = ("appliance", "services", "systemd", "image-build")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    left_out = {"__pycache__", OF_A_PI, "build", "config"}  # the last two are for pi-gen
    return [path for path in found if not left_out & set(path.parts)] + [ROOT / "pyproject.toml"]


def hash_of(paths: Iterable[Path], *more: str) -> str:
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


def run(*command: object) -> None:
    """Runs a command that makes something; AssertionError with all that it said where it fails."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert not done.returncode, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
