"""A throw-away mail server, Debian's Dovecot: on free ports of the loopback interface, gone at the end."""

import grp
import imaplib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from tests.mosquitto import free_port
from tests.p1_cable import until
from tests.web_server import identity

INSTALL = "dovecot is not installed; as root: apt-get install --no-install-recommends dovecot-imapd"
USER, PASSWORD = "ann@example.org", 'a "secret" of mail \\ and \N{LATIN SMALL LETTER U WITH DIAERESIS}'
OTHER_USER = "bob@example.org"
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def program() -> Path | None:
    """The server here, or None. Debian keeps it off the PATH."""
    found = Path("/usr/sbin/dovecot")
    return found if found.exists() else None


class Dovecot:
    """A running server, and a mail program of USER's that puts messages into it."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.port, self.tls_port = free_port(), free_port()
        (folder / "own").mkdir(mode=0o700)
        key, self.certificate = identity(folder / "own")
        (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n{OTHER_USER}:{{PLAIN}}{PASSWORD}\n")
        (folder / "mail").mkdir()
        config = folder / "dovecot.conf"
        config.write_text(_config(folder, self.port, self.tls_port, key))
        self._log = folder / "log"
        command = [str(program), "-F", "-c", str(config)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
        try:
            until(self._is_there, "Dovecot lets its user in")
        except BaseException:
            self.stop()
            raise

    def _is_there(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"Dovecot did not start: {self._said()}")
        try:
            self.mailer().logout()
        except ConnectionError:
            return False
        return True

    def _said(self) -> str:
        log = self._log.read_text() if self._log.exists() else ""
        assert self._process.stderr
        return f"{self._process.stderr.read().decode()} {log}"

    def stop(self) -> None:
        """Ends it and the processes that it started, at once, as a power cut would."""
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()

    def mailer(self, user: str = USER) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=30)
        client.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
        return client

    def put(self, *messages: EmailMessage | bytes, folder: str = "INBOX", at: datetime = DAY, user: str = USER) -> None:
        """Delivers messages, unread, as they came at a time."""
        with self.mailer(user) as client:
            for message in messages:
                raw = message if isinstance(message, bytes) else message.as_bytes()
                status, said = client.append(folder, "", imaplib.Time2Internaldate(at), raw)
                assert status == "OK", said

    def make(self, folder: str) -> None:
        with self.mailer() as client:
            assert client.create(folder)[0] == "OK"

    def remove(self, folder: str) -> None:
        with self.mailer() as client:
            assert client.delete(folder)[0] == "OK"

    def flags(self, folder: str = "INBOX") -> list[bytes]:
        """What is marked at each message."""
        with self.mailer() as client:
            client.select(folder, readonly=True)
            return [each for each in client.fetch("1:*", "(FLAGS)")[1] if isinstance(each, bytes)]


@contextmanager
def serving(program: Path) -> Iterator[Dovecot]:
    """Dovecot in a folder that its own users may read, too: it keeps no mail as root."""
    folder = Path(tempfile.mkdtemp(prefix="inglenook-dovecot-"))
    try:
        folder.chmod(0o755)
        server = Dovecot(program, folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _config(folder: Path, port: int, tls_port: int, key: Path) -> str:
    own = pwd.getpwuid(os.geteuid()).pw_name
    is_root = os.geteuid() == 0
    mail = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.geteuid())
    if is_root:
        os.chown(folder / "mail", mail.pw_uid, mail.pw_gid)
    internal, login = ("dovecot", "dovenull") if is_root else (own, own)
    return f"""
        protocols = imap
        listen = 127.0.0.1
        base_dir = {folder / "run"}
        state_dir = {folder / "state"}
        log_path = {folder / "log"}
        default_internal_user = {internal}
        default_login_user = {login}
        {"" if is_root else f"default_internal_group = {_group()}"}
        mail_location = maildir:{folder / "mail"}/%u
        last_valid_uid = 0
        first_valid_gid = 0
        ssl = yes
        ssl_cert = <{key}
        ssl_key = <{key}
        auth_mechanisms = plain login
        auth_failure_delay = 0
        passdb {{
            driver = passwd-file
            args = {folder / "users"}
        }}
        userdb {{
            driver = static
            args = uid={mail.pw_uid} gid={mail.pw_gid} home={folder / "mail"}
        }}
        service anvil {{
            chroot =
        }}
        service imap-login {{
            chroot =
            inet_listener imap {{
                port = {port}
            }}
            inet_listener imaps {{
                port = {tls_port}
                ssl = yes
            }}
        }}
        namespace inbox {{
            inbox = yes
            separator = /
            mailbox Trash {{
                auto = create
                special_use = \\Trash
            }}
        }}
        """


def _group() -> str:
    return grp.getgrgid(os.getegid()).gr_name
