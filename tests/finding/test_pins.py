"""Pulses at a GPIO pin: where there are pins, what is counted at one, and what is made of it."""

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from appliance.finding import Needs, Nothing, Offer, Wanted, answered, asks, pins, prove
from appliance.finding.needs import PIN
from appliance.finding.offers import ABSENT, REFUSED, SOLAR, Found, Step, config_of
from tests.gpio_line import LABEL, LINE, KernelLine, kernel_line

SAID = {"line": str(LINE), "role": "electricity.import", "per_unit": "1000", "edge": "falling", "bias": "pull-up"}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[KernelLine]:
    """The one line of the processor's chip; there is another chip, which nobody may open."""
    for name in ("gpiochip0", "gpiochip1"):
        (tmp_path / name).touch()
    with kernel_line(str(tmp_path / "gpiochip0")) as line:
        yield line


def _looked(folder: Path) -> list[Found]:
    found = list[Found]()
    pins.look([f"{folder}/gpiochip*"], found.append)
    return found


def _needed(folder: Path) -> Needs:
    [needs] = _looked(folder)
    assert isinstance(needs, Needs)
    return needs


def _watched(line: KernelLine, needs: Needs, edges: int, **said: str) -> list[Found]:
    """What comes of watching the pin, at which so many edges come at once; it is watched until they were counted."""
    stop, found, given = threading.Event(), list[Found](), False
    for each in prove(needs, answered(needs, SAID | said), Wanted(), stop):
        if isinstance(each, Step) and not given:
            given = True
            for number in range(edges):
                line.edge(number * 1_000_000)
        elif isinstance(each, Step):
            stop.set()
        else:
            found.append(each)
    return found


def test_the_pins_that_are_led_out_are_offered_and_only_what_a_person_can_know_is_asked(
    line: KernelLine, tmp_path: Path
) -> None:
    needs = _needed(tmp_path)
    assert (needs.kind, needs.title) == (PIN, f"Pulses can be counted on the GPIO pins of gpiochip0 ({LABEL})")
    assert [(each.name, each.type, each.default) for each in asks(needs)] == [
        ("line", "number", "17"),
        ("role", "choice", "electricity.import"),
        ("per_unit", "number", "1000"),
        ("edge", "choice", "falling"),
        ("bias", "choice", "pull-up"),
    ]


def test_pulses_are_counted_at_the_pin_and_offered_with_the_power_that_they_would_be(
    line: KernelLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "_pulses", lambda counted, lasted_s: f"{counted} pulses in 30 s")
    monkeypatch.setattr(pins, "NOISE_PER_S", 10**9)
    needs = _needed(tmp_path)
    offer, again = _watched(line, needs, 17)
    assert isinstance(offer, Offer)
    assert isinstance(again, Needs)
    assert offer.title == "17 pulses in 30 s on pin 17 of gpiochip0"
    assert "At 1000 pulses to the kWh that is" in offer.hint
    assert [(each.role, each.value, each.unit) for each in offer.readings] == [
        ("electricity.import", Decimal("0.017"), "kWh")
    ]
    roof = config_of(offer, "roof", SOLAR, None)
    assert (roof.role, roof.link, roof.meter) == ("solar", "gpio", "pulses")
    assert {
        "role": "electricity.import",
        "unit": "kWh",
        "per_unit": Decimal(1000),
    }.items() <= roof.meter_options.items()
    assert again.id == needs.id, "it may be watched again"
    assert line.request is None, "the pin is free for who reads it"


def test_gas_is_counted_in_cubic_metres(line: KernelLine, tmp_path: Path) -> None:
    offer = _watched(line, _needed(tmp_path), 2, role="gas", per_unit="100")[0]
    assert isinstance(offer, Offer)
    assert [(each.role, each.value, each.unit) for each in offer.readings] == [("gas", Decimal("0.02"), "m3")]
    assert offer.purposes == ("house",)


def test_a_pin_at_which_nothing_comes_is_said_with_what_may_be_the_matter(
    line: KernelLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "WATCH_S", 0.01)
    offer = _watched(line, _needed(tmp_path), 0)[0]
    assert isinstance(offer, Offer)
    assert offer.title == "No pulse in 0 s on pin 17 of gpiochip0"
    assert "wired to this pin" in offer.hint


def test_noise_is_said_to_be_none(line: KernelLine, tmp_path: Path) -> None:
    offer = _watched(line, _needed(tmp_path), 500)[0]
    assert isinstance(offer, Offer)
    assert "more than any meter gives" in offer.hint


def test_a_pin_that_another_has_is_asked_for_anew_with_the_reason(line: KernelLine, tmp_path: Path) -> None:
    line.refusal = OSError(16, "Device or resource busy")
    line.consumer = "fan"
    needs = _needed(tmp_path)
    [again] = _watched(line, needs, 0)
    assert isinstance(again, Needs)
    assert again.why.startswith("'fan' has the line gpiochip0/17")
    assert {each.name: each.default for each in asks(again)}["line"] == "17"


def test_a_machine_without_pins_and_one_that_keeps_them_say_so(tmp_path: Path) -> None:
    assert _looked(tmp_path) == [Nothing("on the GPIO pins", ABSENT, "this machine has none.")]
    (tmp_path / "gpiochip7").touch()
    with kernel_line("/elsewhere"):
        [refused] = _looked(tmp_path)
    assert isinstance(refused, Nothing)
    assert (refused.kind, "`sudo " in refused.why) == (REFUSED, True)
