"""The live view's tail of the spool."""

from decimal import Decimal
from pathlib import Path

from appliance.ingest import frames, spool
from appliance.ingest.frames import Origin
from appliance.ingest.spool import Spool
from appliance.ingest.tail import Said, Tail
from appliance.records import Frame, MeterReading
from appliance.store.keys import StoreKey

POWER = "electricity.power"


def _say(folder: Path, key: StoreKey, at_ms: int) -> None:
    spooling = Spool(folder, key.private.public_key().public_bytes_raw())
    reading = MeterReading(POWER, at_ms, Decimal("0.5"), "kW")
    spooling.append(frames.to_bytes(Origin("house", "serial", "dsmr", "boot"), Frame("E1", (reading,))))
    spooling.close()


def test_follows_a_segment_that_has_the_name_of_one_that_was_sealed(tmp_path: Path) -> None:
    """Nobody looked while the one was sealed and deleted, and the collector began another."""
    key = StoreKey(bytes(32))
    tail = Tail(tmp_path, key.privates, frozenset({POWER}))
    for at_ms in (1000, 2000):
        _say(tmp_path, key, at_ms)
        tail.update()
        assert tail.newest["house", POWER] == Said(at_ms, Decimal("0.5"))
        (segment,) = spool.segments(tmp_path)
        segment.unlink()
    assert [said[POWER].at_ms for said in tail.recent("house", 0)] == [1000, 2000]
    tail.update()
    assert not tail._readers
