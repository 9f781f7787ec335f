"""Bills against literal ones, worked by hand: January 2025 at 12 kWh a day is 372 kWh.

372 x 0.25 = 93.00, 31 x 0.50 = 15.50, VAT 20 % of 108.50 = 21.70: 130.20.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance import billing
from appliance.billing import Check, Unchecked
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.store.database import Store
from tests.costs.tariffs import known
from tests.meter_series import keep

LONDON = ZoneInfo("Europe/London")
STANDING = {"kind": "standing", "price": "0.50", "period": "day"}
VAT = {"kind": "tax", "percent": "20"}


def rates(price: str, **more: str) -> dict[str, Any]:
    return {"kind": "rates", "rates": [{"band": "all day", "price": price}], **more}


HOME = {
    "name": "Home",
    "charges": [rates("0.20", until="2024-12-01"), rates("0.25", **{"from": "2024-12-01"}), STANDING, VAT],
}
RIVAL = {"name": "Rival", "charges": [rates("0.31"), STANDING, VAT]}


def ms(day: int, month: int = 1) -> int:
    return int(datetime(2025, month, day, tzinfo=LONDON).timestamp()) * 1000


@pytest.fixture
def january(store: Store) -> Store:
    """A store with January's half-hours, the tariffs and what was agreed."""
    keep(store, "electricity.import", [250] * 48 * 31, first_ms=ms(1), exponent=-3)
    known(store, "Europe/London", HOME, RIVAL, currency="GBP")
    agreed(store, "Home")
    return store


def agreed(store: Store, tariff: str) -> None:
    said = {"party": "Ember", "supply": "electricity", "tariff": tariff, "at": "2024-11-01"}
    stating.add(store, "energy.agreement", said, "Ada", zone=LONDON)


def add_bill(store: Store, to_pay: str, **more: str) -> int:
    said = {"at": "2025-02-03", "party": "Ember", "amount": to_pay, "unit": "GBP", "supply": "electricity"}
    period = {"from": "2025-01-01", "until": "2025-01-31"}
    return stating.add(store, "energy.bill", said | period | more, "Ada", zone=LONDON).id


def checked(store: Store, to_pay: str, **more: str) -> Check:
    return billing.check(store, add_bill(store, to_pay, **more), LONDON)


def test_a_right_bill_is_made_again_line_by_line(january: Store) -> None:
    found = checked(january, "130.20", used="372", standing_charge="15.50", tax="21.70")
    lines = [(each.line.name, each.line.quantity, each.line.price, each.amount) for each in found.lines]
    assert lines == [
        ("Energy", Decimal(372), Decimal("0.25"), Decimal("93.00")),
        ("Standing charge", Decimal(31), Decimal("0.50"), Decimal("15.50")),
        ("VAT", Decimal("108.50"), Decimal(20), Decimal("21.70")),
    ]
    assert (found.total, found.difference) == (Decimal("130.20"), Decimal(0))
    assert not found.causes + found.told
    assert found.verdict == "The bill is right to the last cent."
    assert [(each.what, each.billed, each.ours) for each in found.compared] == [
        ("Used", Decimal(372), Decimal(372)),
        ("Price of a unit", None, Decimal("0.25")),
        ("For what was used", None, Decimal("93.00")),
        ("Standing charges", Decimal("15.50"), Decimal("15.50")),
        ("Tax", Decimal("21.70"), Decimal("21.70")),
        ("To pay", Decimal("130.20"), Decimal("130.20")),
    ]
    assert [each.difference for each in found.compared] == [Decimal(0), None, None, *[Decimal(0)] * 3]


@pytest.mark.parametrize(
    ("to_pay", "said", "causes"),
    [
        ("130.21", {}, [("rounding", "0.01", "no more than rounding each line")]),
        ("130.35", {}, [("rounding", "0.15", "rounding the use to a whole kWh")]),
        ("138.60", {"used": "400", "estimated": "yes"}, [("use", "8.40", "28 kWh more. It says that its readings")]),
        ("130.80", {}, [("days", "0.60", "counted for 32 days, and the period has 31")]),
        ("128.40", {"standing_charge": "14"}, [("days", "-1.80", "counted for 28 days, and the period has 31")]),
        ("131.29", {}, [("tax", "1.09", "if VAT is 21 %, and the tariff says 20 %")]),
        ("108.50", {}, [("tax", "-21.70", "if VAT is left out")]),
        ("107.88", {}, [("price", "-22.32", "as it was before 2024-12-01 is used")]),
        ("156.98", {}, [("tariff", "26.78", "those of Rival")]),
        (
            "114.61",
            {"used": "400"},
            [
                ("use", "8.40", "400 kWh, your readings 372 kWh: 28 kWh more"),
                ("price", "-24.00", "before 2024-12-01"),
                ("rounding", "0.01", "rounding"),
            ],
        ),
    ],
)
def test_the_difference_is_explained_by_what_makes_the_bill_s_own_total(
    january: Store, to_pay: str, said: dict[str, str], causes: list[tuple[str, str, str]]
) -> None:
    found = checked(january, to_pay, **said)
    assert [(each.kind, str(each.amount)) for each in found.causes] == [(kind, amount) for kind, amount, _ in causes]
    for cause, (_, _, words) in zip(found.causes, causes, strict=True):
        assert words in cause.text
    assert found.unexplained == Decimal(0)
    assert not found.also


@pytest.mark.parametrize(
    ("to_pay", "said", "causes"),
    [
        ("165.91", {"unit_price": "0.33"}, [("rate", "35.71", "if a kWh costs 0.33 GBP, and the tariff says 0.25")]),
        ("165.91", {"units_charge": "122.76"}, [("rate", "35.71", "a kWh costs 0.33 GBP")]),
        ("165.91", {"unit_price": "0.396"}, [("rate", "35.71", "costs 0.396 GBP with tax, and the tariff says 0.3")]),
        ("156.98", {"unit_price": "0.31"}, [("tariff", "26.78", "those of Rival")]),
        ("107.88", {"unit_price": "0.2"}, [("price", "-22.32", "as it was before 2024-12-01 is used")]),
        (
            "168.31",
            {"unit_price": "0.33", "standing_charge": "17.50"},
            [("rate", "35.71", "By the bill, a kWh costs 0.33"), ("standing", "2.40", "asks 17.50 GBP of standing")],
        ),
        ("140.20", {"tax": "31.70"}, [("tax", "10.00", "asks 31.70 GBP of tax, and on these lines it is 21.70")]),
        ("130.20", {"used": "372", "until": "2025-02-01"}, [("days", "-0.60", "its last day, 2025-02-01, is not")]),
    ],
)
def test_what_the_bill_itself_states_otherwise_is_a_cause(
    january: Store, to_pay: str, said: dict[str, str], causes: list[tuple[str, str, str]]
) -> None:
    found = checked(january, to_pay, **said)
    assert [(each.kind, str(each.amount)) for each in found.causes] == [(kind, amount) for kind, amount, _ in causes]
    for cause, (_, _, words) in zip(found.causes, causes, strict=True):
        assert words in cause.text
    assert found.unexplained == Decimal(0)


def test_instalments_and_debts_are_no_cost_of_these_days(january: Store) -> None:
    found = checked(january, "-19.80", adjustments="-150.00")
    assert found.verdict == "The bill is right to the last cent."
    last = found.compared[-1]
    assert (last.what, last.billed, last.ours) == ("For these days", Decimal("130.20"), Decimal("130.20"))


def test_a_meter_point_is_known_again_however_it_is_spaced(january: Store) -> None:
    keep(january, "electricity.import", [100] * 48 * 31, first_ms=ms(1), exponent=-3, source="barn")
    for name, source, point in (("Home", "house", "1200123456003"), ("Barn", "barn", "")):
        said = {"title": name, "supply": "electricity", "source": source, "point": point}
        stating.add(january, "energy.supply", {key: text for key, text in said.items() if text}, "Ada", zone=LONDON)
    with pytest.raises(UserError, match="fits several supplies"):
        checked(january, "130.20")
    assert checked(january, "130.20", meter_point="12 0012 3456 003").supply.name == "Home"


def test_what_price_would_make_the_total_is_told_where_nothing_explains_it(january: Store) -> None:
    [said] = checked(january, "151.00").told
    assert "it would be right if a kWh cost 0.2966 GBP before tax, and the tariff says 0.25" in said


def test_many_bills_are_checked_as_each_by_itself(january: Store) -> None:
    for number, (first, until) in enumerate([(1, 31), (1, 15), (16, 31), (31, 31), (5, 20)]):
        period = {"from": f"2025-01-{first:02}", "until": f"2025-01-{until:02}"}
        add_bill(january, "70.00", number=str(number), used="200", **period)
    for each in billing.every(january, LONDON):
        assert isinstance(each, Check)
        alone = billing.check(january, each.bill.fact, LONDON)
        assert (each.total, each.causes, each.unexplained) == (alone.total, alone.causes, alone.unexplained)


def test_what_nothing_explains_is_said_to_be_so(january: Store) -> None:
    found = checked(january, "151.00")
    assert not found.causes
    assert found.unexplained == Decimal("20.80")
    assert found.verdict.startswith("The bill asks 20.80 GBP more than its tariff and your readings make, and none")
    part = checked(january, "160.00", used="400", number="2")
    assert (part.causes[0].kind, part.unexplained) == ("use", Decimal("21.40"))
    assert part.verdict.endswith("21.40 GBP of it is not explained.")


def test_day_and_night_the_wrong_way_round_are_found(january: Store) -> None:
    night = {"band": "night", "price": "0.10", "times": [{"from": "00:00", "until": "06:00"}]}
    split = {"kind": "rates", "rates": [night, {"band": "day", "price": "0.30"}]}
    known(january, "Europe/London", {"name": "Split", "charges": [split]}, currency="GBP")
    agreed(january, "Split")
    found = checked(january, "55.80")  # 93 kWh at 0.30 and 279 at 0.10, for 93 at 0.10 and 279 at 0.30
    assert (found.total, found.causes[0].kind, found.unexplained) == (Decimal("93.00"), "bands", Decimal(0))


def test_an_estimated_reading_is_told_by_what_the_meter_showed(store: Store) -> None:
    keep(store, "electricity.import", [1000, 1372], first_ms=ms(1), seconds=0, every_s=31 * 86400, exponent=0)
    known(store, "Europe/London", HOME, currency="GBP")
    agreed(store, "Home")
    found = checked(store, "138.60", register_before="1000", register_after="1400")
    assert [(each.what, each.billed, each.ours) for each in found.compared[:3]] == [
        ("Register before", Decimal(1000), Decimal(1000)),
        ("Register after", Decimal(1400), Decimal(1372)),
        ("Used", Decimal(400), Decimal(372)),
    ]
    [cause] = found.causes
    assert "takes 1,400 as the last reading, and the meter showed 1,372" in cause.text
    assert cause.amount == Decimal("8.40")


def test_a_bill_without_any_reading_of_ours_is_checked_by_its_own_use(january: Store) -> None:
    found = checked(january, "109.20", used="280", **{"from": "2025-02-01", "until": "2025-02-28"})
    assert found.unexplained == Decimal("109.20") - (Decimal("70.00") + Decimal("14.00")) * Decimal("1.2")
    assert any(each.startswith("not read, or only in part") for each in found.told)


def test_what_cannot_be_checked_says_what_to_do(january: Store) -> None:
    no_days = stating.add(
        january, "energy.bill", {"at": "2025-03-01", "party": "Ember", "amount": "5"}, "Ada", zone=LONDON
    )
    with pytest.raises(UserError, match=f"inglenook correct {no_days.id} from="):
        billing.check(january, no_days.id, LONDON)
    add_bill(january, "5", **{"from": "2024-09-01", "until": "2024-09-30"})
    add_bill(january, "5", supply="gas")
    add_bill(january, "130.20", number="7")
    problems = [
        each.problem if isinstance(each, Unchecked) else each.verdict for each in billing.every(january, LONDON)
    ]
    assert len(problems) == 4
    assert any("is not known from 2024-09-01 to 2024-09-30; add an agreement" in each for each in problems)
    assert any("is for gas, of which there is no supply" in each for each in problems)
    assert "The bill is right to the last cent." in problems
    with pytest.raises(UserError, match="there is no energy bill 99999"):
        billing.check(january, 99999, LONDON)


def test_a_right_total_is_right_whatever_the_bill_counts(january: Store) -> None:
    found = checked(january, "130.21", used="400")
    assert found.is_right
    assert [each.kind for each in found.causes] == ["rounding"]
