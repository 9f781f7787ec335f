"""Sealing: each reading of the spool is in the store exactly once, whenever and by whomever it is interrupted."""

import logging
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from appliance.config import Config
from appliance.ingest import frames, sealing, spool
from appliance.ingest.frames import Origin
from appliance.ingest.sealing import Sealed, seal, seal_leftovers
from appliance.ingest.spool import Spool
from appliance.ingest.tail import Tail
from appliance.records import Frame, MeterReading
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.keys import StoreKey
from appliance.store.models import Chunk, SpoolMark

ORIGIN = Origin("house", "serial", "dsmr", "boot 1")
POWER, GAS = "electricity.power", "gas"
HOUR_MS = 3_600_000


def _telegram(second: int, gas: str = "100.000", power: str = "0.250", unit: str = "kW") -> bytes:
    readings = (
        MeterReading(POWER, second * 1000, Decimal(power), unit, stated=True),
        MeterReading(GAS, second * 1000 // HOUR_MS * HOUR_MS, Decimal(gas), "m3", stated=True),
    )
    return frames.to_bytes(ORIGIN, Frame("E1", readings))


@pytest.fixture
def writer(config: Config, store: Store) -> Spool:
    """The collector's spool of the home store."""
    return Spool(config.spool, _public(store.key), 65_536)


def _public(key: StoreKey) -> bytes:
    return key.private.public_key().public_bytes_raw()


def _append(writer: Spool, telegrams: Sequence[bytes]) -> None:
    for telegram in telegrams:
        writer.append(telegram)


def _values(store: Store, role: str) -> list[Decimal]:
    with store.read() as connection:
        [series] = series_store.every(connection, role)
        return [
            Decimal(value).scaleb(series.exponent) for value in series_store.read(connection, series).values.tolist()
        ]


def _marks(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(SpoolMark)).scalar_one()


def test_readings_are_sealed_with_the_meter_that_said_them(config: Config, store: Store, writer: Spool) -> None:
    _append(writer, [_telegram(second, power=f"0.{second:03}") for second in range(3)])
    writer.close()
    assert seal(store, config.spool) == Sealed(6, 4, 2)  # the gas reading stands in all three
    assert _values(store, POWER) == [Decimal("0.000"), Decimal("0.001"), Decimal("0.002")]
    with store.read() as connection:
        chunks = connection.execute(select(Chunk.link, Chunk.meter, Chunk.device, Chunk.boot).distinct()).all()
    assert [tuple(chunk) for chunk in chunks] == [("serial", "dsmr", "E1", "boot 1")]
    assert spool.segments(config.spool) == []
    assert _marks(store) == 0


def test_a_gas_reading_that_each_telegram_repeats_is_stored_once(config: Config, store: Store, writer: Spool) -> None:
    for begin in (3590, 3595, 3600):  # sealed in three parts, over the full hour
        _append(writer, [_telegram(second, gas=f"10{second // 3600}.5") for second in range(begin, begin + 5)])
        seal(store, config.spool)
    writer.close()
    assert _values(store, GAS) == [Decimal("100.5"), Decimal("101.5")]


def test_what_is_written_between_two_sealings_is_sealed_once(config: Config, store: Store, writer: Spool) -> None:
    expected = 0
    for second in range(5):
        _append(writer, [_telegram(second)])
        expected += 1
        assert seal(store, config.spool).read == 2
        assert seal(store, config.spool) == Sealed()
        assert len(spool.segments(config.spool)) == 1  # its writer goes on in it
    writer.close()
    assert seal(store, config.spool) == Sealed()
    assert spool.segments(config.spool) == []
    assert len(_values(store, POWER)) == expected


def test_killed_between_the_commit_and_the_deletion_nothing_is_there_twice(
    config: Config, store: Store, writer: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    equal = [_telegram(1), _telegram(2)]
    _append(writer, equal)
    writer.close()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", _killed)
        with pytest.raises(KeyboardInterrupt):
            seal(store, config.spool)
    assert len(_values(store, POWER)) == 2
    assert seal(store, config.spool) == Sealed()
    assert spool.segments(config.spool) == []
    assert len(_values(store, POWER)) == 2


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_killed_before_the_commit_everything_is_sealed_the_next_time(
    config: Config, store: Store, writer: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _append(writer, [_telegram(1), _telegram(2)])
    writer.close()
    with monkeypatch.context() as patched:
        patched.setattr(sealing, "_set_mark", _killed)
        with pytest.raises(KeyboardInterrupt):
            seal(store, config.spool)
    assert seal(store, config.spool).stored == 3


def test_a_sealer_that_read_less_than_another_has_sealed_takes_nothing_back(
    config: Config, store: Store, writer: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _append(writer, [_telegram(1)])
    write, late = store.write, list[int]()

    def overtaken():  # type: ignore[no-untyped-def]
        if not late:
            late.append(1)
            _append(writer, [_telegram(2)])
            assert seal(store, config.spool).read == 4
        return write()

    monkeypatch.setattr(store, "write", overtaken)
    assert seal(store, config.spool) == Sealed()
    monkeypatch.undo()
    assert seal(store, config.spool) == Sealed()
    writer.close()


def test_a_segment_of_another_store_s_key_is_kept_and_said(
    config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Spool(config.spool, _public(StoreKey(b"another key of 32 bytes, at last")), 4096)
    _append(stranger, [_telegram(1)])
    stranger.close()
    with caplog.at_level(logging.ERROR):
        assert seal(store, config.spool) == Sealed()
    assert len(spool.segments(config.spool)) == 1
    assert "left where it is" in caplog.text


def test_a_file_that_is_no_segment_is_kept_and_stops_nothing(config: Config, store: Store, writer: Spool) -> None:
    config.spool.mkdir(parents=True, exist_ok=True)
    (config.spool / "0000000000.spool").write_bytes(b"photo" * 100)
    _append(writer, [_telegram(1)])
    writer.close()
    assert seal(store, config.spool).stored == 2
    assert [path.name for path in spool.segments(config.spool)] == ["0000000000.spool"]


@pytest.mark.parametrize("content", [b"", bytes(4096)])
def test_a_segment_that_a_power_cut_left_without_a_header_goes(config: Config, store: Store, content: bytes) -> None:
    config.spool.mkdir(parents=True)
    (config.spool / "0000000001.spool").write_bytes(content)
    assert seal(store, config.spool) == Sealed()
    assert spool.segments(config.spool) == []


def test_readings_in_another_unit_or_finer_than_before_are_kept_beside(
    config: Config, store: Store, writer: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    for telegram in (_telegram(1), _telegram(2, unit="V"), _telegram(3, power="0.123456789")):
        _append(writer, [telegram])
        seal(store, config.spool)
    writer.close()
    assert "finer" in caplog.text
    with store.read() as connection:
        found = {(each.source, each.unit) for each in series_store.every(connection, POWER)}
    assert len(found) == 3
    assert ("house", "kW") in found


def test_leftovers_of_a_killed_collect_are_sealed_and_those_of_a_living_one_not(config: Config, store: Store) -> None:
    dead = Spool(config.spool / "collect-1", _public(store.key), 4096)
    alive = Spool(config.spool / "collect-2", _public(store.key), 4096)
    for number, writer in enumerate((dead, alive)):
        _append(writer, [_telegram(number)])
    dead.close()
    seal_leftovers(store, config.spool)
    assert _values(store, POWER) == [Decimal("0.250")]
    assert [path.name for path in config.spool.iterdir()] == ["collect-2"]
    alive.close()
    seal_leftovers(store, config.spool)
    assert len(_values(store, POWER)) == 2
    assert list(config.spool.iterdir()) == []


def test_a_collect_whose_empty_folder_was_taken_away_writes_all_the_same(config: Config, store: Store) -> None:
    writer = Spool(config.spool / "collect-3", _public(store.key), 4096)
    seal_leftovers(store, config.spool)
    _append(writer, [_telegram(1)])
    writer.close()
    assert seal(store, config.spool / "collect-3").stored == 2


# ---- the tail ----


@pytest.fixture
def tail(config: Config, store: Store) -> Iterator[Tail]:
    """The live view's eye on the spool."""
    made = Tail(config.spool, store.key.privates, frozenset({POWER}))
    yield made
    made.close()


def test_the_tail_has_what_was_said_a_moment_ago(tail: Tail, writer: Spool) -> None:
    tail.update()
    assert tail.newest == {}
    for second in (1, 2):
        _append(writer, [_telegram(second, power=f"0.00{second}")])
        tail.update()
        assert tail.newest["house", POWER].value == Decimal(f"0.00{second}")
    assert [said[POWER].at_ms for said in tail.recent("house", 0)] == [1000, 2000]
    assert [said[POWER].at_ms for said in tail.recent("house", 1000)] == [2000]
    assert tail.recent("garage", 0) == []
    writer.close()


def test_the_tail_goes_on_over_sealed_segments(config: Config, store: Store, tail: Tail, writer: Spool) -> None:
    _append(writer, [_telegram(1)])
    tail.update()
    writer.close()
    seal(store, config.spool)
    _append(writer, [_telegram(2)])
    tail.update()
    assert [said[POWER].at_ms for said in tail.recent("house", 0)] == [1000, 2000]
    writer.close()


def test_a_damaged_frame_costs_no_file(config: Config, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    writer = Spool(config.spool, _public(store.key))
    _append(writer, [_telegram(second) for second in range(200)])
    writer.close()
    [path] = spool.segments(config.spool)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        sealed = seal(store, config.spool)
    assert 0 < sealed.read < 400
    assert not path.exists()
    assert path.with_suffix(".damaged").read_bytes() == content
    assert "a frame is damaged" in caplog.text
    assert seal(store, config.spool) == Sealed()


def test_a_torn_last_frame_is_no_damage(config: Config, store: Store) -> None:
    writer = Spool(config.spool, _public(store.key))
    _append(writer, [_telegram(second) for second in range(20)])
    writer.close()
    [path] = spool.segments(config.spool)
    path.write_bytes(path.read_bytes()[:-5] + bytes(4096))
    assert seal(store, config.spool).read == 38
    assert list(config.spool.iterdir()) == []
