"""A throw-away PostgreSQL cluster: in a temporary folder, reached by a Unix socket alone, gone at the end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALL = "PostgreSQL is not installed; as root: apt-get install --no-install-recommends postgresql"

# The cluster lives for one run of the tests: what would survive a power cut does not matter, speed does.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


def programs() -> Path | None:
    """The folder of the newest `initdb` and `pg_ctl` here, or None. Debian keeps them off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


# Who is let in, and how (pg_hba.conf). Only this user and root can enter the folder of the cluster's socket.
OPEN = "local all all trust"
# As a host of many households has it: its operators' roles by the socket, every store's by its password, and one
# database where that was forgotten.
GUARDED = """
local all postgres,operator,unable trust
local forgotten all peer
local all all scram-sha-256
"""


@contextmanager
def cluster(bin_folder: Path, lets_in: str = OPEN, within: Path | None = None) -> Iterator[str]:
    """A running cluster's SQLAlchemy URL. RuntimeError, with what the server wrote, where it does not start.

    It lies in memory, or `within` a folder with a short name.
    """
    # A socket's path holds at most 107 bytes, so it does not follow a long TMPDIR; a hundred stores are 20,000 files,
    # which a disk takes long to remove.
    memory = within or next(folder for folder in ("/dev/shm", "/tmp") if os.access(folder, os.W_OK))
    with tempfile.TemporaryDirectory(prefix="inglenook-", dir=memory, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if _as_root():
            shutil.chown(folder, "postgres")
        _create(bin_folder, folder)
        (folder / "data" / "pg_hba.conf").write_text(lets_in)
        _start(bin_folder, folder)
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            _run(bin_folder / "pg_ctl", folder, "stop", "--mode=immediate")


def _create(bin_folder: Path, folder: Path) -> None:
    options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    _run(bin_folder / "initdb", folder, *options)


def _start(bin_folder: Path, folder: Path) -> None:
    settings = SETTINGS | {"unix_socket_directories": str(folder)}
    options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
    _run(bin_folder / "pg_ctl", folder, "start", "--wait", f"--options={options}", f"--log={folder / 'log'}")


def _run(program: Path, folder: Path, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs on the cluster in `folder`, as a user that it accepts: it refuses root."""
    user = "postgres" if _as_root() else None
    command = [str(program), *arguments, f"--pgdata={folder / 'data'}"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, user=user, group=user, extra_groups=[] if user else None
    )
    if done.returncode != 0:
        log = folder / "log"
        wrote = log.read_text() if log.exists() else ""
        raise RuntimeError(f"{program.name} failed: {done.stdout}{done.stderr}{wrote}")


def _as_root() -> bool:
    return os.geteuid() == 0
