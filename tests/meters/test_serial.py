"""From a serial cable into the store: an encrypted P1 port and a CurrentCost display, on pseudo-terminals."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from time import time_ns
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.config import Config, MeterConfig
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.meters import Counters
from appliance.store import series as series_store
from appliance.store.database import Store
from tests.p1_cable import COUNTER, FIRST_MS, PATIENCE_S, ZONE, Display, SealedCable, Talker, until
from tests.p1_sealing import KEY


@contextmanager
def _collected(
    talker: Talker, meter: str, options: dict[str, Any], config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> Iterator[Collection]:
    """Reads the cable as the collector does; afterwards everything is in the store."""
    link_options = {"path": talker.rig.options.path, "by_id": talker.rig.options.by_id}
    spooling = Spooling(Spool(config.spool, store.key.private.public_key().public_bytes_raw()))
    configured = MeterConfig("house", "serial", meter, link_options=link_options, meter_options=options)
    collection = Collection(configured, ZoneInfo(ZONE), spooling)
    thread = threading.Thread(target=collection.run)
    try:
        with caplog.at_level(logging.INFO):
            thread.start()
            until(lambda: "reading" in caplog.text, "the port is open")  # what was said before is thrown away
        yield collection
    finally:
        collection.stop()
        thread.join(PATIENCE_S)
        talker.rig.hang_up()
        spooling.close()
    seal(store, config.spool)


def _stored(store: Store, role: str) -> list[tuple[int, Decimal]]:
    with store.read() as connection:
        [series] = series_store.every(connection, role)
        columns = series_store.read(connection, series)
    values = [Decimal(value).scaleb(series.exponent) for value in columns.values.tolist()]
    return list(zip(columns.at_ms.tolist(), values, strict=True))


def test_an_encrypted_p1_cable_into_the_store(
    tmp_path: Path, config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    cable = SealedCable(tmp_path)
    with _collected(cable, "dsmr", {"key": KEY}, config, store, caplog) as collection:
        cable.say(50)
        cable.write(cable.spoken()[:500])  # a telegram that is cut off
        cable.say(50)
        until(lambda: collection.counters.telegrams == 100, "a hundred telegrams")
    assert collection.counters == Counters(telegrams=100, crc_errors=1)
    assert _stored(store, COUNTER) == [(FIRST_MS + number * 1000, Decimal(number) / 1000) for number in range(1, 101)]


def test_an_encrypted_p1_cable_without_its_key_stores_nothing(
    tmp_path: Path, config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    cable = SealedCable(tmp_path)
    with _collected(cable, "dsmr", {"key": "F" * 32}, config, store, caplog) as collection:
        cable.say(10)
        until(lambda: collection.counters.crc_errors == 10, "ten telegrams that nobody can open")
    with store.read() as connection:
        assert series_store.every(connection) == []


def test_a_currentcost_display_into_the_store(
    tmp_path: Path, config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    display = Display(tmp_path)
    first_ms = time_ns() // 1_000_000
    with _collected(display, "currentcost", {}, config, store, caplog) as collection:
        for number in range(1, 21):
            display.say(1)
            until(lambda said=2 * number: collection.counters.telegrams == said, "the message")  # type: ignore[misc]
            heard_ms = time_ns() // 1_000_000
            until(lambda heard=heard_ms: time_ns() // 1_000_000 > heard, "the next millisecond")  # type: ignore[misc]
        display.write(display.spoken().replace(b"000", b"00"))  # a digit is missing everywhere
        until(lambda: collection.counters.refused == 2, "a garbled message")
    for role, more in (("electricity.power", 0), ("plug.1.power", 1)):
        stored = _stored(store, role)
        assert [value for _, value in stored] == [Decimal(number + more) / 1000 for number in range(1, 21)]
        assert first_ms <= stored[0][0]
        assert all(before[0] < after[0] for before, after in pairwise(stored))
