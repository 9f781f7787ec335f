"""What a person asks a store's timeline for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

EARLIEST, LATEST = date(1, 1, 3), date(9999, 12, 28)  # beyond, a day has no midnight in every zone


@dataclass(frozen=True, slots=True)
class Query:
    """What to show; an empty field asks nothing, and so does a day at the very end of the calendar.

    All the words of `search` are looked for, see `search.words.typed`.
    Days are those of `zone` for a fact that has a time, and as said for one that has only a date; `year` is one of UTC,
    0 for facts without a time. `lowest` and `highest` are amounts without their sign, in any unit, `band` is one of
    `search.amounts.BANDS` by its place. `as_of` asks for what was believed then: it is slow, since it reads
    fact after fact, and comes newest first. `newest_first` asks for that order though something is searched for.
    """

    kind: str = ""
    source: str = ""
    account: str = ""
    search: str = ""
    first_day: date | None = None
    last_day: date | None = None
    year: int | None = None
    lowest: Decimal | None = None
    highest: Decimal | None = None
    band: int | None = None
    import_id: int | None = None
    about: int | None = None
    as_of: datetime | None = None
    newest_first: bool = False
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        if self.first_day and self.first_day < EARLIEST:
            object.__setattr__(self, "first_day", None)
        if self.last_day and self.last_day > LATEST:
            object.__setattr__(self, "last_day", None)
