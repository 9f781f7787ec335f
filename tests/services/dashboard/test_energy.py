"""The page that says what energy costs: its sums, what is missing, and the days of which something else is known."""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from appliance.ingest import stating
from appliance.store.database import Store
from appliance.store.models import ImportRow, RecordRow
from services.dashboard.box import box
from tests.costs.tariffs import FLAT, QUARTER_S, known
from tests.meter_series import keep

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FIRST, LAST = date(2025, 3, 1), date(2025, 4, 30)
Token = Callable[[FlaskClient, str], str]


def quarters(first: date, last: date) -> range:
    """The quarter-hours of whole local days, whatever the clocks do on them."""
    ends = (datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM) for day in (first, last + timedelta(days=1)))
    begin, end = (int(each.timestamp()) // QUARTER_S for each in ends)
    return range(begin, end)


def keep_day(store: Store, first: date, last: date, wh: int = 250) -> None:
    """An import of the quarter-hours of some days, of as many Wh each."""
    which = quarters(first, last)
    keep(
        store, "electricity.import", [wh] * len(which), first_ms=which.start * QUARTER_S * 1000, seconds=900,
        exponent=-3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """The household's store with two months of quarter-hours, with a change of clock and a day not read."""
    home = box(app).stores.home
    keep_day(home, FIRST, date(2025, 3, 9))
    keep_day(home, date(2025, 3, 11), LAST)
    return home


def text(client: FlaskClient, **said: str) -> str:
    return html.unescape(client.get("/energy", query_string={"store": "home", **said}).text)


def total(first: date, last: date, missing: tuple[date, ...] = (), rate: str = "0.2415") -> str:
    """What a plain count says that days cost at one price, as the page writes it."""
    costs = Decimal(0)
    for quarter in quarters(first, last):
        if datetime.fromtimestamp(quarter * QUARTER_S, UTC).astimezone(AMSTERDAM).date() not in missing:
            costs += Decimal("0.25") * Decimal(rate)
    costs += ((last - first).days + 1) * Decimal("0.5312")
    return f"€\u202f{(costs * Decimal('1.21')).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def test_1_an_empty_store_is_told_where_to_begin(app: Flask, ada: FlaskClient) -> None:
    assert "Nothing to reckon with yet" in text(ada)


def test_2_without_a_tariff_it_says_what_was_used_and_what_is_missing(store: Store, ada: FlaskClient) -> None:
    page = text(ada, span="month", at="2025-04-10")
    assert "nobody said which tariff you were on" in page
    assert "720.0 kWh" in page
    assert "How much each day used" in page
    assert "There are readings in the household’s store" in html.unescape(ada.get("/energy").text)


def test_3_it_says_what_a_month_a_year_and_a_day_cost(store: Store, ada: FlaskClient) -> None:
    known(store, "Europe/Amsterdam", FLAT)
    said = {"party": "Ember", "supply": "electricity", "tariff": "Flat", "at": "2025-01-01"}
    stating.add(store, "energy.agreement", said, "Ada", zone=AMSTERDAM)
    april = text(ada, span="month", at="2025-04-10")
    assert f"<strong>{total(date(2025, 4, 1), LAST)}</strong> for 720.0 kWh" in april
    assert "nobody said" not in april
    assert "Energy, all day" in april
    assert "30 days" in april
    year = text(ada, span="year", at="2025-04-10")
    assert total(FIRST, LAST, (date(2025, 3, 10),)) in year
    assert year.count('class="bar') - year.count('class="bars') - year.count('class="bar-labels') == 2
    assert total(date(2025, 3, 30), date(2025, 3, 30)) in text(ada, span="day", at="2025-03-30")
    assert "23.0 kWh" in text(ada, span="day", at="2025-03-30"), "the day on which the clocks change has 23 hours"


def test_4_a_gap_is_said_and_drawn_as_one(store: Store, ada: FlaskClient) -> None:
    page = text(ada, span="month", at="2025-03-10")
    assert "Not read, or only in part: 96 quarter-hours on 10 Mar 2025" in page
    assert "96 quarter-hours not read" in page
    assert 'class="bar partial"' in page
    assert "not read" not in text(ada, span="month", at="2025-04-10")


def changed(client: FlaskClient) -> str:
    since = datetime.now(AMSTERDAM).date().isoformat()
    return html.unescape(client.get("/energy/changed", query_string={"store": "home", "since": since}).text)


def long_ago(store: Store) -> None:
    """Lets all that the store knows have been known for a month."""
    month_us = 30 * 86_400 * 1_000_000
    with store.write() as connection:
        connection.execute(update(ImportRow).values(at_us=ImportRow.at_us - month_us))
        connection.execute(update(RecordRow).values(since_us=RecordRow.since_us - month_us))


def test_5_days_that_were_revised_are_told_and_no_other(store: Store, ada: FlaskClient) -> None:
    page = changed(ada)
    assert "no reading and no price of a day that was known then says something else now" in page
    assert "Of 61 days the readings or the tariff only came in since" in page
    long_ago(store)
    assert "only came in since" not in changed(ada)
    keep_day(store, date(2025, 4, 7), date(2025, 4, 13), wh=300)
    keep_day(store, date(2025, 3, 10), date(2025, 3, 10))
    page = changed(ada)
    assert "<strong>7 days</strong> cost something else than was known then" in page
    assert [f"<td>{day} Apr 2025</td>" in page for day in range(6, 15)] == [False, *[True] * 7, False]
    assert page.count("another reading") == 7
    assert "24.0 kWh → 28.8 kWh" in page
    assert "Of 1 day the readings or the tariff only came in since" in page
    assert "/energy/changed?" in text(ada)


def test_5_a_price_that_is_put_right_is_told_with_its_days(store: Store, ada: FlaskClient) -> None:
    long_ago(store)
    rates = {"kind": "rates", "rates": [{"band": "all day", "price": "0.2415"}]}
    cheaper = {"kind": "rates", "rates": [{"band": "all day", "price": "0.2015"}]}
    dated = [{**rates, "until": "2025-04-29"}, {**cheaper, "from": "2025-04-29"}, *FLAT["charges"][1:]]
    known(store, "Europe/Amsterdam", {"name": "Flat", "charges": dated})
    page = changed(ada)
    assert "<strong>2 days</strong>" in page
    assert page.count("another price") == 2
    assert "29 Apr 2025" in page
    assert "30 Apr 2025" in page
    assert "together €\u202f2.32 less" in page


def test_6_this_month_and_the_last_one_stand_on_top(store: Store, ada: FlaskClient) -> None:
    today = datetime.now(AMSTERDAM).date()
    assert "Nothing was read this month or last: the last reading is of 30 Apr 2025" in text(ada)
    this_month = today.replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    keep_day(store, last_month, today)
    page = text(ada)
    shown = re.findall(r'class="tile"><dt>([^<]+)</dt>.*?class="figure">([^<]+)<', page, re.DOTALL)
    months = f"{last_month:%B %Y}", total(last_month, this_month - timedelta(days=1), rate="0.2015")
    assert shown == [("This month so far", total(this_month, today, rate="0.2015")), months]


def test_7_spans_and_supplies_that_are_none_are_refused(store: Store, ada: FlaskClient) -> None:
    for said, status in (
        ({"span": "decade"}, 422),
        ({"at": "yesterday"}, 422),
        ({"at": "1899-01-01"}, 422),
        ({"supply": "gas@nowhere"}, 404),
        ({"store": "somebody"}, 403),
    ):
        assert ada.get("/energy", query_string={"store": "home", **said}).status_code == status, said
    assert ada.get("/energy/changed?store=home&since=x").status_code == 422


def test_8_a_stranger_sees_nothing(store: Store, stranger: FlaskClient) -> None:
    assert stranger.get("/energy?store=home").status_code == 303
    assert stranger.get("/energy/changed?store=home").status_code == 303


def test_9_all_supplies_together_and_what_may_be_counted_twice(store: Store, ada: FlaskClient) -> None:
    begin_ms = quarters(FIRST, LAST).start * QUARTER_S * 1000
    keep(store, "gas", [100] * 96, first_ms=begin_ms, seconds=900, exponent=-3)

    def together(**said: str) -> str:
        return html.unescape(ada.get("/energy/all", query_string={"store": "home", **said}).text)

    page = together(span="day", at=FIRST.isoformat())
    assert f"<strong>{total(FIRST, FIRST)}</strong> for all together" in page
    assert "no tariff known" in page
    assert "9.60 kWh" in page
    assert "All together" in text(ada)
    gas = ada.get("/energy?store=home&supply=gas@house&span=day").text
    assert "/add/energy.gas_quality?store=home" not in gas, "it is in kWh already"
    keep(store, "gas", [100] * 96, first_ms=begin_ms, seconds=900, exponent=-3, source="cellar", unit="m3")
    gas = ada.get("/energy?store=home&supply=gas@cellar&span=day").text
    assert "/add/energy.gas_quality?store=home" in gas
    keep(store, "electricity.import", [100] * 96, first_ms=begin_ms, seconds=900, exponent=-3, source="shed")
    page = together(span="day", at=FIRST.isoformat())
    assert page.count("several meters count the same kind") == 4
    assert total(FIRST, FIRST) not in page
    assert ada.get("/energy/all?store=home&span=decade").status_code == 422
