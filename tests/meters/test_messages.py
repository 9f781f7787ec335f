"""What all meters over messages do with values, times and names that are not what they should be."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UserError
from appliance.messages import to_line
from appliance.meters import _messages, homewizard, mqtt, shelly, tasmota, zigbee2mqtt
from appliance.records import MeterReading
from tests.contracts.meters import fed

NOW_MS = 1_710_000_000_000
LONDON = ZoneInfo("Europe/London")


def _fed(module: ModuleType, *lines: bytes, now_ms: int = NOW_MS, **options: Any) -> tuple[list[MeterReading], int]:
    """The readings of some messages, and how many of the messages were refused in part or whole."""
    meter = module.Meter(module.Options(**options), LONDON)
    frames = fed(meter, lines, now_ms)
    return [reading for frame in frames for reading in frame.readings], meter.counters.refused


def _plug(**energy: object) -> bytes:
    return to_line("tele/lamp/SENSOR", json.dumps({"ENERGY": energy}).encode())


def _number(text: str, **options: Any) -> tuple[list[MeterReading], int]:
    return _fed(mqtt, to_line("a", text.encode()), **options)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-1", "1e9", "1e99", "9" * 40, "0x1", "1_000", "١", "", "1 2", "1e-999", "true", "1" * 5000],
)
def test_what_is_no_register_is_refused_and_counted(text: str) -> None:
    assert _number(text) == ([], 1)


@given(st.text(max_size=40))
def test_no_text_makes_a_meter_raise(text: str) -> None:
    readings, refused = _number(text)
    assert len(readings) + refused == 1


@pytest.mark.parametrize(
    ("text", "value"), [("1234.567890", "1234.567890"), ("0.30000000000000004", "0.300000"), ("12", "12")]
)
def test_digits_are_kept_as_written_and_the_noise_of_floats_is_not(text: str, value: str) -> None:
    [reading], _ = _number(text)
    assert str(reading.value) == value


def test_an_absurd_power_the_other_way_is_not_a_zero_of_this_way() -> None:
    assert _number("-99e9", role="electricity.power", unit="W") == ([], 1)


def test_a_factor_is_exact() -> None:
    [reading], _ = _number("5321", role="solar.energy", unit="Wh", factor=Decimal("0.1"))
    assert (reading.value, reading.unit) == (Decimal("0.5321"), "kWh")


def test_time_a_day_ahead_is_believed_and_more_is_not() -> None:
    def at(ms: int) -> tuple[list[MeterReading], int]:
        return _fed(mqtt, to_line("a", f'{{"v":1,"t":{ms}}}'.encode()), path="v", time_path="t")

    [reading], _ = at(NOW_MS + _messages.AHEAD_MS)
    assert reading.stated
    assert at(NOW_MS + _messages.AHEAD_MS + 1) == ([], 1)
    assert at(4_070_908_800_000) == ([], 1)  # 2099


def test_what_a_broker_kept_is_read_only_with_a_time_of_its_own() -> None:
    kept = to_line("tele/lamp/SENSOR", b'{"Time":"2024-03-09T15:00:00","ENERGY":{"Total":1.5}}', retained=True)
    assert _fed(tasmota, kept) == ([], 0)
    [reading], _ = _fed(tasmota, kept, own_time=True)
    assert datetime.fromtimestamp(reading.at_ms / 1000, UTC) == datetime(2024, 3, 9, 15, tzinfo=UTC)
    never_set = kept.replace(b"2024-03-09", b"1970-01-01")
    assert _fed(tasmota, never_set, own_time=True) == ([], 0)


@pytest.mark.parametrize(("minutes", "utc"), [(20, "00:30"), (100, "01:30")])
def test_local_time_of_a_doubled_hour_is_the_pass_that_has_just_been(minutes: int, utc: str) -> None:
    now = datetime(2024, 10, 27, 0, 30, tzinfo=UTC).timestamp() * 1000 + minutes * 60_000
    said = to_line("tele/lamp/SENSOR", b'{"Time":"2024-10-27T01:30:00","ENERGY":{"Total":1.5}}')
    [reading], _ = _fed(tasmota, said, now_ms=int(now), own_time=True)
    assert f"{datetime.fromtimestamp(reading.at_ms / 1000, UTC):%H:%M}" == utc


def test_who_may_publish_under_any_name_does_not_fill_the_store() -> None:
    lines = [to_line(f"tele/{number}/SENSOR", b'{"ENERGY":{"Total":1}}') for number in range(2000)]
    readings, refused = _fed(tasmota, *lines, _plug(Total=1))
    assert len({reading.role for reading in readings}) == _messages.ROLES
    assert refused == 2001 - _messages.ROLES


def test_an_appliance_is_never_a_part_of_the_house_unless_somebody_says_so() -> None:
    own, _ = _fed(tasmota, _plug(Total=1, Power=2))
    assert [reading.role for reading in own] == ["plug.lamp.energy", "plug.lamp.power"]
    house, _ = _fed(tasmota, _plug(Total=1, Power=2), device="lamp", role="electricity")
    assert [reading.role for reading in house] == [
        "electricity.import",
        "electricity.power",
        "electricity.power.export",
    ]
    solar, _ = _fed(tasmota, _plug(Total=1, Power=-2), device="lamp", role="solar")
    assert [reading.role for reading in solar] == ["solar.energy", "solar.power", "solar.power.export"]


def test_other_devices_than_the_one_wanted_are_not_read() -> None:
    assert _fed(tasmota, _plug(Total=1), device="desk") == ([], 0)
    assert _fed(zigbee2mqtt, to_line("zigbee2mqtt/desk", b'{"energy":1}'), device="lamp") == ([], 0)
    assert _fed(shelly, to_line("shellies/a/relay/0/power", b"1"), device="b") == ([], 0)


def test_a_device_s_name_is_a_part_of_a_role_whatever_is_in_it() -> None:
    [reading], _ = _fed(zigbee2mqtt, to_line("zigbee2mqtt/Küche/Herd. 2", b'{"energy":1}'))
    assert reading.role == "plug.Küche-Herd-2.energy"


def test_a_watt_minute_is_a_sixtieth_of_a_watt_hour() -> None:
    readings = [_fed(shelly, to_line("shellies/a/relay/0/energy", str(60_000 * n + n).encode()))[0] for n in (1, 60)]
    assert [str(each.value) for [each] in readings] == ["1.000017", "60.001000"]


def test_a_gas_meter_s_value_without_its_time_is_refused() -> None:
    said = b'{"external":[{"type":"gas_meter","value":1.5,"unit":"m3","timestamp":"soon"}],"active_power_w":1}'
    readings, refused = _fed(homewizard, to_line("/api/v1/data", said))
    assert "gas" not in {reading.role for reading in readings}
    assert refused == 1


def test_second_gas_meters_have_a_role_of_their_own() -> None:
    each = '{"type":"gas_meter","value":%s,"unit":"m3","timestamp":240309150000}'
    said = '{"external":[' + ",".join((each % "1.5", each % "2.5")) + "]}"
    readings, _ = _fed(homewizard, to_line("/api/v1/data", said.encode()))
    assert [(reading.role, reading.value) for reading in readings] == [
        ("gas", Decimal("1.5")),
        ("gas.channel2", Decimal("2.5")),
    ]


@pytest.mark.parametrize(
    ("module", "options", "problems"),
    [
        (mqtt, {"role": "", "unit": "BTU", "factor": Decimal("NaN")}, 3),
        (tasmota, {"role": "a b"}, 1),
        (zigbee2mqtt, {"role": ".a", "water_unit": "pints"}, 2),
        (shelly, {"role": "a..b"}, 1),
        (homewizard, {"role": "a."}, 1),
    ],
)
def test_says_every_problem_of_a_configuration(module: ModuleType, options: dict[str, Any], problems: int) -> None:
    with pytest.raises(UserError) as raised:
        module.Options(**options)
    assert len(raised.value.problems) == problems
