"""Messages all the way: a real broker or a real HTTP server, the link, the meter, the spool, and the home store."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.config import FILE, Config, MeterConfig, load, write_meters
from appliance.errors import UserError
from appliance.ingest.collecting import Collection, Spooling, link_of, meter_of
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.messages import Lines, Message, to_line
from appliance.store import series as series_store
from appliance.store.database import Store
from tests.contracts.links import PATIENCE_S, BrokerRig, DeviceRig
from tests.contracts.meters import SAMPLES, Sample, read, samples_of
from tests.p1_cable import until

GLOW = "glow/0123456789AB/SENSOR/electricitymeter"


@pytest.fixture
def database_url() -> None:
    """Encrypted files alone: what a database does with readings is tried elsewhere, on both."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerRig]:
    rig = BrokerRig(tmp_path)
    yield rig
    rig.hang_up()


@contextmanager
def _collected(
    config: Config, store: Store, link: str, options: dict[str, Any], meter: str, more: dict[str, Any] | None = None
) -> Iterator[Collection]:
    """A meter that is being read over a link that is open; at the end all that it gave is sealed."""
    spooling = Spooling(Spool(config.spool, store.key.private.public_key().public_bytes_raw()))
    settings = MeterConfig("source", link, meter, None, options, more or {})
    collection = Collection(settings, ZoneInfo("Europe/London"), spooling)
    thread = threading.Thread(target=collection.run, daemon=True)
    thread.start()
    try:
        yield collection
    finally:
        collection.stop()
        thread.join(PATIENCE_S)
        spooling.close()
    assert not thread.is_alive()
    seal(store, config.spool, patience_ms=0)


def _values(store: Store, role: str) -> list[Decimal]:
    with store.read() as connection:
        [series] = series_store.every(connection, role, "source")
        values = series_store.read(connection, series).values.tolist()
    return [Decimal(value).scaleb(series.exponent) for value in values]


def _times(store: Store, role: str) -> list[int]:
    with store.read() as connection:
        [series] = series_store.every(connection, role, "source")
        return [int(at_ms) for at_ms in series_store.read(connection, series).at_ms.tolist()]


def _telegrams(collection: Collection, count: int) -> Callable[[], bool]:
    return lambda: collection.counters.telegrams >= count


def _tasmota(total: str, power: int) -> str:
    return f'{{"Time":"2024-04-16T09:15:03","ENERGY":{{"Total":{total},"Power":{power}}}}}'


def test_a_plug_s_messages_are_in_the_store_over_a_broker_that_was_killed_in_between(
    config: Config, store: Store, broker: BrokerRig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    options = {"host": "127.0.0.1", "port": broker.broker.port, "topic": "tele/+/SENSOR"}
    with _collected(config, store, "mqtt", options, "tasmota") as collection:
        until(lambda: "reading tasmota over mqtt" in caplog.text, "the link is open")
        broker.broker.say("tele/lamp/SENSOR", _tasmota("235.645", 24))
        until(_telegrams(collection, 1), "a message in the spool")
        broker.broker.stop()
        until(lambda: "lost the broker" in caplog.text, "the loss is said")
        broker.broker.start()
        until(lambda: caplog.text.count("reading tasmota over mqtt") == 2, "the link is open again")
        for payload in (_tasmota("NaN", 1), "x" * 200_000, _tasmota("-1", 1).replace('"Power":1', '"Power":-99e9')):
            broker.broker.say("tele/lamp/SENSOR", payload)
        broker.broker.say("tele/lamp/SENSOR", _tasmota("235.646", 36))
        until(_telegrams(collection, 2), "a message after the broker's return")
    assert _values(store, "plug.lamp.energy") == [Decimal("235.645"), Decimal("235.646")]
    assert _values(store, "plug.lamp.power") == [Decimal("0.024"), Decimal("0.036")]
    assert collection.counters.refused == 3


def test_a_british_meter_s_message_that_the_broker_kept_is_stored_at_its_own_time(
    config: Config, store: Store, broker: BrokerRig
) -> None:
    payload = (SAMPLES / "glow" / "cad-first-firmware.jsonl").read_text().splitlines()[0]
    [message] = Lines().feed(payload.encode() + b"\n")
    broker.broker.say(GLOW, message.payload, retain=True)
    options = {"host": "127.0.0.1", "port": broker.broker.port, "topic": "glow/#"}
    with _collected(config, store, "mqtt", options, "glow") as collection:
        until(_telegrams(collection, 1), "a message in the spool")
    assert _values(store, "electricity.import") == [Decimal("4595.563")]
    assert _times(store, "electricity.import") == [1_656_075_749_000]


def test_a_meter_that_is_asked_over_http_is_in_the_store_and_what_stands_still_is_there_once(
    config: Config, store: Store
) -> None:
    rig = DeviceRig(
        b'{"smr_version":50,"total_power_import_kwh":13779.338,"active_power_w":-543,"external":[{"type":"gas_meter",'
        b'"timestamp":210606140010,"value":2569.646,"unit":"m3"}]}'
    )
    with _collected(config, store, "http", {"url": rig.url, "interval_s": 0.1}, "homewizard") as collection:
        until(_telegrams(collection, 3), "three answers in the spool")
    rig.hang_up()
    assert set(_values(store, "electricity.import")) == {Decimal("13779.338")}
    assert len(_values(store, "electricity.power.export")) == collection.counters.telegrams
    assert set(_values(store, "electricity.power.export")) == {Decimal("0.543")}
    assert _values(store, "gas") == [Decimal("2569.646")]
    assert _times(store, "gas") == [1_622_984_410_000]  # 14:00:10 in London, the zone that is configured


def _live(sample: Sample) -> list[Message]:
    """A sample's messages, without those that a broker had from earlier."""
    return [each for each in Lines().feed(sample.data) if not each.retained]


def test_any_device_over_mqtt_is_configured_in_one_table(tmp_path: Path) -> None:
    said = 'host = "h", topic = "sensors/+", username = "ann", path = "v", role = "gas", unit = "m3"'
    (tmp_path / FILE).write_text(f'[meters.gas]\nlink = "mqtt"\nmeter = "mqtt"\nmqtt = {{ {said} }}\n')
    [meter] = load(tmp_path).meters
    link_of(meter)
    [frame] = meter_of(meter, ZoneInfo("UTC")).feed(to_line("sensors/7", b'{"v": 1.5}'), 0)
    assert [(each.role, each.value) for each in frame.readings] == [("gas", Decimal("1.5"))]
    wrong = replace(meter, link_options={"host": "h", "topik": 1}, meter_options={"host": "h", "topik": 1})
    with pytest.raises(UserError, match="'topik' is not an option"):
        link_of(wrong)
    (tmp_path / FILE).unlink()
    write_meters(tmp_path, [meter])
    assert load(tmp_path).meters == (meter,)


@pytest.mark.parametrize(
    "sample",
    [each for name in ("glow", "mqtt", "shelly", "tasmota", "zigbee2mqtt") for each in samples_of(name)],
    ids=str,
)
def test_what_each_sample_says_is_in_the_store_over_a_real_broker(
    config: Config, store: Store, broker: BrokerRig, sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    told = _live(sample)
    lines = b"".join(to_line(each.topic, each.payload.encode()) for each in told)
    frames, counters = read(sample, lines)
    options = {"host": "127.0.0.1", "port": broker.broker.port, "topic": "#"}
    with _collected(config, store, "mqtt", options, sample.protocol, sample.given["options"]) as collection:
        until(lambda: f"reading {sample.protocol} over mqtt" in caplog.text, "the link is open")
        for each in told:
            if each.topic:
                broker.broker.say(each.topic, each.payload)
        until(_telegrams(collection, counters.telegrams), "every message in the spool")
    expected = {(each.role, each.value) for frame in frames for each in frame.readings}
    assert {(role, value) for role, _ in expected for value in _values(store, role)} == expected


def test_each_thermometer_of_a_bus_is_in_the_store(config: Config, store: Store, tmp_path: Path) -> None:
    for number, thousandths in (("28-0316a2794aff", 23_125), ("28-00000623003b", -1_500)):
        sensor = tmp_path / "bus" / number
        sensor.mkdir(parents=True)
        (sensor / "temperature").write_text(f"{thousandths}\n")
    options = {"folder": str(tmp_path / "bus"), "interval_s": 0.1}
    with _collected(config, store, "w1", options, "ds18b20") as collection:
        until(_telegrams(collection, 4), "both were read twice")
    assert set(_values(store, "temperature.28-0316a2794aff")) == {Decimal("23.125")}
    assert set(_values(store, "temperature.28-00000623003b")) == {Decimal("-1.5")}
