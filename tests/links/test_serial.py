"""The serial link on real pseudo-terminals: pulled out, plugged in under another name, taken, forbidden."""

import errno
import os
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial as pyserial

from appliance.errors import SourceError, UserError
from appliance.links import serial
from tests.contracts.links import SPOKEN, TerminalRig, heard, written


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[TerminalRig]:
    rig = TerminalRig(tmp_path)
    yield rig
    rig.hang_up()


@pytest.fixture
def link(rig: TerminalRig) -> Iterator[serial.Link]:
    link = serial.Link(rig.options)
    yield link
    link.close()


def test_reads_its_options_from_text() -> None:
    assert serial.Options.from_text("/dev/ttyUSB0") == serial.Options("/dev/ttyUSB0", 115_200, 8, "N", 1)
    assert serial.Options.from_text("/dev/ttyUSB*,9600,7E1") == serial.Options("/dev/ttyUSB*", 9600, 7, "E", 1)
    assert serial.Options.from_text("/dev/ttyS0,300") == serial.Options("/dev/ttyS0", 300)


@pytest.mark.parametrize(
    ("text", "problems"), [("", 1), ("/dev/a,fast", 1), ("/dev/a,fast,9Z9", 2), ("/dev/a,9600,8N1,x", 1), ("/a,0", 1)]
)
def test_says_every_problem_of_a_text(text: str, problems: int) -> None:
    with pytest.raises(UserError) as raised:
        serial.Options.from_text(text)
    assert len(raised.value.problems) == problems


def test_says_every_problem_of_a_configuration() -> None:
    with pytest.raises(UserError) as raised:
        serial.Options(path="", baudrate=-1, bytesize=9, parity="X", stopbits=3)
    assert len(raised.value.problems) == 5


def test_sets_speed_and_framing_of_version_2(rig: TerminalRig) -> None:
    link = serial.Link(serial.Options.from_text(f"{rig.path},9600,7E1"))
    link.open()
    with rig.path.open("rb", buffering=0) as terminal:
        _, _, control, _, speed, *_ = termios.tcgetattr(terminal)
    # The kernel's pseudo-terminals keep 8 bits without parity whatever is asked; they do keep the speed.
    assert speed == termios.B9600
    assert not control & termios.CSTOPB
    link.close()


def _speed(rig: TerminalRig) -> int:
    """The speed that the terminal has, as termios writes it."""
    with rig.path.open("rb", buffering=0) as terminal:
        return int(termios.tcgetattr(terminal)[4])


def test_the_speed_changes_while_it_is_open_and_is_the_configured_one_again(rig: TerminalRig) -> None:
    link = serial.Link(serial.Options(str(rig.path), 9600, by_id=str(rig.by_id)))
    link.open()
    for baudrate, speed in ((300, termios.B300), (4800, termios.B4800), (None, termios.B9600), (300, termios.B300)):
        link.set_baudrate(baudrate)
        assert _speed(rig) == speed
    link.open()
    assert _speed(rig) == termios.B9600
    rig.speak()
    assert heard(link, len(SPOKEN)) == SPOKEN
    link.close()


@pytest.mark.parametrize(("framing", "checked"), [("7E1", True), ("8N1", False)])
def test_bytes_with_wrong_parity_are_told_from_right_ones(rig: TerminalRig, framing: str, checked: bool) -> None:
    """As NUL, which no telegram has. A terminal has no wire, so what the kernel was told is read."""
    link = serial.Link(serial.Options.from_text(f"{rig.path},300,{framing}"))
    link.open()
    for _ in range(2):
        with rig.path.open("rb", buffering=0) as terminal:
            assert bool(termios.tcgetattr(terminal)[0] & termios.INPCK) == checked
        link.set_baudrate(9600)
    link.close()


def test_the_speed_changes_only_after_all_has_left(link: serial.Link, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of the kernel's has no wire to drain, so what is asked of the port is listened to."""
    done: list[str] = []
    link.open()
    monkeypatch.setattr(pyserial.Serial, "flush", lambda port: done.append(f"drained at {port.baudrate}"))
    monkeypatch.setattr("time.sleep", lambda seconds: done.append(f"waited {seconds > 0.15}"))
    link.set_baudrate(300)
    link.write(b"\x06050\r\n")
    link.set_baudrate(9600)
    assert done == ["drained at 115200", "waited False", "drained at 300", "waited True"]


def test_the_speed_of_a_port_that_is_not_open_is_not_changed(link: serial.Link) -> None:
    with pytest.raises(SourceError, match="is not open"):
        link.set_baudrate(300)


def test_writes_to_the_meter(rig: TerminalRig, link: serial.Link) -> None:
    link.open()
    link.write(b"/?!\r\n")
    assert written(rig.meter_end, 5) == b"/?!\r\n"


def test_nothing_said_is_nothing_read(link: serial.Link) -> None:
    link.open()
    assert link.read(0) == b""


def test_a_port_that_is_pulled_out_comes_back_under_another_name(rig: TerminalRig, link: serial.Link) -> None:
    link.open()
    rig.hang_up()
    with pytest.raises(SourceError, match=r"ttyUSB0 is gone; waiting for usb-P1_cable-if00") as gone:
        link.read(1)
    assert not gone.value.permanent
    with pytest.raises(SourceError, match="there is no serial port") as absent:
        link.open()
    assert not absent.value.permanent
    rig.plug_in("ttyUSB7")
    link.open()
    rig.speak()
    assert heard(link, len(SPOKEN)) == SPOKEN


def test_an_adapter_that_swapped_names_with_another_is_told_from_it(rig: TerminalRig, link: serial.Link) -> None:
    link.open()
    rig.hang_up()
    other = TerminalRig(rig.folder, "ttyUSB0", alias="usb-Thermometer-if00")
    rig.plug_in("ttyUSB1")
    with pytest.raises(SourceError):
        link.read(1)
    link.open()
    rig.speak()
    assert heard(link, len(SPOKEN)) == SPOKEN
    other.hang_up()


def test_a_pattern_finds_the_port_under_any_name(tmp_path: Path) -> None:
    link = serial.Link(serial.Options(path=str(tmp_path / "ttyUSB*"), by_id=str(tmp_path / "none")))
    with pytest.raises(SourceError, match="waiting for a port that matches"):
        link.open()
    rig = TerminalRig(tmp_path, "ttyUSB3")
    for name in ("ttyUSB4", "ttyUSB5"):
        link.open()
        rig.speak()
        assert heard(link, len(SPOKEN)) == SPOKEN
        rig.hang_up()
        with pytest.raises(SourceError, match="is gone"):
            link.read(1)
        rig.plug_in(name)
    rig.hang_up()


def test_two_programs_do_not_share_a_port(rig: TerminalRig, link: serial.Link) -> None:
    link.open()
    second = serial.Link(rig.options)
    with pytest.raises(SourceError, match="another program"):
        second.open()


def test_what_is_no_serial_port_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SourceError, match="cannot be opened as a serial port"):
        serial.Link(serial.Options(path=str(file))).open()


def test_a_forbidden_port_says_what_mends_it(
    rig: TerminalRig, link: serial.Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: object, **options: object) -> None:
        raise pyserial.SerialException(errno.EACCES, "Permission denied")

    monkeypatch.setattr(pyserial, "Serial", forbidden)
    with pytest.raises(SourceError, match=r"may not open .*`sudo \w+") as raised:
        link.open()
    assert not raised.value.permanent


def _open_files() -> set[str]:
    with os.scandir("/proc/self/fd") as entries:
        return {entry.name for entry in entries}


def test_leaves_no_file_open_behind(rig: TerminalRig, link: serial.Link) -> None:
    link.open()
    link.close()
    before = _open_files()
    for _ in range(5):
        link.open()
        link.close()
    assert _open_files() == before
