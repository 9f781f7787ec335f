"""The GPIO link: the kernel's edges through libgpiod's binding, and gpiozero's mock pins for real."""

import errno
import inspect
import json
import threading
import warnings
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import gpiod
import gpiozero
import pytest
from gpiod.line import Bias, Clock, Direction, Edge
from gpiozero.pins.mock import MockFactory

from appliance.errors import SourceError, UserError
from appliance.links import gpio
from appliance.messages import Lines
from tests.contracts.links import PATIENCE_S
from tests.gpio_line import CHIP, KernelLine, Request, kernel_line

_REAL_REQUEST_LINES: Any = gpiod.request_lines


@pytest.fixture
def line() -> Iterator[KernelLine]:
    with kernel_line() as line:
        yield line


@pytest.fixture
def link(line: KernelLine) -> Iterator[gpio.Link]:
    link = gpio.Link(gpio.Options(driver="gpiod"))
    yield link
    link.close()


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    """gpiozero's own pins without hardware."""
    factory = MockFactory()
    with patch.object(gpiozero.Device, "pin_factory", factory):
        yield factory
    factory.reset()


def _said(data: bytes) -> list[dict[str, int]]:
    return [{name: int(value) for name, value in json.loads(each.payload).items()} for each in Lines().feed(data)]


def _edges(link: gpio.Link, count: int) -> list[dict[str, int]]:
    edges: list[dict[str, int]] = []
    while len(edges) < count:
        edges += _said(link.read(PATIENCE_S))
    return edges


def test_the_stand_in_has_the_shape_of_the_real_binding(line: KernelLine) -> None:
    real = inspect.signature(_REAL_REQUEST_LINES)
    assert list(inspect.signature(line.request_lines).parameters) == list(real.parameters)
    for name in ("read_edge_events", "release"):
        assert list(inspect.signature(getattr(Request, name)).parameters) == list(
            inspect.signature(getattr(gpiod.LineRequest, name)).parameters
        )
    assert isinstance(inspect.getattr_static(gpiod.LineRequest, "fd"), property)
    assert {"timestamp_ns", "line_seqno", "global_seqno"} <= set(gpiod.EdgeEvent.__annotations__)
    assert "consumer" in gpiod.LineInfo.__annotations__


def test_asks_the_kernel_for_edges_debounced_and_stamped_by_the_monotonic_clock(line: KernelLine) -> None:
    link = gpio.Link(gpio.Options.from_text("gpiochip0/17,rising,pull-down,1.5"))
    with patch.object(Path, "exists", return_value=True):
        link.open()
    assert line.settings == gpiod.LineSettings(
        direction=Direction.INPUT,
        edge_detection=Edge.RISING,
        bias=Bias.PULL_DOWN,
        debounce_period=timedelta(microseconds=1500),
        event_clock=Clock.MONOTONIC,
    )
    assert line.consumer == "inglenook"
    link.close()
    assert line.request is None, "another program may have the line"


def test_gives_every_edge_with_its_time_and_number(line: KernelLine, link: gpio.Link) -> None:
    link.open()
    stamps = [1000 + 10_000_000 * number for number in range(500)]
    for at_ns in stamps:
        line.edge(at_ns)
    edges = _edges(link, 500)
    assert [(edge["edge_ns"], edge["seq"]) for edge in edges] == list(zip(stamps, range(1, 501), strict=True))
    assert all(edge["read_ns"] > edge["edge_ns"] for edge in edges)


def test_edges_that_the_kernel_could_not_keep_show_as_missing_numbers(line: KernelLine, link: gpio.Link) -> None:
    link.open()
    for at_ns in range(gpio.BUFFERED_EDGES + 76):
        line.edge(at_ns)
    assert [edge["seq"] for edge in _edges(link, gpio.BUFFERED_EDGES)] == list(range(77, gpio.BUFFERED_EDGES + 77))


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "none"), r"there is no GPIO chip /dev/gpiochip0: `gpiodetect`"),
        (PermissionError(errno.EACCES, "denied"), r"sudo usermod -aG gpio \w+"),
        (ValueError("line offset of out range"), "has no line 17"),
    ],
)
def test_says_what_stands_in_the_way(line: KernelLine, link: gpio.Link, refusal: Exception, words: str) -> None:
    line.refusal = refusal
    with pytest.raises(SourceError, match=words) as raised:
        link.open()
    assert not raised.value.permanent


def test_names_the_program_that_has_the_line(line: KernelLine, link: gpio.Link) -> None:
    line.request_lines(CHIP, {17: None}, consumer="gpio-ir-recv")
    with pytest.raises(SourceError, match=r"'gpio-ir-recv' has the line gpiochip0/17: stop it"):
        link.open()


def test_a_chip_that_is_pulled_out_is_waited_for(line: KernelLine, link: gpio.Link) -> None:
    link.open()
    line.unplug()
    with pytest.raises(SourceError, match="is gone; waiting for it to come back"):
        link.read(PATIENCE_S)
    link.open()
    line.edge(5)
    assert _edges(link, 1)[0]["edge_ns"] == 5


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("gpiochip0/17,falling", 3),
        ("gpiochip0/17,rising,none", 3),
        ("gpiochip0/17,rising,pull-down", 3),
        ("gpiochip0/17,falling,pull-down", 3),
        ("gpiochip0/17,rising,pull-up", 3),
    ],
)
def test_counts_the_edges_of_a_pin_of_gpiozero(factory: MockFactory, text: str, count: int) -> None:
    link = gpio.Link(gpio.Options.from_text(text))  # there is no chip: gpiozero's turn
    link.open()
    pin = factory.pin(17)
    rest = pin.drive_high if "falling" in text else pin.drive_low
    pulse = pin.drive_low if "falling" in text else pin.drive_high
    rest()
    link.read(0)
    for _ in range(count):
        pulse()
        rest()
    edges = _edges(link, count)
    assert len(edges) == count
    assert all(edge["edge_ns"] <= edge["read_ns"] for edge in edges)
    assert [edge["seq"] - edges[0]["seq"] for edge in edges] == list(range(count))
    link.close()


def test_is_closed_while_gpiozero_is_silent_and_leaves_the_pin_to_the_next(factory: MockFactory) -> None:
    link = gpio.Link(gpio.Options(driver="gpiozero"))
    link.open()
    with pytest.raises(SourceError, match="another meter of this box has the GPIO 17"):
        gpio.Link(gpio.Options(driver="gpiozero")).open()
    reader = threading.Thread(target=link.read, args=(PATIENCE_S * 3,), daemon=True)
    reader.start()
    link.close()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    link.open()
    link.close()


def test_says_that_there_are_no_pins_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "none-such")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    with pytest.raises(SourceError, match=r"there is no GPIO chip /dev/gpiochip0, and gpiozero finds no pins either"):
        gpio.Link(gpio.Options()).open()


def test_names_the_package_where_there_is_a_chip_and_no_library_of_pins_and_warns_of_none_that_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    chip = tmp_path / "gpiochip0"
    chip.touch()
    with (
        warnings.catch_warnings(record=True) as warned,
        pytest.raises(SourceError, match="install the package gpiod, or Debian's python3-lgpio"),
    ):
        gpio.Link(gpio.Options(chip=str(chip), driver="gpiozero")).open()
    assert warned == []


def test_reads_its_options_from_text() -> None:
    assert gpio.Options.from_text("gpiochip0/17,falling") == gpio.Options(17)
    assert gpio.Options.from_text("/dev/gpiochip4/5,rising,none,0") == gpio.Options(
        5, "/dev/gpiochip4", "rising", "none", Decimal(0)
    )


@pytest.mark.parametrize(
    ("text", "problems"),
    [("", 1), ("17", 1), ("gpiochip0/x", 1), ("a/1,up", 1), ("a/1,up,down", 2), ("a/x,falling,none,long,?", 3)],
)
def test_says_every_problem_of_a_text(text: str, problems: int) -> None:
    with pytest.raises(UserError) as raised:
        gpio.Options.from_text(text)
    assert len(raised.value.problems) == problems
