"""What is worked out of facts follows them into an archive and back, and out of the store when they are deleted."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from appliance import archiving, deleting
from appliance.derive import attributes, events, since, sums, tally
from appliance.ingest import importing, stating
from appliance.store import links, timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from tests.statements import Row, ofx


@pytest.fixture
def facts(store: Store) -> tuple[int, int]:
    """A payment and its order, linked, with a category each."""
    attributes.add_table(store, "categories", "mine.csv", b"pattern,category\nhazel,Food\n", "pattern")
    said = {"party": "Hazel", "title": "Veg", "at": "2026-03-10", "amount": "25", "unit": "EUR"}
    ordered = stating.add(store, "shop.order", said, "Ann").id
    importing.import_bytes(store, ofx([Row(date(2026, 3, 10), "-25.00", "HAZEL 1")]), "s.ofx")
    with store.read() as connection:
        [paid] = [each.id for each in timeline.matching(connection, Query(kind="money.transaction"))]
    assert told(store, ordered) == ([paid, ordered], {"EUR": Decimal("-25.00")}, {paid, ordered}, 2)
    return paid, ordered


def told(store: Store, fact: int) -> tuple[list[int], dict[str, Decimal], set[int], int]:
    """A fact's event, what all comes to, which facts have attributes, and how many are tallied."""
    events.refresh(store)
    attributes.refresh(store)
    with store.read() as connection:
        event = events.of(connection, fact)
        return (
            [each.id for each in event.facts] if event else [],
            {each.unit: each.amount for each in sums.of(connection, Query())},
            set(attributes.of(connection, range(100))),
            sum(each.total for each in tally.every(connection).values()),
        )


def test_an_archive_takes_a_fact_out_of_its_event_and_brings_it_back(
    store: Store, facts: tuple[int, int], tmp_path: Path
) -> None:
    paid, ordered = facts
    made = archiving.make(store, tmp_path, "money.transaction", date(2026, 4, 1))
    assert made is not None
    assert told(store, ordered) == ([ordered], {"EUR": Decimal("-25.00")}, {ordered}, 1)
    archiving.attach(store, tmp_path, made.archive)
    assert told(store, ordered) == ([paid, ordered], {"EUR": Decimal("-25.00")}, {paid, ordered}, 2)


def test_many_facts_are_followed_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(since, "BATCH", 3)
    attributes.add_table(store, "categories", "mine.csv", b"pattern,category\nmill,Bread\n", "pattern")
    rows = [Row(date(2026, 3, day), f"-{day}.00", "Mill") for day in range(1, 12)]
    importing.import_bytes(store, ofx(rows), "s.ofx")
    stating.withdraw(store, 2, "Ann", "not mine")
    stating.correct(store, 3, {"amount": "-30"}, "Ann")
    said = {"party": "Mill", "title": "Loaf", "at": "2026-03-05", "amount": "5", "unit": "EUR"}
    ordered = stating.add(store, "shop.order", said, "Ann").id
    expected = ([5, ordered], {"EUR": Decimal("-91.00")}, {*range(1, 12), ordered} - {2}, 11)
    assert told(store, ordered) == expected
    importing.import_bytes(store, ofx(rows, "87654321"), "other.ofx", source="other")
    stating.withdraw(store, ordered, "Ann", "no")
    assert told(store, 5)[3] == 21
    assert len(told(store, 5)[2]) == 21


def test_of_a_deleted_fact_nothing_is_left(store: Store, facts: tuple[int, int], tmp_path: Path) -> None:
    paid, ordered = facts
    deleting.fact(store, tmp_path, paid, "Ann")
    with store.read() as connection:
        assert links.of(connection, [paid, ordered]) == []
        assert set(attributes.of(connection, [paid, ordered])) == {ordered}
    assert told(store, ordered) == ([ordered], {"EUR": Decimal("-25.00")}, {ordered}, 1)
