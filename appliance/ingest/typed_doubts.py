"""Why a typed reading hardly can be right: it is less than the register showed before, more than it showed later, or
farther from what was typed than a household uses in that time.

It may be right all the same: a disc that solar power turned back, a meter that nobody said was exchanged. So it is
asked back, and not refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

from sqlalchemy import Connection, select

from appliance import obis
from appliance.ingest import meter_facts, meter_places
from appliance.ingest.meter_places import TypedReading
from appliance.store import neighbours, timeline
from appliance.store.models import RegisterStep
from appliance.store.query import Query
from appliance.store.records import Stored, at_text
from appliance.store.series import SeriesId

COMPARED = 500  # of the newest readings, and events, that people typed
FOUND_BY_RULES = ("swap", "reset", "rollover")
_HOUR_MS = 3_600_000

Span = tuple[int, int]  # milliseconds since 1970 UTC


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a register showed, in the unit of its series, to the last digit that was said, which is worth `step`.

    Of a day, it was some time from `first_ms` to `last_ms`. `by` says who read it and when.
    """

    first_ms: int
    last_ms: int
    value: Decimal
    step: Decimal
    by: str = ""
    is_typed: bool = True


def doubt(connection: Connection, said: TypedReading, parts: Sequence[SeriesId], zone: tzinfo | None) -> str:
    """What speaks against a typed reading of the register that `parts` make up, "" for nothing, and what to do."""
    shown = _shown(said.at, said.unit, said.fields, parts, zone)
    if shown is None:
        return ""
    typed = list(_nearest(shown, list(_typed(connection, said, parts, zone))))
    heard = _nearest(shown, list(_heard(connection, shown, parts)))
    broken = list(_broken(connection, said, parts, zone))
    unit = parts[0].unit if parts else meter_places.unit_of(said.unit)
    shows_another = any(_is_another(connection, each, parts) for each in typed)
    for other in typed if shows_another else (*typed, *heard):
        earlier, later = (other, shown) if other.last_ms <= shown.first_ms else (shown, other)
        is_broken = any(first < later.last_ms and last > earlier.first_ms for first, last in broken)
        if not is_broken and (problem := _problem(earlier, later, other, unit)):
            return f"{said.fields['register']} {said.unit}".strip() + problem
    return ""


def _problem(earlier: _Shown, later: _Shown, other: _Shown, unit: str) -> str:
    """What is odd between two readings of a register, of which `other` is the one that is known."""
    used, known = later.value - earlier.value, f"the {_words(other.value, unit)} that {other.by}"
    if -used > max(earlier.step, later.step):
        than = "less" if other is earlier else "more"
        return (
            f" is {than} than {known}, and a meter counts up: look once more. Where it was exchanged, began anew or "
            "passed its last digit, tell of that first, as a meter event; where the other one is wrong, correct that"
        )
    if other.is_typed and used > _most_used(unit, later.last_ms - earlier.first_ms):
        return (
            f" is {_words(used, unit)} away from {known}, which is more than a household uses in that time: look "
            "whether the point stands where the meter has it"
        )
    return ""


def _most_used(unit: str, ms: int) -> Decimal:
    """More than a household uses: all that its connection gives for an hour, and a tenth of that from then on."""
    an_hour = obis.MOST_AN_HOUR.get(unit, Decimal(10**8))
    return an_hour + an_hour / 10 * ms / _HOUR_MS


def _is_another(connection: Connection, typed: _Shown, parts: Sequence[SeriesId]) -> bool:
    """Whether a meter is read that shows another number than what the box reads: a clamp's own count, a plug's."""
    return any(
        abs(typed.value - each.value) > _most_used(parts[0].unit, abs(typed.last_ms - each.first_ms))
        for each in _heard(connection, typed, parts)
    )


def _nearest(shown: _Shown, others: Sequence[_Shown]) -> Iterator[_Shown]:
    """The last before, and the first after."""
    before = [each for each in others if each.last_ms <= shown.first_ms]
    after = [each for each in others if each.first_ms >= shown.last_ms and each not in before]
    if before:
        yield max(before, key=lambda each: (each.last_ms, each.value))
    if after:
        yield min(after, key=lambda each: (each.first_ms, each.value))


def _shown(
    at: str, unit: str, fields: Mapping[str, str], parts: Sequence[SeriesId], zone: tzinfo | None, by: str = ""
) -> _Shown | None:
    """What was typed; None where it says no time, or another unit than its series has by now."""
    own, value = meter_places.unit_of(unit), Decimal(fields["register"])
    counted_in = parts[0].unit if parts else own
    step = Decimal(1).scaleb(int(value.as_tuple().exponent))
    found, of_step = (meter_places.in_unit(each, own or counted_in, counted_in) for each in (value, step))
    if not at or found is None or of_step is None:
        return None
    return _Shown(*meter_places.span_ms(at, zone), found, of_step, by)


def _typed(
    connection: Connection, said: TypedReading, parts: Sequence[SeriesId], zone: tzinfo | None
) -> Iterator[_Shown]:
    """What people read on this register otherwise."""
    every = meter_places.countable(connection) if parts else []
    for record in timeline.page(connection, Query(kind=meter_facts.READING), COMPARED).records:
        if record.id != said.fact and _is_of_the_same(record, said, parts, every):
            by = f"you read on {record.at[:10]} (record {record.id})"
            if found := _shown(record.at, record.unit, record.fields, parts, zone, by):
                yield found


def _is_of_the_same(record: Stored, said: TypedReading, parts: Sequence[SeriesId], every: Sequence[SeriesId]) -> bool:
    if parts:
        return meter_places.placed(record.fields, every)[0] == parts
    of = {(each.get("source", ""), meter_places.wanted_role(each)) for each in (record.fields, said.fields)}
    units = {meter_places.unit_of(each) for each in (record.unit, said.unit)}
    return len(of) == len(units) == 1 and of != {("", "")}


def _heard(connection: Connection, shown: _Shown, parts: Sequence[SeriesId]) -> Iterator[_Shown]:
    """What the register said itself last before, and first after; nothing of a meter that has none."""
    if not parts or any(each.kind != "register" for each in parts):
        return
    before = [neighbours.newest_before(connection, each, shown.first_ms, 1) for each in parts]
    after = [neighbours.oldest_from(connection, each, shown.last_ms + 1, 1) for each in parts]
    for found in (before, after):
        if all(len(each) for each in found):
            at_ms = [int(each.at_ms[0]) for each in found]
            pairs = zip(found, parts, strict=True)
            value = sum((Decimal(int(each.values[0])).scaleb(part.exponent) for each, part in pairs), Decimal(0))
            by = f"the box read itself on {at_text(min(at_ms) * 1000)[:10]}"
            yield _Shown(min(at_ms), max(at_ms), value, Decimal(0), by, is_typed=False)


def _broken(
    connection: Connection, said: TypedReading, parts: Sequence[SeriesId], zone: tzinfo | None
) -> Iterator[Span]:
    """When something happened after which the register went on elsewhere: as people say, and as rules found."""
    for record in timeline.page(connection, Query(kind=meter_facts.EVENT), COMPARED).records:
        if record.at and record.fields.get("event") in meter_facts.BROKEN and _is_at(record.fields, said, parts):
            first_ms, last_ms = meter_places.span_ms(record.at, zone)
            yield first_ms, max(last_ms, first_ms + 1)
    steps = RegisterStep.series_id.in_([each.id for each in parts]) & RegisterStep.what.in_(FOUND_BY_RULES)
    for at_ms in connection.execute(select(RegisterStep.at_ms).where(steps)).scalars():
        yield at_ms, at_ms + 1


def _is_at(event: Mapping[str, str], said: TypedReading, parts: Sequence[SeriesId]) -> bool:
    """Whether a meter event is of this register; without a series, whether both say the same of where it is."""
    if parts:
        return any(meter_facts.holds_for(event, each) for each in parts)
    return any(event.get(name) and event[name] == said.fields.get(name) for name in ("supply", "source", "role"))


def _words(value: Decimal, unit: str) -> str:
    """As in 4371.4 kWh."""
    text = f"{value:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}".rstrip()
