"""A mart's facts brought up to the main store's: what is new is added, the rest corrected, withdrawn or deleted.

A mart's facts have numbers of their own, since a mart is a store like any other, in which people may say more. The
first version of each has a key in place of a fingerprint: the main store's number, by which it is found again. Each
refresh compares what should be with what is, so that doing it again, or after it was stopped half-way, changes nothing
more. What it has to compare it knows from the mark that the mart keeps: the newest version and change that it saw.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, union

from appliance.archiving import contents
from appliance.derive import tally
from appliance.marts import wanted
from appliance.marts.archived import AllInPlace
from appliance.marts.selection import RECORD, Selection
from appliance.marts.wanted import FACT, SUM, Wanted
from appliance.records import Source
from appliance.store import links, records, sources, versions
from appliance.store.models import Archive, ArchivedFact, Change, Deletion, Link, RecordRow, RuleState, SourceRow
from appliance.store.versions import Action, Done

BLOCK = 2_000  # facts that are compared at once
MARK = "mart: facts"

_COMPARED = (
    *("kind", "at_us", "zone", "title", "party", "account", "amount_e6", "unit", "memo"),
    *("provenance", "supplier_id", "fields"),
)


@dataclass(slots=True)
class Brought:
    """What a refresh did to a mart's facts."""

    added: int = 0
    corrected: int = 0
    withdrawn: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a mart has come: the newest version and change of the main store, and what was put away or joined."""

    record_id: int = 0
    change_id: int = 0
    elsewhere: tuple[int, ...] = ()  # archives, those attached, deletions
    links: tuple[int, ...] = ()


def refresh(
    main: Connection,
    mart: Connection,
    selection: Selection,
    store: str,
    import_of: Callable[[int], int],
    archives: AllInPlace,
) -> Brought:
    """Brings a mart's facts up to those of the main store, which is named `store`.

    `import_of` gives the mart's number of an import of the main store, where originals come along. With `archives`
    sums know what lies in the main store's archives.
    """
    before, now = _mark(mart), _now(main)
    settling = _Settling(mart, f"from the store {store!r}", import_of)
    if before == now or not selection.has_facts:
        return settling.brought
    if selection.granularity != RECORD:
        _bring_sums(main, settling, selection, forget=now.elsewhere[2:] != before.elsewhere[2:], archives=archives)
    elif now.elsewhere != before.elsewhere or now.record_id < before.record_id or now.change_id < before.change_id:
        _bring_all(main, settling, selection, now.record_id)
    else:
        _bring_some(main, settling, selection, before)
    _keep(mart, now)
    return settling.brought


def _now(main: Connection) -> Mark:
    def highest(column: Any) -> int:
        return int(main.execute(select(func.max(column))).scalar_one() or 0)

    attached = select(func.count()).where(Archive.attached_us.is_not(None))
    joined = select(func.count()).select_from(Link)
    return Mark(
        highest(RecordRow.id),
        highest(Change.id),
        (highest(Archive.id), int(main.execute(attached).scalar_one()), highest(Deletion.id)),
        (highest(Link.at_us), int(main.execute(joined).scalar_one())),
    )


def _mark(mart: Connection) -> Mark:
    said = mart.execute(select(RuleState.version).where(RuleState.name == MARK)).scalar_one_or_none()
    if said is None:
        return Mark()
    record_id, change_id, elsewhere, links = json.loads(said)
    return Mark(record_id, change_id, tuple(elsewhere), tuple(links))


def _keep(mart: Connection, mark: Mark) -> None:
    said = json.dumps([mark.record_id, mark.change_id, mark.elsewhere, mark.links])
    mart.execute(delete(RuleState).where(RuleState.name == MARK))
    mart.execute(insert(RuleState).values(name=MARK, version=said, record_id=mark.record_id))


def _bring_all(main: Connection, settling: "_Settling", selection: Selection, highest: int) -> None:
    """Compares every fact: the first time, and where facts came or went without a version of their own."""
    key = settling.connection.execute(select(func.max(RecordRow.fingerprint)).where(wanted.keyed(FACT))).scalar_one()
    end = 1 + max(highest, wanted.number_of(key) if key else 0)
    for first in range(0, end, BLOCK):
        block = wanted.between(first, first + BLOCK)
        keys = RecordRow.fingerprint.between(wanted.key_of(first), wanted.key_of(first + BLOCK - 1))
        _settle(main, settling, wanted.facts(main, selection, block), keys)


def _bring_some(main: Connection, settling: "_Settling", selection: Selection, before: Mark) -> None:
    """Compares the facts that have a version since, or of which one ended."""
    begun = select(RecordRow.fact).where(RecordRow.id > before.record_id)
    ended = select(RecordRow.fact).where(RecordRow.ended_by > before.change_id)
    touched = iter(sorted(main.execute(union(begun, ended)).scalars()))
    while some := list(islice(touched, BLOCK)):
        keys = RecordRow.fingerprint.in_([wanted.key_of(fact) for fact in some])
        _settle(main, settling, wanted.facts(main, selection, records.of_facts(some)), keys)


def _settle(main: Connection, settling: "_Settling", should: Mapping[bytes, Wanted], keys: ColumnElement[bool]) -> None:
    gone = settling.settle(should, keys)
    numbers = {wanted.number_of(key): fact for key, fact in gone.items()}
    known = wanted.there(main, list(numbers))
    put_away = select(ArchivedFact.fact).where(ArchivedFact.fact.in_(list(numbers)))
    archived = set(main.execute(put_away).scalars())
    settling.withdraw([fact for number, fact in numbers.items() if number in known])
    settling.delete([fact for number, fact in numbers.items() if number not in known | archived])


def _bring_sums(
    main: Connection, settling: "_Settling", selection: Selection, *, forget: bool, archives: AllInPlace
) -> None:
    """Sums are all made anew; those of months that lie in an archive stay as they were.

    `forget`: something was deleted for good. What sums were with it goes too, and what lies in archives is added up
    once more, since it may have been deleted there.
    """
    if forget:
        with archives.put_back(main):
            should = wanted.sums(main, selection)
        settling.delete(list(settling.facts(wanted.keyed(SUM)).values()))
        settling.settle(should, wanted.keyed(SUM))
        return
    spans = wanted.archived_months(main)

    def lies_in_archive(kind: str, at_us: int) -> bool:
        return any(first <= at_us < end for first, end in spans.get(kind, ()))

    standing = settling.standing(wanted.keyed(SUM))
    kept = {key for key, row in standing.items() if row is not None and lies_in_archive(row.kind, row.at_us)}
    should = {key: row for key, row in wanted.sums(main, selection).items() if key not in kept}
    gone = settling.settle(should, wanted.keyed(SUM))
    settling.withdraw([fact for key, fact in gone.items() if key not in kept])


class _Settling:
    """Makes a mart's facts what they should be."""

    def __init__(self, connection: Connection, why: str, import_of: Callable[[int], int]) -> None:
        self.connection, self.brought = connection, Brought()
        self._why, self._import_of = why, import_of
        self._changes: dict[Action, Done] = {}
        self._source_ids: dict[tuple[str, str], int] = {}

    def standing(self, keys: ColumnElement[bool]) -> dict[bytes, Row[Any] | None]:
        """The version that stands of each fact that has such a key, None where none does."""
        return {key: row for key, (_, row) in self._there(keys).items()}

    def facts(self, keys: ColumnElement[bool]) -> dict[bytes, int]:
        """The facts that have such a key, whether they stand or not."""
        first = select(RecordRow.fingerprint, RecordRow.fact).where(keys)
        return {bytes(row.fingerprint): row.fact for row in self.connection.execute(first)}

    def settle(self, should: Mapping[bytes, Wanted], keys: ColumnElement[bool]) -> dict[bytes, int]:
        """Adds and corrects; the facts that have such a key and should not stand, by their keys."""
        there = self._there(keys)
        fresh: list[tuple[bytes, Wanted]] = []
        notes: list[tuple[bytes, Wanted]] = []
        for key, row in should.items():
            if key not in there:
                (fresh if row["about"] is None else notes).append((key, row))
            elif (now := there[key][1]) is None:
                self._reinstate(there[key][0], row)
            elif values := self._different(now, row):
                versions.supersede(self.connection, there[key][0], values, self._change(Action.CORRECT))
                self.brought.corrected += 1
        self._add(fresh)
        for note in sorted(notes, key=itemgetter(0)):  # a note about a note comes behind it
            self._add([note])
        return {key: fact for key, (fact, _) in there.items() if key not in should}

    def _add(self, fresh: Sequence[tuple[bytes, Wanted]]) -> None:
        if fresh:
            begun = {"since_us": self._change(Action.ADD).at_us, "begun_by": self._change(Action.ADD).id}
            rows = [{**self._columns(row), "fingerprint": key, **begun} for key, row in fresh]
            records.add(self.connection, rows)
            self.brought.added += len(rows)

    def withdraw(self, facts: Sequence[int]) -> None:
        """Lets facts stand no more."""
        own = records.of_facts(facts)
        standing = select(func.count()).select_from(RecordRow).where(own, RecordRow.until_us.is_(None))
        if facts and self.connection.execute(standing).scalar_one():
            self.brought.withdrawn += versions.end(self.connection, own, self._change(Action.WITHDRAW))

    def delete(self, facts: Sequence[int]) -> None:
        """Removes every version of facts that were deleted for good in the main store."""
        if facts:
            gone = contents.with_notes(self.connection, facts)
            contents.remove(self.connection, gone, for_good=True)
            links.forget(self.connection, gone)
            tally.forget(self.connection)
            self.brought.deleted += len(facts)

    def _there(self, keys: ColumnElement[bool]) -> dict[bytes, tuple[int, Row[Any] | None]]:
        """The facts that have such a key, each with what stands of it."""
        facts = {fact: key for key, fact in self.facts(keys).items()}
        rows: dict[int, Row[Any]] = {}
        every = iter(facts)
        while some := list(islice(every, BLOCK)):
            rows |= {row.fact: row for row in self._rows(some)}
        return {key: (fact, rows.get(fact)) for fact, key in facts.items()}

    def _rows(self, facts: Sequence[int]) -> Iterator[Row[Any]]:
        found = select(RecordRow.__table__, SourceRow.name.label("source"))
        found = found.join(SourceRow, SourceRow.id == RecordRow.source_id)
        yield from self.connection.execute(found.where(records.of_facts(facts), RecordRow.until_us.is_(None)))

    def _different(self, now: Row[Any], row: Wanted) -> Wanted:
        values = {name: row[name] for name in _COMPARED if getattr(now, name) != row[name]}
        return values | ({"source_id": self._source_id(row["source"])} if now.source != row["source"][0] else {})

    def _reinstate(self, fact: int, row: Wanted) -> None:
        change = self._change(Action.RESTORE)
        begun = {"fact": fact, "fingerprint": b"", "since_us": change.at_us, "begun_by": change.id}
        records.add(self.connection, [{**self._columns(row), **begun}])
        self.brought.added += 1

    def _columns(self, row: Wanted) -> dict[str, Any]:
        columns = {name: value for name, value in row.items() if name != "source"}
        return columns | {
            "source_id": self._source_id(row["source"]),
            "import_id": None if row["import_id"] is None else self._import_of(row["import_id"]),
            "about": None if row["about"] is None else self._fact_of(row["about"]),
            "decision": "",
        }

    def _fact_of(self, number: int) -> int | None:
        """The mart's own number of a fact of the main store."""
        found = select(RecordRow.fact).where(RecordRow.fingerprint == wanted.key_of(number))
        return self.connection.execute(found).scalar_one_or_none()

    def _source_id(self, source: tuple[str, str]) -> int:
        if source not in self._source_ids:
            self._source_ids[source] = sources.id_of(self.connection, Source(*source))
        return self._source_ids[source]

    def _change(self, action: Action) -> Done:
        if action not in self._changes:
            self._changes[action] = versions.begin(self.connection, action, "", self._why)
        return self._changes[action]
