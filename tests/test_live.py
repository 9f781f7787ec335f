"""Now: what was used since midnight is right for a register, for pulses, and after an exchange during the day."""

import time
from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance.config import Config
from appliance.ingest import frames
from appliance.ingest.frames import Origin
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.ingest.tail import Tail
from appliance.live import EXPORT, IMPORT, Live
from appliance.records import Frame, MeterReading
from appliance.store.database import Store

ZONE = ZoneInfo("UTC")
ORIGIN = Origin("house", "serial", "dsmr", "b1")
REGISTER = "electricity.import"
NOON_S = 1_790_078_400  # a day's noon, UTC


class House:
    """A meter's frames, and the live view of them, at noon."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._spool = Spool(config.spool, store.key.private.public_key().public_bytes_raw())
        self._tail = Tail(config.spool, store.key.privates, frozenset((IMPORT, EXPORT)))
        self._live = Live(store, self._tail)

    def says(self, hour: float, value: str, seconds: int = 0, device: str = "E1") -> None:
        """At that hour after the day's midnight."""
        at_ms = int((NOON_S - 43_200 + hour * 3600) * 1000)
        readings = (
            MeterReading(REGISTER, at_ms, Decimal(value), "kWh", seconds, stated=True),
            MeterReading(IMPORT, at_ms, Decimal("0.25"), "kW", stated=True),
        )
        self._spool.append(frames.to_bytes(ORIGIN, Frame(device, readings)))

    def seal(self) -> None:
        self._spool.flush()
        seal(self._store, self._config.spool)

    def today(self) -> Decimal | None:
        now = self._live.now(ZONE)
        assert now is not None
        assert now.import_w == 250
        return now.today["import_kwh"]

    def close(self) -> None:
        self._spool.close()
        self._tail.close()


@pytest.fixture
def house(config: Config, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(time, "time", lambda: float(NOON_S))
    made = House(config, store)
    yield made
    made.close()


def test_a_register_has_counted_since_midnight(house: House) -> None:
    house.says(-1, "100.0")
    house.says(0, "101.0")
    house.seal()
    house.says(11, "103.5")
    assert house.today() == Decimal("2.5")


def test_pulses_are_added_up(house: House) -> None:
    for hour in (-2, 1, 2, 3):
        house.says(hour, "0.5", seconds=1)
    house.seal()
    house.says(11, "0.001", seconds=1)
    assert house.today() == Decimal("1.5"), "what is not sealed yet comes in minutes"


def test_a_meter_that_was_exchanged_this_morning_costs_no_total(house: House) -> None:
    house.says(-1, "5000.0")
    house.says(0, "5000.5")
    house.says(8, "5004.5")
    house.says(9, "0.0", device="E2")
    house.says(10, "1.5", device="E2")
    house.seal()
    house.says(11, "1.5", device="E2")
    assert house.today() == Decimal("5.5")
