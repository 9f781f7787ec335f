"""Import: files dropped on the page, what became of each, and what could not be read and why."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from appliance import importers
from appliance.content import InMemory
from appliance.derive import quality
from appliance.derive.quality import Missing
from appliance.errors import UserError
from appliance.ingest import importing, undoing
from appliance.ingest.importing import Outcome, UnknownFormatError
from appliance.ingest.undoing import TakenBack
from appliance.kinds.energy import BILL
from appliance.store import declared, imports, timeline
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.timeline import Answer, Query
from services.dashboard import access, chosen, conditions, tables, uploads
from services.dashboard.box import box
from services.dashboard.progress import Step
from services.dashboard.wording import count, zone

SHOWN = 50
LONGEST_OPTION = 200
LARGEST_ID = 1 << 62
NO_FILE = "Choose a file first: nothing came with the form."

pages = Blueprint("imports", __name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a person may state for a file: a field of its importer's options."""

    name: str
    title: str
    choices: tuple[str, ...]
    value: str


@pages.get("/import")
def page() -> str:
    with chosen.store().read() as connection:
        recent = imports.recent(connection, SHOWN)
    return _page(recent, [])


@pages.post("/import")
def upload() -> AnyResponse | str | tuple[str, int]:
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        return _refused([NO_FILE])
    reports = list[Report]()
    problems = list[str]()
    for file in files:
        try:
            done = _import(file)
        except UserError as error:
            problems.extend(error.problems)
        else:
            reports += [*done.reports, *_kept_tables(file, done)]
            problems += [problem for error in done.problems for problem in error.problems]
    if access.wants_data() and reports:
        shown = [_shown(each) for each in reports]
        return render_template("imports/reports.html", reports=shown, problems=problems)
    if problems or len(reports) != 1:
        return _refused(problems) if problems else redirect(url_for("imports.page", **chosen.link()), 303)
    return redirect(url_for("imports.one", import_id=reports[0].id, **chosen.link()), 303)


def _import(file: FileStorage) -> Outcome:
    token, person = request.headers.get("X-Progress", ""), g.person.id
    progress = box().progress
    try:
        return importing.import_every(
            chosen.store(),
            InMemory(file.filename or "", _bytes(file)),
            zone=g.household.zone,
            progress=lambda items: progress.set(token, Step(person, items)),
        )
    finally:
        progress.set(token, Step(person, 0, done=True))


def _kept_tables(file: FileStorage, done: Outcome) -> list[Report]:
    """A file in no known format that looks like a table is kept, so that a person can say what its columns are."""
    tables_ = [each for each in done.problems if isinstance(each, UnknownFormatError) and each.is_table]
    if not tables_ or done.reports:
        return []
    done.problems = [each for each in done.problems if each not in tables_]
    content = InMemory(file.filename or "", _bytes(file))
    return [importing.keep_refused(chosen.store(), content, str(tables_[0]))]


def _bytes(file: FileStorage) -> bytes:
    """The upload without a second copy of it in memory, which `read` would make."""
    stream = file.stream
    return stream.getvalue() if isinstance(stream, BytesIO) else stream.read()


def _refused(problems: list[str]) -> AnyResponse | tuple[str, int]:
    if access.wants_data():
        return _json({"error": " ".join(problems)}, 422)
    with chosen.store().read() as connection:
        return _page(imports.recent(connection, SHOWN), problems), 422


def _json(body: dict[str, Any], status: int) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response


@pages.get("/import/progress/<token>")
def progress(token: str) -> Response:
    step = box().progress.of(token, g.person.id)
    return jsonify({"items": step.items, "done": step.done} if step else {})


@pages.get("/import/<int:import_id>")
def one(import_id: int) -> str:
    return render_template("imports/one.html", **_shown(_report(import_id)), problems=[])


@pages.post("/import/<int:import_id>/retry")
def retry(import_id: int) -> AnyResponse | tuple[str, int]:
    report = _report(import_id)
    said = {each.name: request.form.get(each.name, "")[:LONGEST_OPTION] for each in _choices(report)}
    try:
        again = importing.retry(chosen.store(), import_id, {name: value for name, value in said.items() if value})
    except UserError as error:
        return render_template("imports/one.html", **_shown(report), problems=list(error.problems)), 422
    return redirect(url_for("imports.one", import_id=again.id, **chosen.link()), 303)


@pages.post("/import/<int:import_id>/undo")
def undo(import_id: int) -> AnyResponse | tuple[str, int]:
    return _taken_back(import_id, undoing.undo)


@pages.post("/import/<int:import_id>/redo")
def redo(import_id: int) -> AnyResponse | tuple[str, int]:
    return _taken_back(import_id, undoing.redo)


def _taken_back(import_id: int, job: Callable[[Store, int, str], TakenBack]) -> AnyResponse | tuple[str, int]:
    report = _report(import_id)
    try:
        job(chosen.store(), import_id, g.person.name)
    except UserError as error:
        return render_template("imports/one.html", **_shown(report), problems=list(error.problems)), 422
    return redirect(url_for("imports.one", import_id=import_id, **chosen.link()), 303)


def _report(import_id: int) -> Report:
    with chosen.store().read() as connection:
        found = imports.report(connection, import_id) if import_id < LARGEST_ID else None
    return found or abort(404, "There is no such import in this store.")


def _shown(report: Report) -> dict[str, Any]:
    return {
        "report": report,
        "has_records": _has_records(report.id),
        "beside": _beside(report.id),
        "bills": _bills(report.id),
        "missing": _missing(report.id),
        "format": _format_title(report.format),
        "is_table": tables.may_be_one(report),
        "known_title": tables.known_title(report),
        "choices": _choices(report),
        "open": [each for each in report.rejects if each.resolved_by is None],
    }


def _has_records(import_id: int) -> bool:
    """Whether it brought records; else what it brought are readings."""
    with chosen.store().read() as connection:
        return bool(timeline.page(connection, Query(import_id=import_id), limit=1).records)


def _bills(import_id: int) -> list[int]:
    """The energy bills that it brought: one, or two where there are more."""
    with chosen.store().read() as connection:
        found = timeline.page(connection, Query(kind=BILL.name, import_id=import_id), limit=2).records
    return [each.id for each in found]


def _beside(import_id: int) -> str:
    """What it brought besides its rows, which is not counted with them, as in: 2 balances."""
    with chosen.store().read() as connection:
        kinds = [each for each in declared.every(connection).values() if not each.counted]
        counts = [(Answer(connection, Query(kind=each.name, import_id=import_id)).count, each) for each in kinds]
    return " and ".join(count(number, each.title.lower(), each.many.lower()) for number, each in counts if number)


def _missing(import_id: int) -> list[Missing]:
    """The days that no statement of its accounts covers."""
    with chosen.store().read() as connection:
        return quality.between_statements(connection, import_id, datetime.now(zone()))


def _format_title(name: str) -> str:
    return importers.named(name).TITLE if name in importers.names() else name


def _choices(report: Report) -> list[Choice]:
    """The form of an importer's options, filled with what was said at the last time."""
    if report.format not in importers.names():
        return []
    return [
        Choice(
            field.name,
            field.metadata.get("title", field.name),
            tuple(str(choice) for choice in field.metadata.get("choices", ())),
            str(report.options.get(field.name, "") or ""),
        )
        for field in dataclasses.fields(importers.named(report.format).Options)
    ]


def _page(recent: list[Report], problems: list[str]) -> str:
    return render_template(
        "imports/page.html",
        recent=recent,
        problems=problems,
        conditions=conditions.of_its_disk(),
        formats=[importers.named(name).TITLE for name in importers.names()],
        most=uploads.UPLOAD_BYTES,
        too_large=uploads.TOO_LARGE,
        format_title=_format_title,
    )
