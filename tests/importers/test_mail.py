"""Oddities of mailboxes and messages. What every importer must do is in tests/contracts/importers.py."""

import mailbox
import time
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path

import pytest

from appliance.importers import eml, mbox
from appliance.mail import attachments
from appliance.records import Item, Record, Rejected, Source, Span

FROM = b"From kim@example.org Mon Mar  2 19:00:00 2026\n"
HEAD = b"From: kim@example.org\nSubject: one\nDate: Mon, 2 Mar 2026 19:00:00 +0100\n"


def read(data: bytes, piece: int = 1 << 20) -> list[Item]:
    return list(mbox.extract_forward((data[at : at + piece] for at in range(0, len(data), piece)), mbox.Options()))


def records(items: Iterable[Item]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def texts(data: bytes) -> list[str]:
    return [record.memo for record in records(read(data))]


def test_a_mailbox_of_python_s_own_module_comes_out_whole(tmp_path: Path) -> None:
    box = mailbox.mbox(str(tmp_path / "inbox"))
    for number in range(300):
        message = EmailMessage()
        message["From"], message["Subject"] = "Käthe <k@example.org>", f"Nr. {number}"
        message["Date"] = "Mon, 02 Mar 2026 19:00:00 +0100"
        message.set_content(f"From the garden:\n{'x' * number * 40}\n>quoted\nÄ {number}\n")
        message.add_attachment(bytes(number * 100), maintype="application", subtype="pdf", filename=f"{number}.pdf")
        box.add(message)
    box.flush()
    data = (tmp_path / "inbox").read_bytes()
    box.close()
    found = records(read(data))
    assert [record.title for record in found] == [f"Nr. {number}" for number in range(300)]
    assert found[7].memo == f"From the garden:\n{'x' * 280}\n>quoted\nÄ 7"
    for number, record in enumerate(found):
        raw = data[record.span.first : record.span.first + record.span.length]
        assert [len(each.data) for each in attachments(raw)] == [number * 100]


def test_pieces_of_any_size_give_the_same() -> None:
    data = b"".join(FROM + HEAD + b"\n>From here\n" + b"x" * length + b"\n\n" for length in (0, 10, 5_000, 70_000))
    whole = read(data)
    assert len(records(whole)) == 4
    for piece in (1, 2, 3, 4_095, 65_537):
        assert read(data, piece) == whole


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b">From now on", "From now on"),
        (b">>From now on", ">From now on"),
        (b"a > From b", "a > From b"),
        (b"From what I hear\n\nFrom the garden: roses", "From what I hear\n\nFrom the garden: roses"),
        (b"x\n\nFrom Kim at 10:30 in May\nno header", "x\n\nFrom Kim at 10:30 in May\nno header"),
        (b"x\nFrom: kim\n\nFrom: kim", "x\nFrom: kim\n\nFrom: kim"),
    ],
)
def test_lines_that_begin_with_from_begin_no_message(body: bytes, text: str, ends: bytes) -> None:
    data = (FROM + HEAD + b"Content-Length: 3\n\n" + body + b"\n\n" + FROM + HEAD + b"\nsecond\n").replace(b"\n", ends)
    assert texts(data) == [text, "second"]


@pytest.mark.parametrize(
    "line",
    [
        b"From - Mon Mar 02 19:00:00 2026\n",
        b"From 1788@xxx Mon Mar 02 18:00:00 +0000 2026\n",
        b"From MAILER-DAEMON Mon Mar  2 19:00 CET 2026\n",
        b'From "kim lee"@example.org  Mon Mar  2 19:00:00 2026 remote from x\n',
        b"From nobody\n",
    ],
)
def test_every_style_of_line_begins_a_message(line: bytes) -> None:
    data = line + HEAD + b"\na\n\n" + line + HEAD + b"\nb\n"
    assert mbox.identify(data, "Inbox")
    assert texts(data) == ["a", "b"]


def test_a_message_without_an_empty_line_before_it_begins_all_the_same() -> None:
    assert texts(FROM + HEAD + b"\na\n" + FROM + HEAD + b"\nb\n") == ["a", "b"]


def test_the_line_before_a_message_dates_one_that_does_not_date_itself() -> None:
    [record] = records(read(FROM + b"From: kim@example.org\nDate: gestern\n\nx\n"))
    assert record.at is not None
    assert record.at.isoformat() == "2026-03-02T19:00:00+00:00"
    assert record.fields["dated"] == "when the mailbox got it: its own date 'gestern' cannot be read"


def test_what_is_no_message_is_rejected_with_its_line() -> None:
    data = FROM + HEAD + b"\na\n\nFrom x Mon Mar  2 19:00:00 2026\n\nno header\n\n" + FROM + HEAD + b"\nb\n"
    [reject] = [item for item in read(data) if isinstance(item, Rejected)]
    assert (reject.line, reject.where) == (8, "message 2")
    assert "no header" in reject.reason
    assert len(records(read(data))) == 2


def test_a_message_larger_than_is_held_is_a_record_of_what_was_read() -> None:
    more = b"x" * (1 << 20)
    pieces = [FROM + HEAD + b"\nits text\n", *[more] * 40, b"\n\n", FROM + HEAD + b"\nthe next\n"]
    first, second = records(mbox.extract_forward(iter(pieces), mbox.Options()))
    assert first.memo.startswith("its text")
    assert first.fields["cut"] == "of this message 24 MB were read"
    assert first.span == Span(0, len(pieces[0]) + 40 * len(more))
    assert second.memo == "the next"
    assert second.span.first == first.span.length + 2


def test_a_message_by_two_routes_has_one_key_and_one_source() -> None:
    message = HEAD + b"Message-ID: <1@example.org>\n\n>From now on\n"
    [in_box] = records(read(FROM + message))
    quoted = message.replace(b">From", b"From")
    source, alone = eml.extract(quoted, eml.Options())
    assert source == Source("email", "Email") == read(FROM + message)[0]
    assert isinstance(alone, Record)
    key = ("title", "memo", "at", "account_key", "detail", "supplier_id")
    assert [getattr(alone, name) for name in key] == [getattr(in_box, name) for name in key]


@pytest.mark.parametrize(
    ("head", "is_message"),
    [
        (HEAD, True),
        (b"\n" + HEAD, True),
        (b"Received: from a\n by b\nDKIM-Signature: v=1\nMessage-ID: <1@x>\n", True),
        (b"Subject: alone\nTitle: of something else\n", False),
        (b"To: whom it may concern\n\nDate: today\n", False),
        (b"OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n", False),
        (b"Date,Amount\nFrom: a\nTo: b\n", False),
    ],
)
def test_a_message_is_known_by_two_of_its_headers(head: bytes, is_message: bool) -> None:
    assert eml.identify(head, "x.eml") is is_message


@pytest.mark.parametrize(
    "data",
    [
        FROM * 100_000,
        FROM + HEAD + b"\n" + b"\n\nFrom x 1:1 2026" * 200_000,
        FROM + HEAD + b"Cc: " + b"(" * 2_000_000,
        FROM + HEAD + b"Cc: " + b'\\"' * 1_000_000,
        FROM + b"From: " + b"=?a?q?" * 500_000,
        FROM + HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n" * 500_000,
        FROM + HEAD + b"Content-Type: text/html\n\n" + b"<a '<!--" * 500_000,
        FROM + HEAD + b"Content-Type: x/y" + b";a*0*=b" * 500_000 + b"\n\n",
        FROM + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(20_000)),
    ],
    ids=["begins", "almost", "comments", "quotes", "words", "parts", "html", "parameters", "deep"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is a hundred times what it takes; a quadratic reader would take hours."""
    began = time.process_time()
    read(data)
    list(attachments(data))
    assert time.process_time() - began < 10
