"""Notices by e-mail, through the person's own mail server (SMTP, RFC 5321 and 8314). Off until a person states one.

A notice is sent once. What fails is tried again every hour, and said; where trying again changes nothing, such as a
wrong password, nothing is sent any more until the person states it anew.
"""

import dataclasses
import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from appliance import outward
from appliance.config import options_from, secrets_of
from appliance.errors import SourceError, UserError
from appliance.store import mailers, notices
from appliance.store.database import Store
from appliance.store.mailers import Mailer
from appliance.store.notices import Notice

TLS, STARTTLS, PLAIN = "TLS", "STARTTLS", "none"
PORTS = {TLS: 465, STARTTLS: 587, PLAIN: 25}
TIMEOUT_S = 30
OLDEST_S = 7 * 86_400  # what could not be sent in a week is no news
WAY = ("host", "port", "encryption", "user", "certificate")
GIVEN_AGAIN = "its password is not here (an export holds none): give it again"
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


@dataclass(frozen=True)
class Options:
    """The mail server, and from whom to whom. UserError with all that is wrong."""

    host: str = field(metadata={"title": "Server", "help": "Such as smtp.example.org."})
    to: str = field(metadata={"title": "To", "help": "The mail address that gets the notices."})
    sender: str = field(default="", metadata={"title": "From", "help": "Your mail address there; the same if empty."})
    port: int = field(default=0, metadata={"title": "Port", "help": "Where it is not 465 (TLS) or 587 (STARTTLS)."})
    encryption: str = field(default=TLS, metadata={"title": "Encryption", "choices": (TLS, STARTTLS, PLAIN)})
    user: str = field(default="", metadata={"title": "User name", "help": "Mostly the mail address."})
    password: str = field(
        default="",
        repr=False,
        metadata={
            "title": "Password",
            "secret": True,
            "kept": "Leave it empty to keep the one that is set, while server, port, encryption, user name and "
            "certificate stay the same; where one of them changes, type it again.",
        },
    )
    certificate: str = field(
        default="", metadata={"title": "Certificate", "lines": True, "help": "Of a server of your own alone."}
    )

    def __post_init__(self) -> None:
        if found := list(self._problems()):
            raise UserError(found)

    def _problems(self) -> Iterator[str]:
        if not re.fullmatch(r"[A-Za-z0-9.:-]+", self.host):
            yield f"host={self.host!r}: write the server's name alone, such as smtp.example.org"
        if not 0 <= self.port < 65_536:
            yield f"port={self.port}: write a number up to 65535"
        if self.encryption not in PORTS:
            yield f"encryption={self.encryption!r}: write one of {', '.join(PORTS)}"
        for name, value in (("to", self.to), ("sender", self.sender)):
            if not value.isascii() or (not _ADDRESS.fullmatch(value) and (value or name == "to")):
                yield f"{name}={value!r}: write one mail address, such as ann@example.org"
        if bool(self.user) != bool(self.password):
            yield (
                "user, password: give both, or neither; where the server, port, encryption, user name or certificate "
                "changes, type the password again"
            )
        if not (self.user + self.password).isascii() or any(each in self.user + self.password for each in "\r\n\0"):
            yield "user, password: each is one line of plain letters, figures and signs"
        if self.password and self.encryption == PLAIN:
            yield "encryption=none: a password would be read by everybody on the way; choose TLS or STARTTLS"


def state(store: Store, said: Mapping[str, Any], now: datetime | None = None) -> None:
    """Has notices sent from now on; a password that is not said again stays while nothing of its way there changes.

    Not the server's name alone: behind another port, or without its certificate, it is another that answers.
    """
    with store.write() as connection:
        before = mailers.found(connection)
        known = dict(before.options) if before else {}
        if all(str(said.get(name, known.get(name))).strip() == str(known.get(name)).strip() for name in WAY):
            known |= mailers.secrets(connection, store.key)
        checked = options_from(Options, {**known, **said}, "mail")
        given = {each.name: getattr(checked, each.name) for each in dataclasses.fields(Options)}
        secret = {name: given.pop(name) for name in secrets_of(Options)}
        since_us = before.since_us if before else _us(now)
        mailers.state(connection, store.key, given, secret if checked.password else {}, since_us)


def forget(store: Store) -> None:
    """Sends nothing any more."""
    with store.write() as connection:
        mailers.forget(connection)


def known(store: Store) -> Mailer | None:
    """What was stated, but for the password, and how it goes."""
    with store.read() as connection:
        return mailers.found(connection)


def try_out(store: Store) -> None:
    """Sends a message that says that it works. SourceError where it does not."""
    if (mailer := known(store)) is None:
        raise UserError("no mail server is stated yet; say it: inglenook notices mail --set host=... --set to=...")
    try:
        _send(
            _options(store, mailer),
            "This works",
            "Your box can send you its notices.",
            f"try.{_us(None)}",
            datetime.now(UTC),
        )
    except SourceError as error:
        _failed(store, error)
        raise
    with store.write() as connection:
        mailers.went(connection)


def post(store: Store, now: datetime | None = None) -> int:
    """Sends what is to be sent, the oldest first; how many went. SourceError where the server does not take one."""
    now = now or datetime.now(UTC)
    mailer = known(store)
    if mailer is None or mailer.stopped:
        return 0
    with store.read() as connection:
        waiting = [each for each in reversed(notices.every(connection)) if _is_waiting(each, mailer, _us(now))]
    for each in waiting:
        try:
            _send(_options(store, mailer), each.title, each.text, f"notice-{each.id}.{each.at_us}", now)
        except SourceError as error:
            _failed(store, error)
            raise
        with store.write() as connection:
            notices.mailed(connection, each.id, _us(now))
            mailers.went(connection)
    return len(waiting)


def _is_waiting(notice: Notice, mailer: Mailer, now_us: int) -> bool:
    since_us = max(mailer.since_us, now_us - OLDEST_S * 1_000_000)
    return notice.mailed_us is None and notice.at_us >= since_us


def _options(store: Store, mailer: Mailer) -> Options:
    with store.read() as connection:
        secret = mailers.secrets(connection, store.key)
    if mailer.options.get("user") and not secret:
        raise SourceError(GIVEN_AGAIN, permanent=True)
    return options_from(Options, {**mailer.options, **secret}, "mail")


def _failed(store: Store, error: SourceError) -> None:
    with store.write() as connection:
        mailers.failed(connection, str(error), permanent=error.permanent)


def _send(server: Options, title: str, text: str, name: str, now: datetime) -> None:
    """One message; its Message-ID is the notice's, so that one that was sent twice in a power cut is shown once."""
    message = EmailMessage()
    message["From"], message["To"] = server.sender or server.to, server.to
    message["Subject"] = f"Inglenook: {' '.join(title.split())}"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{name}@inglenook.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    port = server.port or PORTS[server.encryption]
    with _said_plainly(server.host, port), _connected(server, port) as smtp:
        if server.user:
            smtp.login(server.user, server.password)
        smtp.send_message(message)


@contextmanager
def _connected(server: Options, port: int) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context()
    if server.certificate.strip():
        context.load_verify_locations(cadata=server.certificate)
    if server.encryption == TLS:
        with smtplib.SMTP_SSL(server.host, port, timeout=TIMEOUT_S, context=context) as smtp:
            yield smtp
        return
    with smtplib.SMTP(server.host, port, timeout=TIMEOUT_S) as smtp:
        if server.encryption == STARTTLS:
            smtp.starttls(context=context)
        yield smtp


@contextmanager
def _said_plainly(name: str, port: int) -> Iterator[None]:
    """What a server answers is not repeated but for its number: it may hold what was sent to it."""
    host = f"{name}:{port}"
    try:
        yield
    except smtplib.SMTPAuthenticationError:
        raise SourceError(f"{host} does not take the user name and password; give them again", permanent=True) from None
    except smtplib.SMTPNotSupportedError:
        raise SourceError(
            f"{host} does not do what is asked of it (encryption, or a password); choose another encryption",
            permanent=True,
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refused(host, "the mail address that gets the notices", max(codes)) from None
    except smtplib.SMTPSenderRefused as error:
        raise _refused(host, "the mail address they come from", error.smtp_code) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(host, "the message", error.smtp_code) from None
    except ssl.SSLCertVerificationError:
        raise SourceError(
            f"{host} shows a certificate that nobody trusted vouches for; if it is a server of your own, give its "
            "certificate with it",
            permanent=True,
        ) from None
    except (OSError, smtplib.SMTPException):
        if why := outward.closed(name, port):
            raise SourceError(f"{host} cannot be reached: {why}", permanent=True) from None
        raise SourceError(f"{host} cannot be reached, or broke off in the middle; it is tried again") from None


def _refused(host: str, what: str, code: int) -> SourceError:
    """RFC 5321, section 4.2.1: 5yz is for good, 4yz for now."""
    permanent = 500 <= code < 600
    then = "put it right" if permanent else "it is tried again"
    return SourceError(f"{host} refuses {what} ({code}); {then}", permanent=permanent)


def _us(now: datetime | None) -> int:
    return round((now or datetime.now(UTC)).timestamp() * 1_000_000)
