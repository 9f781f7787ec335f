"""Records: filtered, paged, and each down to the bytes that it was read from."""

import html
import re
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import archiving, people
from appliance.ingest import importing, stating
from appliance.people import Household
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.search import asking
from appliance.store.timeline import Query
from services.dashboard import records
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.box import box
from tests.services.dashboard.conftest import NAME, PASSWORD
from tests.statements import Row, ofx

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
        ("search=Shop+11", 13),  # 11 and 110 to 119, and what cost 11.50 and 110.50
        ("search=Shop+11&order=newest", 13),
        ("search=%2211%22", 2),
        ("search=shop&year=2024", 50),
        ("year=2023", 0),
        ("year=x&amount=7&import=%C2%B2", 50),
        ("amount=0", 9),
        ("amount=5", 50),
        ("lowest=11.5&highest=20", 9),
        ("lowest=11,5&highest=12.4", 1),
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


def _found(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page.partition('class="found"')[2].partition("</p>")[0]).split())[2:]


def test_how_many_there_are_is_said(store: Store, ada: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _found(ada.get("/records").text) == "120 records"
    assert _found(ada.get('/records?search="11"').text) == "2 records"
    monkeypatch.setattr(asking, "MOST", 100)
    page = ada.get("/records?search=shop").text
    assert _found(page) == "100+ records , too many to rank: the newest come first"
    assert "Best matches" not in page


def test_the_best_matches_come_first_and_the_newest_where_that_is_asked(store: Store, ada: FlaskClient) -> None:
    best, newest = (_rows(ada.get(f"/records?search=11&order={order}").text) for order in ("", "newest"))
    assert best[0] == "Shop 11"
    assert newest[0] == "Shop 119"
    assert sorted(best) == sorted(newest)


def test_pages_of_the_best_matches_follow_each_other(store: Store, ada: FlaskClient) -> None:
    seen, path = list[str](), "/records?search=debit"
    while path:
        page = ada.get(path, headers={"HX-Request": "true"}).text
        seen += _rows(page)
        found = re.search(r'hx-get="([^"]+)"', page)
        path = html.unescape(found[1]) if found else ""
    assert seen == [f"Shop {day}" for day in reversed(range(ROWS))]


def test_each_choice_leads_to_as_many_as_it_says(store: Store, ada: FlaskClient) -> None:
    page = ada.get("/records?search=shop").text
    choices = re.findall(r'class="choice" href="([^"]+)"><span>([^<]+)</span><span class="numbers">(\d+)<', page)
    assert [(words, many) for _, words, many in choices] == [
        ("Under 10", "9"),
        ("10 to 100", "90"),
        ("100 to 1,000", "21"),
    ]
    for path, words, many in choices:
        chosen = ada.get(html.unescape(path)).text
        assert _found(chosen) == f"{many} records"
        assert f'aria-label="Without: {words}"' in chosen


def test_what_is_typed_brings_the_list_and_its_choices_alone(store: Store, ada: FlaskClient) -> None:
    part = ada.get("/records?search=shop", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert 'id="facets" class="facets" hx-swap-oob="true"' in part


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("search=%25", "write letters or digits"),
        ("search=nowhere", "Nothing has “nowhere” in it."),
        ("search=nowhere&year=2024", "among what is chosen above"),
        ("year=1999", "Nothing fits what is chosen above."),
        ("lowest=ten", "“ten” is not an amount"),
        ("lowest=nan", "“nan” is not an amount"),
    ],
)
def test_nothing_found_has_a_next_step(store: Store, ada: FlaskClient, query: str, words: str) -> None:
    assert words in ada.get(f"/records?{query}").text


def test_a_page_of_records_is_light(store: Store, ada: FlaskClient) -> None:
    assert len(ada.get("/records?search=shop").data) < 60_000


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


def test_the_records_that_are_chosen_say_what_they_come_to(store: Store, ada: FlaskClient) -> None:
    rows = [Row(date(2022, 5, 1), "-30.00", "ZINNIA 17"), Row(date(2022, 5, 9), "-4.00", "ZINNIA 18")]
    importing.import_bytes(store, ofx(rows, "NL02"), "zinnia.ofx")
    said = {"at": "2022-05-01", "party": "Zinnia", "amount": "30", "unit": "EUR"}
    stating.add(store, "shop.order", said, "Ada")
    page = ada.get("/records?year=2022").text
    assert '<strong class="total">−€\u202f34.00</strong>; 1 of them tells of what another does' in page
    assert '<strong class="total">€\u202f30.00</strong>' in ada.get("/records?year=2022&kind=shop.order").text
    assert "might be the same" not in page
    again = stating.add(store, "shop.order", {**said, "title": "Second"}, "Ada")
    page = ada.get("/records").text
    assert "3 records might be the same as others" in page
    assert f'<a href="/records/{again.id}">record&nbsp;{again.id}</a>' in page


def test_too_many_records_are_not_summed_while_a_page_waits(
    store: Store, ada: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'class="total"' in ada.get("/records?kind=money.transaction").text
    monkeypatch.setattr(records, "MOST_SUMMED", 100)
    assert 'class="total"' not in ada.get("/records?kind=money.transaction").text


def test_only_money_that_came_has_a_plus_and_a_colour(store: Store, ada: FlaskClient) -> None:
    for kind, said in (("money.transaction", {"at": "2023-01-01"}), ("shop.order", {"at": "2023-01-02", "party": "X"})):
        stating.add(store, kind, {"title": "Chair", "amount": "60", "unit": "EUR"} | said, "Ada")
    page = ada.get("/records?search=chair&order=newest").text
    found = re.findall(r'<span class="amount (\w*)">([^<]*)<', page)
    assert found == [("", "€\u202f60.00"), ("in", "+€\u202f60.00")]


def test_the_list_says_what_is_archived_and_so_not_in_it(new_app: Flask) -> None:
    found = box(new_app)
    people.claim(found.config, found.stores.home, Household("Elm", "Europe/Amsterdam", "EUR"), NAME, PASSWORD)
    client, token = new_app.test_client(), people.sign_in(found.stores.home, NAME, PASSWORD)
    client.set_cookie(SESSION_COOKIE, token or "")
    store = found.stores.named("ada")
    for year in (2018, 2019):
        importing.import_bytes(store, ofx([Row(date(year, 3, 1)), Row(date(year, 4, 1))]), f"{year}.ofx")
    assert "archived" not in client.get("/records").text
    archiving.make(store, found.config.stores / "ada", "money.transaction", date(2020, 1, 1))
    page = client.get("/records").text
    assert "4 facts of 2018 to 2019 are archived (money.transaction)" in page
    assert "No records yet" not in page
    assert 'href="/keeping"' in page[page.index("4 facts of 2018") :]
    assert "2 facts of 2019 are archived" in client.get("/records?year=2019").text
    assert "archived" not in client.get("/records?kind=note").text
