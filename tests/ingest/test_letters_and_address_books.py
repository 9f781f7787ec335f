"""Contacts and events that change are versions of one fact; a message that comes by two routes is one message."""

from appliance.ingest import importing
from appliance.store import timeline, versions
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.query import Query
from appliance.store.records import Stored


def card(phone: str, revised: str = "", uid: str = "UID:4fb0", name: str = "Kim Lee") -> bytes:
    rev = f"REV:{revised}\r\n" if revised else ""
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\n{uid}\r\n{rev}FN:{name}\r\nTEL;TYPE=CELL:{phone}\r\nEND:VCARD\r\n".encode()


def bring(store: Store, data: bytes, name: str = "x") -> tuple[int, int, int]:
    """How many rows were read, stored, and there already."""
    report: Report = importing.import_bytes(store, data, name, zone="Europe/Amsterdam")
    assert report.read == report.stored + report.duplicate + report.rejected
    return report.read, report.stored, report.duplicate


def standing(store: Store, kind: str) -> list[Stored]:
    with store.read() as connection:
        return sorted(timeline.matching(connection, Query(kind=kind)), key=lambda each: each.id)


def test_a_contact_with_another_number_is_another_version_of_the_same_person(store: Store) -> None:
    assert bring(store, card("101") + card("107", uid="UID:other", name="Bo")) == (2, 2, 0)
    assert bring(store, card("102") + card("107", uid="UID:other", name="Bo")) == (2, 0, 2)
    kim, bo = standing(store, "contact")
    assert (kim.fields["mobile"], bo.fields["mobile"]) == ("102", "107")
    with store.read() as connection:
        history = versions.history(connection, kim.id)
    assert [each.record.fields["mobile"] for each in history] == ["101", "102"]


def test_another_name_changes_a_contact_too(store: Store) -> None:
    bring(store, card("101"))
    bring(store, card("101", name="Kim Brown"))
    assert [each.title for each in standing(store, "contact")] == ["Kim Brown"]


def test_the_same_address_book_again_and_an_older_one_change_nothing(store: Store) -> None:
    bring(store, card("102", "2026-02-01T00:00:00Z"))
    assert bring(store, card("102", "2026-03-01T00:00:00Z")) == (1, 0, 1)
    assert bring(store, card("101", "2026-01-01T00:00:00Z")) == (1, 0, 1)
    [kim] = standing(store, "contact")
    assert kim.fields["mobile"] == "102"


def test_people_without_an_id_are_told_by_what_their_cards_say(store: Store) -> None:
    assert bring(store, card("101", uid="X-A:1") * 2) == (2, 2, 0)
    assert bring(store, card("101", uid="X-A:1") * 2) == (2, 0, 2)
    assert bring(store, card("102", uid="X-A:1")) == (1, 1, 0)


EVENT = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260302T190000Z\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Choir\r\n"
    "END:VEVENT\r\n{}END:VCALENDAR\r\n"
)
TUESDAY = (
    "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20260309T190000Z\r\nDTSTART:20260310T190000Z\r\nSUMMARY:Choir\r\n"
    "END:VEVENT\r\n"
)


def test_an_event_that_moves_is_another_version_and_a_changed_occurrence_a_record_of_its_own(store: Store) -> None:
    assert bring(store, EVENT.format("").encode()) == (1, 1, 0)
    assert bring(store, EVENT.format(TUESDAY).encode()) == (2, 1, 1)
    choir, changed = standing(store, "calendar.event")
    assert choir.fields["replaced"] == changed.fields["instead_of"] == "2026-03-09T19:00:00Z"
    later = EVENT.format(TUESDAY).replace("T190000Z\r\nRRULE", "T200000Z\r\nRRULE")
    assert bring(store, later.encode()) == (2, 0, 2)
    choir, changed = standing(store, "calendar.event")
    assert (choir.at, changed.at) == ("2026-03-02T20:00:00Z", "2026-03-10T19:00:00Z")


def test_a_to_do_and_a_journal_that_change_are_other_versions_too(store: Store) -> None:
    for name, kind in {"VTODO": "calendar.task", "VJOURNAL": "note"}.items():
        text = f"BEGIN:{name}\r\nUID:1\r\nSUMMARY:{{}}\r\nDTSTART:20260302\r\nEND:{name}\r\n"
        assert bring(store, text.format("Gutter").encode()) == (1, 1, 0)
        assert bring(store, text.format("Gutter, again").encode()) == (1, 0, 1)
        assert [each.title for each in standing(store, kind)] == ["Gutter, again"]


MESSAGE = (
    "Date: Mon, 2 Mar 2026 19:00:00 +0100\nFrom: Kim <kim@example.org>\nTo: ada@example.org\nSubject: {}\n"
    "Message-ID: <{}@example.org>\n\nFrom now on we meet at four.\n"
)


def mailbox(*messages: str) -> bytes:
    begin = "From kim@example.org Mon Mar  2 19:00:00 2026\n"
    return "".join(
        f"{begin}{each.replace(chr(10) + 'From now', chr(10) + '>From now')}\n" for each in messages
    ).encode()


def test_a_message_in_a_mailbox_and_by_itself_is_one(store: Store) -> None:
    one, two = MESSAGE.format("one", 1), MESSAGE.format("two", 2)
    assert bring(store, mailbox(one, two)) == (2, 2, 0)
    assert bring(store, one.encode(), "one.eml") == (1, 0, 1)
    report = importing.import_bytes(store, two.replace("\n", "\r\n").encode(), "two.eml", source="imap kim")
    assert (report.stored, report.duplicate) == (0, 1)
    assert bring(store, mailbox(one, two)) == (2, 0, 2)
    assert [each.title for each in standing(store, "message")] == ["one", "two"]


def test_words_of_a_message_and_names_of_what_is_attached_are_found(store: Store) -> None:
    bring(store, mailbox(MESSAGE.format("Saturday", 1)))
    attached = (
        "From: power@example.org\nDate: Tue, 3 Mar 2026 09:00:00 +0000\nSubject: Bill\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nDear customer\n"
        "--b\nContent-Type: application/pdf; name=invoice-2026.pdf\n\n%PDF\n--b--\n"
    )
    bring(store, attached.encode(), "bill.eml")
    for words, title in {
        "meet four": "Saturday",
        "invoice-2026": "Bill",
        "customer": "Bill",
        "kim": "Saturday",
    }.items():
        with store.read() as connection:
            assert [each.title for each in timeline.matching(connection, Query(search=words))] == [title], words
