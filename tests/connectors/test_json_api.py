"""Any JSON service over real sockets: tokens, pages of every sort, what is new alone, and mappings that do not fit."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appliance.connectors import Fetched, Kept, json_api
from appliance.connectors.json_api import Options
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching
from appliance.store import feeds
from appliance.store.database import Store
from appliance.web import Web
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
        found = [each for each in self.payments if each["day"] >= asked.params.get("from", "")]
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


def test_pages_without_end_are_ended(service: Service, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_api, "MOST_PAGES", 10)
    server.answer = lambda asked: Answered(b'{"data": [{"day": "2026-02-01"}], "links": {"next": "?page=1"}}')
    assert sum(each.content is not None for each in fetched(server)) == 1, "it says the same again and again"
    numbers = iter(range(1000))
    server.answer = lambda asked: Answered(b'{"data": [{"n": %d}], "links": {"next": "?page=1"}}' % next(numbers))
    assert sum(each.content is not None for each in fetched(server)) == 10


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


def test_an_answer_without_items_is_no_failure_later(service: Service, server: Server) -> None:
    kept = fetched(server)[-1].kept
    server.answer = lambda asked: Answered(b'{"error": "over quota"}')
    assert [each.content for each in fetched(server, kept)] == [None]


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
