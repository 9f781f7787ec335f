"""Records: filtered, paged, and each down to the bytes that it was read from."""

import html
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.ingest import importing
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from services.dashboard.box import box

SAMPLES = Path(__file__).parents[2] / "samples" / "ofx"
EVIL = b"<script>alert(1)</script>"
ROWS = 120


def _statement(rows: int) -> bytes:
    """A statement of so many rows, one a day, whose first memo is HTML and whose last byte outside it is no UTF-8."""
    transactions = b"".join(
        b"<STMTTRN>\n<TRNTYPE>DEBIT\n<DTPOSTED>2024%02d%02d\n<TRNAMT>-%d.50\n<FITID>n%d\n<NAME>Shop %d\n<MEMO>%s\n"
        b"</STMTTRN>\n" % (day // 28 + 1, day % 28 + 1, day + 1, day, day, b"&lt;i&gt;\xe9" if day else b"first")
        for day in range(rows)
    )
    return (
        b"OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS>"
        b"<STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>1<ACCTID>NL01<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n"
        + transactions
        + b"<!-- "
        + EVIL
        + b" -->\n</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """Ada's own store with a statement of 120 rows, which came twice: the second time with a row less."""
    store = box(app).stores.named("ada")
    importing.import_bytes(store, _statement(ROWS), "statement.ofx")
    importing.import_bytes(store, _statement(ROWS - 1), "again.ofx")
    return store


def _rows(page: str) -> list[str]:
    return [html.unescape(each) for each in re.findall(r'class="record-title">([^<]*)<', page)]


def test_pages_follow_each_other_without_a_gap_or_a_repetition(store: Store, ada: FlaskClient) -> None:
    seen, path = list[str](), "/records"
    while path:
        page = ada.get(path, headers={"HX-Request": "true"}).text
        seen += _rows(page)
        found = re.search(r'hx-get="([^"]+)"', page)
        path = html.unescape(found[1]) if found else ""
    assert seen == [f"Shop {day}" for day in reversed(range(ROWS))]


def test_a_day_is_named_once_though_the_page_ends_in_it(store: Store, ada: FlaskClient) -> None:
    page = ada.get("/records?after=0-1&day=2024-01-01", headers={"HX-Request": "true"}).text
    assert 'class="day"' not in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("search=Shop+11", 11),
        ("search=nothing", 0),
        ("kind=money.transaction", 50),
        ("kind=contact", 0),
        ("account=NL01", 50),
        ("from=2024-02-01&to=2024-02-10", 10),
        ("import=2", 0),
        ("import=1", 50),
        ("from=yesterday", 50),
        ("after=9999999999999999999-1", 50),
        ("after=x", 50),
        ("search=" + "%25" * 500, 0),
    ],
)
def test_filters(store: Store, ada: FlaskClient, query: str, count: int) -> None:
    answer = ada.get(f"/records?{query}")
    assert answer.status_code == 200
    assert len(_rows(answer.text)) == count


def test_a_day_that_is_none_is_said_so(store: Store, ada: FlaskClient) -> None:
    assert "“yesterday” is not a day" in ada.get("/records?from=yesterday").text


def _newest(store: Store) -> int:
    with store.read() as connection:
        return timeline.page(connection, Query(), 1).records[0].id


def test_a_record_shows_the_bytes_it_was_read_from(store: Store, ada: FlaskClient) -> None:
    page = ada.get(f"/records/{_newest(store)}").text
    own = re.search(r"<mark>(.*?)</mark>", page, re.DOTALL)
    assert own
    assert html.unescape(own[1]).startswith("<STMTTRN>")
    assert "Shop 119" in own[1]
    assert "\\xe9" in own[1]
    assert "Shop 118" in page
    assert "statement.ofx" in page
    assert "−€" in page


def test_what_a_file_says_is_never_part_of_the_page(store: Store, ada: FlaskClient) -> None:
    page = ada.get(f"/records/{_newest(store)}").text
    assert EVIL.decode() not in page
    assert html.escape(EVIL.decode()) in page


def test_a_record_names_where_else_it_was_seen(store: Store, ada: FlaskClient) -> None:
    page = ada.get(f"/records/{_newest(store) - 1}").text
    assert "Also seen in" in page
    assert "again.ofx" in page


@pytest.mark.parametrize("number", ["999999", "0", "9" * 30])
def test_a_record_that_is_not_there(store: Store, ada: FlaskClient, number: str) -> None:
    assert ada.get(f"/records/{number}").status_code == 404


def test_the_household_has_its_own(store: Store, ada: FlaskClient) -> None:
    assert "The household has no records yet" in ada.get("/records?store=home").text
    assert ada.get(f"/records/{_newest(store)}?store=home").status_code == 404
