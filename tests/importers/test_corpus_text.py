"""Contacts and calendars that no one here wrote, against a second reading of the same bytes."""

import re
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest

from appliance.importers import icalendar as calendars
from appliance.importers import vcard
from appliance.records import Item, Record, Rejected, Warned
from tests.contracts.importers import keeps_the_rules
from tests.corpus import FOLDER, corpus_file

_CARDS = sorted(path.name for path in (FOLDER / "contacts").glob("*.vcf"))
_CALENDARS = sorted(path.name for path in (FOLDER / "calendar").glob("*.ics"))


def _records(items: list[Item]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def _contacts(name: str) -> tuple[bytes, list[Item]]:
    data = corpus_file(f"contacts/{name}").read_bytes()
    items = list(vcard.extract(data, vcard.Options()))
    keeps_the_rules(items, len(data))
    return data, items


@pytest.mark.parametrize("name", _CARDS or ["gmail.vcf"])
def test_every_card_is_a_contact_with_its_name_numbers_and_addresses(name: str) -> None:
    data, items = _contacts(name)
    text = re.sub(r"\r?\n[ \t]", "", data.decode())
    cards = text.split("BEGIN:VCARD")[1:]
    assert len(_records(items)) == len(cards)
    assert not [item for item in items if isinstance(item, Rejected | Warned)]
    for record, card in zip(_records(items), cards, strict=True):
        said = "\n".join(record.fields.values())
        for prefix, value in re.findall(r"(?m)^(?:FN|EMAIL|TEL)([^:\r\n]*):([^\r\n]+)", card):
            if "QUOTED-PRINTABLE" not in prefix:
                assert value.removeprefix("tel:").partition(";ext")[0] in said


def test_a_phone_s_umlauts_and_damaged_letters_are_read() -> None:
    _, items = _contacts("android.vcf")
    titles = [record.title for record in _records(items)]
    assert titles[:3] == ["john.doe@company.com", "jane.doe@company.com", "Ñ Ñ Ñ Ñ Ñ"]
    assert titles[5] == "ÑÑÑÑ"


def test_outlook_s_and_gmail_s_own_properties_find_their_fields() -> None:
    [outlook] = _records(_contacts("ms_outlook.vcf")[1])
    assert outlook.fields["born"] == "1980-03-22"
    assert outlook.fields["anniversary"] == "2011-01-13"
    assert outlook.fields["related"] == "manager: Big Blue\nassistant: Jenny"
    assert outlook.fields["photo"] == "JPEG, in the original: about 860 bytes"
    [gmail] = _records(_contacts("gmail.vcf")[1])
    assert gmail.fields["related"] == "spouse: Jenny"
    assert gmail.fields["anniversary"] == "1975-03-01"
    assert gmail.fields["web"] == "http://www.ibm.com"
    [rfc] = _records(_contacts("rfc6350.vcf")[1])
    assert rfc.fields["birthday"] == "3 February"
    assert rfc.fields["other_phones"] == "work: +1-418-656-9254 ext. 102"


def _events(name: str) -> tuple[bytes, list[Item]]:
    data = corpus_file(f"calendar/{name}").read_bytes()
    items = list(calendars.extract(data, calendars.Options()))
    keeps_the_rules(items, len(data))
    return data, items


@pytest.mark.parametrize("name", _CALENDARS or ["example.ics"])
def test_every_event_is_one_record_at_the_time_that_icalendar_finds(name: str) -> None:
    data, items = _events(name)
    records = _records(items)
    rejects = [item for item in items if isinstance(item, Rejected)]
    assert len(records) + len(rejects) == len(re.findall(rb"(?m)^BEGIN:VEVENT", data))
    stated = [event.get("DTSTART") for event in icalendar.Calendar.from_ical(data).walk("VEVENT")]
    theirs = [each.dt for each in stated if isinstance(each, icalendar.vDDDTypes)]
    assert [_plain(record.at) for record in records] == list(map(_plain, theirs))


def _plain(at: Any) -> Any:
    return at.astimezone(UTC) if isinstance(at, datetime) else at


def test_the_event_with_too_many_semicolons_is_rejected_with_its_line() -> None:
    _, items = _events("broken_ical.ics")
    [reject] = [item for item in items if isinstance(item, Rejected)]
    assert (reject.line, reject.where) == (2, "event 1")
    assert reject.reason.startswith("line 4: its DTSTART cannot be read: a parameter in it has no name")


def test_the_dates_of_a_rule_of_periods_are_all_there() -> None:
    data, items = _events("issue_156_RDATE_with_PERIOD_TZID_khal.ics")
    [event] = _records(items)
    said = re.sub(rb"\r\n ", b"", data).partition(b"VALUE=PERIOD:")[2].partition(b"\r\n")[0].split(b",")
    listed = event.fields["rdate"].splitlines()
    assert len(listed) == len(said) == 19
    assert listed[-1] == "2018-07-31T13:00:00Z/2018-07-31T14:00:00Z"
