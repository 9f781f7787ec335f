"""Octopus Energy's service over real sockets: half-hours in pages, agreements that end, and prices that change."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from appliance import energy
from appliance.connectors import octopus
from appliance.connectors.octopus import Options
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching
from appliance.store import feeds, timeline
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.store.timeline import Query
from appliance.web import Web
from tests.connectors import feeding
from tests.octopus_server import (
    EXPORT,
    FLEXIBLE,
    GAS,
    IMPORTED,
    KEY,
    MPAN,
    MPRN,
    OUTGOING,
    House,
    agreement,
    at,
    price,
    written,
)
from tests.web_server import Answered, Asked, Server, serving

OLD, NEW = f"{MPAN}/12L%201%2Fa", f"{MPAN}/22L2"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octopus, "_now_s", lambda: int(at("2026-04-02T06:00:00+00:00").timestamp()))


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def server(house: House) -> Iterator[Server]:
    with serving(house) as made:
        house.address = made.address
        yield made


def said(server: Server, **more: str) -> dict[str, str]:
    return {"account": "A-1234ABCD", "key": KEY, "address": server.address, **more}


def values(store: Store, role: str, source: str) -> list[tuple[str, Decimal]]:
    """The readings that stand: their beginnings, and exact values."""
    columns, exponent = energy.raw(store, energy.resolved(store, source, role), None, None)
    rows = zip(columns.at_ms.tolist(), columns.values.tolist(), strict=True)
    return [
        (datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%dT%H:%M"), energy.decimal(value, exponent))
        for at_ms, value in rows
    ]


def facts(store: Store, kind: str) -> list[Stored]:
    with store.read() as connection:
        return [each for each in timeline.matching(connection, Query()) if each.kind == kind]


def test_half_hours_of_each_meter_come_in_pages_and_later_only_the_last_weeks(
    house: House, server: Server, store: Store
) -> None:
    house.used = {
        OLD: [f"0.{number:03}" for number in range(40)],
        NEW: [None] * 40 + [f"0.{number:03}" for number in range(40, 250)],
        f"{EXPORT}/22L2": ["0", "1.5"],
    }
    feed = feeding.add(store, "octopus", said(server, prices="no"))
    first = feeding.done(store, feed)
    assert (first.files, first.read, first.stored) == (1 + 1 + 3 + 1, 252, 252)
    assert first.message == "Gas is not fetched: say what its meter counts, m3 (most do) or kWh (SMETS1)."
    found = values(store, "electricity.import", f"octopus {MPAN} half-hourly")
    assert len(found) == 250, "of two meters, one after the other"
    assert found[:2] == [("28T00:00", Decimal("0.000")), ("28T00:30", Decimal("0.001"))]
    assert [each for each in found if each[0].startswith("29T0")][1:4] == [
        ("29T00:30", Decimal("0.049")), ("29T01:00", Decimal("0.050")), ("29T01:30", Decimal("0.051"))
    ], "over the change of clocks"  # fmt: skip
    assert values(store, "electricity.export", f"octopus {EXPORT} half-hourly")[1] == ("28T00:30", Decimal("1.5"))
    assert feeding.done(store, feed).files == 0

    house.used[NEW] += ["2.5"]
    house.used[NEW][200] = "9.999"
    second = feeding.done(store, feed)
    assert second.stored == 2, "one is new, and one was put right"
    found = values(store, "electricity.import", f"octopus {MPAN} half-hourly")
    assert (len(found), found[200][1], found[250][1]) == (251, Decimal("9.999"), Decimal("2.5"))


def test_only_the_late_days_are_asked_for_again(house: House, server: Server) -> None:
    house.begin = at("2025-01-01T00:00:00+00:00")
    house.used[NEW] = list[str | None](["0.1"] * 48 * 60)
    house.page = 25_000
    options = Options(**said(server, prices="no"))
    kept = list(octopus.fetch(options, {}, Web()))[-1].kept
    server.asked.clear()
    list(octopus.fetch(options, kept, Web()))
    since = [each.params.get("period_from") for each in server.asked if each.path.endswith("/22L2/consumption/")]
    assert since[0] == "2025-02-16T00:00:00Z", "two weeks before the last"
    server.asked.clear()
    list(octopus.fetch(Options(**said(server, prices="no", since="2025-02-01")), {}, Web()))
    assert {each.params.get("period_from") for each in server.asked[1:]} == {"2025-02-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("unit", "source"), [("m3", f"octopus {MPRN} half-hourly"), ("kWh", f"octopus {MPRN} kWh half-hourly")]
)
def test_gas_is_in_what_its_meter_counts(house: House, server: Server, store: Store, unit: str, source: str) -> None:
    house.used = {f"{MPRN}/E6S1": ["0.123", "1.234567891"]}
    feed = feeding.add(store, "octopus", said(server, prices="no", gas_unit=unit))
    done = feeding.done(store, feed)
    assert (done.stored, done.rejected, done.message) == (2, 0, "")
    assert energy.resolved(store, source, "gas")[0].unit == unit
    assert values(store, "gas", source)[1][1] == Decimal("1.234567891")


def test_an_agreement_that_ends_is_the_same_one(house: House, server: Server, store: Store) -> None:
    house.agreements = {
        MPAN: [agreement(FLEXIBLE, "2025-01-01T00:00:00Z")],
        MPRN: [agreement(GAS, "2025-01-01T00:00:00Z")],
    }
    feed = feeding.add(store, "octopus", said(server, prices="no"))
    assert feeding.done(store, feed).stored == 2
    house.agreements[MPAN] = [
        agreement(FLEXIBLE, "2025-01-01T00:00:00Z", "2026-04-01T00:00:00+01:00"),
        agreement(IMPORTED, "2026-04-01T00:00:00+01:00"),
    ]
    feeding.done(store, feed)
    found = {each.fields["tariff"]: each.fields.get("until", "") for each in facts(store, "energy.agreement")}
    assert found == {FLEXIBLE: "2026-03-31T23:00:00Z", IMPORTED: "", GAS: ""}
    assert len(facts(store, "energy.agreement")) == 3


def test_prices_come_with_what_was_agreed_and_changes_are_versions(
    house: House, server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.agreements = {
        MPAN: [
            agreement(FLEXIBLE, "2025-01-01T00:00:00Z", "2026-04-01T00:00:00+01:00"),
            agreement(IMPORTED, "2026-04-01T00:00:00+01:00"),
        ],
        EXPORT: [agreement(OUTGOING, "2025-06-01T00:00:00Z")],
    }
    half_hours = [at("2026-03-31T22:00:00+00:00") + number * timedelta(minutes=30) for number in range(70)]
    house.prices = {
        f"{FLEXIBLE}/standard-unit-rates": [
            price("20", "2024-01-01T00:00:00Z", "2024-12-01T00:00:00Z"),
            price("22", "2024-12-01T00:00:00Z", "2026-01-01T00:00:00Z", "DIRECT_DEBIT"),
            price("23", "2024-12-01T00:00:00Z", "2026-01-01T00:00:00Z", "NON_DIRECT_DEBIT"),
            price("24.5", "2026-01-01T00:00:00Z", None, "DIRECT_DEBIT"),
        ],
        f"{FLEXIBLE}/standing-charges": [price("50", "2024-01-01T00:00:00Z", None)],
        f"{IMPORTED}/standard-unit-rates": [
            price(f"{number}.5", written(begin), written(begin + timedelta(minutes=30)))
            for number, begin in enumerate(half_hours)
        ],
        f"{IMPORTED}/standing-charges": [price("51", "2026-01-01T00:00:00Z", None)],
    }
    feed = feeding.add(store, "octopus", said(server))
    first = feeding.done(store, feed)
    assert first.rejected == 0
    rates = {(each.title, str(each.amount)) for each in facts(store, "energy.rate")}
    assert rates == {
        (f"{FLEXIBLE} unit rate by direct debit", "23.10"),
        (f"{FLEXIBLE} unit rate by non direct debit", "24.15"),
        (f"{FLEXIBLE} unit rate by direct debit", "25.725"),
        (f"{FLEXIBLE} standing charge", "52.50"),
        (f"{IMPORTED} standing charge", "53.55"),
    }, "none from before it was agreed"
    dynamic = values(store, "electricity.import.price", f"octopus {IMPORTED}")
    assert (len(dynamic), dynamic[0]) == (68, ("31T23:00", Decimal("2.625")))
    assert "publishes no standard unit rates of E-1R-OUTGOING" in first.message
    assert (
        feeding.done(store, feed).message
        == "Gas is not fetched: say what its meter counts, m3 (most do) or kWh (SMETS1)."
    )

    house.prices[f"{IMPORTED}/standing-charges"] = [
        price("51", "2026-01-01T00:00:00Z", "2026-04-02T00:00:00+01:00"),
        price("60", "2026-04-02T00:00:00+01:00", None),
    ]
    server.asked.clear()
    feeding.done(store, feed)
    charges = [each for each in facts(store, "energy.rate") if each.title == f"{IMPORTED} standing charge"]
    assert sorted((str(each.amount), each.fields.get("until", "")) for each in charges) == [
        ("53.55", "2026-04-01T23:00:00Z"), ("63.00", "")
    ]  # fmt: skip
    assert not [each for each in server.asked if FLEXIBLE in each.path], (
        "that agreement is over, and its prices are here"
    )


def test_a_cut_between_pages_costs_nothing(house: House, server: Server, store: Store) -> None:
    house.used[NEW] = [f"0.{number:03}" for number in range(250)]
    feed = feeding.add(store, "octopus", said(server, prices="no"))

    def answer(asked: Asked) -> Answered:
        if asked.params.get("page") == "2":
            server.trouble = "cut in the middle"
        return house(asked)

    server.answer = answer
    cut = fetching.fetch(store, feed.id)
    assert (cut.state, cut.stored) == (feeds.WAITING, 200)
    server.answer, server.trouble = house, ""
    rest = feeding.done(store, feed)
    assert rest.stored == 50
    assert len(values(store, "electricity.import", f"octopus {MPAN} half-hourly")) == 250


def test_the_key_is_sent_to_nobody_else_and_shown_nowhere(house: House, server: Server, store: Store) -> None:
    house.address = "https://thief.example"
    house.used[NEW] = ["0.1"] * 150
    with pytest.raises(SourceError, match=r"leads to thief\.example") as raised:
        list(octopus.fetch(Options(**said(server, prices="no")), {}, Web()))
    assert raised.value.permanent
    assert KEY not in repr(Options(**said(server)))
    feeding.add(store, "octopus", said(server))
    with store.read() as connection:
        assert KEY not in str(connection.exec_driver_sql("SELECT * FROM feeds").all())


def test_a_wrong_key_and_a_wrong_account_are_told(server: Server) -> None:
    with pytest.raises(SourceError, match="refused the password or token"):
        list(octopus.fetch(Options(**said(server, key="wrong")), {}, Web()))
    with pytest.raises(SourceError, match="has no account A-9999ZZZZ for this key") as raised:
        list(octopus.fetch(Options(**said(server, account="A-9999ZZZZ")), {}, Web()))
    assert raised.value.permanent


@pytest.mark.parametrize("body", [b"[]", b'{"properties": {}}', b'{"detail": "down"}', b"null"])
def test_an_answer_that_is_no_account_may_be_one_later(server: Server, body: bytes) -> None:
    server.answer = lambda asked: Answered(body)
    with pytest.raises(SourceError, match="try again later") as raised:
        list(octopus.fetch(Options(**said(server)), {}, Web()))
    assert not raised.value.permanent


@pytest.mark.parametrize(
    ("name", "value"), [("account", "12"), ("key", " "), ("gas_unit", "ft3"), ("since", "1.2.2024"), ("address", "x y")]
)
def test_what_makes_no_sense_is_refused(name: str, value: str) -> None:
    with pytest.raises(UserError, match=name):
        Options(**{"account": "A-1234ABCD", "key": KEY, name: value})
