"""How things are said on a page: times in the household's zone, amounts, and names of what machines call otherwise."""

import re
from calendar import monthrange
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from flask import Flask, g

from appliance import kinds
from appliance.archiving.summaries import Summed
from appliance.cli import COMMANDS
from appliance.kinds import AmountIs
from appliance.store.records import Stored
from services.dashboard import chosen
from services.dashboard.currencies import DECIMALS, SIGNS

MINUS, NARROW_SPACE = "\u2212", "\u202f"

ROLES = {
    "electricity.import": "Electricity from the grid",
    "electricity.export": "Electricity to the grid",
    "electricity.power": "Power from the grid",
    "electricity.power.import": "Power from the grid",
    "electricity.power.export": "Power to the grid",
    "electricity.price": "Price of electricity",
    "electricity.import.price": "Price of electricity",
    "electricity.export.price": "Price paid for electricity fed in",
    "gas": "Gas",
    "gas.price": "Price of gas",
    "gas.energy": "Energy of the gas",
    "water": "Water",
    "heat": "Heat",
    "temperature.outside": "Temperature outside",
    "electricity.carbon": "Carbon intensity of the grid",
    "electricity.carbon.direct": "Carbon intensity of the grid, power stations alone",
}
BY_COMMAND = ", by command"  # how a person is called who used the command line
_CALL = rf"inglenook (?:--store \S+ )?(?:{'|'.join(COMMANDS)})\b"  # somebody may be called Inglenook
_COMMAND = re.compile(
    rf"(?:[;:,]? and run|[;,]? see|,? such as|\. To [a-z ]+|[;:])?:? {_CALL}[^;)]*| \((?:see: )?{_CALL}[^)]*\)"
)
_TIME = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-][0-9]{2}:[0-9]{2}))?")
_DAY = re.compile(r"\b[12][0-9]{3}-[0-9]{2}-[0-9]{2}\b(?!T)")
UNITS = {"m3": "m³", "kW*month": "kW × months", "%": "%"}
PARTS = {"t": "tariff", "l": "phase"}
PROVENANCE = {
    "my": "Yours: you said it yourself",
    "our": "Shared: made together with the supplier",
    "your": "The supplier’s own, about you",
    "their": "Somebody else’s",
    "everybody": "Public",
}


def install(app: Flask) -> None:
    for say in (
        page_words,
        speaker,
        when,
        timed,
        day,
        long_day,
        money,
        amount,
        flow,
        size,
        count,
        kind_title,
        field_title,
        role_title,
        provenance,
        capitalised,
        cost,
        signed,
        used,
        dated,
        plain,
        unit_price,
        instant_day,
        day_before,
        until_day,
    ):
        app.add_template_filter(say)


def zone() -> ZoneInfo:
    """The household's zone."""
    return ZoneInfo(g.household.zone) if g.get("household") else ZoneInfo("UTC")


def when(at: str) -> str:
    """As in 12 Mar 2025, 14:03, in the household's zone; a bare date stays one."""
    if "T" not in at:
        return day(at)
    local = _local(at)
    return f"{local.day} {local:%b %Y, %H:%M}"


def timed(said: str) -> str:
    """A field's text; each of its lines that is a day or a time is said as `when` says it."""
    return "\n".join(map(_timed, said.split("\n")))


def _timed(line: str) -> str:
    with suppress(ValueError):  # 30 February
        return when(line) if _TIME.fullmatch(line) else line
    return line


def _local(at: str) -> datetime:
    """In the household's zone; at the very ends of the calendar, where not every zone has a time, as it is."""
    said = datetime.fromisoformat(at)
    try:
        return said.astimezone(zone())
    except OverflowError:
        return said


def local_date(at: str) -> date | None:
    """The day of a record's time, as the household counts days."""
    if not at:
        return None
    return _local(at).date() if "T" in at else date.fromisoformat(at)


def day(at: str | date | None) -> str:
    """As in 12 Mar 2025."""
    said = local_date(at) if isinstance(at, str) else at
    return f"{said.day} {said:%b %Y}" if said else "no date"


def long_day(said: date | None) -> str:
    """As in Wednesday 12 March, with the year where it is not this one."""
    if said is None:
        return "Without a date"
    year = "" if said.year == datetime.now(UTC).astimezone(zone()).year else f" {said.year}"
    return f"{said:%A} {said.day} {said:%B}{year}"


def money(amount: Decimal | None, unit: str = "") -> str:
    """An amount with its sign and unit, as in −£ 12.30; what has no sign of its own follows the number: −12.30 CHF."""
    if amount is None:
        return ""
    number = f"{abs(amount):,f}"
    whole, _, decimals = number.partition(".")
    decimals = decimals.rstrip("0").ljust(DECIMALS.get(unit, 2), "0")
    number = f"{whole}.{decimals}" if decimals else whole
    sign = MINUS if amount < 0 else "+" if amount > 0 else ""
    return f"{sign}{SIGNS[unit]}{NARROW_SPACE}{number}" if unit in SIGNS else f"{sign}{number} {unit}".rstrip()


def cost(amount: Decimal | None, unit: str) -> str:
    """What something costs, rounded to the smallest coin, as in £ 12.30; a sign where it is a credit."""
    if amount is None:
        return ""
    smallest = Decimal(1).scaleb(-DECIMALS.get(unit, 2))
    return money(amount.quantize(smallest, ROUND_HALF_UP) + 0, unit).removeprefix("+")


def signed(amount: Decimal, unit: str) -> str:
    """A difference, rounded to the smallest coin, with its sign, as in +£ 12.30."""
    return ("+" if amount > 0 else "") + cost(amount, unit)


def used(quantity: Decimal, unit: str) -> str:
    """As in 1,204 kWh: with as many decimals as its size deserves."""
    places = 0 if abs(quantity) >= 1000 else 1 if abs(quantity) >= 10 else 2
    said = f"{quantity.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0:,f}"
    return f"{said} {UNITS.get(unit, unit)}".replace("-", MINUS)


def plain(value: Decimal) -> str:
    """A number in figures, without noughts at its end."""
    said = format(value, "f")
    return said.rstrip("0").rstrip(".") if "." in said else said


def unit_price(amount: Decimal, unit: str) -> str:
    """A price with all its decimals, as in £ 0.2734; without a sign unless it is below nought."""
    return money(amount, unit).removeprefix("+")


def instant_day(at_ms: int) -> str:
    """The household's day of an instant, milliseconds since 1970 UTC."""
    return day(datetime.fromtimestamp(at_ms // 1000, zone()).date())


def day_before(said: date) -> str:
    """The last day of what ends before this one."""
    return day(said - timedelta(days=1))


def until_day(first: date, last: date) -> str:
    """Days from the first to the last, as in November 2024, or 3 Nov 2024 to 2 Dec 2024."""
    if first.day == 1 and last == first.replace(day=monthrange(first.year, first.month)[1]):
        return f"{first:%B %Y}"
    return f"{day(first)} to {day(last)}"


def dated(sentence: str) -> str:
    """A sentence with its days as a person writes them: 2026-03-10 becomes 10 Mar 2026."""
    return _DAY.sub(lambda found: _timed(found[0]), sentence)


def amount(record: Stored | Summed) -> str:
    """What a record, or a month of a kind, says of an amount: with a plus only where money came."""
    said = money(record.amount, record.unit)
    return said if flow(record) == "in" else said.removeprefix("+")


def flow(record: Stored | Summed) -> str:
    """Where money went, in a word; "" where a record tells of none that moved, but of a price or a budget."""
    declared = chosen.kinds().get(record.kind)
    if not record.amount or declared is None or declared.amount_is is not AmountIs.MOVED:
        return ""
    return "out" if record.amount < 0 else "in"


def size(length: int) -> str:
    """As in 812 bytes or 1.4 MB."""
    if length < 1000:
        return f"{length} byte{'' if length == 1 else 's'}"
    for unit in ("kB", "MB", "GB"):
        scaled = length / 1000 ** ("kB", "MB", "GB").index(unit) / 1000
        if scaled < 1000 or unit == "GB":
            break
    return f"{scaled:.1f} {unit}"


def count(number: int, one: str = "", many: str = "") -> str:
    """As in 1,204 records."""
    word = one if number == 1 else many or f"{one}s"
    return f"{number:,} {word}".rstrip() if one else f"{number:,}"


def kind_title(kind: str) -> str:
    """What its declaration calls it; an unknown weather.storm is a Storm."""
    if declared := kinds.named(kind):
        return declared.title
    return kind.rpartition(".")[2].replace("_", " ").capitalize()


def field_title(field: str, kind: str) -> str:
    """What a kind's declaration calls one of its fields; the field's own name where it is not declared."""
    declared = kinds.named(kind)
    return declared.fields[field].title if declared and field in declared.fields else field


def role_title(role: str) -> str:
    """As in Electricity from the grid, tariff 1."""
    if role in ROLES:
        return ROLES[role]
    stem, _, last = role.rpartition(".")
    if stem == "degree_days.heating":
        return f"Degree days below {last.replace('_', '.')} °C"
    if stem and last[:1] in PARTS and last[1:].isdigit():
        return f"{role_title(stem)}, {PARTS[last[0]]} {last[1:]}"
    if stem and len(last) == 1 and last.isdigit():
        return f"{role_title(stem)} {last}"
    return role.replace(".", " ").replace("_", " ").capitalize()


def page_words(problem: str) -> str:
    """A problem without the command that helps on a command line: a page has buttons for it."""
    return _COMMAND.sub("", problem)


def speaker(who: str) -> str:
    """Who, before what they did: as in Ada said, and root, by command, said."""
    return f"{who}," if who.endswith(BY_COMMAND) else who


def capitalised(said: str) -> str:
    """With a capital first letter; the others as they are."""
    return said[:1].upper() + said[1:]


def provenance(said: str) -> str:
    return PROVENANCE.get(said, said)
