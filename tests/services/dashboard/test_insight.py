"""The page that says what a year of readings tells, against figures reckoned by hand in each test."""

import html
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.ingest import stating
from appliance.store.database import Store
from services.dashboard.box import box
from tests.costs.tariffs import known
from tests.meter_series import keep

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FIRST = date(2025, 1, 6)  # a Monday
NIGHT, DAY = 50, 100  # Wh in a quarter-hour: 200 and 400 W
USUAL = [NIGHT] * 20 + [DAY] * 76  # 8.6 kWh


def keep_days(
    store: Store,
    role: str,
    days: Sequence[Sequence[int]],
    first: date = FIRST,
    *,
    seconds: int = 900,
    unit: str = "kWh",
    exponent: int = -3,
    source: str = "house",
) -> None:
    first_ms = int(datetime(first.year, first.month, first.day, tzinfo=AMSTERDAM).timestamp()) * 1000
    values = [value for day in days for value in day]
    keep(store, role, values, first_ms=first_ms, seconds=seconds, unit=unit, exponent=exponent, source=source)


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """The household's store with ten weeks before the clocks change; on one Wednesday an oven ran for long."""
    home = box(app).stores.home
    oven = [*USUAL[:40], 2600, *USUAL[41:]]
    keep_days(home, "electricity.import", [*[USUAL] * 65, oven, *[USUAL] * 4])
    return home


def words(page: str) -> str:
    """A page's words, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page))).replace("\u202f", " ")


def found(client: FlaskClient, **said: str) -> str:
    return words(client.get("/insight/found", query_string={"store": "home", **said}).text)


def test_1_an_empty_store_is_told_where_to_begin(app: Flask, ada: FlaskClient) -> None:
    assert "Nothing to look at yet" in words(ada.get("/insight?store=home").text)
    assert ada.get("/insight/found?store=home").status_code == 422


def test_2_the_page_is_reached_from_energy_and_fetches_what_is_found(store: Store, ada: FlaskClient) -> None:
    assert 'href="/insight?' in ada.get("/energy?store=home").text
    page = ada.get("/insight?store=home").text
    [where] = re.findall(r'hx-get="([^"]+)"', page)
    assert "6 Jan 2025 to 16 Mar 2025" in words(page)
    assert "You used 604.5 kWh in 70 days, 8.64 kWh a day." in words(ada.get(html.unescape(where)).text)


def test_3_what_is_always_on_the_peak_and_unusual_days_are_said_in_words(store: Store, ada: FlaskClient) -> None:
    """200 W: 70 days of 96 quarter-hours of 0.05 kWh are 336 of 604.5 kWh."""
    page = found(ada)
    assert "Your home hardly ever uses less than 200 W: that is 56% of what you use." in page
    assert "In a year1,752 kWh" in page
    assert "The most that your home drew at once was 10.4 kW, on 12 Mar 2025, 10:00." in page
    assert "1 day was unlike the same weekdays before. The last was Wednesday 12 March 2025: 2.50 kWh more" in page
    assert "8.6" in page


def test_4_what_it_takes_to_know_more_is_said(store: Store, ada: FlaskClient) -> None:
    page = found(ada)
    assert "A year beforeThe first reading is of 6 Jan 2025; from 6 Jan 2026 on there is a year before" in page
    for lack in (
        "The coldNo outside temp",
        "The sunNo meter says",
        "AppliancesNo plug",
        "CarbonNothing says",
        "CostIt",
    ):
        assert lack in page, lack
    for title in ("Against the year before", "Appliances on a plug", "Of all that was used"):
        assert title not in page, title


def test_5_a_tariff_says_what_is_always_on_costs(store: Store, ada: FlaskClient) -> None:
    """1,752 kWh at 0.25 with a fifth of tax: 525.60 a year, 43.80 a month."""
    rate = {"kind": "rates", "rates": [{"band": "all day", "price": "0.25"}]}
    known(store, "Europe/Amsterdam", {"name": "Home", "charges": [rate, {"kind": "tax", "percent": "20"}]})
    said = {"party": "Ember", "supply": "electricity", "tariff": "Home", "at": "2024-01-01"}
    stating.add(store, "energy.agreement", said, "Ada", zone=AMSTERDAM)
    page = found(ada)
    assert "of what you use, about € 43.80 a month." in page
    assert "That costs in a year€ 525.60" in page
    assert "which tariff you were on" not in page


def test_6_an_appliance_on_its_plug_has_its_share_and_cost(store: Store, ada: FlaskClient) -> None:
    """0.03 kWh a quarter-hour for 70 days: 201.6 of 604.5 kWh, at 0.30 each."""
    keep_days(store, "plug.energy", [[30] * 96] * 70, source="freezer")
    page = found(ada)
    assert "The freezer used 201.6 kWh, as much as 33% of what your home drew from the grid meanwhile." in page
    assert "That cost you € 60.48." in page
    assert "120 W" in page
    assert "No plug" not in page


def test_7_the_sun_the_cold_and_carbon_have_their_words(store: Store, ada: FlaskClient) -> None:
    """A day: 5 kWh made, 2 fed in, 3 used of 8.6 bought and 3. All of the grid at 200 g: 604.5 kWh are 120.9 kg."""
    keep_days(store, "electricity.export", [[0] * 48 + [2000] + [0] * 47] * 70)
    keep_days(store, "solar.energy", [[0] * 40 + [500] * 10 + [0] * 46] * 70, source="roof")
    keep_days(
        store, "electricity.carbon", [[200] * 48] * 70, seconds=1800, unit="g/kWh", exponent=0, source="grid"
    )  # fmt: skip
    page = found(ada)
    assert "Of the 350.0 kWh that your panels made you used 60% yourself. That was 26% of all that" in page
    assert "gave off 120.9 kg of CO₂, 200 g for each kWh. That is about as clean as the grid was" in page
    assert "its mean was 200 g." in page


def test_8_a_year_later_both_years_are_compared(store: Store, ada: FlaskClient) -> None:
    """Seven days of 7.6 kWh against the same days of 8.6: 53.2 and 60.2."""
    keep_days(store, "electricity.import", [[NIGHT] * 20 + [DAY] * 66 + [0] * 10] * 7, date(2026, 1, 6))
    page = found(ada)
    assert "12% less was used than on the same days a year before." in page
    assert "Now53.2 kWh The year before60.2 kWh" in page
    whole = ada.get("/insight?store=home").text
    assert "to=2025-01-12" in whole, "the days before this year"
    earlier = ada.get("/insight?store=home&to=2025-01-12").text
    assert "6 Jan 2025 to 12 Jan 2025" in words(earlier)
    assert f"to={date(2025, 1, 12) + timedelta(days=365)}" in earlier


def test_9_the_cold_is_told_by_what_a_degree_takes(store: Store, ada: FlaskClient) -> None:
    """Gas: 4 kWh a day, and 2 more for each degree below 15.5 °C; days are at 5.5 or at 12.5 °C."""
    degrees = [55 if day % 3 else 125 for day in range(70)]
    keep_days(store, "gas", [[4000 + 200 * (155 - each)] for each in degrees], seconds=86_400, source="boiler")
    keep_days(
        store, "temperature.outside", [degrees], seconds=86_400, unit="°C", exponent=-1, source="shed"
    )  # fmt: skip
    page = found(ada, supply="gas@boiler")
    assert "For each degree that a day is colder you use 2.00 kWh more. The cold explains most of why" in page
    assert "By that a mild day takes 4.00 kWh, and one at 0 °C 35.0 kWh." in page
    assert "For each degree day below 15.5 °C2 kWh" in page


def test_9_days_and_supplies_that_are_none_are_refused(store: Store, ada: FlaskClient, stranger: FlaskClient) -> None:
    assert ada.get("/insight?store=home&to=soon").status_code == 422
    assert ada.get("/insight/found?store=home&supply=gas@nowhere").status_code == 404
    assert ada.get("/insight/found?store=somebody").status_code == 403
    assert stranger.get("/insight/found?store=home").status_code == 303
