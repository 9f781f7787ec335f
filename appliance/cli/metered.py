"""`inglenook meters events` and `meters drift`: what happened at the meters, and what people read on them."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import click

from appliance.cli.context import Context, instant_text, warn
from appliance.cli.meters import need_source
from appliance.derive import registers, rollups
from appliance.devices import happened, typed, words
from appliance.devices.happened import Step
from appliance.devices.typed import Register, Typed
from appliance.ingest import meter_facts, meter_places
from appliance.store import sources
from appliance.store.records import Stored
from appliance.store.series import SeriesId

EVENTS = {"source": "Source", "at": "When", "words": "What happened"}
DRIFT = {"source": "Source", "role": "Series", "words": "What was read, and what was counted"}
MOST = 1_000
RULE, PERSON = "rule", "person"


def show_events(context: Context, source: str) -> None:
    """Prints what rules found and what people said, newest first, and how to say what no rule is sure of."""
    with context.open_store(measured=True) as store:
        rollups.refresh(store)
        with store.read() as connection:
            need_source(source, [name for name, _, _ in sources.every(connection)])
            every = meter_places.countable(connection)
            steps = happened.steps(connection, source, MOST)
            said = [(name, each) for each in happened.events(connection) for name in happened.sources_of(each, every)]
    rows = [*map(_found, steps), *(_said(name, each) for name, each in said if source in ("", name))]
    rows.sort(key=lambda row: row["at"], reverse=True)
    if context.as_json:
        context.show(rows, {})
    elif rows:
        context.show(_together(rows), EVENTS)
        _ask(steps)
    else:
        click.echo("Nothing happened at a meter beside counting, as far as is known.")


def _found(step: Step) -> dict[str, Any]:
    return {
        "source": step.source,
        "role": step.role,
        "at": instant_text(step.at_ms),
        "event": step.what,
        "by": RULE,
        "decided": step.is_sure,
        "before": words.plain(step.before),
        "after": words.plain(step.after),
        "counted": words.plain(step.used),
        "unit": step.unit,
        "fact": None,
        "words": words.found(step),
    }


def _said(source: str, record: Stored) -> dict[str, Any]:
    said = record.fields
    return {
        "source": source,
        "role": said.get("role", ""),
        "at": record.at,
        "event": said["event"],
        "by": PERSON,
        "decided": True,
        "before": said.get("old_register"),
        "after": said.get("new_register"),
        "counted": None,
        "unit": None,
        "fact": record.id,
        "words": words.said(said),
    }


def _together(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows for people: an exchange of a meter, which begins all its registers anew, is one of them."""
    made = []
    for _, alike in groupby(rows, lambda row: (row["source"], row["at"], row["event"], row["by"])):
        one, *more = alike
        if more and one["event"] == registers.SWAP and one["by"] == RULE:
            registers_of = (
                f"{row['role']}: {row['before']}, then {row['after']} {row['unit']}" for row in (one, *more)
            )
            made.append({**one, "words": "\n".join(["Another meter was put in.", *registers_of])})
        else:
            made += [{**row, "words": _about(row)} for row in (one, *more)]
    return made


def _about(row: Mapping[str, Any]) -> str:
    role = f"{row['role']}: " if row["role"] else ""
    by = f" You said so: fact {row['fact']}." if row["fact"] else ""
    return f"{role}{row['words']}{by}"


def _ask(steps: Sequence[Step]) -> None:
    """How to say what happened where no rule is sure, and what the register showed before an exchange."""
    open_ = [each for each in steps if not each.is_sure]
    if open_:
        choices = "\n".join(f"  {event}: {words.EVENTS[event]}" for event in words.CHOICES)
        count = "Something" if len(open_) == 1 else f"{len(open_)} things"
        warn(
            f"{count} happened that no rule explains, and nothing is counted for it. Please say what it was, with one "
            f"of these as event:\n{choices}\n" + "\n".join(_tell(each, "EVENT") for each in open_)
        )
    if swap := next((each for each in steps if each.what == registers.SWAP), None):
        warn(
            "what the old meter counted after it was heard last is not known; if you know what both showed, say it for "
            f"each register, such as:\n{_tell(swap, swap.what)} old_register={words.plain(swap.before)} "
            f"new_register={words.plain(swap.after)}"
        )


def _tell(step: Step, event: str) -> str:
    fields = {"event": event, "source": step.source, "role": step.role, "at": instant_text(step.at_ms)}
    said = shlex.join(f"{name}={value}" for name, value in fields.items())
    return f"  inglenook add {meter_facts.EVENT} {said}"


def show_drift(context: Context, source: str) -> None:
    """Prints each register that somebody read: where it stands, and how far the box's count was from it."""
    zone = ZoneInfo(context.config.zone or "UTC")
    with context.open_store(measured=True) as store:
        rollups.refresh(store)
        with store.read() as connection:
            need_source(source, [name for name, _, _ in sources.every(connection)])
            every = meter_places.countable(connection)
            found, lost = typed.registers_of(connection, zone, every)
    pulses = {each.name: each.meter_options for each in context.config.meters if each.meter == "pulses"}
    chosen = [each for each in found if source in ("", each.source)]
    rows = [_register(each, zone) for each in chosen]
    if context.as_json:
        context.show(rows, {})
    elif rows:
        told = ("\n".join(_told(each, zone, pulses.get(each.source))) for each in chosen)
        context.show([row | {"words": each} for row, each in zip(rows, told, strict=True)], DRIFT)
    else:
        click.echo(f"Nobody typed what a meter shows yet. {_how_to_type(every, source)}")
    for each in lost:
        warn(f"fact {each.fact} tells nothing: {each.why}; correct it with: inglenook correct {each.fact} FIELD=VALUE")


def _how_to_type(every: Iterable[SeriesId], source: str) -> str:
    """What to type, of a register that there is."""
    own = [each for each in every if source in ("", each.source) and not each.role.endswith(meter_places.HISTORY)]
    if not own:
        return "No meter that counts something was read yet, either."
    said = shlex.join([f"source={own[0].source}", f"role={own[0].role}", "register=1234.5", "at=2026-11-22"])
    return f"Read it now and then, and say it, such as: inglenook add {meter_facts.READING} {said}"


def _register(found: Register, zone: ZoneInfo) -> dict[str, Any]:
    readings = [{"fact": each.fact, "at": _at(each, zone), "value": words.plain(each.value)} for each in found.readings]
    return {
        "source": found.source,
        "role": found.role,
        "unit": found.unit,
        "now": _number(found.now),
        "until": instant_text(found.until_ms),
        "readings": readings,
        "drifts": [
            {
                "from": _at(each.first, zone),
                "to": _at(each.last, zone),
                "typed": _number(each.typed),
                "counted": _number(each.counted),
                "off": _number(each.off),
                "per_cent": _number(each.per_cent),
            }
            for each in found.drifts
        ],
    }


def _number(value: Decimal | None) -> str | None:
    return None if value is None else words.plain(value)


def _at(each: Typed, zone: ZoneInfo) -> str:
    """The instant in UTC, or the day where no more was said."""
    return _local(each, zone).date().isoformat() if each.day_only else instant_text(each.at_ms)


def _local(each: Typed, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(each.at_ms // 1000, zone)


def _told(found: Register, zone: ZoneInfo, pulses: Mapping[str, Any] | None) -> Iterator[str]:
    """What is known of a register, a sentence a line. `pulses` are the options of a meter that counts them."""

    def moment(each: Typed) -> str:
        return f"{_local(each, zone):{'%Y-%m-%d' if each.day_only else '%Y-%m-%d %H:%M'}}"

    newest = moment(found.readings[0])
    if found.now is None:
        yield f"You read it on {newest}, and something happened at the meter since: read it again."
    else:
        stands = words.quantity_of(round(found.now, 3), found.unit)
        yield f"It stands at {stands}: your reading of {newest} and what was counted since."
    for each in found.drifts:
        yield f"{words.drift(each, found.unit, moment)} {words.advice(each, pulses)}".rstrip()
    if not found.drifts:
        yield "A second reading, some weeks from now, tells whether the count drifts."
