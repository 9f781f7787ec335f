"""Whether the rows of an account come to what the bank itself says: the difference between two of its balances."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import pairwise

from sqlalchemy import Connection, Text, cast, select

from appliance.derive.matching import DAY_US, TRANSACTION, offset_us
from appliance.derive.quality._kept import kept
from appliance.derive.quality._lights import Colour, Light, between, said_day
from appliance.derive.tally import Tally, What, day
from appliance.store.models import RecordRow
from appliance.store.records import amount_of

NAME = "agreeing"
BALANCE = "money.balance"
MOST_SHOWN = 3
_NOT_BOOKED = ('"available"', '"forward"', '"value"')  # what can be spent, or what shares are worth
MOST_ROWS = 16  # of one day, of which any part may be what a balance was stated after


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two balances the bank says one thing, and the rows another: days since 1970, amounts in 10^-6."""

    first: int
    last: int
    said_e6: int
    rows_e6: int
    unit: str

    @property
    def is_surplus(self) -> bool:
        """Whether the rows go farther than the bank does, and not less far."""
        return abs(self.rows_e6) > abs(self.said_e6) and self.rows_e6 * self.said_e6 >= 0

    @property
    def text(self) -> str:
        """With figures and days, as a person reads it."""
        differ = abs(self.said_e6 - self.rows_e6)
        when = between(day(self.first), day(self.last))
        return (
            f"{when} the bank says {_amount(self.said_e6)} and the rows come to {_amount(self.rows_e6)}: "
            f"{_amount(differ)} {self.unit} is {'too much' if self.is_surplus else 'missing'}".replace("  ", " ")
        )


class Balances:
    """What banks say was booked, on the days of which the rows are in the store."""

    def __init__(self, connection: Connection, today: date) -> None:
        self._connection = connection
        self._said = balances(connection)
        self.kept = kept(connection, TRANSACTION, today)

    def of(self, what: What) -> dict[int, int]:
        """The balances of an account by day, from when on its rows are there."""
        first, _ = self.kept.since(what.account, what.unit)
        said = self._said.get((what.source_id, what.account, what.unit), {})
        return {each: amount for each, amount in said.items() if each >= first}

    def passed_over(self, what: What) -> str:
        """What to say of the balances before, "" where there is none."""
        first, became = self.kept.since(what.account, what.unit)
        said = self._said.get((what.source_id, what.account, what.unit), {})
        if not any(each < first for each in said):
            return ""
        return f"Balances from before {said_day(day(first))} are passed over: the rows of then are {became}."

    def rows(self, what: What, number: int) -> list[int]:
        """The amounts of the rows of one day, in 10^-6."""
        near = RecordRow.at_us.between((number - 1) * DAY_US, (number + 2) * DAY_US)
        found = select(RecordRow.at_us, RecordRow.zone, RecordRow.amount_e6).where(
            RecordRow.kind == what.kind,
            RecordRow.source_id == what.source_id,
            RecordRow.account == what.account,
            RecordRow.unit == what.unit,
            RecordRow.until_us.is_(None),
            RecordRow.zone != "",
            near,
        )
        rows = self._connection.execute(found)
        return [each.amount_e6 or 0 for each in rows if (each.at_us + offset_us(each.zone)) // DAY_US == number]


def balances(connection: Connection) -> dict[tuple[int, str, str], dict[int, int]]:
    """What banks say was booked on each account: by source, account and unit, the last amount of each day."""
    found: dict[tuple[int, str, str], dict[int, int]] = defaultdict(dict)
    columns = (RecordRow.source_id, RecordRow.account, RecordRow.unit, RecordRow.at_us, RecordRow.zone)
    rows = select(*columns, RecordRow.amount_e6, cast(RecordRow.fields, Text).label("fields")).where(
        RecordRow.kind == BALANCE, RecordRow.until_us.is_(None), RecordRow.amount_e6.is_not(None), RecordRow.zone != ""
    )
    for each in connection.execute(rows.order_by(RecordRow.at_us, RecordRow.id)):
        if not any(sort in each.fields for sort in _NOT_BOOKED):
            when = (each.at_us + offset_us(each.zone)) // DAY_US
            found[each.source_id, each.account, each.unit][when] = each.amount_e6
    return found


def gaps(
    balance: Mapping[int, int], tally: Tally, unit: str, rows: Callable[[int], Sequence[int]] = lambda _: ()
) -> list[Gap]:
    """The times between balances in which the rows do not come to the difference. `rows`: the amounts of a day's."""
    days = sorted(balance)
    found = []
    for first, last in pairwise(days):
        said = balance[last] - balance[first]
        inside = sum(amount for each, amount in tally.sums.items() if first < each < last)
        begin, end = tally.sums.get(first, 0), tally.sums.get(last, 0)
        # a bank may state a balance before or after what it books on that day, or in the middle of it
        rest = said - inside
        if rest not in {0, end, begin, begin + end} and not _parts_come_to(rest, rows(first), rows(last)):
            found.append(Gap(first, last, said, inside + end, unit))
    return found


def _parts_come_to(amount: int, first: Sequence[int], last: Sequence[int]) -> bool:
    """Whether some rows of one day and some of the other come to an amount."""
    ends = _sums(last)
    return any(amount - begin in ends for begin in _sums(first))


def _sums(rows: Sequence[int]) -> set[int]:
    """What any of some rows come to; of many, all or none: any amount could be made of them."""
    if len(rows) > MOST_ROWS:
        return {0, sum(rows)}
    found = {0}
    for each in rows:
        found |= {each + before for before in found}
    return found


def agreeing(said: Balances, what: Mapping[What, Tally]) -> Light:
    """The light of one source's transactions, which may be of several accounts."""
    pairs, wrong = 0, list[Gap]()
    for each, tally in what.items():
        balance = said.of(each)
        pairs += max(0, len(balance) - 1)
        wrong += gaps(balance, tally, each.unit, partial(said.rows, each))
    light = _light(wrong, pairs, any_balance=any(map(said.of, what)))
    passed_over = dict.fromkeys(filter(None, map(said.passed_over, what)))
    return replace(light, why=" ".join([light.why, *passed_over]))


def _light(wrong: Sequence[Gap], pairs: int, *, any_balance: bool) -> Light:
    if wrong:
        more = f" (and {len(wrong) - MOST_SHOWN} more times)" if len(wrong) > MOST_SHOWN else ""
        why = "; ".join(gap.text for gap in wrong[-MOST_SHOWN:]) + more
        return Light(NAME, Colour.RED, why[0].upper() + why[1:] + ".", _step(wrong))
    if pairs:
        times = "once" if pairs == 1 else f"{pairs} times"
        return Light(NAME, Colour.GREEN, f"The rows come to what the bank’s own balances say, checked {times}.")
    if any_balance:
        return Light(
            NAME, Colour.GREY, "The bank stated one balance so far.", "Import the next statement: two balances tell."
        )
    return Light(
        NAME,
        Colour.GREY,
        "The bank’s files state no balance to compare with.",
        "A statement that states its balance would tell; an OFX file from the bank’s page often does.",
    )


def _step(wrong: Sequence[Gap]) -> str:
    """What would mend it: rows that are missing come with the statement, those that are too many go by hand."""
    missing = "Fetch the statement of those days from the bank again and import it; or look for rows that were rejected"
    surplus = "ook for a row of those days that is there twice, or that the bank took back, and withdraw it"
    said = {gap.is_surplus for gap in wrong}
    if said == {True}:
        return f"L{surplus}."
    return (
        f"{missing} or withdrawn." if said == {False} else f"{missing} or withdrawn; where it is too much, l{surplus}."
    )


def _amount(amount_e6: int) -> str:
    return f"{amount_of(amount_e6) or Decimal(0):,f}".replace("-", "\N{MINUS SIGN}")
