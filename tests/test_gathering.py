"""Rows gathered into blocks and runs: exact, in order, and each of them once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.gathering import BLOCK, NO_VALUE, Column, Gathering, Place, Table, interval_name, number
from appliance.records import Item, Readings, Rejected, Source, Warned
from tests.contracts.importers import keeps_the_rules

SOURCE = Source("meter")


def readings(items: list[Item]) -> list[Readings]:
    return [item for item in items if isinstance(item, Readings)]


def values(items: list[Item]) -> list[Decimal]:
    return [Decimal(value).scaleb(block.exponent) for block in readings(items) for value in block.values]


def table(*columns: Column) -> Table:
    return Table(SOURCE, columns or [Column("gas", "m3")])


def add(out: Gathering, to: Table, at: int, *stated: str, quality: str = "") -> None:
    out.add(to, at * 1000, 0, [number(each) for each in stated], at * 10, at * 10 + 9, quality)


def place(at: int) -> Place:
    return Place(f"row {at}", at, at * 10, 9)


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("1.50", ".", "1.5"),
        ("-0.5", ".", "-0.5"),
        ("+7", ".", "7"),
        (".5", ".", "0.5"),
        ("5.", ".", "5"),
        ("0012.0", ".", "12"),
        ("0,173", ",", "0.173"),
        (" 3 ", ".", "3"),
        ("0E-20", ".", "0"),
        ("1e-3", ".", "0.001"),
        ("1.5E2", ".", "150"),
        ("0.30000000000000004", ".", "0.3"),  # a supplier's own floating point
        ("0.123456789", ".", "0.123456789"),
        ("0.00550000000000", ".", "0.0055"),
    ],
)
def test_a_number_is_read_exactly(text: str, mark: str, value: str) -> None:
    found = number(text, mark)
    assert found is not None
    assert Decimal(found[0]).scaleb(-found[1]) == Decimal(value)


@pytest.mark.parametrize("text", ["", " ", "?", "-", "null", "NaN", "n/a"])
def test_what_states_no_value_is_no_number_and_no_zero(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize("text", ["x", "1,5", "1_000", "1.2.3", "e5", ".", "+", "１２", "1e", "0x10", "12 kWh"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        number(text)


@pytest.mark.parametrize("text", ["1234567890", "1e9", "9" * 25, "1e99"])
def test_what_no_meter_shows_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="too large"):
        number(text)


def test_a_point_is_no_decimal_mark_where_that_is_a_comma() -> None:
    with pytest.raises(ValueError, match="not a number"):
        number("1.234", ",")


@given(st.lists(st.decimals(-(10**9) + 1, 10**9 - 1, places=9), min_size=1, max_size=20))
def test_values_are_exact_whatever_the_others_decimals(stated: list[Decimal]) -> None:
    out, to = Gathering(), table()
    for at, value in enumerate(stated):
        add(out, to, at, f"{value:f}")
    assert values(out.ended()) == stated


def test_a_block_ends_where_the_quality_changes_and_at_its_size() -> None:
    out, to = Gathering(), table()
    add(out, to, 0, "1", quality="read")
    add(out, to, 1, "1", quality="estimated")
    for at in range(2, BLOCK + 5):
        add(out, to, at, "1")
    items = out.taken() + out.ended()
    assert [(block.quality, len(block.values)) for block in readings(items)] == [
        ("read", 1),
        ("estimated", 1),
        ("", BLOCK),
        ("", 3),
    ]
    keeps_the_rules(items, (BLOCK + 5) * 10)


def test_rows_that_follow_one_another_for_one_reason_are_one_line_with_their_count() -> None:
    out, to = Gathering(), table()
    add(out, to, 0, "1")
    for at in (1, 2, 3):
        out.reject(place(at), NO_VALUE)
    out.reject(place(4), "another reason")
    add(out, to, 5, "1")
    out.reject(place(6), NO_VALUE)
    items = out.taken() + out.ended()
    rejects = [item for item in items if isinstance(item, Rejected)]
    assert [(each.where, each.line, each.count) for each in rejects] == [
        ("row 1 to row 3", 1, 3),
        ("row 4", 4, 1),
        ("row 6", 6, 1),
    ]
    assert (rejects[0].span.first, rejects[0].span.length) == (10, 29)
    keeps_the_rules(items, 100)


def test_values_that_are_missing_beside_others_are_said_and_not_stored() -> None:
    both = table(Column("gas", "m3", title="Gas"), Column("water", "m3", title="Water"))
    out = Gathering()
    for at, water in enumerate(("1.5", "", "2")):
        add(out, both, at, str(at), water)
    items = out.ended()
    assert {block.role: list(block.at_ms) for block in readings(items)} == {"gas": [0, 1000, 2000], "water": [0, 2000]}
    assert [item.message for item in items if isinstance(item, Warned)] == ["1 row has no value of Water."]


def test_a_column_that_is_always_blank_is_no_fault() -> None:
    both = table(Column("gas", "m3"), Column("water", "m3"))
    out = Gathering()
    add(out, both, 0, "1", "")
    assert not [item for item in out.ended() if isinstance(item, Warned)]


def test_a_file_without_a_reading_is_said() -> None:
    assert [item.message for item in Gathering().ended() if isinstance(item, Warned)] == ["The file holds no readings."]


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(900, "quarter-hourly"), (82_800, "daily"), (90_000, "daily"), (31 * 86_400, "monthly"), (7200, "7200-second")],
)
def test_an_interval_has_a_name(seconds: int, name: str) -> None:
    assert interval_name(seconds) == name
