"""One fact: what it says, where it came from, what it said before; corrected, withdrawn and annotated here."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from appliance.errors import UserError
from appliance.ingest import stating
from appliance.kinds import FieldsError, Kind
from appliance.store import imports, originals, records, timeline, versions
from appliance.store.keys import StoreKey
from appliance.store.records import Stored
from appliance.store.timeline import Query
from appliance.store.versions import Version
from services.dashboard import attached, chosen, doubted, excerpt, fields, same
from services.dashboard.wording import kind_title, zone

LARGEST_ID = 1 << 62
LONGEST_WHY = 500
DEEDS = {
    "add": "said",
    "correct": "corrected",
    "redo": "brought back with its import",
    "again": "brought again by another import",
    "restore": "let stand again",
    "revise": "said otherwise by a later import",
}

pages = Blueprint("facts", __name__)


@pages.get("/records/<int:fact>")
def one(fact: int) -> str:
    return _page(fact, [])


def _page(fact: int, problems: list[str]) -> str:
    store = chosen.store()
    with store.read() as connection:
        history = _history(connection, fact)
        last = history[-1]
        shown = _lineage(connection, store.key, last.record)
        files = attached.shown(connection, store.key, [each.record for each in history])
        notes = timeline.page(connection, Query(about=fact)).records
    kind = _kind(last.record)
    return render_template(
        "facts/one.html",
        record=last.record,
        ended=last.ended,
        history=history,
        steps=_steps(kind, history),
        deeds=DEEDS,
        notes=notes,
        kind=kind,
        problems=problems,
        files=files,
        stated=_stated(kind, last.record),
        upcoming=[] if last.ended else _upcoming(last.record),
        **shown,
        **same.shown(store, fact),
    )


@pages.get("/records/<int:fact>/files/<sha256>")
def file(fact: int, sha256: str) -> Response:
    store = chosen.store()
    with store.read() as connection:
        named = attached.named(each.record for each in _history(connection, fact))
        if sha256 not in named or originals.size(connection, sha256) is None:
            abort(404, "This record has no such file here.")
        content = originals.read(connection, store.key, sha256)
    return attached.answer(content, f"record-{fact}-{named[sha256]}")


def _stated(kind: Kind, record: Stored) -> list[tuple[str, str]]:
    """The fields that a fact states, in the order of its kind's declaration, and those that it does not declare."""
    names = [
        *(name for name in kind.fields if name in record.fields),
        *sorted(record.fields.keys() - kind.fields.keys()),
    ]
    return [(name, record.fields[name]) for name in names if record.fields[name]]


def _upcoming(record: Stored) -> list[str]:
    """When an event that repeats takes place next, each as a page says it."""
    if not record.kind.startswith("calendar."):
        return []
    from appliance.derive import occurrences  # for which the libraries take 4 MB: only where somebody looks at an event

    if not occurrences.repeats(record.fields):
        return []
    return [occurrences.said(each.begins) for each in occurrences.upcoming(record, datetime.now(UTC), zone())]


def _history(connection: Connection, fact: int) -> list[Version]:
    found = versions.history(connection, fact) if fact < LARGEST_ID else []
    if not found and fact < LARGEST_ID and (archive := versions.archive_of(connection, fact)):
        abort(404, f"This record lies in archive {archive}. Bring it back on the page Keeping, then look again.")
    return found or abort(404, "There is no such record in this store.")


def _steps(kind: Kind, history: list[Version]) -> list[tuple[Version, list[tuple[str, str, str]]]]:
    """Each version, newest first, with what it says otherwise than the one before it: what, before and after."""
    pairs = zip(history, [history[0], *history], strict=False)
    return [(each, _changes(kind, before.record, each.record)) for each, before in pairs][::-1]


def _changes(kind: Kind, before: Stored, after: Stored) -> list[tuple[str, str, str]]:
    old, new = fields.held(before), fields.held(after)
    names = [name for name in (*fields.COLUMNS, *sorted(old | new)) if old.get(name, "") != new.get(name, "")]
    known = {**{name: kind.column(name) for name in fields.COLUMNS}, **kind.fields}
    return [
        (known[name].title if name in known else name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys(names)
    ]


def _kind(record: Stored) -> Kind:
    """Its declaration; of an unknown kind one that calls it by its name."""
    return chosen.kinds().get(record.kind, Kind(record.kind, kind_title(record.kind)))


def _lineage(connection: Connection, key: StoreKey, record: Stored) -> dict[str, Any]:
    seen = records.sightings(connection, record.id)
    return {
        "origin": imports.report(connection, record.import_id, limit=0) if record.import_id else None,
        "excerpt": excerpt.of(connection, key, record),
        "sightings": [(each, imports.report(connection, each.import_id, limit=0)) for each in seen],
    }


@pages.get("/records/<int:fact>/correct")
def correction(fact: int) -> str:
    record, kind = _standing(fact)
    return render_template("facts/correct.html", record=record, inputs=fields.filled(kind, record), why="", problems=[])


@pages.post("/records/<int:fact>/correct")
def correct(fact: int) -> Response | tuple[str, int]:
    record, kind = _standing(fact)
    inputs, why = fields.filled(kind, record), _why()
    said, files = fields.changed(inputs) | attached.taken_out(inputs), attached.sent(inputs)
    try:
        content, sure = attached.contents(files), doubted.is_sure()
        stating.correct(chosen.store(), fact, said, g.person.name, why, zone(), content, sure=sure)
    except UserError as error:
        wrong = error.of if isinstance(error, FieldsError) else {}
        again, held = attached.kept_back(fields.filled(kind, record, fields.posted(), wrong), files)
        shown = {"record": record, "inputs": again, "held": held, "why": why, "problems": doubted.problems(error)}
        return render_template("facts/correct.html", **shown, **doubted.offered(error, record.fields | said)), 422
    attached.done()
    return _back(fact)


@pages.post("/records/<int:fact>/withdraw")
def withdraw(fact: int) -> Response | tuple[str, int]:
    if not _why():
        return _page(fact, ["Say why it is withdrawn: a word is enough, and you will know it next year."]), 422
    return _done(fact, lambda: stating.withdraw(chosen.store(), fact, g.person.name, _why()))


@pages.post("/records/<int:fact>/restore")
def restore(fact: int) -> Response | tuple[str, int]:
    return _done(fact, lambda: stating.restore(chosen.store(), fact, g.person.name, _why()))


@pages.post("/records/<int:fact>/note")
def note(fact: int) -> Response | tuple[str, int]:
    text = request.form.get("text", "")[: fields.LONGEST]
    return _done(fact, lambda: stating.annotate(chosen.store(), fact, text, g.person.name))


def _done(fact: int, job: Any) -> Response | tuple[str, int]:
    try:
        job()
    except UserError as error:
        return _page(fact, list(error.problems)), 422
    return _back(fact)


def _back(fact: int) -> Response:
    return redirect(url_for("facts.one", fact=fact, **chosen.link()), 303)


def _why() -> str:
    return request.form.get("why", "").strip()[:LONGEST_WHY]


def _standing(fact: int) -> tuple[Stored, Kind]:
    record = existing(fact, "There is no such record in this store, or it was withdrawn.")
    return record, _kind(record)


def existing(fact: int, absent: str, kind: str = "") -> Stored:
    """A fact of the store that a page speaks of, of that kind where one is named; else 404, saying what is absent."""
    with chosen.store().read() as connection:
        found = records.one(connection, fact) if fact < LARGEST_ID else None
    return found if found and kind in ("", found.kind) else abort(404, absent)
