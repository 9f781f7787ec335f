"""Listening on a port: a meter at its own speed, and in words what else may be there."""

import errno
import os
import pty
import select
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import meters
from appliance.errors import SourceError
from appliance.finding import Needs, Nothing, Offer
from appliance.finding.listening import Heard, Listening
from appliance.finding.needs import KEY, answered
from appliance.finding.offers import REFUSED, SILENT, UNKNOWN, config_of, to_dict
from appliance.finding.ports import Port, ports
from appliance.finding.ways import Way, ways, with_key
from appliance.links import serial
from appliance.meters import modbus
from tests.contracts.links import TerminalRig
from tests.contracts.meters import SAMPLES
from tests.d0_meter import ModeC
from tests.mbus_line import Bus
from tests.modbus_server import serial_server
from tests.p1_cable import SealedCable
from tests.p1_sealing import KEY as KEY_OF_METER
from tests.sml_head import house

HOUSE = {0x00: 230.1, 0x02: 229.8, 0x04: 231.2, 0x34: 571.0, 0x48: 1234.56, 0x4A: 0.0}
ONE_PHASE = {0x00: 230.1, 0x0C: 571.0, 0x48: 1234.56, 0x4A: 0.0}
QUICK_S = 0.6
PATIENCE_S = 30.0


def _quick(*, asks: bool = False) -> list[Way]:
    """Every way, each for a moment: what is on these lines speaks at once."""
    return [way if way.asks else replace(way, patience_s=QUICK_S) for way in ways(asks=asks)]


def _port(path: str) -> Port:
    return Port(path, Path(path).resolve(), "on the USB cable P1 cable")


def _looked(path: str, tried: list[Way], said: list[str] | None = None) -> Heard:
    say = (lambda _: None) if said is None else said.append
    return Listening(_port(path), ZoneInfo("Europe/Berlin"), say, threading.Event()).look(tried)


def _look(path: str, tried: list[Way], said: list[str] | None = None) -> Offer | Needs | Nothing:
    [found] = _looked(path, tried, said)
    return found


@contextmanager
def _speaking(folder: Path, data: bytes, speed: str = "") -> Iterator[str]:
    """The path of a port on which that is said again and again; at one speed alone where it is given."""
    rig, stop = TerminalRig(folder), threading.Event()
    os.set_blocking(rig.meter_end, False)

    def speak() -> None:
        while not stop.wait(0.02):
            if (
                _speed(rig.meter_end) in (speed or _speed(rig.meter_end))
                and select.select([], [rig.meter_end], [], 0)[1]
            ):
                os.write(rig.meter_end, data)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield str(rig.path)
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        rig.hang_up()


def _speed(number: int) -> str:
    """The speed to which the port is set; a terminal of the kernel's has no framing."""
    speeds = {termios.B9600: "9600", termios.B115200: "115200"}
    return speeds.get(termios.tcgetattr(number)[5], "")


@pytest.mark.parametrize(
    ("sample", "line", "meter", "options"),
    [
        ("dsmr/dsmr50-gas-water-heat.txt", "115200,8N1", "dsmr", {}),
        ("dsmr/dsmr22-split-gas.txt", "9600,7E1", "dsmr", {"baudrate": 9600, "bytesize": 7, "parity": "E"}),
        ("d0/push-q3d.txt", "9600,7E1", "d0", {"baudrate": 9600, "bytesize": 7, "parity": "E"}),
        ("sml/mme-dzg-short-signed-power.bin", "9600,8N1", "sml", {"baudrate": 9600}),
    ],
)
def test_a_meter_is_heard_at_its_own_speed_and_framing(
    tmp_path: Path, sample: str, line: str, meter: str, options: dict[str, object]
) -> None:
    said = list[str]()
    with _speaking(tmp_path, (SAMPLES / sample).read_bytes(), line.partition(",")[0]) as path:
        found = _look(path, [replace(way, patience_s=3) for way in _quick() if way.line == line], said)
    assert isinstance(found, Offer)
    assert (found.meter, found.link) == (meter, "serial")
    assert found.link_options == {"path": path, **options}
    assert found.readings
    assert found.title.startswith(("A smart meter", "An electricity meter"))
    assert said == [f"listening at {line.replace(',', ' baud (')})"]


def test_the_speeds_are_tried_one_after_the_other_until_a_meter_is_heard(tmp_path: Path) -> None:
    said = list[str]()
    with _speaking(tmp_path, house(123456, 250), "9600") as path:
        found = _look(path, [*_quick()[:-1], replace(_quick()[-1], patience_s=5)], said)
    assert isinstance(found, Offer)
    assert found.meter == "sml"
    assert said[0] == "listening at 115200 baud (8N1)"
    assert said[-1] == "listening at 9600 baud (8N1)"


def test_a_silent_port_is_said_with_what_may_be_the_matter(tmp_path: Path) -> None:
    rig = TerminalRig(tmp_path)
    found = _look(str(rig.path), _quick())
    rig.hang_up()
    assert isinstance(found, Nothing)
    assert found.kind == SILENT
    assert "PIN" in found.why
    assert "allow asking" in found.why


def test_what_speaks_and_is_no_meter_is_said_with_its_speed(tmp_path: Path) -> None:
    with _speaking(tmp_path, b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n") as path:
        found = _look(path, _quick())
    assert isinstance(found, Nothing)
    assert (found.kind, found.why) == (
        UNKNOWN,
        "something speaks at 115200 baud (8N1), but it is no meter that this box knows.",
    )


def test_bytes_that_make_sense_at_no_speed_are_no_meter(tmp_path: Path) -> None:
    with _speaking(tmp_path, bytes(range(128, 256))) as path:
        found = _look(path, _quick())
    assert isinstance(found, Nothing)
    assert "at no speed" in found.why


def test_a_meter_behind_a_bad_cable_is_said_to_be_one(tmp_path: Path) -> None:
    telegram = (SAMPLES / "dsmr/dsmr50-gas-water-heat.txt").read_bytes().partition(b"\n/")[0] + b"\n"
    with _speaking(tmp_path, telegram.replace(b"*kWh", b"*kWj")) as path:
        found = _look(path, _quick())
    assert isinstance(found, Nothing)
    assert found.why.startswith("a smart meter (DSMR P1) speaks at 115200 baud (8N1), but what it says arrives damaged")


def test_a_port_that_another_program_has_open(tmp_path: Path) -> None:
    rig = TerminalRig(tmp_path)
    other = serial.Link(rig.options)
    other.open()
    found = _look(str(rig.path), _quick())
    other.close()
    rig.hang_up()
    assert isinstance(found, Nothing)
    assert (found.kind, found.why) == (REFUSED, "another program is using it: stop that program, and look again.")


def test_a_framing_that_the_adapter_does_not_have_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = serial.Link.open

    def eight_bits_only(link: serial.Link) -> None:
        if link._options.bytesize != 8:
            raise SourceError("cannot be opened") from termios.error(errno.EINVAL, "Invalid argument")
        opened(link)

    monkeypatch.setattr(serial.Link, "open", eight_bits_only)
    with _speaking(tmp_path, house(123456, 250), "9600") as path:
        found = _look(path, [replace(way, patience_s=5) for way in ways(asks=False) if way.line.startswith("9600")])
    assert isinstance(found, Offer)
    assert found.meter == "sml"
    found = _look("/dev/null", [way for way in _quick() if "7E1" in way.line])
    assert isinstance(found, Nothing)
    assert (found.kind, found.why) == (REFUSED, "cannot be opened.")


def test_a_file_that_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    found = _look(str(tmp_path / "ttyUSB0"), _quick())
    assert isinstance(found, Nothing)
    assert found.kind == REFUSED
    assert "cannot be opened as a serial port" in found.why


def test_a_port_that_was_pulled_out_meanwhile(tmp_path: Path) -> None:
    rig = TerminalRig(tmp_path)
    [port] = ports([f"{rig.by_id}/*"], tmp_path)
    rig.hang_up()
    found = _look(port.path, _quick())
    assert isinstance(found, Nothing)
    assert (found.kind, found.why) == (REFUSED, "it was pulled out: plug it in, and look again.")


def test_a_look_that_is_stopped_ends_at_once(tmp_path: Path) -> None:
    rig, stop = TerminalRig(tmp_path), threading.Event()
    forever = [replace(way, patience_s=1e9) for way in ways(asks=False)]
    [found] = Listening(_port(str(rig.path)), ZoneInfo("UTC"), lambda _: stop.set(), stop).look(forever)
    rig.hang_up()
    assert isinstance(found, Nothing)
    assert "you stopped" in found.why


def test_nothing_is_written_to_a_port_where_nobody_allowed_it() -> None:
    meter_end, port_end = pty.openpty()
    tty.setraw(port_end)
    _look(os.ttyname(port_end), _quick())
    assert select.select([meter_end], [], [], 0)[0] == []
    os.close(meter_end)
    os.close(port_end)


def test_what_meters_state_of_their_lines_can_be_opened_and_configured() -> None:
    for way in ways(asks=True):
        serial.Options.from_text(f"/dev/ttyUSB0,{way.line}")
        for candidate in way.candidates:
            module = meters.named(candidate.meter)
            module.Meter(module.Options(**candidate.options), ZoneInfo("UTC"))
            assert meters.called(candidate.meter)[:2] in ("a ", "an")


def _asked(meter: str) -> list[Way]:
    return [
        way for way in ways(asks=True) if way.asks and meter in (way.search, *(each.meter for each in way.candidates))
    ]


@pytest.mark.parametrize(("registers", "device"), [(HOUSE, "sdm630"), (ONE_PHASE, "sdm120")])
def test_a_modbus_meter_is_searched_for_and_one_phase_is_told_from_three(
    registers: dict[int, float], device: str
) -> None:
    said = list[str]()
    with serial_server(7, registers) as path:
        found = _look(path, _asked("modbus"), said)
    assert isinstance(found, Offer)
    assert (found.meter, found.meter_options) == ("modbus", {"device": device, "unit_id": 7})
    assert {each.role: each.value for each in found.readings}["electricity.power"] == Decimal("0.5710")
    assert "model" in found.hint
    assert said[:2] == [
        "asking for a Modbus meter at 9600 baud (8N1)",
        "asking for a Modbus meter at 9600 baud (8N1), unit 1 of 10",
    ]


def test_a_modbus_device_that_no_map_fits_is_said_to_be_there() -> None:
    with serial_server(3, {0x00: 0.0, 0x48: 5.0}) as path:
        found = _look(path, _asked("modbus")[:1])
    assert isinstance(found, Nothing)
    assert found.why == (
        "something answers at 9600 baud (8N1), unit 3, as a Modbus meter does, but it is none that this box knows."
    )


def test_every_meter_on_an_m_bus_is_offered(tmp_path: Path) -> None:
    rig = TerminalRig(tmp_path)
    with Bus({"12345678": 4, "87654321": 9}).on(rig):
        found = _looked(str(rig.path), _asked("mbus"))
    rig.hang_up()
    assert [(each.meter_options, each.device) for each in found if isinstance(each, Offer)] == [
        ({"address": 4}, "INM 12345678"),
        ({"address": 9}, "INM 87654321"),
    ]


def test_an_encrypted_p1_meter_wants_a_key_and_only_the_right_one_makes_it_an_offer(tmp_path: Path) -> None:
    cable = SealedCable(tmp_path)
    path = str(cable.rig.path)
    with cable.talking():
        locked = _look(path, ways(asks=False))
        assert isinstance(locked, Needs)
        assert (locked.kind, locked.title) == (KEY, "An encrypted P1 meter on the USB cable P1 cable")
        assert "key that your grid operator sent you" in locked.why
        wrong = _look(path, [with_key(locked, answered(locked, {"key": "F" * 32}))])
        assert isinstance(wrong, Needs)
        assert (wrong.id, "does not open" in wrong.why) == (locked.id, True)
        found = _look(path, [with_key(locked, answered(locked, {"key": f"{KEY_OF_METER[:16]} {KEY_OF_METER[16:]}"}))])
    cable.rig.hang_up()
    assert isinstance(found, Offer)
    assert found.readings
    assert config_of(found, "house", "house", None).meter_options == {"key": KEY_OF_METER}
    for shown in (repr(locked), repr(wrong), repr(found), str(to_dict(found)), found.id):
        assert KEY_OF_METER not in shown


def test_an_optical_head_is_asked_at_its_first_speed(tmp_path: Path) -> None:
    with ModeC(tmp_path).listening() as meter:
        found = _look(str(meter.rig.path), _asked("d0"))
    assert isinstance(found, Offer)
    assert found.meter_options == {"mode": "request"}
    assert found.link_options["baudrate"] == 300


def test_one_that_does_not_answer_is_not_waited_for_as_long_as_a_readout_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.finding.listening.ANSWER_S", QUICK_S)
    rig = TerminalRig(tmp_path)
    found = _look(str(rig.path), _asked("d0"))
    rig.hang_up()
    assert isinstance(found, Nothing)
    assert found.kind == SILENT
    assert "allow asking" not in found.why


@pytest.mark.parametrize("everywhere", [False, True])
def test_where_the_usual_addresses_were_asked_in_vain_the_others_are_said_to_be_left(
    tmp_path: Path, everywhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modbus, "_EVERY_UNIT", range(1, 3))
    rig = TerminalRig(tmp_path)
    tried = [each for each in ways(asks=True, everywhere=everywhere) if each.search == "modbus"][:1]
    found = _look(str(rig.path), tried)
    rig.hang_up()
    assert isinstance(found, Nothing)
    assert ("ask at every one" in found.why) is not everywhere
