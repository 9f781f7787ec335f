"""Records: every fact, filtered and paged, and each one down to the bytes it was read from."""

import re
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from flask import Blueprint, abort, render_template, request
from sqlalchemy import Connection

from appliance.errors import UserError
from appliance.store import imports, originals, records, timeline
from appliance.store.keys import StoreKey
from appliance.store.records import Stored
from appliance.store.timeline import Query
from services.dashboard import chosen, spans
from services.dashboard.wording import local_date, zone

ROWS = 50
LONGEST_TEXT = 200
CURSOR = re.compile(r"-?\d{1,18}-\d{1,18}")
CONTEXT_BYTES, CONTEXT_LINES = 400, 7
SHOWN_BYTES = 8000
LARGEST_ID = 1 << 62
SHOWN_ELSEWHERE = frozenset({"search", "import"})  # filters that have a place of their own on the page

pages = Blueprint("records", __name__)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of an original as text: what is before the fact, the fact's own bytes, and what is after it."""

    before: str
    own: str
    after: str
    first: int
    last: int
    size: int
    cut: bool


@pages.get("/records")
def page() -> str:
    query, problems = _query()
    with chosen.store().read() as connection:
        facets = timeline.facets(connection)
        found = timeline.page(connection, query, ROWS, _cursor())
    shown = {
        "days": [(day, list(rows)) for day, rows in groupby(found.records, key=lambda each: local_date(each.at))],
        "day_before": request.args.get("day", ""),
        "after": found.after,
        "said": _said(),
        "problems": problems,
    }
    if request.headers.get("HX-Request") == "true":
        return render_template("records/rows.html" if _cursor() else "records/list.html", **shown)
    return render_template(
        "records/page.html", facets=facets, filtered=bool(_filters().keys() - SHOWN_ELSEWHERE), **shown
    )


@pages.get("/records/<int:record_id>")
def one(record_id: int) -> str:
    store = chosen.store()
    with store.read() as connection:
        record = records.one(connection, record_id) if record_id < LARGEST_ID else None
        if record is None:
            abort(404, "There is no such record in this store.")
        return render_template("records/one.html", record=record, **_lineage(connection, store.key, record))


def _lineage(connection: Connection, key: StoreKey, record: Stored) -> dict[str, Any]:
    seen = records.sightings(connection, record.id)
    return {
        "origin": imports.report(connection, record.import_id, limit=0) if record.import_id else None,
        "excerpt": _excerpt(connection, key, record),
        "sightings": [(each, imports.report(connection, each.import_id, limit=0)) for each in seen],
    }


def _excerpt(connection: Connection, key: StoreKey, record: Stored) -> Excerpt | None:
    size = originals.size(connection, record.original) if record.original else None
    if size is None or record.first is None or record.length is None:
        return None
    begin, own_length = max(0, record.first - CONTEXT_BYTES), min(record.length, SHOWN_BYTES)
    own_at = record.first - begin
    data = originals.excerpt(connection, key, record.original, begin, own_at + own_length + CONTEXT_BYTES)
    before, own, after = (
        _whole_lines(data[:own_at], begin),
        data[own_at : own_at + own_length],
        data[own_at + own_length :],
    )
    cut = record.length > SHOWN_BYTES
    return Excerpt(
        before="".join(_text(before).splitlines(keepends=True)[-CONTEXT_LINES:]),
        own=_text(own),
        after="" if cut else "".join(_text(after).splitlines(keepends=True)[:CONTEXT_LINES]),
        first=record.first,
        last=record.first + record.length - 1,
        size=size,
        cut=cut,
    )


def _whole_lines(before: bytes, begin: int) -> bytes:
    """Without a first line whose beginning lies before what was read; of one long line, all that there is."""
    return before[before.find(b"\n") + 1 :] if begin else before


def _text(data: bytes) -> str:
    r"""Bytes as a person can read them: UTF-8, and what is not as \xe9."""
    return data.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\0", "\\x00")


def _filters() -> dict[str, str]:
    names = ("kind", "source", "account", "search", "from", "to", "import")
    return {name: said for name in names if (said := request.args.get(name, "").strip()[:LONGEST_TEXT])}


def _said() -> dict[str, str]:
    """What keeps the filters on a link to the next page."""
    return {**_filters(), **chosen.link()}


def _query() -> tuple[Query, list[str]]:
    said, problems = _filters(), list[str]()
    number = said.get("import", "")
    query = Query(
        zone=zone(),
        kind=said.get("kind", ""),
        source=said.get("source", ""),
        account=said.get("account", ""),
        search=said.get("search", ""),
        first_day=_day(said.get("from", ""), problems),
        last_day=_day(said.get("to", ""), problems),
        import_id=int(number) if number.isdecimal() and len(number) < 19 else None,
    )
    return query, problems


def _day(said: str, problems: list[str]) -> date | None:
    try:
        return spans.day_of(said) if said else None
    except UserError as error:
        problems.extend(error.problems)
        return None


def _cursor() -> str:
    said = request.args.get("after", "")
    return said if CURSOR.fullmatch(said) else ""
