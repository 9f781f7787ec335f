"""Statements that banks wrote, against independent counts of their rows and sums of their amounts."""

import re
from decimal import Decimal

import mt940 as mt940_library
import pytest

from appliance import importers
from appliance.records import Item, Record, Rejected, Warned
from tests.contracts.importers import extracted
from tests.corpus import corpus_file

# The library mt-940 counts what was taken back (RC, RD) the wrong way round: its sum differs by twice those.
TAKEN_BACK = {"sepa-month.mt940": Decimal("-819.52")}


def _payments(items: list[Item]) -> list[Record]:
    return [each for each in items if isinstance(each, Record) and each.kind == "money.transaction"]


@pytest.mark.parametrize(
    "name", ["abnamro", "bad-details", "ing", "postfinance", "rabobank-iban", "sepa-month"], ids=lambda name: name
)
def test_mt940(name: str) -> None:
    path = corpus_file(f"money/{name}.mt940")
    data = path.read_bytes()
    assert importers.identified(data, path.name) == "mt940"
    items = extracted("mt940", data)
    payments = _payments(items)
    others = mt940_library.parse(str(path)).transactions
    assert len(payments) == len(others) == len(re.findall(rb"^:61:", data, re.M))
    total = sum(each.data["amount"].amount for each in others) + TAKEN_BACK.get(path.name, 0)
    assert sum(each.amount or 0 for each in payments) == total
    assert not [each for each in items if isinstance(each, Rejected)]
    assert all(each.title and each.unit and each.account for each in payments)


@pytest.mark.parametrize(
    ("name", "adds_up"),
    [
        ("sepa-month", True),
        ("rabobank-iban", True),
        ("abnamro", False),
        ("bad-details", False),
        ("ing", False),
        ("postfinance", False),
    ],
)
def test_what_does_not_add_up_is_said(name: str, adds_up: bool) -> None:
    items = extracted("mt940", corpus_file(f"money/{name}.mt940").read_bytes())
    assert bool([each for each in items if isinstance(each, Warned)]) is not adds_up


@pytest.mark.parametrize("name", ["day-first", "overlap-1", "overlap-2"])
def test_qif(name: str) -> None:
    path = corpus_file(f"money/{name}.qif")
    data = path.read_bytes()
    assert importers.identified(data, path.name) == "qif"
    payments = _payments(extracted("qif", data))
    amounts = [Decimal(each.decode()) for each in re.findall(rb"^T(\S+)", data, re.M)]
    assert [each.amount for each in payments] == amounts
    assert len(payments) == data.count(b"^")


@pytest.mark.parametrize(("name", "broken"), [("statement", 0), ("twins-same-day", 0), ("bad-amount", 1)])
def test_camt(name: str, broken: int) -> None:
    path = corpus_file(f"money/{name}.camt053.xml")
    data = path.read_bytes()
    assert importers.identified(data, path.name) == "camt"
    items = extracted("camt", data)
    payments = _payments(items)
    entries = re.findall(rb"<Ntry>\s*<Amt Ccy=\"(\w+)\">([^<]*)</Amt>\s*<CdtDbtInd>(\w+)", data)
    assert len(payments) + broken == len(entries)
    stated = [
        (1 if sign == b"CRDT" else -1) * Decimal(amount.decode()) for _, amount, sign in entries if b".." not in amount
    ]
    assert [each.amount for each in payments] == stated
    assert len([each for each in items if isinstance(each, Rejected)]) == broken


def test_apple_health() -> None:
    path = corpus_file("health/apple-health-export.xml")
    data = path.read_bytes()
    assert importers.identified(data, path.name) == "apple_health"
    items = extracted("apple_health", data)
    measured = [each for each in items if isinstance(each, Record)]
    stated = re.findall(rb"<(?:Record|Workout|ActivitySummary)[ >]", data)
    assert len(measured) == len(stated)
    assert {each.kind for each in measured} == {"health.measurement"}
    assert not [each for each in items if isinstance(each, Rejected)]


def test_midata() -> None:
    path = corpus_file("money/midata-current-account.csv")
    data = path.read_bytes()
    assert importers.identified(data, path.name) == "midata"
    items = extracted("midata", data)
    rows = [line.split(",") for line in data.decode("cp1252").split("\r")[1:] if line.count(",") == 4]
    stated = [Decimal(row[3].replace("£", "")) for row in rows]
    assert [each.amount for each in _payments(items)] == stated
    assert not [each for each in items if isinstance(each, Rejected)]
    assert [each.message for each in items if isinstance(each, Warned)] == [
        "The file says besides: Arranged overdraft limit 26/10/2016 £0.00."
    ]
