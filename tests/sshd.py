"""A throw-away SSH server, Debian's OpenSSH: on a free loopback port, as a user of its own where it can."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.mosquitto import free_port
from tests.p1_cable import until

PROGRAM = Path("/usr/sbin/sshd")
INSTALL = "sshd is not installed; as root: apt-get install --no-install-recommends openssh-server"
ANOTHER = "backup"  # whom Debian has for this, and whom the server is where the tests are root


class Sshd:
    """A running server; `keys` are the lines by which it lets its user in, `folder` is theirs."""

    def __init__(self, folder: Path) -> None:
        self.user = ANOTHER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.folder, self.port = folder, free_port()
        self._keys = folder / "authorized_keys"
        self.let_in("")
        self.start()

    @property
    def place(self) -> str:
        """As a person names it."""
        return f"sftp://{self.user}@127.0.0.1:{self.port}/{self.folder}/inglenook"

    def let_in(self, line: str) -> None:
        self._keys.write_text(line)
        self._own(self._keys)

    def start(self) -> None:
        """With a host key that nobody has seen yet."""
        key, config = self.folder / "host_key", self.folder / "sshd_config"
        for path in (key, key.with_suffix(".pub")):
            path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        config.write_text(_config(self.port, key, self._keys, self.folder))
        for path in (key, config):
            self._own(path)
        command = [str(PROGRAM), "-D", "-e", "-f", str(config)]
        if os.geteuid() == 0:
            them = pwd.getpwnam(ANOTHER)
            command = ["setpriv", f"--reuid={them.pw_uid}", f"--regid={them.pw_gid}", "--clear-groups", *command]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(self._answers, "sshd answers")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _own(self, path: Path) -> None:
        path.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(path, ANOTHER)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "sshd ended"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as asking:
                return asking.recv(4) == b"SSH-"
        except OSError:
            return False


@contextmanager
def sshd() -> Iterator[Sshd]:
    """In a folder that its user reaches, as pytest's are not; skips the test where there is no server."""
    if not PROGRAM.exists():
        pytest.skip(INSTALL)
    with tempfile.TemporaryDirectory(prefix="inglenook-sshd-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, ANOTHER)
        server = Sshd(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def _config(port: int, key: Path, keys: Path, folder: Path) -> str:
    return f"""\
ListenAddress 127.0.0.1:{port}
HostKey {key}
AuthorizedKeysFile {keys}
PidFile {folder}/pid
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
"""
