"""Every night: is there a tariff on which the own year would cost so much less that it is worth a word?

A notice is made when the saving of the first year passes what a person set, with all that is not known counted against
it. The same saving is not said again, whichever tariff brings it: only one that is materially better than what was said
last (by a quarter), or any once another tariff is agreed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from appliance import supplies
from appliance.errors import UserError
from appliance.store import notices
from appliance.store.database import Store
from appliance.store.models import Setting
from appliance.store.notices import Notice
from appliance.supplies import Supply
from appliance.switching.check import compare
from appliance.switching.offers import Comparison, Offer
from appliance.switching.written import plain

KIND = "energy.switch"
SETTING = "energy.saving_from"
BETTER = Decimal("1.25")
"""How many times what was said last a saving must be to be said again."""

LEAST = Decimal("0.5")
"""A notice is shown until the saving is less than this part of what a person set."""

OLDEST_USE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Saving:
    """So much a year, in a currency by its ISO 4217 code."""

    amount: Decimal
    currency: str


def saving_from(connection: Connection) -> Saving | None:
    """From what saving on a person wants a word; None where nobody set it: then none is said."""
    said = connection.execute(select(Setting.value).where(Setting.name == SETTING)).scalar_one_or_none()
    if said is None:
        return None
    amount, _, currency = said.partition(" ")
    return Saving(Decimal(amount), currency)


def set_saving_from(store: Store, amount: str, currency: str) -> Saving:
    """Keeps it from now on. UserError where it is no amount of money."""
    try:
        found = Saving(Decimal(amount), currency.strip().upper())
    except InvalidOperation:
        raise UserError(f"{amount!r} is no amount; write a number such as 200") from None
    if not found.amount.is_finite() or not 0 < found.amount < 10**9:
        raise UserError(f"a saving of {amount}: write an amount above nought, such as 200")
    if len(found.currency) != 3 or not (found.currency.isascii() and found.currency.isalpha()):
        raise UserError(f"{currency!r} is no currency; write three letters such as EUR")
    with store.write() as connection:
        connection.execute(delete(Setting).where(Setting.name == SETTING))
        connection.execute(insert(Setting).values(name=SETTING, value=f"{plain(found.amount)} {found.currency}"))
    return found


def unset_saving_from(store: Store) -> None:
    """No word of it any more."""
    with store.write() as connection:
        connection.execute(delete(Setting).where(Setting.name == SETTING))


def look(store: Store, zone: tzinfo, now: datetime | None = None) -> list[int]:
    """Compares every supply for which there are tariffs, and makes the notices that are due; their numbers."""
    now = now or datetime.now(UTC)
    with store.read() as connection:
        least = saving_from(connection)
    if least is None:
        return []
    found = list[int]()
    for supply in supplies.every(store, zone):
        try:
            comparison = compare(store, supply, zone, now.astimezone(zone).date())
        except UserError:  # nothing was read, or no tariff is known: there is nothing to say
            continue
        with store.write() as connection:
            found += _noticed(connection, comparison, least, round(now.timestamp() * 1_000_000))
    return found


def _noticed(connection: Connection, found: Comparison, least: Saving, at_us: int) -> Iterator[int]:
    about, staying, best = _about(found.supply), found.staying, found.best
    if staying is None or best is None or best.saving_low is None or not _can_advise(found, least):
        return
    last = notices.last(connection, KIND, about)
    if last is not None and last.details["staying"] != staying.fact:
        notices.end_all(connection, KIND, about, at_us)  # another tariff is agreed since: what was said is past
        last = None
    if best.saving_low < least.amount * LEAST:
        notices.end_all(connection, KIND, about, at_us)
    if best.saving_low >= least.amount and (last is None or best.saving_low >= _said(last) * BETTER):
        details = _details(found, staying, best)
        text = "\n\n".join(_sentences(found, staying, best, last))
        yield notices.add(connection, KIND, about, at_us, _title(found, best), text, details)


def _can_advise(found: Comparison, least: Saving) -> bool:
    is_fresh = found.on - found.last_day <= OLDEST_USE
    return is_fresh and not found.is_rough and found.currency == least.currency


def _about(supply: Supply) -> str:
    return f"{supply.source}/{supply.role}"


def _said(last: Notice) -> Decimal:
    return Decimal(last.details["saving"])


def _details(found: Comparison, staying: Offer, best: Offer) -> dict[str, Any]:
    return {
        "saving": plain(best.saving_low or Decimal(0)),
        "currency": found.currency,
        "tariff": best.fact,
        "name": best.name,
        "supplier": best.supplier,
        "staying": staying.fact,
        "supply": found.supply.name,
        "from": found.first_day.isoformat(),
        "to": found.last_day.isoformat(),
    }


def _title(found: Comparison, best: Offer) -> str:
    return f"You would save {_money(best.saving, found)} in a year on {best.name} of {best.supplier}"


def _sentences(found: Comparison, staying: Offer, best: Offer, last: Notice | None) -> Iterator[str]:
    yield (
        f"{found.supply.name}: your own use from {found.first_day} to {found.last_day} would cost "
        f"{_money(best.first_year, found)} in the first year on {best.name} of {best.supplier}, and "
        f"{_money(staying.yearly, found)} on {staying.name}, which you have now."
    )
    if best.exit_fee:
        yield (
            f"{_money(best.exit_fee, found)} for leaving are in it, once; each later year would save "
            f"{_money(best.saving_later, found)}."
        )
    if best.saving_low != best.saving_high:
        yield (
            f"Not all of the year was read: the saving may be from {_money(best.saving_low, found)} to "
            f"{_money(best.saving_high, found)}."
        )
    if last is not None:
        day = datetime.fromtimestamp(last.at_us // 1_000_000, UTC).date()
        yield f"On {day} it was {_money(_said(last), found)}: this is better by more than a quarter."
    yield f"On what this stands, and the other tariffs: inglenook compare {_about(found.supply)}"


def _money(amount: Decimal | None, found: Comparison) -> str:
    return f"{amount or Decimal(0):,.0f} {found.currency}"
