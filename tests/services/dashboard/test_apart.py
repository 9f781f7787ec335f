"""The part of Energy that says what appliances and registers cost, against sums done by hand."""

import html
import re
from collections.abc import Sequence
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.ingest import stating
from appliance.store.database import Store
from services.dashboard.box import box
from tests.costs.tariffs import known
from tests.meter_series import keep
from tests.services.dashboard.test_energy import AMSTERDAM


def keep_month(store: Store, role: str, wh: Sequence[int], source: str) -> None:
    first_ms = int(datetime(2025, 2, 1, tzinfo=AMSTERDAM).timestamp()) * 1000
    keep(store, role, list(wh) * 28, first_ms=first_ms, seconds=900, exponent=-3, source=source)


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """February 2025 at 9.6 kWh a day, at 0.30 with 0.50 a day."""
    home = box(app).stores.home
    keep_month(home, "electricity.import", [100] * 96, "house")
    rate = {"kind": "rates", "rates": [{"band": "all day", "price": "0.30"}]}
    standing = {"kind": "standing", "price": "0.50", "period": "day"}
    known(home, "Europe/Amsterdam", {"name": "Home", "charges": [rate, standing]})
    said = {"party": "Ember", "supply": "electricity", "tariff": "Home", "at": "2024-01-01"}
    stating.add(home, "energy.agreement", said, "Ada", zone=AMSTERDAM)
    return home


def words(client: FlaskClient, **said: str) -> str:
    page = client.get("/energy/apart", query_string={"store": "home", "span": "month", "at": "2025-02-10", **said})
    assert page.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text))).replace("\u202f", " ")


def test_1_where_nothing_is_measured_by_itself_nothing_is_shown(store: Store, ada: FlaskClient) -> None:
    assert words(ada) == ""
    page = ada.get("/energy?store=home&span=month&at=2025-02-10").text
    assert 'hx-get="/energy/apart?' in page


def test_2_an_appliance_has_its_cost_and_the_rest_what_is_left(store: Store, ada: FlaskClient) -> None:
    """A freezer: 0.02 kWh a quarter-hour, 53.76 kWh and 16.13 in the month; in all 268.8 kWh, 80.64 and 14.00."""
    keep_month(store, "plug.energy", [20] * 96, "freezer")
    page = words(ada)
    assert "The freezer 53.8 kWh € 16.13" in page
    assert "Everything else, and what is paid each day 215.0 kWh € 78.51" in page
    assert "Which register" not in page
    assert "The freezer 1.92 kWh € 0.58" in words(ada, span="day")


def test_3_two_registers_are_told_apart(store: Store, ada: FlaskClient) -> None:
    """Another meter: 2 kWh a day in one register and 6 in the other."""
    keep_month(store, "electricity.import.t1", [0] * 48 + [125] * 48, "flat")
    keep_month(store, "electricity.import.t2", [125] * 16 + [0] * 80, "flat")
    page = words(ada, supply="electricity.import@flat")
    assert "Electricity from the grid, tariff 1 168.0 kWh € 50.40" in page
    assert "Electricity from the grid, tariff 2 56.0 kWh € 16.80" in page
    assert "What is paid each day 0.00 kWh € 14.00" in page


def test_4_days_that_nobody_read_show_nothing_and_no_day_is_refused(store: Store, ada: FlaskClient) -> None:
    assert words(ada, at="2019-02-10") == ""
    assert ada.get("/energy/apart?store=home&span=month&at=soon").status_code == 422
    assert ada.get("/energy/apart?store=home&span=decade&at=2025-02-10").status_code == 422
