"""How cold it was and how clean the grid was, from files that people download, against numbers worked by hand."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from appliance.ingest import importing
from appliance.store import series as series_store
from appliance.store.database import Store
from tests.insight.test_insight import LONDON, USUAL, WINTER, keep_days, look, ms
from tests.meter_series import keep

FIRST = date(2024, 11, 4)
DEGREES = [12 if number % 3 else 4 for number in range(98)]
"""Mean temperatures of 98 days: 65 are 3.5 below 15.5 °C, 33 are 11.5 below it."""


def bring(store: Store, data: str, name: str) -> None:
    report = importing.import_bytes(store, data.encode(), name, zone="Europe/London")
    assert not report.rejected
    assert report.stored


def keep_use(store: Store) -> None:
    """5 kWh a day and 2 more for each degree day below 15.5 °C."""
    used = [5000 + 31000 - 2000 * each for each in DEGREES]
    keep_days(store, [[each // 96] * 95 + [each - each // 96 * 95] for each in used], FIRST)


def degree_days(base: str, values: Sequence[Decimal]) -> str:
    rows = [f"{FIRST + timedelta(days=day)},{value},0" for day, value in enumerate(values)]
    title = f'Description:,"Celsius-based heating degree days with a base temperature of {base}C"'
    return "\n".join([title, "Station ID:,EGWU", "Date,HDD,% Estimated", *rows])


def open_meteo(rows: Sequence[str], column: str) -> str:
    place = "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n51.5,-0.12,23.0,0,GMT,GMT"
    return "\n".join([place, "", f"time,{column} (°C)", *rows])


def test_a_file_of_degree_days_tells_how_use_follows_the_cold(store: Store) -> None:
    keep_use(store)
    bring(store, degree_days("15.5", [Decimal("15.5") - each for each in DEGREES]), "northolt.csv")
    found = look(store).degree_days
    assert found is not None
    assert (found.base_c, found.days, found.total) == (Decimal("15.5"), 98, Decimal("607.0"))
    assert (found.per_degree_day, found.a_day, found.explained) == (Decimal(2), Decimal(5), Decimal(1))


def test_of_several_bases_the_nearest_to_that_asked_for_counts(store: Store) -> None:
    keep_use(store)
    for base in ("15.5", "18"):
        bring(store, degree_days(base, [Decimal(base) - each for each in DEGREES]), f"{base}.csv")
    found = look(store, base_c=Decimal(17)).degree_days
    assert found is not None
    assert (found.base_c, found.per_degree_day, found.a_day) == (Decimal(18), Decimal(2), Decimal(0))


@pytest.mark.parametrize("by_hours", [True, False])
def test_a_file_of_weather_does_too(store: Store, *, by_hours: bool) -> None:
    keep_use(store)
    hours = [f"T{hour:02}:00" for hour in range(24)] if by_hours else [""]
    rows = [f"{FIRST + timedelta(days=day)}{at},{each}" for day, each in enumerate(DEGREES) for at in hours]
    bring(store, open_meteo(rows, "temperature_2m" if by_hours else "temperature_2m_mean"), "weather.csv")
    found = look(store).degree_days
    assert found is not None
    assert (found.days, found.total, found.per_degree_day) == (98, Decimal("607.0"), Decimal(2))


def test_a_sensor_of_some_days_does_not_hide_a_file_of_all(store: Store) -> None:
    keep_use(store)
    keep(
        store, "temperature.outside", [20] * 96, first_ms=ms(FIRST), unit="°C", seconds=900, exponent=0, source="roof"
    )  # fmt: skip
    bring(store, degree_days("15.5", [Decimal("15.5") - each for each in DEGREES]), "northolt.csv")
    found = look(store).degree_days
    assert found is not None
    assert (found.days, found.per_degree_day) == (98, Decimal(2))


def test_a_sensor_that_tells_every_hour_is_enough_and_one_that_tells_twice_a_day_is_not(store: Store) -> None:
    keep_use(store)
    every_hour = [each for each in DEGREES for _ in range(24)]
    said: dict[str, Any] = {"unit": "°C", "seconds": 0, "exponent": 0, "first_ms": ms(FIRST)}
    keep(store, "temperature.garden", DEGREES * 2, every_s=43_200, source="shed", **said)
    found = look(store)
    assert found.degree_days is None
    assert "No outside" in [each.why.capitalize()[:10] for each in found.lacking if each.what == "The cold"]
    keep(store, "temperature.outside", every_hour, every_s=3600, source="roof", **said)
    heard = look(store).degree_days
    assert heard is not None
    assert (heard.days, heard.per_degree_day) == (98, Decimal(2))


def test_any_table_of_daily_means_will_do(store: Store) -> None:
    keep_use(store)
    layout = {"kind": "readings", "columns": ["at", "amount"], "order": "day first", "decimal": "comma", "header": 1}
    said = {**layout, "role": "temperature.outside", "unit": "°c", "seconds": 86_400, "delimiter": ";"}
    rows = [f"{FIRST + timedelta(days=day):%d.%m.%Y};{each},0" for day, each in enumerate(DEGREES)]
    table = "\n".join(["Tag;Mittel", *rows]).encode()
    options = {"layout": json.dumps(said), "zone": "Europe/London"}
    report = importing.import_bytes(store, table, "weather.csv", format="table", options=options)
    assert (report.stored, report.rejected) == (98, 0)
    found = look(store).degree_days
    assert found is not None
    assert (found.total, found.per_degree_day) == (Decimal("607.0"), Decimal(2))


def half_hours(grams: Sequence[int], name: str) -> str:
    begin = datetime(WINTER.year, WINTER.month, WINTER.day, tzinfo=UTC)
    rows = []
    for number, each in enumerate(grams):
        at = begin + timedelta(minutes=30 * number)
        times = {"from": f"{at:%Y-%m-%dT%H:%MZ}", "to": f"{at + timedelta(minutes=30):%Y-%m-%dT%H:%MZ}"}
        rows.append({**times, "intensity": {"forecast": 999, "actual": None, name: each, "index": "moderate"}})
    return json.dumps({"data": rows})


def test_the_grid_s_file_tells_what_was_given_off_and_actual_replaces_forecast(store: Store) -> None:
    """A day: 1 kWh until 5 o'clock and 7.6 after. Expected 100 g all day; it was 300 g until 5 o'clock."""
    keep_days(store, [USUAL])
    bring(store, half_hours([100] * 48, "forecast"), "forecast.json")
    expected = look(store).carbon
    assert expected is not None
    assert (expected.kg, expected.quarters) == (Decimal("0.86"), 96)
    bring(store, half_hours([300] * 10 + [100] * 38, "actual"), "actual.json")
    found = look(store).carbon
    assert found is not None
    assert (found.kg, found.own_mean, found.grid_mean) == (Decimal("1.06"), Decimal("123.3"), Decimal("141.7"))


def test_a_country_s_hours_tell_it_too(store: Store) -> None:
    keep_days(store, [USUAL])
    heading = "Datetime (UTC),Zone id,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle)"
    rows = [f"{WINTER} {hour:02}:00:00,GB,1,{250.5 if hour < 5 else 150}" for hour in range(24)]
    bring(store, "\n".join([heading, *rows]), "GB_2025_hourly.csv")
    found = look(store).carbon
    assert found is not None
    assert found.kg == Decimal("1.3905")  # 1 x 250.5 and 7.6 x 150 g


def test_midnight_is_the_household_s_in_summer(store: Store) -> None:
    """The clocks go forward on 30 March 2025: a file's day of 23 hours is that day, and no other."""
    first = date(2025, 3, 29)
    keep_days(store, [USUAL], first)
    rows = "Date,HDD,% Estimated\n2025-03-29,1,0\n2025-03-30,2,0\n2025-03-31,3,0"
    title = 'Description:,"Celsius-based heating degree days with a base temperature of 15.5C"'
    bring(store, f"{title}\nStation ID:,EGWU\n{rows}", "days.csv")
    readings = [
        datetime.fromtimestamp(each // 1000, LONDON).isoformat()
        for each in _instants(store, "degree_days.heating.15_5")
    ]
    assert readings == ["2025-03-29T00:00:00+00:00", "2025-03-30T00:00:00+00:00", "2025-03-31T00:00:00+01:00"]


def _instants(store: Store, role: str) -> list[int]:
    with store.read() as connection:
        [series] = series_store.every(connection, role)
        found: list[int] = series_store.read(connection, series, 0, 1 << 45).at_ms.tolist()
    return found
