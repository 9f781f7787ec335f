"""Any JSON service over real sockets: tokens, pages of every sort, what is new alone, and mappings that do not fit."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.connectors import Fetched, Kept, json_api
from appliance.connectors.json_api import Options
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching
from appliance.store import feeds
from appliance.store.database import Store
from appliance.web import Web
from tests import web_server
from tests.connectors import feeding
from tests.web_server import Answered, Asked, Server, serving

TOKEN = "a-token-that-nobody-may-read"
NOW_S = 1_772_323_200  # 2026-03-01
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
"""
NEXT, PAGE = '[paging]\nnext = "links.next"\n', '[paging]\npage = "page"\nfirst = 1\n'
CURSOR, SINCE = '[paging]\ncursor = "more"\nparameter = "after"\n', '[since]\nparameter = "from"\ndays = 3\n'


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seconds that the connector takes for now, which a test may change."""
    at = [NOW_S]
    monkeypatch.setattr(json_api, "_now_s", lambda: at[0])
    return at


class Service:
    """A service of payments, two a page, by which a test may say what else it does."""

    def __init__(self) -> None:
        self.payments = [self.payment(number) for number in range(1, 6)]
        self.address = ""
        self.link: Callable[[int], object] = lambda page: f"{self.address}/v1/payments?page={page}"

    @staticmethod
    def payment(number: int) -> dict[str, Any]:
        return {"id": f"p{number}", "day": f"2026-02-{number:02}", "amount": f"-{number}.50", "name": f"Shop {number}"}

    def __call__(self, asked: Asked) -> Answered:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered(b'{"error": "who?"}', 401)
        found = [each for each in self.payments if str(each["day"]) >= asked.params.get("from", "")]
        page = int(asked.params.get("page") or asked.params.get("after") or 1)
        said: dict[str, Any] = {"data": found[2 * page - 2 : 2 * page], "links": {"next": None}}
        if 2 * page < len(found):
            said |= {"links": {"next": self.link(page + 1)}, "more": page + 1}
        return Answered(json.dumps(said).encode())


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[Server]:
    with serving(service) as made:
        service.address = made.address
        yield made


def said(server: Server, paging: str = NEXT, **more: str) -> dict[str, str]:
    return {"address": f"{server.address}/v1/payments", "token": TOKEN, "mapping": MAPPING + paging, **more}


def fetched(server: Server, kept: Kept | None = None, paging: str = NEXT, **more: str) -> list[Fetched]:
    return list(json_api.fetch(Options(**said(server, paging, **more)), kept or {}, Web()))


@pytest.mark.parametrize("paging", [NEXT, PAGE, CURSOR])
def test_every_page_comes_home_and_later_only_those_that_changed(
    service: Service, server: Server, store: Store, paging: str
) -> None:
    feed = feeding.add(store, "json_api", said(server, paging))
    first = feeding.done(store, feed)
    assert (first.files, first.stored) == (3, 5)
    assert feeding.titles(store) == [f"Shop {number}" for number in range(1, 6)]
    assert feeding.sources(store) == {"Neighbourly"}
    assert feeding.done(store, feed).files == 0
    service.payments += [Service.payment(6)]
    second = feeding.done(store, feed)
    assert (second.files, second.stored, second.duplicate) == (1, 1, 1)
    with store.read() as connection:
        assert TOKEN not in str(connection.exec_driver_sql("SELECT * FROM feeds").all())


def test_by_a_mapping_that_was_mended_all_is_read_anew_and_nothing_doubled(
    service: Service, server: Server, store: Store
) -> None:
    for each in service.payments:
        each["booked"] = each["day"]
    service.payments[1]["day"] = None
    feed = feeding.add(store, "json_api", said(server))
    assert feeding.done(store, feed).rejected == 1
    mended = fetching.change(store, feed, {"mapping": MAPPING.replace('at = "day"', 'at = "booked"') + NEXT})
    done = feeding.done(store, mended)
    assert (done.stored, done.duplicate, done.rejected) == (1, 4, 0)
    assert feeding.titles(store) == [f"Shop {number}" for number in range(1, 6)]


def test_only_what_is_new_is_asked_for_where_the_service_can(service: Service, server: Server, now: list[int]) -> None:
    kept = fetched(server, paging=NEXT + SINCE)[-1].kept
    assert "from" not in server.asked[0].params
    now[0] += 86_400
    server.asked.clear()
    fetched(server, kept, NEXT + SINCE)
    assert server.asked[0].params["from"] == "2026-02-26"


def test_a_next_page_may_be_named_by_a_part_of_its_address(service: Service, server: Server) -> None:
    service.link = lambda page: f"payments?page={page}"
    assert sum(each.content is not None for each in fetched(server)) == 3


@pytest.mark.parametrize("link", ["https://thief.example/payments", "//thief.example/x", "http://[", "ftp://a/"])
def test_the_token_is_sent_to_no_other_server(service: Service, server: Server, link: str) -> None:
    service.link = lambda page: link
    with pytest.raises(SourceError, match="leads to another server") as raised:
        fetched(server)
    assert raised.value.permanent


@pytest.mark.parametrize(("links", "pages"), [(["?p=1"], 2), (["?p=1", "?p=2", "?p=1"], 3)])
def test_pages_that_lead_round_are_fetched_once_and_it_is_said(server: Server, links: list[str], pages: int) -> None:
    """Each answer says something else, so that only the addresses show that it goes round."""
    numbers = iter(range(1_000))

    def answer(asked: Asked) -> Answered:
        number = next(numbers)
        link = links[min(number, len(links) - 1)]
        return Answered(json.dumps({"data": [{"day": "2026-02-01", "n": number}], "links": {"next": link}}).encode())

    server.answer = answer
    found = fetched(server)
    assert len(server.asked) == pages == sum(each.content is not None for each in found)
    assert f"leads from page {pages} back to one before it" in found[-1].remark


def test_pages_without_end_are_ended_and_it_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_api, "MOST_PAGES", 10)
    server.answer = lambda asked: Answered(b'{"data": [{"n": %s}]}' % asked.params["page"].encode())
    found = fetched(server, paging=PAGE)
    assert sum(each.content is not None for each in found) == 10
    assert "Only the first 10 pages were fetched" in found[-1].remark


@pytest.mark.parametrize(
    "past", [Answered(b'{"detail": "Invalid page."}', 404), Answered(b'{"detail": "Invalid page."}'), Answered(b"{}")]
)
def test_what_comes_after_the_last_page_by_number_is_no_failure(
    service: Service, server: Server, store: Store, past: Answered
) -> None:
    server.answer = lambda asked: past if asked.params.get("page") == "4" else service(asked)
    feed = feeding.add(store, "json_api", said(server, PAGE))
    assert (feeding.done(store, feed).stored, server.asked[-1].params["page"]) == (5, "4")


def test_a_service_that_gives_its_last_page_again_is_left_there(service: Service, server: Server) -> None:
    """The page says when it was made, and so is never the same: its items are."""
    times = iter(range(100))

    def answer(asked: Asked) -> Answered:
        page = min(int(asked.params["page"]), 3)
        made = {"data": service.payments[2 * page - 2 : 2 * page], "made": next(times)}
        return Answered(json.dumps(made).encode())

    server.answer = answer
    found = fetched(server, paging=PAGE)
    assert (len(server.asked), sum(each.content is not None for each in found)) == (4, 3)
    assert [each.content for each in fetched(server, found[-1].kept, PAGE)] == [None], "nothing in it is new"


def test_a_next_page_in_clear_of_an_encrypted_service_is_asked_encrypted(service: Service, tmp_path: Path) -> None:
    """A service behind a proxy does not know that it is encrypted, and writes its addresses so."""
    identity, pem = web_server.identity(tmp_path)
    with serving(service, identity) as server:
        service.link = lambda page: f"{server.address.replace('https', 'http')}/v1/payments?page={page}"
        assert sum(each.content is not None for each in fetched(server, certificate=pem)) == 3


@pytest.mark.parametrize(
    ("more", "name", "value"),
    [
        ({}, "authorization", f"Bearer {TOKEN}"),
        ({"header": "X-Api-Key"}, "x-api-key", TOKEN),
        ({"header": "Authorization: Token token="}, "authorization", f"Token token= {TOKEN}"),
        ({"token": "", "user": "ann", "password": "p"}, "authorization", "Basic YW5uOnA="),
    ],
)
def test_the_token_goes_where_the_service_wants_it(server: Server, more: dict[str, str], name: str, value: str) -> None:
    server.answer = lambda asked: Answered(b'{"data": []}')
    fetched(server, {"digests": []}, **more)
    assert server.asked[0].headers[name] == value


def test_a_token_may_stand_in_the_address_and_is_shown_nowhere(server: Server) -> None:
    address = f"{server.address}/v1/payments?key={{token}}"
    server.answer = lambda asked: Answered(b'{"data": []}')
    fetched(server, {"digests": []}, address=address, token="a b/c")
    assert server.asked[0].params == {"key": "a b/c"}
    assert "authorization" not in server.asked[0].headers
    server.answer = lambda asked: Answered(status=404)
    with pytest.raises(SourceError) as raised:
        fetched(server, address=address)
    assert TOKEN not in str(raised.value) + repr(Options(**said(server)))


def test_a_mapping_that_does_not_fit_says_what_there_is(server: Server, store: Store) -> None:
    feed = feeding.add(store, "json_api", said(server, mapping=MAPPING.replace('"data"', '"payments"')))
    done = fetching.fetch(store, feed.id)
    assert done.state == feeds.STOPPED
    assert "there are no items at payments" in done.message
    assert "there is: data, links" in done.message


def test_an_answer_without_items_is_said_later_and_the_days_are_asked_for_again(server: Server, now: list[int]) -> None:
    kept = fetched(server, paging=NEXT + SINCE)[-1].kept
    now[0] += 86_400
    server.answer = lambda asked: Answered(b'{"error": "over quota"}')
    [missed] = fetched(server, kept, NEXT + SINCE)
    assert missed.remark.endswith("answers; there is: error.")
    assert missed.kept == kept


@pytest.mark.parametrize("body", [b'{"data": []}', b'{"data": null}'])
def test_an_account_without_anything_yet_is_no_failure(server: Server, body: bytes) -> None:
    server.answer = lambda asked: Answered(body)
    [only] = fetched(server)
    assert (only.content, only.remark) == (None, "")


@pytest.mark.parametrize("trouble", ["500", "cut in the middle", "nonsense", "429 seconds"])
def test_trouble_between_pages_costs_nothing(service: Service, server: Server, store: Store, trouble: str) -> None:
    feed = feeding.add(store, "json_api", said(server))

    def answer(asked: Asked) -> Answered:
        server.trouble = trouble if asked.params.get("page") == "2" else ""
        return service(asked)

    server.answer = answer
    cut = fetching.fetch(store, feed.id)
    assert (cut.state, cut.stored) == (feeds.WAITING, 4)
    server.trouble, server.answer = "", service
    rest = feeding.done(store, feed)
    assert (rest.files, rest.stored, rest.duplicate) == (1, 1, 0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"mapping": ""}, "say how the items are read"),
        ({"mapping": "kind = "}, "this is no TOML"),
        ({"header": "Not a header"}, "write its name"),
        ({"token": "two\nlines"}, "copy it again"),
        ({"address": "nowhere at all"}, "no address of a server"),
    ],
)
def test_what_makes_no_sense_is_refused(more: dict[str, str], words: str) -> None:
    given = {"address": "https://api.example/v1", "token": TOKEN, "mapping": MAPPING, **more}
    with pytest.raises(UserError, match=words) as raised:
        Options(**given)
    assert "two" not in str(raised.value)
