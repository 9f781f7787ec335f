"""Itemised phone bills: many names for the same columns, and what their cells mean."""

import time
from datetime import date
from decimal import Decimal

import pytest

from appliance.errors import UserError
from appliance.importers import phone_bill
from appliance.importers.phone_bill import values
from appliance.importers.phone_bill.columns import NAMES
from appliance.records import Record, Rejected

HEADING = "Date,Time,Number dialled,Duration,Cost (£)\n"


def items(text: str, **stated: str) -> list[object]:
    return list(phone_bill.extract(text.encode(), phone_bill.Options(**stated)))


def records(text: str, **stated: str) -> list[Record]:
    return [item for item in items(text, **stated) if isinstance(item, Record)]


@pytest.mark.parametrize(
    "heading",
    [
        "Date,Time,Number dialled,Duration,Cost",
        "Call date,Call time,Called number,Destination,Duration (secs),Charge (£)",
        "Date,Time,Number,Origination,Destination,Min.,Airtime Charges,LD/Other,Total",
        "Date,Time,Destination,Number,Minutes,Type,Call charge",
        "Phone number,Date & time,To/From,Call type,Duration/Volume,Net cost,VAT",
        "Datum;Uhrzeit;Rufnummer;Dauer;Betrag",
        "Date\tHeure\tNuméro appelé\tDurée\tMontant",
        "Datum|Tijd|Gekozen nummer|Duur|Kosten",
    ],
)
def test_the_headings_of_many_networks_are_known(heading: str) -> None:
    assert phone_bill.identify(f"Your bill\n{heading}\n".encode(), "x.csv")


@pytest.mark.parametrize("name", sorted(NAMES["date"]))
def test_each_name_of_a_column_of_dates_heads_a_second_part_too(name: str) -> None:
    first = f"{HEADING}16/02/2026,18:04,01632 960001,60,0.10\n"
    second = f"Number dialled,Duration,{name.upper()}\n01632 960002,60,17/02/2026\n"
    found = records(first + second, durations="seconds")
    assert [(str(each.at)[:10], each.fields["number"]) for each in found] == [
        ("2026-02-16", "01632 960001"),
        ("2026-02-17", "01632 960002"),
    ]


@pytest.mark.parametrize(
    "heading",
    ["Date,Type,Merchant/Description,Debit/Credit,Balance", "Date,Time,Amount", "Date,Usage,Cost", "Name,Number,Total",
     "Activity Date,Duration,Distance", "date,start time,duration,energy (kWh)"],
)  # fmt: skip
def test_other_tables_are_not_taken_for_one(heading: str) -> None:
    assert not phone_bill.identify(f"{heading}\n1,2,3\n".encode(), "bill.csv")


@pytest.mark.parametrize(
    ("said", "unit", "seconds"),
    [("00:12:30", "", 750), ("12:30", "", 750), ("1:05", "hh:mm", 3900), ("63", "secs", 63), ("4", "min", 240),
     ("2.5", "minutes", 150), ("1h 2m 3s", "", 3723), ("5 min 3 sec", "", 303), ("120:00", "", 7200), ("-", "", None)],
)  # fmt: skip
def test_lengths_are_read_as_they_are_written(said: str, unit: str, seconds: int | None) -> None:
    assert values.seconds(said, unit) == seconds


@pytest.mark.parametrize(
    ("said", "unit", "mb"), [("12.5MB", "", "12.5"), ("2048", "kb", "2"), ("1 GB", "", "1024"), ("1,024 KB", "", "1")]
)
def test_volumes_become_megabytes(said: str, unit: str, mb: str) -> None:
    assert values.megabytes(said, unit, "point") == Decimal(mb)


def test_pence_are_a_hundredth_of_a_pound_and_what_is_included_costs_nothing_that_is_said() -> None:
    assert values.cost("35p", "point", "") == (Decimal("0.35"), "GBP")
    assert values.cost("12.5", "point", "pence") == (Decimal("0.125"), "")
    assert values.cost("Included", "point", "") == (None, "")
    assert values.cost("€1.234,50", "comma", "") == (Decimal("1234.50"), "EUR")


def test_the_whole_column_settles_which_comes_first_in_a_date() -> None:
    ambiguous, clear = "03/04/2026,10:00,1234,1:00,1\n", "03/14/2026,10:00,1234,1:00,1\n"
    assert not records(HEADING + ambiguous)
    found = records(HEADING + ambiguous + clear)
    assert [record.at.date() for record in found] == [date(2026, 3, 4), date(2026, 3, 14)]  # type: ignore[union-attr]
    stated = records(HEADING + ambiguous, dates="day-first", zone="Europe/London")
    assert [record.at.isoformat() for record in stated if record.at] == ["2026-04-03T10:00:00+01:00"]


def test_equal_calls_of_one_minute_are_two() -> None:
    row = "14/02/2026,10:00,01632 960001,1:00,0.10\n"
    assert len(records(HEADING + row * 2)) == 2


def test_what_a_bare_length_counts_can_be_stated() -> None:
    row = "14/02/2026,10:00,01632 960001,3,0.10\n"
    assert [record.fields["seconds"] for record in records(HEADING + row, durations="minutes")] == ["180"]
    assert "taken as seconds" in str(items(HEADING + row))


def test_all_that_is_wrong_with_the_options_is_told() -> None:
    with pytest.raises(UserError) as error:
        phone_bill.Options(dates="backwards", durations="days", zone="Mars", currency="pounds")
    assert len(error.value.problems) == 4


@pytest.mark.parametrize(
    "data", [HEADING + "," * 1_000_000, HEADING * 5_000, HEADING + "Total\n" * 100_000, HEADING + '"' * 200_000]
)
def test_hostile_files_take_linear_time(data: str) -> None:
    began = time.process_time()
    assert not [item for item in items(data) if isinstance(item, Record)]
    assert all(item.reason for item in items(data) if isinstance(item, Rejected))
    assert time.process_time() - began < 10
