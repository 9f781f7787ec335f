"""The peers: what else a household could keep the same data in, given the same jobs in the same run.

They are programs that are run beside Inglenook, and no part of it. `make bench` installs them into .bench/ from
requirements.txt, package-lock.json and Debian's archive; one that is not there leaves its cells empty.
"""

import os
import shutil
import sys
from pathlib import Path

INSTALLED = Path(__file__).parents[3] / ".bench"
PYTHON = INSTALLED / "python"
DEBIAN = INSTALLED / "debian" / "usr" / "bin"


def program(name: str) -> str | None:
    """Where a peer's program is: fetched for the benchmark, or else this machine's own."""
    return shutil.which(name, path=f"{DEBIAN}{os.pathsep}{os.environ.get('PATH', os.defpath)}")


def allow_packages() -> None:
    """Lets this process import the peers' Python packages, behind all that Inglenook has."""
    if str(PYTHON) not in sys.path:
        sys.path.append(str(PYTHON))
