"""What hits are counted and sifted by: each fact's group and step of amounts, and its amount, packed to be quick.

Thousands of hits lie anywhere among a million facts, and what a hit costs is the page of the file that must be read and
decrypted for it. So a page holds what is known of hundreds of facts with consecutive numbers, and of nothing else: read
as rows, ten thousand hits took 75 ms, and packed they take a fifth of that.
"""

import json
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, text

from appliance.store.models import SearchAmounts, SearchCodes
from appliance.store.search import amounts, keys
from appliance.store.search.groups import Tallied, upsert

Fact = tuple[int, int, int | None]
"""A version, its group and its amount in 10^-6."""

_STEPS = 64  # a code is group * 64 + step + 1, without the step where there is no amount; 0 of no fact
_NO_AMOUNT = -(1 << 63)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A number for each fact: as many in a row as fill a page of 4 kB, of which SQLite and SQLCipher use some; half of
    a page where each of them fits into two bytes.
    """

    table: type[SearchCodes] | type[SearchAmounts]
    type: Literal["I", "q"]
    each_row: int
    absent: int

    def put(self, connection: Connection, values: Mapping[int, int]) -> None:
        """Sets the numbers of some facts."""
        if not values:
            return
        wanted = {number // self.each_row for number in values}
        rows = {number: array(self.type, view) for number, view in self._rows(connection, wanted).items()}
        for number, value in values.items():
            place, within = divmod(number, self.each_row)
            if place not in rows:
                rows[place] = array(self.type, [self.absent]) * self.each_row
            rows[place][within] = value
        put = upsert(connection, self.table)
        put = put.on_conflict_do_update(index_elements=["number"], set_={"packed": put.excluded.packed})
        connection.execute(put, [{"number": number, "packed": _packed(row)} for number, row in sorted(rows.items())])

    def of(self, connection: Connection, numbers: Sequence[int]) -> list[int]:
        """The numbers of some facts that are there."""
        size = self.each_row
        rows = self._rows(connection, {number // size for number in numbers})
        return [rows[number // size][number % size] for number in numbers]

    def _rows(self, connection: Connection, wanted: Iterable[int]) -> dict[int, memoryview]:
        name = self.table.__tablename__
        if connection.dialect.name == "postgresql":
            found = text(f"SELECT number, packed FROM {name} WHERE number = ANY(CAST(:wanted AS bigint[]))")  # noqa: S608
            rows = connection.execute(found, {"wanted": list(wanted)})
        else:
            each = "json_each(:wanted) AS wanted"
            found = text(f"SELECT number, packed FROM {each} CROSS JOIN {name} ON number = wanted.value")  # noqa: S608
            rows = connection.execute(found, {"wanted": json.dumps(sorted(wanted))})
        return {number: memoryview(packed).cast(self._type_of(packed)) for number, packed in rows}

    def _type_of(self, packed: bytes) -> Literal["H", "I", "q"]:
        return "H" if len(packed) == self.each_row * 2 else self.type


def _packed(row: "array[int]") -> bytes:
    try:
        return array("H", row).tobytes()
    except OverflowError:
        return row.tobytes()


_CODES = _Packed(SearchCodes, "I", 960, 0)
_AMOUNTS = _Packed(SearchAmounts, "q", 480, _NO_AMOUNT)


def add(connection: Connection, facts: Sequence[Fact]) -> None:
    """Adds facts."""
    sized = {number: amount for number, _, amount in facts if amount is not None}
    steps = {number: amounts.step(amount) + 1 for number, amount in sized.items()}
    _CODES.put(connection, {number: group * _STEPS + steps.get(number, 0) for number, group, _ in facts})
    _AMOUNTS.put(connection, sized)


def remove(connection: Connection, numbers: Sequence[int]) -> None:
    """Takes facts out."""
    _CODES.put(connection, dict.fromkeys(numbers, _CODES.absent))
    _AMOUNTS.put(connection, dict.fromkeys(numbers, _NO_AMOUNT))


def clear(connection: Connection) -> None:
    """Takes everything out."""
    for packed in (_CODES, _AMOUNTS):
        connection.execute(delete(packed.table))


def codes(connection: Connection, hits: Sequence[int]) -> list[int]:
    """The code of each hit, which is a key: what it is counted and sifted by."""
    return _CODES.of(connection, [key & keys.NUMBER for key in hits])


def counted(hits: Sequence[int], codes: Iterable[int]) -> Tallied:
    """How many of the hits are of what, by the code of each; the highest key is the first."""
    found = Tallied(Counter(), Counter(), Counter())
    for code, many in Counter(codes).items():
        group, step = divmod(code, _STEPS)
        found.groups[group] += many
        found.bands[amounts.band_of(step - 1)] += many
    for year, begin, end in _by_year(hits):
        found.years[year] = end - begin
    return found


def _by_year(hits: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """Where in the hits each year begins and ends."""
    begin = 0
    while begin < len(hits):
        year = keys.year(hits[begin])
        end = bisect_right(hits, -keys.span(year)[0], begin, key=lambda key: -key)
        yield year, begin, end
        begin = end


def sifted(
    connection: Connection, hits: Sequence[int], groups: Container[int], span_e6: tuple[int, int] | None
) -> dict[int, int]:
    """The hits that are of these groups, and whose amounts without their signs lie in this span where one is said;
    with the code of each.
    """
    kept = {key: code for key, code in zip(hits, codes(connection, hits), strict=True) if code // _STEPS in groups}
    if span_e6 is None:
        return kept
    steps, cut = amounts.steps(*span_e6), amounts.cut_steps(*span_e6)
    kept = {key: code for key, code in kept.items() if code % _STEPS - 1 in steps}
    unsure = [key for key, code in kept.items() if code % _STEPS - 1 in cut]
    sizes = zip(unsure, _AMOUNTS.of(connection, [key & keys.NUMBER for key in unsure]), strict=True)
    outside = {key for key, size in sizes if not span_e6[0] <= abs(size) <= span_e6[1]}
    return {key: code for key, code in kept.items() if key not in outside}
