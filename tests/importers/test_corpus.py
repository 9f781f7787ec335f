"""The importers over files that no one here wrote, against a second, naive reading of the same bytes."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from appliance.importers import green_button, ofx
from appliance.records import Item, Readings, Record, Rejected
from tests.contracts.importers import keeps_the_rules
from tests.corpus import FOLDER, corpus_file

_STATEMENTS = sorted(path.name for pattern in ("*.ofx", "*.qfx") for path in (FOLDER / "money").glob(pattern))
_BALANCE = re.compile(r"<(?:(?:LEDGER|AVAIL)BAL>\s*<BALAMT|INVBAL>\s*<AVAILCASH)>\s*([^<\s]+)")
_AMOUNT = re.compile(r"<(?:TRNAMT|TOTAL)>\s*([^<\s]*)")
_ROW = re.compile(r"<(?:STMTTRN|(?:BUY|SELL)(?:STOCK|MF|DEBT|OPT|OTHER)|INCOME)>")


def _statement(name: str) -> tuple[str, list[Item]]:
    data = corpus_file(f"money/{name}").read_bytes()
    items = list(ofx.extract(data, ofx.Options()))
    keeps_the_rules(items, len(data))
    return data.decode("latin-1"), items


def _transactions(items: list[Item]) -> list[Record]:
    return [item for item in items if isinstance(item, Record) and item.kind == "money.transaction"]


def _balances(items: list[Item]) -> list[Decimal | None]:
    return [item.amount for item in items if isinstance(item, Record) and item.kind == "money.balance"]


@pytest.mark.parametrize("name", _STATEMENTS or ["checking.ofx"])
def test_every_transaction_of_a_statement_comes_out_once_with_its_amount(name: str) -> None:
    text, items = _statement(name)
    records = _transactions(items)
    rejects = [item for item in items if isinstance(item, Rejected)]
    assert len(records) + len(rejects) == len(_ROW.findall(text))
    said = [Decimal(amount) for amount in _AMOUNT.findall(text) if "$" not in amount]
    assert sum(record.amount or 0 for record in records) == sum(said)
    assert {record.unit for record in records} <= {"AUD", "CAD", "USD"}
    assert _balances(items) == [Decimal(amount) for amount in _BALANCE.findall(text)]


def test_a_brokers_statement_says_what_is_held() -> None:
    text, items = _statement("fidelity.ofx")
    held = [item for item in items if isinstance(item, Record) and item.kind == "money.holding"]
    assert len(held) == text.count("<INVPOS>") == 6
    assert [each.amount for each in held] == [Decimal(value) for value in re.findall(r"<MKTVAL>([^<]+)", text)]
    names = {name.strip() for name in re.findall(r"<SECNAME>([^<]+)", text)}
    assert len(names) == 7
    assert {each.title for each in held} <= names


def test_a_real_statement_is_read_whole() -> None:
    _, items = _statement("wesabe-checking.ofx")
    assert len(_transactions(items)) == 106
    assert not [item for item in items if isinstance(item, Rejected)]


def test_the_broken_decimal_is_rejected_with_its_line() -> None:
    text, items = _statement("bad-decimal.ofx")
    [reject] = [item for item in items if isinstance(item, Rejected)]
    assert reject.line == text[: text.index("<STMTTRN>")].count("\n") + 1
    assert f"line {text[: text.index('$120')].count(chr(10)) + 1}: the amount '$120'" in reject.reason


def _readings(name: str, **stated: str) -> tuple[str, list[Item]]:
    path: Path = corpus_file(f"energy/{name}")
    data = path.read_bytes()
    items = list(green_button.extract(data, green_button.Options(**stated)))
    keeps_the_rules(items, len(data))
    return data.decode(), items


def _said(text: str) -> list[int]:
    readings = re.findall(r"<(?:ns:)?IntervalReading>(.*?)</(?:ns:)?IntervalReading>", text, re.S)
    return [int(re.findall(r"value>(\d+)<", reading)[0]) for reading in readings]


@pytest.mark.parametrize(
    ("name", "count"), [("green-button-hourly-year.xml", 8760), ("green-button-nine-days.xml", 216)]
)
def test_a_years_electricity_adds_up_to_the_watt_hour(name: str, count: int) -> None:
    text, items = _readings(name)
    blocks = [item for item in items if isinstance(item, Readings)]
    kwh = sum((Decimal(sum(block.values)).scaleb(block.exponent) for block in blocks), Decimal(0))
    assert sum(len(block.values) for block in blocks) == count == len(_said(text))
    assert kwh == Decimal(sum(_said(text))) / 1000
    assert {(block.role, block.unit) for block in blocks} == {("electricity.import", "kWh")}
    assert not [item for item in items if isinstance(item, Rejected)]


def test_gas_without_a_unit_is_rejected_until_a_person_states_it() -> None:
    _, before = _readings("green-button-gas.xml")
    rejects = [item for item in before if isinstance(item, Rejected)]
    assert len(rejects) == 36
    assert all("states no unit" in reject.reason for reject in rejects)
    text, after = _readings("green-button-gas.xml", unit="m3", quantity="gas")
    blocks = [item for item in after if isinstance(item, Readings)]
    assert [value for block in blocks for value in block.values] == _said(text)
    assert len(_said(text)) == 36
    assert not [item for item in after if isinstance(item, Rejected)]
