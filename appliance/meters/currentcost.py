r"""CurrentCost: the XML of the CC128 and EnviR displays (v0.09 on) and of the older Classic, on their serial cable.

Current Cost Ltd, "CC128 Display Unit XML output description v0.11" (18 February 2009), section 2; no line ends:

    <msg><src>CC128-v0.11</src>         (1) the display, and its version
    <dsb>00089</dsb>                    (2) days since birth
    <time>13:02:39</time>               (3) the display's own clock, which a person set
    <tmpr>18.7</tmpr>                   (4) at the display, in degrees Celsius; <tmprF> in Fahrenheit
    <sensor>1</sensor>                  (5) 0 is the whole house, 1 to 9 are appliances
    <id>01234</id><type>1</type>        (6) the transmitter's radio number; 1 for power, 2 for impulses
    <ch1><watts>00345</watts></ch1>     (7) up to three channels, one a phase
    <imp>0000000023</imp><ipu>1000</ipu></msg>   (8) an optical sensor: impulses so far, and impulses per kWh

Section 3, from one minute past every odd hour, in bursts of four items for each of the ten sensors:

    <msg><src>..</src><dsb>..</dsb><time>13:10:50</time><hist><dsw>00032</dsw><type>1</type><units>kwhr</units>
    <data><sensor>0</sensor><h024>001.1</h024><h022>000.9</h022> ..</data> .. </hist></msg>

`h024` is what was used "22 to 24 hrs ago" in blocks that begin at odd hours of the display's clock, `d055` the day
"55 days ago". No display sends h002. Read by the maker's words, hours are counted back from the odd hour that was last;
where that is wrong it is by one block. So these readings are estimated, and series of their own: blocks of two hours in
one, days in another. Months are passed over, since they say no month, as are readings from before the last change of
clocks: nobody knows whether the display was changed too.

The Classic has only the whole house, `<date><dsb>..</dsb><hr>..</hr><min>..</min><sec>..</sec></date>` for (2) and (3),
`<src><name>CC02</name><id>..</id><type>..</type><sver>1.06</sver></src>` for (1) and (6), and its history in every
message: that says nowhere at which hours its blocks begin, and is passed over.

A serial port for the CC128 and EnviR is set to 57600 8N1 (`/dev/ttyUSB0,57600`), for the Classic to 9600 8N1 (the
first of them 2400). There is no checksum: a message that does not have this form to the last digit is refused, and
readings have the time of their arrival. Half of one is no message; two halves of two that meet at the same digit are
one, and nothing can tell.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.meters import Counters
from appliance.obis import plausible
from appliance.records import Frame, MeterReading

TITLE = "CurrentCost (CC128, EnviR and Classic, on their USB cable)"
CALLED = "a CurrentCost display"
HEARD_AT = {"57600,8N1": 8, "9600,8N1": 8}
SILENT_S = 60.0  # a message every six seconds

BUFFER_BYTES = 8192
"""The longest message known, a burst of history, has about 3 kB."""

_BEGINNING, _END = b"<msg>", b"</msg>"

_TIME = r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])"
_CHANNELS = "".join(rf"(?:<ch{number}><watts>([0-9]{{5}})</watts></ch{number}>)?" for number in (1, 2, 3))
_TEMPERATURE = (
    r"<tmpr(?P<fahrenheit>F?)>(?P<degrees> ?-?(?:1(?=[0-9]{2}\.[0-9]</tmprF))?[0-9]{1,2}\.[0-9])</tmpr(?P=fahrenheit)>"
)
_DISPLAY = rf"<src>(CC[0-9]{{3}}-v[0-9.]{{3,8}})</src><dsb>[0-9]{{5}}</dsb><time>{_TIME}</time>"

_LIVE = re.compile(
    rf"{_DISPLAY}{_TEMPERATURE}<sensor>(?P<sensor>[0-9])</sensor><id>(?P<id>[0-9]{{5}})</id><type>[12]</type>"
    rf"(?P<channels>{_CHANNELS})(?:<type>2</type>)?"
    r"(?:<imp>(?P<impulses>[0-9]{10})</imp><ipu>(?P<per_kwh>[0-9]{1,6})</ipu>)?"
)
_UNITS = r"<type>1</type><units>kwhr</units>"
_ITEM = r"<([hdm])([0-9]{3})>([0-9]{3}\.[0-9]|[0-9]{1,4}\.[0-9]{3})</\1\2>"
_ANY_ITEM = r"<[hdm][0-9]{3}>[0-9.]+</[hdm][0-9]{3}>"
_DATA = rf"<data><sensor>([0-9])</sensor>(?:{_UNITS}|<units>kwhr</units>)?((?:{_ANY_ITEM})*)</data>"
_HISTORY = re.compile(rf"{_DISPLAY}<hist>(?:<dsw>[0-9]{{5}}</dsw>)?(?:{_UNITS})?(?P<data>(?:{_DATA})+)</hist>")
_PAST = r"<[hdmy][0-9]{1,2}>[0-9.]{1,8}</[hdmy][0-9]{1,2}>|</?(?:hrs|days|mths|yrs)>"
_CLASSIC = re.compile(
    r"<date><dsb>[0-9]{5}</dsb><hr>[0-9]{2}</hr><min>[0-9]{2}</min><sec>[0-9]{2}</sec></date>"
    r"<src><name>CC[0-9]{2}</name><id>(?P<id>[0-9]{5})</id><type>1</type><sver>[0-9.]{4}</sver></src>"
    rf"(?P<channels>{_CHANNELS}){_TEMPERATURE}(?:<hist>(?:{_PAST})*</hist>)?"
)
_CHANNEL = re.compile(r"<ch([1-3])><watts>([0-9]{5})")
_ITEMS = re.compile(_ITEM)
_DATAS = re.compile(_DATA)

_BLOCK_S, _DAY_S, _HOUR_S = 7200, 86_400, 3600
_FINEST = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Options:
    """Nothing to choose: the display says what it is."""


class Meter:
    """Decodes one stream of a display's messages."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self._zone = zone
        self._buffer = bytearray()
        self._overflowed = False

    def poll(self, now_ms: int) -> bytes:
        """Nothing: a display speaks by itself."""
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes, of the time `now_ms`. Keeps at most BUFFER_BYTES."""
        frames: list[Frame] = []
        taken = 0
        while taken < len(data):
            room = BUFFER_BYTES - len(self._buffer)
            self._buffer += data[taken : taken + room]
            taken += room
            frames += self._completed(now_ms)
            if len(self._buffer) == BUFFER_BYTES:
                self._overflow()
        return frames

    def _completed(self, now_ms: int) -> Iterator[Frame]:
        """Takes every ended message out of the buffer."""
        while (end := self._buffer.find(_END)) >= 0:
            piece = bytes(self._buffer[:end])
            del self._buffer[: end + len(_END)]
            if frame := self._piece(piece, now_ms):
                yield frame

    def _overflow(self) -> None:
        """No message is as long as the buffer: goes on from the last beginning in it, if that is not its first byte."""
        self.counters.partial += not self._overflowed
        self._overflowed = True
        start = self._buffer.rfind(_BEGINNING, 1)
        del self._buffer[: start if start > 0 else BUFFER_BYTES - len(_END) + 1]

    def _piece(self, piece: bytes, now_ms: int) -> Frame | None:
        """The frame in what precedes an end; counts what becomes of it. Only the last beginning can be its own."""
        before, beginning, body = piece.rpartition(_BEGINNING)
        overflowed, self._overflowed = self._overflowed, False
        self.counters.partial += bool(before.strip() or not beginning) and not overflowed
        if not beginning:
            return None
        said = self._said(_without_spaces(body.decode("latin-1")), now_ms)
        sound = said is not None and all(plausible(reading.value, reading.unit) for reading in said.readings)
        self.counters.refused += not sound
        if said is None or not sound or not said.readings:
            return None
        self.counters.telegrams += 1
        return said

    def _said(self, text: str, now_ms: int) -> Frame | None:
        """What a message says, which may be nothing of use; None where it is none."""
        if match := _LIVE.fullmatch(text):
            return Frame(match["id"], tuple(_live(match, now_ms)))
        if match := _CLASSIC.fullmatch(text):
            return Frame(match["id"], (*_powers("electricity", match, now_ms), *_temperature(match, now_ms)))
        match = _HISTORY.fullmatch(text)
        if match is None or any(_ITEMS.sub("", data[2]) for data in _DATAS.finditer(match["data"])):
            return None
        return Frame(match[1], tuple(_history(match, _Display(match, self._zone, now_ms))))


def _without_spaces(text: str) -> str:
    """The message without what may stand between its elements."""
    text = "<".join(each.rstrip() for each in text.split("<"))
    return ">".join(each.lstrip() if each.lstrip()[:1] in ("<", "") else each for each in text.split(">"))


def _place(sensor: str) -> str:
    """What a sensor's roles begin with: the whole house, or an appliance's plug."""
    return "electricity" if sensor == "0" else f"plug.{sensor}"


def _live(match: re.Match[str], now_ms: int) -> list[MeterReading]:
    """Power of the sensor, or its impulses; the display's temperature comes with that of the whole house."""
    sensor = match["sensor"]
    readings = _powers(_place(sensor), match, now_ms)
    if match["impulses"] and int(match["per_kwh"]):
        role = "electricity.import" if sensor == "0" else f"plug.{sensor}.energy"
        energy_kwh = (Decimal(match["impulses"]) / int(match["per_kwh"])).quantize(_FINEST)
        readings.append(MeterReading(role, now_ms, energy_kwh, "kWh"))
    return [*readings, *_temperature(match, now_ms)] if sensor == "0" else readings


def _powers(place: str, match: re.Match[str], now_ms: int) -> list[MeterReading]:
    """The sum of a transmitter's channels, and each where it has several."""
    watts = {number: int(value) for number, value in _CHANNEL.findall(match["channels"])}
    roles = [(f"{place}.power", sum(watts.values()))] if watts else []
    roles += [(f"{place}.power.l{number}", value) for number, value in watts.items()] if len(watts) > 1 else []
    return [MeterReading(role, now_ms, Decimal(value).scaleb(-3), "kW") for role, value in roles]


def _temperature(match: re.Match[str], now_ms: int) -> list[MeterReading]:
    """None of under four characters: displays fill up with a space, so a digit is missing."""
    if len(match["degrees"]) < len("18.7"):
        return []
    value = Decimal(match["degrees"].strip())
    celsius = ((value - 32) * 5 / 9).quantize(Decimal("0.01")) if match["fahrenheit"] else value
    return [MeterReading("temperature", now_ms, celsius, "°C")]


class _Display:
    """When the display's blocks and days began, found from how far its clock is into them."""

    def __init__(self, match: re.Match[str], zone: ZoneInfo, now_ms: int) -> None:
        hour, minute, second = int(match[2]), int(match[3]), int(match[4])
        into_day_s = hour * _HOUR_S + minute * 60 + second
        self._zone = zone
        self._now = datetime.fromtimestamp(now_ms // 1000, UTC)
        self._last_odd_hour = self._hour(self._now, (into_day_s - _HOUR_S) % _BLOCK_S)
        self._midnight = self._hour(self._now, into_day_s)

    def began_ms(self, kind: str, ago: int) -> int | None:
        """When a block that is `ago` hours old, or a day, began; None before the last change of clocks."""
        hours = kind == "h"
        began = self._last_odd_hour - timedelta(hours=ago) if hours else self._midnight - timedelta(days=ago)
        same = began.astimezone(self._zone).utcoffset() == self._now.astimezone(self._zone).utcoffset()
        return int(began.timestamp()) * 1000 if same else None

    def _hour(self, now: datetime, ago_s: int) -> datetime:
        """The full local hour nearest to an instant, since the display's clock is a little wrong."""
        offset_s = int((now.astimezone(self._zone).utcoffset() or timedelta(0)).total_seconds())
        local_s = int(now.timestamp()) - ago_s + offset_s
        return datetime.fromtimestamp((local_s + _HOUR_S // 2) // _HOUR_S * _HOUR_S - offset_s, UTC)


def _history(match: re.Match[str], display: _Display) -> Iterator[MeterReading]:
    """What was used in past blocks and days. An appliance's sensor that was never there has zeros alone."""
    for data in _DATAS.finditer(match["data"]):
        sensor, items = data[1], _ITEMS.findall(data[2])
        if sensor != "0" and not any(Decimal(value) for _, _, value in items):
            continue
        role = "electricity.import.history" if sensor == "0" else f"plug.{sensor}.energy.history"
        for kind, ago, value in items:
            at_ms = display.began_ms(kind, int(ago)) if kind in "hd" else None
            if at_ms is not None:
                name, seconds = (role, _BLOCK_S) if kind == "h" else (f"{role}.days", _DAY_S)
                yield MeterReading(name, at_ms, Decimal(value), "kWh", seconds=seconds, quality="estimated")
