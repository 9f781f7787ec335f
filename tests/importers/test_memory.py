"""No importer takes more memory than ten times a file, be it of nothing but what costs most."""

import pytest

from tests.contracts import importers as contract

FILE_BYTES = 200_000
TIMES = 10
FROM = "From ada@example.org Mon Mar  2 19:00:00 2026\nSubject: one\n\n"


@pytest.mark.parametrize(
    ("format_", "head", "part"),
    [
        ("icalendar", "BEGIN:VCALENDAR\n", "BEGIN:VEVENT\n"),
        ("mbox", FROM, ">From a\n"),
        ("mbox", FROM, ">>>>From \n"),
        ("vcard", "", "BEGIN:VCARD\n"),
    ],
)
def test_a_file_of_one_thing_again_and_again_takes_no_more_than_ten_times_itself(
    format_: str, head: str, part: str
) -> None:
    data = (head + part * (FILE_BYTES // len(part))).encode()
    assert contract.needed_bytes(format_, data) < TIMES * len(data)
