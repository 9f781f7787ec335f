"""News: what the box had to say by itself, what to do about each, and how the household hears of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import mailing, supplies
from appliance.budgets.alerts import KINDS
from appliance.errors import SourceError, UserError
from appliance.store import notices
from appliance.store.database import HOME, Store
from appliance.store.notices import Notice
from appliance.supplies import Supply
from appliance.switching import watching
from services.dashboard import feed_forms, supplied, tariff_forms
from services.dashboard.box import box
from services.dashboard.fields import Input
from services.dashboard.tariff_reading import MARKED, Reading
from services.dashboard.wording import page_words, zone

PAST = 20
_FIELD = re.compile(r"mail[.:] ?(\w+)")

pages = Blueprint("notices", __name__)


@dataclass(frozen=True, slots=True)
class Next:
    """What to do about a notice: a page of this box, and what its link says."""

    address: str
    words: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice as the page shows it, by its paragraphs; times are ISO instants, `ended` "" while it is open."""

    notice: Notice
    paragraphs: Sequence[str]
    at: str
    ended: str
    next: Next | None


@pages.get("/news")
def page() -> str:
    home, before = _home(), request.args.get("before", "")
    earlier = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    with home.read() as connection:
        told = notices.every(connection)
        past = notices.past(connection, PAST + 1, earlier)
        least = watching.saving_from(connection)
    known = supplies.every(home, zone()) if told or past else []
    return render_template(
        "notices/page.html",
        told=[_shown(each, known) for each in told],
        past=[_shown(each, known) for each in past[:PAST]],
        earlier=past[PAST - 1].id if len(past) > PAST else None,
        is_earlier=earlier is not None,
        least=least,
        mailer=mailing.known(home),
    )


@pages.post("/news/<int:notice>/seen")
def seen(notice: int) -> Response:
    """Shows one no more; pressed twice, or after it was over, it is the same."""
    with _home().write() as connection:
        if notice in {each.id for each in notices.every(connection)}:
            notices.dismiss(connection, notice, round(datetime.now(UTC).timestamp() * 1_000_000))
    return redirect(url_for("notices.page"), 303)


def _home() -> Store:
    return box().stores.home


def _shown(notice: Notice, known: Sequence[Supply]) -> Shown:
    ended = _at(notice.ended_us) if notice.ended_us is not None else ""
    for_a_page = [each for each in notice.text.split("\n\n") if page_words(each) == each]  # not those with a command
    return Shown(notice, for_a_page, _at(notice.at_us), ended, _next(notice, known))


def _at(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat()


def _next(notice: Notice, known: Sequence[Supply]) -> Next | None:
    if notice.kind in (KINDS["limit"], KINDS["forecast"]):
        return Next(url_for("budgets.page", store=HOME), "Look at the month")
    supply = next((each for each in known if each.name == notice.details.get("supply")), None)
    if supply is None:
        return None
    if notice.kind == watching.KIND:
        return Next(url_for("compare.page", supply=supplied.key(supply), store=HOME), "Compare the tariffs")
    if notice.kind == KINDS["silent"]:
        return _to_be_heard(supply)
    day = datetime.fromisoformat(notice.details["since"]).astimezone(zone()).date()
    series = f"{supply.role}@{supply.source}"
    return Next(url_for("history.page", series=series, span="day", at=day.isoformat()), "See when it was used")


def _to_be_heard(supply: Supply) -> Next:
    """A meter that this box reads is looked at; what comes in files needs a newer one."""
    if any(each.name == supply.source for each in box().now().meters):
        return Next(url_for("meters.page"), "Look at the meters")
    return Next(url_for("imports.page", store=HOME), "Import a newer file")


# ---- how the household hears of it ----


@pages.get("/news/settings")
def settings() -> str:
    return _settings()


@pages.post("/news/settings/saving")
def keep_saving() -> Response | tuple[str, int]:
    """From what saving a year on another tariff is worth a word; never, where nothing is said."""
    said = {"amount": request.form.get("amount", "")}
    reading = Reading(said, g.household.currency)
    amount = reading.number("amount")
    try:
        reading.refuse()
        if amount:
            watching.set_saving_from(_home(), amount, g.household.currency)
        else:
            watching.unset_saving_from(_home())
    except UserError as error:
        return _settings(error.problems, amount=said["amount"][:20], wrong=reading.wrong), 422
    return _back("saving")


@pages.post("/news/settings/mail")
def keep_mail() -> Response | tuple[str, int]:
    said = feed_forms.stated(mailing.Options, feed_forms.said())
    try:
        mailing.state(_home(), {**said, "port": said.get("port") or "0"})
    except UserError as error:
        return _settings([MARKED], mail=said, wrong=_by_field(error)), 422
    return _back("mail")


def _by_field(error: UserError) -> dict[str, str]:
    """Each problem of a mail server at its field: they are as in `mail: host='a b': write the server's name alone`."""
    said = [(_FIELD.match(each), each.rpartition(": ")[2]) for each in error.problems]
    return {found[1]: reason for found, reason in said if found}


@pages.post("/news/settings/mail/try")
def try_mail() -> Response | tuple[str, int]:
    """Sends a message that says that it works."""
    try:
        mailing.try_out(_home())
    except (UserError, SourceError) as error:
        return _settings([str(error)]), 422
    return redirect(url_for("notices.settings", sent="yes"), 303)


@pages.post("/news/settings/mail/off")
def forget_mail() -> Response:
    mailing.forget(_home())
    return _back("mail")


def _back(part: str) -> Response:
    return redirect(url_for("notices.settings", _anchor=part), 303)


def _settings(
    problems: Sequence[str] = (),
    *,
    amount: str | None = None,
    wrong: Mapping[str, str] | None = None,
    mail: Mapping[str, Any] | None = None,
) -> str:
    home, currency = _home(), g.household.currency
    with home.read() as connection:
        least = watching.saving_from(connection)
    mailer = mailing.known(home)
    held = f"{least.amount:f}" if least and amount is None else amount or ""
    money = Input("amount", f"So much a year ({currency})", "decimal", "", help="Such as 100. Nothing: never.")
    known = mail if mail is not None else mailer.options if mailer else {}
    shown = feed_forms.inputs(mailing.Options, {**known, "port": known.get("port") or ""}, is_new=not mailer)
    return render_template(
        "notices/settings.html",
        problems=problems,
        least=least,
        inputs=tariff_forms.filled([money], {"amount": held}, wrong or {}),
        mailer=mailer,
        mail_inputs=[replace(each, problem=(wrong or {}).get(each.name, "")) for each in shown],
        was_sent=request.args.get("sent") == "yes",
    )
