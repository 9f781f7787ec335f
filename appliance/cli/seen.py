"""`inglenook insight`: what a supply's readings tell."""

import dataclasses
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from appliance import supplies
from appliance.cli.context import Context, common, print_json, warn
from appliance.devices.words import number, quantity_of
from appliance.errors import UserError
from appliance.insight import Insight, insight
from appliance.insight.weather import BASE_C

FOUND = {"what": "What", "said": "What was found"}


@click.command("insight")
@click.argument("supply", default="", metavar="[SUPPLY]")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="From this day on; else of the last year.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day.")
@click.option("--base", default=str(BASE_C), show_default=True, help="The base of degree days, in °C.")
@click.option("--methods", is_flag=True, help="How each number comes about.")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@common
def insight_command(
    context: Context, supply: str, first: datetime | None, last: datetime | None, base: str, methods: bool, zone: str
) -> None:
    """Baseload, peaks, unusual days, the year before, sun, appliances, cold and carbon, as the readings tell."""
    in_zone = context.zone(zone)
    if not base.replace(".", "", 1).isdigit():
        raise UserError(f"--base {base}: write a temperature such as 15.5")
    days = first.date() if first else None, last.date() if last else None
    with context.open_store(measured=True) as store:
        found = insight(store, supplies.named(store, supply, in_zone), in_zone, *days, Decimal(base))
    if context.as_json:
        print_json(_as_json(found) | {"methods": found.methods})
        return
    context.show(({"what": what, "said": said} for what, said in _said(found)), FOUND)
    for said in found.told:
        warn(said)
    for method in found.methods if methods else ():
        click.echo(f"- {method}")


def _as_json(found: object) -> Any:
    """A dataclass with all that it says, and what follows from that; numbers are strings, so that they stay exact."""
    if dataclasses.is_dataclass(found):
        names = [each.name for each in dataclasses.fields(found)]
        names += [name for name, each in vars(type(found)).items() if isinstance(each, property) and name != "methods"]
        return {name: _as_json(getattr(found, name)) for name in names}
    if isinstance(found, tuple):
        return [_as_json(each) for each in found]
    if isinstance(found, Decimal):
        return f"{found:f}"
    return found.isoformat() if isinstance(found, date) else found


def _said(found: Insight) -> Iterator[tuple[str, str]]:
    unit = found.supply.unit
    yield "Used", f"{_rounded(found.used, unit)} from {found.first} to {found.last}"
    if each := found.baseload:
        cost = "" if each.amount_year is None else f", {each.amount_year} {each.currency}"
        yield "Baseload", f"{number(round(each.baseload_w, 0))} W, day and night: {each.kwh_year:,.0f} kWh a year{cost}"
        yield "Standby", f"{number(round(each.standby_w, 0))} W in the quietest quarter-hour of a night"
    for peak in found.peaks:
        yield "Peak", f"{number(round(peak.kw, 2))} kW on {peak.at:%Y-%m-%d at %H:%M}"
    for day in found.unusual:
        more = "more" if day.more > 0 else "less"
        yield (
            "Unusual",
            f"{day.day}: {_rounded(day.used, unit)}, {_rounded(abs(day.more), unit)} {more} than usual",
        )
    if year := found.year:
        change = "" if year.change is None else f" ({year.change:+.1%})"
        before, left = _rounded(year.used_before, unit), f"{year.left_out:,} left out" if year.left_out else "all"
        yield "A year ago", f"{before}, now {_rounded(year.used, unit)}{change}; {year.days:,} days, {left}"
    if (sun := found.solar) and sun.self_use is not None:
        made, used = _rounded(sun.made, "kWh"), _rounded(sun.self_used, "kWh")
        yield "Sun", f"{made} made, {used} of it used at home ({sun.self_use:.0%})"
        if sun.self_sufficiency is not None:
            yield "Self-sufficiency", f"{sun.self_sufficiency:.0%} of what was used came from the roof"
    for plug in found.appliances:
        cost = "" if plug.amount is None else f", {plug.amount:.2f} {plug.currency}"
        yield "Appliance", f"{plug.title} ({plug.role}): {_rounded(plug.used, 'kWh')}{cost}"
    if cold := found.degree_days:
        more = f"{quantity_of(cold.per_degree_day, unit)} more for each degree day below {cold.base_c} °C"
        yield "Cold", f"{more}, beside {_rounded(cold.a_day, unit)} a day; explains {cold.explained:.0%}"
    if grid := found.carbon:
        yield "Carbon", f"{grid.kg:.1f} kg, {grid.own_mean} g a kWh; the grid's mean was {grid.grid_mean}"
    for lack in found.lacking:
        yield lack.what, f"not known: {lack.why}"


def _rounded(value: Decimal, unit: str) -> str:
    """To what a person reads; --json has all of it."""
    return quantity_of(round(value, 2), unit)
