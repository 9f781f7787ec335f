"""Shelly: relays, plugs and energy meters of all generations, over MQTT or HTTP.

Generation 1 (Shelly's API reference, "Gen1"), over HTTP as the answer to `/status`, and over MQTT a value a topic:

    {"unixtime": 1684784790, "mac": "F4CFA26CC502",                     (1) 0 where the clock is not set
     "meters": [{"power": 4.55, "is_valid": true, "total": 9851}],      (2) W, and watt-minutes since it was switched on
     "emeters": [{"power": 10.66, "voltage": 232.06, "current": 0.08,   (3) W negative where power flows out, V, A
                  "is_valid": true, "total": 5.3, "total_returned": 0.0}]}  (4) Wh

    shellies/<device>/relay/0/power 4.55            (2) in W; energy in watt-minutes
    shellies/<device>/emeter/0/total 5.3            (4) in Wh; also power, voltage, current, total_returned
    shellies/<device>/sensor/temperature 21.3       of a thermometer; also humidity

Later generations ("Gen2+ API", RPC protocol and components), over HTTP as the answer to `/rpc/Shelly.GetStatus`, and
over MQTT as `<device>/events/rpc`, which says what has changed, and `<device>/status/<component>`:

    {"src": "shellypro3em-0123456789ab", "method": "NotifyStatus", "params": {
       "ts": 1757060280.21,                                     (5) seconds since 1970
       "em:0": {"total_act_power": 951.2, "a_act_power": ..., "a_voltage": ..., "a_current": ...},     (6) three phases
       "emdata:0": {"total_act": 26289.57, "total_act_ret": 131881.86, "a_total_act_energy": ...},     (7) Wh
       "em1:0": {"act_power": ..., "voltage": ..., "current": ...},                     (8) one clamp
       "em1data:0": {"total_act_energy": ..., "total_act_ret_energy": ...},             (9) Wh
       "switch:0": {"apower": 12.3, "voltage": ..., "current": ...,                     (10) also pm1, cover, light
                    "aenergy": {"total": 1234.567, "minute_ts": 1757060220},            (11) Wh
                    "ret_aenergy": {"total": 0}},
       "temperature:100": {"tC": 19.8}, "humidity:100": {"rh": 42.2}}}                  (12) sensors wired to it

A watt-minute is a sixtieth of a watt-hour: such a register is given to a thousandth of a watt-hour. Three phases are
the whole house's unless the option `role` says other; what else is there is an appliance's. The temperature of the
device itself is left.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.messages import Message, Number
from appliance.meters._messages import (
    MessageMeter,
    NotReadableError,
    Said,
    Value,
    decimal,
    document,
    fail_with,
    name_of,
    role_of,
    role_problems,
    table,
    text,
    unix_ms,
)

TITLE = "Shelly plugs, relays and energy meters"
LINKS = ("mqtt", "http")
TRIED = "messages of a 3EM, a Plug, a Pro 3EM, a 1PM Gen4 and a Plus H&T that their owners published"
SILENT_S = 900.0  # a plug without a load says little

_WATT_MINUTE = Decimal(1) / 60_000  # in kWh; 28 digits, of which the reading keeps six behind the point
_PHASES = ("l1", "l2", "l3")

_GEN1_TOPIC = re.compile(r"shellies/([^/]+)/(relay|emeter|sensor|roller|light)/(?:([0-9])/)?([a-z_]+)")
_GEN2_STATUS = re.compile(r"(.+)/status/([a-z0-9]+:[0-9]+)")
_COMPONENT = re.compile(r"([a-z0-9]+):([0-9]{1,3})")
_GEN1_3EM = "shellyem3-"

_METER = {"power": ("power", "W"), "total": ("energy", "Wmin")}
_RELAY = {"power": ("power", "W"), "energy": ("energy", "Wmin")}
_EMETER = {
    "total": ("energy", "Wh"),
    "total_returned": ("energy.export", "Wh"),
    "power": ("power", "W"),
    "voltage": ("voltage", "V"),
    "current": ("current", "A"),
}
_SENSOR = {"temperature": ("temperature", "°C"), "humidity": ("humidity", "%")}
_GEN1_FIELDS = {"emeter": _EMETER, "sensor": _SENSOR}
"""Field of generation 1 -> quantity, and its unit."""

_EM1 = {
    "total_act_energy": ("energy", "Wh"),
    "total_act_ret_energy": ("energy.export", "Wh"),
    "act_power": ("power", "W"),
    "voltage": ("voltage", "V"),
    "current": ("current", "A"),
}
_EM_TOTAL = {
    "total_act": ("energy", "Wh"),
    "total_act_ret": ("energy.export", "Wh"),
    "total_act_power": ("power", "W"),
}
_OUTPUT = {"apower": ("power", "W"), "voltage": ("voltage", "V"), "current": ("current", "A")}
_ROOM = {"tC": ("temperature", "°C"), "rh": ("humidity", "%")}
"""Field of a component -> quantity, and its unit."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which devices of those that are heard, and what they measure."""

    device: str = field(default="", metadata={"title": "Device, as its topics name it (empty: each by its name)"})
    role: str = field(default="", metadata={"title": "What it measures: plug, solar, electricity ... (empty: by kind)"})

    def __post_init__(self) -> None:
        fail_with(role_problems(self.role))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where values are measured: the role of the device if it is configured, its name, and the place in it.

    Channels count from 0, and from the second on are in the roles.
    """

    configured: str
    name: str
    kind: str = ""
    channel: int = 0
    phase: str = ""

    def role(self, quantity: str) -> str:
        if self.kind == "room":
            return role_of(quantity, self.name, str(self.channel) if self.channel else "")
        part = f"channel{self.channel + 1}" if self.channel else ""
        return role_of(self.configured or self.kind, self.name, part, quantity, self.phase)

    def at(self, kind: str, channel: int = 0, phase: str = "") -> "_Place":
        return replace(self, kind=kind, channel=channel, phase=phase)


class Meter(MessageMeter):
    """Decodes what one device says, or all that are heard."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self._options = options

    def _said(self, message: Message, now_ms: int) -> Said | None:
        topic, payload = message.topic, message.payload
        if gen1 := _GEN1_TOPIC.fullmatch(topic):
            return self._of_device(gen1[1], lambda place: _gen1_topic(gen1, payload, place))
        if status := _GEN2_STATUS.fullmatch(topic):
            state = document(payload)
            at_ms = unix_ms(table(state, "aenergy").get("minute_ts")) if message.retained else None
            return self._of_device(status[1], lambda place: _components({status[2]: state}, place), at_ms)
        if topic.endswith("/events/rpc"):
            return self._notified(document(payload), topic.removesuffix("/events/rpc"))
        return self._answer(document(payload)) if topic.startswith(("/status", "/rpc/")) else None

    def _of_device(
        self, device: str, values: Callable[[_Place], Iterator[Value]], at_ms: int | None = None
    ) -> Said | None:
        """What a device says, if it is one of those wanted."""
        wanted = self._options.device
        if wanted and device != wanted:
            return None
        place = _Place(self._options.role, "" if wanted else name_of(device))
        return Said(device[:64], values(place), at_ms)

    def _notified(self, said: Mapping[str, object], prefix: str) -> Said | None:
        """What a device of a later generation says by itself."""
        if said.get("method") not in ("NotifyStatus", "NotifyFullStatus"):
            return None
        params = table(said, "params")
        return self._of_device(prefix, lambda place: _components(params, place), unix_ms(params.get("ts")))

    def _answer(self, said: Mapping[str, object]) -> Said:
        """The answer of a device over HTTP, which is the only one there."""
        place = _Place(self._options.role, "")
        if "sys" in said or any(_COMPONENT.fullmatch(name) for name in said):
            own = table(said, "sys")
            return Said(text(own, "mac")[:64], _components(said, place), unix_ms(own.get("unixtime")))
        return Said(text(said, "mac")[:64], _gen1_status(said, place), unix_ms(said.get("unixtime")))


def _value(role: str, said: object, unit: str, both_ways: bool = False) -> Value:
    if unit == "Wmin":
        return Value(role, said, "kWh", factor=_WATT_MINUTE)
    return Value(role, said, unit, both_ways)


def _there(
    said: Mapping[str, object], fields: Mapping[str, tuple[str, str]], place: _Place, both_ways: bool = True
) -> Iterator[Value]:
    """A value for each field that is there; what is null is of a clamp that is not."""
    for name, (quantity, unit) in fields.items():
        if isinstance(said.get(name), Number):
            yield _value(place.role(quantity), said[name], unit, both_ways and quantity == "power")


def _gen1_topic(match: re.Match[str], payload: str, place: _Place) -> Iterator[Value]:
    """The one value of a topic; nothing where it is a state."""
    device, part, digit, name = match.groups()
    channel = int(digit or 0)
    fields = _GEN1_FIELDS.get(part, _RELAY)
    if name not in fields:
        return
    if decimal(payload) is None:
        raise NotReadableError
    quantity, unit = fields[name]
    if part == "sensor":
        place = place.at("room", channel)
    elif part == "emeter" and device.startswith(_GEN1_3EM) and channel < len(_PHASES):
        place = place.at("electricity", 0, _PHASES[channel])
    else:
        place = place.at("plug", channel)
    yield _value(place.role(quantity), payload, unit, both_ways=part == "emeter" and quantity == "power")


def _gen1_status(said: Mapping[str, object], place: _Place) -> Iterator[Value]:
    """The meters of a device; three of them are the phases of a house, of which the whole is the sum."""
    emeters = _valid(said.get("emeters"))
    if len(emeters) == len(_PHASES):
        yield from _phases_summed(emeters, place)
    else:
        for channel, each in emeters.items():
            yield from _there(each, _EMETER, place.at("plug", channel))
    for channel, each in _valid(said.get("meters")).items():
        yield from _there(each, _METER, place.at("plug", channel), both_ways=False)


def _phases_summed(emeters: Mapping[int, Mapping[str, object]], place: _Place) -> Iterator[Value]:
    for phase, each in zip(_PHASES, emeters.values(), strict=True):
        yield from _there(each, _EMETER, place.at("electricity", 0, phase))
    for name in ("total", "total_returned", "power"):
        parts = [decimal(each.get(name)) for each in emeters.values()]
        there = [part for part in parts if part is not None]
        if len(there) == len(_PHASES):
            quantity, unit = _EMETER[name]
            yield _value(place.at("electricity").role(quantity), f"{sum(there):f}", unit, quantity == "power")


def _valid(meters: object) -> dict[int, Mapping[str, object]]:
    """Channel -> what its meter says, of those that say that it holds."""
    listed = meters if isinstance(meters, list) else []
    return {
        channel: each for channel, each in enumerate(listed) if isinstance(each, dict) and each.get("is_valid") is True
    }


def _components(said: Mapping[str, object], place: _Place) -> Iterator[Value]:
    """What the components of a device of a later generation say."""
    for name, state in said.items():
        match = _COMPONENT.fullmatch(name)
        read = _READ.get(match[1]) if match else None
        if match and read and isinstance(state, dict):
            yield from read(state, int(match[2]), place)


def _em(said: Mapping[str, object], channel: int, place: _Place) -> Iterator[Value]:
    """Three phases and all of them (`em`, `emdata`)."""
    yield from _there(said, _EM_TOTAL, place.at("electricity", channel))
    for letter, phase in zip("abc", _PHASES, strict=True):
        fields = {f"{letter}_{name}": described for name, described in _EM1.items()}
        yield from _there(said, fields, place.at("electricity", channel, phase))


def _em1(said: Mapping[str, object], channel: int, place: _Place) -> Iterator[Value]:
    """One clamp (`em1`, `em1data`)."""
    yield from _there(said, _EM1, place.at("plug", channel))


def _output(said: Mapping[str, object], channel: int, place: _Place) -> Iterator[Value]:
    """An output that measures (`switch`, `pm1`, `cover`, `light`)."""
    place = place.at("plug", channel)
    yield from _there(said, _OUTPUT, place, both_ways="ret_aenergy" in said)
    for name, quantity in (("aenergy", "energy"), ("ret_aenergy", "energy.export")):
        yield from _there(table(said, name), {"total": (quantity, "Wh")}, place)


def _room(said: Mapping[str, object], channel: int, place: _Place) -> Iterator[Value]:
    """A sensor wired to the device, or a device that is one (`temperature`, `humidity`)."""
    yield from _there(said, _ROOM, place.at("room", channel))


_READ: dict[str, Callable[[Mapping[str, object], int, _Place], Iterator[Value]]] = {
    "em": _em,
    "emdata": _em,
    "em1": _em1,
    "em1data": _em1,
    "switch": _output,
    "pm1": _output,
    "cover": _output,
    "light": _output,
    "temperature": _room,
    "humidity": _room,
}
"""Type of a component -> what reads it."""
