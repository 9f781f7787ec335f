"""A reading that a person typed, looked at before it is kept: most that are wrong are a slip of the finger or the eye.

What cannot be (of tomorrow, in a unit that is not the meter's, with more digits than a meter has) is refused. What
hardly can be (see `typed_doubts`) is asked back.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

from sqlalchemy import Connection

from appliance import obis
from appliance.ingest import meter_places, typed_doubts
from appliance.ingest.meter_places import TypedReading, in_unit
from appliance.kinds import DoubtError, FieldsError, Kind
from appliance.store.series import SeriesId

EARLIEST_DAY = timezone(timedelta(hours=14))
"""Where on earth it is the latest: a day that has not begun there has begun nowhere."""

CLOCKS_APART = timedelta(minutes=5)
_TO_THE_MINUTE = "%Y-%m-%d %H:%M"
MOST_SHOWN, MOST_DECIMALS = Decimal(10**8), 6


def check(
    connection: Connection, kind: Kind, said: TypedReading, zone: tzinfo | None = None, *, sure: bool = False
) -> None:
    """FieldsError with all that cannot be; DoubtError of what hardly can, unless the person is `sure`.

    `zone` is that of a day that is said; without one, the household's.
    """
    zone = zone or meter_places.household_zone(connection)
    parts, _ = meter_places.placed(said.fields, meter_places.countable(connection))
    wrong = {"at": _not_yet(said.at, zone), "unit": _strange_unit(said, parts), "register": _no_register(said, parts)}
    if any(wrong.values()):
        wrong = {name: problem for name, problem in wrong.items() if problem}
        raise FieldsError(wrong, kind.told(wrong))
    if not sure and (doubt := typed_doubts.doubt(connection, said, parts, zone)):
        asked = {"register": doubt}
        raise DoubtError(asked, kind.told(asked))


def _not_yet(at: str, zone: tzinfo | None) -> str:
    now = datetime.now(UTC)
    if "T" in at:
        then = datetime.fromisoformat(at)
        is_to_come, said = then > now + CLOCKS_APART, f"{then.astimezone(zone or UTC):{_TO_THE_MINUTE}}"
    else:
        today = now.astimezone(zone or EARLIEST_DAY).date()
        is_to_come, said = bool(at) and date.fromisoformat(at) > today, at
    if not is_to_come:
        return ""
    here = f"{now.astimezone(zone or UTC):{_TO_THE_MINUTE}}"
    return f"{said} is still to come: by this box’s clock it is {here}; write when you read it"


def _strange_unit(said: TypedReading, parts: Sequence[SeriesId]) -> str:
    unit, counted_in = meter_places.unit_of(said.unit), _counted_in(said.fields, parts)
    if not unit or not counted_in or any(in_unit(Decimal(1), unit, each) is not None for each in counted_in):
        return ""
    what = meter_places.register_of(parts) if parts else meter_places.wanted_role(said.fields)
    return f"{what} is not counted in {said.unit}; write {' or '.join(counted_in)}, as it stands on the meter"


def _no_register(said: TypedReading, parts: Sequence[SeriesId]) -> str:
    value = Decimal(said.fields["register"])
    if value < 0:
        return f"{value} is below zero, which no meter shows; write what stands there"
    if -int(value.as_tuple().exponent) > MOST_DECIMALS:
        return f"{value} has more decimals than a meter shows; write the digits that stand there"
    unit = meter_places.unit_of(said.unit)
    for counted_in in _counted_in(said.fields, parts) or (unit,):
        usual = in_unit(value, unit or counted_in, counted_in)
        most = obis.most(counted_in) if counted_in else MOST_SHOWN
        if (value if usual is None else usual) > most:
            return f"{value} has more digits than a meter shows; write the point where the meter has it"
    return ""


def _counted_in(fields: Mapping[str, str], parts: Sequence[SeriesId]) -> tuple[str, ...]:
    """The units that the register may have, nothing where they are not known."""
    if parts:
        return (parts[0].unit,)
    return meter_places.COUNTED_IN.get(meter_places.wanted_role(fields).partition(".")[0], ())
