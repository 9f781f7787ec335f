"""Insight: what a year of readings tells of a home, each thing in plain words first, and what it takes to know more."""

from datetime import date, timedelta

from flask import Blueprint, render_template, request

from appliance.errors import UserError
from appliance.insight import Insight, insight
from appliance.insight.look import SPAN_DAYS, before_today
from services.dashboard import chosen, spans, supplied
from services.dashboard.bars import widths
from services.dashboard.wording import zone

MOST_UNUSUAL = 12

pages = Blueprint("insight", __name__)


@pages.get("/insight")
def page() -> str:
    """The frame at once; what is found is fetched by it, since a year takes a while to look at."""
    store, known = chosen.store(), supplied.every()
    if not known:
        return render_template("insight/page.html", supply=None, elsewhere=supplied.elsewhere())
    supply = supplied.asked(known)
    read = supplied.read_days(store, supply)
    year = _year(read) if read else None
    return render_template(
        "insight/page.html",
        supply=supply,
        supplies=[(supplied.key(each), each.name) for each in known],
        here_supply=supplied.key(supply),
        read=read,
        year=year,
        earlier=_last_of_earlier(read, year) if read and year else None,
        later=_last_of_later(read, year) if read and year else None,
    )


@pages.get("/insight/found")
def found() -> str:
    """The part of the page that says what is found in a year."""
    store, known = chosen.store(), supplied.every()
    if not known:
        raise UserError("there is nothing to look at yet; import the readings of a supply first")
    supply = supplied.asked(known)
    read = supplied.read_days(store, supply)
    if read is None:
        raise UserError(f"{supply.name} has no readings any more; import some first")
    seen = insight(store, supply, zone(), *_year(read))
    return render_template(
        "insight/found.html",
        found=seen,
        here_supply=supplied.key(supply),
        months=widths(each.kw for each in seen.month_peaks),
        plugs=widths(each.used for each in seen.appliances),
        years=widths((seen.year.used, seen.year.used_before)) if seen.year else [],
        unusual=seen.unusual[:MOST_UNUSUAL],
        costs_known=_is_costed(seen),
    )


def _year(read: tuple[date, date]) -> tuple[date, date]:
    """The days that a request asks for, as far as they were read: a year up to `to`, else up to yesterday."""
    said = request.args.get("to", "")
    newest = before_today(*read, zone())
    last = max(read[0], min(spans.day_of(said), newest)) if said else newest
    return max(read[0], last - timedelta(days=SPAN_DAYS - 1)), last


def _last_of_earlier(read: tuple[date, date], year: tuple[date, date]) -> date | None:
    return year[0] - spans.ONE_DAY if year[0] > read[0] else None


def _last_of_later(read: tuple[date, date], year: tuple[date, date]) -> date | None:
    newest = before_today(*read, zone())
    return min(year[1] + timedelta(days=SPAN_DAYS), newest) if year[1] < newest else None


def _is_costed(seen: Insight) -> bool:
    amounts = [each.amount for each in seen.appliances]
    amounts += [seen.baseload.amount_year] if seen.baseload else []
    return all(each is not None for each in amounts)
