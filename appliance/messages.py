"""Messages as lines: what links bring that carry messages (MQTT, HTTP, GPIO, 1-wire) and no stream of a meter's own.

    {"topic": "tele/plug/SENSOR", "payload": "{\"ENERGY\":{\"Total\":1.23}}", "retain": 0}

One JSON object a line, as `mosquitto_sub -F %j` prints them, so that what a person records with it can be replayed. The
topic is what MQTT calls it: of HTTP the path, of GPIO the line, of 1-wire the sensor's number. `retain` marks what a
broker kept from earlier: nobody knows how old it is.
"""

import json
from dataclasses import dataclass

LINE_BYTES = 65_536
"""The longest line: no meter's message is as long, and a hostile one costs no more."""

DEPTH = 16
"""The deepest nesting of a message's own JSON."""


@dataclass(frozen=True, slots=True)
class Message:
    """What came under a topic. `retained`: the broker had it from earlier."""

    topic: str
    payload: str
    retained: bool = False


def to_line(topic: str, payload: bytes, *, retained: bool = False) -> bytes:
    """A message as a line. One that is no text, or longer than a line may be, becomes a line that no `Lines` takes."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return b'{"topic": "", "refused": "no text"}\n'
    line = json.dumps({"topic": topic, "payload": text, "retain": int(retained)}, ensure_ascii=False).encode() + b"\n"
    return line if len(line) <= LINE_BYTES else b'{"topic": "", "refused": "too long"}\n'


class Lines:
    """Takes a stream apart into messages, whatever it holds. `refused` counts the lines that are none."""

    def __init__(self) -> None:
        self.refused = 0
        self._rest = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes. Keeps at most LINE_BYTES."""
        messages = []
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._keep(piece)
            messages += self._ended()
        self._keep(rest)
        return messages

    def _keep(self, piece: bytes) -> None:
        self._too_long = self._too_long or len(self._rest) + len(piece) > LINE_BYTES
        if self._too_long:
            self._rest.clear()
        else:
            self._rest += piece

    def _ended(self) -> list[Message]:
        line, too_long = bytes(self._rest), self._too_long
        self._rest.clear()
        self._too_long = False
        if not too_long and not line.strip():
            return []  # looked at no further: a flood of empty lines costs little
        message = None if too_long else _message(line)
        self.refused += message is None
        return [message] if message else []


def _message(line: bytes) -> Message | None:
    said = parsed(line)
    if not isinstance(said, dict):
        return None
    topic, payload, retained = said.get("topic"), said.get("payload"), said.get("retain")
    if not isinstance(topic, str) or not isinstance(payload, str):
        return None
    return Message(topic, payload, retained in ("1", True))


def parsed(text: str | bytes) -> object:
    """JSON with its numbers as exact text (`Number`), or None where it is none, too deep, or holds a NaN."""
    try:
        said: object = json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return None if _deep(said, DEPTH) else said


class Number(str):
    """A number as it was written: no float on its way."""

    __slots__ = ()


def _refused(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _deep(said: object, left: int) -> bool:
    inside = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return not left or any(_deep(each, left - 1) for each in inside)
