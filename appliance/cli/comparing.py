"""`inglenook compare`: what the own last year would cost on every tariff that is known."""

from collections.abc import Iterator
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from appliance import supplies, switching
from appliance.cli.context import Context, common, print_csv, print_json, warn
from appliance.errors import UserError
from appliance.store.database import Store
from appliance.supplies import Supply
from appliance.switching import Comparison, Offer, WhatIf

TABLE = {
    "rank": "",
    "tariff": "Tariff",
    "supplier": "Supplier",
    "yearly": "A year",
    "range": "Between",
    "exit_fee": "Leaving",
    "saving": "You save, first year",
    "currency": "",
    "now": "",
}


@click.command("compare")
@click.argument("supply", default="", metavar="[SUPPLY]")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@click.option("--battery", default="0", metavar="KWH", help="As if there were a battery of so many kWh.")
@click.option("--move", default="0", metavar="KWH", help="As if so many kWh a day were moved to the cheapest hours.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@common
def compare_command(context: Context, supply: str, zone: str, battery: str, move: str, as_csv: bool) -> None:
    """What your own last year would cost on every tariff that is known, cheapest first.

    In a table, amounts are rounded; with --csv and --json they are exact. What is assumed is said.
    """
    in_zone = context.zone(zone)
    what_if = WhatIf(_kwh(battery, "--battery"), moved_kwh=_kwh(move, "--move"))
    with context.open_store(measured=True) as store:
        chosen = _chosen(store, supply, in_zone, drawn=bool(what_if.battery_kwh))
        found = [switching.compare(store, each, in_zone, what_if=what_if) for each in chosen]
    if as_csv:
        print_csv((row for each in found for row in switching.rows(each)), switching.COLUMNS)
    elif context.as_json:
        for each in found:
            print_json(switching.document(each))
        return
    else:
        for each in found:
            click.echo(", ".join(filter(None, (each.supply.name, each.what_if))))
            context.show(_rows(each), TABLE)
    for each in found:
        _tell(each)


def _kwh(said: str, option: str) -> Decimal:
    try:
        return Decimal(said)
    except InvalidOperation:
        raise UserError(f"{option} {said}: write a number of kWh, such as 5 or 2.5") from None


def _chosen(store: Store, name: str, zone: tzinfo, *, drawn: bool) -> list[Supply]:
    """The supply that is named, else all for which a tariff is known, or only the electricity that is drawn."""
    if name:
        return [supplies.named(store, name, zone)]
    with store.read() as connection:
        known = supplies.tariffs(connection)
    found = [each for each in supplies.every(store, zone) if any(tariff.is_for(each) for tariff in known)]
    if drawn:
        found = [each for each in found if (each.supply, each.direction) == ("electricity", "import")]
    if not found:
        raise UserError("nothing can be compared yet: import readings of a supply, and tariffs for it")
    return found


def _rows(found: Comparison) -> Iterator[dict[str, Any]]:
    for rank, offer in enumerate(found.offers, 1):
        yield {
            "rank": rank,
            "tariff": offer.name,
            "supplier": offer.supplier,
            "yearly": _money(offer.yearly),
            "range": "" if offer.low == offer.high else f"{_money(offer.low)} and {_money(offer.high)}",
            "exit_fee": _money(offer.exit_fee) if offer.exit_fee else "",
            "saving": _saving(offer),
            "currency": found.currency,
            "now": "what you have now" if offer.is_current else "",
        }


def _saving(offer: Offer) -> str:
    if offer.saving is None or offer.saving_low is None or offer.saving_high is None:
        return ""
    if offer.saving_low == offer.saving_high:
        return _money(offer.saving)
    return f"{_money(offer.saving)} ({_money(offer.saving_low)} to {_money(offer.saving_high)})"


def _money(value: Decimal) -> str:
    return f"{round(value, 2) + 0:.2f}"


def _tell(found: Comparison) -> None:
    """What the table stands on, and what is not in it."""
    for sentence in found.assumptions:
        warn(f"{found.supply.name}: {sentence}")
    for offer in found.offers:
        for remark in offer.remarks:
            warn(f"{offer.name}: {remark}")
    for each in found.left_out:
        warn(f"{each.name} ({each.supplier}) is left out: {each.why}")
