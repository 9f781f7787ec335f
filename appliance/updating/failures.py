"""What ends an update half-way, in the words of the page Updates: a problem that was seen, a disk, a command."""

import errno
import subprocess

from appliance.errors import UserError

FAILURES = (UserError, OSError, subprocess.SubprocessError)
NO_ROOM = "the disk of this box is full: free some space (Keeping), and try again"


def words(failure: BaseException) -> str:
    """What happened, and what to do."""
    match failure:
        case UserError():
            return " ".join(failure.problems)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return NO_ROOM
        case subprocess.TimeoutExpired():
            return f"a step of the update did not end within {failure.timeout / 60:.0f} minutes; try again"
        case OSError(filename=str() as name):
            return f"{name}: {failure.strerror}; try again, from another stick where the update came from one"
    return f"{failure}; try again, from another stick where the update came from one"
