"""The collector's process: stops, starts again, loses no port, and says what is wrong with its configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.config import load
from appliance.ingest import collecting, spool
from appliance.ingest.sealing import seal
from appliance.store import series as series_store
from appliance.store.database import open_store
from appliance.store.keys import KeyRing
from appliance.store.models import Gap
from services import setup
from services.state import ask
from tests.p1_cable import COUNTER, FIRST_MS, Cable, Spooled, until
from tests.services.processes import ended, service

COLLECTOR = "services.collector"
READING = "reading dsmr over serial"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A box's folder, in which nothing is configured."""
    setup.make(tmp_path / "box")
    return tmp_path / "box"


@pytest.fixture
def cable(tmp_path: Path, data: Path) -> Iterator[Cable]:
    """The cable that the box is configured to read."""
    cable = Cable(tmp_path)
    _configure(data, cable.configuration())
    yield cable
    cable.rig.hang_up()


@pytest.fixture
def spooled(data: Path) -> Iterator[Spooled]:
    spooled = Spooled(data / "spool", KeyRing(data).open("home").private)
    yield spooled
    spooled.close()


def _configure(data: Path, text: str) -> None:
    (data / "inglenook.toml").write_text(text, encoding="utf-8")


def _came(spooled: Spooled, count: int) -> None:
    until(lambda: spooled.update() >= count, f"{count} telegrams in the spool")


def test_sigterm_loses_nothing_and_it_starts_again_where_it_was(data: Path, cable: Cable, spooled: Spooled) -> None:
    for count in (100, 130):
        with service(COLLECTOR, data) as collector:
            collector.says(READING)
            cable.say(count)
            _came(spooled, cable.said)
            assert collector.stopped() == 0
    numbers = list(range(1, 231))
    spooled.update()
    assert spooled.numbers() == numbers
    sizes = [path.stat().st_size for path in spool.segments(data / "spool")]
    assert len(sizes) == 2
    assert max(sizes) < spool.SEGMENT_BYTES, "a finished segment takes no more room than it needs"
    with open_store(load(data)) as home:
        seal(home, data / "spool")
        with home.read() as connection:
            columns = series_store.read(connection, series_store.every(connection, COUNTER)[0])
    assert columns.at_ms.tolist() == [FIRST_MS + number * 1000 for number in numbers]
    assert columns.values.tolist() == [number * 1000 for number in numbers]


def test_sigterm_in_the_midst_of_telegrams(data: Path, cable: Cable, spooled: Spooled) -> None:
    with service(COLLECTOR, data) as collector:
        collector.says(READING)
        with cable.talking():
            _came(spooled, 50)
            assert collector.stopped() == 0
    seen = spooled.update()
    assert spooled.numbers() == list(range(1, seen + 1))


def test_a_port_that_comes_back_under_another_name(data: Path, cable: Cable, spooled: Spooled) -> None:
    with service(COLLECTOR, data) as collector:
        collector.says(READING)
        cable.say(10)
        _came(spooled, 10)
        cable.rig.hang_up()
        collector.says("is gone; waiting for usb-P1_cable-if00 to be plugged in again, under any name")
        assert max(collecting.BACKOFF_S) <= 5, "a port that is back is read within five seconds"
        cable.rig.plug_in("ttyUSB7")
        collector.says(READING, times=2)
        cable.say(10)
        _came(spooled, 20)
        assert collector.stopped() == 0
    assert spooled.numbers() == list(range(1, 21))
    assert _gaps(data) == [(10, 11, "link")]


def _gaps(data: Path) -> list[tuple[int, int, str]]:
    """The ledger: after which telegram nothing came, up to which, and why."""
    with open_store(load(data)) as home:
        seal(home, data / "spool")
        with home.read() as connection:
            gaps = connection.execute(select(Gap.first_ms, Gap.last_ms, Gap.why).order_by(Gap.first_ms)).all()
    return [((first - FIRST_MS) // 1000, (last - FIRST_MS) // 1000, why) for first, last, why in gaps]


def test_a_port_that_is_not_there_yet(tmp_path: Path, data: Path, cable: Cable, spooled: Spooled) -> None:
    cable.rig.hang_up()
    with service(COLLECTOR, data) as collector:
        collector.says("there is no serial port")
        cable.rig.plug_in("ttyUSB0")
        collector.says(READING)
        cable.say(1)
        _came(spooled, 1)
        assert collector.stopped() == 0


def test_says_every_problem_of_the_configuration(data: Path) -> None:
    _configure(
        data, '[collector]\nflush_seconds = "soon"\n[colour]\n[meters.a]\nlink = "serial"\n[meters.b]\nzone = "Mars"\n'
    )
    status, said = ended(COLLECTOR, data)
    assert status == 2
    assert "Traceback" not in said
    for place in ("collector.flush_seconds", "colour", "meters.a", "meters.b"):
        assert f"inglenook.toml: {place}: " in said
    assert "says no meter" in said
    assert "says no link and no meter" in said


def test_a_meter_that_is_configured_wrongly_stops_no_other_and_is_told(
    tmp_path: Path, data: Path, spooled: Spooled
) -> None:
    cable = Cable(tmp_path)
    wrong = (
        '[meters.a]\nlink = "pigeon"\nmeter = "abacus"\n'
        '[meters.b]\nlink = "serial"\nmeter = "dsmr"\nserial = { baudrate = -1, colour = "red" }\ndsmr = { size = 3 }\n'
        '[meters.c]\nlink = "serial"\nmeter = "dsmr"\nserial = { bytesize = 9, parity = "X" }\n'
        '[meters.d]\nlink = "serial"\nmeter = "homewizard"\n'
    )
    _configure(data, cable.configuration() + wrong)
    with service(COLLECTOR, data) as collector:
        collector.says(READING)
        cable.say(3)
        _came(spooled, 3)
        told = ask(data / "run")
        assert collector.stopped() == 0
    cable.rig.hang_up()
    assert told is not None
    states = {each["source"]: each["state"] for each in told["meters"]}
    assert states == {"house": "reading", "a": "wrong", "b": "wrong", "c": "wrong", "d": "wrong"}
    said = " ".join(each["trouble"] for each in told["meters"])
    for problem in (
        "'pigeon'",
        "'abacus'",
        "'colour' is not an option",
        "'size' is not an option",
        "bytesize",
        "parity",
        "homewizard cannot be read over serial",
    ):
        assert problem in said
        assert any(problem in line for line in collector.lines)


def test_a_configuration_that_is_half_written_costs_no_reading(data: Path, cable: Cable, spooled: Spooled) -> None:
    with service(COLLECTOR, data) as collector:
        collector.says(READING)
        _configure(data, "[meters.house]\nlink = ")
        collector.says("the meters are read as before")
        cable.say(3)
        _came(spooled, 3)
        _configure(data, cable.configuration("seal_seconds = 7"))
        assert collector.process.wait(60) == 0


def test_a_box_without_keys_says_the_next_step(tmp_path: Path) -> None:
    status, said = ended(COLLECTOR, tmp_path)
    assert status == 2
    assert "keys.json: the keys of the store 'home' are missing" in said


def test_ends_where_the_configuration_changes(data: Path) -> None:
    _configure(data, "[collector]\nflush_seconds = 0.1\n")
    for file in ("inglenook.toml", "household.toml"):
        with service(COLLECTOR, data) as collector:
            collector.says("no meter is configured yet")
            (data / file).write_text('[household]\nzone = "Europe/London"\n[collector]\nflush_seconds = 0.1\n', "utf-8")
            assert collector.process.wait(60) == 0
