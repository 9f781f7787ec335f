"""Green Button Connect over real sockets: permission, tokens exchanged once, and readings that are prepared."""

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from appliance import energy
from appliance.connectors import Fetched, Kept, green_button_connect
from appliance.connectors.green_button_connect import DAY_S, Options
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching
from appliance.store import feeds
from appliance.store.database import Store
from appliance.store.feeds import Feed, Sealed
from appliance.web import Web
from tests.connectors import feeding
from tests.green_button import FIRST_S, HOUR_S
from tests.green_button_server import CLIENT, SECRET, Company
from tests.web_server import Answered, Asked, Server, serving

BACK = "http://127.0.0.1:8000/feeds/answer"
VERIFIER = "v" * 64
NOW_S = FIRST_S + 10 * DAY_S


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seconds that the connector takes for now, which a test may change."""
    at = [NOW_S]
    monkeypatch.setattr(green_button_connect, "_now_s", lambda: at[0])
    return at


@pytest.fixture
def company() -> Company:
    return Company(hours=list(range(1, 49)), updated_s=[FIRST_S + hour * HOUR_S for hour in range(48)])


@pytest.fixture
def server(company: Company) -> Iterator[Server]:
    with serving(company) as made:
        company.address = made.address
        yield made


def said(server: Server, **more: str) -> dict[str, str]:
    address = server.address
    return {
        "authorization": f"{address}/oauth/authorize",
        "exchange": f"{address}/oauth/token",
        "client": CLIENT,
        "client_secret": SECRET,
        "scope": "FB=4_5_15;IntervalDuration=3600",
        **more,
    }


def allowed(server: Server, verifier: str = VERIFIER, **more: str) -> Kept:
    """What is kept once a person has signed in at the company, and allowed it."""
    options = Options(**said(server, **more))
    led = requests.get(
        green_button_connect.consent(options, BACK, "token-1", VERIFIER), allow_redirects=False, timeout=9
    )
    back = urlsplit(led.headers["Location"])
    answered = {name: values[0] for name, values in parse_qs(back.query).items()}
    assert back.geturl().startswith(BACK)
    assert answered["state"] == "token-1"
    return green_button_connect.consented(options, BACK, answered["code"], verifier, Web())


def fed(server: Server, store: Store, **more: str) -> Feed:
    feed = feeding.add(store, "green_button_connect", said(server, **more))
    with store.write() as connection:
        sealed = feeds.sealed(connection, store.key, feed)
        feeds.seal(connection, store.key, feed, Sealed(sealed.secrets, dict(allowed(server, **more))))
    return feed


def fetched(server: Server, kept: Kept, **more: str) -> list[Fetched]:
    return list(green_button_connect.fetch(Options(**said(server, **more)), kept, Web()))


def used_kwh(store: Store) -> list[Decimal]:
    [source] = {each.source for each in energy.series(store)}
    columns, exponent = energy.raw(store, energy.resolved(store, source, "electricity.import"), None, None)
    return [energy.decimal(value, exponent) for value in columns.values.tolist()]


def test_readings_come_home_and_later_only_what_was_updated(
    company: Company, server: Server, store: Store, now: list[int]
) -> None:
    feed = fed(server, store)
    assert feeding.done(store, feed).stored == 48
    assert used_kwh(store) == [Decimal(wh) / 1000 for wh in range(1, 49)]
    now[0] += 2 * DAY_S
    company.hours += [500, 600]
    company.updated_s += [now[0], now[0]]
    second = feeding.done(store, feed)
    assert (second.read, second.stored) == (2, 2)
    assert company.since == ["", "2026-03-08T00:00:00Z"], "a whole day, some days before the last time"
    now[0] += 1
    assert feeding.done(store, feed).files == 0, "it says what it said"


@pytest.mark.parametrize("sent_in", ["header", "form"])
@pytest.mark.parametrize("pkce", ["yes", "no"])
def test_companies_take_the_secret_in_one_way_or_the_other(server: Server, sent_in: str, pkce: str) -> None:
    assert fetched(server, allowed(server, sent_in=sent_in, pkce=pkce), sent_in=sent_in, pkce=pkce)[-1].content


def test_a_code_that_somebody_else_asked_for_is_worth_nothing(server: Server) -> None:
    with pytest.raises(SourceError, match=r"choose Allow, and sign in there \(invalid_grant\)") as raised:
        allowed(server, verifier="another")
    assert raised.value.permanent


def test_a_token_that_is_over_is_exchanged_and_the_other_is_kept_at_once(
    company: Company, server: Server, now: list[int]
) -> None:
    kept = allowed(server)
    now[0] += company.lasts_s
    running = green_button_connect.fetch(Options(**said(server)), kept, Web())
    first = next(running)
    assert first.content is None
    assert first.kept["refresh"] == company.refresh != kept["refresh"]
    del running  # a cut: the exchange was done, and its answer is kept
    found = fetched(server, first.kept)
    assert found[-1].content
    assert found[-1].kept["refresh"] == company.refresh


def test_a_token_that_ends_early_is_exchanged_too(company: Company, server: Server) -> None:
    kept = allowed(server)
    company.access = "another, since the company forgot the first"
    assert fetched(server, kept)[-1].content


def test_a_permission_that_was_withdrawn_stops_the_feed(company: Company, server: Server, store: Store) -> None:
    feed = fed(server, store)
    feeding.done(store, feed)
    company.is_withdrawn = True
    done = fetching.fetch(store, feed.id)
    assert done.state == feeds.STOPPED
    assert "choose Allow" in done.message
    with store.read() as connection:
        shown = str(connection.exec_driver_sql("SELECT * FROM feeds").all()) + done.message
    assert all(secret not in shown for secret in (SECRET, company.access, company.refresh))


def test_what_is_prepared_is_asked_for_at_the_same_address_until_it_is_there(
    company: Company, server: Server, store: Store, now: list[int]
) -> None:
    feed = fed(server, store)
    feeding.done(store, feed)
    now[0] += 4 * DAY_S
    company.preparing = 2
    company.hours += [500]
    company.updated_s += [now[0]]
    for _ in range(2):
        done = fetching.fetch(store, feed.id)
        assert done.state == feeds.WAITING
        assert "is preparing the readings" in done.message
        now[0] += DAY_S
    assert feeding.done(store, feed).stored == 1
    assert company.since == ["", *["2026-03-08T00:00:00Z"] * 3]
    now[0] += DAY_S
    feeding.done(store, feed)
    assert company.since[-1] == "2026-03-12T00:00:00Z", "three days before it was asked for, not before it came"


def test_the_company_s_own_address_of_the_data_is_taken(company: Company, server: Server) -> None:
    company.is_named = False
    with pytest.raises(SourceError, match="write their address"):
        fetched(server, allowed(server))
    address = f"{server.address}{company.resource}"
    assert fetched(server, allowed(server, resource=address), resource=address)[-1].content


def test_nothing_is_asked_before_it_is_allowed(server: Server) -> None:
    with pytest.raises(SourceError, match="choose Allow") as raised:
        fetched(server, {})
    assert raised.value.permanent
    assert server.asked == []


def test_a_company_without_readings_yet_is_no_failure(company: Company, server: Server, store: Store) -> None:
    company.hours, company.updated_s = [], []
    done = feeding.done(store, fed(server, store))
    assert (done.files, done.message) == (0, "")


@pytest.mark.parametrize("trouble", ["500", "cut in the middle", "nonsense", "429 seconds", "endless"])
def test_trouble_with_the_readings_costs_nothing(company: Company, server: Server, store: Store, trouble: str) -> None:
    feed = fed(server, store)
    server.trouble = trouble
    done = fetching.fetch(store, feed.id)
    assert done.state == (feeds.STOPPED if trouble == "endless" else feeds.WAITING)
    server.trouble = ""
    assert feeding.done(store, feed).stored == 48


@pytest.mark.parametrize("body", [b"{}", b"[]", b"oops", b'{"access_token": ""}'])
def test_an_answer_without_a_token_is_said(server: Server, company: Company, body: bytes) -> None:
    def answer(asked: Asked) -> Answered:
        return Answered(body) if asked.path == "/oauth/token" else company(asked)

    server.answer = answer
    with pytest.raises(SourceError, match="try again later"):
        allowed(server)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UserError) as raised:
        Options(authorization="https://a b", exchange="", client=" ", sent_in="post", pkce="maybe", resource="x y")
    assert len(raised.value.problems) == 6
    options = Options("https://a.example/go?x=1", "https://a.example/token", "c", SECRET, pkce="no")
    assert SECRET not in repr(options)
    assert green_button_connect.consent(options, BACK, "t", VERIFIER).startswith(
        "https://a.example/go?x=1&response_type=code"
    )
