"""The home's network: devices that tell of themselves by multicast DNS, on the loopback interface."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from zeroconf import ServiceInfo, Zeroconf

from appliance import links, meters
from appliance.finding import Needs, Nothing, Offer, Wanted, looking, network
from appliance.finding.network import HOMEWIZARD, HTTP, MQTT, SHELLY, Service, is_here
from appliance.finding.offers import ABSENT, UNKNOWN, Found, Step
from tests import mosquitto
from tests.contracts.links import BrokerRig

HERE = "127.0.0.1"
CAN_ASK = "http" in links.names() and "homewizard" in meters.names()
DATA = {
    "smr_version": 50,
    "meter_model": "ISKRA 2M550T-101",
    "unique_id": "4530303433303037303532383730333138",
    "total_power_import_kwh": 13779.338,
    "active_power_w": 452,
}


@contextmanager
def _telling(kind: str, name: str, port: int, said: dict[str, str], address: str = HERE) -> Iterator[None]:
    """A device that tells of itself."""
    info = ServiceInfo(kind, f"{name}.{kind}", port, 0, 0, said, "device.local.", addresses=[socket.inet_aton(address)])
    device = Zeroconf(interfaces=[HERE])
    try:
        device.register_service(info)
        yield
    finally:
        device.close()


def _looked() -> list[Found]:
    found = list[Found]()
    network.look(ZoneInfo("Europe/Amsterdam"), found.append, threading.Event(), lambda options: options, [HERE])
    return [each for each in found if not isinstance(each, Step)]


@pytest.fixture
def device() -> Iterator[int]:
    """The port of a device that answers as a HomeWizard does."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/v1/data" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(DATA).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((HERE, 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_device_that_tells_of_itself_is_offered_or_said_to_be_here(device: int) -> None:
    said = {"product_name": "P1 meter", "product_type": "HWE-P1"}
    with _telling(HOMEWIZARD, "p1meter-0123AB", device, said):
        [found] = _looked()
    assert found.where == "on the network at 127.0.0.1"
    if not CAN_ASK:
        assert isinstance(found, Nothing)
        assert (found.kind, found.why) == (UNKNOWN, "P1 meter is here, which this box cannot read yet.")
        return
    assert isinstance(found, Offer)
    assert (found.link, found.meter) == ("http", "homewizard")
    assert found.link_options == {"url": f"http://127.0.0.1:{device}/api/v1/data"}
    assert "it draws 0.45 kW now" in found.title
    assert "fixed address" in found.hint


def test_a_box_on_no_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(**_: object) -> None:
        raise RuntimeError("No interfaces to listen on")

    monkeypatch.setattr("zeroconf.Zeroconf", nowhere)
    assert _looked() == [Nothing("on the network", ABSENT, "nothing can be heard: this box is on no network.")]


def test_a_broker_that_tells_of_itself_is_listened_to(tmp_path: Path) -> None:
    settings = {"allow_anonymous": "false", "password_file": mosquitto.password_file(tmp_path)}
    running = BrokerRig(tmp_path, settings).broker
    with _telling(MQTT, "mosquitto", running.port, {}):
        [found] = _looked()
    running.stop()
    assert isinstance(found, Needs)
    assert found.title == f"The broker 127.0.0.1:{running.port} wants a user name and a password"


def test_the_box_s_own_broker_is_not_listened_to_twice() -> None:
    own = sorted(network.own_addresses())[0]
    assert looking._other_broker(Wanted(), {"host": own}) is None
    assert looking._other_broker(Wanted(), {"host": "203.0.113.9"}) == {"host": "203.0.113.9"}
    assert looking._other_broker(Wanted(broker="203.0.113.9:1884"), {"host": "203.0.113.9"}) is None
    assert looking._other_broker(Wanted(broker=""), {"host": "203.0.113.9"}) is None


def test_a_device_that_leads_out_of_the_house_is_not_followed() -> None:
    with _telling(HOMEWIZARD, "p1meter-evil", 80, {}, address="8.8.8.8"):
        assert _looked() == []


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("192.168.1.20", True),
        ("10.0.0.4", True),
        ("fd00::12", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("169.254.169.254", False),
        ("fe80::1%eth0", False),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("evil.example", False),
    ],
)
def test_only_addresses_of_this_network_are_asked(address: str, here: bool) -> None:
    assert is_here(address) is here


@pytest.mark.parametrize(
    ("service", "target"),
    [
        (Service(HOMEWIZARD, "p1meter", "192.168.1.2", 80, {}), ("homewizard", "http://192.168.1.2/api/v1/data")),
        (Service(SHELLY, "shellypro3em-01", "192.168.1.3", 80, {"gen": "2"}), ("shelly", "http://192.168.1.3/rpc/Shelly.GetStatus")),
        (Service(HTTP, "shelly1pm-AABB", "192.168.1.4", 80, {}), ("shelly", "http://192.168.1.4/status")),
        (Service(HTTP, "ShellyPlug-CC", "fd00::1", 8080, {"gen": "3"}), ("shelly", "http://[fd00::1]:8080/rpc/Shelly.GetStatus")),
        (Service(HTTP, "printer", "192.168.1.5", 80, {}), None),
    ],
)  # fmt: skip
def test_a_device_is_asked_where_it_answers(service: Service, target: tuple[str, str] | None) -> None:
    assert network._target(service) == target
