"""A table that no importer knows, or that a person names otherwise: its columns are guessed, shown on its rows, and
confirmed or mended by a person.
"""

from dataclasses import replace
from pathlib import PurePath

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import importers, tables
from appliance.config import is_zone
from appliance.content import Content
from appliance.errors import UserError
from appliance.importers import table
from appliance.ingest import importing, rereading, trying
from appliance.ingest.trying import Tried
from appliance.store import imports, layouts, originals
from appliance.store.imports import Report
from appliance.tables import DECIMALS, MEANINGS, ORDERS, READINGS, SIGNS, Guess, Layout
from services.dashboard import chosen

SHOWN = 12
LONGEST = 200
MOST_COLUMNS = 200
ROLES = {
    "electricity.import": "Electricity from the grid",
    "electricity.import.t1": "Electricity from the grid, tariff 1 (day)",
    "electricity.import.t2": "Electricity from the grid, tariff 2 (night)",
    "electricity.export": "Electricity to the grid",
    "electricity.export.t1": "Electricity to the grid, tariff 1 (day)",
    "electricity.export.t2": "Electricity to the grid, tariff 2 (night)",
    "solar.electricity.import": "Solar production",
    "gas": "Gas",
    "water": "Water",
    "heat": "Heat",
    "temperature.outside": "Temperature outside",
    "electricity.carbon": "Carbon intensity of the grid",
    "plug.electricity.import": "An appliance on its plug",
}
LENGTHS = {0: "moments", 900: "quarters of an hour", 1800: "half hours", 3600: "hours", 86400: "days"}
ORDER_WORDS = {"day first": "day first (31/12)", "month first": "month first (12/31)", "year first": "year first"}
DECIMAL_WORDS = {"point": "a point (1,234.56)", "comma": "a comma (1.234,56)"}
SIGN_WORDS = {
    "as written": "is written with its sign",
    "turned round": "is written the other way round (a card’s)",
    "by a word": "is told by a word (Debit, Af)",
}

pages = Blueprint("tables", __name__)


@pages.get("/import/<int:import_id>/table")
def page(import_id: int) -> str:
    report, content, guess = _table(import_id)
    with chosen.store().read() as connection:
        kept = layouts.kept(connection, guess.shape)
    layout = tables.layout_from(kept[0]) if kept else guess.layout
    if not layout.unit and not layout.is_readings:
        layout = replace(layout, unit=g.household.currency)
    zone = str(report.options.get("zone") or g.household.zone)
    said = {"source": kept[1] if kept else PurePath(content.name).stem[:LONGEST], "zone": zone}
    return _page(import_id, content, guess, layout, said, [])


@pages.post("/import/<int:import_id>/table")
def say(import_id: int) -> Response | str | tuple[str, int]:
    """Shows what the table gives as it is said, or reads it so, now and whenever one of its shape comes."""
    _, content, guess = _table(import_id)
    said = {name: request.form.get(name, "").strip()[:LONGEST] for name in ("source", "zone")}
    try:
        layout = _said(guess)
        problems = layout.lacks
        if not is_zone(said["zone"]):
            problems.append(f"{said['zone']!r} is no time zone. Write one such as Europe/London.")
    except UserError as error:
        return _page(import_id, content, guess, guess.layout, said, list(error.problems)), 422
    if problems:
        return _page(import_id, content, guess, layout, said, problems), 422
    if "read" not in request.form:
        return _page(import_id, content, guess, layout, said, [])
    try:
        report = rereading.as_table(chosen.store(), import_id, g.person.name, layout, said["source"], said["zone"])
    except UserError as error:
        return _page(import_id, content, guess, layout, said, list(error.problems)), 422
    return redirect(url_for("imports.one", import_id=report.id, **chosen.link()), 303)


@pages.post("/import/<int:import_id>/known")
def known(import_id: int) -> Response:
    """Reads a table as the format that the box knows it to be, and the next one of its heading too."""
    try:
        report = rereading.as_known(chosen.store(), import_id, g.person.name)
    except UserError as error:
        abort(422, " ".join(error.problems))
    return redirect(url_for("imports.one", import_id=report.id, **chosen.link()), 303)


def _table(import_id: int) -> tuple[Report, Content, Guess]:
    """An import, its file, and what that looks like."""
    store = chosen.store()
    with store.read() as connection:
        report = imports.report(connection, import_id, limit=0) if import_id < 1 << 62 else None
    if report is None or not report.original:
        abort(404, "There is no such import in this store.")
    content = originals.Kept(report.file, store.read, store.key, report.original)
    guess = tables.guessed(content.head(importers.HEAD_BYTES))
    return report, content, guess or abort(422, rereading.NO_TABLE)


def may_be_one(report: Report) -> bool:
    """Whether a person can say what the columns of an import's file are.

    Of a file that an importer knows, only where it has columns of days and of amounts too: much has commas in it.
    """
    if report.undone or (guess := rereading.guess_of(chosen.store(), report)) is None:
        return False
    said = set(guess.layout.columns)
    return report.format in ("", importing.TABLE) or ("at" in said and bool(said & {"amount", "out", "in"}))


def known_title(report: Report) -> str:
    """What an import's file is known as, though a person had it read as a table; "" of any other."""
    if report.format != importing.TABLE or report.undone:
        return ""
    name = rereading.known_as(chosen.store(), report)
    return importers.named(name).TITLE if name else ""


def _said(guess: Guess) -> Layout:
    """The layout as the form says it; UserError with every problem."""
    form = request.form
    columns = tuple(form.get(f"column{place}", "")[:20] for place in range(min(len(guess.header), MOST_COLUMNS)))
    roles = {word: form.get(f"role{place}", "")[:100] for place, word in enumerate(guess.layout.roles)}
    seconds = form.get("seconds", "0")
    return Layout(
        delimiter=guess.layout.delimiter,
        header=guess.layout.header,
        columns=columns,
        kind=form.get("kind", "")[:100],
        order=form.get("order", "")[:20],
        decimal=form.get("decimal", "")[:20],
        sign=form.get("sign", SIGNS[0])[:20],
        unit=form.get("unit", "").strip()[:20],
        account=form.get("account", "").strip()[:LONGEST],
        role=form.get("role", "")[:100],
        roles=roles if "role" in columns else {},
        seconds=int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 8 else 0,
    )


def _page(
    import_id: int, content: Content, guess: Guess, layout: Layout, said: dict[str, str], problems: list[str]
) -> str:
    known = {name: kind.title for name, kind in chosen.kinds().items() if kind.counted}
    return render_template(
        "tables/page.html",
        import_id=import_id,
        file=content.name,
        guess=guess,
        rows=[[cell[:80] for cell in row.cells] for row in guess.rows[:SHOWN]],
        layout=layout,
        said=said,
        meanings=MEANINGS,
        kinds={"money.transaction": "payments", READINGS: "readings of a meter", **known},
        orders={order: ORDER_WORDS[order] for order in ORDERS},
        decimals={sign: DECIMAL_WORDS[sign] for sign in DECIMALS},
        signs=SIGN_WORDS,
        roles=ROLES,
        lengths=LENGTHS,
        doubts=[] if problems or layout.lacks else _doubts(guess, layout),
        tried=None if problems or layout.lacks else _tried(content, layout, said["zone"]),
        problems=problems,
    )


def _doubts(guess: Guess, layout: Layout) -> list[str]:
    """What nobody has settled yet."""
    found = []
    if not layout.order and any("date" in doubt for doubt in guess.doubts):
        found.append(guess.doubts[0])
    if not layout.decimal and any("amount" in doubt for doubt in guess.doubts):
        found.append(guess.doubts[-1])
    return found


def _tried(content: Content, layout: Layout, zone: str) -> Tried:
    """Reads the whole table by a layout, and stores nothing."""
    return trying.file(content.name, table.extract_forward(content.pieces(), table.Options(layout.text(), zone)))
