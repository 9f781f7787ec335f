"""Which attachments of a mailbox are read, and as what: rules as a person writes them, one a line.

    *@octopus.energy | *bill* | pdf_bill | My energy | *.pdf
    1                  2        3          4           5

1 who sent it, 2 its subject, 3 the format, nothing for what it is by its content, 4 the source it is of, 5 which files.
`*` stands for any letters, capitals and small ones are the same, and what is left out at the end is anything. The first
rule that fits a file is taken. A sender is what a message says of itself: a forged one fits, too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from appliance import mail
from appliance.mail import words
from appliance.mail.message import MESSAGE

MOST_RULES = 200
_FIELDS = 5
_LONGEST = 200
_FORMAT = re.compile(r"[a-z0-9_]{0,40}")
_NO_FILES = ("image/", "application/pgp-signature", "application/pkcs7-", "application/x-pkcs7-")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is read of whom; see the module's docstring."""

    sender: str = "*"
    subject: str = "*"
    format: str = ""
    source: str = ""
    file: str = "*"

    def fits(self, sender: str, subject: str) -> bool:
        """Whether a message is meant, by a bare address and a subject."""
        return _fits(self.sender, sender) and _fits(self.subject, subject)

    def takes(self, attachment: mail.Attachment) -> bool:
        """Whether a file of such a message is meant. Logos and signatures are not, nor in a stated format a message
        that was forwarded: its own files come by themselves.
        """
        if attachment.type.startswith(_NO_FILES) or (self.format and attachment.type == MESSAGE):
            return False
        return _fits(self.file, attachment.name)


def read(text: str) -> tuple[list[Rule], list[str]]:
    """The rules of a text, and what is wrong with it, by lines from 1."""
    rules, problems = list[Rule](), list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            fields = [field.strip() for field in line.split("|")]
            problems += [f"rules, line {number}: {problem}" for problem in _problems(fields)]
            rules.append(_rule(fields))
    if len(rules) > MOST_RULES:
        problems.append(f"rules: there are {len(rules)}, and at most {MOST_RULES} are read; put some together with *")
    return rules, problems


def _problems(fields: list[str]) -> Iterator[str]:
    if not fields[0]:
        yield "say who sends it, such as *@octopus.energy; * is anybody"
    if len(fields) > _FIELDS:
        yield "write: sender | subject | format | source | file name"
    if max(map(len, fields)) > _LONGEST:
        yield f"more than {_LONGEST} letters between two |; shorten it with *"
    if len(fields) > 2 and not _FORMAT.fullmatch(fields[2]):
        yield f"{fields[2]!r} is no format; write one that `inglenook formats` lists, or nothing"


def _rule(fields: list[str]) -> Rule:
    sender, subject, format_, source, file = (*fields[:_FIELDS], *[""] * (_FIELDS - len(fields)))
    return Rule(sender or "*", subject or "*", format_, source, file or "*")


def wanted(rules: list[Rule], headers: bytes) -> list[Rule]:
    """The rules that fit a message, by its headers."""
    said = mail.message(headers)
    sender, subject = words.bare(said.header("from")), said.header("subject")
    return [rule for rule in rules if rule.fits(sender, subject)]


def files(rules: list[Rule], raw: bytes) -> Iterator[tuple[Rule, mail.Attachment]]:
    """The files in a message that these rules take, each with the first that does."""
    for attachment in mail.attachments(raw):
        if rule := next((rule for rule in rules if rule.takes(attachment)), None):
            yield rule, attachment


def _fits(pattern: str, text: str) -> bool:
    """Linear in both: each piece between stars is looked for from where the one before it ends."""
    pattern, text = pattern.casefold(), text.casefold()
    first, *middle = pattern.split("*")
    if not middle:
        return text == pattern
    last = middle.pop()
    if not text.startswith(first) or not text.endswith(last) or len(first) + len(last) > len(text):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True
