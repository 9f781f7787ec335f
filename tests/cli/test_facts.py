"""`inglenook records`, `readings`, `series`, `sources`, `people` and `collect`: the house's data as rows."""

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from appliance import people
from appliance.config import load
from appliance.people import Household
from appliance.store.database import HOME, open_store
from tests.cli.conftest import Box, Said
from tests.corpus import corpus_file
from tests.green_button import hours
from tests.statements import Row, ofx

Written = Callable[[str, bytes], Path]
SAMPLES = Path(__file__).parents[1] / "samples" / "meters" / "dsmr"
RECORD = {
    "id", "kind", "at", "title", "party", "account", "amount", "unit", "provenance", "source", "import", "original",
    "span", "fields",
}  # fmt: skip
READING = {"at", "seconds", "value", "unit", "quality", "source"}
FORMULA = '=HYPERLINK("http://x")'


@pytest.fixture
def filled(box: Box, written: Written) -> Box:
    """A box with three payments, one of them by somebody who means ill."""
    rows = [
        Row(date(2026, 3, 1), "-12.50", "Baker"),
        Row(date(2026, 3, 2), "-7", FORMULA),
        Row(date(2026, 3, 3), "1000", "Wages"),
    ]
    box.json("import", written("march.ofx", ofx(rows)))
    return box


def test_a_record_says_all_that_the_design_names(filled: Box) -> None:
    rows = filled.json("records")
    assert [row["title"] for row in rows] == ["Wages", FORMULA, "Baker"]
    assert all(row.keys() >= RECORD for row in rows)
    assert (rows[2]["at"], rows[2]["amount"], rows[2]["unit"]) == ("2026-03-01", "-12.50", "EUR")
    assert (rows[2]["kind"], rows[2]["provenance"], len(rows[2]["original"])) == ("money.transaction", "our", 64)


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        (["--search", "bAk"], ["Baker"]),
        (["--from", "2026-03-02"], ["Wages", FORMULA]),
        (["--to", "2026-03-01"], ["Baker"]),
        (["--kind", "phone.call"], []),
        (["--kind", "money.transaction", "--from", "2026-03-03"], ["Wages"]),
        (["--import", "2"], []),
    ],
)
def test_records_are_found(filled: Box, asked: list[str], titles: list[str]) -> None:
    assert [row["title"] for row in filled.json("records", *asked)] == titles


def test_a_day_that_is_none_is_said(filled: Box) -> None:
    said = filled.run("records", "--from", "yesterday")
    assert said.code == 2
    assert "--from yesterday" in said.err


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
@pytest.mark.parametrize(
    ("at", "count"),
    [
        ("0001-01-01T00:00+14:00", 0),
        ("0001-01-01", 0),
        ("9999-12-31T23:00-14:00", 3),
        ("9999-12-31T23:59", 3),
        ("9999-12-31", 3),
    ],
)
def test_what_was_believed_at_the_ends_of_the_calendar(filled: Box, zone: str, at: str, count: int) -> None:
    assert len(filled.json("records", "--as-of", at, "--zone", zone)) == count


@pytest.mark.parametrize("said", ["yesterday", "2026-13-01", "2026-01-01T25:00Z", ""])
def test_a_time_that_is_none_is_said(filled: Box, said: str) -> None:
    ended = filled.run("records", "--as-of", said, "--zone", "UTC")
    assert (ended.code, f"--as-of {said}: write a date" in ended.err) == ((2, True) if said else (0, False))


def test_no_cell_of_a_csv_is_a_formula_and_amounts_stay_numbers(filled: Box) -> None:
    rows = list(csv.DictReader(io.StringIO(filled.run("records", "--csv").out)))
    assert [row["title"] for row in rows] == ["Wages", f"'{FORMULA}", "Baker"]
    assert [row["amount"] for row in rows] == ["1000.00", "-7.00", "-12.50"]


def test_a_table_for_people_shows_the_same_rows(filled: Box) -> None:
    said = filled.run("records")
    assert all(text in said.out for text in ("Baker", "Wages", "-12.50", "2026-03-03"))


# ---- readings ----


def test_a_reading_says_all_that_the_design_names(box: Box, written: Written) -> None:
    box.json("import", written("m.xml", hours([500, 1500])))
    rows = box.json("readings", "electricity.import")
    assert all(row.keys() == READING for row in rows)
    assert [(row["at"], row["seconds"], row["value"], row["unit"]) for row in rows] == [
        ("2026-03-01T00:00:00Z", 3600, "0.500", "kWh"),
        ("2026-03-01T01:00:00Z", 3600, "1.500", "kWh"),
    ]


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        (["--every", "day"], ["2.400", "2.400", "0.200"]),
        (["--every", "month", "--zone", "America/New_York"], ["0.500", "4.500"]),
        (["--every", "quarter-hour", "--to", "2026-03-01T02:00Z"], ["0.100"] * 2),  # never finer than it was given
        (["--from", "2026-03-02", "--to", "2026-03-02", "--every", "day"], ["2.400"]),
        (["--from", "2026-03-01T22:00Z", "--to", "2026-03-01T23:30Z"], ["0.100", "0.100"]),
        (["--from", "2026-04-01", "--to", "2026-03-01", "--every", "hour"], []),
        (["--from", "2030-01-01", "--every", "day"], []),
    ],
)
def test_readings_add_up_by_local_steps(box: Box, written: Written, asked: list[str], values: list[str]) -> None:
    box.json("import", written("m.xml", hours([100] * 50)))
    found = [row["value"] for row in box.json("readings", "electricity.import", "--zone", "UTC", *asked)]
    assert found == values


@pytest.mark.parametrize("step", ["raw", "quarter-hour", "day", "month"])
@pytest.mark.parametrize(
    ("first", "last"),
    [("0001-01-01", "9999-12-31"), ("0001-01-01T00:00+14:00", "9999-12-31T23:00-14:00")],
)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_readings_of_all_time_are_all(box: Box, written: Written, first: str, last: str, step: str, zone: str) -> None:
    box.json("import", written("m.xml", hours([100] * 3)))
    asked = ("--from", first, "--to", last, "--every", step, "--zone", zone)
    rows = box.json("readings", "electricity.import", *asked)
    assert sum(Decimal(row["value"]) for row in rows) == Decimal("0.3")


def test_the_day_on_which_clocks_change_says_its_own_length(box: Box, written: Written) -> None:
    box.json("import", written("m.xml", hours([100] * 24 * 40)))
    rows = box.json("readings", "electricity.import", "--every", "day", "--zone", "Europe/London")
    [spring] = [row for row in rows if row["at"] == "2026-03-29T00:00:00Z"]
    assert (spring["seconds"], spring["value"]) == (82_800, "2.300")
    assert {row["seconds"] for row in rows} == {82_800, 86_400}
    assert sum(Decimal(row["value"]) for row in rows) == 96


def test_a_role_of_several_sources_asks_which_and_ends_with_2(box: Box, written: Written) -> None:
    for number, name in enumerate(("house", "barn")):
        box.json("import", written(f"{number}.xml", hours([number], point=number)), "--source", name)
    said = box.run("--json", "readings", "electricity.import")
    assert (said.code, said.out) == (2, "")
    assert "barn/electricity.import, house/electricity.import" in said.err
    assert [row["source"] for row in box.json("readings", "barn/electricity.import")] == ["barn"]


def test_local_days_without_a_zone_are_warned_of(box: Box, written: Written) -> None:
    box.json("import", written("m.xml", hours([1])))
    assert "--zone" in box.run("readings", "electricity.import", "--every", "day").err
    assert box.run("readings", "electricity.import").err == ""
    said = box.run("readings", "electricity.import", "--zone", "Mars/Olympus")
    assert said.code == 2


def test_series_and_sources_are_listed(box: Box, written: Written) -> None:
    box.json("import", written("m.xml", hours([1, 2])))
    [row] = box.json("series")
    assert (row["role"], row["unit"], row["kind"], row["count"]) == ("electricity.import", "kWh", "delta", 2)
    assert (row["first"], row["last"]) == ("2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z")
    assert [each["source"] for each in box.json("sources")] == [row["source"]]
    assert box.json("people") == []


# ---- collect ----


def _collect(box: Box, path: Path) -> dict[str, int]:
    zone = ("--zone", "Europe/Amsterdam")
    [row] = box.json("collect", "--link", f"replay:{path}", "--meter", "dsmr", *zone, "--once")
    assert row.keys() == {"telegrams", "crc_errors", "partial", "read", "stored", "duplicate"}
    assert row["read"] == row["stored"] + row["duplicate"]
    assert list((box.data / "spool").iterdir()) == []
    return row


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.txt")), ids=lambda path: path.stem)
def test_each_sample_is_collected_once_however_often_it_is_replayed(box: Box, path: Path) -> None:
    if "dsmr22" in path.name:
        pytest.skip("such telegrams carry the time of arrival, which is another each time")
    zone = ("--zone", "Europe/Amsterdam")
    said = box.run("--json", "collect", "--link", f"replay:{path}", "--meter", "dsmr", *zone, "--once")
    [first] = said.rows
    if not first["telegrams"]:
        assert said.code == 2
        assert "no telegram came" in said.err
        return
    again = _collect(box, path)
    assert first["stored"] > again["stored"] == 0
    assert again["read"] == first["read"]


def test_a_meter_s_recording_is_read_to_its_end_and_a_second_time_adds_nothing(box: Box) -> None:
    path = corpus_file("meters/dsmr4-serial-566-telegrams.txt")
    first = _collect(box, path)
    assert (first["telegrams"], first["crc_errors"], first["partial"]) == (566, 0, 1)
    assert _collect(box, path)["stored"] == 0
    said = box.run("collect", "--link", f"replay:{path}", "--meter", "dsmr", "--zone", "Europe/Amsterdam").out
    assert said == ("566 good telegrams, 0 damaged, 1 broken off; 10,188 readings: 0 stored, 10,188 known already\n")
    rows = box.json("readings", "electricity.import.t1", "--every", "raw")
    assert (len(rows), rows[0]["value"], rows[-1]["value"]) == (566, "3432.827", "3432.921")
    assert {row["seconds"] for row in rows} == {0}


def _said(box: Box, *more: str) -> Said:
    return box.run("collect", "--link", f"replay:{SAMPLES / 'dsmr42-gas.txt'}", "--meter", "dsmr", *more)


def test_a_clock_whose_zone_nobody_said_is_taken_as_utc_and_what_to_do_is_said(box: Box) -> None:
    said = _said(box, "--source", "our house")
    assert said.code == 0
    assert "its 2016-11-29 20:57:57 is taken as 20:57:57 UTC" in said.err
    assert "inglenook delete source 'our house'" in said.err
    assert "--meter dsmr --source 'our house' --zone Europe/Amsterdam" in said.err


def test_a_simulated_house_is_read(box: Box) -> None:
    said = box.run("--json", "collect", "--link", "simulated:", "--meter", "dsmr", "--once", "--zone", "UTC")
    assert said.code == 0, said.err
    assert said.rows[0]["telegrams"] == 1
    assert "electricity.import" in [each["role"] for each in box.json("series")]


def test_a_meter_that_states_no_local_time_needs_no_zone(box: Box) -> None:
    path = SAMPLES.parent / "sml" / "edl-absolute-power-both-ways.bin"
    said = box.run("collect", "--link", f"replay:{path}", "--meter", "sml")
    assert (said.code, "zone" in said.err) == (0, False)
    assert box.json("sources")[0]["options"] == {}


def test_a_zone_that_is_said_later_doubles_nothing(box: Box) -> None:
    _said(box)
    series = box.json("series")
    refused = _said(box, "--zone", "Europe/Amsterdam")
    assert refused.code == 2
    assert "the clock of 'dsmr' was taken as UTC before" in refused.err
    assert box.json("series") == series
    assert box.run("delete", "source", "dsmr", "--yes").code == 0
    assert _said(box, "--zone", "Europe/Amsterdam").code == 0
    assert [each["count"] for each in box.json("series")] == [each["count"] for each in series]
    assert box.json("series")[0]["first"] != series[0]["first"]


def test_a_zone_that_is_forgotten_later_doubles_nothing(box: Box) -> None:
    _said(box, "--zone", "Europe/Amsterdam")
    refused = _said(box)
    assert refused.code == 2
    assert "--zone Europe/Amsterdam" in refused.err
    (box.data / "inglenook.toml").write_text('[household]\nzone = "Europe/Amsterdam"\n')
    [again] = _said(box, "--json").rows
    assert (again["stored"], again["duplicate"]) == (0, again["read"])


def test_another_source_may_have_its_clock_elsewhere(box: Box) -> None:
    assert [_said(box, "--source", zone, "--zone", zone).code for zone in ("UTC", "Europe/Brussels")] == [0, 0]
    assert [each["options"] for each in box.json("sources")] == [
        {"clock_zone": "Europe/Brussels"},
        {"clock_zone": "UTC"},
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--link", "replay:/nowhere", "--meter", "dsmr", "--zone", "UTC"], "/nowhere"),
        (["--link", "pigeon:x", "--meter", "dsmr", "--zone", "UTC"], "pigeon"),
        (["--link", "http:no address", "--meter", "dsmr", "--zone", "UTC"], "dsmr cannot be read over http"),
        (["--link", "replay:/dev/null", "--meter", "abacus", "--zone", "UTC"], "abacus"),
        (["--link", "replay:/dev/null", "--meter", "dsmr", "--zone", "Mars"], "Mars"),
        (["--link", "replay:/dev/null", "--meter", "dsmr", "--zone", "UTC"], "no telegram came"),
    ],
)
def test_what_cannot_be_collected_is_said_and_leaves_nothing(box: Box, arguments: list[str], said: str) -> None:
    ended = box.run("collect", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert not (box.data / "spool").exists() or list((box.data / "spool").iterdir()) == []


def test_a_store_is_named_by_the_person_whose_it_is(box: Box) -> None:
    with open_store(load(box.data), HOME, make=True) as home:
        said = Household("Home Farm", "Europe/Amsterdam", "EUR")
        person = people.claim(load(box.data), home, said, "Ольга", "a long password")
    assert box.json("--store", "ольга", "kit") == [{"store": person.store, "kit": False}]
    assert box.json("--store", "home", "kit") == [{"store": "home", "kit": False}]
    assert "there is no store" in box.run("--store", "Peter", "check").err


def test_sums_count_by_unit_and_say_what_is_archived(box: Box, tmp_path: Path) -> None:
    for at, amount, unit in (
        ("2019-01-05", "-12.50", "EUR"),
        ("2026-01-05", "-2.50", "EUR"),
        ("2026-01-06", "3", "GBP"),
    ):
        box.json("add", "money.transaction", f"at={at}", "title=x", f"amount={amount}", f"unit={unit}")
    assert [(row["unit"], row["amount"], row["facts"]) for row in box.json("records", "--sum")] == [
        ("EUR", "-15.00", 2),
        ("GBP", "3.00", 1),
    ]
    box.json("archive", "make", "money.transaction", "--before", "2020-01-01")
    said = box.run("--json", "records", "--sum", "--kind", "money.transaction")
    assert said.rows[0]["amount"] == "-2.50"
    assert "archived" in said.err


CHOIR = (
    "BEGIN:VCALENDAR\r\nX-WR-CALNAME:Home\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Choir\r\n"
    "DTSTART;TZID=Europe/Amsterdam:20250303T193000\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Dentist\r\nDTSTART:20260326T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_a_weekly_event_that_began_last_year_is_found_where_it_occurs(
    box: Box, written: Callable[[str, bytes], Path]
) -> None:
    zone = ("--zone", "Europe/Amsterdam")
    box.json("import", written("c.ics", CHOIR.encode()), *zone)
    asked = ("records", "--kind", "calendar.event", "--from", "2026-03-23", "--to", "2026-03-31", *zone)
    dentist, choir = box.json(*asked)
    assert (dentist["title"], "occurs" in dentist) == ("Dentist", False)
    assert (choir["title"], choir["at"]) == ("Choir", "2025-03-03T18:30:00Z")
    assert choir["occurs"] == ["2026-03-23T18:30:00Z", "2026-03-30T17:30:00Z"]
    table = box.run(*asked).out
    assert "2026-03-23T18:30:00Z" in table
    assert "2026-03-23T18:30:00Z" in box.run(*asked, "--csv").out
    assert [row["title"] for row in box.json(*asked, "--search", "dent")] == ["Dentist"]
    assert [row["title"] for row in box.json("records", "--from", "2026-03-23")] == ["Dentist"]
