"""Records: every fact, searched, filtered, counted and paged."""

import re
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

from flask import Blueprint, render_template, request
from sqlalchemy import Connection

from appliance.archiving import summaries
from appliance.derive import events, possible, sums
from appliance.errors import UserError
from appliance.kinds import AmountIs
from appliance.store.search.amounts import BANDS
from appliance.store.timeline import Answer, Query
from services.dashboard import chosen, facets, spans
from services.dashboard.wording import local_date, money, zone

ROWS = 50
LONGEST_TEXT = 200
MOST_SUMMED = 10_000  # more would keep the page waiting
NUMBER = re.compile(r"\d{1,18}", re.ASCII)

pages = Blueprint("records", __name__)


@pages.get("/records")
def page() -> str:
    query, problems = _query()
    after = request.args.get("after", "")
    chosen.kinds()  # how amounts are said; asked for now, and not while the store is read
    store = chosen.store()
    with suppress(UserError):  # while an import holds the store, sums are told as they were before it
        events.refresh(store)
    with store.read() as connection:
        answer = Answer(connection, query)
        found = answer.page(ROWS, after)
        shown = {"found": found, "answer": answer, "is_ranked": answer.is_ranked, "said": _said(), "problems": problems}
        shown |= {"days": _days(found.records), "day_before": request.args.get("day", "")}
        is_part = request.headers.get("HX-Request") == "true"
        if is_part and after:
            return render_template("records/rows.html", **shown)
        shown |= {"facets": facets.made(answer.counts, _said()), "chips": facets.chips(_said()), "is_part": is_part}
        shown |= {"orders": _orders(), "sums": _sums(connection, query, answer), "open": possible.every(connection)}
        shown |= {"archived": _archived(connection, query)}
        return render_template("records/list.html" if is_part else "records/page.html", **shown)


def _sums(connection: Connection, query: Query, answer: Answer) -> dict[str, Any] | None:
    """What the facts come to, each amount in words, and how many of them others tell of too.

    None of too many facts, and of those in which a word was looked for: all of them take a while to find.
    """
    if query.search or answer.is_capped or not 0 < answer.count <= MOST_SUMMED:
        return None
    found = sums.of(connection, query)
    kind = chosen.kinds().get(query.kind)
    signed = not query.kind or (kind is not None and kind.amount_is is AmountIs.MOVED)
    words = [money(each.amount, each.unit) for each in found]
    repeated = sum(each.repeated for each in found)
    return {"amounts": words if signed else [each.removeprefix("+") for each in words], "repeated": repeated}


def _archived(connection: Connection, query: Query) -> str:
    """What the list does not show, as it lies in archives."""
    return summaries.in_all(connection, query.kind, str(query.year or ""))


def _days(rows: list[Any]) -> list[tuple[date | None, list[Any]]]:
    return [(day, list(each)) for day, each in groupby(rows, key=lambda each: local_date(each.at))]


def _orders() -> dict[str, dict[str, str]]:
    """What asks for the same in either order."""
    said = {name: value for name, value in _said().items() if name != "order"}
    return {"best": said, "newest": {**said, "order": "newest"}}


def _filters() -> dict[str, str]:
    said = {name: request.args.get(name, "").strip()[:LONGEST_TEXT] for name in facets.NAMES}
    return {name: value for name, value in said.items() if value and _makes_sense(name, value)}


def _makes_sense(name: str, value: str) -> bool:
    """What the page's own links ask for is one of theirs; of what a person types they are told."""
    if name == "amount":
        return _band(value) is not None
    return name not in ("year", "import") or _number(value) is not None


def _said() -> dict[str, str]:
    """What keeps the filters on a link to the next page."""
    return {**_filters(), **chosen.link()}


def _query() -> tuple[Query, list[str]]:
    said, problems = _filters(), list[str]()
    query = Query(
        zone=zone(),
        kind=said.get("kind", ""),
        source=said.get("source", ""),
        account=said.get("account", ""),
        search=said.get("search", ""),
        first_day=_day(said.get("from", ""), problems),
        last_day=_day(said.get("to", ""), problems),
        year=_number(said.get("year", "")),
        band=_band(said.get("amount", "")),
        lowest=_amount(said.get("lowest", ""), problems),
        highest=_amount(said.get("highest", ""), problems),
        import_id=_number(said.get("import", "")),
        newest_first=said.get("order", "") == "newest",
    )
    return query, problems


def _number(said: str) -> int | None:
    return int(said) if NUMBER.fullmatch(said) else None


def _band(said: str) -> int | None:
    """A band is named by what it begins with."""
    number = _number(said)
    return BANDS.index(number) if number in BANDS else None


def _amount(said: str, problems: list[str]) -> Decimal | None:
    if not said:
        return None
    try:
        amount = Decimal(said.replace(",", "."))
        if not amount.is_finite() or abs(amount) >= 10**12:
            raise InvalidOperation
    except InvalidOperation:
        problems.append(f"“{said[:20]}” is not an amount; write one such as 12.50")
        return None
    return amount


def _day(said: str, problems: list[str]) -> date | None:
    try:
        return spans.day_of(said) if said else None
    except UserError as error:
        problems.extend(error.problems)
        return None
