"""A mailbox over IMAP: its messages, and what is attached to some of them, read as a rule says.

A message is known by its folder's UIDVALIDITY and its UID (see `_mailbox`). Where the server numbers a folder anew, or
a person asks for something else than before, the folder is gone through again: what was taken in is known by its
content. A message counts once all that comes of it has; nothing in the mailbox is marked as read, changed or removed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from appliance.connectors import Fetched, Kept, _mail_providers, _mail_rules, _mailbox
from appliance.connectors._dav import ServerOptions
from appliance.connectors._mailbox import PLAIN, STARTTLS, TLS, Envelope, Folder, Mailbox, Server
from appliance.content import InMemory
from appliance.errors import SourceError
from appliance.web import Web

TITLE = "Mailbox (IMAP)"
HELP = (
    "Your mail address and a password: an app password at Gmail, iCloud, Yahoo, AOL and Fastmail. Attachments are read "
    "by rules, so that a bill from a supplier becomes an energy bill. Nothing in the mailbox is changed."
)
RHYTHM_S = 1_800
LOOKED_AT_ONCE = 200
FETCHED_AT_ONCE_BYTES = 4 << 20
NAMED_FOLDERS = 20
_PORTS = {TLS: 993, STARTTLS: 143, PLAIN: 143}
_LEFT_OUT = frozenset({"\\trash", "\\junk", "\\drafts", "\\all", "\\flagged", "\\important"})


@dataclass(frozen=True)
class Options(ServerOptions):
    """`address`: of the server, with a port where it is not the usual one. `since`: the first day that is asked for."""

    address: str = field(
        default="",
        metadata={
            "title": "Server",
            "help": "Such as imap.example.org, or 192.168.1.5:143. Nothing where your provider is well known.",
        },
    )
    user: str = field(default="", metadata={"title": "User name", "help": "Mostly the mail address."})
    encryption: str = field(
        default=TLS,
        metadata={
            "title": "Encryption",
            "choices": (TLS, STARTTLS, PLAIN),
            "help": "TLS nearly everywhere; none only at home.",
        },
    )
    folders: str = field(
        default="INBOX",
        metadata={
            "title": "Folders",
            "lines": True,
            "help": "One a line; * is all but the bin, spam and drafts.",
        },
    )
    since: str = field(default="", metadata={"title": "First day", "help": "Such as 2024-01-01; nothing for all."})
    messages: str = field(
        default="yes",
        metadata={"title": "The messages themselves", "choices": ("yes", "no"), "help": "No: only what rules take."},
    )
    rules: str = field(
        default="",
        metadata={
            "title": "Attachments by rule",
            "lines": True,
            "help": (
                "One a line: sender | subject | format | source | file name, such as *@octopus.energy | *bill* | "
                "pdf_bill | My energy | *.pdf. Without a format it is told by the content."
            ),
        },
    )

    def problems(self) -> list[str]:
        found = super().problems() if self.address.strip() else self._without_server()
        if not self.user.strip() or not self.password:
            found.append("user, password: give both; a mailbox opens for nobody else")
        if any(each in self.user + self.password for each in "\r\n\0"):
            found.append("user, password: each is one line")
        for name, choices in (("encryption", (TLS, STARTTLS, PLAIN)), ("messages", ("yes", "no"))):
            if getattr(self, name) not in choices:
                found.append(f"{name}={getattr(self, name)!r}: write one of {', '.join(choices)}")
        if self.since and _day(self.since) is None:
            found.append(f"since={self.since!r}: write a day such as 2024-01-01")
        if not self.folder_names:
            found.append("folders: name one, such as INBOX; * is all")
        rules, problems = _mail_rules.read(self.rules)
        if self.messages == "no" and not rules:
            found.append("rules: without the messages themselves, say at least which attachments are wanted")
        return found + problems

    def _without_server(self) -> list[str]:
        if _mail_providers.server(self.user):
            return []
        return ["address: write the mail server's name, such as imap.example.org; your provider's help pages say it"]

    @property
    def folder_names(self) -> list[str]:
        return list(dict.fromkeys(line.strip() for line in self.folders.splitlines() if line.strip()))

    @property
    def server(self) -> Server:
        parts = urlsplit(self.url if self.address.strip() else f"https://{_mail_providers.server(self.user)}")
        return Server(parts.hostname or "", parts.port or _PORTS[self.encryption], self.encryption, self.certificate)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """The messages that are new, folder by folder, and the attachments that rules take."""
    del web
    mailbox = Mailbox(options.server)
    try:
        mailbox.login(options.user.strip(), options.password)
        yield from _Run(options, kept, mailbox).fetched()
    finally:
        mailbox.close()


class _Run:
    def __init__(self, options: Options, kept: Kept, mailbox: Mailbox) -> None:
        self._options, self._mailbox = options, mailbox
        self._rules = _mail_rules.read(options.rules)[0]
        of_whom = [options.server.host, options.user.strip()]  # two mailboxes may number their messages alike
        self._asked = [*of_whom, options.since.strip(), options.messages, options.rules.strip()]
        is_same = kept.get("asked") == self._asked
        self._folders: dict[str, list[int]] = dict(kept.get("folders", {})) if is_same else {}

    def fetched(self) -> Iterator[Fetched]:
        for folder in self._chosen():
            yield from self._of(folder)

    def _keep(self) -> Kept:
        return {"asked": self._asked, "folders": dict(self._folders)}

    def _chosen(self) -> list[Folder]:
        there = self._mailbox.folders()
        names = self._options.folder_names
        if "*" in names:
            return [folder for folder in there if not folder.flags & _LEFT_OUT]
        found = {folder.name.casefold(): folder for folder in there}
        found |= {folder.name: folder for folder in there}
        missing = [name for name in names if name not in found and name.casefold() not in found]
        if missing:
            known = sorted(folder.name for folder in there)
            more = f" and {len(known) - NAMED_FOLDERS} more" if len(known) > NAMED_FOLDERS else ""
            raise SourceError(
                f"there is no folder {', '.join(missing)} in this mailbox; there are "
                f"{', '.join(known[:NAMED_FOLDERS])}{more}: write one of these",
                permanent=True,
            )
        return [found.get(name) or found[name.casefold()] for name in names]

    def _of(self, folder: Folder) -> Iterator[Fetched]:
        validity = self._mailbox.open(folder)
        before = self._folders.get(folder.name, [0, 0])
        last = before[1] if validity and before[0] == validity else 0
        self._folders[folder.name] = [validity, last]
        uids = self._mailbox.after(last, _day(self._options.since))
        for first in range(0, len(uids), LOOKED_AT_ONCE):
            some = uids[first : first + LOOKED_AT_ONCE]
            yield from self._some(folder, self._mailbox.envelopes(some))
            self._folders[folder.name] = [validity, some[-1]]
            yield Fetched(None, self._keep())

    def _some(self, folder: Folder, envelopes: list[Envelope]) -> Iterator[Fetched]:
        wanted = [each for each in envelopes if self._is_wanted(each)]
        large = [each for each in wanted if each.size > _mailbox.MOST_BYTES]
        for group in _groups([each for each in wanted if each.size <= _mailbox.MOST_BYTES]):
            found = self._mailbox.messages(each.uid for each in group)
            for envelope in group:
                if envelope.uid in found:
                    yield from self._one(folder, envelope, found.pop(envelope.uid))
        if large:
            yield Fetched(
                None,
                self._keep(),
                remark=f"{len(large)} messages in {folder.name} are larger than {_mailbox.MOST_BYTES >> 20} MB, and "
                "not taken: save what is attached to them, and import that.",
            )

    def _is_wanted(self, envelope: Envelope) -> bool:
        return self._options.messages == "yes" or bool(_mail_rules.wanted(self._rules, envelope.headers))

    def _one(self, folder: Folder, envelope: Envelope, raw: bytes) -> Iterator[Fetched]:
        """What comes of a message: it counts with the last of it, so that a cut before makes all of it come again."""
        held: dict[str, Any] | None = None
        for said in self._parts(folder, envelope, raw):
            if held is not None:
                yield Fetched(kept=self._keep(), **held)
            held = said
        self._folders[folder.name] = [self._folders[folder.name][0], envelope.uid]
        if held is not None:
            yield Fetched(kept=self._keep(), **held)

    def _parts(self, folder: Folder, envelope: Envelope, raw: bytes) -> Iterator[dict[str, Any]]:
        if self._options.messages == "yes":
            yield {"content": InMemory(f"{folder.name} {envelope.uid}.eml", raw), "format": "eml"}
        rules = _mail_rules.wanted(self._rules, envelope.headers)
        for rule, attachment in _mail_rules.files(rules, raw) if rules else ():
            content = InMemory(attachment.name, attachment.data)
            yield {"content": content, "format": rule.format, "source": rule.source}


def _groups(envelopes: list[Envelope]) -> Iterator[list[Envelope]]:
    """Those that are fetched at once."""
    group, size = list[Envelope](), 0
    for envelope in envelopes:
        if group and size + envelope.size > FETCHED_AT_ONCE_BYTES:
            yield group
            group, size = [], 0
        group.append(envelope)
        size += envelope.size
    if group:
        yield group
