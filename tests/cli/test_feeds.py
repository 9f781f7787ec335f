"""`inglenook feeds` on a service that answers in JSON: tried first, then set up, then fetched again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Box
from tests.web_server import Answered, Asked, Server, serving

TOKEN = "a-token-that-nobody-may-read"
PAYMENTS = [
    {"id": "p1", "day": "2026-02-01", "amount": "-1.50", "name": "Mill Bakery"},
    {"id": "p2", "day": "30 February", "amount": "-2.50", "name": "Nowhere"},
    {"id": "p3", "day": "2026-02-03", "amount": "-3.50", "name": "Elm Cheese"},
]
MAPPING = """
items = "data"
kind = "money.transaction"
source = "Neighbourly"
[columns]
at = "day"
amount = "amount"
title = "name"
id = "id"
[constants]
unit = "EUR"
[paging]
page = "page"
"""


def _answer(asked: Asked) -> Answered:
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return Answered(b"", 401)
    page = int(asked.params["page"])
    return Answered(json.dumps({"data": PAYMENTS[2 * page - 2 : 2 * page]}).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(_answer) as made:
        yield made


@pytest.fixture
def said(server: Server, tmp_path: Path) -> list[str]:
    """The command that sets the service up."""
    (tmp_path / "payments.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    options = (
        f"address={server.address}/payments",
        f"token=@{tmp_path / 'token'}",
        f"mapping=@{tmp_path / 'payments.toml'}",
    )
    return ["feeds", "add", "json_api", "payments", *(word for each in options for word in ("--set", each))]


def test_a_dry_run_shows_what_would_come_and_sets_nothing_up(box: Box, said: list[str]) -> None:
    tried = box.run(*said, "--dry-run")
    assert tried.code == 1
    assert "Mill Bakery" in tried.out
    assert "2 read, 1 would be rejected; nothing was stored" in tried.out
    assert "item 2: its time '30 February' is not written as a time" in tried.err
    assert "Further pages come after this one" in tried.err
    assert TOKEN not in tried.out + tried.err
    [row] = box.run("--json", *said, "--dry-run").rows
    assert (row["read"], row["rejected"], row["rows"][0]["value"]) == (2, 1, "-1.50 EUR")
    assert box.json("feeds") == []
    assert box.json("records") == []


def test_what_was_set_up_comes_home_once_however_often_it_is_fetched(box: Box, said: list[str]) -> None:
    first = box.run("--json", *said)
    assert [(row["read"], row["stored"], row["rejected"]) for row in first.rows] == [(3, 2, 1)]
    [again] = box.json("feeds", "run", "payments")
    assert (again["files"], again["stored"]) == (0, 0)
    assert sorted(each["title"] for each in box.json("records")) == ["Elm Cheese", "Mill Bakery"]


def test_a_dry_run_that_fails_says_why(box: Box, said: list[str], server: Server) -> None:
    server.trouble = "403"
    tried = box.run(*said, "--dry-run")
    assert tried.code == 2
    assert "refused the password or token" in tried.err


def test_only_what_changes_nothing_at_a_service_can_be_tried(box: Box) -> None:
    tried = box.run("feeds", "add", "simplefin", "bank", "--set", "token=x", "--dry-run")
    assert tried.code == 2
    assert "simplefin cannot be tried" in tried.err
