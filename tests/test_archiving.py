"""Archives: facts move out and come back as they were, nothing is lost or twice, and damage is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from appliance import archiving, kinds
from appliance.archiving import summaries
from appliance.config import Config
from appliance.derive import events, sums
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.store import archives, declared, timeline
from appliance.store.database import Store, change_key, open_store
from appliance.store.keys import StoreKey
from appliance.store.models import Attribute, EventFact, Link, RecordRow, Verification
from appliance.store.timeline import Query
from tests.statements import Row, ofx

KIND = "money.transaction"
ROWS = [Row(date(2019, month, 5), f"-{month}.50", f"Shop {month}", fitid=f"F{month}") for month in range(1, 13)]
BEFORE = date(2019, 7, 1)
TABLES = (RecordRow, Attribute, Link, EventFact, Verification)


@pytest.fixture
def folder(config: Config) -> Path:
    """The store's folder."""
    return config.stores / "home"


@pytest.fixture
def filled(store: Store) -> Store:
    """A year's statement with what a person and the box made of two facts: corrected, withdrawn, noted, linked."""
    importing.import_bytes(store, ofx(ROWS), "2019.ofx")
    first, second, third, *_ = facts(store)
    stating.correct(store, first, {"title": "Bäcker", "amount": "-2"}, "Ann", "the bank abbreviates")
    note = stating.annotate(store, first, "rolls for the party", "Ann")
    stating.annotate(store, note.id, "it was in the garden", "Ann")
    stating.withdraw(store, second, "Ann", "not mine")
    link = {"joined": True, "rule": "person", "reason": "one payment", "who": "Ann", "at_us": 1}
    with store.write() as connection:
        connection.execute(insert(Link), [{"one": first, "other": third, **link}])
        connection.execute(insert(EventFact), [{"fact": each, "event": first} for each in (first, third)])
        attribute = {"name": "tag", "value": "food", "rule": "tags", "record_id": first, "inputs": {"title": "Bäcker"}}
        connection.execute(insert(Attribute).values(fact=first, **attribute))
        verified = {"at_us": 2, "verifier": "bank", "method": "signature", "claim": {"amount": "-2"}}
        connection.execute(insert(Verification).values(fact=first, **verified))
    return store


def facts(store: Store) -> list[int]:
    with store.read() as connection:
        return list(connection.execute(select(RecordRow.fact).where(RecordRow.until_us.is_(None))).scalars())


def everything(store: Store) -> dict[str, list[Any]]:
    """Every row that belongs to facts; a verification's own number is nobody's."""
    with store.read() as connection:
        shown = {
            each: [column for column in each.__table__.c if column is not Verification.__table__.c.id]
            for each in TABLES
        }
        found = {each: connection.execute(select(*columns)).all() for each, columns in shown.items()}
    return {each.__tablename__: sorted(map(tuple, rows), key=repr) for each, rows in found.items()}


def titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title for each in timeline.matching(connection, Query(kind=KIND)))


def test_facts_come_back_exactly_as_they_were(filled: Store, folder: Path) -> None:
    before = everything(filled)
    made = archiving.make(filled, folder, KIND, BEFORE)
    assert made is not None
    assert (made.archive, made.first, made.before, made.facts) == (1, "2019-01-05", "2019-07-01", 8)
    assert titles(filled) == sorted(row.name for row in ROWS[6:])
    archiving.attach(filled, folder, 1)
    assert everything(filled) == before
    assert archives.files(folder) == []
    again = archiving.make(filled, folder, KIND, BEFORE)
    assert again is not None
    assert (again.archive, again.facts) == (2, 8)
    archiving.attach(filled, folder, 2)
    assert everything(filled) == before


def test_the_same_file_brings_nothing_while_its_facts_are_archived_and_after(filled: Store, folder: Path) -> None:
    archiving.make(filled, folder, KIND, BEFORE)
    assert importing.import_bytes(filled, ofx(ROWS), "2019.ofx").duplicate == 12
    other = importing.import_bytes(filled, ofx(ROWS, said="again"), "again.ofx")
    assert (other.stored, other.duplicate) == (0, 12)
    archiving.attach(filled, folder, 1)
    assert importing.import_bytes(filled, ofx(ROWS, said="once more"), "more.ofx").stored == 0
    assert len(titles(filled)) == 11


def test_no_number_is_given_twice_though_its_fact_lies_in_an_archive(filled: Store, folder: Path) -> None:
    importing.import_bytes(filled, ofx(ROWS[:1], account="2"), "other.ofx")
    highest = max(facts(filled))
    archiving.make(filled, folder, KIND, date(2020, 1, 1))
    added = stating.add(filled, "note", {"memo": "a new one"}, "Ann")
    assert added.id > highest
    archiving.attach(filled, folder, 1)


def test_months_remain_by_account_and_currency_and_count_an_event_once(filled: Store, folder: Path) -> None:
    archiving.make(filled, folder, KIND, date(2019, 4, 1))
    with filled.read() as connection:
        said = summaries.every(connection)
    assert [(each.month, each.facts, each.amount) for each in said] == [
        ("2019-01", 1, Decimal(-2)),
        ("2019-03", 1, Decimal(0)),  # the event is counted in January; February's was withdrawn
    ]
    assert {(each.account, each.unit, each.kind) for each in said} == {("12345678", "EUR", KIND)}


def test_a_month_s_sum_is_that_of_its_own_facts_whatever_else_tells_of_the_event(filled: Store, folder: Path) -> None:
    """January's fact was once left out, as March's, which stayed in the store, told of the same event: withdrawing that
    one took the money out of every sum. What lies still cannot follow what happens to what does not."""
    archiving.make(filled, folder, KIND, date(2019, 3, 1))
    assert amounts(filled) == [Decimal(-2)]
    archiving.make(filled, folder, KIND, date(2019, 4, 1))
    assert amounts(filled) == [Decimal(-2), Decimal("-3.5")]


def amounts(store: Store) -> list[Decimal | None]:
    with store.read() as connection:
        return [each.amount for each in summaries.every(connection)]


@pytest.fixture
def paid_order(store: Store) -> Store:
    """A payment, the order that it paid (one event), and another payment of the same account."""
    payment = {"unit": "EUR", "account": "1"}
    said: list[tuple[str, dict[str, str]]] = [
        (KIND, {"at": "2020-01-05", "amount": "-20", "party": "Acme", "title": "Acme", **payment}),
        ("shop.order", {"at": "2020-01-04", "amount": "20", "unit": "EUR", "party": "Acme", "title": "Order"}),
        (KIND, {"at": "2020-01-06", "amount": "-1", "party": "Bee", "title": "Bee", **payment}),
    ]
    numbers = [stating.add(store, kind, values, "Ann").id for kind, values in said]
    events.join(store, numbers[0], numbers[1], "Ann")
    return store


def test_a_payment_is_in_its_account_s_sum_though_its_order_is_not_archived(paid_order: Store, folder: Path) -> None:
    archiving.make(paid_order, folder, KIND, date(2021, 1, 1))
    assert amounts(paid_order) == [Decimal(-21)]


def test_nothing_is_counted_twice_when_an_archive_of_another_kind_comes_back(paid_order: Store, folder: Path) -> None:
    archiving.make(paid_order, folder, "shop.order", date(2021, 1, 1))
    archiving.make(paid_order, folder, KIND, date(2021, 1, 1))
    assert amounts(paid_order) == [Decimal(-21), Decimal(20)]
    archiving.attach(paid_order, folder, 1)
    assert amounts(paid_order) == [Decimal(-21)]
    with paid_order.read() as connection:
        [total] = sums.of(connection, Query(kind="shop.order"))
    assert (total.amount, total.facts) == (Decimal(20), 1)


def test_a_kind_of_one_s_own_that_stands_beside_others_is_not_added_up(store: Store, folder: Path) -> None:
    declaration = '[kinds."garden.level"]\ntitle = "Level"\ncounted = false\n'
    with store.write() as connection:
        declared.keep(connection, kinds.declared(declaration, "garden.toml")[0])
    for amount in ("3", "4"):
        stating.add(store, "garden.level", {"at": "2019-03-01", "title": "Well", "amount": amount, "unit": "m"}, "Ann")
    archiving.make(store, folder, "garden.level", date(2020, 1, 1))
    assert amounts(store) == [None]


def test_only_whole_months_go_and_facts_without_a_time_stay(filled: Store, folder: Path) -> None:
    made = archiving.make(filled, folder, KIND, date(2019, 3, 20))
    assert made is not None
    assert made.before == "2019-03-01"
    stating.add(filled, "note", {"memo": "whenever"}, "Ann")
    assert archiving.make(filled, folder, "note", date(2030, 1, 1)) is None


def test_what_an_undo_took_away_stays_and_can_come_again(filled: Store, folder: Path) -> None:
    other = importing.import_bytes(filled, ofx(ROWS[:2], account="2"), "other.ofx")
    undoing.undo(filled, other.id, "Ann")
    archiving.make(filled, folder, KIND, BEFORE)
    assert importing.import_bytes(filled, ofx(ROWS[:2], account="2"), "other.ofx").stored == 2


def test_an_import_is_not_undone_while_its_facts_are_archived(filled: Store, folder: Path) -> None:
    confirming = importing.import_bytes(filled, ofx(ROWS, said="again"), "again.ofx")
    archiving.make(filled, folder, KIND, BEFORE)
    for import_id in (1, confirming.id):
        with pytest.raises(UserError, match="archive attach 1"):
            undoing.undo(filled, import_id, "Ann")


def _cut(content: bytes) -> bytes:
    return content[:-7]


def _altered(content: bytes) -> bytes:
    return content[:-40] + bytes([content[-40] ^ 1]) + content[-39:]


def _lengthened(content: bytes) -> bytes:
    return content + b"\0\0\0\0"


def _other_key(content: bytes) -> bytes:
    return content[:30] + bytes([content[30] ^ 1]) + content[31:]


@pytest.mark.parametrize("damage", [_cut, _altered, _lengthened, _other_key, lambda content: content[:50], None])
def test_a_missing_or_damaged_file_is_named_and_changes_nothing(
    filled: Store, folder: Path, damage: Callable[[bytes], bytes] | None
) -> None:
    archiving.make(filled, folder, KIND, BEFORE)
    path, before = archives.path_of(folder, 1), everything(filled)
    content = path.read_bytes()
    path.unlink()
    if damage:
        path.write_bytes(damage(content))
    with pytest.raises(UserError, match=r"1\.archive.*put (it|this file) back from a backup"):
        archiving.attach(filled, folder, 1)
    assert everything(filled) == before
    path.write_bytes(content)
    archiving.attach(filled, folder, 1)


def test_an_archive_under_another_s_number_is_told(filled: Store, folder: Path) -> None:
    archiving.make(filled, folder, KIND, date(2019, 3, 1))
    archiving.make(filled, folder, KIND, BEFORE)
    one, two = (archives.path_of(folder, number) for number in (1, 2))
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    with pytest.raises(UserError, match="altered"):
        archiving.attach(filled, folder, 2)


KEY = StoreKey(b"k" * 32)
LINES = [{"in": "records", "id": number, "title": "x" * 3000} for number in range(1500)]


def test_frames_cannot_be_dropped_swapped_or_cut(tmp_path: Path) -> None:
    assert archives.write(tmp_path, 7, KEY, LINES).lines == 1500
    path = archives.path_of(tmp_path, 7)
    head, *frames = _frames(path.read_bytes())
    assert len(frames) > 3
    assert list(archives.read(tmp_path, 7, KEY)) == LINES
    for changed in (frames[1:], frames[:-1], [frames[1], frames[0], *frames[2:]], [*frames, frames[-1]], []):
        path.write_bytes(b"".join([head, *changed]))
        with pytest.raises(UserError, match="altered"):
            list(archives.read(tmp_path, 7, KEY))


def _frames(content: bytes) -> list[bytes]:
    parts, at = [content[:68]], 68
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "little")
        parts.append(content[at:end])
        at = end
    return parts


def test_an_archive_opens_after_the_store_s_key_was_changed(tmp_path: Path) -> None:
    archives.write(tmp_path, 1, KEY, LINES[:3])
    following = StoreKey(b"n" * 32, (KEY.secret,))
    assert len(list(archives.read(tmp_path, 1, following))) == 3
    for _ in range(2):
        archives.rewrap(tmp_path, KEY, following)
    assert len(list(archives.read(tmp_path, 1, StoreKey(following.secret)))) == 3
    with pytest.raises(UserError, match="altered"):
        list(archives.read(tmp_path, 1, KEY))


def test_nothing_is_readable_in_the_file(filled: Store, folder: Path) -> None:
    archiving.make(filled, folder, KIND, BEFORE)
    content = archives.path_of(folder, 1).read_bytes()
    assert b"Shop" not in content
    assert archives.path_of(folder, 1).stat().st_mode & 0o777 == 0o600


class PowerCutError(Exception):
    """The box stops here."""


@pytest.mark.parametrize("step", ["_written", "contents.remove", "needed"])
def test_a_cut_while_archiving_loses_nothing_and_leaves_nothing_twice(
    filled: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = everything(filled)
    owner: Any = archiving.contents if step.startswith("contents.") else archiving
    name = step.rpartition(".")[2]
    whole = getattr(owner, name)

    def cut(*arguments: Any) -> None:
        whole(*arguments)
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, cut)
        with pytest.raises(PowerCutError):
            archiving.make(filled, folder, KIND, BEFORE)
    assert everything(filled) == before
    assert len(archives.files(folder)) == 1  # of which no row tells
    made = archiving.make(filled, folder, KIND, BEFORE)
    assert made is not None
    assert made.archive == 1
    archiving.attach(filled, folder, 1)
    assert everything(filled) == before


def test_a_cut_while_attaching_leaves_the_archive_or_the_facts(
    filled: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(filled)
    archiving.make(filled, folder, KIND, BEFORE)

    def cut(*arguments: Any) -> None:
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr(archiving, "tidy", cut)
        with pytest.raises(PowerCutError):
            archiving.attach(filled, folder, 1)
    assert everything(filled) == before  # and the file is there still
    with pytest.raises(UserError, match="already"):
        archiving.attach(filled, folder, 1)
    archiving.tidy(filled, folder)
    assert archives.files(folder) == []


def test_an_archive_is_the_new_key_s_alone_after_a_change_of_keys(config: Config, filled: Store, folder: Path) -> None:
    before = everything(filled)
    archiving.make(filled, folder, KIND, BEFORE)
    old = filled.key
    filled.close()
    change_key(config, "home")
    with pytest.raises(UserError, match="altered"):
        list(archives.read(folder, 1, old))
    with open_store(config) as store:
        archiving.attach(store, folder, 1)
        assert everything(store) == before


def test_months_count_an_event_once_though_nothing_was_derived_yet(store: Store, config: Config) -> None:
    days = [Row(date(2026, 3, day), "-2.50", "Coffee") for day in range(1, 9)]
    importing.import_bytes(store, ofx(days), "a.ofx", source="bank")
    again = [replace(row, name="Coffee Corner 12") for row in days]
    importing.import_bytes(store, ofx(again, "NL30 0012 3456 78"), "b.ofx", source="app")
    archiving.make(store, config.stores / "home", "money.transaction", date(2027, 1, 1))
    with store.read() as connection:
        assert sum(each.amount or 0 for each in summaries.every(connection)) == Decimal("-20.00")


def test_balances_are_counted_and_not_added_up(store: Store, config: Config) -> None:
    for amount in ("100", "250"):
        stating.add(
            store, "money.balance", {"at": "2019-03-01", "account": "1", "amount": amount, "unit": "EUR"}, "Ann"
        )
    archiving.make(store, config.stores / "home", "money.balance", date(2020, 1, 1))
    with store.read() as connection:
        [each] = summaries.every(connection)
    assert (each.facts, each.amount) == (2, None)
