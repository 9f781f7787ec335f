"""What makes no sense in a tariff is refused: with its place, in plain words, and with the next step."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from appliance.errors import UserError
from appliance.tariffs import Levy, Rate, Rates, Standing, Times
from tests.tariffs.test_format import problems, stated
from tests.tariffs.usages import tariff


def rate(band: str, *times: object, **more: object) -> dict[str, Any]:
    return {"band": band, "price": "0.3", **({"times": list(times)} if times else {}), **more}


def rates(*each: object, **more: object) -> dict[str, Any]:
    return {"kind": "rates", "rates": list(each), **more}


DAY, LATE = {"from": "07:00", "until": "23:00"}, {"from": "22:45", "until": "02:00"}

REFUSED = [
    (
        rates(rate("day", DAY), rate("late", LATE)),
        "charges[0].rates[1].times: rates[0] holds at the same time, Monday 22:45",
    ),
    (
        rates(
            rate("winter", {"season": {"from": "11-01", "until": "04-01"}}),
            rate("sunday", {"days": ["sunday"], "season": {"from": "03-01", "until": "06-01"}}),
        ),
        "charges[0].rates[1].times: rates[0] holds at the same time, Sunday 00:00 from 03-01 on",
    ),
    (rates(rate("a"), rate("b")), "charges[0].rates[1].times: rates[0] has none either"),
    (
        rates(rate("a", {"from": "07:00", "until": "07:00"})),
        "charges[0].rates[0].times[0].until: it is the same as from",
    ),
    (
        rates(rate("a", {"season": {"from": "02-30", "until": "04-01"}})),
        "charges[0].rates[0].times[0].season.from: '02-30' is not a day",
    ),
    (
        rates(rate("a", {"from": "07:10"})),
        "charges[0].rates[0].times[0].from: '07:10' is not a time on the quarter-hour",
    ),
    (rates(rate("a", {"days": ["funday"]})), "charges[0].rates[0].times[0].days[0]: 'funday' is none of monday"),
    (rates(rate("a"), **{"from": "2024-07-01", "until": "2024-07-01"}), "charges[0].until: 2024-07-01 is not after"),
    (rates(rate("a"), **{"from": "2024-02-30"}), "charges[0].from: '2024-02-30' is not a day of the calendar"),
    (rates(), "charges[0].rates: it has 0 entries; make it 1 to 100"),
    ({"kind": "levy", "price": "-1e5"}, "charges[0].price: '-1e5' is not such a number"),
    ({"kind": "levy", "price": "Infinity"}, "charges[0].price: 'Infinity' is not such a number"),
    ({"kind": "levy", "price": "0.12345678901"}, "charges[0].price: '0.12345678901' is not such a number"),
    ({"kind": "capacity", "price": "-3", "period": "year"}, "charges[0].price: '-3' is not such a number"),
    ({"kind": "capacity", "price": "3", "period": "year", "months": 0}, "charges[0].months: 0 is not a whole number"),
    ({"kind": "discount", "amount": "3", "percent": "3"}, "charges[0].percent: state either a percentage or an amount"),
    ({"kind": "discount", "amount": "3"}, "charges[0].from: it is missing; state the day"),
    ({"kind": "tax", "percent": "6", "on": ["Enregy"]}, "charges[0].on[0]: 'Enregy' is no charge"),
    (
        {"kind": "tiers", "period": "year", "tiers": [rate("a", up_to="100"), rate("b", up_to="90"), rate("c")]},
        "charges[0].tiers[1].up_to: 90 is not above 100",
    ),
    (
        {"kind": "tiers", "period": "year", "tiers": [rate("a", up_to="100")]},
        "charges[0].tiers[0].up_to: the last tier is for all that is beyond",
    ),
]


@pytest.mark.parametrize(("charge", "problem"), REFUSED, ids=[problem[:50] for _, problem in REFUSED])
def test_a_charge_that_makes_no_sense(charge: dict[str, Any], problem: str) -> None:
    (found,) = problems(stated(charge))
    assert found.startswith(f"hearth.json: {problem}")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"zone": "Europe/Bruxelles"}, "zone: 'Europe/Bruxelles' is not a time zone"),
        ({"zone": "../etc/passwd"}, "zone: '../etc/passwd' is not a time zone"),
        ({"currency": "euro"}, "currency: it has 4 characters"),
        ({"exit_fee": "-5"}, "exit_fee: '-5' is not such a number"),
        ({"notice_days": -1}, "notice_days: -1 is not a whole number from 0 to 3660"),
        ({"learnt": "2024-01-01"}, "learnt: '2024-01-01' is not a moment in UTC"),
        ({"from": "2024-01-01", "until": "2023-01-01"}, "until: 2023-01-01 is not after 2024-01-01"),
        ({"from": "0024-01-01"}, "from: 0024-01-01 is not a day from"),
        ({"name": "a\nb"}, "name: it has a line end or a control character"),
    ],
)
def test_a_tariff_that_makes_no_sense(more: dict[str, Any], problem: str) -> None:
    (found,) = problems(stated(**more))
    assert found.startswith(f"hearth.json: {problem}")


def test_versions_of_one_name_follow_one_another() -> None:
    first, second = rates(rate("a"), until="2024-07-02"), rates(rate("a"), **{"from": "2024-07-01"})
    (found,) = problems(stated(first, second))
    assert "charges[1].from: charges[0] is called 'Energy' too and holds until 2024-07-02" in found
    (found,) = problems(stated(rates(rate("a")), {"kind": "dynamic", "index": "day-ahead", "from": "2024-07-01"}))
    assert "holds for good" in found
    inside = rates(rate("a"), **{"from": "2024-02-01", "until": "2024-03-01"})
    after = rates(rate("a"), **{"from": "2024-04-01"})
    assert len(problems(stated(rates(rate("a"), until="2024-05-01"), inside, after))) == 2


def test_only_electricity_has_a_peak_of_power() -> None:
    (found,) = problems(stated({"kind": "capacity", "price": "3", "period": "year"}, supply="gas"))
    assert "charges[0].kind: gas has no quarter-hours of power" in found


def test_a_tariff_made_in_code_is_held_to_the_same() -> None:
    with pytest.raises(UserError, match=r"charges\[0\]\.price: 'NaN' is not such a number"):
        tariff("Europe/Brussels", Levy(price=Decimal("NaN")))
    rates = (Rate(band="a", price=Decimal(1), times=(Times(until_minute=1500),)),)
    with pytest.raises(UserError, match=r"charges\[0\]\.rates\[0\]\.times\[0\]\.until: '25:00'"):
        tariff("Europe/Brussels", Rates(rates=rates))
    with pytest.raises(TypeError, match="float"):
        tariff("Europe/Brussels", Levy(price=0.1))  # type: ignore[arg-type]


def test_a_standing_charge_of_nought_is_no_problem() -> None:
    assert tariff("Europe/Brussels", Standing(price=Decimal(0), period="day", from_day=date(2024, 1, 1))).charges
