"""The broker: what it carries is told apart by device, and each is subscribed to by what names it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance import meters
from appliance.errors import UserError
from appliance.finding import Needs, Nothing, Offer, answered, asks, broker
from appliance.finding.broker import Devices, subscription
from appliance.finding.needs import LOGIN
from appliance.finding.offers import ABSENT, REFUSED, Found, Step, config_of, to_dict
from appliance.messages import to_line
from tests import certificates, mosquitto
from tests.contracts.links import BrokerRig

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


def test_a_box_without_a_broker_says_so_quietly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("appliance.links.mqtt.PORT", 1)
    found = list[Found]()
    broker.look({"host": "127.0.0.1"}, ZoneInfo("UTC"), found.append, threading.Event())
    assert [each for each in found if not isinstance(each, Step)] == [
        Nothing("on this box", ABSENT, "no MQTT broker runs.")
    ]


def test_what_a_real_broker_carries_is_offered_and_what_it_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = BrokerRig(tmp_path).broker
    options = {"host": "127.0.0.1", "port": running.port}
    with plug_at(running.port):
        [offer] = _heard(options, monkeypatch)
    running.stop()
    assert isinstance(offer, Offer)
    assert offer.link_options == {**options, "topic": "tele/lamp/#"}
    assert (offer.meter, offer.device, offer.where) == ("tasmota", "lamp", f"on the broker 127.0.0.1:{running.port}")
    found = list[Found]()
    broker.look(options, ZoneInfo("UTC"), found.append, threading.Event())
    assert isinstance(found[-1], Nothing)
    assert found[-1].kind == REFUSED


def _heard(options: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    """What is found at a broker on which a device speaks; it is listened to no longer than until it does."""
    found, stop = list[Found](), threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(Devices, "_take", _then(Devices._take, stop.set))
        broker.look(options, ZoneInfo("UTC"), found.append, stop)
    return [each for each in found if not isinstance(each, Step)]


def test_a_broker_that_takes_nobody_says_what_it_wants_and_is_listened_to_once_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"allow_anonymous": "false", "password_file": mosquitto.password_file(tmp_path)}
    running = BrokerRig(tmp_path, settings).broker
    options = {"host": "127.0.0.1", "port": running.port}
    [needs] = _heard(options, monkeypatch)
    assert isinstance(needs, Needs)
    assert (needs.kind, needs.title) == (
        LOGIN,
        f"The broker 127.0.0.1:{running.port} wants a user name and a password",
    )
    wrong = answered(needs, {"username": mosquitto.USER, "password": "hidden"})
    [again] = _heard(broker.login_of(wrong), monkeypatch)
    assert isinstance(again, Needs)
    assert (again.id, "does not take the user name 'inglenook' or its password" in again.why) == (needs.id, True)
    assert {each.name: each.default for each in asks(again)}["username"] == mosquitto.USER
    right = answered(again, {"username": mosquitto.USER, "password": mosquitto.PASSWORD})
    with plug_at(running.port, username=mosquitto.USER, password=mosquitto.PASSWORD):
        [offer] = _heard(broker.login_of(right), monkeypatch)
        meter = config_of(offer, "lamp", "plug", None) if isinstance(offer, Offer) else None
        assert meter
        [known] = _heard(broker.known(options, [meter]), monkeypatch)
    running.stop()
    assert meter.link_options["password"] == mosquitto.PASSWORD
    assert known == offer, "a broker that is read already is told who we are"
    for shown in map(repr, (needs, again, offer, known, wrong, right, meter, to_dict(offer))):
        assert "hidden" not in shown
        assert mosquitto.PASSWORD not in shown


def test_a_broker_with_tls_is_listened_to_once_its_authority_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = certificates.authority(tmp_path)
    files = {"certfile": tmp_path / "good.pem", "keyfile": tmp_path / "key.pem", "cafile": authority}
    running = BrokerRig(tmp_path, files).broker
    needs: Any = broker.named(f"127.0.0.1:{running.port}")
    for said, why in (({}, "whether it"), ({"tls": "on"}, "name the authority that made it")):
        [needs] = _heard(broker.login_of(answered(needs, said)), monkeypatch)
        assert why in needs.why
    assert [each.default for each in asks(needs) if each.name == "tls"] == ["True"]
    with plug_at(running.port, ca_file=str(authority)):
        [offer] = _heard(broker.login_of(answered(needs, {"tls": "on", "ca_file": str(authority)})), monkeypatch)
    running.stop()
    assert isinstance(offer, Offer)
    assert offer.link_options["ca_file"] == str(authority)


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("broker.local", {"host": "broker.local"}),
        ("192.168.1.5:1884", {"host": "192.168.1.5", "port": 1884}),
        ("[fd00::5]:8883", {"host": "fd00::5", "port": 8883, "tls": True}),
    ],
)
def test_a_broker_is_named_as_people_write_it(address: str, options: dict[str, Any]) -> None:
    assert broker.named(address).link_options == {**options, "topic": "#"}


@pytest.mark.parametrize("address", ["", "two words", "mqtt://broker", "fd00::5", "broker:99999"])
def test_what_is_no_address_of_a_broker_is_said(address: str) -> None:
    with pytest.raises(UserError, match="no address of a broker"):
        broker.named(address)


@contextmanager
def plug_at(port: int, username: str = "", password: str = "", ca_file: str = "") -> Iterator[None]:
    """A plug that says again and again what it draws."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client, stop = Client(CallbackAPIVersion.VERSION2), threading.Event()
    if username:
        client.username_pw_set(username, password)
    if ca_file:
        client.tls_set(ca_file)
    client.connect("127.0.0.1", port)

    def publish() -> None:
        while not stop.wait(0.05):
            client.publish("tele/lamp/SENSOR", b'{"ENERGY": {"Total": 1.5, "Power": 24}}')

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
