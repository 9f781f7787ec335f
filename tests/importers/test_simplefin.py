"""SimpleFIN's oddities. What every importer must do is in tests/contracts/importers.py."""

import json
from decimal import Decimal
from typing import Any

import pytest

from appliance.importers import simplefin
from appliance.records import Item, Record, Rejected, Source


def account_set(*payments: dict[str, Any], **said: Any) -> bytes:
    account = {"id": "1", "name": "Current", "currency": "EUR", "balance": "0", "balance-date": 1, **said}
    return json.dumps({"errlist": [], "accounts": [{**account, "transactions": payments}]}).encode()


def payment(**said: Any) -> dict[str, Any]:
    return {"id": "T", "posted": 1_700_000_000, "amount": "-1.00", "description": "Shop", **said}


def items(data: bytes) -> list[Item]:
    return list(simplefin.extract(data, simplefin.Options()))


def payments(data: bytes) -> list[Record]:
    return [each for each in items(data) if isinstance(each, Record) and each.kind == "money.transaction"]


def test_amounts_are_exact_whether_texts_or_numbers() -> None:
    said = ["-33293.43", "0.000001", "99999999999.99", 12, "-0", "+7.5"]
    found = [each.amount for each in payments(account_set(*(payment(amount=each) for each in said)))]
    assert found == [Decimal(str(each)) for each in said]
    data = b'{"errors":[],"accounts":[{"balance-date":1,"transactions":[{"posted":1,"amount":0.1}]}]}'
    assert payments(data)[0].amount == Decimal("0.1"), "no float on its way"


@pytest.mark.parametrize("amount", ["1,234", "1e3", "", None, True, {}, "0x1", "NaN", "\u0661"])
def test_what_is_no_sure_amount_is_rejected_and_the_next_is_read(amount: object) -> None:
    found = items(account_set(payment(amount=amount), payment()))
    rows = [each for each in found if isinstance(each, Rejected) or (isinstance(each, Record) and each.title == "Shop")]
    assert [type(each) for each in rows] == [Rejected, Record]


def test_an_account_is_the_same_in_both_versions_of_the_protocol() -> None:
    one = account_set(org={"domain": "www.bank.example", "name": "The Bank", "sfin-url": "x"})
    two = json.loads(account_set(conn_id="C"))
    two["connections"] = [{"conn_id": "C", "name": "The Bank - Ann", "org_url": "https://bank.example/login"}]
    sources = [each for data in (one, json.dumps(two).encode()) for each in items(data) if isinstance(each, Source)]
    assert [each.name for each in sources] == ["simplefin bank.example/1"] * 2
    assert [each.title for each in sources] == ["The Bank Current", "The Bank - Ann Current"]


def test_a_row_leads_to_its_bytes_whatever_letters_stand_before_it() -> None:
    data = json.dumps(json.loads(account_set(payment(), payment(description="Caf\u00e9"))), ensure_ascii=False).encode()
    for each in payments(data):
        raw = data[each.span.first : each.span.first + each.span.length]
        assert json.loads(raw)["description"] == each.title


def test_what_lies_behind_a_break_is_one_rejected_row() -> None:
    good = account_set(payment())
    data = good.replace(b"]}]}", b"]} " + b'{"id": "2", "transactions": []}]}')
    found = items(data)
    assert len(payments(data)) == 1
    [rest] = [each for each in found if isinstance(each, Rejected)]
    assert rest.where == "the rest of the file"
    assert data[rest.span.first : rest.span.first + rest.span.length].startswith(b'{"id": "2"')
    assert "no further" in str(found[-1])
