"""The table of budgets says ok where a budget is kept, and only there."""

import pytest

from tests.benchmarks.__main__ import number
from tests.benchmarks.row import Row


@pytest.mark.parametrize(
    ("measured", "at_most", "within"),
    [(149.9, True, True), (150, True, True), (150.1, True, False), (149.9, False, False), (150, False, True)],
)
def test_a_budget_is_a_ceiling_or_a_floor(measured: float, at_most: bool, within: bool) -> None:
    assert Row("idle", measured, 150, "MB", at_most).within is within


@pytest.mark.parametrize(("value", "text"), [(0.4871, "0.487"), (12.34, "12.3"), (99.96, "100"), (21540.2, "21,540")])
def test_numbers_show_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
