"""Lights say whether data is present, complete, recent, valid and agreeing, why, and what would turn them green."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import archiving, retention
from appliance.config import Config
from appliance.derive import quality, tally
from appliance.derive.quality import Colour, Light, Quality
from appliance.derive.quality._balances import gaps
from appliance.derive.quality._lights import ago
from appliance.derive.tally import Tally
from appliance.ingest import importing, stating, undoing
from appliance.records import Source
from appliance.store import series, timeline
from appliance.store.database import Store
from appliance.store.series import Columns, Lineage
from appliance.store.timeline import Query
from tests.statements import Row, ofx

NOW = datetime(2026, 4, 2, 12, tzinfo=UTC)
HOUR_MS = 3_600_000


def statement(rows: Sequence[Row], balance: str = "", as_of: str = "20260331") -> bytes:
    said = f"<LEDGERBAL><BALAMT>{balance}<DTASOF>{as_of}</LEDGERBAL></STMTRS>".encode()
    return ofx(rows, said=balance).replace(b"</STMTRS>", said) if balance else ofx(rows)


def every_day(first: date, days: int) -> list[Row]:
    return [Row(first + timedelta(days=number), "-1.00", f"Shop {number}") for number in range(days)]


def all_of(store: Store, now: datetime = NOW) -> list[Quality]:
    quality.refresh(store)
    with store.read() as connection:
        return quality.told(connection, now)


def lights(store: Store, now: datetime = NOW) -> dict[str, Light]:
    """Those of the only source and kind."""
    [found] = all_of(store, now)
    return {each.name: each for each in found.lights}


def monthly(number: int, rows: Sequence[Row] = (), balance: str = "", last: int = 28) -> bytes:
    """A statement of a month of 2026, which covers the whole of it, and says what stands there in the end."""
    end = date(2026, number, last)
    said = ofx(rows, said=f"{number} {balance}", covers=(end.replace(day=1), end))
    ledger = f"<LEDGERBAL><BALAMT>{balance}<DTASOF>{end:%Y%m%d}</LEDGERBAL></STMTRS>".encode()
    return said.replace(b"</STMTRS>", ledger) if balance else said


def complete(store: Store) -> Light:
    return lights(store, datetime(2026, 5, 2, 12, tzinfo=UTC))["complete"]


def test_a_month_that_no_statement_covers_is_missing_until_its_statement_comes(store: Store) -> None:
    importing.import_bytes(store, monthly(2, every_day(date(2026, 2, 1), 28), "100.00"), "february.ofx")
    april = importing.import_bytes(store, monthly(4, every_day(date(2026, 4, 1), 30), "55.00", 30), "april.ofx")
    light = complete(store)
    assert (light.colour, light.why) == (Colour.AMBER, "No statement covers 1 to 31 March 2026.")
    assert "Fetch the statement of those days from 999 12345678" in light.next
    with store.read() as connection:
        [missing] = quality.between_statements(connection, april.id, NOW)
    assert (missing.text, missing.account) == ("No statement covers 1 to 31 March 2026", "12345678")
    importing.import_bytes(store, monthly(3, [Row(date(2026, 3, 9), "-15.00")], "85.00", 31), "march.ofx")
    light = complete(store)
    assert (light.colour, light.why) == (Colour.GREEN, "Statements cover every day from 1 February 2026 on.")
    with store.read() as connection:
        assert quality.between_statements(connection, april.id, NOW) == []


def test_days_without_a_statement_are_not_missing_where_the_balances_around_them_agree(store: Store) -> None:
    importing.import_bytes(store, monthly(2, [Row(date(2026, 2, 3), "-1.00")], "100.00"), "february.ofx")
    importing.import_bytes(store, monthly(4, [Row(date(2026, 4, 3), "-9.00")], "91.00", 30), "april.ofx")
    assert complete(store).why.startswith("Statements cover every day")


def test_days_in_which_rows_came_otherwise_are_not_missing(store: Store) -> None:
    importing.import_bytes(store, monthly(2, [Row(date(2026, 2, 3))]), "february.ofx")
    importing.import_bytes(store, monthly(4, [Row(date(2026, 4, 3))], last=30), "april.ofx")
    importing.import_bytes(store, ofx([Row(date(2026, 3, 1)), Row(date(2026, 3, 30))]), "march.ofx")
    assert complete(store).why == "No statement covers 31 March 2026."


def test_what_is_regular_recent_and_agrees_is_green(store: Store) -> None:
    importing.import_bytes(store, statement([], "100.00", "20260228"), "february.ofx")
    importing.import_bytes(store, statement(every_day(date(2026, 3, 1), 31), "69.00"), "march.ofx")
    found = lights(store)
    assert {name: each.colour for name, each in found.items()} == dict.fromkeys(
        ("present", "complete", "recent", "valid", "agreeing"), Colour.GREEN
    )
    assert found["present"].why == "There are 31 transactions."
    assert found["recent"].why == "The last one is from 2 days ago, usually they come every day."


def test_what_is_missing_between_two_balances_is_said_with_figures_and_days(store: Store) -> None:
    importing.import_bytes(store, statement([], "100.00", "20260301"), "february.ofx")
    rows = [Row(date(2026, 3, 10), "-95.50", "Baker")]
    importing.import_bytes(store, statement(rows, "-20.00"), "march.ofx")
    light = lights(store)["agreeing"]
    assert light.colour == Colour.RED
    assert light.why == (
        "Between 1 and 31 March 2026 the bank says −120.00 and the rows come to −95.50: 24.50 EUR is missing."
    )
    assert "Fetch the statement" in light.next
    importing.import_bytes(store, statement([*rows, Row(date(2026, 3, 12), "-24.50", "Mill")], "-20.00"), "again.ofx")
    assert lights(store)["agreeing"].colour == Colour.GREEN
    report = importing.import_bytes(store, statement([Row(date(2026, 3, 13), "-7.00", "Elm")]), "third.ofx")
    assert lights(store)["agreeing"].colour == Colour.RED
    undoing.undo(store, report.id, "Ann")
    assert lights(store)["agreeing"].colour == Colour.GREEN


def test_what_a_pension_plan_is_worth_is_not_what_was_booked(store: Store) -> None:
    for as_of, worth in (("20260301", "800.00"), ("20260331", "950.00")):
        row = f"<BUYMF><INVTRAN><FITID>{as_of}<DTTRADE>{as_of}</INVTRAN><UNITS>1<TOTAL>-50.00</BUYMF>"
        said = f"<INVTRANLIST>{row}</INVTRANLIST><INV401KBAL><TOTAL>{worth}</INV401KBAL>"
        account = f"<DTASOF>{as_of}<CURDEF>EUR<INVACCTFROM><BROKERID>b<ACCTID>7</INVACCTFROM>"
        importing.import_bytes(store, f"<OFX><INVSTMTRS>{account}{said}</INVSTMTRS></OFX>".encode(), f"{as_of}.ofx")
    assert lights(store)["agreeing"].colour == Colour.GREY


def test_balances_are_not_counted_and_are_one_fact_however_many_files_have_them(store: Store) -> None:
    data = statement([Row(date(2026, 3, 10), "-95.50", "Baker")], "-20.00")
    first = importing.import_bytes(store, data, "march.ofx")
    again = importing.import_bytes(store, data + b"\n", "march-again.ofx")
    assert (first.read, first.stored, again.read, again.duplicate) == (1, 1, 1, 1)
    with store.read() as connection:
        [balance] = timeline.matching(connection, Query(kind="money.balance"))
    assert (str(balance.amount), balance.at, balance.fields["type"]) == ("-20.00", "2026-03-31", "ledger")
    assert lights(store)["agreeing"].colour == Colour.GREY


# ---- between balances ----


def month(number: int, balance: str) -> bytes:
    return statement(every_day(date(2024, number, 1), 28), balance, f"2024{number:02}28")


def three_months(store: Store) -> None:
    for number, balance in ((1, "100.00"), (2, "72.00"), (3, "44.00")):
        importing.import_bytes(store, month(number, balance), f"{number}.ofx")


def test_what_is_archived_is_not_missing_between_balances(store: Store, config: Config) -> None:
    three_months(store)
    archiving.make(store, config.stores / "home", "money.transaction", date(2024, 2, 1))
    found = by_kind(store)["agreeing"]
    assert (found.colour, found.why) == (
        Colour.GREEN,
        "The rows come to what the bank’s own balances say, checked once. Balances from before 1 February 2024 are "
        "passed over: the rows of then are archived.",
    )
    archiving.make(store, config.stores / "home", "money.transaction", date(2024, 3, 1))
    found = by_kind(store)["agreeing"]
    assert (found.colour, found.why.partition(". ")[0]) == (Colour.GREY, "The bank stated one balance so far")
    for number in (1, 2):
        archiving.attach(store, config.stores / "home", number)
    assert by_kind(store)["agreeing"].why.endswith("checked 2 times.")


def test_what_a_policy_deleted_is_not_missing_between_balances(store: Store, config: Config) -> None:
    three_months(store)
    retention.state(store, "money.transaction", retention.Action.DELETE, 25)
    retention.run(store, config.stores / "home", now=NOW)
    found = by_kind(store)["agreeing"]
    assert (found.colour, found.why.partition(". ")[2]) == (
        Colour.GREY,
        "Balances from before 1 March 2024 are passed over: the rows of then are deleted by their policy.",
    )


def by_kind(store: Store, kind: str = "money.transaction") -> dict[str, Light]:
    [found] = [each for each in all_of(store) if each.what == kind]
    return {each.name: each for each in found.lights}


def test_a_balance_in_the_middle_of_a_day_agrees_with_what_was_booked_by_then(store: Store) -> None:
    early = [Row(date(2026, 3, 10), "-5.00", "Baker", fitid="a")]
    late = [
        *early,
        Row(date(2026, 3, 10), "-7.00", "Mill", fitid="b"),
        Row(date(2026, 3, 11), "-1.00", "Elm", fitid="c"),
    ]
    importing.import_bytes(store, statement(early, "95.00", "20260310120000"), "noon.ofx")
    importing.import_bytes(store, statement(late, "87.00", "20260311120000"), "next.ofx")
    assert lights(store)["agreeing"].colour == Colour.GREEN
    importing.import_bytes(
        store, statement([Row(date(2026, 3, 11), "-2.00", "Oak", fitid="d")], "80.00", "20260312"), "z.ofx"
    )
    found = lights(store)["agreeing"]
    assert (found.colour, "EUR is missing" in found.why) == (Colour.RED, True)


def test_what_is_too_much_between_balances_is_not_called_missing(store: Store) -> None:
    importing.import_bytes(store, statement([], "100.00", "20260301"), "february.ofx")
    rows = [Row(date(2026, 3, 10), "-95.50", "Baker"), Row(date(2026, 3, 11), "-4.50", "Mill")]
    importing.import_bytes(store, statement(rows, "4.50"), "march.ofx")
    found = lights(store)["agreeing"]
    assert (found.colour, found.why.partition(": ")[2]) == (Colour.RED, "4.50 EUR is too much.")
    assert "withdraw it" in found.next


# ---- sources of which nothing stands ----


def test_a_source_of_which_no_row_could_be_read_is_red(store: Store) -> None:
    report = importing.import_bytes(store, ofx([Row(date(2026, 3, 2), "12-3", "Mill")]), "s.ofx", source="Bank, of Elm")
    found = lights(store)
    assert (found["present"].colour, found["present"].why) == (Colour.RED, "Nothing could be read yet; see import 1.")
    assert (found["valid"].colour, found["valid"].import_id) == (Colour.RED, report.id)


def test_a_source_whose_facts_are_archived_is_grey_and_says_so(store: Store, config: Config) -> None:
    importing.import_bytes(store, ofx(every_day(date(2024, 3, 1), 3)), "s.ofx")
    archiving.make(store, config.stores / "home", "money.transaction", date(2026, 1, 1))
    found = lights(store)
    assert {each.colour for each in found.values()} == {Colour.GREY}
    assert found["present"].why == "None is in the store: 3 facts are archived."


def test_a_source_of_which_nothing_stands_any_more_is_grey_and_says_so(store: Store) -> None:
    importing.import_bytes(store, ofx([Row(date(2026, 3, 2))]), "s.ofx")
    [found] = facts_of(store)
    stating.withdraw(store, found, "Ann", "not mine")
    importing.import_bytes(store, ofx([Row(date(2026, 3, 2))], said="again"), "t.ofx")
    assert lights(store)["present"].why.startswith("1 row was known already, and stand")


def facts_of(store: Store) -> list[int]:
    with store.read() as connection:
        return [each.id for each in timeline.matching(connection, Query(kind="money.transaction"))]


@pytest.mark.parametrize("name", ["Bank, Elm", "Elm", "Bank"])
def test_a_source_with_a_comma_in_its_name_is_told_of_its_own_rejects(store: Store, name: str) -> None:
    importing.import_bytes(store, ofx([Row(date(2026, 3, 2))]), "other.ofx", source="Elm")
    importing.import_bytes(store, ofx([Row(date(2026, 3, 2)), Row(date(2026, 3, 3), "12-3")]), "s.ofx", source=name)
    found = {each.source: {light.name: light.colour for light in each.lights}["valid"] for each in all_of(store)}
    assert found.pop(name) == Colour.RED
    assert set(found.values()) <= {Colour.GREEN}


def test_a_gap_in_what_is_regular_is_said_with_its_days(store: Store) -> None:
    rows = every_day(date(2026, 1, 1), 40) + every_day(date(2026, 3, 10), 20)
    importing.import_bytes(store, statement(rows), "s.ofx")
    light = lights(store)["complete"]
    assert light.colour == Colour.AMBER
    assert light.why == "Nothing between 9 February and 10 March 2026; usually there is something every day."
    assert "between 9 February and 10 March 2026" in light.next


@pytest.mark.parametrize(("days", "colour"), [(2, Colour.GREEN), (5, Colour.AMBER), (30, Colour.RED)])
def test_what_has_not_come_for_long_is_not_recent(store: Store, days: int, colour: Colour) -> None:
    importing.import_bytes(store, statement(every_day(date(2026, 3, 1), 10)), "s.ofx")
    light = lights(store, datetime(2026, 3, 10, tzinfo=UTC) + timedelta(days=days))["recent"]
    assert light.colour == colour
    assert f"{days} days ago" in light.why
    assert bool(light.next) == (colour != Colour.GREEN)


def test_rejected_rows_and_facts_that_do_not_fit_are_said_until_they_are_mended(store: Store) -> None:
    broken = Row(date(2026, 3, 2), "12-3", "Mill")
    report = importing.import_bytes(store, statement([*every_day(date(2026, 3, 1), 5), broken]), "s.ofx")
    light = lights(store)["valid"]
    assert (light.colour, light.why) == (Colour.RED, "1 row could not be read.")
    assert light.import_id == report.id
    undoing.undo(store, report.id, "Ann")
    assert all_of(store) == []


def test_rejected_rows_are_said_though_the_source_has_more_balances_than_rows(store: Store) -> None:
    for number in range(3):
        importing.import_bytes(store, statement([], f"{number}.00", f"2026030{number + 1}"), f"{number}.ofx")
    importing.import_bytes(store, statement([Row(date(2026, 3, 2)), Row(date(2026, 3, 2), "12-3", "Mill")]), "s.ofx")
    assert lights(store)["valid"].colour == Colour.RED


def test_facts_that_do_not_fit_their_kind_are_counted(store: Store) -> None:
    stating.add(store, "phone.call", {"at": "2026-03-10T12:00:00Z", "party": "Kim"}, "Ann")
    assert lights(store)["valid"].colour == Colour.GREEN
    with store.write() as connection:
        connection.exec_driver_sql('UPDATE records SET fields = \'{"direction": "sideways"}\'')
        connection.exec_driver_sql("DELETE FROM rules")
    assert lights(store)["valid"].colour == Colour.AMBER


def test_what_nobody_can_tell_to_be_recent_is_not_called_good(store: Store) -> None:
    importing.import_bytes(store, statement([Row(date(2017, 3, 1), "-1.00", "Mill")]), "s.ofx")
    [found] = all_of(store)
    assert {each.colour for each in found.lights} == {Colour.GREEN, Colour.GREY}
    assert found.colour == Colour.GREY
    assert "retry" not in " ".join(each.next for each in found.lights), "the import is of today"
    importing.import_bytes(store, statement(every_day(date(2026, 3, 25), 8)), "t.ofx")
    [found] = all_of(store)
    assert {each.name: each.colour for each in found.lights}["recent"] == Colour.GREEN


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "today"),
        (1, "yesterday"),
        (59, "59 days ago"),
        (60, "2 months ago"),
        (729, "24 months ago"),
        (730, "2 years ago"),
        (5966, "16 years ago"),
    ],
)
def test_long_ago_is_said_in_months_and_years(days: int, said: str) -> None:
    assert ago(days) == said


# ---- totals that a supplier states ----


@pytest.mark.parametrize(("amount", "colour"), [("27.50", Colour.GREEN), ("29.50", Colour.RED)])
def test_an_order_is_compared_with_its_purchases(store: Store, amount: str, colour: Colour) -> None:
    shop = {"at": "2026-03-10", "party": "Hazel", "unit": "EUR"}
    order = {**shop, "amount": amount, "number": "77", "discount": "2", "delivery_cost": "4.50"}
    stating.add(store, "shop.order", order, "Ann")
    assert by_kind(store, "shop.order")["agreeing"].colour == Colour.GREY
    stating.add(store, "shop.purchase", {**shop, "amount": "20", "item": "Lamp", "order": "77"}, "Ann")
    stating.add(store, "shop.purchase", {**shop, "amount": "5", "item": "Bulb", "order": "77"}, "Ann")
    stating.add(store, "shop.purchase", {**shop, "amount": "9", "item": "Chair", "order": "78"}, "Ann")
    light = by_kind(store, "shop.order")["agreeing"]
    assert light.colour == colour
    if colour is Colour.RED:
        assert light.why == (
            "Order 77 of Hazel says 29.50 EUR, and its 2 purchases come to 25.00, less 2 discount, plus 4.50 delivery."
        )


def test_a_price_may_be_of_one_piece(store: Store) -> None:
    shop = {"at": "2026-03-10", "party": "Hazel", "unit": "EUR"}
    stating.add(store, "shop.order", {**shop, "amount": "15", "number": "77"}, "Ann")
    bulbs = {**shop, "amount": "5", "item": "Bulb", "quantity": "3", "order": "77"}
    stating.add(store, "shop.purchase", bulbs, "Ann")
    assert by_kind(store, "shop.order")["agreeing"].colour == Colour.GREEN


@pytest.mark.parametrize(("used", "colour"), [("120", Colour.GREEN), ("150", Colour.RED)])
def test_a_bill_is_compared_with_the_meter(store: Store, used: str, colour: Colour) -> None:
    bill = {"at": "2026-03-15", "party": "Volt", "amount": "40", "unit": "EUR", "supply": "electricity", "used": used}
    stating.add(store, "energy.bill", {**bill, "from": "2026-03-02", "until": "2026-03-11"}, "Ann")
    assert by_kind(store, "energy.bill")["agreeing"].colour == Colour.GREY
    readings(store, "meter", hours(24 * 14), [each * 500 for each in range(24 * 14)])
    light = by_kind(store, "energy.bill")["agreeing"]
    assert light.colour == colour
    if colour is Colour.RED:
        assert light.why == ("Between 2 and 11 March 2026 the bill of Volt says 150 kWh, and meter counted 120.00 kWh.")


def test_a_bill_of_days_that_the_meter_does_not_cover_is_not_compared(store: Store) -> None:
    bill = {"at": "2026-03-15", "party": "Volt", "amount": "40", "unit": "EUR", "supply": "electricity", "used": "9"}
    stating.add(store, "energy.bill", {**bill, "from": "2026-02-02", "until": "2026-03-11"}, "Ann")
    readings(store, "meter", hours(24 * 14), [each * 500 for each in range(24 * 14)])
    assert by_kind(store, "energy.bill")["agreeing"].colour == Colour.GREY


def test_what_a_person_says_has_no_rhythm(store: Store) -> None:
    stating.add(store, "me.plan", {"title": "Moving", "at": "2026-05-01"}, "Ann")
    found = lights(store)
    assert found["present"].colour == Colour.GREEN
    assert {found[name].colour for name in ("complete", "recent", "agreeing")} == {Colour.GREY}


# ---- readings ----


def readings(
    store: Store, source: str, at_ms: Sequence[int], values: Sequence[int], seconds: int = 0, link: str = "l"
) -> None:
    with store.write() as connection:
        made = series.found_or_made(connection, Source(source), "electricity.import", "kWh", -3, seconds)
        columns = Columns(*(np.array(each, np.int64) for each in (at_ms, [seconds] * len(at_ms), values)))
        scaled = Columns(columns.at_ms, columns.seconds, columns.values * 1000)
        series.append(connection, made, scaled, Lineage(link=link, meter="m", device=source))


def hours(count: int, first: int = 0) -> list[int]:
    begin = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1000
    return [begin + (first + each) * HOUR_MS for each in range(count)]


def test_a_meter_that_is_heard_and_misses_nothing_is_green(store: Store) -> None:
    at_ms = hours(48)
    readings(store, "meter", at_ms, [each * 500 for each in range(48)])
    found = lights(store, datetime.fromtimestamp(at_ms[-1] / 1000 + 600, UTC))
    assert [found[name].colour for name in ("present", "complete", "recent", "valid")] == [Colour.GREEN] * 4
    late = lights(store, datetime.fromtimestamp(at_ms[-1] / 1000 + 5 * 3600, UTC))["recent"]
    assert (late.colour, late.why) == (Colour.AMBER, "Its meter was last heard 5 hours ago.")


@pytest.mark.parametrize(
    ("count", "every_s", "said"),
    [
        (2, 1, "There are too few readings to know how often they come."),
        (601, 1, "They cover 10 minutes: too short a time to tell whether any is missing."),
        (2, 7200, "They cover 2 hours: too short a time to tell whether any is missing."),
        (2, 200_000, "There are too few readings to know how often they come."),
    ],
)
def test_a_short_capture_says_how_short_it_is(store: Store, count: int, every_s: int, said: str) -> None:
    readings(store, "meter", [hours(1)[0] + each * every_s * 1000 for each in range(count)], list(range(count)))
    assert (lights(store)["complete"].colour, lights(store)["complete"].why) == (Colour.GREY, said)


def test_nobody_looks_for_the_cable_of_a_recording(store: Store) -> None:
    readings(store, "meter", hours(48), list(range(48)), link="replay")
    light = lights(store)["recent"]
    assert (light.colour, light.why, light.next) == (
        Colour.GREY,
        "The last reading is of 2 March 2026, from a recording.",
        "",
    )


def test_missing_intervals_are_said_with_their_days(store: Store) -> None:
    at_ms = [*hours(48), *hours(48, 60)]
    readings(store, "meter", at_ms, [each * 500 for each in range(96)])
    light = lights(store)["complete"]
    assert light.colour == Colour.RED
    assert light.why == ("Readings are missing once, 12 hours together; the longest between 2 and 3 March 2026.")


@pytest.mark.parametrize(("delta", "colour"), [(500, Colour.GREEN), (450, Colour.RED)])
def test_a_register_is_compared_with_the_suppliers_intervals(store: Store, delta: int, colour: Colour) -> None:
    readings(store, "meter", hours(200), [each * 500 for each in range(200)])
    readings(store, "supplier", hours(199), [delta] * 199, 3600)
    found = {each.source: {light.name: light for light in each.lights} for each in all_of(store)}
    assert found["meter"]["agreeing"].colour == found["supplier"]["agreeing"].colour == colour
    assert "supplier to" in found["meter"]["agreeing"].why


# ---- tallies ----


def test_tallies_follow_facts_as_if_counted_anew(store: Store) -> None:
    report = importing.import_bytes(store, statement(every_day(date(2026, 3, 1), 6), "1.00"), "s.ofx")
    own = stating.add(store, "me.plan", {"title": "Moving"}, "Ann").id
    tally.refresh(store)
    with store.read() as connection:
        facts = [each.id for each in timeline.matching(connection, Query(kind="money.transaction"))]
    stating.correct(store, facts[0], {"amount": "-9", "at": "2026-03-20"}, "Ann")
    stating.withdraw(store, facts[1], "Ann", "twice")
    stating.withdraw(store, own, "Ann", "no")
    stating.restore(store, own, "Ann")
    same_as_anew(store)
    undoing.undo(store, report.id, "Ann")
    same_as_anew(store)
    undoing.redo(store, report.id, "Ann")
    same_as_anew(store)


def same_as_anew(store: Store) -> None:
    tally.refresh(store)
    with store.read() as connection:
        followed = tally.every(connection)
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM rules")
    tally.refresh(store)
    with store.read() as connection:
        assert tally.every(connection) == followed


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(-500, 500)), min_size=1, max_size=40), st.integers(-500, 500))
def test_balances_that_follow_from_the_rows_never_disagree(rows: list[tuple[int, int]], opening: int) -> None:
    told, balance, amount = Tally(), {0: opening}, opening
    for day, cents in sorted(rows):
        told.sums[day] = told.sums.get(day, 0) + cents
        amount += cents
        if day % 3 == 0:
            balance[day] = amount  # the last of a day's is what it closed with
    assert gaps(balance, told, "EUR") == []
    if len(balance) > 1:
        first, last = sorted(balance)[-2:]
        inside = {day: cents for day, cents in told.sums.items() if first < day < last}
        balance[last] += 1_000_000
        assert len(gaps(balance, told, "EUR")) == 1, inside
