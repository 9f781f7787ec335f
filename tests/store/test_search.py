"""Search: what a person types finds what they mean, the best first, counted, and nothing that no longer stands."""

import random
import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlcipher3.dbapi2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, event, insert, select, text, update

from appliance import checking
from appliance.ingest import stating
from appliance.kinds import Kind
from appliance.records import Record, Source, Span
from appliance.store import declared, imports, migrations, records, search, sources, timeline, versions
from appliance.store.database import Store
from appliance.store.models import RecordRow, SearchCodes, SearchGroup
from appliance.store.query import Query
from appliance.store.records import Stored
from appliance.store.search import asking, postgresql, sqlite
from appliance.store.search.clauses import Index
from appliance.store.search.words import typed
from appliance.store.timeline import Answer
from appliance.store.versions import Action

EVERYTHING = Query()


def _record(title: str = "Baker", at: date | datetime | None = date(2026, 3, 1), **more: Any) -> Record:
    return Record(**{"kind": "money.transaction", "at": at, "title": title, "span": Span(0, 1)} | more)


def _keep(connection: Connection, kept: Sequence[Record], source: Source) -> int:
    import_id = imports.begin(
        connection, at_us=0, file="f", format="ofx", sha256=None, named_source="", options={}, retry_of=None
    )
    source_id = sources.id_of(connection, source)
    rows = [records.row(each, source_id, import_id, 0, bytes([number % 256]), "") for number, each in enumerate(kept)]
    records.add(connection, rows)
    return import_id


def _stored(store: Store, kept: Sequence[Record], source: str = "bank", title: str = "") -> int:
    with store.write() as connection:
        return _keep(connection, kept, Source(source, title))


def _found(store: Store, limit: int = 50, **asked: Any) -> list[Stored]:
    """The first page."""
    with store.read() as connection:
        return timeline.page(connection, Query(**asked), limit).records


def _titles(store: Store, words: str = "", **asked: Any) -> list[str]:
    return [each.title for each in _found(store, search=words, **asked)]


def _pages(store: Store, query: Query, limit: int) -> list[list[Stored]]:
    pages, after = list[list[Stored]](), ""
    with store.read() as connection:
        while len(pages) < 100:
            page = timeline.page(connection, query, limit, after)
            pages.append(page.records)
            if not (after := page.after):
                break
    return pages


# ---- what is found ----


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("wool", {"100% Wool"}),
        ("WO", {"100% Wool"}),
        ("100%", {"100% Wool"}),
        ("ool", set()),
        ("cafe lowe", {"Café LÖWE"}),
        ("löw CAFÉ", {"Café LÖWE"}),
        ("Cafe\u0301", {"Café LÖWE"}),
        ("strasse", {"Straße", "STRASSE"}),
        ("STRAẞE", {"Straße", "STRASSE"}),
        ("istanbul", {"İstanbul"}),
        ("ПЕКАРНЯ", {"пекарня"}),
        ("ΟΔΥΣΣΕΥΣ", {"οδυσσεύς"}),
        ("京都", {"東京都"}),
        ("京東", set()),
        ("o'neill", {"O’Neill’s"}),
        ("neill", {"O’Neill’s"}),
        ("snake", {"snake_case"}),
        ("case", {"snake_case"}),
        ("back slash", {"back\\slash"}),
        ("wool cafe", set()),
        ("by memo", {"by memo"}),
        ("a memo", {"by memo"}),
        ("partner", {"by party"}),
        ("nl01", {"by account"}),
        ("debit", {"by field"}),
        ("1234.5", {"by amount"}),
        ("1,234.50", {"by amount"}),
        ("-1234.50", {"by amount"}),
        ("1234 50", {"by amount"}),
        ("1234.49", set()),
        ('"slash back"', set()),
        ('"back slash"', {"back\\slash"}),
        ('"back sla"', set()),
        ("me@home.example", {"by mail"}),
    ],
)
def test_what_is_typed_finds_what_is_meant(store: Store, words: str, found: set[str]) -> None:
    titles = ("100% Wool", "Café LÖWE", "Straße", "STRASSE", "İstanbul", "пекарня", "οδυσσεύς", "東京都", "O’Neill’s")
    others = [
        _record("by memo", memo="A memo"),
        _record("by party", party="Partner"),
        _record("by account", account="NL01"),
        _record("by field", fields={"trntype": "DEBIT"}),
        _record("by amount", amount=Decimal("-1234.5"), unit="EUR"),
        _record("by mail", memo="me@home.example"),
    ]
    _stored(store, [_record(each) for each in (*titles, "snake_case", "back\\slash")] + others)
    assert set(_titles(store, words)) == found


def test_a_kind_and_a_source_are_words_too(store: Store) -> None:
    with store.write() as connection:
        declared.keep(connection, Kind(name="weather.storm", title="Great Storm"))
    _stored(
        store, [_record("rain", kind="weather.storm"), _record("strange", kind="x.unheard_of")], "met", "Met Office"
    )
    _stored(store, [_record("bread")], "nl99-visa", "My Visa card")
    assert _titles(store, "great stor") == ["rain"]
    assert _titles(store, "unheard") == ["strange"]
    assert set(_titles(store, "office")) == {"rain", "strange"}
    assert _titles(store, "bre visa") == ["bread"]
    assert _titles(store, '"visa card"') == ["bread"]
    assert _titles(store, '"office great"') == []


@pytest.mark.parametrize("words", ["%", "/", "'; --", "\0", "*", '"', '""', "()", "- +", "^", ":", "\\", "\ue000", "́"])
def test_signs_alone_find_nothing_and_say_so(store: Store, words: str) -> None:
    _stored(store, [_record("100% / '; -- * \" ^ : \\"), _record("nul\0")])
    assert _titles(store, words) == []
    with store.read() as connection:
        answer = Answer(connection, Query(search=words))
        assert (answer.is_senseless, answer.count) == (True, 0)


_TYPED = st.text(max_size=40) | st.lists(
    st.sampled_from(
        ["AND", "OR", "NOT", "NEAR(", '"', "'", "*", ":", "^", "title:", "|", "&", "!", "<->", "baker", "\\"]
    )
).map(" ".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(_TYPED)
def test_no_text_is_an_error_and_every_text_finds_itself(store: Store, words: str) -> None:
    with store.engine.connect().execution_options(writes=True) as connection, connection.begin() as transaction:
        _keep(connection, [_record(words), _record("other", memo=words)], Source("bank"))
        answer = Answer(connection, Query(search=words))
        found = {each.title for each in answer.page(1000).records}
        assert answer.counts.count == answer.count
        transaction.rollback()
    if typed(words.replace('"', " ")) and len(typed(words)) < 20:
        assert {words.replace("\0", "\ufffd"), "other"} == found


def test_a_word_that_very_many_begin_with_finds_them_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "MOST_COMPLETIONS", 3)
    _stored(store, [_record(f"grocer{number}") for number in range(9)])
    assert len(_titles(store, "groc")) == 9
    assert _titles(store, "grocer4") == ["grocer4"]


# ---- in which order ----


def test_the_best_matches_come_first_and_the_newest_of_equals(store: Store) -> None:
    _stored(
        store,
        [
            _record("Baker Street", date(2020, 1, 1)),
            _record("The Baker", date(2021, 1, 1)),
            _record("Bakery", date(2025, 1, 1)),
            _record("Grocer", date(2026, 1, 1), memo="at the baker"),
        ],
    )
    assert _titles(store, "baker") == ["The Baker", "Baker Street", "Bakery", "Grocer"]
    assert _titles(store, "baker", newest_first=True) == ["Grocer", "Bakery", "The Baker", "Baker Street"]


@pytest.mark.parametrize("most", [asking.MOST, 60, 59])
@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_of_hits_give_each_once_in_either_order(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int, newest_first: bool
) -> None:
    monkeypatch.setattr(asking, "MOST", most)
    monkeypatch.setattr(asking, "_BATCH", 4)
    chance = random.Random(1)
    at = [datetime(1965, 5, 1, 12, tzinfo=UTC) + timedelta(days=chance.randrange(9_000)) for _ in range(20)]
    _stored(store, [_record(chance.choice(["Bak", "Bakery", "Else"]), each, memo="baker") for each in at * 3])
    query = Query(search="bak", newest_first=newest_first)
    seen = [each for page in _pages(store, query, 7) for each in page]
    assert len(seen) == len({each.id for each in seen}) == 60
    with store.read() as connection:
        answer = Answer(connection, query)
        assert (answer.count, answer.is_capped) == (min(most, 60), most < 60)
        assert answer.is_ranked == (not newest_first and most >= 60)
        newest = [each.id for each in timeline.matching(connection, query)]
    if newest_first or most < 60:
        assert [each.id for each in seen] == newest
        assert [each.at for each in seen] == sorted((each.at for each in seen), reverse=True)
    else:
        ranks = [("Bak", "Bakery", "Else").index(each.title) for each in seen]
        assert ranks == sorted(ranks)


def test_the_best_of_what_a_filter_leaves_come_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_BATCH", 2)
    others = [_record("Baker", date(2025, 1, day), account="NL02") for day in range(1, 9)]
    mine = [_record("Else", date(2026, 1, 1), memo="baker"), _record("Bakery", date(2023, 1, 1)), _record("Baker")]
    _stored(store, [*others, *(replace(each, account="NL01") for each in mine)])
    assert _titles(store, "baker", account="NL01") == ["Baker", "Bakery", "Else"]


@pytest.mark.parametrize("after", ["x", "new.x", "best.1.", "1-", "new.99999999999999999999", "best.9.5", "new.5"])
def test_a_cursor_that_is_none_is_no_error(store: Store, after: str) -> None:
    _stored(store, [_record()])
    with store.read() as connection:
        for query in (EVERYTHING, Query(search="baker")):
            timeline.page(connection, query, 5, after)


# ---- filters and counts ----


def _amount(chance: random.Random) -> Decimal:
    return Decimal(chance.randrange(-(10**8), 10**8)).scaleb(-chance.randrange(2, 7))


def _mixed(store: Store) -> None:
    chance = random.Random(7)
    for source in ("bank", "card"):
        _stored(
            store,
            [
                _record(
                    chance.choice(["Baker", "Grocer", "Rail"]),
                    chance.choice([None, date(chance.randrange(2019, 2026), chance.randrange(1, 13), 5)]),
                    kind=chance.choice(["money.transaction", "shop.purchase"]),
                    account=chance.choice(["", "NL01", "NL02"]),
                    amount=chance.choice(
                        [None, Decimal(chance.randrange(-(10**8), 10**8)).scaleb(-chance.randrange(2, 7))]
                    ),
                    memo=chance.choice(["cash", "card"]),
                )
                for _ in range(60)
            ],
            source,
        )


def _band(amount: Decimal | None) -> int:
    return -1 if amount is None else [abs(amount) >= each for each in (0, 10, 100, 1_000, 10_000)].count(True) - 1


_QUERIES: tuple[dict[str, Any], ...] = (
    {},
    {"search": "bak"},
    {"search": "bak car"},
    {"search": "transaction"},
    {"kind": "shop.purchase"},
    {"source": "card", "account": "NL01"},
    {"source": "nowhere"},
    {"year": 2020, "search": "rail"},
    {"year": 0},
    {"year": 1970},
    {"band": 2},
    {"band": 4, "search": "cash"},
    {"band": 0, "year": 2021, "kind": "money.transaction"},
    {"first_day": date(2020, 5, 5), "last_day": date(2023, 1, 1)},
    {"first_day": date(2020, 5, 6), "search": "grocer", "account": "NL02"},
    {"year": 2021, "first_day": date(2021, 6, 5), "search": "cash"},
    {"year": 2022, "last_day": date(2022, 5, 5)},
    {"year": 2022, "first_day": date(2020, 1, 1), "last_day": date(2024, 1, 1)},
    {"lowest": Decimal("3.5")},
    {"lowest": Decimal(20), "highest": Decimal("6000.01"), "search": "b"},
    {"highest": Decimal("0.5"), "source": "bank"},
    {"lowest": Decimal(5), "highest": Decimal(1)},
    {"import_id": 2, "search": "baker"},
)


def _is_asked(each: Stored, asked: dict[str, Any]) -> bool:
    size = None if each.amount is None else abs(each.amount)
    kind = "Transaction" if each.kind == "money.transaction" else ""
    said = f"{each.title} {each.memo} {each.source} {kind}".lower().split()
    return (
        asked.get("kind", each.kind) == each.kind
        and asked.get("source", each.source) == each.source
        and asked.get("account", each.account) == each.account
        and asked.get("import_id", each.import_id) == each.import_id
        and asked.get("year", int(each.at[:4] or 0)) == int(each.at[:4] or 0)
        and asked.get("band", _band(each.amount)) == _band(each.amount)
        and ("first_day" not in asked or (each.at or "1970-01-01") >= asked["first_day"].isoformat())
        and ("last_day" not in asked or (each.at or "1970-01-01") <= asked["last_day"].isoformat())
        and ("lowest" not in asked or (size is not None and size >= asked["lowest"]))
        and ("highest" not in asked or (size is not None and size <= asked["highest"]))
        and all(any(word.startswith(begun) for word in said) for begun in asked.get("search", "").split())
    )


def test_filters_keep_what_they_name_and_the_counts_are_those_of_the_list(store: Store) -> None:
    _mixed(store)
    every = _found(store, limit=1000)
    for asked in _QUERIES:
        expected = [each for each in every if _is_asked(each, asked)]
        pages = _pages(store, Query(**asked), 11)
        assert Counter(each.id for page in pages for each in page) == Counter(each.id for each in expected), asked
        with store.read() as connection:
            answer = Answer(connection, Query(**asked))
            assert answer.count == len(expected), asked
            counts = answer.counts
            summed = timeline.filtered(connection, Query(**asked))
            assert len(connection.execute(summed).all()) == len(expected), asked
        assert counts.kinds == Counter(each.kind for each in expected), asked
        assert counts.sources == Counter(each.source for each in expected), asked
        assert counts.accounts == Counter(each.account for each in expected if each.account), asked
        assert counts.years == Counter(int(each.at[:4] or 0) for each in expected), asked
        assert counts.bands == Counter(_band(each.amount) for each in expected if each.amount is not None), asked


def test_of_too_many_hits_the_values_are_named_without_a_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST", 3)
    _stored(store, [_record(at=date(2020 + number, 1, 1)) for number in range(5)])
    with store.read() as connection:
        answer = Answer(connection, Query(search="baker"))
        assert (answer.count, answer.is_capped, answer.is_ranked) == (3, True, False)
        assert answer.counts.years == dict.fromkeys((2024, 2023, 2022, 2021, 2020))


@pytest.mark.parametrize("words", ["", "baker"])
def test_an_amount_is_between_two_to_the_cent(store: Store, words: str) -> None:
    _stored(store, [_record(amount=Decimal(said)) for said in ("-24.99", "25", "-27.5", "27.51", "250")])
    asked = Query(search=words, lowest=Decimal(25), highest=Decimal("27.5"))
    with store.read() as connection:
        answer = Answer(connection, asked)
        assert {each.amount for each in answer.page().records} == {Decimal(25), Decimal("-27.5")}
        assert (answer.count, answer.counts.bands) == (2, {1: 2})


def test_facts_of_thousands_of_groups_are_counted_too(store: Store) -> None:
    _stored(store, [_record(account="near")])
    with store.write() as connection:
        far = {"id": 2_000, "kind": "money.transaction", "source_id": 1, "account": "far"}
        connection.execute(insert(SearchGroup).values(far))
    _stored(store, [_record(account="far"), _record("Bakery", account="near")])
    with store.read() as connection:
        assert Answer(connection, Query(search="baker")).counts.accounts == {"near": 2, "far": 1}


def test_days_are_the_household_s_in_a_search_too(store: Store) -> None:
    late = datetime(2025, 3, 31, 23, 30, tzinfo=UTC)  # half past one in the morning of 1 April in Amsterdam
    kept = [_record("late", late), _record("said", date(2025, 4, 1)), _record("before", date(2025, 3, 31))]
    _stored(store, [replace(each, memo="x") for each in kept])
    amsterdam = ZoneInfo("Europe/Amsterdam")
    assert set(_titles(store, "x", first_day=date(2025, 4, 1), zone=amsterdam)) == {"late", "said"}
    assert _titles(store, "x", last_day=date(2025, 3, 31), zone=amsterdam) == ["before"]
    assert set(_titles(store, "x", last_day=date(2025, 3, 31))) == {"before", "late"}


@pytest.mark.parametrize(
    "at", [date(1, 1, 1), date(9999, 12, 31), date(1969, 12, 31), datetime(2242, 3, 16, tzinfo=UTC)]
)
def test_a_fact_of_any_time_is_found(store: Store, at: date) -> None:
    _stored(store, [_record(at=at)])
    assert _titles(store, "baker") == ["Baker"]


def test_what_was_believed_is_searched_too(store: Store) -> None:
    fact = stating.add(store, "note", {"title": "an old word", "memo": "Ärger"}, "Ada").id
    [before] = _found(store, search="old")
    then = datetime.fromisoformat(before.since)
    stating.correct(store, fact, {"title": "a new word"}, "Ada")
    assert _titles(store, "ärger old", as_of=then) == ["an old word"]
    assert _titles(store, "ärger old") == []


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("café", True),
        ("cafe low", True),
        ("CAFÉ LÖWE", True),
        ("owe", False),
        ("nephrolepis", True),
        ("12.50", True),
        ('"of the"', True),
        ('"of th"', False),
        ('"lowe of"', False),
        ("plan", True),
        ("mine said", False),
        ("plan myself", True),
        ("baker", False),
        ("!?", False),
    ],
)
def test_the_search_for_what_was_believed_is_the_search_for_what_stands(
    store: Store, words: str, is_found: bool
) -> None:
    said = {"title": "Café LÖWE", "memo": "of the town", "place": "Nephrolepis", "amount": "12.50", "unit": "EUR"}
    fact = stating.add(store, "me.plan", said, "Ada").id
    stating.add(store, "note", {"title": "Bread", "memo": "a note"}, "Ada")
    titles = ["Café LÖWE"] if is_found else []
    assert _titles(store, words) == titles
    then = datetime.fromisoformat(_found(store)[0].since)
    stating.withdraw(store, fact, "Ada", "no more")
    assert _titles(store, words) == []
    assert _titles(store, words, as_of=then) == titles
    asked = Query(search=words, as_of=then)
    with store.read() as connection:
        assert [each.title for each in timeline.matching(connection, asked)] == titles
        assert len(connection.execute(timeline.filtered(connection, asked)).all()) == len(titles)


def test_what_was_believed_is_paged_with_its_words(store: Store) -> None:
    _stored(store, [_record(title, memo=memo) for title in "abcde" for memo in ("an örtlich word", "another")])
    found = _pages(store, Query(search="ortlich", as_of=datetime.now(UTC)), 2)
    assert [[each.title for each in page] for page in found] == [["e", "d"], ["c", "b"], ["a"]]


# ---- what stands ----


def _state(connection: Connection) -> tuple[Any, ...]:
    """All that search knows, with numbers of groups as what they stand for."""
    counts = Answer(connection, EVERYTHING).counts
    found = [
        [each.version for each in Answer(connection, Query(search=words)).page(1000).records]
        for words in ("a", "new", "baker", "card", "transaction", "12")
    ]
    amounts = Answer(connection, Query(lowest=Decimal(1))).page(1000).records
    return counts, found, amounts


def test_search_finds_what_stands_and_a_rebuilt_index_is_the_same(store: Store) -> None:
    corrected = stating.add(store, "note", {"title": "an old word", "memo": "x", "at": "2024-01-01"}, "Ada").id
    withdrawn = stating.add(store, "note", {"title": "another old word", "memo": "x"}, "Ada").id
    import_id = _stored(store, [_record("Baker", amount=Decimal(12)), _record("Card", memo="baker")])
    stating.correct(store, corrected, {"title": "a new word", "at": "2023-01-01"}, "Ada")
    stating.withdraw(store, withdrawn, "Ada", "wrong")
    assert _titles(store, "old") == []
    assert _titles(store, "new") == ["a new word"]
    stating.restore(store, withdrawn, "Ada")
    assert _titles(store, "old") == ["another old word"]
    with store.write() as connection:
        change = versions.begin(connection, Action.UNDO, "Ada", import_id=import_id)
        versions.end(connection, RecordRow.import_id == import_id, change)
        assert Answer(connection, Query(search="baker")).count == 0
        facts = select(RecordRow.fact).where(RecordRow.import_id == import_id)
        versions.reinstate(connection, list(connection.execute(facts).scalars()), change)
        assert Answer(connection, Query(search="baker")).count == 2
        before = _state(connection)
        assert before[0].years == {2026: 2, 2023: 1, 0: 1}
        search.rebuild(connection)
        assert _state(connection) == before


def test_a_version_that_ended_before_it_was_brought_is_not_found(store: Store) -> None:
    with store.write() as connection:
        _keep(connection, [_record("standing")], Source("bank"))
        row = dict(connection.execute(select(RecordRow.__table__)).one()._mapping)
        records.put(connection, [row | {"id": 77, "title": "ended", "until_us": 5}])
        assert Answer(connection, Query(search="ended")).count == 0
        assert Answer(connection, EVERYTHING).count == 1


def test_a_store_of_the_version_before_is_indexed_when_it_is_opened(store: Store) -> None:
    _stored(store, [_record("Baker", amount=Decimal(12)), _record("Rail")])
    with store.write() as connection:
        for table in ("words", "terms", "codes", "amounts", "groups", "tallies"):
            connection.execute(text(f"DROP TABLE search_{table}"))
        for table in (
            "gaps",
            "register_steps",
            "thinnings",
            "fetches",
            "feeds",
            "notices",
            "mailers",
        ):  # and what came after
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE rollups DROP COLUMN cuts"))
        connection.execute(text("DROP INDEX ix_chunks_lineage"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    migrations.upgrade(store.engine)
    assert _titles(store, "bak") == ["Baker"]
    with store.read() as connection:
        assert Answer(connection, EVERYTHING).counts.bands == {1: 1}


def test_what_the_version_before_counted_by_is_packed_anew(store: Store) -> None:
    _stored(store, [_record(amount=Decimal(12), account="NL01"), _record(account="NL02"), _record("Rail")])
    query = Query(search="baker")
    with store.write() as connection:
        packed, counts = connection.execute(select(SearchCodes.packed)).scalar_one(), Answer(connection, query).counts
        connection.execute(update(SearchCodes).values(packed=array("I", array("H", packed)).tobytes()))
        for table in ("notices", "mailers"):  # and what came after
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0006'"))
        assert Answer(connection, query).counts == counts
    migrations.upgrade(store.engine)
    with store.read() as connection:
        assert connection.execute(select(SearchCodes.packed)).scalar_one() == packed
        assert Answer(connection, query).counts == counts


# ---- forgetting ----


def test_what_is_forgotten_is_found_no_more_and_the_rest_is(store: Store) -> None:
    _stored(store, [_record("Secret clinic", amount=Decimal(40)), _record("Clinic cafe", date(2020, 1, 1))])
    [secret] = _found(store, search="secret")
    with store.write() as connection:
        search.forget(connection, [secret.version])
        connection.execute(text("DELETE FROM records WHERE id = :id"), {"id": secret.version})
    assert _titles(store, "secret") == []
    assert _titles(store, "clin") == ["Clinic cafe"]
    with store.read() as connection:
        assert Answer(connection, EVERYTHING).counts.years == {2020: 1}
        terms = set(connection.execute(text("SELECT term FROM search_terms")).scalars())
    assert terms == ({"clinic", "cafe"} if store.is_sqlite else set())


def _like_sqlcipher(connection: Any, _: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA secure_delete = ON")  # SQLCipher has it on


def test_no_byte_of_a_forgotten_word_stays_in_the_file(store: Store, tmp_path: Path) -> None:
    """In a file without encryption, in which words can be looked for."""
    if not store.is_sqlite:
        pytest.skip("what PostgreSQL keeps until it vacuums is said in its documents")
    file = tmp_path / "plain.db"
    plain = create_engine(f"sqlite:///{file}", module=sqlcipher3.dbapi2)
    event.listen(plain, "connect", _like_sqlcipher)
    event.listen(plain, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    migrations.upgrade(plain)
    with plain.begin() as connection:
        _keep(connection, [_record("zebrasecret"), _record("harmless", memo="quaggasecret kept")], Source("bank"))
    with plain.begin() as connection:
        _keep(connection, [_record("other"), _record("harmless")], Source("bank"))
    assert {b"zebrasecret", b"quaggasecret"} <= set(re.findall(rb"[a-z]+secret", file.read_bytes()))
    with plain.begin() as connection:
        search.forget(connection, [1, 2])
        connection.execute(text("DELETE FROM records WHERE id IN (1, 2)"))
        assert Answer(connection, Query(search="harmless")).count == 1
    plain.dispose()
    assert not re.findall(rb"(?i)ebrasecret|uaggasecret", file.read_bytes())


def test_a_long_text_and_long_words_are_indexed(store: Store) -> None:
    _stored(store, [_record("long", memo=f"begin {'word ' * 50_000}end"), _record("wide", memo="x" * 5_000)])
    assert _titles(store, "begin word") == ["long"]
    assert _titles(store, "x" * 150) == ["wide"]
    assert _titles(store, "x" * 5_000) == ["wide"]


def test_the_indexes_of_both_databases_offer_the_same() -> None:
    names = {name for name in vars(sqlite) if name in vars(Index) and not name.startswith("_")}
    assert names == {"add", "delete", "clear", "tidy", "asked", "found"}
    assert all(hasattr(postgresql, name) for name in (*names, "KEY", "MATCH"))


@pytest.mark.parametrize("after", ["new.9999999999999999999", "new.-9999999999999999999", "best.1.9999999999999999999"])
@pytest.mark.parametrize("asked", [Query(kind="money.transaction"), Query(search="shop")])
def test_a_cursor_beyond_all_numbers_is_no_error(store: Store, asked: Query, after: str) -> None:
    with store.read() as connection:
        assert timeline.page(connection, asked, 2, after).records == []


@pytest.mark.parametrize("search", ["", "shop"])
def test_the_ends_of_the_calendar_ask_nothing(store: Store, search: str) -> None:
    query = Query(first_day=date.min, last_day=date.max, search=search, zone=ZoneInfo("Pacific/Auckland"))
    with store.read() as connection:
        assert timeline.page(connection, query).records == []
        assert list(timeline.matching(connection, query)) == []


def test_a_text_longer_than_an_index_takes_is_kept_and_found_by_its_beginning(store: Store) -> None:
    words = random.Random(1)
    long = " ".join("".join(chr(words.randrange(0x10330, 0x1034A)) for _ in range(9)) for _ in range(20_000))
    _stored(store, [_record(f"Saga {long}", memo=long)])
    [found] = _found(store, search="saga", kind="money.transaction")
    assert found.memo == long


@pytest.mark.parametrize("table", ["search_words", "search_tallies"])
def test_check_makes_an_index_anew_that_is_not_that_of_the_facts(store: Store, table: str) -> None:
    _stored(store, [_record("Baker"), _record("Miller")])
    assert list(checking.problems(store)) == []
    with store.write() as connection:
        lost = text("DELETE FROM search_words WHERE " + search.index_of(connection).KEY + " > 0")
        connection.execute(lost if table == "search_words" else text("UPDATE search_tallies SET facts = facts + 1"))
    [problem] = checking.problems(store)
    assert "was made anew" in problem
    assert list(checking.problems(store)) == []
    assert (_titles(store, "miller"), len(_found(store, kind="money.transaction"))) == (["Miller"], 2)
