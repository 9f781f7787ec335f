"""restic (Debian's package): how it is called, and its complaints in words that say the next step."""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from appliance import outward
from appliance.backup import ssh
from appliance.backup.targets import Secret
from appliance.config import Config
from appliance.errors import UserError

PROGRAM = "restic"
UNLOCKED = "--no-lock"  # reads a disk that is read-only, and past the lock of a box that burnt while it held one
ENVIRONMENT = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "TMPDIR")
_PR_SET_PDEATHSIG = 1
AWAY = "it is not there. Plug the disk in, or see that the other machine is on; the box tries again every hour"
FULL = "it is full. Free some space on it, or add a larger one; what was backed up before is whole"
ANOTHERS = (
    "this recovery kit does not open it: it is another household's, or was made under an earlier kit. Name another "
    "place, or take the words that it was made with"
)
PULLED = "it does not answer any more, as a disk that was pulled out. Plug it in again; the box tries again every hour"
BUSY = "another backup is using it at this moment; the box tries again in an hour"
DAMAGED = (
    "it is damaged: some of it is not what was written. Do not rely on it: add another place now, and check the disk"
)
REFUSED = "it does not let the box in. See that the user, the password and the rights there are right, then add it anew"
NOT_LET_IN = (
    "it does not let the box in. Add the line that the page Backup shows (inglenook backup key prints it) to the file "
    ".ssh/authorized_keys of that user there, and see that the folder is theirs"
)
ANOTHER_HOST = (
    "it answers with another SSH key than before: it was set up anew, or somebody stands between. Where you know why, "
    "remove this place, and any other on that machine, and add it again; what lies there stays"
)
_ABSENT = "Is there a repository at|unable to open config file|repository does not exist"
_FULL = "no space left on device|disk quota exceeded"
_PULLED = "input/output error|read-only file system|transport endpoint|stale file handle|structure needs cleaning"
_NO_SESSION = "unable to start the sftp session"
_HOPELESS = f"{_FULL}|{_PULLED}"
_PATTERNS = {
    "host key verification failed": ANOTHER_HOST,
    r"permission denied \(": NOT_LET_IN,
    _FULL: FULL,
    "wrong password or no key found": ANOTHERS,
    _ABSENT: AWAY,
    _PULLED: PULLED,
    "already locked": BUSY,
    "hash mismatch|hash does not match|ciphertext verification failed|does not match|repository contains errors|"
    "invalid data returned|truncated|wrong size|pack id|not found in index": DAMAGED,
    "permission denied|access denied|401|403|unauthorized|forbidden|SignatureDoesNotMatch|InvalidAccessKey": REFUSED,
    "connection refused|no such host|timeout|unreachable|no route to host|connection reset|no such file|EOF": AWAY,
}


class RepositoryError(UserError):
    """What restic could not do. `is_absent`: there is no repository yet where one was looked for.

    `reason` is one of the words above, "" where they do not say it.
    """

    def __init__(self, where: str, said: str) -> None:
        self.is_absent = bool(re.search(_ABSENT, said))
        last = ([line for line in said.splitlines() if line.strip()] or ["nothing"])[-1]
        last = "it did not answer" if last.startswith("signal terminated") else last
        words = (words for pattern, words in _PATTERNS.items() if re.search(pattern, said, re.IGNORECASE))
        self.reason = next(words, "")
        if self.reason in ("", AWAY):
            self.reason = outward.closed_at(_address(where)) or self.reason
        super().__init__(f"the backup {where}: {self.reason or f'restic says: {last}'}")


class Restic:
    """One repository."""

    def __init__(self, config: Config, where: str, secret: Secret, patience_s: float | None = None) -> None:
        """`patience_s`: after how long it is ended, where a person waits for it; it tries a server again and again."""
        self.where, self._secret, self._patience_s = where, secret, patience_s
        self._config, self._options = config, ssh.options(config, where)

    def run(self, *arguments: str, folder: Path | None = None, told: Callable[[int], None] | None = None) -> str:
        """What it prints; where `told` hears how far it is, nothing.

        RepositoryError where it fails, UserError where there is no restic.

        It ends with this process, however that ends.
        """
        program = shutil.which(PROGRAM)
        if program is None:
            raise UserError("restic is not installed, and backups are made with it; as root: apt-get install restic")
        return self._run([program, "--no-cache", *self._options, *arguments], folder, told)

    def restore(self, folder: Path, told: Callable[[int], None]) -> None:
        """The newest backup into a folder; `told` how many hundredths of it are there, where this restic says it."""
        self.run("restore", "latest", f"--target={folder}", "--tag=inglenook", "--json", UNLOCKED, told=told)

    def change_password(self, password: str) -> None:
        """Another password opens the repository from now on, and this one does no more."""
        with _in_memory(password) as path:
            self.run("key", "passwd", f"--new-password-file={path}")

    def _run(self, command: list[str], folder: Path | None, told: Callable[[int], None] | None) -> str:
        """It would try for a quarter of an hour to write to a disk that is full or gone: that is ended at once."""
        said = list[str]()
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(  # noqa: S603 - what a person names is an argument of its own
                command,
                cwd=folder,
                env=self._environment(),
                stdout=subprocess.PIPE if told else out,
                stderr=subprocess.STDOUT if told else subprocess.PIPE,
                text=True,
                errors="replace",
                preexec_fn=_die_with_parent,
            )
            limit = threading.Timer(self._patience_s or threading.TIMEOUT_MAX, process.terminate)
            with process, _running(limit):
                for line in (process.stdout if told else process.stderr) or ():
                    if told and (percent := _percent(line)) is not None:
                        told(percent)
                        continue
                    said.append(line)
                    if re.search(_HOPELESS, line, re.IGNORECASE):
                        process.terminate()
            if process.returncode:
                raise RepositoryError(self.where, "".join([*self._why_not(said), *said]))
            out.seek(0)
            return out.read().decode(errors="replace")

    def _why_not(self, said: list[str]) -> list[str]:
        return [ssh.why_not(self._config, self.where)] if any(_NO_SESSION in line for line in said) else []

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        user, password = self._secret.user, self._secret.password
        return kept | {
            "RESTIC_REPOSITORY": self._address(),
            "RESTIC_PASSWORD": self._secret.repository,
            "AWS_ACCESS_KEY_ID": user,
            "AWS_SECRET_ACCESS_KEY": password,
            "RESTIC_PROGRESS_FPS": "1",
            "GOMAXPROCS": "1",  # the collector goes first
            "GOGC": "25",  # less memory for more work
        }

    def _address(self) -> str:
        """A REST server's user and password stand in its address, which no other process of another user sees."""
        scheme, _, host = self.where.partition("://")
        if not self.where.startswith("rest:") or not self._secret.user:
            return self.where
        return f"{scheme}://{quote(self._secret.user, '')}:{quote(self._secret.password, '')}@{host}"


def _address(where: str) -> str:
    """A place with the scheme by which it is spoken to, as https://HOST:8000/NAME of rest:https://HOST:8000/NAME."""
    return re.sub(r"^(rest|s3):", "", where)


def _percent(line: str) -> int | None:
    """How far a restore is (restic's documentation, "Scripting", message type `status`); None of any other line."""
    try:
        said = json.loads(line)
        return int(100 * said["percent_done"]) if said["message_type"] == "status" else None
    except (ValueError, KeyError, TypeError):
        return None


@contextmanager
def _running(timer: threading.Timer) -> Iterator[None]:
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """A file that never touches the disk, by a path that a child of this process can read."""
    descriptor = os.memfd_create("password", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
