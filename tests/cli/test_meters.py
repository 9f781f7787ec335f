"""`inglenook meters` and its commands: what served the series, what is missing of them, and what happened at them."""

import shlex
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from appliance.config import load
from appliance.ingest import frames
from appliance.ingest.frames import Origin
from appliance.ingest.spool import Spool
from appliance.records import Frame, MeterReading, Source
from appliance.store import series, sources
from appliance.store.database import HOME, open_store
from appliance.store.keys import KeyRing
from appliance.store.models import Gap
from appliance.store.series import Columns, Lineage
from tests.cli.conftest import Box
from tests.test_energy import FIRST_MS, HOUR_MS

NAME = "house"
SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def filled(box: Box) -> Box:
    """A box with a register that two devices served, and a gap between them and an earlier one."""
    box.run("sources")
    with open_store(load(box.data)) as store, store.write() as connection:
        made = series.found_or_made(connection, Source(NAME), "gas", "m3", -3, 0)
        for device, begin in (("E1", 0), ("E2", 10)):
            at_ms = FIRST_MS + np.arange(begin, begin + 3, dtype=np.int64) * HOUR_MS
            values = np.arange(3, dtype=np.int64) * int(Decimal(1).scaleb(-made.exponent)) + begin
            columns = Columns(at_ms, np.zeros(3, np.int64), values)
            series.append(connection, made, columns, Lineage(link="serial", meter="dsmr", device=device, boot="b"))
        source_id = sources.id_of(connection, Source(NAME))
        for first, last, why in ((2, 10, "off"), (-50, -49, "meter")):
            span = {"first_ms": FIRST_MS + first * HOUR_MS, "last_ms": FIRST_MS + last * HOUR_MS}
            connection.execute(insert(Gap).values(source_id=source_id, why=why, times=1, **span))
    return box


def test_devices_are_one_object_each_with_what_they_served(filled: Box) -> None:
    assert filled.json("meters", "devices") == [
        {
            "source": NAME,
            "device": device,
            "link": "serial",
            "meter": "dsmr",
            "from": f"2026-03-01T{begin}:00:00Z",
            "to": f"2026-03-01T{end}:00:00Z",
            "roles": ["gas"],
        }
        for device, begin, end in (("E2", "10", "12"), ("E1", "00", "02"))
    ]
    assert "E2" in filled.run("meters", "devices").out


def test_gaps_say_why_and_what_is_known(filled: Box) -> None:
    newest, oldest = filled.json("meters", "gaps")
    assert newest == {
        "source": NAME,
        "from": "2026-03-01T02:00:00Z",
        "to": "2026-03-01T10:00:00Z",
        "seconds": 8 * 3600,
        "why": "off",
        "times": 1,
        "closed": [{"quantity": "gas", "state": "exchanged", "by": [], "estimated": False}],
    }
    assert oldest["why"] == "meter"
    said = filled.run("meters", "gaps").out
    assert "The box was off." in said
    assert "Another register went on, and what the one before counted is not known" in said
    assert "The meter was silent." in said


@pytest.mark.parametrize(
    ("asked", "whys"),
    [
        (("--from", "2026-03-01"), ["off"]),
        (("--to", "2026-02-27"), ["meter"]),
        (("--from", "2026-02-01", "--to", "2026-03-01T02:00Z"), ["meter"]),
        (("--source", NAME), ["off", "meter"]),
    ],
)
def test_gaps_are_chosen_by_source_and_time(filled: Box, asked: tuple[str, ...], whys: list[str]) -> None:
    assert [each["why"] for each in filled.json("meters", "gaps", *asked)] == whys


def test_what_the_box_has_read_a_moment_ago_is_shown_at_once(box: Box) -> None:
    box.run("sources")
    config = load(box.data)
    spool = Spool(config.spool, KeyRing(config.data).public(HOME))  # as the collector, which goes on
    reading = MeterReading("gas", FIRST_MS, Decimal("12.5"), "m3", stated=True)
    spool.append(frames.to_bytes(Origin(NAME, "serial", "dsmr", "b"), Frame("E1", (reading,))))
    spool.flush()
    assert [(each["value"], each["source"]) for each in box.json("readings", "gas")] == [("12.500", NAME)]
    assert [each["role"] for each in box.json("series")] == ["gas"]
    assert [each["device"] for each in box.json("meters", "devices")] == ["E1"]
    spool.close()


@pytest.mark.parametrize("command", ["gaps", "events", "drift"])
def test_a_source_that_is_none_is_said(filled: Box, command: str) -> None:
    said = filled.run("meters", command, "--source", "barn")
    assert said.code == 2
    assert "no source is called 'barn'" in said.err


def test_where_nothing_is_missing_that_is_said(box: Box) -> None:
    assert "No gap is known" in box.run("meters", "gaps").out


# ---- what happened ----


def counting(box: Box, values: Sequence[str]) -> None:
    """A register that goes on each hour."""
    config = load(box.data)
    with open_store(config) as store, store.write() as connection:
        made = series.found_or_made(connection, Source(NAME), "gas", "m3", -3, 0)
        at_ms = FIRST_MS + np.arange(20, 20 + len(values), dtype=np.int64) * HOUR_MS
        scaled = [int(Decimal(each).scaleb(-made.exponent)) for each in values]
        columns = Columns(at_ms, np.zeros(len(values), np.int64), np.array(scaled, np.int64))
        series.append(connection, made, columns, Lineage(link="serial", meter="dsmr", device="E2", boot="b"))


def test_what_rules_found_and_what_people_said_is_told(filled: Box) -> None:
    counting(filled, ["13", "14", "9000", "9001"])
    leap, swap = filled.json("meters", "events")
    assert (leap["event"], leap["decided"], leap["by"], leap["counted"]) == ("jump", False, "rule", "0")
    assert (swap["event"], swap["decided"], swap["before"], swap["after"]) == ("swap", True, "2", "0.00001")
    said = filled.run("meters", "events", "--source", NAME)
    assert "The register leapt from 14 m³ to 9,000 m³" in " ".join(said.out.split())
    assert "Something happened that no rule explains" in said.err
    [proposed] = [line for line in said.err.splitlines() if "event=EVENT" in line]
    assert filled.run(*shlex.split(proposed.replace("EVENT", "nothing"))[1:]).code == 0
    told = filled.json("meters", "events")
    assert [(each["event"], each["by"]) for each in told] == [("nothing", "person"), ("swap", "rule")]
    assert "You said so: fact 1." in filled.run("meters", "events").out
    days = filled.json(
        "readings", "gas", "--every", "day", "--zone", "UTC", "--from", "2026-03-01", "--to", "2026-03-01"
    )
    assert [each["value"] for each in days] == ["9002.99999"]


def test_an_exchange_is_one_line_and_what_the_old_meter_showed_can_be_said(filled: Box) -> None:
    with open_store(load(filled.data)) as store, store.write() as connection:
        made = series.found_or_made(connection, Source(NAME), "heat", "GJ", -3, 0)
        for device, begin in (("E1", 0), ("E2", 10)):
            at_ms = FIRST_MS + np.array([begin], np.int64) * HOUR_MS
            columns = Columns(at_ms, np.zeros(1, np.int64), np.array([9_000_000 - begin * 800_000], np.int64))
            series.append(connection, made, columns, Lineage(link="serial", meter="dsmr", device=device, boot="b"))
    said = filled.run("meters", "events")
    assert len(filled.json("meters", "events")) == 2
    assert said.out.count("Another meter was put in") == 1
    assert "gas: 2, then 0.00001 m3" in said.out
    [proposed] = [line for line in said.err.splitlines() if "event=swap" in line]
    assert filled.run(*shlex.split(proposed)[1:]).code == 0
    assert {each["by"] for each in filled.json("meters", "events")} == {"rule", "person"}


def test_where_nothing_happened_that_is_said(box: Box) -> None:
    assert "Nothing happened" in box.run("meters", "events").out


# ---- what was read ----


def test_a_typed_reading_is_held_against_the_count_at_once(filled: Box) -> None:
    counting(filled, [str(number) for number in range(13, 30)])
    assert "inglenook add energy.meter_reading source=house role=gas register=" in filled.run("meters", "drift").out
    for at, shows in (("2026-03-01T20:00Z", "13.5"), ("2026-03-02T06:00Z", "24")):
        assert filled.run("add", "energy.meter_reading", f"source={NAME}", f"register={shows}", f"at={at}").code == 0
    [told] = filled.json("meters", "drift")
    assert (told["source"], told["role"], told["unit"], told["now"]) == (NAME, "gas", "m3", "30")
    assert [each["at"] for each in told["readings"]] == ["2026-03-02T06:00:00Z", "2026-03-01T20:00:00Z"]
    assert told["drifts"] == [
        {
            "from": "2026-03-01T20:00:00Z",
            "to": "2026-03-02T06:00:00Z",
            "typed": "10.5",
            "counted": "10",
            "off": "-0.5",
            "per_cent": "-4.76",
        }
    ]
    said = " ".join(filled.run("meters", "drift").out.split())
    assert "It stands at 30 m³: your reading of 2026-03-02 06:00 and what was counted since." in said
    assert "the meter counted 10.5 m³, the box 10 m³: 0.5 m³, 4.76 % too little." in said


def test_the_drift_of_a_pulse_counter_says_how_many_pulses_would_fit(filled: Box) -> None:
    (filled.data / "inglenook.toml").write_text(
        f'[meters.{NAME}]\nlink = "gpio"\nmeter = "pulses"\npulses = {{ per_unit = 100, unit = "m3", role = "gas" }}\n'
    )
    counting(filled, [str(number) for number in range(13, 30)])
    for at, shows in (("2026-03-01T20:00Z", "13"), ("2026-03-02T06:00Z", "33")):
        said = ("energy.meter_reading", f"source={NAME}", f"register={shows}", f"at={at}", "--sure")
        assert filled.run("add", *said).code == 0
    assert "100 pulses to the unit; 50 would fit" in " ".join(filled.run("meters", "drift").out.split())


# ---- on a terminal ----


@pytest.mark.parametrize("command", [["meters"], ["links"], ["series"], ["meters", "devices"], ["meters", "gaps"]])
def test_a_table_fits_a_terminal_and_breaks_no_word(
    filled: Box, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    path = SAMPLES / "meters" / "dsmr" / "dsmr50-gas-water-heat.txt"
    filled.run("collect", "--link", f"replay:{path}", "--meter", "dsmr", "--zone", "UTC")
    whole = set(filled.run(*command).out.split())  # as wide as it likes
    monkeypatch.setenv("COLUMNS", "80")
    out = filled.run(*command).out
    assert max(map(len, out.splitlines())) <= 80
    assert set(out.split()) == whole


def test_meters_are_listed_with_their_links(box: Box) -> None:
    rows = {row["meter"]: row for row in box.json("meters")}
    assert rows["homewizard"]["links"] == ["http", "replay"]
    assert "over serial, tcp, simulated, replay" in box.run("meters").out


def test_what_was_stated_of_a_source_is_said_in_words_or_not_at_all(filled: Box) -> None:
    assert "{" not in filled.run("sources").out
    with open_store(load(filled.data)) as store, store.write() as connection:
        sources.state(connection, NAME, {"currency": "EUR", "year": 2026})
    assert "currency: EUR, year: 2026" in filled.run("sources").out
