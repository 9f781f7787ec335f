"""What is said where this user may not open a device, with the command that mends it."""

import grp
import os
import pwd
import stat
from pathlib import Path

USUAL_PEOPLE = 1000
"""Users below this number are services of the machine's own, as Debian numbers them; root is 0."""

_OF_A_PI = ". On a Raspberry Pi, see that no login shell is on it: `sudo raspi-config`, Interface, Serial port"


def forbidden(path: str, usual_group: str) -> str:
    """Who may not open it, and what to do: join the group that may, or give it to one that can be joined."""
    user, group = _user(), _group(path, usual_group)
    if not group:
        given = f"run `sudo chgrp {usual_group} {path}` and `sudo chmod g+rw {path}`"
        return f"the user {user} may not open {path}, nor may any group: {given}{_OF_A_PI if 'tty' in path else ''}"
    if _is_member(user, group):
        return f"the user {user} was put into the group {group}, which may open {path}: {_anew()}"
    return f"the user {user} may not open {path}: run `sudo usermod -aG {group} {user}`, then {_anew()}"


def _user() -> str:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(path: str, usual: str) -> str:
    """The group that may read and write it, the usual one where that cannot be told; "" where none may but root's."""
    try:
        found = Path(path).stat()
        name = grp.getgrgid(found.st_gid).gr_name
    except (OSError, KeyError):
        return usual
    may = stat.S_IRGRP | stat.S_IWGRP
    return name if found.st_gid and found.st_mode & may == may else ""


def _is_member(user: str, group: str) -> bool:
    """Whether the user is in the group by now; a process has the groups that there were when it began."""
    try:
        return user in grp.getgrnam(group).gr_mem
    except KeyError:
        return False


def _anew() -> str:
    """How a process comes to have its user's new groups; a service's own user signs in nowhere."""
    if 0 < os.geteuid() < USUAL_PEOPLE:
        return "start the box again, as by `sudo reboot`"
    return "sign out and in again, and start Inglenook again"
