"""What readings tell, against numbers worked by hand. A usual day: 0.05 kWh each quarter-hour at night (200 W), 0.1 kWh
from 5 o'clock on (400 W): 20 x 0.05 + 76 x 0.1 = 8.6 kWh.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance import supplies
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.insight import Insight, insight
from appliance.store.database import Store
from tests.costs.tariffs import known
from tests.meter_series import keep

LONDON = ZoneInfo("Europe/London")
NIGHT, DAY = 50, 100  # Wh in a quarter-hour
USUAL = [NIGHT] * 20 + [DAY] * 76
WINTER = date(2025, 1, 6)  # a Monday; London's clocks are UTC until 30 March


def ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=LONDON).timestamp()) * 1000


def keep_days(store: Store, days: list[list[int]], first: date = WINTER, role: str = "electricity.import") -> None:
    keep(store, role, [value for day in days for value in day], first_ms=ms(first), seconds=900, exponent=-3)


def look(store: Store, **said: Any) -> Insight:
    [supply] = [each for each in supplies.every(store, LONDON) if each.direction == "import"]
    return insight(store, supply, LONDON, **said)


def agreed(store: Store) -> None:
    rate = {"kind": "rates", "rates": [{"band": "all day", "price": "0.25"}]}
    standing = {"kind": "standing", "price": "0.50", "period": "day"}
    tariff = {"name": "Home", "charges": [rate, standing, {"kind": "tax", "percent": "20"}]}
    known(store, "Europe/London", tariff, currency="GBP")
    said = {"party": "Ember", "supply": "electricity", "tariff": "Home", "at": "2024-01-01"}
    stating.add(store, "energy.agreement", said, "Ada", zone=LONDON)


def test_baseload_is_what_is_drawn_at_night_and_what_it_costs(store: Store) -> None:
    kettle = [NIGHT] * 19 + [900] + [DAY] * 76
    fridge_off = [NIGHT] * 19 + [30] + [DAY] * 76  # the lowest of its night; less than a tenth of all
    keep_days(store, [USUAL] * 20 + [kettle] * 6 + [fridge_off] * 4)
    agreed(store)
    found = look(store).baseload
    assert found is not None
    assert (found.baseload_w, found.standby_w, found.nights) == (Decimal(200), Decimal(200), 30)
    assert found.kwh_year == Decimal(1752)
    base, used = 30 * 96 * 50 - 4 * 20, 30 * 8600 + 6 * 850 - 4 * 20
    assert found.share == (Decimal(base) / used).quantize(Decimal("0.0001"))
    assert found.amount_year == (Decimal(base) / 1000 * Decimal("0.30") * 35040 / 2880).quantize(Decimal("0.01"))
    assert found.currency == "GBP"


def test_who_heats_at_night_has_the_baseload_of_the_day_unless_panels_hide_it(store: Store) -> None:
    keep_days(store, [[500] * 20 + [DAY] * 76] * 14)
    found = look(store).baseload
    assert found is not None
    assert (found.baseload_w, found.standby_w) == (Decimal(400), Decimal(2000))
    keep_days(store, [[0] * 48 + [2000] + [0] * 47] * 14, role="electricity.export")
    beside_panels = look(store).baseload
    assert beside_panels is not None
    assert beside_panels.baseload_w == Decimal(2000)


def test_too_few_nights_or_days_read_as_one_tell_no_baseload_nor_peak(store: Store) -> None:
    keep(store, "electricity.import", [8600] * 30, first_ms=ms(WINTER), seconds=86400, exponent=-3)
    found = look(store)
    assert (found.baseload, found.peaks, found.used) == (None, (), Decimal(258))
    assert found.told == (
        "2,880 quarter-hours are shares of longer readings: they count in what was used, and not in baseload and peaks",
    )


def test_peaks_are_the_highest_quarter_hours_of_their_days(store: Store) -> None:
    shower, oven = USUAL.copy(), USUAL.copy()
    shower[28], oven[72] = 2125, 1500
    keep_days(store, [USUAL] * 10 + [shower] + [USUAL] * 20 + [oven])
    found = look(store)
    assert [(each.at.isoformat(), each.kw) for each in found.peaks[:2]] == [
        ("2025-01-16T07:00:00+00:00", Decimal("8.5")),
        ("2025-02-06T18:00:00+00:00", Decimal(6)),
    ]
    assert [(each.at.date().isoformat(), each.kw) for each in found.month_peaks] == [
        ("2025-01-16", Decimal("8.5")),
        ("2025-02-06", Decimal(6)),
    ]


def test_a_day_unlike_the_same_weekdays_before_it_is_unusual(store: Store) -> None:
    """Fridays have 10.6 kWh, as every week; a Wednesday of 14.6 is 6 above its median: 6 / (1.4826 x 0.43) = 9.4."""
    friday, guests = [each + 2000 * (slot == 40) for slot, each in enumerate(USUAL)], USUAL.copy()
    guests[40] += 6000
    week = [USUAL] * 4 + [friday] + [USUAL] * 2
    keep_days(store, week * 9 + [USUAL] * 2 + [guests] + [USUAL] + [friday])
    [found] = look(store).unusual
    assert (found.day, found.used, found.usual) == (date(2025, 3, 12), Decimal("14.6"), Decimal("8.6"))
    assert (found.more, found.score) == (Decimal(6), Decimal("9.4"))


def test_gaps_are_told_and_their_days_judged_by_nothing(store: Store) -> None:
    keep_days(store, [USUAL] * 35)
    keep_days(store, [USUAL[:48]], date(2025, 2, 10))
    keep_days(store, [USUAL] * 3, date(2025, 2, 12))
    found = look(store)
    assert (found.days, found.whole_days, found.unusual) == (40, 38, ())
    assert found.told == ("144 quarter-hours on 2 of 40 days were not measured, and count as 0",)


def test_the_year_before_counts_where_both_years_were_measured(store: Store) -> None:
    less = [each - 10 for each in USUAL]
    keep_days(store, [USUAL] * 10, date(2024, 3, 1))
    keep_days(store, [less] * 14, date(2025, 3, 1))
    year = look(store, first_day=date(2025, 3, 1)).year
    assert year is not None
    assert (year.days, year.left_out) == (10, 4)
    assert (year.used, year.used_before) == (Decimal("76.4"), Decimal(86))
    assert year.change == Decimal("-9.6") / 86


def test_the_leap_day_is_left_out(store: Store) -> None:
    keep_days(store, [USUAL] * 3, date(2023, 2, 27))
    keep_days(store, [USUAL] * 4, date(2024, 2, 27))
    year = look(store, first_day=date(2024, 2, 27)).year
    assert year is not None
    assert (year.days, year.left_out, year.used, year.used_before) == (3, 1, Decimal("25.8"), Decimal("25.8"))


def test_the_sun_s_share(store: Store) -> None:
    """8.6 bought, 5 made and 2 fed in a day: 3 used at home, of 5 and of 11.6."""
    keep_days(store, [USUAL] * 2)
    keep_days(store, [[0] * 48 + [2000] + [0] * 47] * 2, role="electricity.export")
    keep_days(store, [[0] * 40 + [500] * 10 + [0] * 46] * 2, role="solar.energy")
    sun = look(store).solar
    assert sun is not None
    assert (sun.made, sun.fed_in, sun.bought, sun.quarters) == (Decimal(10), Decimal(4), Decimal("17.2"), 192)
    assert (sun.self_used, sun.self_use, sun.self_sufficiency) == (Decimal(6), Decimal("0.6"), 6 / Decimal("23.2"))


def test_without_what_the_panels_make_it_is_said_that_nobody_knows(store: Store) -> None:
    keep_days(store, [USUAL] * 2)
    keep_days(store, [[100] * 96] * 2, role="electricity.export")
    found = look(store)
    assert found.solar is None
    [why] = [each.why for each in found.lacking if each.what == "The sun"]
    assert "is not known without what the panels make" in why


def test_an_appliance_costs_what_the_house_would_not_have_paid(store: Store) -> None:
    """0.04 kWh each quarter-hour, 1 kWh in one: more than the house bought then, which is 0.1."""
    keep_days(store, [USUAL] * 10)
    keep_days(store, [[40] * 50 + [1000] + [40] * 45] * 10, role="plug.freezer.energy")
    agreed(store)
    [found] = look(store).appliances
    assert (found.role, found.used, found.standby_w) == ("plug.freezer.energy", Decimal(48), Decimal(160))
    assert found.share == Decimal("0.5581")  # 48 of 86
    assert (found.amount, found.currency) == (Decimal("3.9") * 10 * Decimal("0.30"), "GBP")


def test_the_appliance_that_counted_most_stands_first_wherever_its_electricity_came_from(store: Store) -> None:
    """A car has 3 kWh from the roof in a quarter-hour in which 0.1 comes in; a lamp has 1.92, all of the grid's."""
    keep_days(store, [USUAL])
    keep_days(store, [[20] * 96], role="plug.energy")
    keep_days(store, [[0] * 50 + [3000] + [0] * 45], role="plug.car.energy")
    agreed(store)
    car, lamp = look(store).appliances
    assert (car.used, car.amount) == (Decimal(3), Decimal("0.1") * Decimal("0.30"))
    assert (lamp.used, lamp.amount) == (Decimal("1.92"), Decimal("1.92") * Decimal("0.30"))


def test_what_was_given_off_is_use_times_the_grid_s_intensity(store: Store) -> None:
    keep_days(store, [USUAL] * 2)
    intensity = [300] * 10 + [100] * 38  # half-hours of a day: 300 g at night
    keep(
        store, "electricity.carbon", intensity, first_ms=ms(WINTER), unit="g/kWh", exponent=0, source="grid",
    )  # fmt: skip
    carbon = look(store).carbon
    assert carbon is not None
    assert (carbon.kg, carbon.used, carbon.quarters) == (Decimal("1.06"), Decimal("8.6"), 96)  # 1 kWh x 300, 7.6 x 100
    assert (carbon.own_mean, carbon.grid_mean) == (Decimal("123.3"), Decimal("141.7"))


def keep_heated(store: Store, open_window: int | None = None) -> None:
    """From 4 November on 5 kWh a day and 2 more for each degree below 15.5 °C; the 81st day is the coldest by far."""
    degrees = [12 if number % 3 else 4 for number in range(98)]
    degrees[80] = -10
    used = [5000 + 2000 * 155 // 10 - 2000 * each + 20_000 * (day == open_window) for day, each in enumerate(degrees)]
    keep_days(store, [[each // 96] * 95 + [each - each // 96 * 95] for each in used], date(2024, 11, 4))
    keep(
        store, "temperature.outside", degrees, first_ms=ms(date(2024, 11, 4)), unit="°C", seconds=86400, exponent=0,
        source="roof",
    )  # fmt: skip


def test_use_follows_the_cold_and_a_cold_day_is_not_unusual(store: Store) -> None:
    keep_heated(store)
    found = look(store)
    assert found.degree_days is not None
    assert (found.degree_days.base_c, found.degree_days.days) == (Decimal("15.5"), 98)
    assert found.degree_days.per_degree_day == Decimal("2.000")
    assert found.degree_days.a_day == Decimal("5.000")
    assert found.degree_days.total == Decimal("629.0")  # 64 x 3.5 and 33 x 11.5 and 25.5
    assert found.degree_days.explained == Decimal("1.00")
    assert found.unusual == ()


def test_a_day_that_the_cold_does_not_explain_is_unusual(store: Store) -> None:
    keep_heated(store, open_window=91)
    found = look(store, first_day=date(2025, 1, 20))
    assert [each.day for each in found.unusual] == [date(2025, 2, 3)]
    assert abs(found.unusual[0].more - 20) < Decimal("0.2")


def test_every_number_that_there_is_has_its_method(store: Store) -> None:
    keep_days(store, [USUAL] * 8)
    assert [each.split(":")[0] for each in look(store).methods] == ["Baseload", "Peaks"]


def test_a_span_that_ends_before_it_begins_is_refused(store: Store) -> None:
    keep_days(store, [USUAL])
    with pytest.raises(UserError, match="name the earlier day first"):
        look(store, first_day=date(2025, 2, 1), last_day=date(2025, 1, 1))


def test_use_that_has_nothing_to_do_with_the_cold_is_not_said_to_follow_it(store: Store) -> None:
    """A day in five has 1 kWh more, a day in seven is cold: with 140 days these two say nothing of each other."""
    keep_days(store, [[*USUAL[:95], 100 + 1000 * (day % 5 == 0)] for day in range(140)], date(2024, 10, 28))
    keep(
        store, "temperature.outside", [-5 if day % 7 == 0 else 10 for day in range(140)], unit="°C", seconds=86400,
        first_ms=ms(date(2024, 10, 28)), exponent=0, source="roof",
    )  # fmt: skip
    assert look(store).degree_days is None
