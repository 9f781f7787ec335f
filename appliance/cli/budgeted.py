"""`inglenook budgets`: what the month will cost, and what somebody should look at."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from appliance import budgets
from appliance.budgets import Projection, Watched
from appliance.cli.context import Context, common, instant, warn

COLUMNS = {"what": "What", "name": "Of", "so_far": "So far", "expected": "Expected", "range": "Range", "text": ""}


@click.command("budgets")
@click.option("--at", default="", metavar="T", help="As of this time, or the end of this day; else now.")
@click.option("--methods", is_flag=True, help="How the forecast comes about.")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@common
def budgets_command(context: Context, at: str, methods: bool, zone: str) -> None:
    """The month's forecast, your budgets, and what to look at: a silent meter, use while away, water that never stops.

    A budget and an absence are facts: inglenook add energy.budget, inglenook add energy.away.
    """
    in_zone = context.zone(zone)
    now = instant(at, in_zone, "--at", end=True) if at else datetime.now(UTC)
    with context.open_store(measured=True) as store:
        found = budgets.watched(store, in_zone, now)
    context.show(_rows(found), COLUMNS)
    for said in found.told:
        warn(said)
    if methods:
        click.echo(f"- {budgets.METHOD}", err=context.as_json)


def _rows(found: Watched) -> Iterator[dict[str, Any]]:
    for supply, month in found.month.forecasts:
        known = f"{month.days_known} of {month.days} days are known"
        yield _row("used", supply.name, month.used, month.unit, known)
        if month.amount:
            yield _row("cost", supply.name, month.amount, month.currency, known)
    for each in found.month.budgets:
        name, limit = each.supply or "all", f"{each.limit:.2f} {each.unit} at most"
        if each.projection:
            yield _row("budget", name, each.projection, each.unit, limit)
        else:
            yield {"what": "budget", "name": name, "text": f"{limit}; what the month comes to is not known"}
    for finding in found.findings:
        yield {"what": finding.kind, "name": finding.supply, "text": finding.text, "key": finding.key}


def _row(what: str, name: str, month: Projection, unit: str, text: str) -> dict[str, Any]:
    return {
        "what": what,
        "name": name,
        "so_far": f"{month.so_far:.2f}",
        "expected": f"{month.expected:.2f}",
        "range": f"{month.low:.2f} to {month.high:.2f}",
        "unit": unit,
        "text": text,
    }
