"""Messages: their words in every alphabet, their times, their parts, and what is attached."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from appliance import mail
from appliance.mail import words
from appliance.records import Span

HEAD = b"From: kim@example.org\nTo: ada@example.org\nSubject: x\nDate: Mon, 2 Mar 2026 19:00:00 +0100\n"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (b"=?UTF-8?Q?Caf=C3=A9_L=C3=B6we?=", "Café Löwe"),
        (b"=?utf-8?b?R3LDvMOfZQ==?= aus =?ISO-8859-1?Q?Z=FCrich?=", "Grüße aus Zürich"),
        (b"=?UTF-8?Q?split_=E2=82?=\r\n =?UTF-8?Q?=AC_sign?=", "split € sign"),
        (b"=?utf-8*en?q?language?=", "language"),
        (b"=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
        ("roh in UTF-8: Grüße".encode(), "roh in UTF-8: Grüße"),
        ("roh in Latin-1: Grüße".encode("latin-1"), "roh in Latin-1: Grüße"),
        (b"=?no-such-charset?q?abc?=", "abc"),
        (b"=?utf-7?q?+2AA-?=", ""),  # half of a letter
        (b"=?utf-8?q?not closed", "=?utf-8?q?not closed"),
        (b"=?utf-8?b?R3LDvMOfZQ?= no padding", "Grüße no padding"),
        (b"a =?utf-8?q??= b", "a  b"),
    ],
)
def test_encoded_words_are_read(said: bytes, meant: str) -> None:
    assert words.header(said) == meant


def test_addresses_are_told_apart_whatever_is_in_their_names() -> None:
    said = '"Lee, Kim" <kim@example.org>, ada@example.org (Ada, at home), Us: bob@example.org, "a: b" <c@d>;, nobody:;'
    assert words.addresses(said) == [
        '"Lee, Kim" <kim@example.org>',
        "ada@example.org (Ada, at home)",
        "bob@example.org",
        '"a: b" <c@d>',
    ]
    assert [words.name(each) for each in words.addresses(said)] == [
        "Lee, Kim",
        "Ada, at home",
        "bob@example.org",
        "a: b",
    ]
    assert words.bare('"Lee, Kim" <kim@example.org>') == "kim@example.org"


CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Mon, 2 Mar 2026 19:00:00 +0100 (CET)", datetime(2026, 3, 2, 19, tzinfo=CET)),
        ("2 Mar 26 19:00 EST", datetime(2026, 3, 2, 19, tzinfo=timezone(timedelta(hours=-5)))),
        ("Mon Mar  2 19:00:00 2026", datetime(2026, 3, 2, 19, tzinfo=ZoneInfo("Europe/Amsterdam"))),
        ("Mon, 02 Mar 2026 19:00:00 GMT+0100", datetime(2026, 3, 2, 19, tzinfo=CET)),
        ("Mon, 02 Mar 2026 19:00:00 CEST", datetime(2026, 3, 2, 17, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 19:00:00 -0000", datetime(2026, 3, 2, 19, tzinfo=UTC)),
        ("2026-03-02T19:00:00+01:00", datetime(2026, 3, 2, 19, tzinfo=CET)),
        ("Mon, 02 Mar 2026 19:00:00 +9999", None),
        ("Mon, 32 Mar 2026 19:00:00 +0100", None),
        ("gestern", None),
        ("", None),
    ],
)
def test_a_time_is_read_in_the_zone_it_says(said: str, meant: datetime | None) -> None:
    assert words.when(said, ZoneInfo("Europe/Amsterdam")) == meant


def built() -> EmailMessage:
    """A message as Python's own package makes one."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Käthe <k@example.org>", "ada@example.org", "Über März"
    message["Date"], message["Message-ID"] = "Mon, 02 Mar 2026 19:00:00 +0100", "<1@example.org>"
    message.set_content("Der Zähler steht auf 1.\n" * 3)
    message.add_alternative("<p>Der <b>Zähler</b></p>", subtype="html")
    message.add_attachment(bytes(range(256)) * 40, maintype="application", subtype="pdf", filename="März 2026.pdf")
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "power@example.org", "Bill"
    inner.set_content("see")
    inner.add_attachment("a,b\n", subtype="csv", filename="use.csv")
    message.add_attachment(inner)
    return message


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_what_is_attached_comes_out_byte_for_byte_and_from_messages_in_it_too(ends: bytes) -> None:
    raw = built().as_bytes().replace(b"\n", ends)
    found = [(each.name, each.type, len(each.data)) for each in mail.attachments(raw)]
    assert found[0] == ("März 2026.pdf", "application/pdf", 10_240)
    assert next(mail.attachments(raw)).data == bytes(range(256)) * 40
    assert [name for name, _, _ in found] == ["März 2026.pdf", "message.eml", "use.csv"]
    assert [type_ for _, type_, _ in found] == ["application/pdf", "message/rfc822", "text/csv"]


def test_the_record_says_what_it_says() -> None:
    raw = built().as_bytes()
    record = mail.record(raw, Span(0, len(raw)))
    assert (record.title, record.party, record.supplier_id) == ("Über März", "Käthe", "1@example.org")
    assert record.memo == "\n".join(["Der Zähler steht auf 1."] * 3)
    assert record.fields["attachments"].splitlines()[0] == "März 2026.pdf (application/pdf, 10240 bytes)"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("../../etc/passwd", "passwd"),
        (r"C:\\Users\\kim\\bill.pdf", "bill.pdf"),
        ("a\x00b\x07.pdf", "a b .pdf"),
        ("..", "unnamed.pdf"),
        ('bi"ll<1>?.pdf', "bi_ll_1__.pdf"),
        ("x" * 500 + ".pdf", "x" * 180 + ".pdf"),
    ],
)
def test_a_file_s_name_leads_nowhere(said: str, name: str) -> None:
    encoded = base64.b64encode(said.encode()).decode()
    raw = HEAD + f'Content-Type: application/pdf; name="=?utf-8?b?{encoded}?="\n\nx'.encode()
    assert [each.name for each in mail.attachments(raw)] == [name]


def test_names_of_rfc_2231_in_pieces_and_in_any_charset() -> None:
    said = b"filename*0*=iso-8859-1'de'Rechnung%20M%E4; filename*1=rz; filename*2*=.pdf"
    raw = HEAD + b"Content-Type: application/pdf\nContent-Disposition: attachment; " + said + b"\n\nx"
    assert [each.name for each in mail.attachments(raw)] == ["Rechnung März.pdf"]


def test_pieces_of_a_name_that_contradict_each_other_name_nothing() -> None:
    raw = HEAD + b"Content-Type: application/pdf; name*0*=a; name*=b; name*1=c\n\nx"
    assert [each.name for each in mail.attachments(raw)] == ["unnamed.pdf"]


def text(body: bytes) -> str:
    return mail.message(HEAD + body).text()


def test_of_alternatives_the_plain_text_is_read_and_html_where_it_says_nothing() -> None:
    both = (
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n%b\n--b\nContent-Type: text/html\n\nrich\n--b--\n"
    )
    assert text(both % b"plain") == "plain"
    assert text(both % b" ") == "rich"


def test_a_list_s_footer_does_not_hide_an_html_message() -> None:
    body = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>The message</p>\n"
        b"--b\nContent-Type: text/plain\n\nUnsubscribe here\n--b--\n"
    )
    assert text(body) == "The message\n\nUnsubscribe here"


def test_a_boundary_is_not_found_in_a_longer_line_and_parts_need_no_end() -> None:
    body = b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\none\n--bb\n--b is no boundary\n--b\n\ntwo'
    assert text(body) == "one\n--bb\n--b is no boundary\n\ntwo"


def test_multiparts_without_a_boundary_are_text() -> None:
    assert text(b"Content-Type: multipart/mixed\n\njust text") == "just text"


def test_parts_in_parts_end_somewhere() -> None:
    raw = HEAD + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (depth, depth) for depth in range(1000)
    )
    [deepest] = mail.message(raw).leaves()
    assert deepest.is_attached
    assert mail.record(raw, Span(0, len(raw))).fields["attachments"].startswith("unnamed (multipart/mixed, ")


def test_a_long_text_is_cut_and_says_so() -> None:
    raw = HEAD + b"\n" + b"word " * 10_000
    record = mail.record(raw, Span(0, len(raw)))
    assert len(record.memo) == 20_000
    assert record.fields["cut"] == "the first 20000 of 49999 characters"


def test_what_is_no_message_says_so() -> None:
    with pytest.raises(ValueError, match="no header that a message has"):
        mail.record(b"a text without headers", Span(0, 22))
