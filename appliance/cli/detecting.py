"""`inglenook meters detect`: what it says while it looks, what it is told of keys and logins, and what it adds."""

import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from appliance import config as configuration
from appliance.cli import asking
from appliance.cli.context import Context, print_json, warn
from appliance.config import METERS_FILE, Config
from appliance.errors import UserError
from appliance.finding import (
    Answer,
    Found,
    Needs,
    Nothing,
    Offer,
    Step,
    Wanted,
    answered,
    asks,
    config_of,
    find,
    prove,
)
from appliance.finding.needs import COUNTED, KEY, LOGIN, PIN, SECRET
from appliance.finding.offers import to_dict
from appliance.naming import name_problems

TRIES = 3
"""So often a secret is asked for on a terminal."""

_HOW = {
    KEY: "name a file that holds it with --key-file",
    LOGIN: "name it with --broker, and say --user and --password-file, or --tls",
    PIN: "as in --pin gpiochip0/17",
}
_COUNTS = {called.casefold(): role for role, (called, _) in COUNTED.items()}


@dataclass(frozen=True, slots=True)
class Told:
    """What the command's options say: where to look, and what is needed there. Files hold the secrets."""

    ports: tuple[str, ...] = ()
    broker: str = ""
    asks: bool = False
    everywhere: bool = False
    key_file: Path | None = None
    user: str = ""
    password_file: Path | None = None
    tls: bool = False
    ca_file: str = ""
    pin: str = ""
    counts: str = "electricity"
    per_unit: str = ""

    @property
    def login(self) -> dict[str, str]:
        """What is said of us to a broker."""
        password = asking.from_file(self.password_file) if self.password_file else ""
        said = {"username": self.user, "password": password, "tls": "true" if self.tls else "", "ca_file": self.ca_file}
        return {name: text for name, text in said.items() if text}


def look(context: Context, told: Told) -> list[Offer]:
    """Says each thing as it is found, and asks for what it needs; the offers among them."""
    if not told.broker and told.login:
        raise UserError("--user, --password-file, --tls and --ca-file are told to a broker: name it with --broker")
    if told.key_file:
        asking.from_file(told.key_file)  # one that is not there is told at once, and not after the look
    wanted = _wanted(context.config, told)
    offers, needed = list[Offer](), list[Needs]()
    for found in _found(told, wanted):
        if isinstance(found, Needs) and (found.kind == KEY or (found.kind == LOGIN and not told.login)):
            needed.append(found)
        else:
            offers += _say(context, found)
    for needs in needed:
        offers += _proved(context, told, wanted, needs)
    return offers


def _wanted(config: Config, told: Told) -> Wanted:
    is_all = not (told.ports or told.broker)
    return Wanted(
        ports=told.ports or (() if told.broker else config.ports),
        broker=told.broker or (config.broker if is_all else ""),
        network=config.network and is_all,
        one_wire=config.one_wire if is_all else "",
        gpio=config.gpio if is_all else (),
        asks=told.asks or told.everywhere,
        everywhere=told.everywhere,
        zone=ZoneInfo(config.zone or "UTC"),
        configured=config.meters,
    )


def _found(told: Told, wanted: Wanted) -> Iterator[Found]:
    """What is found: at one pin, at one broker that is told who we are, or wherever it is looked."""
    from appliance.finding import broker, pins

    if told.pin:
        needs, said = pins.named(told.pin)
        said |= {"role": _COUNTS[told.counts], "per_unit": told.per_unit or "1000"}
        yield from prove(needs, answered(needs, said), wanted)
    if told.login:
        needs = broker.named(told.broker)
        yield from prove(needs, answered(needs, _usual(needs) | told.login), wanted)
        wanted = replace(wanted, broker="")
    if told.ports or not (told.pin or told.login):
        yield from find(wanted)


def _proved(context: Context, told: Told, wanted: Wanted, needs: Needs) -> list[Offer]:
    """The offers at a place, once the key or the login is said: by a file, or on a terminal. Else what it needs."""
    for answer in _answers(context, told, needs):
        offers, again = _tried(context, wanted, needs, answer)
        if again is None:
            return offers
        needs = again
    _say(context, needs)
    return []


def _answers(context: Context, told: Told, needs: Needs) -> Iterator[Answer]:
    """What is said of it, one try after the other."""
    if needs.kind == KEY and told.key_file:
        try:
            yield answered(needs, {"key": asking.from_file(told.key_file)})
        except UserError as error:
            raise UserError(f"{told.key_file}: {each}" for each in error.problems) from None
    elif sys.stdin.isatty() and not context.as_json:
        for _ in range(TRIES):
            try:
                yield answered(needs, _asked(needs))
            except UserError as error:
                for problem in error.problems:
                    warn(problem)


def _tried(context: Context, wanted: Wanted, needs: Needs, answer: Answer) -> tuple[list[Offer], Needs | None]:
    """The offers there are now; or what it still needs, where that was not right."""
    offers, again = list[Offer](), None
    for found in prove(needs, answer, wanted):
        if isinstance(found, Needs):
            again = found
        else:
            offers += _say(context, found)
    return offers, again


def _asked(needs: Needs) -> dict[str, str]:
    """What a person types on the terminal; of a secret nothing is seen."""
    warn(f"{needs.title}. {needs.why}")
    asked = [each for each in asks(needs) if not each.is_rare and each.type != "flag"]
    return _usual(needs) | {
        each.name: click.prompt(each.title, default="", show_default=False, hide_input=each.type == SECRET, err=True)
        for each in asked
    }


def _usual(needs: Needs) -> dict[str, str]:
    """What is said where nobody says anything else."""
    return {each.name: each.default for each in asks(needs)}


def _say(context: Context, found: Found) -> list[Offer]:
    """Prints what was found; the offer, if it is one."""
    if isinstance(found, Step):
        warn(f"{found.where}: {found.what}")
        return []
    if context.as_json:
        print_json(to_dict(found) | ({} if isinstance(found, Nothing) else {"id": found.id}))
    else:
        click.echo(_said(found))
    return [found] if isinstance(found, Offer) else []


def _said(found: Offer | Needs | Nothing) -> str:
    if isinstance(found, Nothing):
        return f"{found.where[:1].upper()}{found.where[1:]}: {found.why}"
    if isinstance(found, Needs):
        return f"{found.title}.\n  {found.why}\n  By command: {_HOW[found.kind]}."
    return f"{found.title}." + (f"\n  {found.hint}" if found.hint else "")


def need_name(config: Config, name: str) -> None:
    """UserError where a meter cannot be called so: before it is looked for, which takes a while."""
    if problems := name_problems(name, [each.name for each in config.meters]):
        raise UserError(problems)


def how_to_add(config: Config, offers: Sequence[Offer]) -> str:
    """What to type to have a meter read that was found."""
    name = offers[0].name([each.name for each in config.meters])
    again = f"run the same command with --add and a name for it, such as --add {shlex.quote(name)}"
    if len(offers) == 1:
        return f"to have it read, {again}"
    ports = [each.link_options["path"] for each in offers if each.link == "serial"]
    places = f", and with its port: {' or '.join(f'--port {shlex.quote(each)}' for each in ports)}" if ports else ""
    return f"to have one of them read, {again}{places}; or use Find a meter on the page"


def add(config: Config, offers: Iterable[Offer], name: str, purpose: str, zone: str = "") -> None:
    """Has the one meter that was found read from now on. UserError where there is none, or more than one."""
    found = list(offers)
    if len(found) != 1:
        raise UserError(
            "nothing was added, since no meter was found"
            if not found
            else f"nothing was added, since {len(found)} meters were found: name the port of the one with --port"
        )
    own_zone = zone if zone != config.zone else ""
    added = config_of(found[0], name, purpose or found[0].purpose, own_zone or None)
    configuration.write_meters(config.data, [*configuration.found_meters(config.data), added])
    warn(f"{name} is added, and read while the box runs (inglenook run); inglenook series says what came")
    if not (zone or config.zone):
        warn(
            "nobody said in which time zone this household lives: where the meter's clock states local time, that is "
            f"taken as UTC. Claim the box on its page, or write below [meters.{json.dumps(name)}] in "
            f'{config.data / METERS_FILE}, where it is: zone = "Europe/Amsterdam"'
        )
