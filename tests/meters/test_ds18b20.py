"""Thermometers: no temperature from damaged bytes, and none that a sensor says without having measured."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.crc import crc8_maxim
from appliance.errors import UserError
from appliance.messages import to_line
from appliance.meters import Counters, ds18b20

SENSOR = "28-00000623003b"
GOOD = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"


def _read(text: str, sensor: str = SENSOR, roles: str = "") -> tuple[list[tuple[str, Decimal]], Counters]:
    meter = ds18b20.Meter(ds18b20.Options(roles), ZoneInfo("UTC"))
    frames = meter.feed(to_line(sensor, text.encode()), 0)
    return [(reading.role, reading.value) for frame in frames for reading in frame.readings], meter.counters


def _shown(scratchpad: bytes, thousandths: int, verdict: str = "YES") -> str:
    nine = (scratchpad + bytes([crc8_maxim(scratchpad)])).hex(" ")
    return f"{nine} : crc={nine[-2:]} {verdict}\n{nine} t={thousandths}\n"


def test_a_sensor_has_its_number_in_its_role_until_it_is_named() -> None:
    assert _read(GOOD)[0] == [(f"temperature.{SENSOR}", Decimal("23.125"))]
    assert _read(GOOD, roles=f"{SENSOR}=temperature.attic")[0] == [("temperature.attic", Decimal("23.125"))]
    assert _read("-62\n")[0] == [(f"temperature.{SENSOR}", Decimal("-0.062"))]


@given(st.integers(0, len(GOOD) - 1), st.characters(codec="ascii"))
def test_a_damaged_character_never_gives_another_temperature(place: int, other: str) -> None:
    found, _ = _read(GOOD[:place] + other + GOOD[place + 1 :])
    assert [value for _, value in found] in ([], [Decimal("23.125")])


@pytest.mark.parametrize(
    "text",
    [
        _shown(bytes.fromhex("50054b467fff0c10"), 85_000),  # just switched on
        _shown(bytes(8), 0),  # a short circuit
        _shown(bytes.fromhex("ff074b467fff0c10"), 127_937),  # too little power for a conversion
        _shown(bytes.fromhex("72014b467fff0e10"), 23_000),  # another temperature than its bytes
        "-127000\n",
        "85000\n",
        "",
        "23.125",
    ],
)
def test_what_was_not_measured_is_refused(text: str) -> None:
    assert _read(text) == ([], Counters(refused=1))


@pytest.mark.parametrize("text", [GOOD.replace("YES", "NO"), GOOD.replace("0e 10 57", "0e 11 57")])
def test_a_wrong_checksum_is_counted_as_one_whatever_the_kernel_says_of_it(text: str) -> None:
    assert _read(text) == ([], Counters(crc_errors=1))


def test_a_topic_that_is_no_sensor_is_refused() -> None:
    assert _read(GOOD, sensor="tele/plug/SENSOR") == ([], Counters(refused=1))


def test_says_every_problem_of_the_roles() -> None:
    with pytest.raises(UserError) as raised:
        ds18b20.Options(f"attic=28-1, {SENSOR}=temperature.a, {SENSOR}=temperature.a, {SENSOR}=hot")
    assert len(raised.value.problems) == 4
