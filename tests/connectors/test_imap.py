"""A mailbox on a real Dovecot: its messages once each, and what is attached to them, as rules say."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from appliance.connectors import Fetched, Kept, _mail_rules, _mailbox, imap
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching
from appliance.store import feeds
from appliance.store.database import Store
from appliance.web import Web
from tests.connectors import feeding
from tests.cutting_proxy import Cutting, cutting, saying
from tests.dovecot import DAY, OTHER_USER, PASSWORD, USER, Dovecot

BILL = Path(__file__).parents[1] / "samples" / "pdf_bill" / "british-electricity.pdf"
RULE = "*@octopus.energy | *bill* | pdf_bill | My energy | *.pdf"
HALF_HOURS = (
    b"Consumption (kwh), Estimated Cost Inc. Tax (p), Start, End\n0.1, 1, 2024-01-15T06:00:00Z, 2024-01-15T06:30:00Z\n"
)


def said(server: Dovecot | Cutting | int, **more: str) -> dict[str, str]:
    port = server if isinstance(server, int) else server.port
    return {"address": f"127.0.0.1:{port}", "user": USER, "password": PASSWORD, "encryption": "none", **more}


def fetched(server: Dovecot | Cutting | int, kept: Kept | None = None, **more: str) -> list[Fetched]:
    return list(imap.fetch(imap.Options(**said(server, **more)), kept or {}, Web()))


def files(found: list[Fetched]) -> list[tuple[str, str, str]]:
    return [(each.content.name, each.format, each.source) for each in found if each.content]


def letter(subject: str, sender: str = "Kim <kim@example.org>", **attached: bytes) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, USER, subject
    message["Date"], message["Message-ID"] = "Mon, 2 Mar 2026 19:00:00 +0100", f"<{subject.replace(' ', '.')}@here>"
    message.set_content(f"It is about {subject}.")
    for name, data in attached.items():
        stem, _, ending = name.rpartition("_")
        kind = {"pdf": ("application", "pdf"), "png": ("image", "png")}.get(ending, ("text", "csv"))
        message.add_attachment(data, maintype=kind[0], subtype=kind[1], filename=f"{stem}.{ending}")
    return message


# ---- messages ----


def test_each_message_comes_once_and_stays_unread(mail_server: Dovecot, store: Store) -> None:
    mail_server.put(letter("one"), letter("two"))
    feed = feeding.add(store, "imap", said(mail_server))
    first = feeding.done(store, feed)
    assert (first.files, first.stored) == (2, 2)
    assert feeding.done(store, feed).files == 0
    mail_server.put(letter("three"))
    second = feeding.done(store, feed)
    assert (second.files, second.stored) == (1, 1)
    assert feeding.titles(store) == ["one", "three", "two"]
    assert not any(b"Seen" in each for each in mail_server.flags())


def test_after_a_cut_at_any_byte_nothing_is_lost_and_nothing_doubled(mail_server: Dovecot, store: Store) -> None:
    subjects = ["one", "two", "three"]
    mail_server.put(*(letter(each, paper_pdf=BILL.read_bytes()) for each in subjects))
    with cutting(mail_server.port) as line:
        feed = feeding.add(store, "imap", said(line, rules="* | * | pdf_bill | Bills"))
        states = set[str]()
        for most in (0, 30, 200, 700, 1_200, 5_000, 9_000):
            line.most = most
            states.add(fetching.fetch(store, feed.id).state)
        line.most = 1 << 60
        feeding.done(store, feed)
    assert feeds.WAITING in states
    titles = feeding.titles(store)
    assert [titles.count(each) for each in subjects] == [1, 1, 1]


def test_what_is_cut_off_between_a_message_and_its_file_comes_again_whole(mail_server: Dovecot) -> None:
    mail_server.put(letter("one"), letter("two", a_csv=HALF_HOURS, b_csv=HALF_HOURS), letter("three"))
    options = imap.Options(**said(mail_server, rules="*"))
    every = list(imap.fetch(options, {}, Web()))
    assert [name for name, *_ in files(every)] == ["INBOX 1.eml", "INBOX 2.eml", "a.csv", "b.csv", "INBOX 3.eml"]
    for taken, again in ((1, 4), (2, 4), (3, 4), (4, 1), (5, 0)):
        assert len(files(list(imap.fetch(options, every[taken - 1].kept, Web())))) == again


def test_a_folder_that_is_numbered_anew_is_gone_through_again(mail_server: Dovecot, store: Store) -> None:
    mail_server.make("Bills")
    mail_server.put(letter("one"), letter("two"), folder="Bills")
    feed = feeding.add(store, "imap", said(mail_server, folders="Bills"))
    assert feeding.done(store, feed).stored == 2
    mail_server.remove("Bills")
    mail_server.make("Bills")
    mail_server.put(letter("three"), letter("two"), folder="Bills")
    again = feeding.done(store, feed)
    assert (again.files, again.stored) == (2, 1)
    assert feeding.titles(store) == ["one", "three", "two"]


def test_another_mailbox_that_numbers_alike_is_read_from_its_beginning(mail_server: Dovecot) -> None:
    for user in (USER, OTHER_USER):
        mail_server.put(letter("one"), letter("two"), user=user)
    kept: Kept = {**fetched(mail_server)[-1].kept}
    other = fetched(mail_server, {**kept, "folders": numbering(mail_server, OTHER_USER)}, user=OTHER_USER)
    assert len(files(other)) == 2


def numbering(server: Dovecot, user: str) -> dict[str, list[int]]:
    """What would be kept of a mailbox that another one is numbered like."""
    folders: dict[str, list[int]] = fetched(server, user=user)[-1].kept["folders"]
    return folders


def test_only_messages_since_a_day_come_and_older_ones_once_they_are_asked_for(mail_server: Dovecot) -> None:
    mail_server.put(letter("old"), at=DAY - timedelta(days=40))
    mail_server.put(letter("new"), at=DAY)
    found = fetched(mail_server, since="2026-02-28")
    assert [name for name, *_ in files(found)] == ["INBOX 2.eml"]
    found = fetched(mail_server, found[-1].kept, since="2026-01-01")
    assert [name for name, *_ in files(found)] == ["INBOX 1.eml", "INBOX 2.eml"]


def test_all_folders_are_all_but_the_bin(mail_server: Dovecot) -> None:
    for folder in ("Entw&APw-rfe", "A/B &- C", 'say "so"'):
        mail_server.make(f'"{folder}"'.replace('"say "so""', '"say \\"so\\""'))
    mail_server.put(letter("one"), folder="Entw&APw-rfe")
    mail_server.put(letter("two"), folder='"A/B &- C"')
    mail_server.put(letter("three"), folder='"say \\"so\\""')
    mail_server.put(letter("four"), folder="Trash")
    named = fetched(mail_server, folders='Entwürfe\nA/B & C\nsay "so"\ninbox')
    assert [name for name, *_ in files(named)] == ["Entwürfe 1.eml", "A/B & C 1.eml", 'say "so" 1.eml']
    assert sorted(files(fetched(mail_server, folders="*"))) == sorted(files(named))


def test_a_message_that_is_too_large_is_said_and_the_others_come(
    mail_server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_mailbox, "MOST_BYTES", 1 << 20)
    mail_server.put(letter("one"), letter("huge", a_csv=bytes(2 << 20)), letter("three"))
    found = fetched(mail_server)
    assert [name for name, *_ in files(found)] == ["INBOX 1.eml", "INBOX 3.eml"]
    assert [each.remark for each in found if each.remark] == [
        "1 messages in INBOX are larger than 1 MB, and not taken: save what is attached to them, and import that."
    ]


def test_many_messages_come_in_their_order(mail_server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "LOOKED_AT_ONCE", 7)
    monkeypatch.setattr(imap, "FETCHED_AT_ONCE_BYTES", 2_000)
    mail_server.put(*(letter(f"number {number}") for number in range(1, 31)))
    assert [name for name, *_ in files(fetched(mail_server))] == [f"INBOX {number}.eml" for number in range(1, 31)]


# ---- attachments ----


def test_a_bill_from_a_sender_becomes_an_energy_bill(mail_server: Dovecot, store: Store) -> None:
    mail_server.put(
        letter("Your March BILL", "Octopus <hello@octopus.energy>", bill_pdf=BILL.read_bytes(), logo_png=b"\x89PNG"),
        letter("Your bill", "Forger <hello@octopus.energy.example>", other_pdf=BILL.read_bytes()),
        letter("News", "hello@octopus.energy", news_pdf=BILL.read_bytes()),
    )
    feed = feeding.add(store, "imap", said(mail_server, messages="no", rules=RULE))
    done = feeding.done(store, feed)
    assert (done.files, done.message, feeding.sources(store)) == (1, "", {"My energy"})
    assert done.stored > 0
    assert feeding.done(store, feed).files == 0


def test_without_a_format_a_file_is_told_by_its_content(mail_server: Dovecot, store: Store) -> None:
    mail_server.put(letter("my half-hours", use_csv=HALF_HOURS, logo_png=b"\x89PNG"))
    done = feeding.done(store, feeding.add(store, "imap", said(mail_server, messages="no", rules="kim@* | *half*")))
    assert (done.files, done.stored, done.message) == (1, 1, "")


def test_a_new_rule_is_tried_on_old_messages(mail_server: Dovecot) -> None:
    mail_server.put(letter("use", use_csv=HALF_HOURS))
    found = fetched(mail_server, messages="no", rules="nobody@*")
    assert files(found) == []
    assert len(files(fetched(mail_server, found[-1].kept, messages="no", rules="*"))) == 1


def test_a_forwarded_bill_is_read_and_not_the_message_around_it(mail_server: Dovecot) -> None:
    around = letter("look", "ann@example.org")
    around.add_attachment(letter("bill", bill_pdf=b"%PDF-1.4"))
    mail_server.put(around)
    assert files(fetched(mail_server, messages="no", rules="ann@* | * | pdf_bill | Home")) == [
        ("bill.pdf", "pdf_bill", "Home")
    ]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("*@octopus.energy", "HELLO@octopus.energy", True),
        ("*@octopus.energy", "a@octopus.energy.example", False),
        ("[bill]*", "[Bill] of May", True),
        ("a*b*c", "a-b-c", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("*a*a*", "a", False),
        ("no star", "no star at all", False),
        ("*a" * 90, "a" * 60_000, True),
    ],
)
def test_stars_stand_for_any_letters(pattern: str, text: str, fits: bool) -> None:
    assert _mail_rules.Rule(subject=pattern).fits("", text) is fits


# ---- encryption ----


def test_tls_needs_a_certificate_that_somebody_trusted_vouches_for(mail_server: Dovecot) -> None:
    mail_server.put(letter("one"))
    safe = {"address": f"127.0.0.1:{mail_server.tls_port}", "encryption": "TLS"}
    starting = {"encryption": "STARTTLS"}
    for more in (safe, starting):
        with pytest.raises(SourceError, match="certificate that nobody trusted") as raised:
            fetched(mail_server, None, **more)
        assert raised.value.permanent
        assert len(files(fetched(mail_server, None, certificate=mail_server.certificate, **more))) == 1


def test_tls_where_none_is_spoken_is_said(mail_server: Dovecot) -> None:
    with pytest.raises(SourceError, match="speaks no TLS at that port") as raised:
        fetched(mail_server, encryption="TLS")
    assert raised.value.permanent


def test_a_line_that_hides_starttls_gets_no_password() -> None:
    with (
        saying(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n", CAPABILITY, b"never") as port,
        pytest.raises(SourceError, match="offers no STARTTLS") as raised,
    ):
        fetched(port, encryption="STARTTLS")
    assert raised.value.permanent


def test_without_encryption_only_a_host_at_home_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.43.8", 143))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(SourceError, match="is not at home") as raised:
        fetched(143, address="imap.example.org")
    assert raised.value.permanent


# ---- what goes wrong ----


def test_a_wrong_password_is_final_and_never_shown(mail_server: Dovecot) -> None:
    with pytest.raises(SourceError, match="app passwords") as raised:
        fetched(mail_server, password="another one")
    assert raised.value.permanent
    assert "another one" not in str(raised.value)


def test_a_folder_that_is_not_there_is_told_with_those_that_are(mail_server: Dovecot) -> None:
    mail_server.make("Bills")
    with pytest.raises(SourceError, match="no folder Bils in this mailbox; there are Bills, INBOX, Trash") as raised:
        fetched(mail_server, folders="INBOX\nBils")
    assert raised.value.permanent


def test_a_server_that_went_down_is_asked_again_later(mail_server: Dovecot, store: Store) -> None:
    feed = feeding.add(store, "imap", said(mail_server))
    mail_server.stop()
    done = fetching.fetch(store, feed.id)
    assert (done.state, done.message) == (
        feeds.WAITING,
        "127.0.0.1 cannot be reached, or broke off in the middle; try again later",
    )


HELLO = b"* OK [CAPABILITY IMAP4rev1] hello\r\n"
CAPABILITY = b"* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"
IN, LIST = b"{tag} OK in\r\n", b'* LIST () "/" INBOX\r\n{tag} OK done\r\n'
OPENED = b"* OK [UIDVALIDITY 5] x\r\n{tag} OK [READ-ONLY] done\r\n"


def talks() -> Iterator[tuple[bytes, ...]]:
    """What a server says that is none, or goes mad after a while."""
    yield (b"HTTP/1.1 400 Bad Request\r\n\r\n",)
    yield (b"\x00\xff" * 1_000,)
    yield (b"",)
    before = [HELLO, CAPABILITY, IN, LIST, OPENED, b"* SEARCH 1\r\n{tag} OK done\r\n"]
    for length in range(1, len(before) + 1):
        for mad in (
            b"what?\r\n",
            b"* \r\n{tag} OK\r\n",
            b"\xff\xfe\r\n",
            b"* 1 FETCH ({99999999999999999}\r\n",
            b"9 OK\r\n",
        ):
            yield (*before[:length], mad)


@pytest.mark.parametrize("talk", list(talks()))
def test_garbage_is_said_plainly(talk: tuple[bytes, ...]) -> None:
    with saying(*talk) as port:
        found, problem = tried(port)
    assert files(found) == []
    assert problem or len(talk) > len((HELLO, CAPABILITY, IN, LIST))
    assert "hunter2" not in problem


def tried(port: int) -> tuple[list[Fetched], str]:
    try:
        return fetched(port, user="ann", password="hunter2-that-nobody-may-read"), ""
    except SourceError as error:
        return [], str(error)


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mailbox, "MOST_BYTES", 1 << 20)
    endless = b"* 1 FETCH (FLAGS ())\r\n" * 200_000
    with (
        saying(HELLO, CAPABILITY, IN, LIST, OPENED, endless) as port,
        pytest.raises(SourceError, match="more than 2 MB"),
    ):
        fetched(port, password="plain")


@pytest.mark.parametrize(
    ("answer", "is_permanent"),
    [
        (b"{tag} NO [AUTHENTICATIONFAILED] no\r\n", True),
        (b"{tag} NO [UNAVAILABLE] later\r\n", False),
        (b"{tag} NO [ALERT] Too many simultaneous connections. (Failure)\r\n", False),
        (b"* BYE shutting down\r\n", False),
    ],
)
def test_a_login_that_may_work_later_is_tried_later(answer: bytes, is_permanent: bool) -> None:
    with saying(HELLO, CAPABILITY, answer) as port, pytest.raises(SourceError) as raised:
        fetched(port, password="plain")
    assert raised.value.permanent is is_permanent


# ---- what a person states ----


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"address": "not an address"}, "no address of a server"),
        ({"address": ""}, "write the mail server's name"),
        ({"password": ""}, "give both"),
        ({"password": "a\r\nb"}, "one line"),
        ({"encryption": "perhaps"}, "TLS, STARTTLS, none"),
        ({"since": "01/02/2026"}, "a day such as"),
        ({"folders": " \n"}, "name one"),
        ({"messages": "no"}, "which attachments"),
        ({"rules": "*@a | b\n| x"}, "line 2: say who sends it"),
        ({"rules": "a | b | c | d | e | f"}, "line 1: write: sender"),
        ({"rules": "a | b | PDF bill"}, "line 1: 'PDF bill' is no format"),
    ],
)
def test_what_makes_no_sense_is_refused(more: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words) as raised:
        imap.Options(**said(993, **more))
    assert PASSWORD not in str(raised.value)


def test_a_well_known_provider_needs_no_server() -> None:
    server = imap.Options(user="ann@gmail.com", password="x").server
    assert (server.host, server.port, server.encryption) == ("imap.gmail.com", 993, "TLS")
