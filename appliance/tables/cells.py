"""What stands in a table's cells: days, times and amounts, and the ways in which all of a column can be read."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from appliance import parsing
from appliance.tables.layout import DECIMALS, ORDERS

_DATE = re.compile(r"(\d{1,4})[-/.\s](\d{1,2}|[A-Za-z]{3,9})[-/.\s](\d{1,4})(?:[T ,]+(.+))?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(.+))?")
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|[+-]\d{2}:?\d{2})?")
_NUMBER = re.compile(r"[+\-−(]?\s*[^\d\s,.\-+()]{0,3}\s*[+\-−]?\d[\d.,'’\s]*\)?\s*[^\d\s,.\-+()]{0,3}[+\-−]?")
_SIMPLE = {
    "point": re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?"),
    "comma": re.compile(r"-?[0-9]{1,15}(?:,[0-9]{1,6})?"),
}
_MONTHS = {name: number for number, names in enumerate(
    (
        "jan january januar januari janvier enero", "feb february februar februari fevrier février febrero",
        "mar march märz maerz maart mrt mars marzo", "apr april avril abril", "may mai mei mayo",
        "jun june juni juin junio", "jul july juli juillet julio", "aug august augustus août aout agosto",
        "sep sept september septembre septiembre", "oct october okt oktober octobre octubre",
        "nov november novembre noviembre", "dec december dez dezember décembre decembre diciembre",
    ), 1) for name in names.split()}  # fmt: skip


def is_day(cell: str) -> bool:
    """Whether a cell looks like a date, with a time or without."""
    compact = _COMPACT.fullmatch(cell) if len(cell) < 40 else None
    if compact:
        return 1900 <= int(compact[1]) <= 2199
    return len(cell) < 40 and bool(_DATE.fullmatch(cell))


def is_time(cell: str) -> bool:
    """Whether a cell looks like a time of the day."""
    return len(cell) < 20 and bool(_TIME.fullmatch(cell))


def is_number(cell: str) -> bool:
    """Whether a cell looks like a number, perhaps with a sign of a currency."""
    return len(cell) < 40 and bool(_NUMBER.fullmatch(cell))


def is_money(cell: str) -> bool:
    """Whether a cell looks like an amount: a number with two decimals."""
    return is_number(cell) and bool(re.search(r"[.,]\d{2}\D*$", cell))


def order_of_all(cells: Iterable[str]) -> str:
    """The order of day, month and year that every date has; "" where more than one would do."""
    orders = set(ORDERS)
    for cell in cells:
        if not cell:
            continue
        if _COMPACT.fullmatch(cell):
            orders &= {"year first"}
        elif found := _DATE.fullmatch(cell):
            orders &= {order for order in ORDERS if _parts(found, order)} or orders  # one that is no day says nothing
    return orders.pop() if len(orders) == 1 else ""


def decimal_of_all(cells: Iterable[str]) -> str:
    """The decimal sign that every amount can have; "" where both would do and mean other amounts."""
    signs, is_open = set(DECIMALS), False
    for cell in cells:
        values = {sign: _plain_amount(cell, sign) for sign in DECIMALS} if cell else {}
        if any(value is not None for value in values.values()):
            signs -= {sign for sign, value in values.items() if value is None}
        is_open |= len({value for value in values.values() if value is not None}) > 1
    if len(signs) == 1:
        return signs.pop()
    return "point" if signs and not is_open else ""


@lru_cache(maxsize=4096)
def day_of(text: str, order: str) -> date | datetime:
    """The day, or the time, that a cell says; ValueError, with the reason, where it says none. Of a time without an
    offset the result is naive."""
    said = text.strip()
    compact, parted = _COMPACT.fullmatch(said), _DATE.fullmatch(said)
    if compact and order in ("", "year first"):
        day, rest = date(int(compact[1]), int(compact[2]), int(compact[3])), compact[4]
    elif parted and (parts := _parts(parted, order or order_of_all([said]))):
        day, rest = date(*parts), parted[4]
    else:
        raise ValueError(f"the date {text[:40]!r} is not a day of the calendar" + (f", {order}" if order else ""))
    return datetime.combine(day, time_of(rest)) if rest else day


@lru_cache(maxsize=4096)
def time_of(text: str) -> time:
    """The time of the day that a cell says, with its offset where it says one; ValueError where it is none."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"the time {text[:20]!r} is none of a day")
    hour, half = int(found[1]), (found[4] or "").replace(".", "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(f"the time {text[:20]!r} is none of a day")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    iso = f"{hour:02}:{found[2]}:{found[3] or '00'}"
    zone = "+00:00" if found[5] == "Z" else found[5] or ""
    try:
        return time.fromisoformat(iso + (f"{zone[:3]}:{zone[-2:]}" if zone else ""))
    except ValueError:
        raise ValueError(f"the time {text[:20]!r} is none of a day") from None


def _parts(found: re.Match[str], order: str) -> tuple[int, int, int] | None:
    """Year, month and day of a date in some order; None where it cannot be so."""
    first, second, third = found[1], found[2], found[3]
    month = _MONTHS.get(second.casefold(), 0) if not second.isdigit() else 0
    if not second.isdigit() and not month:
        return None
    if order == "year first":
        year, day = first, third
        month = month or int(second)
    elif order == "day first" or month:
        year, day = third, first
        month = month or int(second)
    elif order == "month first":
        year, day, month = third, second, int(first)
    else:
        return None
    if order == "month first" and not second.isdigit():
        return None
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    number = int(year) + (2000 if len(year) == 2 else 0)
    try:
        date(number, month, int(day))
    except ValueError:
        return None
    return number, month, int(day)


def amount_of(text: str, decimal: str) -> Decimal:
    """The amount that a cell says, with signs of currencies, brackets for less than nothing; ValueError where none."""
    value = _plain_amount(text, decimal) if decimal else None
    if value is not None:
        return value
    if not decimal:
        return parsing.amount(_bare(text))
    raise ValueError(f"the amount {text[:40]!r} is not a number with a decimal {decimal}")


def _bare(text: str) -> str:
    said = text.strip()
    is_negative = said.startswith("(") and said.endswith(")")
    said = re.sub(r"[^\d.,'’\s+\-−]", "", said.strip("()")).strip()
    return f"-{said}" if is_negative else said


def _plain_amount(text: str, decimal: str) -> Decimal | None:
    if _SIMPLE[decimal].fullmatch(text):
        return parsing.amount(text.replace(",", "."))
    said = _bare(text)
    mark, group = (".", ",") if decimal == "point" else (",", ".")
    found = re.fullmatch(
        r"([+\-−]?)\s*(\d[\d'’\s" + re.escape(group) + r"]*)?(?:" + re.escape(mark) + r"(\d+))?([+\-−]?)", said
    )
    if found is None or not (found[2] or found[3]) or (found[1] and found[4]):
        return None
    groups = re.split(r"['’\s" + re.escape(group) + "]", found[2] or "0")
    is_grouped = bool(groups[0].strip("0")) and len(groups[0]) <= 3 and all(len(each) == 3 for each in groups[1:])
    if len(groups) > 1 and not is_grouped:
        return None
    sign = "-" if (found[1] or found[4]) in ("-", "−") else ""
    try:
        return parsing.amount(f"{sign}{''.join(groups)}.{found[3]}" if found[3] else f"{sign}{''.join(groups)}")
    except ValueError:
        return None
