"""`inglenook readings` and `series`: numbers over time."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import click

from appliance import energy, thinning
from appliance.cli.context import Context, Number, common, instant_ms, instant_text, print_csv
from appliance.derive import steps
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.series import SeriesId

ESTIMATED = "estimated"  # a share of what a register counted over a longer time
THINNED = {"source": "Source", "role": "Role", "months": "After months", "step": "One in each"}
SERIES = {"source": "Source", "role": "Role", "unit": "Unit", "first": "First day", "last": "Last", "count": "Count"}
COLUMNS = {"at": "At", "seconds": "Seconds", "value": "Value", "unit": "", "quality": "Quality", "source": "Source"}


@click.command("readings")
@click.argument("role", metavar="ROLE|SOURCE/ROLE")
@click.option("--from", "first", default="", metavar="T", help="From this time or day on.")
@click.option("--to", "last", default="", metavar="T", help="Up to this time, or to the end of this day.")
@click.option("--every", "step", type=click.Choice(steps.NAMES), default="raw", show_default=True)
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@common
def readings_command(context: Context, role: str, first: str, last: str, step: str, zone: str, as_csv: bool) -> None:
    """Readings of a role such as electricity.import, raw or by local steps."""
    in_zone = context.zone(zone) if (step != "raw" or zone) else context.zone("UTC")
    source, _, role = role.rpartition("/")
    from_ms = instant_ms(first, in_zone, "--from") if first else None
    to_ms = instant_ms(last, in_zone, "--to", end=True) if last else None
    with context.open_store(measured=True) as store:
        parts = energy.resolved(store, source, role)
        rows = (
            _raw(store, parts, from_ms, to_ms)
            if step == "raw"
            else _stepped(store, parts, from_ms, to_ms, in_zone, step)
        )
        if as_csv:
            print_csv(rows, COLUMNS)
        else:
            context.show(rows, COLUMNS)


def _raw(store: Store, parts: list[SeriesId], from_ms: int | None, to_ms: int | None) -> Iterator[dict[str, Any]]:
    if len(parts) == 1:
        with store.read() as connection:
            columns, qualities = series_store.read_with_quality(connection, parts[0], from_ms, to_ms)
        exponent = parts[0].exponent
    else:
        columns, exponent = energy.raw(store, parts, from_ms, to_ms)
        qualities = [""] * len(columns)
    rows = zip(columns.at_ms.tolist(), columns.seconds.tolist(), columns.values.tolist(), qualities, strict=True)
    for at_ms, seconds, value, quality in rows:
        yield _row(parts, at_ms, seconds, energy.decimal(value, exponent), quality)


def _stepped(
    store: Store, parts: list[SeriesId], from_ms: int | None, to_ms: int | None, zone: ZoneInfo, step: str
) -> Iterator[dict[str, Any]]:
    begin, end = _ends(store, parts)
    values = energy.stepped(
        store, parts, begin if from_ms is None else from_ms, end if to_ms is None else to_ms, zone, step
    )
    starts, totals = values.starts_s.tolist(), values.totals.tolist()
    for number, (start, total) in enumerate(zip(starts, totals, strict=True)):
        value = energy.decimal(total, values.exponent)
        if values.is_gauge:
            value = energy.decimal(_mean(total, int(values.counts[number])), values.exponent)
        quality = ESTIMATED if len(values.estimated) and values.estimated[number] else ""
        yield _row(parts, start * 1000, _length_s(start, values.step_s, zone), value, quality)


def _mean(total: int, count: int) -> int:
    """Rounded half up, in integers: a float would lose digits."""
    return (2 * total + count) // (2 * count)


def _length_s(start_s: int, step_s: int, zone: ZoneInfo) -> int:
    """The step's own length: a local day may have 23 or 25 hours."""
    step = next(name for name, seconds in steps.SECONDS.items() if seconds == step_s)
    begin, end = steps.boundaries(start_s, start_s + 1, step, zone)[:2].tolist()
    return int(end - begin)


def _ends(store: Store, parts: list[SeriesId]) -> tuple[int, int]:
    with store.read() as connection:
        ends = [found for part in parts if (found := series_store.extent(connection, part))]
    now_ms = int(time.time() * 1000)
    return min((each[0] for each in ends), default=now_ms), max((each[1] for each in ends), default=now_ms) + 1


def _row(parts: list[SeriesId], at_ms: int, seconds: int, value: Any, quality: str) -> dict[str, Any]:
    return {
        "at": instant_text(at_ms),
        "seconds": seconds,
        "value": format(value, "f"),
        "unit": parts[0].unit,
        "quality": quality,
        "source": parts[0].source,
    }


@click.group("series", invoke_without_command=True)
@common
def series_command(context: Context) -> None:
    """Every series: a source and a role, with its span."""
    with context.open_store(measured=True) as store:
        rows: list[dict[str, Any]] = [
            {
                "source": each.source,
                "role": each.role,
                "unit": each.unit,
                "kind": each.kind,
                "first": instant_text(each.first_ms),
                "last": instant_text(each.last_ms),
                "count": each.count,
            }
            for each in energy.series(store)
        ]
    if not context.as_json:  # a terminal has eighty columns
        rows = [row | {"first": row["first"][:10], "last": f"{row['last'][:16]}Z"} for row in rows]
    context.show(rows, SERIES)


@series_command.command("thin")
@click.argument("role", metavar="SOURCE/ROLE")
@click.option(
    "--after", "months", type=Number(0, thinning.MOST_MONTHS), required=True, metavar="N", help="Months; 0: no more."
)
@click.option("--to", "step", type=click.Choice(list(thinning.STEPS_S)), default="quarter-hour", show_default=True)
@common
def thin(context: Context, role: str, months: int, step: str) -> None:
    """Keep fewer of a series' readings once they are so old: the last of each step of a register, and of a gauge the
    least, the most and the last. Done every night; no total changes, and what is drawn stays.
    """
    source, _, role = role.rpartition("/")
    with context.open_store() as store:
        thinning.state(store, energy.resolved(store, source, role), months, step)
        with store.read() as connection:
            rows = [dataclasses.asdict(each) for each in thinning.every(connection)]
    context.show(rows, THINNED)
