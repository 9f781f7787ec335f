"""What a Green Button file's interval blocks are: which source, which role, which unit. Links first, order second."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from appliance.importers.green_button import units
from appliance.importers.green_button.survey import BlockKey, Resource, Survey
from appliance.records import Source

_INTERVALS = {300: "5-minute", 900: "quarter-hourly", 1800: "half-hourly", 3600: "hourly"}
_DAY = 86_400
_BILLING_DAYS = 20  # an interval this long is a bill's, whose length varies from month to month
_POWERS = range(-12, 13)


class Stated(Protocol):
    """What a person stated about the file."""

    @property
    def unit(self) -> str: ...

    @property
    def quantity(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Series:
    """How to read the values of some blocks: `value * factor * 10**exponent` is in `unit`.

    `problem` says why they cannot be read, or "". `seconds` is the interval where a reading states none, or -1.
    `register` marks values that a meter's register had at the interval's end; `instant`, values of a moment.
    """

    source: Source
    role: str = ""
    unit: str = ""
    factor: int = 1
    exponent: int = 0
    seconds: int = -1
    register: bool = False
    instant: bool = False
    quality: str = ""
    problem: str = ""


@dataclass
class Directory:
    """The series of a surveyed file, by block key."""

    survey: Survey
    stated: Stated
    _series: dict[BlockKey, Series] = field(default_factory=dict)
    _alike: dict[Series, Series] = field(default_factory=dict)
    _named: dict[tuple[str, str], tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = self.survey.found
        self._types = {type_.self_link: type_ for type_ in found["ReadingType"] if type_.self_link}
        self._type_tails = _unique_tails(found["ReadingType"])
        self._meters = _children_of(found["MeterReading"], "IntervalBlock")
        self._points = _children_of(found["UsagePoint"], "MeterReading")

    def series(self, key: BlockKey) -> Series:
        if key not in self._series:
            series = self._resolve(key)
            self._series[key] = self._alike.setdefault(series, series)  # blocks of equal series go together
        return self._series[key]

    def _resolve(self, key: BlockKey) -> Series:
        meter = self._meter(key)
        point = self._point(meter)
        type_ = self._type(meter)
        values = type_.values if type_ else {}
        seconds = _seconds(values.get("intervalLength", "")) or _seconds(self.survey.seconds.get(key, ""))
        try:
            kind = point.values.get("kind", "") if point else ""
            role, unit = units.measured(values, kind, self.stated.unit, self.stated.quantity)
            power = _power(values.get("powerOfTenMultiplier", "")) + unit.exponent
        except units.UnclearError as problem:
            return Series(self._source(point, meter, values, seconds), problem=str(problem))
        accumulation = values.get("accumulationBehaviour", "")
        return Series(
            source=self._source(point, meter, values, seconds, role, unit.kept),
            role=role,
            unit=unit.kept,
            factor=unit.factor * 10 ** max(power, 0),
            exponent=min(power, 0),
            seconds=seconds or -1,
            register=accumulation in units.ACCUMULATED and unit.kept not in ("kW", "V", "A"),
            instant=accumulation == units.INSTANTANEOUS,
            quality=quality(values.get("defaultQuality", "")),
        )

    # ---- links, else order ----

    def _meter(self, key: BlockKey) -> Resource | None:
        up, preceding = key
        all_ = self.survey.found["MeterReading"]
        return self._meters.get(up) or (all_[preceding] if preceding >= 0 else _only(all_))

    def _point(self, meter: Resource | None) -> Resource | None:
        all_ = self.survey.found["UsagePoint"]
        if meter is None:
            return _only(all_)
        return self._points.get(meter.up) or _before(all_, meter.ordinal) or _only(all_)

    def _type(self, meter: Resource | None) -> Resource | None:
        all_ = self.survey.found["ReadingType"]
        if meter is None:
            return _only(all_)
        for link in meter.related:
            if type_ := self._types.get(link) or self._type_tails.get(_tail(link)):
                return type_
        if any("/ReadingType/" in f"/{link}" for link in meter.related):
            return None  # it names a type that the file lacks: another one would be a guess
        return self._type_beside(meter)

    def _type_beside(self, meter: Resource) -> Resource | None:
        """The ReadingType after a MeterReading and before the next, or the other way round if the file begins so."""
        types, meters = self.survey.found["ReadingType"], self.survey.found["MeterReading"]
        if types and types[0].ordinal < meters[0].ordinal:
            return _before(types, meter.ordinal)
        after = next((type_ for type_ in types if type_.ordinal > meter.ordinal), None)
        following = next((other for other in meters if other.ordinal > meter.ordinal), None)
        if after and not (following and following.ordinal < after.ordinal):
            return after
        return _only(types)

    # ---- sources ----

    def _source(
        self,
        point: Resource | None,
        meter: Resource | None,
        values: dict[str, str],
        seconds: int,
        role: str = "",
        unit: str = "",
    ) -> Source:
        """A name that is the same in every file of the same meter, and never one name for two ways to count the same.

        The usage point's link, then how long the intervals are, and what else sets them apart. Where a second
        MeterReading would still have the same name though its ReadingType says something else, its own id is added.
        """
        of = point or meter
        name = (of.self_link or of.uuid if of else "") or "green-button"
        title = (of.title if of else "") or self.survey.title or "Green Button"
        suffix = " ".join(filter(None, (_interval(seconds), *_sorts(values, role, unit))))
        what = tuple(sorted(values.items()))
        if self._named.setdefault((f"{name} {suffix}", role), what) != what and meter is not None:
            suffix = f"{suffix} {_tail(meter.self_link or meter.uuid)}"
        return Source(f"{name} {suffix}".strip(), f"{title} {suffix}".strip())


def quality(code: str) -> str:
    """The standard's words for a QualityOfReading, or what the file says where the standard has none."""
    return units.QUALITIES.get(code, code)


def _sorts(values: dict[str, str], role: str, unit: str) -> Iterator[str]:
    """What sets a series apart from the usual one of its role and interval."""
    if role == "gas" and unit != "m3":
        yield unit
    yield units.EXTREMES.get(values.get("dataQualifier", ""), "")
    if values.get("accumulationBehaviour", "") in units.ACCUMULATED:
        yield "register"


def _interval(seconds: int) -> str:
    if not seconds:
        return ""
    days = round(seconds / _DAY)
    if days >= _BILLING_DAYS:
        return "billing"
    if abs(seconds - _DAY) <= 3600:  # the days on which clocks change
        return "daily"
    return "weekly" if days == 7 else _INTERVALS.get(seconds, f"{seconds}-second")


def _seconds(text: str) -> int:
    """A positive whole number of seconds, or 0 where there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _power(text: str) -> int:
    """powerOfTenMultiplier, 0 where it is not stated."""
    digits = text.removeprefix("-").removeprefix("+")
    if not text:
        return 0
    if not (digits.isascii() and digits.isdigit() and len(digits) < 4 and int(text) in _POWERS):
        raise units.UnclearError(
            f"its power of ten is {text[:20]!r}, so its values cannot be known; ask who made the file"
        )
    return int(text)


def _tail(link: str) -> str:
    """The last two parts of a link: what stays the same when a file moves to another host."""
    return "/".join(link.split("/")[-2:])


def _unique_tails(resources: list[Resource]) -> dict[str, Resource]:
    tails: dict[str, Resource | None] = {}
    for resource in resources:
        tail = _tail(resource.self_link)
        tails[tail] = None if tail in tails else resource
    return {tail: resource for tail, resource in tails.items() if tail and resource}


def _children_of(resources: list[Resource], child: str) -> dict[str, Resource]:
    """The `up` link that a child has -> its parent: among what the parent calls related, else below its own link."""
    named = {link: resource for resource in resources for link in resource.related if link.endswith(f"/{child}")}
    below = {f"{resource.self_link}/{child}": resource for resource in resources if resource.self_link}
    return below | named


def _before(resources: list[Resource], ordinal: int) -> Resource | None:
    index = bisect_right(resources, ordinal, key=lambda resource: resource.ordinal)
    return resources[index - 1] if index else None


def _only(resources: list[Resource]) -> Resource | None:
    return resources[0] if len(resources) == 1 else None
