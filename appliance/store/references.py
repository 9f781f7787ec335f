"""Reference data: tables about the world that a person adds as CSV files, and that rules join facts with."""

import csv
import io
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from appliance.errors import UserError
from appliance.store import originals
from appliance.store.keys import StoreKey
from appliance.store.models import ImportRow, Original, OriginalPart, ReferenceRow, ReferenceSet
from appliance.store.records import local_day
from appliance.store.versions import now_us

MOST_BYTES, MOST_PROBLEMS = 64 << 20, 20
ALWAYS = -(1 << 31)  # the day from which a row holds that names none

Check = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Reference:
    """A table as a person declared it: `key` is the column by which it is looked up, `day` that from which a row holds
    ("" where there is none), and `join` names the facts that it says more about, as KIND.FIELD ("" for a rule's own).
    """

    name: str
    title: str
    key: str
    day: str
    join: str
    columns: tuple[str, ...]
    sha256: str
    at_us: int

    @property
    def version(self) -> str:
        """Another one whenever its rows or its declaration are."""
        said = "\n".join((self.sha256, self.key, self.day, self.join))
        return blake2b(said.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True)
class Looked:
    """A row that was found: its cells by column, and the day from which it holds (None for always)."""

    row: Mapping[str, str]
    from_day: date | None


@dataclass(slots=True)
class Lookup:
    """The rows of a table, for finding many. A key is found in any case and spacing."""

    rows: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=lambda: defaultdict(list))

    def find(self, key: str, on: date | None = None) -> Looked | None:
        """The row of a key that holds on a day; on none, the newest."""
        rows = self.rows.get(plain_key(key), [])
        place = len(rows) if on is None else bisect_right(rows, local_day(on), key=lambda each: each[0])
        if not place:
            return None
        from_day, row = rows[place - 1]
        return Looked(row, None if from_day == ALWAYS else date.fromordinal(_EPOCH + from_day))


_EPOCH = date(1970, 1, 1).toordinal()


def plain_key(key: str) -> str:
    """A key without what makes no other of it."""
    return " ".join(key.split()).casefold()


def every(connection: Connection) -> list[Reference]:
    """The store's tables, by name."""
    return [_reference(row) for row in connection.execute(select(ReferenceSet.__table__).order_by(ReferenceSet.name))]


def lookup(connection: Connection, name: str) -> Lookup:
    """A table's rows; none where there is no such table."""
    found = Lookup()
    which = select(ReferenceRow.key, ReferenceRow.from_day, ReferenceRow.row).where(ReferenceRow.name == name)
    for key, from_day, row in connection.execute(which.order_by(ReferenceRow.key, ReferenceRow.from_day)):
        found.rows[key].append((from_day, row))
    return found


def count(connection: Connection, name: str) -> int:
    """How many rows a table has."""
    return connection.execute(select(func.count()).where(ReferenceRow.name == name)).scalar_one()


def add(
    connection: Connection,
    key: StoreKey,
    said: Mapping[str, str],
    data: bytes,
    checks: Mapping[str, Check],
) -> Reference:
    """Keeps a CSV file as a table, in place of an earlier one of its name; the file itself is kept as an original.

    `said` are its name, file, key, day and join. `checks` are columns that must be there, and what reads their cells
    (ValueError says what is wrong). UserError with every problem, each with file, line and column.
    """
    columns, rows = _read(said, data, checks)
    remove(connection, said["name"])
    declaration = {each: said[each] for each in ("key", "day", "join")} | {"columns": columns}
    row = {"name": said["name"], "title": said["file"], "declaration": declaration, "at_us": now_us(connection)}
    connection.execute(insert(ReferenceSet).values(sha256=originals.keep(connection, key, data), **row))
    connection.execute(insert(ReferenceRow), [{"name": said["name"], **each} for each in rows])
    return next(each for each in every(connection) if each.name == said["name"])


def remove(connection: Connection, name: str) -> bool:
    """Takes a table away, and its original where nothing else came from it; whether it was there."""
    found = connection.execute(select(ReferenceSet.sha256).where(ReferenceSet.name == name)).scalar_one_or_none()
    if found is None:
        return False
    connection.execute(delete(ReferenceRow).where(ReferenceRow.name == name))
    connection.execute(delete(ReferenceSet).where(ReferenceSet.name == name))
    users = (select(table.sha256).where(table.sha256 == found).limit(1) for table in (ReferenceSet, ImportRow))
    if not any(connection.execute(each).first() for each in users):
        connection.execute(delete(OriginalPart).where(OriginalPart.sha256 == found))
        connection.execute(delete(Original).where(Original.sha256 == found))
    return True


def _reference(row: Any) -> Reference:
    said = row.declaration
    columns = tuple(said["columns"])
    return Reference(row.name, row.title, said["key"], said["day"], said["join"], columns, row.sha256, row.at_us)


# ---- a file ----


def _read(said: Mapping[str, str], data: bytes, checks: Mapping[str, Check]) -> tuple[list[str], list[dict[str, Any]]]:
    file = said["file"]
    if len(data) > MOST_BYTES:
        raise UserError(f"{file}: {len(data) >> 20} MB is more than a table has ({MOST_BYTES >> 20} MB); split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{file}: line {line}: this is no text in UTF-8; save the table as CSV in UTF-8") from None
    lines = _lines(file, text)
    _, header = next(lines, (0, []))
    columns = [each.strip() for each in header]
    if problems := _header_problems(said, columns, checks):
        raise UserError(problems)
    rows, problems = _rows(said, columns, lines, checks)
    if problems:
        rest = len(problems) - MOST_PROBLEMS
        raise UserError([*problems[:MOST_PROBLEMS], *([f"{file}: and {rest} more like these"] if rest > 0 else [])])
    if not rows:
        raise UserError(f"{file}: there is no row below its header")
    return columns, rows


def _lines(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it ends; split at what its header has most of."""
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        for cells in reader:
            if any(each.strip() for each in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise UserError(f"{file}: line {reader.line_num}: this is no row of a CSV file ({error})") from None


def _header_problems(said: Mapping[str, str], columns: list[str], checks: Mapping[str, Check]) -> list[str]:
    file, there = said["file"], ", ".join(columns) or "nothing"
    if len(set(columns)) < len(columns) or "" in columns:
        return [f"{file}: line 1: every column needs a name of its own; there is {there}"]
    needed = {f"--{name}": said[name] for name in ("key", "day") if said[name]}
    needed |= {f"the table {said['name']}": each for each in checks}
    return [
        f"{file}: line 1: {who} needs a column {each!r}; there is {there}"
        for who, each in needed.items()
        if each not in columns
    ]


def _rows(
    said: Mapping[str, str], columns: list[str], lines: Iterator[tuple[int, list[str]]], checks: Mapping[str, Check]
) -> tuple[list[dict[str, Any]], list[str]]:
    rows, problems = list[dict[str, Any]](), list[str]()
    seen: dict[tuple[str, int], int] = {}
    for line, cells in lines:
        place = f"{said['file']}: line {line}"
        if len(cells) != len(columns):
            problems.append(f"{place}: it has {len(cells)} cells, and the header {len(columns)}")
            continue
        row = {
            name: cell.strip().replace("\0", "\N{REPLACEMENT CHARACTER}")
            for name, cell in zip(columns, cells, strict=True)
        }
        found, wrong = _row(said, row, checks)
        problems += [f"{place}: column {name}: {reason}" for name, reason in wrong]
        key = found["key"], found["from_day"]
        if not wrong and key in seen:
            problems.append(f"{place}: column {said['key']}: {row[said['key']]!r} stands on line {seen[key]} already")
        seen[key] = line
        rows.append(found)
    return rows, problems


def _row(
    said: Mapping[str, str], row: dict[str, str], checks: Mapping[str, Check]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    wrong, from_day = list[tuple[str, str]](), ALWAYS
    if not row[said["key"]]:
        wrong.append((said["key"], "it is empty, and rows are looked up by it"))
    if said["day"]:
        try:
            from_day = local_day(date.fromisoformat(row[said["day"]]))
        except ValueError:
            wrong.append((said["day"], f"{row[said['day']]!r} is no day; write it as 2026-11-22"))
    for name, check in checks.items():
        try:
            check(row[name])
        except ValueError as error:
            wrong.append((name, str(error)))
    return {"key": plain_key(row[said["key"]]), "from_day": from_day, "row": row}, wrong
