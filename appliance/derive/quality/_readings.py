"""The lights of a series of readings."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
from sqlalchemy import Connection, select

from appliance.derive import rollups
from appliance.derive.quality._facts import LATE, VERY_LATE, Imports
from appliance.derive.quality._lights import Colour, Light, ago, between, counted, every_days, rhythm, said_day
from appliance.derive.rollups import QUARTER_MS, Quarters
from appliance.store import series as series_store
from appliance.store.models import Chunk
from appliance.store.records import local_day
from appliance.store.series import SeriesId

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
RECORDING = "replay"  # the link of a file that was recorded
LIVE_LATE_MS = HOUR_MS  # the spool is sealed every few minutes
CLOSE = Decimal("0.01")  # two meters of one supply never tell quite the same
SETTLED_QUARTERS = 96  # with fewer in common, nothing is compared


def lights(
    connection: Connection, series: SeriesId, rivals: Sequence[SeriesId], known: Imports, now: datetime, today: date
) -> list[Light]:
    """Present, complete, recent, valid, agreeing; `rivals` are the series of the same role from other sources."""
    extent = series_store.extent(connection, series)
    if extent is None:
        step = Light("present", Colour.RED, "There is no reading.", "Import a file of it, or connect its meter.")
        return [
            step,
            *(Light(each, Colour.GREY, "There is no reading.") for each in ("complete", "recent", "valid", "agreeing")),
        ]
    first_ms, last_ms, count = extent
    quarters = rollups.read(connection, series, first_ms // QUARTER_MS - 1, last_ms // QUARTER_MS + 1)
    return [
        Light("present", Colour.GREEN, _present(count, _day(first_ms))),
        _complete(series, quarters, last_ms - first_ms),
        _recent(connection, series, last_ms, known.days.get(series.source, ()), now, today),
        _valid(known.rejected.get(series.source, {})),
        _agreeing(connection, series, quarters, rivals),
    ]


def _present(count: int, since: date) -> str:
    return f"There {'is' if count == 1 else 'are'} {counted(count, 'reading', 'readings')} since {said_day(since)}."


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def _complete(series: SeriesId, quarters: Quarters, length_ms: int) -> Light:
    """Quarter-hours that have no reading, where readings come more often; else steps that are longer than usual."""
    name, numbers = "complete", quarters.quarters[quarters.cuts == 0] if len(quarters.cuts) else quarters.quarters
    steps = np.diff(numbers)
    if len(steps) < 2:
        return Light(name, Colour.GREY, _too_short(length_ms))
    usual = max(1, int(np.median(steps)))
    holes = np.flatnonzero(steps > 2 * usual)
    if not len(holes):
        return Light(name, Colour.GREEN, "No reading is missing in between.")
    longest = int(holes[np.argmax(steps[holes])])
    begin, end = (int(numbers[place]) * QUARTER_MS for place in (longest, longest + 1))
    lost, span = int(steps[holes].sum()) - len(holes) * usual, int(numbers[-1] - numbers[0])
    hours = max(1, round(lost / 4))
    when = f"on {said_day(_day(begin))}" if _day(begin) == _day(end) else between(_day(begin), _day(end))
    times = "once" if len(holes) == 1 else f"{len(holes):,} times"
    why = f"Readings are missing {times}, {hours:,} hour{'' if hours == 1 else 's'} together; the longest {when}."
    few = lost * 100 <= span
    step = (
        "The meter’s register counted on: totals are right, and no curve is known then."
        if series.kind == "register"
        else ""
    )
    return Light(
        name,
        Colour.AMBER if few else Colour.RED,
        why,
        f"Import a file of these days, where the supplier has one. {step}".strip(),
    )


def _too_short(length_ms: int) -> str:
    minutes = round(length_ms / MINUTE_MS)
    if not minutes or length_ms > DAY_MS:  # some of one moment, or two that are far apart
        return "There are too few readings to know how often they come."
    length = f"{minutes} minute{'' if minutes == 1 else 's'}" if length_ms < 2 * HOUR_MS else f"{minutes // 60} hours"
    return f"They cover {length}: too short a time to tell whether any is missing."


def _recent(
    connection: Connection, series: SeriesId, last_ms: int, imported: Sequence[int], now: datetime, today: date
) -> Light:
    name = "recent"
    newest = select(Chunk.import_id, Chunk.link).where(Chunk.series_id == series.id, series_store.stands())
    by = connection.execute(newest.order_by(Chunk.last_ms.desc()).limit(1)).one()
    if by.link == RECORDING:
        return Light(name, Colour.GREY, f"The last reading is of {said_day(_day(last_ms))}, from a recording.")
    if by.import_id is None:
        late_ms = int(now.timestamp() * 1000) - last_ms
        if late_ms <= max(LIVE_LATE_MS, 3000 * series.seconds):
            return Light(name, Colour.GREEN, "Its meter is heard.")
        hours = late_ms // HOUR_MS
        when = "within the last two hours" if hours < 2 else f"{hours} hours ago" if hours < 48 else ago(hours // 24)
        why = f"Its meter was last heard {when}."
        colour = Colour.AMBER if late_ms < DAY_MS else Colour.RED
        return Light(name, colour, why, "Look whether its cable is in place and the box’s collector runs.")
    age, usual = local_day(today) - local_day(_day(last_ms)), rhythm(imported)
    if usual is None:
        said = f"The last reading is of {said_day(_day(last_ms))}; it was imported too few times to know how often."
        return Light(name, Colour.GREY, said)
    why = f"The last reading is from {ago(age)}, usually a file comes {every_days(usual.usual)}."
    if age <= LATE * usual.usual + 1:
        return Light(name, Colour.GREEN, why)
    colour = Colour.AMBER if age <= VERY_LATE * usual.usual + 2 else Colour.RED
    return Light(name, colour, why, f"Fetch what is new from {series.source} and import it.")


def _valid(rejected: Mapping[int, int]) -> Light:
    if not rejected:
        return Light("valid", Colour.GREEN, "Every reading of its files was understood.")
    count, newest = sum(rejected.values()), max(rejected)
    why = f"{count:,} reading{'' if count == 1 else 's'} could not be understood."
    return Light("valid", Colour.RED, why, f"See in import {newest} why, and have them read again.", newest)


def _agreeing(connection: Connection, series: SeriesId, own: Quarters, rivals: Sequence[SeriesId]) -> Light:
    """A register's difference beside the sum of another source's, over the hours that both have."""
    compared = [
        (each, found)
        for each in rivals
        if each.unit == series.unit and (found := _compared(connection, series, own, each))
    ]
    if series.kind == "gauge" or not compared:
        return Light("agreeing", Colour.GREY, "No second source tells the same, so there is nothing to compare with.")
    rival, (mine, theirs, first, last) = max(compared, key=lambda each: abs(each[1][0] - each[1][1]))
    when = between(_day(first * QUARTER_MS), _day(last * QUARTER_MS))
    why = f"{when} this comes to {_plain(mine)} and {rival.source} to {_plain(theirs)} {series.unit}."
    if abs(mine - theirs) <= CLOSE * (abs(mine) + abs(theirs)) / 2:
        return Light("agreeing", Colour.GREEN, why[0].upper() + why[1:])
    step = "Ask the supplier which is right, or import what is missing from one of them."
    return Light("agreeing", Colour.RED, why[0].upper() + why[1:], step)


def _compared(
    connection: Connection, series: SeriesId, own: Quarters, rival: SeriesId
) -> tuple[Decimal, Decimal, int, int] | None:
    """What both come to, and the first and last quarter-hour that both have; None where that is too short."""
    if not len(own.quarters):
        return None
    other = rollups.read(connection, rival, int(own.quarters[0]), int(own.quarters[-1]) + 1)
    if not len(other.quarters):
        return None
    first = max(int(own.quarters[0]), int(other.quarters[0])) + 4  # the first reading of a register has no difference
    last = min(int(own.quarters[-1]), int(other.quarters[-1]))
    if last - first < SETTLED_QUARTERS:
        return None
    sums = (_between(own, series, first, last), _between(other, rival, first, last))
    return *sums, first, last


def _between(quarters: Quarters, series: SeriesId, first: int, last: int) -> Decimal:
    begin, end = np.searchsorted(quarters.quarters, [first, last])
    return Decimal(int(quarters.totals[begin:end].sum())).scaleb(series.exponent)


def _plain(value: Decimal) -> str:
    """With two decimals; a total is compared, not billed."""
    return f"{value:,.2f}"
