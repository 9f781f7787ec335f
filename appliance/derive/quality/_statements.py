"""The days between two statements of an account that none covers, and in which something may have been booked.

A statement lists its days whole. Days that lie between two statements lack, unless rows that came otherwise lie in
them, or the balances on both sides say that nothing is missing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, select

from appliance import statements
from appliance.derive.matching import DAY_US, TRANSACTION, offset_us
from appliance.derive.quality._balances import Balances, gaps
from appliance.derive.quality._lights import Colour, Light, said_day, said_days
from appliance.derive.tally import Tally, What, day
from appliance.store.models import RecordRow
from appliance.store.records import local_day

MOST_SHOWN = 3

Days = tuple[int, int]
"""The first and the last of some days, since 1970."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Days of an account that no statement covers."""

    account: str
    first: date
    last: date

    @property
    def text(self) -> str:
        """As a person reads it, without the account."""
        return f"No statement covers {said_days(self.first, self.last)}"


class Statements:
    """What statements cover, by account: one may come in files of several formats, and so from several sources."""

    def __init__(self, connection: Connection, said: Balances) -> None:
        self._connection, self._said = connection, said
        self._covered = _covered(connection)

    def covers(self, what: What) -> Days | None:
        """From when to when statements cover an account, whatever is missing in between; None where there is none."""
        own = self._covered.get(what.account)
        return (own[0][0], own[-1][1]) if own else None

    def missing(self, what: What) -> list[Missing]:
        """The days of an account that lack, in order."""
        since, _ = self._said.kept.since(what.account, what.unit)
        between = [(before + 1, after - 1) for (_, before), (after, _) in pairwise(self._covered.get(what.account, ()))]
        split = (part for days in between for part in self._without_rows(what.account, days))
        return [
            Missing(what.account, day(max(first, since)), day(last))
            for first, last in split
            if last >= since and not self._is_proven(what, first, last)
        ]

    def _without_rows(self, account: str, days: Days) -> list[Days]:
        """What is left of some days without those that rows of any source lie in."""
        rows = self._tally(account, days).counts
        if not rows:
            return [days]
        return [part for part in ((days[0], min(rows) - 1), (max(rows) + 1, days[1])) if part[0] <= part[1]]

    def _is_proven(self, what: What, first: int, last: int) -> bool:
        """Whether the balances around some days, and in them, leave nothing out."""
        said = self._said.of(what)
        before, after = [each for each in said if each < first], [each for each in said if each > last]
        if not before or not after:
            return False
        begin, end = max(before), min(after)
        balances = {each: amount for each, amount in said.items() if begin <= each <= end}
        tally = self._tally(
            what.account, (begin, end), RecordRow.source_id == what.source_id, RecordRow.unit == what.unit
        )
        return not gaps(balances, tally, what.unit, lambda number: self._said.rows(what, number))

    def _tally(self, account: str, days: Days, *more: ColumnElement[bool]) -> Tally:
        near = RecordRow.at_us.between((days[0] - 1) * DAY_US, (days[1] + 2) * DAY_US)
        stands = (RecordRow.kind == TRANSACTION) & RecordRow.until_us.is_(None) & (RecordRow.zone != "")
        found = select(RecordRow.at_us, RecordRow.zone, RecordRow.amount_e6)
        tally = Tally()
        for row in self._connection.execute(found.where(near, stands, RecordRow.account == account, *more)):
            if days[0] <= (row.at_us + offset_us(row.zone)) // DAY_US <= days[1]:
                tally.add(row, 1)
        return tally


def _covered(connection: Connection) -> dict[str, list[Days]]:
    """By account, the days that its statements cover together: in order, and without those that lie in others."""
    stands = (RecordRow.kind == statements.KIND) & RecordRow.until_us.is_(None) & (RecordRow.zone != "")
    found = defaultdict[str, list[Days]](list)
    for row in connection.execute(select(RecordRow.account, RecordRow.at_us, RecordRow.fields).where(stands)):
        last = local_day(date.fromisoformat(row.fields["until"]))
        found[row.account].append((row.at_us // DAY_US, last))
    return {account: _joined(every) for account, every in found.items()}


def _joined(every: Iterable[Days]) -> list[Days]:
    joined = list[Days]()
    for first, last in sorted(every):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def complete(name: str, known: Statements, what: Sequence[What], days: Sequence[int], source: str) -> Light | None:
    """The light of a source's transactions on these days; None where statements do not tell."""
    covered = [known.covers(each) for each in what]
    missing = [each for own in what for each in known.missing(own)]
    if missing:
        of = {each.account: f" of {each.account}" if len(what) > 1 else "" for each in missing}
        shown = "; ".join(f"{each.text}{of[each.account]}" for each in missing[-MOST_SHOWN:])
        more = f" (and {len(missing) - MOST_SHOWN} more times)" if len(missing) > MOST_SHOWN else ""
        step = f"Fetch the statement of those days from {source} and import it."
        return Light(name, Colour.AMBER if len(missing) == 1 else Colour.RED, f"{shown}{more}.", step)
    if not days or not all(each and each[0] <= days[0] and days[-1] <= each[1] for each in covered):
        return None
    return Light(name, Colour.GREEN, f"Statements cover every day from {said_day(day(days[0]))} on.")
