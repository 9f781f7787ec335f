"""Whether the appliance can be built and booted here."""

import shutil
import subprocess

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
}


def lacking() -> str:
    """Why it cannot, whatever is installed; "" where it can."""
    if subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False).returncode:
        return "the appliance is built and booted by root alone, and not in a container: sudo make test"
    return ""


def missing() -> list[str]:
    """The packages that are not installed."""
    return [package for program, package in PROGRAMS.items() if not shutil.which(program)]
