"""Households whose readings no one here made, each under three tariffs, against a plain count of the same bytes."""

import csv
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance import costs, supplies
from appliance.ingest import importing
from appliance.store.database import Store
from tests.corpus import corpus_file
from tests.costs.tariffs import DYNAMIC, FLAT, NIGHT, QUARTER_S, keep_prices, known, slowly

Used = dict[int, Decimal]


def _rows(text: str, delimiter: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter)


def _quarter(at: datetime) -> int:
    return int(at.timestamp()) // QUARTER_S


def _minutes() -> tuple[Used, set[int]]:
    """Averages of minutes in kW, the day first; what a quarter used is a sixtieth of their sum, to 10^-9 kWh."""
    with zipfile.ZipFile(corpus_file("energy/uci-household-power-minutes.zip")) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    counts: defaultdict[int, int] = defaultdict(int)
    for row in _rows(text, ","):
        if row["Global_active_power"] not in ("", "?"):
            day, month, year = map(int, row["Date"].split("/"))  # in two figures or in four
            hour, minute, _ = map(int, row["Time"].split(":"))
            at = datetime(2000 + year % 100, month, day, hour, minute, tzinfo=UTC)
            sums[_quarter(at)] += Decimal(row["Global_active_power"])
            counts[_quarter(at)] += 1
    used = {quarter: (kw / 60).quantize(Decimal("1e-9"), ROUND_HALF_UP) for quarter, kw in sums.items()}
    return used, {quarter for quarter, count in counts.items() if count == 15}


def _fluvius() -> tuple[Used, set[int]]:
    used: defaultdict[int, Decimal] = defaultdict(Decimal)
    for row in _rows(corpus_file("energy/fluvius-quarter-hours.csv").read_text("utf-8"), ";"):
        if row["Register"].startswith("Afname") and row["Volume"]:
            said = f"{row['Van datum']} {row['Van tijdstip']}"
            at = datetime.strptime(said, "%d-%m-%Y %H:%M:%S").replace(tzinfo=ZoneInfo("Europe/Brussels"))
            used[_quarter(at)] += Decimal(row["Volume"].replace(",", "."))
    return used, set(used)


def _homewizard() -> tuple[Used, set[int]]:
    used, before = Used(), None
    for row in _rows(corpus_file("energy/homewizard-quarter-hours.csv").read_text("utf-8"), ","):
        at = _quarter(datetime.fromisoformat(row["time"]).replace(tzinfo=ZoneInfo("Europe/Amsterdam")))
        register = Decimal(row["Import T1 kWh"]) + Decimal(row["Import T2 kWh"])
        if before is not None:
            used[at - 1] = register - before
        before = register
    return used, set(used)


def _green_button() -> tuple[Used, set[int]]:
    """Hours in Wh, of which each quarter has its share."""
    text = corpus_file("energy/green-button-hourly-year.xml").read_text()
    reading = r"<IntervalReading.*?<duration>3600</duration>\s*<start>(\d+)</start>.*?<value>(\d+)</value>"
    multiplier = re.search(r"<powerOfTenMultiplier>(-?\d+)</powerOfTenMultiplier>", text)
    power = int(multiplier[1]) if multiplier else 0
    used = Used()
    for start, value in re.findall(reading, text, re.S):
        for place in range(4):
            used[int(start) // QUARTER_S + place] = Decimal(value).scaleb(power - 3) / 4
    return used, set(used)


@pytest.mark.parametrize(
    ("name", "stated", "zone", "read"),
    [
        ("uci-household-power-minutes.zip", {"zone": "UTC"}, "Europe/Paris", _minutes),
        ("fluvius-quarter-hours.csv", {}, "Europe/Brussels", _fluvius),
        ("homewizard-quarter-hours.csv", {"zone": "Europe/Amsterdam"}, "Europe/Amsterdam", _homewizard),
        ("green-button-hourly-year.xml", {}, "America/New_York", _green_button),
    ],
)
def test_a_household_costs_what_a_plain_count_says_and_its_gaps_are_told(
    store: Store, name: str, stated: dict[str, str], zone: str, read: Callable[[], tuple[Used, set[int]]]
) -> None:
    used, whole = read()
    with importing.opened(corpus_file(f"energy/{name}")) as content:
        importing.import_every(store, content, options=stated)
    [supply] = [each for each in supplies.every(store, ZoneInfo(zone)) if each.direction == "import"]
    known(store, zone, FLAT, NIGHT, DYNAMIC)
    first, end = min(used) // 96 * 96 - 96, max(used) // 96 * 96 + 192
    keep_prices(store, first, end)
    for tariff in ("Flat", "Night", "Dynamic"):
        found = costs.cost(store, supply, ZoneInfo(zone), tariff=tariff)
        days = slowly(used, tariff, zone, found.days[0].day, found.days[-1].day)
        assert {each.day: each.amount for each in found.days} == days
        assert found.totals == {"EUR": sum(days.values(), Decimal(0))}
        assert sum(each.used for each in found.days) == sum(used.values())
    missing = found.end - found.first - len(whole)
    assert sum(each.missing for each in found.days) == missing
    assert any(f"{missing:,} quarter-hour" in told for told in found.told) == (missing > 0)
    assert (found.days[-1].day - found.days[0].day) / timedelta(days=1) == len(found.days) - 1
