"""No importer takes more memory than ten times a file, be it of nothing but what costs most."""

import pytest

from tests.contracts import importers as contract

FILE_BYTES = 200_000
TIMES = 10
EVENT = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260302\n"
ROW = ":20:1\r\n:25:1/1\r\n:60F:C260301EUR1,\r\n:61:260301D1,NMSC\r\n"
FROM = "From ada@example.org Mon Mar  2 19:00:00 2026\nSubject: one\n\n"


@pytest.mark.parametrize(
    ("format_", "head", "part", "tail"),
    [
        ("dsmr_reader", "", "Temperature (In \u2103)", "\n"),
        ("green_button", "<feed xmlns='http://naesb.org/espi'>", "<kind>", ""),
        ("icalendar", "BEGIN:VCALENDAR\n", "BEGIN:VEVENT\n", ""),
        ("icalendar", EVENT + "SUMMARY", ";", ":Choir\nEND:VEVENT"),
        ("icalendar", EVENT + "DESCRIPTION:", "Bring it. ", "\nEND:VEVENT"),
        ("mbox", FROM, ">From a\n", ""),
        ("mbox", FROM, ">>>>From \n", ""),
        ("mt940", ROW, ":86:/CHGS/HKD5,/\r\n", ""),
        ("mt940", ROW + ":86:", "/CHGS/HKD5,/\r\n", ""),
        ("ofx", "<OFX><STMTTRN>", "<NAME>", "</STMTTRN>"),
        ("vcard", "", "BEGIN:VCARD\n", ""),
    ],
)
def test_a_file_of_one_thing_again_and_again_takes_no_more_than_ten_times_itself(
    format_: str, head: str, part: str, tail: str
) -> None:
    data = (head + part * (FILE_BYTES // len(part)) + tail).encode()
    assert contract.needed_bytes(format_, data) < TIMES * len(data)
