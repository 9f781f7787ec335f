"""What is found: an offer of a meter that was heard, or why there is none; and what a person makes of an offer."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from appliance import meters
from appliance.config import MeterConfig
from appliance.errors import UserError
from appliance.finding.needs import Needs
from appliance.naming import meter_name
from appliance.records import MeterReading

HOUSE, SOLAR, PLUG, ROOM = "house", "solar", "plug", "room"
PURPOSES = {
    HOUSE: "The whole house",
    SOLAR: "Solar panels",
    PLUG: "One appliance, at its plug",
    ROOM: "A room",
}
"""What a meter may measure, as a person chooses it."""

_ROLES = {HOUSE: "electricity", SOLAR: "solar", PLUG: "plug"}
"""What a meter with a `role` of its own is told."""

_SECRETS = frozenset({"link_secrets", "meter_secrets"})

NAMES = {"electricity": HOUSE, "gas": "gas", "water": "water", "heat": "heat", "cooling": "heat", "solar": SOLAR}
"""First word of a role -> the name that is suggested where a device has none that people use."""

TAKEN, REFUSED, SILENT, UNKNOWN, ABSENT = "taken", "refused", "silent", "unknown", "absent"
"""Read already; not to be opened; says nothing; says what no meter says; not there at all."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done, for whoever waits: `where`, and `what` in words."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """A place where no meter is offered, and why: `kind` is one of the words above."""

    where: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A meter that was heard, with all that reads it again. `hint` is "" where nothing more is to be known of it.

    What is secret of its options stands apart from them, and in neither its id nor its repr.
    """

    title: str
    where: str
    link: str
    meter: str
    link_options: Mapping[str, Any]
    meter_options: Mapping[str, Any]
    device: str
    readings: tuple[MeterReading, ...] = field(compare=False)
    hint: str = ""
    link_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    meter_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        """The same for what is the same, however often it is found, whatever its secrets are."""
        said = [self.link, dict(self.link_options), self.meter, dict(self.meter_options), self.device]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]

    @property
    def purpose(self) -> str:
        """What it measures, by its own words."""
        first = [each.role.partition(".")[0] for each in self.readings]
        if "electricity" in first:
            return HOUSE
        return next((each for each in (SOLAR, PLUG) if each in first), ROOM if self._is_climate(first) else HOUSE)

    @property
    def purposes(self) -> tuple[str, ...]:
        """What a person may say that it measures; what counts gas or water is the house's, a thermometer a room's."""
        if {each.role.partition(".")[0] for each in self.readings} & {"electricity", SOLAR, PLUG}:
            return (HOUSE, SOLAR, PLUG)
        return (self.purpose,)

    def name(self, taken: Iterable[str]) -> str:
        """A name to suggest, which no other has."""
        wanted = self._own_name()
        others = {each.casefold() for each in taken}
        numbered = (wanted, *(f"{wanted} {number}" for number in range(2, 1000)))
        return next(each for each in numbered if each.casefold() not in others)

    def _own_name(self) -> str:
        if self.purpose in (PLUG, ROOM):
            is_number = self.link == "w1"  # which nobody would call a room
            return ("" if is_number else meter_name(self.device)) or ("plug" if self.purpose == PLUG else "room")
        first = (each.role.partition(".")[0] for each in self.readings)
        return next((NAMES[each] for each in first if each in NAMES), HOUSE)

    @staticmethod
    def _is_climate(first: list[str]) -> bool:
        return bool(first) and set(first) <= {"temperature", "humidity", "pressure"}


Found = Offer | Needs | Nothing | Step


def config_of(offer: Offer, name: str, purpose: str, zone: str | None) -> MeterConfig:
    """The configuration of a meter that a person named. UserError where it does not measure that.

    A meter that is told the first word of its roles is told it; of others it stands before the roles that they state.
    """
    if purpose not in offer.purposes:
        said = ", ".join(f"{each} ({PURPOSES[each].lower()})" for each in offer.purposes)
        raise UserError(f"{purpose!r} is not what this meter measures; choose from {said}")
    link_options = {**offer.link_options, **offer.link_secrets}
    options, role = {**offer.meter_options, **offer.meter_secrets}, ""
    if purpose != offer.purpose:
        if _has_role(offer.meter):
            options["role"] = _ROLES[purpose]
        else:
            role = _ROLES[purpose]
    return MeterConfig(name, offer.link, offer.meter, zone, link_options, options, role)


def _has_role(meter: str) -> bool:
    """Whether a meter is told the first word of its roles; one whose whole role is configured keeps that."""
    own = (each.default for each in dataclasses.fields(meters.named(meter).Options) if each.name == "role")
    return any("." not in str(each) for each in own)


def to_dict(found: Found, *, secrets: bool = False) -> dict[str, Any]:
    """What `from_dict` reads again: of JSON, numbers as text. Without its secrets, but where they are asked for."""
    said = {key: _plain(value) for key, value in dataclasses.asdict(found).items() if secrets or key not in _SECRETS}
    return {"found": type(found).__name__.lower(), **said}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def from_dict(said: Mapping[str, Any]) -> Found:
    """What `to_dict` wrote."""
    rest = {key: value for key, value in said.items() if key != "found"}
    if said["found"] == "step":
        return Step(**rest)
    if said["found"] == "nothing":
        return Nothing(**rest)
    if said["found"] == "needs":
        return Needs(**rest)
    readings = (MeterReading(**{**each, "value": Decimal(each["value"])}) for each in rest.pop("readings"))
    return Offer(readings=tuple(readings), **rest)
