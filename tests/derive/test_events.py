"""Facts of two sources that tell of one event are linked and never merged; a person's word stands; sums count once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import kinds
from appliance.derive import events, sums
from appliance.derive import possible as possible_facts
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.store import declared, links, timeline
from appliance.store.database import Store
from appliance.store.links import PERSON, Said
from appliance.store.timeline import Query
from tests.statements import Row, ofx

DAY = date(2026, 3, 10)
GROCER = Row(DAY, "-25.00", "Hazel & Sons")


def bring(store: Store, rows: Sequence[Row], source: str = "", account: str = "12345678") -> list[int]:
    """Imports rows as a source of their own; their facts in the file's order."""
    report = importing.import_bytes(store, ofx(rows, account, said=source), "s.ofx", source=source)
    with store.read() as connection:
        return sorted(each.id for each in timeline.matching(connection, Query(import_id=report.id)))


def order(store: Store, **said: str) -> int:
    usual = {"party": "Hazel and Sons", "at": DAY.isoformat(), "amount": "25.00", "unit": "EUR", "title": "Groceries"}
    return stating.add(store, "shop.order", usual | said, "Ann").id


def purchase(store: Store, **said: str) -> int:
    usual = {"party": "Hazel and Sons", "at": DAY.isoformat(), "amount": "20.00", "unit": "EUR", "item": "Groceries"}
    return stating.add(store, "shop.purchase", usual | said, "Ann").id


def told(store: Store, fact: int) -> list[int]:
    """The facts of this fact's event, the one that counts first."""
    events.refresh(store)
    with store.read() as connection:
        found = events.of(connection, fact)
        assert found is not None
        return [each.id for each in found.facts]


def reasons(store: Store, fact: int) -> list[str]:
    with store.read() as connection:
        found = events.of(connection, fact)
        assert found is not None
        return [each.reason for each in found.said]


def possible(store: Store, fact: int) -> list[int]:
    events.refresh(store)
    with store.read() as connection:
        return [each.id for each, _ in events.others(connection, fact)]


def all_possible(store: Store) -> list[int]:
    events.refresh(store)
    with store.read() as connection:
        return possible_facts.every(connection)


def linked(store: Store) -> set[tuple[int, int, str]]:
    events.refresh(store)
    with store.read() as connection:
        return {(each.one, each.other, each.reason) for each in links.around(connection, links.ends(connection))}


def total(store: Store, query: Query | None = None) -> dict[str, tuple[Decimal, int, int]]:
    events.refresh(store)
    with store.read() as connection:
        found = sums.of(connection, query or Query())
        return {each.unit: (each.amount, each.facts, each.repeated) for each in found}


def test_a_payment_and_its_order_are_one_event_that_sums_count_once(store: Store) -> None:
    ordered = order(store)
    [paid] = bring(store, [Row(date(2026, 3, 12), "-25.00", "HAZEL&SONS GROC 0423")])
    assert told(store, ordered) == told(store, paid) == [paid, ordered]
    assert reasons(store, paid) == ["the same amount, 2 days apart; both name hazel"]
    assert total(store) == {"EUR": (Decimal("-25.00"), 1, 1)}
    assert total(store, Query(kind="shop.order")) == {"EUR": (Decimal("25.00"), 1, 0)}
    with store.read() as connection:
        assert {each.id for each in timeline.matching(connection, Query())} == {ordered, paid}


def test_the_same_statement_from_two_sources_is_linked_row_by_row(store: Store) -> None:
    days = [Row(date(2026, 3, day), "-2.50", "Coffee") for day in range(1, 9)]
    first = bring(store, days, "bank")
    second = bring(store, [replace(row, name="Coffee Corner 12") for row in days], "app", "NL30 0012 3456 78")
    assert [told(store, fact) for fact in first] == [list(pair) for pair in zip(first, second, strict=True)]
    assert total(store) == {"EUR": (Decimal("-20.00"), 8, 8)}


def test_equal_rows_of_one_source_are_never_linked(store: Store) -> None:
    facts = bring(store, [GROCER, GROCER])
    assert [told(store, fact) for fact in facts] == [[facts[0]], [facts[1]]]
    assert total(store) == {"EUR": (Decimal("-50.00"), 2, 0)}


def test_where_two_fit_nothing_is_linked_and_a_person_can_say_which(store: Store) -> None:
    one, other = bring(store, [GROCER, Row(date(2026, 3, 11), "-25.00", "Hazel")])
    ordered = order(store)
    assert told(store, ordered) == [ordered]
    assert possible(store, ordered) == [one, other]
    events.join(store, other, ordered, "Ann", "the receipt says the 11th")
    assert told(store, ordered) == [other, ordered]
    assert possible(store, ordered) == []
    assert total(store) == {"EUR": (Decimal("-50.00"), 2, 1)}


@pytest.mark.parametrize(
    "said",
    [
        {"amount": "25.01"},
        {"unit": "GBP"},
        {"at": "2026-03-20"},
        {"at": "2026-03-01"},
        {"party": "Larch Works", "title": "Chairs"},
        {"amount": "-25.00"},
    ],
)
def test_what_is_not_alike_is_not_linked(store: Store, said: dict[str, str]) -> None:
    bring(store, [GROCER])
    ordered = order(store, **said)
    assert told(store, ordered) == [ordered]


def test_equal_payments_from_two_accounts_are_two(store: Store) -> None:
    [one], [other] = bring(store, [GROCER], "bank", "11111111"), bring(store, [GROCER], "card", "22222222")
    ordered = order(store)
    assert [told(store, fact) for fact in (one, other, ordered)] == [[one], [other], [ordered]]
    assert total(store)["EUR"] == (Decimal("-75.00"), 3, 0)


def test_as_many_equal_rows_on_either_side_are_linked_in_their_order(store: Store) -> None:
    twins = [Row(DAY, "-5.00", "TWINS BAR")] * 2
    first, second = bring(store, twins, "bank"), bring(store, twins, "app", "NL30 0012 3456 78")
    assert [told(store, fact) for fact in first] == [list(each) for each in zip(first, second, strict=True)]
    assert "; 2 equal rows on each side, in their order" in reasons(store, first[0])[0]
    assert total(store) == {"EUR": (Decimal("-10.00"), 2, 2)}
    assert all_possible(store) == []


def test_where_the_numbers_of_equal_rows_differ_a_person_is_told_and_can_say_which(store: Store) -> None:
    twin = Row(DAY, "-5.00", "TWINS BAR")
    first, second = bring(store, [twin] * 2, "bank"), bring(store, [twin], "app", "NL30 0012 3456 78")
    assert all_possible(store) == sorted([*first, *second], reverse=True)
    events.join(store, first[0], second[0], "Ann")
    assert all_possible(store) == []
    stating.withdraw(store, second[0], "Ann", "mistake")
    assert all_possible(store) == []


def test_purchases_that_name_their_order_are_part_of_its_event(store: Store) -> None:
    bought = [purchase(store, order="A-77", party="HAZEL") for _ in range(3)]
    assert told(store, bought[0]) == [bought[0]]
    ordered = order(store, number="a-77", amount="60", party="Hazel")
    [paid] = bring(store, [Row(DAY, "-60.00", "HAZEL AND SONS")])
    assert told(store, bought[1]) == [paid, *sorted([ordered, *bought])]
    assert reasons(store, bought[1])[0] == "part of the order: the purchase names its number A-77"
    assert total(store) == {"EUR": (Decimal("-60.00"), 1, 4)}
    assert total(store, Query(kind="shop.purchase")) == {"EUR": (Decimal("60.00"), 3, 0)}
    stating.correct(store, bought[2], {"order": "B-1"}, "Ann")
    assert told(store, bought[2]) == [bought[2]]
    assert total(store) == {"EUR": (Decimal("-80.00"), 2, 3)}


@pytest.mark.parametrize("said", [{"party": "Larch Works"}, {"at": "2026-06-20"}, {"unit": "GBP"}, {"order": "A-7"}])
def test_what_is_no_part_of_an_order_stays_alone(store: Store, said: dict[str, str]) -> None:
    order(store, number="A-77", amount="60")
    bought = purchase(store, **({"order": "A-77"} | said))
    assert told(store, bought) == [bought]


def test_purchases_that_a_person_joins_with_their_order_all_count(store: Store) -> None:
    bought = [purchase(store) for _ in range(3)]
    ordered = order(store, amount="60")
    for each in bought:
        events.join(store, ordered, each, "Ann")
    assert total(store, Query(kind="shop.purchase")) == {"EUR": (Decimal("60.00"), 3, 0)}
    assert total(store) == {"EUR": (Decimal("-60.00"), 1, 3)}


def test_two_payments_of_one_order_both_count_and_a_payment_told_twice_counts_once(store: Store) -> None:
    ordered = order(store, amount="60")
    paid = bring(store, [Row(DAY, "-20.00", "HAZEL"), Row(DAY, "-40.00", "HAZEL")])
    for each in paid:
        events.join(store, ordered, each, "Ann")
    assert total(store) == {"EUR": (Decimal("-60.00"), 2, 1)}
    again = stating.add(store, "money.transaction", {"at": "2026-03-11", "amount": "-40", "unit": "EUR"}, "Ann").id
    events.join(store, again, paid[1], "Ann")
    assert total(store) == {"EUR": (Decimal("-60.00"), 2, 2)}


def test_a_link_holds_though_a_person_corrects_what_a_file_said(store: Store) -> None:
    [one], [other] = bring(store, [GROCER], "bank"), bring(store, [GROCER], "app", "NL30 0012 3456 78")
    assert told(store, one) == [one, other]
    for amount in ("-26.00", "-27.00"):
        stating.correct(store, one, {"amount": amount}, "Ann", "bank fee")
        assert told(store, one) == [one, other]
        assert reasons(store, one)[0].endswith("; as the file said it, before it was corrected")
        assert total(store) == {"EUR": (Decimal(amount), 1, 1)}
    before = linked(store)
    bring(store, [Row(date(2026, 3, 12), "-25.00", "Rowan")], "bank")  # a neighbour comes, and all is derived again
    assert told(store, one) == [one, other]
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM rules")
    assert told(store, one) == [one, other]
    assert linked(store) == before
    stating.correct(store, one, {"amount": "-25.00"}, "Ann", "no fee after all")
    assert told(store, one) == [one, other]
    assert not reasons(store, one)[0].endswith("corrected")


def test_what_stands_goes_before_what_a_file_said(store: Store) -> None:
    [one] = bring(store, [GROCER], "bank")
    wrong, right = bring(store, [GROCER, Row(DAY, "-26.00", "Hazel & Sons")], "app", "NL30 0012 3456 78")
    assert told(store, one) == [one, wrong]
    stating.correct(store, one, {"amount": "-26.00"}, "Ann", "as the receipt has it")
    assert told(store, one) == [one, right]
    assert told(store, wrong) == [wrong]


def test_a_bill_is_linked_with_its_payment_on_the_day_that_it_is_due(store: Store) -> None:
    said = {"party": "Brook Energy", "at": "2026-02-20", "amount": "80", "unit": "EUR", "due": "2026-03-09"}
    bill = stating.add(store, "energy.bill", said, "Ann").id
    [paid] = bring(store, [Row(DAY, "-80.00", "BROOK ENERGY LTD DD")])
    assert told(store, bill) == [paid, bill]


def test_a_payment_that_names_the_bills_number_needs_no_name(store: Store) -> None:
    said = {"party": "Brook Energy", "at": DAY.isoformat(), "amount": "80", "unit": "EUR", "number": "RE-2026-17"}
    bill = stating.add(store, "energy.bill", said, "Ann").id
    [paid] = bring(store, [Row(DAY, "-80.00", "BE GMBH", memo="inv re-2026-17")])
    assert told(store, bill) == [paid, bill]
    assert "RE-2026-17" in reasons(store, bill)[0]


def test_what_two_phones_say_of_one_call_is_one(store: Store) -> None:
    call = {"at": "2026-03-10T12:00:00Z", "party": "Kim", "number": "+44 20 7946 0018", "seconds": "61"}
    mine = stating.add(store, "phone.call", call, "Ann").id
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE sources SET name = 'phone' WHERE name = 'me'")
    again = call | {"at": "2026-03-10T12:00:41Z", "number": "020 7946 0018", "seconds": "60"}
    other = stating.add(store, "phone.call", again, "Ann").id
    later = stating.add(store, "phone.call", call | {"at": "2026-03-10T12:09:00Z"}, "Ann").id
    assert told(store, mine) == [mine, other]
    assert told(store, later) == [later]


def test_groups_follow_what_becomes_of_their_facts(store: Store) -> None:
    ordered = order(store)
    paid_import = importing.import_bytes(store, ofx([GROCER]), "s.ofx").id
    with store.read() as connection:
        [paid] = [each.id for each in timeline.matching(connection, Query(kind="money.transaction"))]
    assert told(store, ordered) == [paid, ordered]
    undoing.undo(store, paid_import, "Ann")
    assert told(store, ordered) == [ordered]
    assert total(store)["EUR"] == (Decimal("-25.00"), 1, 0)
    undoing.redo(store, paid_import, "Ann")
    assert told(store, ordered) == [paid, ordered]
    stating.correct(store, ordered, {"amount": "26.00"}, "Ann")
    assert told(store, ordered) == [ordered]
    stating.correct(store, ordered, {"amount": "25.00"}, "Ann")
    stating.withdraw(store, ordered, "Ann", "twice")
    assert told(store, paid) == [paid]
    stating.restore(store, ordered, "Ann")
    assert told(store, paid) == [paid, ordered]


def test_a_choice_that_is_gone_links_the_one_that_is_left(store: Store) -> None:
    one, other = bring(store, [GROCER, Row(date(2026, 3, 11), "-25.00", "Hazel")])
    ordered = order(store)
    assert told(store, ordered) == [ordered]
    stating.withdraw(store, other, "Ann", "not mine")
    assert told(store, ordered) == [one, ordered]


def test_a_persons_word_stands_over_the_rules_and_survives_deriving_again(store: Store) -> None:
    ordered = order(store)
    [paid] = bring(store, [GROCER])
    assert told(store, ordered) == [paid, ordered]
    events.split(store, ordered, paid, "Ann", "another order")
    assert told(store, ordered) == [ordered]
    stating.correct(store, ordered, {"memo": "for Tuesday"}, "Ann")
    assert told(store, ordered) == [ordered]
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM rules")
    assert told(store, ordered) == [ordered]
    assert reasons(store, ordered) == ["another order"]
    events.join(store, ordered, paid, "Ann", "no, it was this one")
    assert told(store, ordered) == [paid, ordered]


def test_a_persons_link_ends_and_begins_again_with_its_facts(store: Store) -> None:
    one = stating.add(store, "note", {"memo": "Paid Kim"}, "Ann").id
    [paid] = bring(store, [GROCER])
    events.join(store, one, paid, "Ann")
    stating.withdraw(store, one, "Ann", "mistake")
    assert told(store, paid) == [paid]
    stating.restore(store, one, "Ann")
    assert told(store, paid) == [paid, one]


def test_what_is_not_there_cannot_be_joined(store: Store) -> None:
    ordered = order(store)
    with pytest.raises(UserError, match="there is no fact 99"):
        events.join(store, ordered, 99, "Ann")
    with pytest.raises(UserError, match="one fact"):
        events.split(store, ordered, ordered, "Ann")


def test_a_sum_is_of_what_the_same_query_lists(store: Store) -> None:
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31))
    bring(store, [Row(day, f"-{10**number}.50", f"Mill {number}") for number, day in enumerate(days)])
    stating.add(store, "money.transaction", {"title": "Mill", "at": "2026-01-01T00:30:00+01:00", "amount": "-3"}, "Ann")
    queries = [
        *(Query(year=year) for year in (0, 2025, 2026)),
        Query(search="mill"),
        Query(search="mill 1"),
        Query(lowest=Decimal(5), highest=Decimal(50)),
        Query(band=2),
        Query(account="12345678", first_day=days[1]),
    ]
    for query in queries:
        with store.read() as connection:
            listed = list(timeline.matching(connection, query))
        found = total(store, query).values()
        assert sum(facts for _, facts, _ in found) == len(listed), query
        assert sum(amount for amount, _, _ in found) == sum(each.amount or 0 for each in listed), query


def test_balances_are_no_payments(store: Store) -> None:
    said = {"at": DAY.isoformat(), "account": "1", "amount": "500", "unit": "EUR", "title": "Balance"}
    stating.add(store, "money.balance", said, "Ann")
    assert total(store) == {}
    assert total(store, Query(kind="money.balance")) == {"EUR": (Decimal("500.00"), 1, 0)}


def test_only_what_was_paid_or_received_is_summed_and_the_rest_is_told(store: Store) -> None:
    for kind, amount in (("me.plan", "500"), ("me.possession", "900"), ("me.need", "300")):
        stating.add(store, kind, {"title": "x", "amount": amount, "unit": "EUR"}, "Ann")
    stating.add(store, "health.measurement", {"at": "2026-03-10", "measure": "weight", "amount": "80"}, "Ann")
    stating.add(store, "phone.call", {"at": "2026-03-10", "amount": "2.50", "unit": "EUR"}, "Ann")
    assert total(store) == {"EUR": (Decimal("-2.50"), 1, 0)}
    assert total(store, Query(kind="me.plan")) == {"EUR": (Decimal("500.00"), 1, 0)}
    with store.read() as connection:
        left = sums.left_out(connection, Query())
        assert left == {"health.measurement": 1, "me.need": 1, "me.plan": 1, "me.possession": 1}
        assert sums.left_out(connection, Query(kind="me.plan")) == {}


def test_an_own_kind_says_what_its_amounts_are(store: Store) -> None:
    with store.write() as connection:
        for name, amount_is in (("own.fee", "asked"), ("own.gift", "moved"), ("own.goal", "stands")):
            text = f'[kinds."{name}"]\ntitle = "Own"\namount_is = "{amount_is}"\n'
            declared.keep(connection, kinds.declared(text, "kinds.toml")[0])
    for name, amount in (("own.fee", "1"), ("own.gift", "20"), ("own.goal", "300")):
        stating.add(store, name, {"title": "x", "amount": amount, "unit": "EUR"}, "Ann")
    assert total(store) == {"EUR": (Decimal("19.00"), 2, 0)}


def test_the_sums_of_two_years_are_the_sum_of_both(store: Store) -> None:
    ordered = order(store, at="2025-12-31", amount="10")
    [paid] = bring(store, [Row(date(2026, 1, 2), "-10.00", "HAZEL AND SONS")])
    assert told(store, ordered) == [paid, ordered]
    assert total(store) == {"EUR": (Decimal("-10.00"), 1, 1)}
    in_two = (Query(year=2025), Query(last_day=date(2025, 12, 31)), Query(year=2025, search="hazel"))
    assert [total(store, query) for query in in_two] == [{"EUR": (Decimal(0), 0, 1)}] * 3
    in_one = (Query(year=2026), Query(first_day=date(2026, 1, 1)), Query(year=2026, search="hazel"))
    assert [total(store, query) for query in in_one] == [{"EUR": (Decimal("-10.00"), 1, 0)}] * 3
    assert total(store, Query(kind="shop.order", year=2025)) == {"EUR": (Decimal("10.00"), 1, 0)}


def test_a_sum_may_be_larger_than_64_bits(store: Store) -> None:
    bring(store, [Row(DAY, "9000000000000.000001", f"n{number}") for number in range(3)])
    assert total(store)["EUR"][0] == Decimal("27000000000000.000003")


# ---- any sequence of joins and splits ----

_FACTS = 7
_WORDS = st.lists(
    st.tuples(st.integers(0, _FACTS - 1), st.integers(0, _FACTS - 1), st.booleans(), st.booleans()), max_size=25
)


@given(_WORDS)
def test_groups_are_what_the_newest_words_leave_connected(words: list[tuple[int, int, bool, bool]]) -> None:
    said: dict[tuple[int, int], Said] = {}
    for at_us, (one, other, joined, person) in enumerate(words):
        pair = links.pair(one, other)
        old = said.get(pair)
        if one != other and (person or (joined and old is None)):
            said[pair] = Said(*pair, joined, PERSON if person else "rule", "", "", at_us)
    groups = events.grouped(range(_FACTS), said.values())
    of = {fact: number for number, group in enumerate(groups) for fact in group}
    assert sum(map(len, groups)) == len(of)  # no fact is in two
    newest = max((each for each in said.values() if each.by_person), key=lambda each: each.at_us, default=None)
    if newest is not None:
        assert (newest.one in of and of[newest.one] == of.get(newest.other)) == newest.joined
    people = {pair for pair, each in said.items() if each.by_person}
    if all(each.joined for each in said.values()):
        assert groups_of(said) == {frozenset(group) for group in groups}
    elif not any(said[pair].joined for pair in people):  # every split stands over every rule
        assert all(of.get(one, -1) != of.get(other, -2) for one, other in people)


def groups_of(said: dict[tuple[int, int], Said]) -> set[frozenset[int]]:
    """Connected components, the slow way."""
    found = {frozenset(pair) for pair in said}
    while overlapping := next(((a, b) for a in found for b in found if a != b and a & b), None):
        found = found - set(overlapping) | {overlapping[0] | overlapping[1]}
    return found


def test_random_words_leave_sums_that_count_each_event_once(store: Store) -> None:
    facts = bring(store, [Row(date(2026, 3, day), f"-{1 << day}", f"Shop {day}") for day in range(1, 10)])
    amounts = {fact: -Decimal(1 << day) for day, fact in enumerate(facts, 1)}
    for number in range(40):
        one, other = facts[number * 5 % 9], facts[number * 7 % 9 - 3]
        if one == other:
            continue
        (events.join if number % 3 else events.split)(store, one, other, "Ann")
        groups = {tuple(told(store, fact)) for fact in facts}
        assert sorted(fact for group in groups for fact in group) == facts
        expected = sum(amounts[group[0]] for group in groups)
        assert total(store) == {"EUR": (expected, len(groups), len(facts) - len(groups))}
