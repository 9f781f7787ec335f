"""`inglenook meters devices` and `meters gaps`: what served the series, and what is missing of them."""

from decimal import Decimal

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
    assert "gas: exchanged" in filled.run("meters", "gaps").out


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


def test_a_source_that_is_none_is_said(filled: Box) -> None:
    said = filled.run("meters", "gaps", "--source", "barn")
    assert said.code == 2
    assert "no source is called 'barn'" in said.err
