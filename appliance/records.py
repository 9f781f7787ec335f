"""The words of the house as frozen dataclasses: what importers and meters yield, before anything is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Provenance(StrEnum):
    """Whose data a fact is, seen from the person."""

    MY = "my"  # volunteered by the person
    OUR = "our"  # made together with a supplier
    YOUR = "your"  # the supplier's own about the person
    THEIR = "their"  # third parties'
    EVERYBODY = "everybody"  # public


@dataclass(frozen=True, slots=True)
class Span:
    """A range of bytes in an original file."""

    first: int
    length: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where the items after it come from: an account at a supplier, a meter point, a folder.

    `name` is stable from one file of the same source to the next; `title` is what a person reads.
    """

    name: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One atomic fact, as a file states it.

    `at` is a date, or an aware datetime in the zone in which it was said; never more precise than what was said.
    `account` is what a person calls it; `account_key` adds what makes it unique (a bank's code), for telling equal
    rows. `supplier_id` is the supplier's own id of the row (an OFX FITID): evidence, not identity. `fields` holds what
    the kind adds, as text. `detail` is what else tells the row from others of its day, where title and memo say too
    little (a contact's numbers): a digest, which is part of the row's key and kept nowhere else.
    """

    kind: str
    at: date | datetime | None
    title: str
    span: Span
    party: str = ""
    account: str = ""
    account_key: str = ""
    amount: Decimal | None = None
    unit: str = ""
    memo: str = ""
    provenance: Provenance = Provenance.OUR
    supplier_id: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """Consecutive readings of one series, in columns of equal length, as a file states them.

    `at_ms` are milliseconds since 1970 UTC: instants, or starts of intervals. `seconds` are the intervals' lengths, 0
    for instants. A value is `values[i] * 10**exponent` in `unit`. `quality` is the source's own word for all of them
    ("" where it says none), so a block ends where the quality changes. `span` covers the block in the original.
    """

    role: str
    unit: str
    exponent: int
    at_ms: Sequence[int]
    seconds: Sequence[int]
    values: Sequence[int]
    span: Span
    quality: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read: kept with its reason, shown, and retried on demand.

    `where` names the place as a person would find it ("transaction 3", "IntervalReading 12"); `line` counts from 1.
    One stands for `count` rows that follow one another, where the same is said of each.
    """

    span: Span
    line: int
    where: str
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Warned:
    """Something about the whole file that a person should know, though every row was read."""

    message: str


Item = Source | Record | Readings | Rejected | Warned


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One value of a meter: `value` in `unit` for `role` at `at_ms`, milliseconds since 1970 UTC.

    With `seconds` it is what was used in the interval of that length from `at_ms` on; 0 for an instant. `stated`
    says that the time is the meter's own; one that is not is the box's, and is put right where the box's clock was
    wrong. `quality` is a word for a reading that is less than measured ("estimated"), else "".
    """

    role: str
    at_ms: int
    value: Decimal
    unit: str
    seconds: int = 0
    stated: bool = False
    quality: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A span in which a meter was without power, as it says itself: milliseconds since 1970 UTC."""

    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One good telegram of a meter: the device's own identity, its readings, and the outages that it tells of."""

    device: str
    readings: tuple[MeterReading, ...]
    outages: tuple[Outage, ...] = ()
