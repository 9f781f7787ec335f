"""The midata file of a supply in Great Britain: what a comparison site asks of a household.

    customerReferenceNumber,date,fuel,validAtDate,meterPointAdministrationNumber,energyProvider,productName,
    cancellationFeeIndicator,contractStartDate,postCode,contractEndDate,forecastedEnergyUsage,energyUsage,
    forecastedCost,paymentMethod

A line of these names and a line of values: days as yyyymmdd, energy in whole kWh, the cost in pounds. Of gas the meter
point is its MPRN. What nobody said is empty.

Source: JLINC, MiData Energy Schema (2018), which takes the fields from the government's midata project, phase 1. The
suppliers' files are CSV (SSE, "What is midata?"), and no public paper orders their columns.
"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import Connection

from appliance import costs, supplies
from appliance.billing.trials import Case, Stretch
from appliance.derive.rollups import QUARTER_MS
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms
from appliance.store import records
from appliance.store.database import Store
from appliance.supplies import Agreement, KnownTariff, Supply, Used

YEAR_DAYS = 365
FEWEST_DAYS = 28
_FUELS = {"electricity": "Electricity", "gas": "Gas"}
_POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\b", re.I)


@dataclass(frozen=True, slots=True)
class Midata:
    """What the file says, and what it rests on. `exit_fee` is None where leaving is free; the file says only whether
    there is one. `forecast_kwh` is a year as long as the measured one; `told` are sentences on what is not known.
    """

    made: date
    supply: Supply
    agreement: Agreement
    product: str
    point: str
    postcode: str
    starts: date | None
    ends: date | None
    exit_fee: Decimal | None
    first: date
    last: date
    used_kwh: Decimal
    forecast_kwh: Decimal
    forecast_cost: Decimal | None
    told: tuple[str, ...]

    @property
    def fields(self) -> dict[str, str]:
        """The file's names and values, in its order."""
        cost = self.forecast_cost
        return {
            "customerReferenceNumber": self.agreement.customer,
            "date": _day(self.made),
            "fuel": _FUELS[self.supply.supply],
            "validAtDate": _day(self.last),
            "meterPointAdministrationNumber": self.point,
            "energyProvider": self.agreement.supplier,
            "productName": self.product,
            "cancellationFeeIndicator": "true" if self.exit_fee else "false",
            "contractStartDate": _day(self.starts),
            "postCode": self.postcode,
            "contractEndDate": _day(self.ends),
            "forecastedEnergyUsage": _whole(self.forecast_kwh),
            "energyUsage": _whole(self.used_kwh),
            "forecastedCost": "" if cost is None else f"{cost:.2f}",
            "paymentMethod": "",
        }

    def csv(self) -> str:
        """The file."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerows([self.fields.keys(), self.fields.values()])
        return text.getvalue()


def midata(store: Store, supply: Supply, zone: tzinfo, made: date) -> Midata:
    """The file of a supply as of its last reading, made on a day. UserError where something that it needs is not known,
    with all of that and what to do.
    """
    if supply.supply not in _FUELS or supply.direction == "export":
        raise UserError(f"midata is for electricity and gas that come in, and {supply.name} is neither")
    _, until = supplies.extent(store, supply)
    last = costs.day_of(until - 1, zone)
    first = last - timedelta(days=YEAR_DAYS - 1)
    span = day_ms(first, zone)[0] // QUARTER_MS, day_ms(last, zone)[1] // QUARTER_MS
    used = supplies.usage(store, supply, *span, zone)
    known = int((~used.quarters.missing).sum())
    with store.read() as connection:
        term = supplies.terms(connection, supply, *span, zone)[-1]
        point = supply.point or (term.agreement.point if term.agreement else "")
        agreement = term.agreement
        problems = _problems(supply, agreement, point, known)
        if problems or agreement is None:
            raise UserError(problems)
        forecast = used.total * len(used.quarters.totals) / known
        cost = _cost(connection, used, term.tariff, span, forecast)
        postcode = _postcode(connection, agreement)
    told = [*used.assumptions]
    if missing := len(used.quarters.totals) - known:
        told.append(
            f"{missing:,} of the year's {len(used.quarters.totals):,} quarter-hours were not measured: the forecast "
            "takes them to be as the others"
        )
    if cost is None:
        told.append(f"what a year costs is left out: the tariff {agreement.tariff!r} is not known; import it")
    exit_fee = agreement.exit_fee or (term.tariff.tariff.exit_fee if term.tariff and term.tariff.tariff else None)
    return Midata(
        made=made,
        supply=supply,
        agreement=agreement,
        product=agreement.product or (term.tariff.name if term.tariff else agreement.tariff),
        point=point,
        postcode=postcode,
        starts=_local(agreement.first_ms, zone),
        ends=agreement.fixed_until or _local(agreement.end_ms, zone, before=True),
        exit_fee=exit_fee or None,
        first=first,
        last=last,
        used_kwh=used.total,
        forecast_kwh=forecast,
        forecast_cost=cost,
        told=tuple(told),
    )


def _problems(supply: Supply, agreement: Agreement | None, point: str, known: int) -> list[str]:
    found = []
    if not point:
        found.append(f"the meter point's number of {supply.name} is not known; add a supply or an agreement with it")
    if agreement is None:
        found.append(f"no agreement is known of {supply.name} now; add one: inglenook add energy.agreement")
    elif agreement.currency not in ("", "GBP"):
        found.append(f"midata is for Great Britain, and the agreement of {supply.name} is in {agreement.currency}")
    if known < FEWEST_DAYS * 96:
        found.append(
            f"{supply.name} was measured for {known // 96} days of the last year; a year of use needs {FEWEST_DAYS} at "
            "least; import more"
        )
    return found


def _cost(
    connection: Connection, used: Used, known: KnownTariff | None, span: tuple[int, int], kwh: Decimal
) -> Decimal | None:
    """What the year costs with so much used, on the tariff that holds now."""
    if known is None:
        return None
    tariff = known.needed()
    stretch = Stretch(tariff, supplies.prices(connection, tariff, *span), *span, tariff)
    return Case(used.quarters, (stretch,)).using(kwh).total


def _postcode(connection: Connection, agreement: Agreement) -> str:
    fact = records.one(connection, agreement.fact)
    found = _POSTCODE.search(fact.fields.get("address", "")) if fact else None
    return found[0].upper() if found else ""


def _local(at_ms: int | None, zone: tzinfo, *, before: bool = False) -> date | None:
    """The local day of an instant, or that of the last moment before it."""
    return None if at_ms is None else datetime.fromtimestamp((at_ms - before) / 1000, zone).date()


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%Y%m%d}"


def _whole(kwh: Decimal) -> str:
    return f"{kwh.quantize(Decimal(1), ROUND_HALF_UP):f}"
