"""What rules work out of facts stands apart from them, says what it was made from, and follows what changes."""

from datetime import date

import pytest

from appliance.derive import attributes, rules
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.kinds import Kind
from appliance.kinds import declared as declared_kinds
from appliance.store import declared, originals, references, timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from tests.statements import Row, ofx

RATES = b"day,pair,rate\n2026-03-01,USD/EUR,0.9\n2026-03-10,USD/EUR,0.9234\n"
CATEGORIES = b"pattern,category\nhazel,Food\nhazel*garden,Garden\n"
DOLLARS = {"title": "Book", "at": "2026-03-12", "amount": "-25.00", "unit": "USD"}


def pay(store: Store, **said: str) -> int:
    return stating.add(store, "money.transaction", DOLLARS | said, "Ann").id


def made(store: Store, fact: int, currency: str = "EUR") -> dict[str, str]:
    attributes.refresh(store, currency)
    with store.read() as connection:
        return {name: each.value for name, each in attributes.of(connection, [fact]).get(fact, {}).items()}


def test_an_amount_is_worked_out_exactly_by_the_rate_of_its_day_and_says_so(store: Store) -> None:
    attributes.add_table(store, "exchange-rates", "rates.csv", RATES, "pair", "day")
    fact, early, euros = pay(store), pay(store, at="2026-02-01"), pay(store, unit="EUR")
    assert made(store, fact) == {"amount": "-23.085 EUR"}
    assert made(store, early) == made(store, euros) == {}
    with store.read() as connection:
        said = attributes.of(connection, [fact])[fact]["amount"]
    assert said.inputs == {"amount": "-25.00 USD", "rate USD/EUR": "0.9234", "rate from": "2026-03-10"}
    assert said.title == "In the household’s currency"


def test_attributes_follow_their_fact(store: Store) -> None:
    attributes.add_table(store, "exchange-rates", "rates.csv", RATES, "pair", "day")
    fact = pay(store)
    assert made(store, fact) == {"amount": "-23.085 EUR"}
    stating.correct(store, fact, {"at": "2026-03-05"}, "Ann")
    assert made(store, fact) == {"amount": "-22.50 EUR"}
    stating.correct(store, fact, {"unit": "EUR"}, "Ann")
    assert made(store, fact) == {}
    stating.correct(store, fact, {"unit": "USD"}, "Ann")
    stating.withdraw(store, fact, "Ann", "not mine")
    assert made(store, fact) == {}
    stating.restore(store, fact, "Ann")
    assert made(store, fact) == {"amount": "-22.50 EUR"}


def test_attributes_follow_their_table_their_rule_and_the_currency(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = pay(store)
    assert made(store, fact) == {}
    attributes.add_table(store, "exchange-rates", "rates.csv", RATES, "pair", "day")
    assert made(store, fact) == {"amount": "-23.085 EUR"}
    attributes.add_table(store, "exchange-rates", "rates.csv", RATES.replace(b"0.9234", b"0.8"), "pair", "day")
    assert made(store, fact) == {"amount": "-20.00 EUR"}
    assert made(store, fact, "USD") == {}
    assert made(store, fact, "") == {}  # a store keeps the currency that it was told last
    assert made(store, fact, "EUR") == {"amount": "-20.00 EUR"}
    rule = rules.every()["household_currency"]
    monkeypatch.setattr(rule, "VERSION", "2")
    monkeypatch.setattr(rule, "derive", lambda fact, world: [rules.Made("amount", "another", {})])
    assert made(store, fact) == {"amount": "another"}
    attributes.remove_table(store, "exchange-rates")
    assert made(store, fact) == {}


def test_the_longest_pattern_says_what_was_spent_on(store: Store) -> None:
    attributes.add_table(store, "categories", "mine.csv", CATEGORIES, "pattern")
    report = importing.import_bytes(
        store, ofx([Row(date(2026, 3, 1), "-1", name) for name in ("HAZEL 12", "Hazel & Son Garden", "Larch")]), "s.ofx"
    )
    attributes.refresh(store)
    with store.read() as connection:
        facts = {each.title: each.id for each in timeline.matching(connection, Query(import_id=report.id))}
        found = attributes.of(connection, list(facts.values()))
    said = {title: found[fact]["category"].value for title, fact in facts.items() if fact in found}
    assert said == {"HAZEL 12": "Food", "Hazel & Son Garden": "Garden"}
    undoing.undo(store, report.id, "Ann")
    assert all(made(store, fact) == {} for fact in facts.values())
    undoing.redo(store, report.id, "Ann")
    assert made(store, facts["HAZEL 12"]) == {"category": "Food"}


@pytest.mark.parametrize(("postcode", "region"), [("SW1A 1AA", "Westminster"), ("sw1a2ab", "London"), ("1011 AB", "")])
def test_the_region_of_a_postcode_is_that_of_its_longest_beginning(store: Store, postcode: str, region: str) -> None:
    attributes.add_table(store, "postcodes", "p.csv", b"pc;region\nSW1A;London\nSW1A 1AA;Westminster\n", "pc")
    said = {"street": "1 Hearth Lane", "town": "Nook", "postcode": postcode}
    fact = stating.add(store, "me.address", said, "Ann").id
    assert made(store, fact).get("region", "") == region


def test_a_table_of_ones_own_says_more_of_what_names_its_key(store: Store) -> None:
    data = b"isbn\ttitle\tshelf\n978 1\tTales\tA3\n"
    attributes.add_table(store, "books", "books.tsv", data, "isbn", join="shop.purchase.barcode")
    fact = stating.add(store, "shop.purchase", {"item": "a book", "barcode": "978 1"}, "Ann").id
    other = stating.add(store, "shop.purchase", {"item": "a book", "barcode": "978 2"}, "Ann").id
    assert made(store, fact) == {"books.title": "Tales", "books.shelf": "A3"}
    assert made(store, other) == {}


def test_a_row_holds_from_its_day_on(store: Store) -> None:
    data = b"who,from,manager\nBrook,2026-01-01,Kim\nBrook,2026-03-01,Lee\n"
    attributes.add_table(store, "people", "p.csv", data, "who", "from", "shop.order.party")
    said = {"party": "brook", "title": "Chair"}
    facts = [
        stating.add(store, "shop.order", said | {"at": f"{day}"}, "Ann").id for day in ("2026-02-28", "2026-03-01")
    ]
    assert [made(store, fact)["people.manager"] for fact in facts] == ["Kim", "Lee"]


def test_a_file_with_faults_is_refused_with_every_one_of_them_and_nothing_is_kept(store: Store) -> None:
    data = b"day,pair,rate\n2026-03-01,USD/EUR,0.9\n10 March,USD/EUR,x\n2026-03-01,usd/eur,1\n2026-03-02,,1,\n"
    with pytest.raises(UserError) as raised:
        attributes.add_table(store, "exchange-rates", "rates.csv", data, "pair", "day")
    assert list(raised.value.problems) == [
        "rates.csv: line 3: column day: '10 March' is no day; write it as 2026-11-22",
        "rates.csv: line 3: column rate: 'x' is no rate; write digits with a point before the decimals, such as 0.9234",
        "rates.csv: line 4: column pair: 'usd/eur' stands on line 2 already",
        "rates.csv: line 5: it has 4 cells, and the header 3",
    ]
    with store.read() as connection:
        assert references.every(connection) == []
        assert originals.all_of(connection) == []


@pytest.mark.parametrize(
    ("data", "said", "problem"),
    [
        (b"a,b\n1,2\n", {"key": "c", "join": "shop.order.party"}, "line 1: --key needs a column 'c'; there is a, b"),
        (b"a,a\n1,2\n", {"key": "a", "join": "shop.order.party"}, "line 1: every column needs a name"),
        (b"a,b\n", {"key": "a", "join": "shop.order.party"}, "no row below its header"),
        (b"", {"key": "a", "join": "shop.order.party"}, "line 1: --key needs a column 'a'; there is nothing"),
        (b"a,b\n1,\xff\n", {"key": "a", "join": "shop.order.party"}, "line 2: this is no text in UTF-8"),
        (b'a,b\n1,"x\n', {"key": "a", "join": "shop.order.party"}, "no row of a CSV file"),
        (b"a,b\n1,2\n", {"key": "a"}, "no rule uses a table 't'"),
        (b"a,b\n1,2\n", {"key": "a", "join": "shop.wish.party"}, "write KIND.FIELD"),
        (b"a,b\n1,2\n", {"key": "a", "join": "shop.order.colour"}, "shop.order has no field 'colour'"),
    ],
)
def test_what_is_no_table_is_told(store: Store, data: bytes, said: dict[str, str], problem: str) -> None:
    with pytest.raises(UserError, match="(?s)" + problem.replace("(", r"\(")):
        attributes.add_table(store, "t", "t.csv", data, **said)


def test_a_table_is_kept_as_an_original_and_goes_with_it(store: Store) -> None:
    table = attributes.add_table(store, "categories", "mine.csv", CATEGORIES, "pattern")
    with store.read() as connection:
        assert originals.read(connection, store.key, table.sha256) == CATEGORIES
        assert references.count(connection, "categories") == 2
    attributes.remove_table(store, "categories")
    with store.read() as connection:
        assert originals.all_of(connection) == []
    with pytest.raises(UserError, match="there is no table 'categories'"):
        attributes.remove_table(store, "categories")


def test_what_does_not_fit_its_kind_is_said(store: Store) -> None:
    fact = stating.add(store, "phone.call", {"at": "2026-03-10T12:00:00Z", "party": "Kim", "seconds": "61"}, "Ann").id
    assert made(store, fact) == {}
    with store.write() as connection:
        connection.exec_driver_sql('UPDATE records SET fields = \'{"seconds": "a minute"}\'')
        connection.exec_driver_sql("DELETE FROM rules")
    assert "Length: 'a minute' is not a whole number" in made(store, fact)["problem"]
    own = declared_kinds(
        '[kinds."my.run"]\ntitle = "Run"\n[kinds."my.run".fields.km]\ntitle = "Far"\ntype = "decimal"\n', "k.toml"
    )
    run = stating_own(store, own, {"title": "Run", "km": "5"})
    assert made(store, run) == {}


def stating_own(store: Store, own: list[Kind], said: dict[str, str]) -> int:
    with store.write() as connection:
        for kind in own:
            declared.keep(connection, kind)
    return stating.add(store, "my.run", said, "Ann").id
