"""The meters page: how each meter is read, what happened at it, what is missing, and what a person may say of it."""

import html
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from appliance.config import MeterConfig
from appliance.ingest import stating
from appliance.ingest.watching import Health
from appliance.meters import Counters
from appliance.records import Source
from appliance.store import series, sources
from appliance.store.database import Store
from appliance.store.models import Gap
from appliance.store.series import Columns, Lineage
from services import state
from services.dashboard import meter_words as words
from services.dashboard.box import box

FIRST_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z
HOUR_MS = 3_600_000
NAME = "house"


def health(**said: Any) -> dict[str, Any]:
    """How a collector says that a meter is, all well unless said otherwise."""
    now_ms = int(time.time() * 1000)
    usual: dict[str, Any] = {
        "source": NAME,
        "link": "serial",
        "meter": "dsmr",
        "state": "reading",
        "opened_ms": now_ms - HOUR_MS,
        "byte_ms": now_ms - 1000,
        "frame_ms": now_ms - 2000,
        "said_ms": now_ms - 3000,
        "bytes": 123_456,
        "counters": asdict(Counters(telegrams=1204)),
        "failures": {},
        "trouble": "",
    }
    return Health(**(usual | said)).as_dict()


def collector(*meters: dict[str, Any], **said: Any) -> dict[str, Any]:
    usual = {
        "at_ms": 0,
        "clock_is_set": True,
        "readings": 42,
        "dropped_frames": 0,
        "disk_written_today_bytes": 38_000_000,
    }
    return {**usual, **said, "meters": list(meters)}


@pytest.fixture(scope="module")
def home(app: Flask) -> Store:
    """The household's store: a register with a leap and a swap, gaps, and a typed reading."""
    store = box(app).stores.home
    values = [100, 101, 9000, 9001, 9002, 40, 41, 42]
    with store.write() as connection:
        made = series.found_or_made(connection, Source(NAME, "The <house>"), "electricity.import", "kWh", -3, 0)
        for device, begin, end in (("E1", 0, 5), ("E2", 5, 8)):
            at_ms = FIRST_MS + np.arange(begin, end, dtype=np.int64) * 60_000 + 345
            scaled = np.array(values[begin:end], np.int64) * 10**-made.exponent
            columns = Columns(at_ms, np.zeros(end - begin, np.int64), scaled)
            series.append(connection, made, columns, Lineage(link="serial", meter="dsmr", device=device, boot="b"))
        source_id = sources.id_of(connection, Source(NAME))
        gap = {"source_id": source_id, "first_ms": FIRST_MS - 5 * HOUR_MS, "last_ms": FIRST_MS - HOUR_MS}
        connection.execute(insert(Gap).values(**gap, why="link", times=3))
    stating.add(store, "energy.meter_reading", {"at": "2026-03-01T01:00Z", "register": "42", "source": NAME}, "Ada")
    return store


@pytest.fixture
def told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Has a collector tell that state on its socket; the meter is configured."""
    said: dict[str, Any] = {}
    found = box(app)
    config = MeterConfig(NAME, "serial", "dsmr")
    monkeypatch.setattr(found, "config", type(found.config)(data=found.config.data, meters=(config,)))

    def tell(now: dict[str, Any]) -> None:
        said.update(now)

    with state.telling(found.config.run, lambda: said):
        yield tell


def _page(client: FlaskClient, path: str = "/meters") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.text)))


def test_a_meter_that_is_read_says_so_and_what_the_collector_writes(
    home: Store, ada: FlaskClient, told: Callable[..., None]
) -> None:
    told(collector(health(counters=asdict(Counters(telegrams=1204, crc_errors=3)), failures={"the plug is out": 2})))
    page = _page(ada)
    assert "● Reading" in page
    assert "dsmr over serial" in page
    assert "1,204" in page
    assert "5 errors since the collector started" in page
    assert "3 × damaged: the check at its end did not fit" in page
    assert "2 × the plug is out" in page
    assert "38.0 MB" in page
    assert "0, as it should be" in page


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"state": "down", "trouble": "no carrier: <plug> it in"},
            ("■ Link down", "No carrier: <plug> it in.", "tried"),
        ),
        ({"state": "silent", "byte_ms": 1000, "frame_ms": 2000}, ("▲ Silent", "nothing came since 1 Jan 1970, 01:00")),
        (
            {"state": "silent", "frame_ms": 2000},
            ("▲ Not understood", "The speed, or the kind of meter, may be another"),
        ),
        ({"state": "waiting", "frame_ms": None, "byte_ms": None}, ("○ Waiting", "no reading came yet", "never")),
        (
            {"state": "silent", "frame_ms": None, "note": "the key does not open the telegrams"},
            ("▲ Not understood", "The key does not open the telegrams."),
        ),
    ],
)
def test_a_meter_that_is_not_read_says_why_and_what_to_do(
    home: Store, ada: FlaskClient, told: Callable[..., None], said: dict[str, Any], expected: tuple[str, ...]
) -> None:
    told(collector(health(**said)))
    page = _page(ada)
    assert [words for words in expected if words not in page] == []


def test_what_a_meter_says_of_itself_and_what_it_refuses_is_said_in_words(
    home: Store, ada: FlaskClient, told: Callable[..., None]
) -> None:
    heat = health(meter="mbus", status=0x04 | 0x10 | 0x20, counters=asdict(Counters(telegrams=9, missed=7)))
    told(collector(heat, health(source="panels", meter="modbus", exceptions={"2": 5, "99": 1})))
    page = _page(ada)
    assert (
        "The meter says of itself that its battery is low; that it has a fault that may pass; "
        "that there is something that its maker’s manual explains (status 0x34)." in page
    )
    assert "7 × questions that were not answered" in page
    assert "5 × refused by the device: it has no such register (Modbus exception 2)" in page
    assert "1 × refused by the device: for a reason of its own (Modbus exception 99)" in page
    told(collector(health(meter="pulses", counters=asdict(Counters(telegrams=9, missed=7)))))
    page = _page(ada)
    assert "7 × pulses that passed unheard" in page
    assert "says of itself" not in page


@pytest.mark.parametrize("value", range(4))
def test_of_the_lowest_bits_of_a_status_one_thing_is_said(value: int) -> None:
    assert words.status({"status": value}).count("that ") == (value > 0)


def test_without_a_collector_nothing_is_said_to_be_read(home: Store, ada: FlaskClient) -> None:
    page = _page(ada)
    assert "The collector is not running." in page
    assert "○ No longer read It was read until 1 Mar 2026, 01:07" in page


def test_a_meter_whose_own_clock_is_years_off_is_told(home: Store, ada: FlaskClient, told: Callable[..., None]) -> None:
    told(collector(health(said_ms=1_553_400_000_000)))
    page = _page(ada)
    assert "Its clock is off" in page
    assert "24 Mar 2019" in page


def test_what_is_dropped_and_a_clock_that_is_not_set_are_said(
    home: Store, ada: FlaskClient, told: Callable[..., None]
) -> None:
    told(collector(health(), clock_is_set=False, dropped_frames=7, disk_written_today_bytes=None))
    page = _page(ada)
    assert "no time server keeps it" in page
    assert "7: free some space" in page
    assert "not known" in page


def test_each_device_gap_and_finding_is_there_in_words(home: Store, ada: FlaskClient) -> None:
    page = _page(ada)
    assert "E1 1 Mar 2026 to 1 Mar 2026 · dsmr over serial · 1 series" in page
    assert "Another meter was put in: the old one showed 9,002 kWh" in page
    assert "The register leapt from 101 kWh to 9,000 kWh" in page
    assert "1 gap, 4 h altogether" in page
    assert "The way to the meter was down, 3 times" in page
    assert "The meter counted on: the sum is right, and its hours are estimated." in page


def test_a_finding_is_decided_with_a_form_that_knows_what_is_known(
    home: Store, ada: FlaskClient, token_of: Callable[..., str]
) -> None:
    page = html.unescape(ada.get("/meters").text)
    links = re.findall(r'href="(/add/energy\.meter_event\?[^"]*event=swap[^"]*)"', page)
    leap = next(each for each in links if "new_register=9000" in each)
    form = html.unescape(ada.get(leap).text)
    given = dict(re.findall(r'name="([\w:]+)" value="([^"]*)"', form))
    assert (given["source"], given["role"]) == (NAME, "electricity.import")
    assert Decimal(given["old_register"]) == 101
    assert "<option selected>swap</option>" in form
    assert [each for name, each in given.items() if name.startswith("at")] in (
        ["2026-03-01T01:02:00"],  # as one input, or as a day and a time
        ["2026-03-01", "01:02:00"],
    )
    reset = next(each for each in re.findall(r'href="(/add/energy[^"]*event=reset[^"]*)"', page))
    assert "register" not in reset.replace("meter_event", "")
    sent = {**given, "event": "swap", "form_token": token_of(ada)}
    assert ada.post("/add/energy.meter_event", data=sent).status_code == 303
    said = _page(ada)
    assert "The register leapt" not in said
    assert "Another meter: it showed 101 before, 9000 after." in said


def test_a_typed_reading_is_where_the_register_stands(home: Store, ada: FlaskClient) -> None:
    assert "Electricity from the grid stands at 42 kWh" in _page(ada)
    form = html.unescape(ada.get(f"/add/energy.meter_reading?store=home&source={NAME}&role=electricity.import").text)
    assert f'name="source" value="{NAME}"' in form


def test_the_menu_leads_here(ada: FlaskClient) -> None:
    assert 'href="/meters"' in ada.get("/records").text


@pytest.mark.parametrize(
    ("ms", "said"),
    [(40_000, "40 s"), (720_000, "12 min"), (12_000_000, "3 h 20 min"), (HOUR_MS, "1 h"), (98 * HOUR_MS, "4 days 2 h")],
)
def test_lengths_are_said_as_people_say_them(ms: int, said: str) -> None:
    assert words.length(ms) == said
