"""How amounts, sizes and roles are said."""

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask, g

from appliance.people import Household
from services.dashboard.wording import (
    kind_title,
    local_date,
    money,
    page_words,
    role_title,
    size,
    speaker,
    when,
)


@pytest.mark.parametrize(
    ("amount", "unit", "said"),
    [
        ("-1234.5", "EUR", "−€\u202f1,234.50"),
        ("12.30", "GBP", "+£\u202f12.30"),
        ("-5", "CHF", "−5.00 CHF"),
        ("1500", "JPY", "+1,500 JPY"),
        ("0.000001", "EUR", "+€\u202f0.000001"),
        ("1.5", "KWD", "+1.500 KWD"),
        ("0", "EUR", "€\u202f0.00"),
        ("1E+3", "", "+1,000.00"),
    ],
)
def test_money(amount: str, unit: str, said: str) -> None:
    assert money(Decimal(amount), unit) == said


def test_nothing_is_said_of_no_amount() -> None:
    assert money(None, "EUR") == ""


@pytest.mark.parametrize(
    ("role", "title"),
    [
        ("gas", "Gas"),
        ("electricity.import.t2", "Electricity from the grid, tariff 2"),
        ("electricity.power.l1", "Power from the grid, phase 1"),
        ("heat_pump.flow", "Heat pump flow"),
    ],
)
def test_roles(role: str, title: str) -> None:
    assert role_title(role) == title


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("there is no fact 9; see: inglenook records", "there is no fact 9"),
        ("import 3 is undone already; inglenook imports redo 3 brings it back", "import 3 is undone already"),
        ("bring it back first: inglenook imports redo 3", "bring it back first"),
        ("say 1 to 1200, such as: inglenook retention x delete --after 24", "say 1 to 1200"),
        ("undo the later one first (see: inglenook imports)", "undo the later one first"),
        ("it has no recovery kit yet: inglenook --store ada kit make", "it has no recovery kit yet"),
        ("or take the kit and run: inglenook --store ada kit use", "or take the kit"),
        (
            "it opens with the box's key. To lock it: inglenook --store ada key mode locked",
            "it opens with the box's key",
        ),
        ("the deletion of inglenook smith was begun, and more", "the deletion of inglenook smith was begun, and more"),
        ("nobody called 'inglenook bea' lives here; see: inglenook people", "nobody called 'inglenook bea' lives here"),
        ("there is one already (inglenook the second)", "there is one already (inglenook the second)"),
        ("take it out of inglenook.toml first", "take it out of inglenook.toml first"),
    ],
)
def test_a_page_tells_nobody_to_type_a_command(problem: str, said: str) -> None:
    assert page_words(problem) == said


def test_a_time_at_the_ends_of_the_calendar_is_shown_as_it_is() -> None:
    with Flask("test").app_context():
        g.household = Household("Home", "Europe/Amsterdam", "EUR")
        assert when("9999-12-31T23:30:00Z") == "31 Dec 9999, 23:30"
        assert local_date("9999-12-31T23:30:00Z") == date(9999, 12, 31)


def test_who_used_a_command_is_said_apart() -> None:
    assert (speaker("Ada"), speaker("root, by command")) == ("Ada", "root, by command,")


def test_kinds_and_sizes() -> None:
    assert kind_title("money.transaction") == "Transaction"
    assert [size(each) for each in (1, 999, 1500, 64_000_000, 5 * 10**12)] == [
        "1 byte",
        "999 bytes",
        "1.5 kB",
        "64.0 MB",
        "5000.0 GB",
    ]
