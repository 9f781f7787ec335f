"""What is here and cannot be read before a person says more: a key, a user name and a password, a pin.

What is asked are options of the link or of the meter, which are checked as their configuration is. Secrets among them
are kept apart from all else, so that whoever shows or writes what was found does so without them.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from appliance import links, meters
from appliance.config import options_from, secrets_of
from appliance.errors import UserError

KEY, LOGIN, PIN = "key", "login", "pin"
LINK, METER = "link", "meter"
SECRET = "secret"  # noqa: S105 - what type of input it is

COUNTED = {"electricity.import": ("Electricity", "kWh"), "gas": ("Gas", "m3"), "water": ("Water", "m3")}
"""Role of what pulses count -> what a person calls it, and the unit."""

_ASKED: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    KEY: ((METER, "key", "needed"), (METER, "authentication_key", "rare")),
    LOGIN: (
        (LINK, "username", ""),
        (LINK, "password", ""),
        (LINK, "tls", ""),
        (LINK, "ca_file", "rare"),
    ),
    PIN: (
        (LINK, "line", "needed"),
        (METER, "role", "needed"),
        (METER, "per_unit", "needed"),
        (LINK, "edge", "rare"),
        (LINK, "bias", "rare"),
    ),
}
_TITLES = {
    "key": "Key: 32 hexadecimal digits",
    "authentication_key": "Authentication key, only if the operator sent you one of your own",
    "username": "User name",
    "ca_file": "File on this box with the certificate of the broker’s own authority (empty: a public one)",
    "edge": "What a pulse is",
    "bias": "Resistor",
    "line": "Pin (on a Raspberry Pi the number of the GPIO)",
    "role": "What is counted",
    "per_unit": "Pulses to one kWh, or to one m³, as the meter’s plate says",
}
"""What is asked here in other words than in a configuration."""

_CHOICES = {
    "role": {role: called for role, (called, _) in COUNTED.items()},
    "edge": {"falling": "The contact closes to ground", "rising": "It opens, or its voltage rises"},
    "bias": {
        "pull-up": "Built in, to the supply",
        "pull-down": "Built in, to ground",
        "none": "None built in",
    },
}

_TYPES = {bool: "flag", int: "number", Decimal: "number"}


@dataclass(frozen=True, slots=True)
class Needs:
    """A place where something would be read if a person said more: `kind` says what, `why` asks for it in words.

    `meter` is "" where it is not known before. What of the options is asked for is only proposed.
    """

    kind: str
    title: str
    where: str
    why: str
    link: str
    link_options: Mapping[str, Any]
    meter: str = ""
    meter_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for what is the same, however often it is found, and whatever was said of it."""
        asked = {name for _, name, _ in _ASKED[self.kind]}
        fixed = {name: value for name, value in self.link_options.items() if name not in asked}
        said = [self.kind, self.link, fixed, self.meter]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that is asked: an option of the link or of the meter, as `of` says. `rare`: most leave it as it is."""

    of: str
    name: str
    title: str
    type: str  # text, flag, number, choice, or SECRET
    default: str
    choices: tuple[tuple[str, str], ...] = ()  # each as it is said, and in words
    is_needed: bool = False
    is_rare: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """All the options of a link and a meter, once a person said what was asked for; what is secret of them apart."""

    link_options: Mapping[str, Any]
    meter_options: Mapping[str, Any]
    link_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    meter_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def asks(needs: Needs) -> list[Ask]:
    """What is asked for, in the order in which a form has it."""
    return [_ask(needs, of, name, how) for of, name, how in _ASKED[needs.kind]]


def _ask(needs: Needs, of: str, name: str, how: str) -> Ask:
    option = {each.name: each for each in dataclasses.fields(_options(needs, of))}[name]
    choices = tuple(_CHOICES.get(name, {}).items())
    given = (needs.link_options if of == LINK else needs.meter_options).get(name, option.default)
    is_secret = name in secrets_of(_options(needs, of))
    return Ask(
        of=of,
        name=name,
        title=_TITLES.get(name, option.metadata["title"]),
        type=SECRET if is_secret else "choice" if choices else _TYPES.get(type(option.default), "text"),
        default="" if is_secret or not given else str(given),
        choices=choices,
        is_needed=how == "needed",
        is_rare=how == "rare",
    )


def answered(needs: Needs, said: Mapping[str, str]) -> Answer:
    """The options with what a person said, by the names of what was asked. UserError with every problem of it.

    What was left empty is as it is by default; a secret is in no message.
    """
    asked = asks(needs)
    typed = {each.name: _cleaned(each, said.get(each.name, "")) for each in asked}
    problems = [problem for each in asked for problem in _problems(each, typed[each.name])]
    link, meter = (_taken(needs, of, typed, problems) for of in (LINK, METER))
    if problems:
        raise UserError(problems)
    secret = {each.name for each in asked if each.type == SECRET}
    return Answer(*(_only(each, secret, hidden) for hidden in (False, True) for each in (link, meter)))


def _only(options: Mapping[str, Any], secret: set[str], hidden: bool) -> dict[str, Any]:
    """Those that are secret, or those that are not."""
    return {name: value for name, value in options.items() if (name in secret) is hidden}


def _problems(ask: Ask, text: str) -> Iterator[str]:
    if ask.is_needed and not text:
        yield f"{ask.title}: say this, it is needed"
    if text and ask.choices and text not in dict(ask.choices):
        yield f"{ask.title}: {text!r} is not possible; choose one of {', '.join(dict(ask.choices))}"


def _taken(needs: Needs, of: str, typed: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """All options of the link or the meter, each as its type. What is wrong with them comes to the problems."""
    if of == METER and not needs.meter:
        return {}
    base = needs.link_options if of == LINK else needs.meter_options
    own = {name: value for name, value in base.items() if name not in typed}
    own |= {name: typed[name] for each, name, _ in _ASKED[needs.kind] if each == of and typed[name]}
    if own.get("role") in COUNTED:
        own["unit"] = COUNTED[own["role"]][1]
    try:
        good = options_from(_options(needs, of), own, "typed")
    except UserError as error:
        problems += [each.removeprefix("typed").lstrip(".: ") for each in error.problems]
        return {}
    return {name: getattr(good, name) for name in own}


def _cleaned(ask: Ask, text: str) -> str:
    """A key may be typed in groups, as it is printed; a password is left as it is; a tick is any text."""
    if ask.type == "flag":
        return "true" if text else ""
    if ask.of == METER and ask.type == SECRET:
        return "".join(text.split())
    return text if ask.type == SECRET else text.strip()


def _options(needs: Needs, of: str) -> type[Any]:
    return links.named(needs.link).Options if of == LINK else meters.named(needs.meter).Options
