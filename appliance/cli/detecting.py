"""`inglenook meters detect`: what it says while it looks, and what it adds."""

from zoneinfo import ZoneInfo

import click

from appliance import config as configuration
from appliance.cli.context import Context, print_json, warn
from appliance.config import Config
from appliance.errors import UserError
from appliance.finding import Nothing, Offer, Step, Wanted, config_of, find
from appliance.finding.offers import to_dict
from appliance.naming import name_problems


def look(context: Context, ports: tuple[str, ...], at_broker: str, *, asks: bool) -> list[Offer]:
    """Says each thing as it is found; the offers among them."""
    config, offers = context.config, list[Offer]()
    only_ports = bool(ports) and not at_broker
    wanted = Wanted(
        ports=ports or (() if at_broker else config.ports),
        broker="" if only_ports else at_broker or config.broker,
        network=config.network and not (ports or at_broker),
        asks=asks,
        zone=ZoneInfo(config.zone or "UTC"),
        configured=config.meters,
    )
    for found in find(wanted):
        if isinstance(found, Step):
            warn(f"{found.where}: {found.what}")
            continue
        offers += [found] if isinstance(found, Offer) else []
        if context.as_json:
            print_json(to_dict(found) | ({"id": found.id} if isinstance(found, Offer) else {}))
        else:
            click.echo(_said(found))
    return offers


def _said(found: Offer | Nothing) -> str:
    if isinstance(found, Nothing):
        return f"{found.where[:1].upper()}{found.where[1:]}: {found.why}"
    return f"{found.title}." + (f"\n  {found.hint}" if found.hint else "")


def need_name(config: Config, name: str) -> None:
    """UserError where a meter cannot be called so: before it is looked for, which takes a while."""
    if problems := name_problems(name, [each.name for each in config.meters]):
        raise UserError(problems)


def add(config: Config, offers: list[Offer], name: str, purpose: str) -> None:
    """Has the one meter that was found read from now on. UserError where there is none, or more than one."""
    if len(offers) != 1:
        raise UserError(
            "nothing was added, since no meter was found"
            if not offers
            else f"nothing was added, since {len(offers)} meters were found: name the port of the one with --port"
        )
    added = config_of(offers[0], name, purpose or offers[0].purpose, None)
    configuration.write_meters(config.data, [*configuration.found_meters(config.data), added])
    warn(f"{name} is added, and read while the box runs")
