"""The lights of a source's facts of one kind."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sqlalchemy import Connection, func, select

from appliance.derive.matching import BILL, ORDER, TRANSACTION
from appliance.derive.quality import _balances, _statements
from appliance.derive.quality._balances import Balances
from appliance.derive.quality._lights import Colour, Light, ago, between, counted, every_days, rhythm, there_are
from appliance.derive.quality._statements import Statements
from appliance.derive.tally import Tally, What, day
from appliance.kinds import Kind
from appliance.store import sources
from appliance.store.models import Attribute, ImportRow, RecordRow, Reject
from appliance.store.records import local_day

MYSELF = "me"
LONG = 3  # times the longest usual gap: then something is missing
REGULAR_DAYS = 45  # what comes more rarely has no rhythm that a gap could break
LATE, VERY_LATE = 2, 4  # times the usual gap


@dataclass(frozen=True, slots=True)
class Imports:
    """By source (or file, where it names none): the days on which it was imported, the rows that could not be read, by
    import, and how many rows were known already."""

    days: Mapping[str, Sequence[int]]
    rejected: Mapping[str, Mapping[int, int]]
    duplicates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Held:
    """A source's facts of a kind: its tallies by account, and how many facts do not fit their kind."""

    source: str
    kind: Kind
    tallies: Mapping[What, Tally]
    misfits: int
    is_main: bool  # the kind of which the source has most: rejected rows have none of their own

    @property
    def days(self) -> list[int]:
        return sorted({each for tally in self.tallies.values() for each in tally.counts})

    @property
    def count(self) -> int:
        return sum(tally.total for tally in self.tallies.values())


def imports_of(connection: Connection) -> Imports:
    """What the imports that stand say of their sources."""
    stands = (ImportRow.error == "") & ImportRow.undone_us.is_(None)
    days: dict[str, set[int]] = defaultdict(set)
    known = sources.names(connection)
    again: dict[str, int] = defaultdict(int)
    said = select(ImportRow.source, ImportRow.file, ImportRow.at_us, ImportRow.duplicate).where(stands)
    for source, file, at_us, duplicate in connection.execute(said):
        for name in sources.named_in(source, known) or [file]:
            days[name].add(at_us // 86_400_000_000)
            again[name] += duplicate
    rejected: dict[str, dict[int, int]] = defaultdict(dict)
    open_ = select(ImportRow.id, ImportRow.source, ImportRow.file, func.count())
    open_ = open_.join(Reject, Reject.import_id == ImportRow.id).where(stands, Reject.resolved_by.is_(None))
    rows = connection.execute(open_.group_by(ImportRow.id, ImportRow.source, ImportRow.file))
    for import_id, source, file, count in rows:
        for name in sources.named_in(source, known) or [file]:
            rejected[name][import_id] = count
    return Imports({name: sorted(each) for name, each in days.items()}, rejected, again)


def misfits(connection: Connection) -> dict[tuple[int, str], int]:
    """How many facts do not fit their kind, by source and kind: see rules/declaration.py."""
    found = select(RecordRow.source_id, RecordRow.kind, func.count())
    found = found.join(Attribute, Attribute.record_id == RecordRow.id).where(Attribute.rule == "declaration")
    rows = connection.execute(found.group_by(RecordRow.source_id, RecordRow.kind))
    return {(source_id, kind): count for source_id, kind, count in rows}


def lights(
    held: Held,
    known: Imports,
    said: Balances,
    covered: Statements,
    stated: Mapping[tuple[str, str], Light],
    today: date,
) -> list[Light]:
    """Present, complete, recent, valid, agreeing; `stated`: the last, where a source states totals of a kind."""
    return [
        Light("present", Colour.GREEN, there_are(held.count, held.kind.title.lower(), held.kind.many.lower())),
        _complete(held, covered),
        _recent(held, known.days.get(held.source, ()), today),
        valid(held.misfits, known.rejected.get(held.source, {}) if held.is_main else {}),
        stated.get((held.source, held.kind.name)) or _agreeing(held, said),
    ]


def _complete(held: Held, covered: Statements) -> Light:
    name, days = "complete", held.days
    if held.kind.name == TRANSACTION and held.source != MYSELF:
        told = _statements.complete(name, covered, list(held.tallies), days, held.source)
        if told:
            return told
    usual = rhythm(days)
    if held.source == MYSELF or usual is None or usual.most > REGULAR_DAYS:
        own = held.source == MYSELF
        why = (
            "You say these yourself, when there is something to say." if own else "There is no rhythm to tell gaps by."
        )
        return Light(name, Colour.GREY, why)
    longest = max(LONG * usual.most, usual.most + 7)
    missing = [(a, b) for a, b in pairwise(days) if b - a > longest]
    if not missing:
        return Light(
            name, Colour.GREEN, f"No gap since {_said(days[0])}: there is something at least {every_days(longest)}."
        )
    first, last = max(missing, key=lambda each: (each[1] - each[0], each))
    others = f", and {len(missing) - 1} more gaps" if len(missing) > 1 else ""
    when = between(day(first), day(last))
    why = f"Nothing {when}{others}; usually there is something {every_days(usual.usual)}."
    return Light(name, Colour.AMBER if len(missing) == 1 else Colour.RED, why, f"Import what {held.source} has {when}.")


def _said(number: int) -> str:
    said = day(number)
    return f"{said.day} {said:%B %Y}"


def _recent(held: Held, imported: Sequence[int], today: date) -> Light:
    name, days = "recent", held.days
    if held.source == MYSELF or not days:
        return Light(name, Colour.GREY, "They have no rhythm.")
    gaps = [each.usual for each in (rhythm(days), rhythm(imported)) if each]
    age = local_day(today) - days[-1]
    if not gaps or max(gaps) > 366:
        return Light(
            name, Colour.GREY, f"The last one is of {_said(days[-1])}; there are too few to know how often they come."
        )
    usual = max(gaps)
    why = f"The last one is from {ago(age)}, usually they come {every_days(usual)}."
    if age <= LATE * usual + 1:
        return Light(name, Colour.GREEN, why)
    colour = Colour.AMBER if age <= VERY_LATE * usual + 2 else Colour.RED
    return Light(name, colour, why, f"Fetch what is new from {held.source} and import it.")


def valid(misfits: int, rejected: Mapping[int, int]) -> Light:
    """Whether all could be read, and fits: `rejected` counts the rows that could not be, by import."""
    name, wrong, steps = "valid", list[str](), list[str]()
    colour = Colour.GREEN
    if misfits:
        wrong.append(f"{counted(misfits, 'record has', 'records have')} something in it that its kind does not allow")
        steps.append("open these records and correct them (“Does not fit its kind” says what)")
        colour = Colour.AMBER
    if rejected:
        count, newest = sum(rejected.values()), max(rejected)
        wrong.append(f"{counted(count, 'row', 'rows')} could not be read")
        steps.append(f"see in import {newest} why, and have them read again")
        colour = Colour.RED
    if not wrong:
        return Light(name, colour, "Every row was read, and what it says fits.")
    where = max(rejected) if colour == Colour.RED else None
    return Light(name, colour, _sentence(" and ".join(wrong)), _sentence("; ".join(steps)), where)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _agreeing(held: Held, said: Balances) -> Light:
    if held.kind.name == ORDER:
        step = "Purchases that name the order’s number would tell."
        return Light(_balances.NAME, Colour.GREY, "No purchase names the number of one.", step)
    if held.kind.name == BILL:
        step = "A bill that says its supply, days and use would tell, where the meter’s register is here."
        return Light(_balances.NAME, Colour.GREY, "There is no meter to compare one with.", step)
    if held.kind.name != TRANSACTION or held.source == MYSELF:
        return Light(_balances.NAME, Colour.GREY, "Nobody states a total to compare with.")
    return _balances.agreeing(said, held.tallies)
