"""Tesco's data: lists of lists, and what a price is of."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from appliance.importers import tesco_clubcard
from appliance.records import Item, Record, Rejected, Warned


def shop(*products: dict[str, Any], **said: Any) -> dict[str, Any]:
    usual = {"timeStamp": "2025-01-11 10:22:33", "storeId": "1", "basketValueNet": "5.00", "basketValueGross": "5.00"}
    return usual | {"product": list(products)} | said


def product(price: str, quantity: str = "1", **said: Any) -> dict[str, Any]:
    return {"name": "Tea", "price": price, "quantity": quantity} | said


def items(data: object, **stated: str) -> list[Item]:
    raw = json.dumps(data).encode()
    return list(tesco_clubcard.extract_forward(iter([raw]), tesco_clubcard.Options(**stated)))


def records(found: Sequence[Item], kind: str) -> list[Record]:
    return [item for item in found if isinstance(item, Record) and item.kind == kind]


@pytest.mark.parametrize(
    "data",
    [
        {"Purchase": [[shop(product("5.00"))], [], [shop(product("5.00"))]]},
        {"Purchase": [shop(product("5.00")), shop(product("5.00"))]},
        {"purchases": [shop(product("5.00"))], "orders": [shop(product("5.00"))]},
    ],
)
def test_shops_are_found_in_lists_and_in_lists_of_lists(data: object) -> None:
    found = items(data)
    assert len(records(found, "shop.order")) == len(records(found, "shop.purchase")) == 2


@pytest.mark.parametrize(
    ("products", "amounts"),
    [
        ([product("1.00", "5")], ["5.00"]),
        ([product("5.00", "5")], ["5.00"]),
        ([product("8.00", weight="0.5"), product("1.00")], ["4.00", "1.00"]),
        ([product("3.00", "2")], [None]),
    ],
)
def test_what_a_price_is_of_is_settled_by_the_basket_and_else_not_guessed(
    products: list[dict[str, Any]], amounts: list[str | None]
) -> None:
    found = items({"Purchase": [[shop(*products)]]})
    meant = [amount and Decimal(amount) for amount in amounts]
    assert [record.amount for record in records(found, "shop.purchase")] == meant
    warned = any(isinstance(item, Warned) and "another sum" in item.message for item in found)
    assert warned == (None in amounts)


def test_a_purchase_is_linked_to_its_shop_and_has_its_bytes() -> None:
    found = items({"Purchase": [[shop(product("2.00"), product("3.00"))]]})
    [order] = records(found, "shop.order")
    assert {(each.fields["order"], each.span) for each in records(found, "shop.purchase")} == {
        (order.fields["number"], order.span)
    }


def test_times_are_in_the_zone_that_is_stated_and_midnight_is_a_day() -> None:
    data = {"Purchase": [[shop(timeStamp="2025-07-11 10:22:33"), shop(timeStamp="2025-07-11 00:00:00")]]}
    times = [record.at.isoformat() for record in records(items(data, zone="Europe/London"), "shop.order") if record.at]
    assert times == ["2025-07-11T10:22:33+01:00", "2025-07-11"]


def test_one_broken_shop_costs_no_other() -> None:
    found = items({"Purchase": [[shop(basketValueNet="lots"), shop(product("5.00"))]]})
    assert [item.where for item in found if isinstance(item, Rejected)] == ["purchase 1"]
    assert len(records(found, "shop.order")) == 1
