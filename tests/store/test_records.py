"""Records: paged, filtered and searched without losing one, and kept exactly as they were said."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.records import Record, Source, Span
from appliance.store import imports, records, sources, timeline
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.store.timeline import Query


def _record(title: str = "Baker", at: date | datetime | None = date(2026, 3, 1), **more: object) -> Record:
    return Record(kind="money.transaction", at=at, title=title, span=Span(0, 1), **more)  # type: ignore[arg-type]


def _stored(store: Store, kept: Sequence[Record], source: str = "bank") -> int:
    with store.write() as connection:
        import_id = imports.begin(
            connection, at_us=0, file="f", format="ofx", sha256=None, named_source="", options={}, retry_of=None
        )
        source_id = sources.id_of(connection, Source(source))
        rows = [
            records.row(each, source_id, import_id, 0, bytes([number % 256]), "") for number, each in enumerate(kept)
        ]
        records.add(connection, rows)
    return import_id


def _found(store: Store, query: Query = Query()) -> list[Stored]:  # noqa: B008 - frozen
    with store.read() as connection:
        return list(timeline.matching(connection, query))


def _titles(store: Store, **asked: object) -> set[str]:
    return {each.title for each in _found(store, Query(**asked))}  # type: ignore[arg-type]


def test_a_record_comes_back_as_it_was_said(store: Store) -> None:
    said = _record(
        title="Ärger & Söhne 🧾",
        at=datetime(2026, 3, 1, 23, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=-5))),
        party="Ärger",
        account="123",
        amount=Decimal("-1234.5"),
        unit="EUR",
        memo="rent",
        supplier_id="F1",
        fields={"trntype": "DEBIT", "note": "ß"},
    )
    import_id = _stored(store, [said])
    [back] = _found(store)
    assert (back.title, back.party, back.memo, back.account) == (said.title, said.party, said.memo, said.account)
    assert (back.at, back.amount, back.unit) == ("2026-03-02T04:30:00.250000Z", Decimal("-1234.50"), "EUR")
    assert (back.fields, back.supplier_id, back.provenance) == (said.fields, "F1", "our")
    assert (back.source, back.import_id, back.kind) == ("bank", import_id, "money.transaction")


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (None, ""),
        (date(1, 1, 1), "0001-01-01"),
        (date(9999, 12, 31), "9999-12-31"),
        (date(1969, 12, 31), "1969-12-31"),
        (datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01T00:00:00Z"),
    ],
)
def test_a_time_is_no_more_precise_than_it_was_said(store: Store, at: date | datetime | None, shown: str) -> None:
    _stored(store, [_record(at=at)])
    assert [each.at for each in _found(store)] == [shown]


def test_a_time_that_utc_cannot_say_is_refused_before_it_is_stored() -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))
    with pytest.raises(OverflowError):
        records.moment(early)


@given(st.decimals(places=6, min_value=-(10**12), max_value=10**12))
def test_an_amount_is_exact(amount: Decimal) -> None:
    assert records.amount_of(records.scaled(amount)) == amount


@pytest.mark.parametrize("amount", ["0.0000001", "1e13", "-1e40"])
def test_an_amount_that_cannot_be_exact_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="decimals or is out of range"):
        records.scaled(Decimal(amount))


@pytest.mark.parametrize(("amount", "shown"), [("5", "5.00"), ("-0.1", "-0.10"), ("1.234500", "1.2345"), ("0", "0.00")])
def test_an_amount_is_shown_with_two_decimals_and_no_more_than_it_needs(amount: str, shown: str) -> None:
    back = records.amount_of(records.scaled(Decimal(amount)))
    assert back is not None
    assert format(back, "f") == shown


def test_paging_gives_every_record_once_newest_first(store: Store) -> None:
    days = [date(1965, 5, 1) + timedelta(days=400 * (number // 3)) for number in range(40)]  # three a day, some 1970-
    _stored(store, [_record(f"{number}", at) for number, at in enumerate(days)] + [_record("timeless", None)])
    pages, after = list[list[Stored]](), ""
    with store.read() as connection:
        while len(pages) < 100:
            page = timeline.page(connection, Query(), limit=7, after=after)
            pages.append(page.records)
            if not (after := page.after):
                break
    seen = [each for page in pages for each in page]
    assert [len(page) for page in pages] == [7, 7, 7, 7, 7, 6]
    assert [each.id for each in seen] == [each.id for each in _found(store)]
    assert len({each.id for each in seen}) == 41
    dates = [each.at for each in seen if each.at]
    assert dates == sorted(dates, reverse=True)


def test_a_last_page_that_is_full_has_no_next(store: Store) -> None:
    _stored(store, [_record(f"{number}") for number in range(4)])
    with store.read() as connection:
        first = timeline.page(connection, Query(), limit=2)
        assert timeline.page(connection, Query(), limit=2, after=first.after).after == ""


def test_a_nul_is_stored_as_a_sign_that_there_was_one(store: Store) -> None:
    _stored(store, [_record("a\0b", memo="\0", fields={"x": "y\0"})])
    [back] = _found(store)
    assert (back.title, back.memo, back.fields) == ("a�b", "�", {"x": "y�"})


def test_each_filter_keeps_what_it_names(store: Store) -> None:
    _stored(store, [_record("early", date(2026, 1, 31)), _record("mine", account="1")], source="bank")
    other = _stored(store, [_record("late", date(2026, 4, 1)), _record("timeless", None)], source="card")
    assert _titles(store, source="card") == {"late", "timeless"}
    assert _titles(store, account="1") == {"mine"}
    assert _titles(store, import_id=other) == {"late", "timeless"}
    assert _titles(store, kind="money.transaction", first_day=date(2026, 3, 1)) == {"mine", "late"}
    assert _titles(store, first_day=date(2026, 1, 31), last_day=date(2026, 1, 31)) == {"early"}
    assert _titles(store, kind="phone.call") == set()


def test_the_last_day_is_asked_for_as_a_whole(store: Store) -> None:
    late = datetime(2026, 3, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    _stored(store, [_record("late", late), _record("next", late + timedelta(microseconds=1))])
    assert _titles(store, last_day=date(2026, 3, 1)) == {"late"}


def test_a_day_is_the_household_s_and_a_bare_date_its_own(store: Store) -> None:
    late = datetime(2025, 3, 31, 23, 30, tzinfo=UTC)  # half past one in the morning of 1 April in Amsterdam
    _stored(store, [_record("late", late), _record("said", date(2025, 4, 1)), _record("before", date(2025, 3, 31))])
    amsterdam = ZoneInfo("Europe/Amsterdam")
    assert _titles(store, first_day=date(2025, 4, 1), zone=amsterdam) == {"late", "said"}
    assert _titles(store, last_day=date(2025, 3, 31), zone=amsterdam) == {"before"}
    assert _titles(store, last_day=date(2025, 3, 31)) == {"before", "late"}


def test_one_record_is_found_by_its_number(store: Store) -> None:
    _stored(store, [_record("a"), _record("b")])
    [b, a] = _found(store)
    with store.read() as connection:
        assert records.one(connection, a.id) == a
        assert records.one(connection, b.id + 1) is None
