"""The broker: what it carries is told apart by device, and each is subscribed to by what names it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import links, meters
from appliance.finding import Nothing, Offer, broker
from appliance.finding.broker import Devices, subscription
from appliance.finding.offers import ABSENT, REFUSED, Found, Step
from appliance.messages import to_line

NOW_MS = 1_760_000_000_000


@pytest.mark.parametrize(
    ("device", "topics", "topic"),
    [
        ("lamp", ["tele/lamp/SENSOR"], "tele/lamp/#"),
        ("lamp", ["zigbee2mqtt/lamp"], "zigbee2mqtt/lamp/#"),
        ("attic/lamp", ["zigbee2mqtt/attic/lamp"], "zigbee2mqtt/attic/lamp/#"),
        ("shellypro3em-01", ["shellypro3em-01/events/rpc", "shellypro3em-01/status/em:0"], "shellypro3em-01/#"),
        ("1PM", ["shellies/1PM/relay/0/power"], "shellies/1PM/#"),
        ("1200000000001", ["glow/A1/SENSOR/electricitymeter"], "glow/A1/SENSOR/electricitymeter"),
        ("1200000000001", ["glow/A1/SENSOR/electricitymeter", "glow/A1/SENSOR/gasmeter"], "glow/A1/SENSOR/#"),
        ("amp", ["tele/lamp/SENSOR"], "tele/lamp/SENSOR"),
    ],
)
def test_a_device_is_subscribed_to_by_the_levels_that_name_it(device: str, topics: list[str], topic: str) -> None:
    assert subscription(device, topics) == topic


@pytest.mark.skipif("tasmota" not in meters.names(), reason="this box reads no messages of plugs yet")
def test_devices_are_told_apart_in_what_comes() -> None:
    devices = Devices(ZoneInfo("UTC"))
    for name, watts in (("lamp", 24), ("fridge", 80), ("lamp", 25)):
        said = f'{{"ENERGY": {{"Total": 1.5, "Power": {watts}}}}}'
        devices.feed(to_line(f"tele/{name}/SENSOR", said.encode()), NOW_MS)
    devices.feed(to_line("home/door", b"open"), NOW_MS)
    found = list[Found]()
    for (meter, name), device in sorted(devices.found.items()):
        found.append(broker._offer(meter, name, device, "on the broker h", {"host": "h"}))
    assert devices.messages == 4
    assert [(each.device, each.link_options["topic"]) for each in found if isinstance(each, Offer)] == [
        ("fridge", "tele/fridge/#"),
        ("lamp", "tele/lamp/#"),
    ]
    assert isinstance(found[1], Offer)
    assert "it draws 0.02 kW now" in found[1].title or "it draws 0.03 kW now" in found[1].title
    assert found[1].meter_options == {"device": "lamp"}
    assert found[1].purpose == "plug"


@pytest.mark.skipif("tasmota" not in meters.names(), reason="this box reads no messages of plugs yet")
def test_who_publishes_under_every_name_fills_nothing() -> None:
    devices, plug = Devices(ZoneInfo("UTC")), b'{"ENERGY": {"Total": 1.5}}'
    for number in range(300):
        devices.feed(to_line(f"tele/{number}/SENSOR", plug), NOW_MS)
    devices.feed(to_line(f"tele/{'x' * 1000}/SENSOR", plug), NOW_MS)
    assert len(devices.found) == broker.MOST_DEVICES


@pytest.mark.skipif("mqtt" not in links.names(), reason="this box listens to no broker yet")
def test_a_box_without_a_broker_says_so_quietly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(broker, "_options", lambda _: {"host": "127.0.0.1", "port": 1})
    found = list[Found]()
    broker.look("127.0.0.1", ZoneInfo("UTC"), found.append, threading.Event())
    assert [each for each in found if not isinstance(each, Step)] == [
        Nothing("on this box", ABSENT, "no MQTT broker runs.")
    ]


@pytest.mark.skipif("mqtt" not in links.names(), reason="this box listens to no broker yet")
def test_what_a_real_broker_carries_is_offered_and_what_it_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mosquitto = pytest.importorskip("tests.mosquitto")
    program = mosquitto.program() or pytest.skip(mosquitto.INSTALL)
    monkeypatch.setattr(broker, "LISTEN_S", 30.0)
    running = mosquitto.Broker(program, tmp_path)
    address, found, stop = f"127.0.0.1:{running.port}", list[Found](), threading.Event()
    plug = b'{"ENERGY": {"Total": 1.5, "Power": 24}}'
    with _publishing(running.port, "tele/lamp/SENSOR", plug, stop):
        monkeypatch.setattr(Devices, "_take", _then(Devices._take, stop.set))
        broker.look(address, ZoneInfo("UTC"), found.append, stop)
    running.stop()
    [offer] = [each for each in found if isinstance(each, Offer)]
    assert offer.link_options == {"host": "127.0.0.1", "port": running.port, "topic": "tele/lamp/#"}
    assert (offer.meter, offer.device, offer.where) == ("tasmota", "lamp", f"on the broker {address}")
    broker.look(address, ZoneInfo("UTC"), found.append, threading.Event())
    assert isinstance(found[-1], Nothing)
    assert found[-1].kind == REFUSED


@contextmanager
def _publishing(port: int, topic: str, payload: bytes, stop: threading.Event) -> Iterator[None]:
    """A device that says this again and again."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)

    def publish() -> None:
        while not stop.wait(0.05):
            client.publish(topic, payload)

    client.loop_start()
    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        client.disconnect()
        client.loop_stop()


def _then(method: Callable[..., None], afterwards: Callable[[], None]) -> Callable[..., None]:
    def both(*arguments: object) -> None:
        method(*arguments)
        afterwards()

    return both
