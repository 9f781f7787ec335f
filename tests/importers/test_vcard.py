"""vCard's oddities. What every importer must do is in tests/contracts/importers.py."""

import time

import pytest

from appliance.importers import vcard
from appliance.records import Item, Record, Rejected, Span, Warned


def items(text: str | bytes) -> list[Item]:
    return list(vcard.extract(text.encode() if isinstance(text, str) else text, vcard.Options()))


def card(*lines: str, version: str = "3.0") -> Record:
    text = "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])
    [record] = [item for item in items(text) if isinstance(item, Record)]
    return record


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        (["FN:Kim Lee", "N:Other;;;;"], "Kim Lee"),
        (["FN:", "N:Lee;Kim;Ann,Bo;Dr.;MD"], "Dr. Kim Ann, Bo Lee MD"),
        (["NICKNAME:Kimmy"], "Kimmy"),
        (["ORG:Mill;Repairs"], "Mill"),
        (["EMAIL:kim@example.org"], "kim@example.org"),
        (["TEL;TYPE=FAX:12"], "fax: 12"),
        (["NOTE:Somebody"], "Contact without a name"),
    ],
)
def test_a_contact_is_called_by_what_it_has(lines: list[str], title: str) -> None:
    assert card(*lines).title == title


def test_numbers_find_their_places_and_none_is_lost() -> None:
    fields = card(
        "FN:Kim",
        "TEL;TYPE=HOME:101",
        "TEL;TYPE=CELL:102",
        "TEL;TYPE=WORK:+44 1943 103 ext. 7",
        "TEL;TYPE=HOME;TYPE=PREF:104",
        "TEL;TYPE=WORK,FAX:105",
        "item1.TEL:106",
        "item1.X-ABLabel:Allotment",
        "TEL;TYPE=HOME:104",
    ).fields
    assert (fields["phone"], fields["mobile"], "work_phone" in fields) == ("104", "102", False)
    others = ["home: 101", "work: +44 1943 103 ext. 7", "fax, work: 105", "Allotment: 106"]
    assert fields["other_phones"].splitlines() == others


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("BDAY:1980-03-22", "born", "1980-03-22"),
        ("BDAY:19800322", "born", "1980-03-22"),
        ("BDAY:1980-03-22T00:00:00Z", "born", "1980-03-22"),
        ("BDAY:--0229", "birthday", "29 February"),
        ("BDAY:--02-29", "birthday", "29 February"),
        ("BDAY:--04", "birthday", "April"),
        ("BDAY:---12", "birthday", "day 12 of the month"),
        ("BDAY:1985", "birthday", "1985"),
        ("BDAY:1985-04", "birthday", "April 1985"),
        ("BDAY:19800230", "birthday", "19800230"),
        ("BDAY;VALUE=text:circa 1800", "birthday", "circa 1800"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-22", "birthday", "22 March"),
        ("X-EVOLUTION-ANNIVERSARY:2011-06-04", "anniversary", "2011-06-04"),
        ("X-EVOLUTION-SPOUSE:Alex", "related", "spouse: Alex"),
        ("X-KADDRESSBOOK-X-ManagersName:Bo", "related", "manager: Bo"),
        ("X-SKYPE-USERNAME:kim", "messengers", "Skype: kim"),
        ("IMPP;TYPE=HOME:xmpp:kim@example.org", "messengers", "XMPP: kim@example.org"),
        ("PHOTO;VALUE=URI:https://kim.example/p.jpg", "photo", "https://kim.example/p.jpg"),
        ("REV:2026-03-01T09:30:00Z", "revised", "2026-03-01T09:30:00Z"),
        ("GEO:53.9;-1.69", "position", "53.9,-1.69"),
        ("KIND:org", "type", "organisation"),
        ("X-UNKNOWN;A=b:kept", "more", "X-UNKNOWN: kept"),
        ("ORG:First\r\nORG:Second", "more", "ORG: Second"),
        ("TEL;;TYPE=HOME:12345", "phone", "12345"),
    ],
)
def test_what_a_card_says_is_in_its_field(line: str, name: str, value: str) -> None:
    assert card("FN:Kim", line).fields[name] == value


def test_an_address_without_its_parts_is_its_label() -> None:
    fields = card("FN:Kim", r"LABEL;TYPE=WORK:1 High St\nIlkley").fields
    assert fields["work_address"] == "1 High St\nIlkley"
    assert (
        card("FN:Kim", r'ADR;LABEL="1 High St^nIlkley":;;;;;;', version="4.0").fields["address"] == "1 High St\nIlkley"
    )


def test_a_photo_is_told_and_not_copied() -> None:
    record = card("FN:Kim", "PHOTO;ENCODING=b;TYPE=JPEG:" + "QUJD" * 5_000)
    assert record.fields["photo"] == "JPEG, in the original: about 15000 bytes"
    assert "QUJD" not in repr(record)


def test_a_card_that_nothing_ends_is_rejected_alone_with_its_line() -> None:
    found = items("BEGIN:VCARD\nFN:One\nBEGIN:VCARD\nFN:Two\nEND:VCARD\n")
    [reject] = [item for item in found if isinstance(item, Rejected)]
    assert (reject.line, reject.where, reject.span) == (1, "card 1", Span(0, 18))
    assert [item.title for item in found if isinstance(item, Record)] == ["Two"]


def test_what_is_left_out_is_told_with_its_line() -> None:
    found = items("BEGIN:VCARD\nFN:One\nwhat is this\nEND:VCARD\nand this\nBEGIN:VCARD\nFN:Two\nEND:VCARD\n")
    told = [item.message for item in found if isinstance(item, Warned)]
    assert told == [
        "Line 3 was not understood: it is no property: it has no name and colon.",
        "What stands before line 6, outside a card, was not read.",
    ]


def test_utf_16_is_told_what_to_do() -> None:
    data = "BEGIN:VCARD\nFN:Kim\nEND:VCARD\n".encode("utf-16")
    assert vcard.identify(data, "contacts.vcf")
    [_, reject] = items(data)
    assert isinstance(reject, Rejected)
    assert "UTF-8" in reject.reason


def test_the_key_holds_what_matters_and_nothing_of_one_export() -> None:
    one = card("FN:Kim", "UID:1", "TEL:12", "REV:2026-01-01", "PRODID:a", "PHOTO;ENCODING=b:QUJD")
    again = card("PRODID:b", "FN:Kim", "TEL:12", "REV:2026-02-02", "UID:1", "PHOTO;ENCODING=b:REVG")
    changed = card("FN:Kim", "UID:1", "TEL:13")
    assert one.detail == again.detail
    assert one.detail != changed.detail
    assert one.supplier_id == changed.supplier_id == "1"


@pytest.mark.parametrize(
    "data",
    [
        b"BEGIN:VCARD\n" * 100_000,
        b"BEGIN:VCARD\nNOTE:" + b"\\" * 10_000_000,
        b"BEGIN:VCARD\n" + b"junk\n" * 500_000,
        b"BEGIN:VCARD\nTEL;" + b'"' * 1_000_000,
        b"BEGIN:VCARD\nN;QUOTED-PRINTABLE:" + b"=\n" * 1_000_000,
        b"BEGIN:VCARD\nNOTE:" + b"\n " * 1_000_000,
        b"BEGIN:VCARD\n" + b"AGENT:\nBEGIN:VCARD\n" * 100_000,
    ],
    ids=["unclosed", "escapes", "junk", "quotes", "soft", "folds", "agents"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is a hundred times what it takes; a quadratic reader would take hours."""
    began = time.process_time()
    for _ in vcard.extract(data, vcard.Options()):
        pass
    assert time.process_time() - began < 10
