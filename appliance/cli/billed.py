"""`inglenook bills`: what suppliers ask, checked."""

from typing import Any

import click

from appliance import billing
from appliance.billing import Check, Unchecked
from appliance.cli.context import NUMBER, Context, common, warn

BILLS = {"id": "Id", "day": "Date", "supplier": "Supplier", "days": "For", "amount": "To pay", "verdict": "Checked"}
LINES = {"name": "Line", "band": "", "quantity": "Quantity", "price": "Price", "amount": "Amount"}
COMPARED = {"what": "What", "billed": "The bill", "ours": "Ours", "unit": ""}


@click.group("bills", invoke_without_command=True)
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@common
def bills_command(context: Context, zone: str) -> None:
    """Every energy bill, made again of your readings and its tariff, with what is wrong with it."""
    in_zone = context.zone(zone)
    with context.open_store(measured=True) as store:
        context.show(map(_row, billing.every(store, in_zone)), BILLS)


@bills_command.command("check")
@click.argument("bill", type=NUMBER, metavar="ID")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@common
def check_command(context: Context, bill: int, zone: str) -> None:
    """One bill line by line, laid beside what the supplier asks, and why they differ."""
    in_zone = context.zone(zone)
    with context.open_store(measured=True) as store:
        found = billing.check(store, bill, in_zone)
        with store.read() as connection:
            twice = billing.shared(connection, found.bill)
    if context.as_json:
        context.show([_row(found) | _whole(found)], {})
        return
    context.show(map(_line, found.lines), LINES)
    click.echo()
    context.show(_compared(found), COMPARED)
    click.echo(f"\n{found.verdict}")
    for cause in found.causes:
        click.echo(f"- {cause.amount:+.2f} {found.currency}: {cause.text}")
    for cause in found.also:
        click.echo(f"- or as well: {cause.text}")
    for said in found.told:
        warn(said)
    for each in twice:
        warn(f"{each.days} days of it, {each.first} to {each.last}, are on bill {each.bill.fact} too")


def _row(found: Check | Unchecked) -> dict[str, Any]:
    bill = found.bill
    return {
        "id": bill.fact,
        "day": bill.day,
        "supplier": bill.supplier,
        "days": f"{bill.first or '?'} to {bill.last or '?'}",
        "amount": f"{bill.total:.2f}",
        "currency": bill.currency,
        "verdict": found.problem if isinstance(found, Unchecked) else found.verdict,
    }


def _whole(found: Check) -> dict[str, Any]:
    return {
        "supply": found.supply.name,
        "tariffs": list(found.tariffs),
        "total": found.total,
        "difference": found.difference,
        "unexplained": found.unexplained,
        "lines": list(map(_line, found.lines)),
        "compared": list(_compared(found)),
        "causes": [{"kind": each.kind, "text": each.text, "amount": str(each.amount)} for each in found.causes],
        "also": [{"kind": each.kind, "text": each.text, "amount": str(each.amount)} for each in found.also],
        "told": list(found.told),
    }


def _line(each: Any) -> dict[str, Any]:
    line = each.line
    return {
        "name": line.name,
        "band": line.band,
        "quantity": f"{line.quantity:f} {line.unit}",
        "price": "" if line.price is None else f"{line.price:f} {'' if line.per == '%' else 'a '}{line.per}",
        "amount": f"{each.amount:.2f}",
    }


def _compared(found: Check) -> list[dict[str, Any]]:
    return [
        {
            "what": each.what,
            "billed": "" if each.billed is None else f"{each.billed:f}",
            "ours": "" if each.ours is None else f"{each.ours:f}",
            "unit": each.unit,
        }
        for each in found.compared
    ]
