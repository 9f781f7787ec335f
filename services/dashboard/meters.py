"""Meters: how each is read at this moment, what happened at it, what is missing of it, and what was read on it."""

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from sqlalchemy import Connection

from appliance.config import MeterConfig
from appliance.derive import rollups
from appliance.derive.registers import SWAP
from appliance.devices import episodes, happened, ledger, typed
from appliance.devices.episodes import Episode
from appliance.devices.happened import Step
from appliance.devices.ledger import Missing
from appliance.devices.typed import Register
from appliance.errors import UserError
from appliance.ingest import meter_places
from appliance.store import sources
from appliance.store.database import HOME
from appliance.store.records import Stored
from appliance.store.series import SeriesId
from services import state
from services.dashboard import meter_words as words
from services.dashboard.box import box
from services.dashboard.meter_words import Sign
from services.dashboard.wording import role_title, zone

pages = Blueprint("meters", __name__)

FINDING = "finding.page"
MOST_GAPS = 500
MOST_SOURCES = 30
PULSES = "pulses"


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened: a rule's finding, which a person may have to decide, or what a person said."""

    at: str
    words: str
    chip: tuple[str, str, str]
    choices: tuple[tuple[str, str], ...] = ()  # what to say of it, and where
    is_open: bool = False
    fact: int | None = None
    series: str = ""
    order: str = ""
    registers: tuple[tuple[str, str, str], ...] = ()  # where it happened to several: each, in words, and its own form


@dataclass(frozen=True, slots=True)
class Card:
    """All that a page says of one source."""

    name: str
    title: str
    sign: Sign
    config: MeterConfig | None
    health: dict[str, Any] | None
    errors: list[tuple[str, int]]
    episodes: list[Episode]
    lines: list[Line]
    unlisted: int  # how much more rules found
    gaps: list[Missing]
    all_gaps: tuple[int, int]
    registers: list[Register]
    counts: list[str]

    @property
    def undecided(self) -> int:
        """How much a person is asked about."""
        return sum(each.is_open for each in self.lines)


@pages.get("/meters")
def page() -> str:
    home = box().stores.home
    with suppress(UserError):  # while an import holds the store, it is told as it was before
        rollups.refresh(home)
    told = state.ask(box().config.run)
    with home.read() as connection:
        cards, titles, lost = _cards(connection, told)
    return render_template(
        "meters/page.html",
        cards=cards,
        titles=titles,
        lost=lost,
        collector=told,
        words=words,
        now_ms=_now_ms(),
        finding=url_for(FINDING) if FINDING in current_app.view_functions else "",
    )


def _now_ms() -> int:
    return int(time.time() * 1000)


def _cards(connection: Connection, told: dict[str, Any] | None) -> tuple[list[Card], dict[str, str], list[typed.Lost]]:
    every = meter_places.countable(connection)
    titles = {name: title for name, title, _ in sources.every(connection)}
    devices: dict[str, list[Episode]] = {}
    for each in episodes.every(connection):
        devices.setdefault(each.source, []).append(each)
    found = happened.steps(connection)
    lines = _lines(connection, every, found)
    shown, all_found = Counter(each.source for each in found), happened.counts(connection)
    gaps = ledger.totals(connection)
    registers, lost = typed.registers_of(connection, zone(), every)
    configured = {each.name: each for each in box().now().meters}
    health = {each["source"]: each for each in (told or {}).get("meters", ())}
    others = sorted({*devices, *gaps, *lines, *(each.source for each in registers)} - {*configured, *health})
    others.sort(key=lambda name: -max((each.last_ms for each in devices.get(name, ())), default=0))
    asked = request.args.get("gaps", "")
    made = [
        Card(
            name=name,
            title=titles.get(name, name),
            sign=_sign(name, configured, health, devices),
            config=configured.get(name),
            health=health.get(name),
            errors=words.errors(health[name]) if name in health else [],
            episodes=devices.get(name, []),
            lines=lines.get(name, []),
            unlisted=all_found.get(name, 0) - shown[name],
            gaps=_gaps(connection, name, gaps, every, is_asked=name == asked),
            all_gaps=gaps.get(name, (0, 0)),
            registers=[each for each in registers if each.source == name],
            counts=happened.quantities(every, name),
        )
        for name in [*configured, *(name for name in health if name not in configured), *others][:MOST_SOURCES]
    ]
    return made, titles, lost


def _sign(
    name: str,
    configured: Mapping[str, MeterConfig],
    health: Mapping[str, dict[str, Any]],
    devices: Mapping[str, list[Episode]],
) -> Sign:
    if name in configured or name in health:
        return words.sign_of(health.get(name), _now_ms())
    return words.gone(devices[name][0].last_ms if name in devices else None)


def _gaps(
    connection: Connection,
    name: str,
    gaps: Mapping[str, tuple[int, int]],
    every: list[SeriesId],
    *,
    is_asked: bool,
) -> list[Missing]:
    if name not in gaps:
        return []
    return ledger.of(connection, name, limit=MOST_GAPS if is_asked else ledger.SHOWN, every=every)


def _lines(connection: Connection, every: list[SeriesId], steps: list[Step]) -> dict[str, list[Line]]:
    """By source, what rules found and what people said, newest first."""
    lines: dict[str, list[Line]] = {}
    for _, alike in groupby(sorted(steps, key=_together), key=_together):
        one, *more = alike
        lines.setdefault(one.source, []).append(_exchanged([one, *more]) if more else _found(one))
    for record in happened.events(connection):
        for name in sorted(happened.sources_of(record, every)):
            lines.setdefault(name, []).append(_said(record))
    return {name: sorted(own, key=lambda each: each.order, reverse=True) for name, own in lines.items()}


def _together(step: Step) -> tuple[str, int, str, str]:
    """A meter that is exchanged begins all its registers anew."""
    return step.source, step.at_ms, step.what, "" if step.what == SWAP else step.role


def _exchanged(steps: list[Step]) -> Line:
    """A meter's exchange, told once for all its registers."""
    one = _found(steps[0])
    parts = tuple((role_title(each.role), words.from_to(each), _tell(each, SWAP)) for each in steps)
    said = (
        "Another meter was put in. What the old one counted after it was heard last is not known: say what it showed."
    )
    choices = tuple((name, href) for name, href in one.choices if name != words.EVENTS[SWAP])
    return replace(one, words=said, series="", registers=parts, choices=choices)


def _found(step: Step) -> Line:
    at = datetime.fromtimestamp(step.at_ms // 1000, UTC).isoformat()
    chip = ("●", "Counted", "good") if step.is_sure else ("▲", "Please say", "wait")
    choices = tuple((words.EVENTS[event], _tell(step, event)) for event in words.CHOICES)
    return Line(at, words.found(step), chip, choices, not step.is_sure, series=role_title(step.role), order=at)


def _said(record: Stored) -> Line:
    about = record.fields.get("role", "")
    at = record.at if "T" in record.at else f"{record.at}T24"
    chip = ("●", "You said so", "good")
    return Line(
        record.at, words.said(record.fields), chip, fact=record.id, series=role_title(about) if about else "", order=at
    )


def _tell(step: Step, event: str) -> str:
    """The form of a meter event with what is known of a step. In the hour that comes twice, only the day is said."""
    local = datetime.fromtimestamp(step.at_ms // 1000, UTC).astimezone(zone())
    at = local.date().isoformat() if local.fold else local.replace(tzinfo=None).isoformat()
    registers = {}
    if event in words.WITH_REGISTERS:
        registers = {"old_register": words.plain(step.before), "new_register": words.plain(step.after)}
    said: dict[str, Any] = {"event": event, "source": step.source, "role": step.role, "at": at, **registers}
    return url_for("adding.form", name="energy.meter_event", store=HOME, **said)
