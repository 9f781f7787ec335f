"""`inglenook same`, `quality` and `reference`, as a person runs them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from appliance.config import load
from appliance.derive import attributes
from appliance.store.database import open_store
from tests.cli.conftest import Box
from tests.statements import Row, ofx

Written = Callable[[str, bytes], Path]
DAY = date(2026, 3, 10)
ORDER = ("party=Hazel and Sons", "title=Groceries", "at=2026-03-09", "amount=25", "unit=EUR")


@pytest.fixture
def told(box: Box, written: Written) -> tuple[Box, int, int]:
    """A box with a payment and the order that it paid."""
    [ordered] = box.json("add", "shop.order", *ORDER)
    box.json("import", written("s.ofx", ofx([Row(DAY, "-25.00", "HAZEL 17"), Row(DAY, "-1.00", "Mill")])))
    [paid] = [row["id"] for row in box.json("records") if row["title"] == "HAZEL 17"]
    return box, ordered["id"], paid


def facts(rows: list[dict[str, object]]) -> list[list[int]]:
    return [[fact["id"] for fact in row["facts"]] for row in rows]  # type: ignore[attr-defined]


def test_same_says_what_tells_of_one_event_and_why(told: tuple[Box, int, int]) -> None:
    box, ordered, paid = told
    [event] = box.json("same")
    assert event["event"] == paid
    assert facts([event]) == [[paid, ordered]]
    assert event["links"][0]["why"] == "the same amount, 1 day apart; both name hazel"
    assert facts(box.json("same", ordered)) == [[paid, ordered]]
    said = box.run("same", ordered)
    assert "counts" in said.out
    assert "both name hazel" in said.out


def test_a_person_splits_and_joins_with_a_reason(told: tuple[Box, int, int]) -> None:
    box, ordered, paid = told
    assert facts(box.json("same", "split", ordered, paid, "--why", "another day")) == [[ordered], [paid]]
    assert box.json("same") == []
    [event] = box.json("same", "join", paid, ordered, "--why", "it was this one")
    assert facts([event]) == [[paid, ordered]]
    assert (event["links"][0]["rule"], event["links"][0]["why"]) == ("person", "it was this one")
    assert event["links"][0]["who"].endswith("by command")


def test_each_payment_of_an_order_that_was_paid_in_two_counts(box: Box, written: Written) -> None:
    box.json("import", written("s.ofx", ofx([Row(DAY, "-10.00", "HAZEL"), Row(DAY, "-15.00", "HAZEL 2")])))
    one, two = sorted(row["id"] for row in box.json("records"))
    [ordered] = box.json("add", "shop.order", *ORDER)
    box.json("same", "join", one, ordered["id"])
    [event] = box.json("same", "join", two, ordered["id"])
    assert {fact["id"]: fact["counts"] for fact in event["facts"]} == {one: True, two: True, ordered["id"]: False}
    assert [(row["amount"], row["facts"]) for row in box.json("records", "--sum")] == [("-25.00", 2)]
    lines = box.run("same").out.splitlines()[1:]
    assert ["counts" in line for line in lines] == [True, True, False]


def test_what_one_fact_alone_tells_counts(box: Box) -> None:
    [ordered] = box.json("add", "shop.order", *ORDER)
    assert [fact["counts"] for fact in box.json("same", ordered["id"])[0]["facts"]] == [True]


def test_same_ends_with_what_might_be_the_same_and_what_to_type(box: Box, written: Written) -> None:
    box.json("import", written("s.ofx", ofx([Row(DAY, "-25.00", "HAZEL"), Row(DAY, "-25.00", "HAZEL GARDEN")])))
    one, other = sorted(row["id"] for row in box.json("records"))
    [ordered] = box.json("add", "shop.order", *ORDER)
    said = box.run("same")
    assert f"3 facts might be the same as others, and more than one fits: {ordered['id']}, {other}, {one}" in said.err
    assert f"inglenook same {ordered['id']}," in said.err
    box.json("same", "join", one, ordered["id"])
    assert "might be" not in box.run("same").err


def test_sums_name_what_they_leave_out(box: Box) -> None:
    box.json("add", "me.plan", "title=Move", "amount=500", "unit=EUR")
    box.json("add", "phone.call", "at=2026-03-09", "amount=2.50", "unit=EUR")
    said = box.run("records", "--sum", "--json")
    assert '"amount": "-2.50"' in said.out
    assert "not in these sums, as nothing was paid or received: 1 of me.plan" in said.err


def test_what_is_no_fact_is_said(box: Box) -> None:
    for words in (("same", "7"), ("same", "join", "7", "8")):
        said = box.run(*words)
        assert said.code == 2
        assert "there is no fact 7" in said.err


def test_quality_says_each_light_in_words(told: tuple[Box, int, int]) -> None:
    box, _, _ = told
    rows = {row["kind"]: row for row in box.json("quality")}
    lights = {each["name"]: each for each in rows["money.transaction"]["lights"]}
    assert list(lights) == ["present", "complete", "recent", "valid", "agreeing"]
    assert (lights["present"]["light"], lights["agreeing"]["light"]) == ("green", "grey")
    assert "states its balance" in lights["agreeing"]["next"]
    said = box.run("quality").out
    assert "● good" in said
    assert "○ unknown" in said


def test_a_table_is_added_used_listed_and_removed(told: tuple[Box, int, int], written: Written) -> None:
    box, _, _ = told
    file = written("spending.csv", b"pattern,category\nhazel,Food\n")
    [added] = box.json("reference", "add", "categories", file, "--key", "pattern")
    assert (added["file"], added["rows"]) == ("spending.csv", 1)
    assert [row["name"] for row in box.json("reference", "list")] == ["categories"]
    assert box.json("reference", "remove", "categories") == [{"name": "categories", "removed": True}]
    assert box.json("reference", "list") == []


def test_a_table_with_a_fault_names_file_line_and_column(box: Box, written: Written) -> None:
    file = written("rates.csv", b"day,pair,rate\n2026-03-01,USD/EUR,one\n")
    said = box.run("reference", "add", "exchange-rates", file, "--key", "pair", "--day", "day")
    assert said.code == 2
    assert "rates.csv: line 2: column rate: 'one' is no rate" in said.err


def test_the_currency_of_a_box_that_nobody_claimed_is_in_its_configuration(box: Box, written: Written) -> None:
    foreign = ("amount=-10", "unit=USD", "title=Diner", "at=2026-03-10")
    [fact] = box.json("add", "money.transaction", *foreign)
    rates = written("rates.csv", b"day,pair,rate\n2026-03-01,USD/EUR,0.9\n")
    add = ("reference", "add", "exchange-rates", rates, "--key", "pair", "--day", "day")
    said = box.run(*add)
    assert (said.code, 'currency = "EUR"' in said.err) == (0, True)
    (box.data / "inglenook.toml").write_text('[household]\ncurrency = "EUR"\n')
    assert box.run(*add).err == ""
    with open_store(load(box.data)) as store, store.read() as connection:
        assert attributes.of(connection, [fact["id"]])[fact["id"]]["amount"].value == "-9.00 EUR"


def test_a_store_in_which_nothing_is_says_so(box: Box) -> None:
    assert "nothing to look at yet" in box.run("quality").out
    assert box.json("quality") == []
