"""Telling rows that a store has from new ones: tables of what banks do, and what each row must then be."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ingest import dedupe
from appliance.ingest.dedupe import (
    AGAIN,
    IDS_KEPT,
    IDS_REWRITTEN,
    NO_OTHER,
    OTHER_UNIT,
    SAME_CONTENT,
    SAME_ID,
    Known,
    Row,
)
from appliance.records import Record, Span
from appliance.store.series import Columns

Rows = list[str]  # "content/id": equal contents are equal rows
NEW = ("new", "")

CASES: dict[str, tuple[Rows, Rows, list[tuple[str, str]]]] = {
    # name: (what the store has, what a file says, what each row is: a stored row's place or "new", and why)
    "an empty store": ([], ["a/1", "a/2", "b/3"], [NEW, NEW, NEW]),
    "the same rows": (["a/1", "b/2"], ["a/1", "b/2"], [("0", SAME_ID), ("1", SAME_ID)]),
    "the same rows in another order": (["a/1", "b/2"], ["b/2", "a/1"], [("1", SAME_ID), ("0", SAME_ID)]),
    "rows without ids": (["a/", "b/"], ["a/", "b/"], [("0", SAME_CONTENT), ("1", SAME_CONTENT)]),
    "twins without ids": (["a/", "a/"], ["a/", "a/"], [("0", SAME_CONTENT), ("1", SAME_CONTENT)]),
    "twins, then three": (
        ["a/", "a/"],
        ["a/", "a/", "a/"],
        [("0", SAME_CONTENT), ("1", SAME_CONTENT), ("new", AGAIN)],
    ),
    "twins with ids, then three": (
        ["a/1", "a/2"],
        ["a/3", "a/1", "a/2"],
        [("new", AGAIN), ("0", SAME_ID), ("1", SAME_ID)],
    ),
    "twins, then one of them": (["a/1", "a/2"], ["a/2"], [("1", SAME_ID)]),
    "every id rewritten": (["a/1", "b/2"], ["a/8", "b/9"], [("0", IDS_REWRITTEN), ("1", IDS_REWRITTEN)]),
    "the only row's id rewritten": (["a/1"], ["a/9"], [("0", NO_OTHER)]),
    "an equal row with another id where the others kept theirs": (
        ["a/1", "b/2", "c/3"],
        ["a/9", "b/2", "c/3"],
        [("new", IDS_KEPT), ("1", SAME_ID), ("2", SAME_ID)],
    ),
    "an equal row with another id where one other kept its": (
        ["a/1", "b/2"],
        ["a/9", "b/2"],
        [("new", IDS_KEPT), ("1", SAME_ID)],
    ),
    "more ids rewritten than kept": (
        ["a/1", "b/2", "c/3"],
        ["a/8", "b/9", "c/3"],
        [("0", IDS_REWRITTEN), ("1", IDS_REWRITTEN), ("2", SAME_ID)],
    ),
    "an id used again for other content": (["a/1"], ["b/1"], [NEW]),
    "an id used again for other content, the rest the same": (
        ["a/1", "b/2"],
        ["a/1", "c/2"],
        [("0", SAME_ID), NEW],
    ),
    "a bank that begins to give ids": (["a/", "b/"], ["a/1", "b/2"], [("0", SAME_CONTENT), ("1", SAME_CONTENT)]),
    "a bank that stops giving ids": (["a/1", "b/2"], ["a/", "b/"], [("0", SAME_CONTENT), ("1", SAME_CONTENT)]),
    "twins of which the file swaps the order": (["a/1", "a/2"], ["a/2", "a/1"], [("1", SAME_ID), ("0", SAME_ID)]),
    "another account, whose ids were kept, is no evidence": (
        ["a/1", "b/2", "other account/5"],
        ["a/8", "b/9", "other account/5"],
        [("0", IDS_REWRITTEN), ("1", IDS_REWRITTEN), ("2", SAME_ID)],
    ),
}


def _fingerprint(content: str) -> bytes:
    account = b"othr" if content.startswith("other") else b"same"
    return account + content.ljust(16).encode()[:16]


def _split(row: str) -> Row:
    content, _, supplier_id = row.partition("/")
    return Row(_fingerprint(content), supplier_id)


def _known(rows: Rows) -> dict[bytes, list[Known]]:
    known: dict[bytes, list[Known]] = defaultdict(list)
    for place, (equal, supplier_id) in enumerate(row[:2] for row in map(_split, rows)):
        known[equal].append(Known(place, {supplier_id} - {""}))
    return known


@pytest.mark.parametrize("name", CASES)
def test_each_row_is_what_the_table_says(name: str) -> None:
    stored, said, expected = CASES[name]
    decisions = dedupe.decide([_split(row) for row in said], _known(stored))
    found = [(str(each.known.fact) if each.known else "new", each.reason) for each in decisions]
    assert found == expected


ROWS = st.lists(st.sampled_from([f"{content}/{number}" for content in "ab" for number in ("", 1, 2, 3)]), max_size=8)


@given(stored=ROWS, said=ROWS)
def test_no_stored_row_is_repeated_by_two_of_one_file(stored: Rows, said: Rows) -> None:
    decisions = dedupe.decide([_split(row) for row in said], _known(stored))
    repeated = [each.known.fact for each in decisions if each.known]
    assert len(repeated) == len(set(repeated))
    for row, decision in zip(said, decisions, strict=True):
        assert decision.known is None or _split(stored[decision.known.fact])[0] == _split(row)[0]


@given(rows=ROWS)
def test_the_same_rows_again_are_never_new(rows: Rows) -> None:
    decisions = dedupe.decide([_split(row) for row in rows], _known(rows))
    assert all(each.known for each in decisions)


# ---- what makes rows equal ----


def _print_of(**said: object) -> bytes:
    whole = {"kind": "money.transaction", "at": date(2026, 3, 1), "title": "Baker", "account": "1"}
    record = Record(span=Span(0, 1), amount=Decimal("-12.50"), **{**whole, **said})  # type: ignore[arg-type]
    return dedupe.fingerprint(record, "bank")


@pytest.mark.parametrize(
    "said",
    [
        {"amount": Decimal("-12.5")},
        {"title": "  Baker "},
        {"memo": "  "},
        {"supplier_id": "F1"},
        {"fields": {"balance": "100"}},
        {"at": datetime(2026, 3, 1, 23, tzinfo=UTC)},
        {"span": Span(5, 9)},
        {"unit": "EUR"},
    ],
)
def test_what_a_bank_changes_from_file_to_file_makes_no_other_row(said: dict[str, object]) -> None:
    whole = {"kind": "money.transaction", "at": date(2026, 3, 1), "title": "Baker", "account": "1"}
    plain = {"span": Span(0, 1), "amount": Decimal("-12.50")}
    assert dedupe.fingerprint(Record(**{**whole, **plain, **said}), "bank") == _print_of()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said",
    [
        {"at": date(2026, 3, 2)},
        {"at": None},
        {"title": "Butcher"},
        {"memo": "rolls"},
        {"account": "2"},
        {"kind": "shop.purchase"},
        {"account_key": "999/1"},
    ],
)
def test_what_a_row_says_makes_it_another(said: dict[str, object]) -> None:
    assert _print_of(**said) != _print_of()


def test_a_moment_tells_measurements_apart_in_whatever_offset_it_is_said() -> None:
    def measured(at: datetime) -> bytes:
        return _print_of(kind="health.measurement", at=at)

    summer = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert measured(summer.astimezone(timezone(timedelta(hours=2)))) == measured(summer)
    assert measured(summer + timedelta(minutes=1)) != measured(summer)


def test_rows_of_one_account_are_looked_for_in_one_range_that_covers_them() -> None:
    prints = [_print_of(at=date(2026, 3, day)) for day in (5, 1, 9)] + [_print_of(account="2")]
    ranges = dedupe.ranges(prints)
    assert len(ranges) == 2
    assert all(any(low <= each <= high for low, high in ranges) for each in prints)
    outside = _print_of(at=date(2026, 3, 10))
    assert not any(low <= outside <= high for low, high in ranges)


# ---- readings ----

READINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 2)), max_size=12)


@given(file=READINGS, stored=READINGS)
def test_a_reading_is_new_by_its_occurrence_among_equal_ones(
    file: list[tuple[int, int, int]], stored: list[tuple[int, int, int]]
) -> None:
    left, expected = list(stored), []
    for each in file:
        expected.append(each not in left)
        if each in left:
            left.remove(each)
    assert dedupe.new_readings(_columns(file), _columns(stored)).tolist() == expected


def _columns(readings: list[tuple[int, int, int]]) -> Columns:
    table = np.array(readings, np.int64).reshape(-1, 3)
    return Columns(table[:, 0], table[:, 1], table[:, 2])


def test_the_same_sum_in_another_currency_is_another_fact() -> None:
    euros, dollars, unsaid = (Row(b"x" * 20, "", unit) for unit in ("EUR", "USD", ""))
    known = {b"x" * 20: [Known(1, unit="EUR")]}
    assert [each.reason for each in dedupe.decide([dollars], known)] == [OTHER_UNIT]
    assert [each.reason for each in dedupe.decide([euros], known)] == [SAME_CONTENT]
    assert [each.reason for each in dedupe.decide([unsaid], known)] == [SAME_CONTENT]


def test_rows_without_an_account_are_their_source_s() -> None:
    record = Record("money.transaction", date(2026, 1, 2), "Baker", Span(0, 1), amount=Decimal("-1"))
    assert dedupe.fingerprint(record, "one") != dedupe.fingerprint(record, "other")
