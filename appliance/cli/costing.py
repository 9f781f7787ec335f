"""`inglenook costs` and `tariffs`: what supplies cost, and the tariffs that are known."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import click

from appliance import costs, costs_apart, costs_together, supplies
from appliance.cli.context import Context, common, instant, print_csv, warn
from appliance.costs import Cost
from appliance.costs_apart import Share
from appliance.errors import UserError
from appliance.store.database import Store
from appliance.supplies import Supply

SPANS = {
    "used": "Used",
    "unit": "",
    "amount": "Cost",
    "currency": "",
    "tariff": "Tariff",
    "missing": "Not read",
    "estimated": "Estimated",
    "unpriced": "No price",
}
APART = {
    "source": "Source",
    "used": "Used",
    "unit": "",
    "amount": "Cost",
    "currency": "",
    "counted": "Counted by itself",
}
PARTS = {"role": costs_apart.by_role, "appliance": costs_apart.by_appliance}
BANDS = {
    "tariff": "Tariff",
    "charge": "Charge",
    "band": "Band",
    "quantity": "How much",
    "unit": "",
    "amount": "Cost",
    "currency": "",
}
CHANGES = {
    "day": "Day",
    "used_before": "Used, before",
    "used": "now",
    "unit": "",
    "before": "Cost, before",
    "amount": "now",
    "currency": "",
    "why": "What was put right",
}
TARIFFS = {
    "id": "Fact",
    "name": "Name",
    "code": "Code",
    "supplier": "Supplier",
    "supply": "Supply",
    "direction": "Direction",
    "from": "From",
    "until": "Until",
    "recorded": "Known since",
}
_KEEP = "inglenook add energy.supply title=NAME supply={supply.supply} source='{supply.source}' role={supply.role}"
_SHOWN = {"amount": Decimal("0.01"), "before": Decimal("0.01")} | dict.fromkeys(
    ("used", "used_before", "quantity", "counted"), Decimal("0.001")
)
"""How far a number is rounded in a table; what a program reads is exact."""


@click.command("costs")
@click.argument("supply", default="", metavar="[SUPPLY]")
@click.option("--from", "first", default="", metavar="D", help="From this day on.")
@click.option("--to", "last", default="", metavar="D", help="Up to the end of this day.")
@click.option("--tariff", default="", metavar="NAME", help="As if it had been on this tariff all the time.")
@click.option("--by", type=click.Choice(["day", "month", "band", *PARTS]), default="month", show_default=True)
@click.option("--changed-since", "since", default="", metavar="T", help="Only the days that are known otherwise since.")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@common
def costs_command(
    context: Context,
    supply: str,
    first: str,
    last: str,
    tariff: str,
    by: str,
    since: str,
    zone: str,
    as_csv: bool,
) -> None:
    """What a supply costs: every one that the household has, or the one named, as agreed or under another tariff.

    In a table, numbers are rounded; with --csv and --json they are exact. What is not known is told.
    """
    in_zone = context.zone(zone)
    span = _day(first, "--from"), _day(last, "--to")
    with context.open_store(measured=True) as store:
        chosen = [supplies.named(store, supply, in_zone)] if supply or tariff else _every(store, in_zone)
        if since:
            at = instant(since, in_zone, "--changed-since")
            rows = [row for each in chosen for row in _changes(store, each, in_zone, at, span, tariff)]
            columns = CHANGES
        else:
            found = [costs.cost(store, each, in_zone, *span, tariff) for each in chosen]
            rows = [row for each in found for row in _rows(store, each, by, in_zone)]
            columns = BANDS if by == "band" else {by: by.capitalize(), **(APART if by in PARTS else SPANS)}
            for each in found:
                _tell(each, several=len(found) > 1)
            if len(found) > 1:
                _tell_together(found)
            if by in PARTS and not rows:
                warn("no appliance counted by itself what it used then; see how a plug is connected: inglenook meters")
    columns = ({"supply": "Supply"} if len(chosen) > 1 else {}) | columns
    if as_csv:
        print_csv(map(_exact, rows), {"supply": "", **columns})
    else:
        context.show(map(_exact if context.as_json else _rounded, rows), columns)


@click.command("tariffs")
@common
def tariffs_command(context: Context) -> None:
    """The tariffs that this store knows; `import` brings them, as files of their own form."""
    with context.open_store() as store, store.read() as connection:
        known = supplies.tariffs(connection)
    rows = [
        {
            "id": each.fact,
            "name": each.name,
            "code": each.code,
            "supplier": each.supplier,
            "supply": each.supply,
            "direction": each.direction if each.supply == "electricity" else "",
            "from": each.tariff.from_day if each.tariff else None,
            "until": each.tariff.until_day if each.tariff else None,
            "recorded": each.recorded[:10] if not context.as_json else each.recorded,
            "problem": each.problem,
        }
        for each in known
    ]
    if rows or context.as_json:
        troubled = any(row["problem"] for row in rows)
        context.show(rows, TARIFFS | {"problem": "Cannot be read"} if troubled else TARIFFS)
    else:
        click.echo(f"No tariff is known yet; import one: {context.command('import FILE')}")


def _every(store: Store, zone: ZoneInfo) -> list[Supply]:
    if found := supplies.every(store, zone):
        return found
    raise UserError("this store has no readings of a supply yet; import some: inglenook import FILE")


def _day(said: str, option: str) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise UserError(f"{option} {said}: write a day such as 2026-11-22") from None


def _rows(store: Store, cost: Cost, by: str, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    if by in PARTS:
        return _parts(cost, by, PARTS[by](store, cost, zone))
    return _bands(cost) if by == "band" else _spans(cost, by)


def _parts(cost: Cost, by: str, shares: Sequence[Share]) -> Iterator[dict[str, Any]]:
    """One of each part and currency; without an amount where no tariff is known."""
    for each in shares:
        for currency, amount in each.amounts.items() or [("", None)]:
            yield {
                "supply": cost.supply.name,
                by: each.title,
                "source": each.source,
                "used": each.used,
                "unit": cost.supply.unit,
                "amount": amount,
                "currency": currency,
                "counted": each.counted,
            }


def _spans(cost: Cost, by: str) -> Iterator[dict[str, Any]]:
    for each in cost.days if by == "day" else cost.months:
        yield {
            "supply": cost.supply.name,
            by: each.day.isoformat()[: 10 if by == "day" else 7],
            "used": each.used,
            "unit": cost.supply.unit,
            "amount": each.amount,
            "currency": each.currency,
            "tariff": each.tariff,
            "missing": each.missing,
            "estimated": each.estimated,
            "unpriced": each.unpriced,
        }


def _bands(cost: Cost) -> Iterator[dict[str, Any]]:
    for each in cost.bands:
        yield {
            "supply": cost.supply.name,
            "tariff": each.tariff,
            "charge": each.name,
            "band": each.band,
            "quantity": each.quantity,
            "unit": each.unit,
            "amount": each.amount,
            "currency": each.currency,
        }


def _changes(
    store: Store, supply: Supply, zone: ZoneInfo, since: datetime, span: tuple[date | None, date | None], tariff: str
) -> Iterator[dict[str, Any]]:
    for each in costs.changed(store, supply, zone, since, *span, tariff):
        yield {
            "supply": supply.name,
            "day": each.day.isoformat(),
            "used_before": each.used_before,
            "used": each.used,
            "unit": supply.unit,
            "before": each.before,
            "amount": each.after,
            "currency": each.currency,
            "why": each.why,
        }


def _tell(cost: Cost, *, several: bool) -> None:
    """The total, and what is not known or was assumed, on stderr."""
    name = f"{cost.supply.name}: " if several else ""
    for currency, total in cost.totals.items():
        first, last = cost.days[0].day, cost.days[-1].day
        warn(f"{name}{total.quantize(Decimal('0.01'), ROUND_HALF_UP)} {currency} from {first} to {last}")
    for sentence in cost.told:
        warn(f"{name}{sentence}")


def _tell_together(found: Sequence[Cost]) -> None:
    """What those that add up cost together, and which do not, on stderr."""
    why = costs_together.unclear([each.supply for each in found])
    for currency, total in costs_together.added([each for each in found if each.supply not in why]).items():
        warn(f"all together: {total.quantize(Decimal('0.01'), ROUND_HALF_UP)} {currency}")
    for supply, reason in why.items():
        warn(f"{supply.name} is not in that: {reason}; say it: {_KEEP.format(supply=supply)}")


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    """Every digit, but for noughts at the end."""
    return {name: _plain(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.quantize(_SHOWN[name], ROUND_HALF_UP) + 0
        if name in _SHOWN and isinstance(value, Decimal)
        else value
        for name, value in row.items()
    }
