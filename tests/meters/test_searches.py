"""Searches of a line for devices: who is found, by what, and how long it takes, on a line whose time is counted."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from appliance import meters
from appliance.crc import crc16_modbus
from appliance.meters import Search
from appliance.meters._mbus_frames import ACKNOWLEDGED, reset
from tests.mbus_line import Bus

TURN_MS = 40  # how long devices think
READ_MS, PIECE_MS = 10, 20

Line = Callable[[bytes], bytes]


def _searched(search: Search, line: Line) -> tuple[list[dict[str, Any]], float]:
    """The likeliest options of each device that was found, and where it is if nobody knows any; the seconds it took."""
    now_ms, said, at_ms = 0, b"", 0
    while not search.is_over:
        if question := search.poll(now_ms):
            said, at_ms = line(question), now_ms + TURN_MS
        if said and now_ms >= at_ms:
            search.feed(said[:16], now_ms)  # a serial line gives what is there, and that is seldom all
            said = said[16:]
            now_ms += PIECE_MS
        else:
            now_ms += min(search.wait_ms(now_ms), READ_MS)
    return [dict(options[0]) if options else {"at": at} for at, options in search.found], now_ms / 1000


def _modbus_line(units: Sequence[int], *, echo: bool = False) -> Line:
    """Units that answer a question of theirs, the first with a voltage, the others with the exceptions 2, 3, 4 ..."""

    def answered(question: bytes) -> bytes:
        before = question if echo else b""
        if question[0] not in units:
            return before
        exception = 1 + units.index(question[0])
        said = question[:2] + b"\4\x43\x66\x33\x34" if exception == 1 else bytes([question[0], 0x84, exception])
        return before + said + crc16_modbus(said).to_bytes(2, "little")

    return answered


@pytest.mark.parametrize("echo", [False, True])
def test_every_unit_that_answers_is_found_and_none_for_which_a_gateway_does(echo: bool) -> None:
    found, _ = _searched(meters.search_of("modbus", 9600, everywhere=False), _modbus_line([3, 7, 8, 9, 10], echo=echo))
    assert found == [{"device": "sdm630", "unit_id": 3}, {"at": "unit 7"}, {"at": "unit 8"}]


def test_a_unit_beyond_the_usual_ones_is_found_where_every_one_is_asked() -> None:
    line = _modbus_line([201])
    assert _searched(meters.search_of("modbus", 9600, everywhere=False), line)[0] == []
    assert _searched(meters.search_of("modbus", 9600, everywhere=True), line)[0] == [
        {"device": "sdm630", "unit_id": 201}
    ]


@pytest.mark.parametrize(
    ("bus", "found"),
    [
        ({}, []),
        ({"12345678": 5}, [{"address": 5}]),
        ({"12345678": 0, "20000001": 1, "87654321": 10}, [{"address": 0}, {"address": 1}, {"address": 10}]),
        ({"12345678": 200}, [{"address": 200}]),
        ({"12345678": 20, "87654321": 30}, [{"number": "12345678"}, {"number": "87654321"}]),
        ({"12345678": 0, "12340000": 0}, [{"number": "12340000"}, {"number": "12345678"}]),
        ({"1234": 0, "1200": 0, "5555": 2}, [{"address": 2}, {"number": "12000000"}, {"number": "12340000"}]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("echo", [False, True])
def test_meters_are_found_by_their_address_or_where_that_is_not_enough_by_their_number(
    bus: dict[str, int], found: list[dict[str, Any]], echo: bool
) -> None:
    assert _searched(meters.search_of("mbus", 2400, everywhere=False), Bus(bus, echo=echo))[0] == found


def test_an_address_beyond_the_usual_ones_is_found_where_every_one_is_asked() -> None:
    bus = Bus({"12345678": 100, "87654321": 250})
    found, _ = _searched(meters.search_of("mbus", 9600, everywhere=True), bus)
    assert found == [{"address": 100}, {"address": 250}]


@pytest.mark.parametrize(("protocol", "seconds", "everywhere_seconds"), [("modbus", 25, 600), ("mbus", 30, 600)])
def test_a_line_on_which_nobody_answers_is_left_soon(protocol: str, seconds: float, everywhere_seconds: float) -> None:
    for everywhere, most_s in ((False, seconds), (True, everywhere_seconds)):
        speeds = [int(line.partition(",")[0]) for line in meters.searched_at(protocol)]
        searches = [meters.search_of(protocol, speed, everywhere=everywhere) for speed in speeds]
        assert sum(_searched(search, lambda question: b"")[1] for search in searches) <= most_s


@pytest.mark.parametrize("protocol", ["modbus", "mbus"])
def test_a_line_that_babbles_on_is_left_too(protocol: str) -> None:
    found, seconds = _searched(meters.search_of(protocol, 2400, everywhere=False), lambda question: bytes(10**7))
    assert found == []
    assert seconds < 300


def test_where_numbers_tell_nothing_apart_it_ends_too() -> None:
    def twins(question: bytes) -> bytes:
        return ACKNOWLEDGED if question[:1] == b"\x68" or question == reset(question[2]) else b"\x68\x68"

    found, seconds = _searched(meters.search_of("mbus", 2400, everywhere=False), twins)
    assert found == []
    assert seconds < 120
