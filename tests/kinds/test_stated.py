"""What a person says of a fact, by form or by command: checked, in normal form, with all problems at once."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import kinds
from appliance.kinds import Column, Field, FieldsError, FieldType, Kind

PLANT = Kind(
    "hobby.plant",
    "Plant",
    columns={"at": Column("Bought on"), "amount": Column("Price"), "memo": Column("Notes")},
    needs=("at",),
    fields={
        "species": Field("Species", required=True),
        "light": Field("Light", FieldType.CHOICE, choices=("sun", "shade")),
        "height": Field("Height", FieldType.DECIMAL, unit="cm"),
    },
)


def problems_of(kind: Kind, values: dict[str, str], *, partial: bool = False) -> FieldsError:
    with pytest.raises(FieldsError) as caught:
        kind.corrected(values, {}) if partial else kind.stated(values)
    return caught.value


def test_what_is_said_comes_out_typed_and_in_normal_form() -> None:
    stated = PLANT.stated(
        {"at": "2026-05-01", "species": " Ficus  lyrata", "light": "SHADE", "height": "80.0", "amount": "12.50",
         "unit": "GBP", "memo": "", "party": ""}
    )  # fmt: skip
    assert stated.at == date(2026, 5, 1)
    assert not isinstance(stated.at, datetime)
    assert (stated.title, stated.amount, stated.unit) == ("Ficus lyrata", Decimal("12.50"), "GBP")
    assert stated.fields == {"species": "Ficus lyrata", "light": "shade", "height": "80.0"}
    assert stated.given == {"at", "species", "light", "height", "amount", "unit"}


def test_a_time_keeps_its_offset() -> None:
    at = PLANT.stated({"at": "2026-05-01T10:00+02:00", "species": "Ficus"}).at
    assert isinstance(at, datetime)
    assert at.isoformat() == "2026-05-01T10:00:00+02:00"


def test_every_problem_is_told_at_once_by_the_name_on_the_form_and_in_the_command() -> None:
    error = problems_of(PLANT, {"colour": "red", "light": "moon", "height": "tall", "at": "yesterday", "amount": "1,5"})
    assert list(error.of) == ["colour", "light", "height", "at", "amount", "species"]
    colour, light, height, at, amount, species = error.problems
    assert colour == (
        "colour: is not part of hobby.plant; there are at, amount, species, light, height, memo, "
        "title, party, account, unit"
    )
    assert light == "Light: 'moon' is not there to choose; write one of sun, shade"
    assert height.startswith("Height: 'tall' is not a number")
    assert at.startswith("Bought on (at): 'yesterday' is not")
    assert amount.startswith("Price (amount): '1,5' is not a number")
    assert species.startswith("Species: is needed")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"amount": "0.0000001"}, "6 decimals"),
        ({"amount": "9223372036854.775808"}, "too large"),
        ({"at": "1815-12-10"}, "1900 to 2199"),
        ({"at": "2200-01-01"}, "1900 to 2199"),
        ({"at": "2026-05-01T10:00"}, "offset"),
        ({"species": ""}, "cannot be empty"),
        ({"at": ""}, "cannot be empty"),
        ({"title": " "}, "cannot be empty"),
    ],
)
def test_a_correction_is_refused_what_the_store_could_not_keep(values: dict[str, str], says: str) -> None:
    error = problems_of(PLANT, values, partial=True)
    assert len(error.problems) == 1
    assert says in error.problems[0]


def test_the_largest_amount_is_kept_to_the_last_digit() -> None:
    stated = PLANT.corrected({"amount": "-9223372036854.775807"}, {})
    assert stated.amount == Decimal("-9223372036854.775807")


def test_a_correction_says_only_what_changes_and_an_empty_text_clears() -> None:
    stated = PLANT.corrected({"height": "", "memo": "", "amount": "", "light": "sun"}, {})
    assert stated.fields == {"light": "sun"}
    assert (stated.title, stated.at, stated.amount, stated.memo) == ("", None, None, "")
    assert stated.given == {"height", "memo", "amount", "light"}


def test_a_choice_that_is_missing_is_named() -> None:
    kind = Kind("lamp", "Lamp", fields={"is": Field("Is", FieldType.CHOICE, choices=("on", "off"), required=True)})
    assert problems_of(kind, {"is": "  "}).problems == ("Is: is needed; write one of on, off",)


@pytest.mark.parametrize(
    ("name", "values", "title"),
    [
        ("me.about", {"name": "Rosa Keller"}, "Rosa Keller"),
        ("me.address", {"street": "1 High Street", "town": "Bath"}, "1 High Street"),
        ("money.transaction", {"at": "2026-05-01", "amount": "-5", "party": "Baker"}, "Baker"),
        ("money.transaction", {"at": "2026-05-01", "amount": "-5", "party": "Baker", "title": "Rolls"}, "Rolls"),
        ("money.balance", {"at": "2026-05-01", "amount": "5", "account": "1"}, "Balance"),
        ("note", {"memo": "Water the plants\nand the lawn"}, "Water the plants"),
    ],
)
def test_a_fact_has_a_title_though_none_was_given(name: str, values: dict[str, str], title: str) -> None:
    stated = kinds.every()[name].stated(values)
    assert stated.title == title
    assert ("title" in stated.given) == ("title" in values)


def test_a_form_asks_for_a_title_where_nothing_else_could_name_the_fact() -> None:
    assert "title" not in PLANT.form
    assert list(Kind("walk", "Walk", columns={"at": Column("When")}).form) == ["title", "at"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*PLANT.fields, *kinds.COLUMNS, "other"]), st.text()), st.booleans())
def test_whatever_is_typed_is_kept_or_told(values: dict[str, str], partial: bool) -> None:
    try:
        stated = PLANT.corrected(values, {}) if partial else PLANT.stated(values)
    except FieldsError as error:
        told = error.of
    else:
        told = {}
        assert partial or stated.title
        assert stated.given <= set(values)
    needed = set() if partial else {"at", "species"} - set(values)
    assert set(told) >= needed | (set(values) & {"other"})


@pytest.mark.parametrize(("said", "kept"), [("eur", "EUR"), ("€", "EUR"), ("£", "GBP"), ("JPY", "JPY")])
def test_a_currency_has_one_spelling_so_that_sums_are_whole(said: str, kept: str) -> None:
    plan = kinds.every()["me.plan"]
    assert plan.stated({"title": "x", "amount": "5", "unit": said}).unit == kept


@pytest.mark.parametrize("said", ["EURO!", "$", "kg"])
def test_what_is_no_currency_is_refused(said: str) -> None:
    with pytest.raises(FieldsError, match="three letters"):
        kinds.every()["me.plan"].stated({"title": "x", "amount": "5", "unit": said})


def test_nothing_ends_before_it_began() -> None:
    home = {"street": "1 Hearth Lane", "town": "Nook", "at": "2020-01-01"}
    with pytest.raises(FieldsError, match="before 2020-01-01"):
        kinds.every()["me.address"].stated({**home, "until": "2019-12-31"})
    assert kinds.every()["me.address"].stated({**home, "until": "2020-01-01"}).fields["until"] == "2020-01-01"


@pytest.mark.parametrize(
    ("held", "said", "field"),
    [
        ({"at": "2026-05-01"}, {"until": "2026-01-01"}, "until"),
        ({"at": "2020-01-01", "until": "2026-01-01"}, {"at": "2026-02-01"}, "at"),
        ({"at": "2026-05-01T08:00:00Z"}, {"until": "2026-05-01T09:00+02:00"}, "until"),
        ({"at": "2026-05-03T22:30:00Z"}, {"until": "2026-05-01"}, "until"),
    ],
)
def test_a_correction_ends_nothing_before_it_began(held: dict[str, str], said: dict[str, str], field: str) -> None:
    with pytest.raises(FieldsError, match="before") as raised:
        kinds.every()["me.plan"].corrected(said, held)
    assert set(raised.value.of) == {field}


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"at": "2026-05-01T23:30:00Z"}, {"until": "2026-05-01"}),  # it may be the 1st where it was said
        ({"at": "2026-05-01T08:00:00Z"}, {"until": "2026-05-01T11:00+02:00"}),
        ({"at": "2026-05-01", "until": "2026-01-01"}, {"place": "here"}),  # as a file brought it
        ({"at": "2026-05-01", "until": "2026-06-01"}, {"until": ""}),
        ({}, {"until": "2026-01-01"}),
    ],
)
def test_a_correction_that_contradicts_nothing_is_taken(held: dict[str, str], said: dict[str, str]) -> None:
    kinds.every()["me.plan"].corrected(said, held)


def test_a_bill_comes_after_the_days_that_it_is_for() -> None:
    bill = {"at": "2026-02-05", "party": "Grid", "amount": "60", "from": "2026-01-01", "until": "2026-01-31"}
    assert kinds.every()["energy.bill"].stated(bill).fields["until"] == "2026-01-31"
    with pytest.raises(FieldsError, match="before 2026-01-01"):
        kinds.every()["energy.bill"].stated({**bill, "until": "2025-12-31"})


@pytest.mark.parametrize(
    ("zone", "said", "kept"),
    [
        ("Europe/Amsterdam", "2026-06-01T10:30", "2026-06-01T10:30:00+02:00"),
        ("Europe/Amsterdam", "2026-12-01 10:30", "2026-12-01T10:30:00+01:00"),
        ("Europe/Amsterdam", "2026-06-01T10:30Z", "2026-06-01T10:30:00Z"),
        ("Europe/Amsterdam", "2026-06-01", "2026-06-01"),
        ("Europe/Amsterdam", "1910-06-01T10:30", "1910-06-01T10:10:28Z"),
    ],
)
def test_a_time_without_an_offset_is_one_of_the_zone(zone: str, said: str, kept: str) -> None:
    plan = kinds.every()["me.plan"]
    stated = plan.stated({"title": "x", "until": said}, zone=ZoneInfo(zone))
    assert stated.fields["until"] == kept
    assert plan.corrected({"until": said}, {}, zone=ZoneInfo(zone)).fields["until"] == kept


def test_a_time_without_an_offset_is_refused_where_no_zone_is_known() -> None:
    with pytest.raises(FieldsError, match="offset"):
        kinds.every()["me.plan"].stated({"title": "x", "at": "2026-06-01T10:30"})


def test_money_asks_for_a_currency_and_nothing_else_for_another_unit() -> None:
    every = kinds.every()
    assert every["me.plan"].form["unit"].help == "A currency, such as GBP."
    assert "kg" in every["health.measurement"].form["unit"].help
