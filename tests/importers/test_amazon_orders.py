"""Amazon's order history: amounts in quotes of their own, and what a row costs."""

import time
from decimal import Decimal

import pytest

from appliance.importers import amazon_orders
from appliance.records import Item, Record, Rejected

HEADING = b"Website,Order ID,Order Date,Currency,Unit Price,Unit Price Tax,Total Owed,ASIN,Quantity,Product Name\n"


def items(data: bytes, **stated: str) -> list[Item]:
    return list(amazon_orders.extract_forward(iter([data]), amazon_orders.Options(**stated)))


def records(data: bytes, **stated: str) -> list[Record]:
    return [item for item in items(data, **stated) if isinstance(item, Record)]


def row(owed: str = "9.99", day: str = "2026-02-03T18:04:11Z", site: str = "Amazon.co.uk", many: str = "1") -> bytes:
    return f"{site},026-1,{day},GBP,4.00,1.00,{owed},B01,{many},Kettle\n".encode()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("9.99", "9.99"),
        ("\"'1,234.56'\"", "1234.56"),
        ('"""1,234.56"""', "1234.56"),
        ("\"'1,234'\"", "1234"),
        ("'-1.00'", "-1.00"),
        ('"£1,234,567.80"', "1234567.80"),
        ('"1.234,56 €"', "1234.56"),
        ('"12,50"', "12.50"),
    ],
)
def test_an_amount_is_read_through_its_quotes(said: str, meant: str) -> None:
    assert [record.amount for record in records(HEADING + row(said))] == [Decimal(meant)]


@pytest.mark.parametrize("said", ["lots", '"1,234"', "1.2.3"])
def test_an_amount_that_is_not_certain_is_rejected(said: str) -> None:
    assert any(isinstance(item, Rejected) for item in items(HEADING + row(said)))
    assert not records(HEADING + row(said))


def test_what_has_no_total_costs_its_price_with_tax_for_as_many_as_there_are() -> None:
    assert [record.amount for record in records(HEADING + row("Not Available", many="3"))] == [Decimal("15.00")]


def test_times_are_as_precise_as_they_are_said_and_days_in_a_site_s_order() -> None:
    def said(day: str, site: str = "Amazon.co.uk", **stated: str) -> list[str]:
        return [record.at.isoformat() for record in records(HEADING + row(day=day, site=site), **stated) if record.at]

    assert said("2026-02-03T18:04:11Z") == ["2026-02-03T18:04:11+00:00"]
    assert said("2026-02-03 18:04:11 UTC") == ["2026-02-03T18:04:11+00:00"]
    assert said("2026-07-03T18:04:11", zone="Europe/London") == ["2026-07-03T18:04:11+01:00"]
    assert said("2026-02-03") == ["2026-02-03"]
    assert said("02/03/26", site="Amazon.com") == ["2026-02-03"]
    assert said("02/03/26") == []
    assert said("02/03/26", dates="day-first") == ["2026-03-02"]
    assert said("23/02/26") == ["2026-02-23"]


def test_a_purchase_names_its_order_and_equal_ones_stay_two() -> None:
    found = records(HEADING + row() * 2)
    assert [(record.fields["order"], record.memo) for record in found] == [("026-1", "026-1")] * 2


def test_hostile_files_take_linear_time() -> None:
    began = time.process_time()
    for data in (HEADING + b"," * 2_000_000, HEADING + b'"' * 300_000, HEADING + row("'" * 100_000), HEADING * 20_000):
        assert not records(data)
    assert time.process_time() - began < 10
