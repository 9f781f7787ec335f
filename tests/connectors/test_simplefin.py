"""SimpleFIN over real sockets: a token is claimed once, spans of days follow, and what is booked late is not missed."""

from collections.abc import Iterator
from typing import Any

import pytest

from appliance.connectors import Fetched, Kept, simplefin
from appliance.connectors.simplefin import DAY_S, Options
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching
from appliance.store import feeds, timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from appliance.web import Web
from tests.connectors import feeding
from tests.simplefin_server import Bank
from tests.web_server import Answered, Asked, Server, serving

NOW_S = 1_782_820_800


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seconds that the connector takes for now, which a test may change."""
    at = [NOW_S]
    monkeypatch.setattr(simplefin, "_now_s", lambda: at[0])
    return at


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def server(bank: Bank) -> Iterator[Server]:
    with serving(bank) as made:
        bank.address = made.address
        yield made


def payment(number: int, days_ago: int, **more: Any) -> dict[str, Any]:
    posted = NOW_S - days_ago * DAY_S
    return {"id": f"T{number}", "posted": posted, "amount": f"-{number}.10", "description": f"Shop {number}", **more}


def fetched(token: str, kept: Kept | None = None, days: int = 365) -> list[Fetched]:
    return list(simplefin.fetch(Options(token, days), kept or {}, Web()))


def test_a_year_comes_home_in_spans_and_later_only_the_last_month(
    bank: Bank, server: Server, store: Store, now: list[int]
) -> None:
    bank.payments = [payment(number, days_ago) for number, days_ago in ((1, 360), (2, 100), (3, 99), (4, 1))]
    token = bank.token()
    feed = feeding.add(store, "simplefin", {"token": token})
    first = feeding.done(store, feed)
    assert first.stored == 4
    assert feeding.titles(store) == ["Ledger balance", "Shop 1", "Shop 2", "Shop 3", "Shop 4"]
    assert bank.spans[0][0] == NOW_S - 365 * DAY_S
    assert bank.spans[-1][1] > NOW_S
    assert all(end == begin for (_, end), (begin, _) in zip(bank.spans, bank.spans[1:], strict=False)), "no gap"

    bank.spans.clear()
    assert feeding.done(store, feed).files == 0, "it says what it said"
    now[0] += 2 * DAY_S
    bank.payments += [payment(5, 20), payment(6, -1)]
    second = feeding.done(store, feed)
    assert (second.stored, second.rejected) == (2, 0), "one of them was booked three weeks late"
    assert [begin for begin, _ in bank.spans[-1:]] == [NOW_S - 30 * DAY_S]
    assert feeding.titles(store).count("Shop 4") == 1
    assert len(bank.claimed) == 1
    _is_nowhere(store, [token, bank.password])


def _is_nowhere(store: Store, secrets: list[str]) -> None:
    with store.read() as connection:
        rows = [str(connection.exec_driver_sql(f"SELECT * FROM {table}").all()) for table in ("feeds", "fetches")]
        kept = [feeds.sealed(connection, store.key, each) for each in feeds.every(connection)]
    assert all(secret not in row for row in rows for secret in secrets)
    assert any(secret.split("/")[0].replace(" ", "%20") in str(each.kept) for each in kept for secret in secrets)


def test_what_is_pending_and_booked_later_is_one_payment(
    bank: Bank, server: Server, store: Store, now: list[int]
) -> None:
    bank.payments = [payment(7, 1, posted=0, transacted_at=NOW_S - DAY_S, pending=True)]
    feed = feeding.add(store, "simplefin", {"token": bank.token()})
    assert feeding.done(store, feed).stored == 1
    now[0] += 2 * DAY_S
    bank.payments = [payment(7, -1)]
    feeding.done(store, feed)
    with store.read() as connection:
        [found] = [each for each in timeline.matching(connection, Query()) if each.title == "Shop 7"]
    assert found.fields.get("status", "") == ""


def test_a_cut_after_the_claim_needs_no_other_token(bank: Bank, server: Server) -> None:
    bank.payments = [payment(1, 200), payment(2, 1)]
    token = bank.token()
    running = simplefin.fetch(Options(token), {}, Web())
    claimed = next(running)
    assert claimed.content is None
    first = next(each for each in running if each.content)
    rest = fetched(token, first.kept)
    assert len(bank.claimed) == 1
    assert sum(each.content is not None for each in rest) == 1
    assert bank.spans.count(bank.spans[0]) == 1, "it goes on where it was"


def test_another_token_is_claimed_and_an_access_address_needs_none(bank: Bank, server: Server) -> None:
    kept = fetched(bank.token())[-1].kept
    assert fetched(bank.token(), kept)[0].kept["claimed"] != kept["claimed"]
    assert len(bank.claimed) == 2
    assert fetched(kept["access"])[-1].kept["access"] == kept["access"]
    assert len(bank.claimed) == 2


@pytest.mark.parametrize("version", [1, 2])
def test_what_the_server_complains_of_is_shown(bank: Bank, server: Server, store: Store, version: int) -> None:
    bank.version = version
    bank.complaints = [{"code": "con.auth", "msg": "Mill Union needs\x07 you to sign in again", "conn_id": "CON-1"}]
    feed = feeding.add(store, "simplefin", {"token": bank.token()})
    assert feeding.done(store, feed).message == "SimpleFIN says: Mill Union needs you to sign in again."


def test_a_token_that_somebody_used_is_final_and_warned_of(bank: Bank, server: Server) -> None:
    token = bank.token()
    fetched(token)
    with pytest.raises(SourceError, match="somebody else may read your accounts") as raised:
        fetched(token)
    assert raised.value.permanent


def test_who_has_not_paid_or_was_disabled_is_told(bank: Bank, server: Server, store: Store) -> None:
    feed = feeding.add(store, "simplefin", {"token": bank.token()})
    feeding.done(store, feed)
    bank.is_paid = False
    done = fetching.fetch(store, feed.id)
    assert (done.state, "asks to be paid" in done.message) == (feeds.STOPPED, True)
    bank.is_paid, bank.password = True, "changed"
    done = fetching.fetch(store, feed.id)
    assert done.state == feeds.STOPPED
    assert "refused the password" in done.message


@pytest.mark.parametrize("trouble", ["500", "cut in the middle", "nonsense", "429 date"])
def test_trouble_in_the_middle_costs_nothing(bank: Bank, server: Server, store: Store, trouble: str) -> None:
    bank.payments = [payment(1, 300), payment(2, 1)]
    feed = feeding.add(store, "simplefin", {"token": bank.token()})

    def answer(asked: Asked) -> Answered:
        answered = bank(asked)
        server.trouble = trouble if len(bank.spans) > 1 else ""
        return answered

    server.answer = answer
    done = fetching.fetch(store, feed.id)
    assert (done.state, done.stored) == (feeds.WAITING, 1)
    server.trouble, server.answer = "", bank
    done = feeding.done(store, feed)
    assert done.stored == 1
    assert feeding.titles(store).count("Shop 1") == 1


@pytest.mark.parametrize("token", ["", "not a token", "aGVsbG8=", "ZnRwOi8vYS8="])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(UserError, match="token"):
        Options(token)


def test_nothing_of_a_token_is_shown() -> None:
    assert "aHR0" not in repr(Options("aHR0cHM6Ly9icmlkZ2UuZXhhbXBsZS9jbGFpbS94"))
    with pytest.raises(UserError, match="1 to"):
        Options("aHR0cHM6Ly9icmlkZ2UuZXhhbXBsZS9jbGFpbS94", days=0)
