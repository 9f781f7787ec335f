"""Statements that overlap: what is one payment is counted once, with its versions; what are two stay two."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from appliance.ingest import importing, stating, undoing
from appliance.store import timeline, versions
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.records import Stored
from appliance.store.timeline import Query
from tests.statements import Row, ofx

FIRST, SECOND, THIRD = (date(2026, 3, day) for day in (1, 2, 3))
EDGES = [Row(FIRST, "-1.00", "Opening Bakery", fitid="o"), Row(THIRD, "-3.00", "Closing Bakery", fitid="c")]


def _import(store: Store, rows: Sequence[Row], said: str = "") -> Report:
    return importing.import_bytes(store, ofx([*EDGES, *rows], said=said), f"{said}.ofx")


def _standing(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        found: list[Stored] = list(timeline.matching(connection, Query()))
    edges = {row.name for row in EDGES}
    return sorted((each.title, str(each.amount)) for each in found if each.title not in edges)


def _versions(store: Store, title: str) -> list[tuple[str, str]]:
    """What was said of the fact that has this title now, and what began each version."""
    with store.read() as connection:
        fact = next(each.id for each in timeline.matching(connection, Query()) if each.title == title)
        history = versions.history(connection, fact)
    return [(each.record.title, each.begun.action if each.begun else "") for each in history]


def test_a_description_that_the_bank_rewrites_is_another_version_and_no_other_payment(store: Store) -> None:
    _import(store, [Row(SECOND, "-9.00", "CARD 1234 WINDMILL BAKERY LONDON", fitid="1")], "a")
    report = _import(store, [Row(SECOND, "-9.00", "Windmill Bakery", fitid="77")], "b")
    assert (report.read, report.stored, report.duplicate) == (3, 0, 3)
    assert _standing(store) == [("Windmill Bakery", "-9.00")]
    told = _versions(store, "Windmill Bakery")
    assert told == [("CARD 1234 WINDMILL BAKERY LONDON", ""), ("Windmill Bakery", "revise")]


def test_either_file_again_changes_nothing_and_neither_does_the_other_order(store: Store) -> None:
    old, new = [Row(SECOND, "-9.00", "CARD WINDMILL BAKERY")], [Row(SECOND, "-9.00", "Windmill Bakery")]
    for rows, said in ((old, "a"), (new, "b"), (old, "a"), (new, "b"), (new, "c")):
        _import(store, rows, said)
    assert _standing(store) == [("Windmill Bakery", "-9.00")]
    assert len(_versions(store, "Windmill Bakery")) == 2


def test_a_day_that_is_booked_later_under_the_same_id_is_the_same_payment(store: Store) -> None:
    _import(store, [Row(SECOND, "-9.00", "Windmill", fitid="1")], "a")
    _import(store, [Row(THIRD, "-9.00", "Windmill booked", fitid="1")], "b")
    assert _standing(store) == [("Windmill booked", "-9.00")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Row(SECOND, "-9.00", "Windmill", fitid="1"), Row(SECOND, "-8.00", "Windmill", fitid="1")),
        (Row(SECOND, "-9.00", "Windmill", fitid="1"), Row(SECOND, "-9.00", "Elm Street", fitid="1")),
        (Row(SECOND, "-9.00", "Windmill", fitid="1"), Row(THIRD, "-9.00", "Elm Street", fitid="1")),
        (Row(SECOND, "-9.00", "Windmill", fitid="1"), Row(THIRD, "-9.00", "Windmill", fitid="2")),
        (Row(SECOND, "-9.00", "Windmill"), Row(SECOND, "-9.00", "Elm Street")),
        (Row(SECOND, "-9.00", "Windmill 3297"), Row(SECOND, "-9.00", "Windmill 1234")),
    ],
    ids=[
        "another amount",
        "other words",
        "another day and other words",
        "another day and id",
        "other words, no id",
        "another number",
    ],
)
def test_what_are_two_payments_stay_two_in_one_file_and_in_two(store: Store, one: Row, other: Row) -> None:
    _import(store, [one], "a")
    _import(store, [other], "b")
    assert len(_standing(store)) == 2
    assert importing.import_bytes(store, ofx([one, other], "another account"), "c.ofx").stored == 2


def test_a_file_that_holds_both_has_two_payments(store: Store) -> None:
    old, new = Row(SECOND, "-9.00", "CARD WINDMILL BAKERY"), Row(SECOND, "-9.00", "Windmill Bakery")
    _import(store, [old], "a")
    assert _import(store, [old, new], "b").stored == 1
    assert len(_standing(store)) == 2


def test_of_equal_twins_each_is_rewritten_once(store: Store) -> None:
    old, new = Row(SECOND, "-9.00", "CARD WINDMILL BAKERY"), Row(SECOND, "-9.00", "Windmill Bakery")
    _import(store, [old, old], "a")
    assert _import(store, [new, new, new], "b").stored == 1
    assert _standing(store) == [("Windmill Bakery", "-9.00")] * 3


def test_a_file_that_leaves_out_other_payments_of_the_day_rewrites_none(store: Store) -> None:
    _import(store, [Row(SECOND, "-9.00", "CARD WINDMILL BAKERY"), Row(SECOND, "-8.00", "Elm")], "a")
    assert _import(store, [Row(SECOND, "-9.00", "Windmill Bakery")], "b").stored == 1
    assert len(_standing(store)) == 3


def test_a_file_that_does_not_reach_the_day_says_nothing_of_it(store: Store) -> None:
    importing.import_bytes(store, ofx([Row(SECOND, "-9.00", "CARD WINDMILL", fitid="1")]), "a.ofx")
    report = importing.import_bytes(store, ofx([Row(THIRD, "-9.00", "Windmill", fitid="1")]), "b.ofx")
    assert report.stored == 1


def test_what_a_person_corrected_stays_as_they_said(store: Store) -> None:
    _import(store, [Row(SECOND, "-9.00", "CARD WINDMILL BAKERY")], "a")
    with store.read() as connection:
        fact = next(each.id for each in timeline.matching(connection, Query()) if "WINDMILL" in each.title)
    stating.correct(store, fact, {"title": "Bread"}, "Ann")
    _import(store, [Row(SECOND, "-9.00", "Windmill Bakery")], "b")
    assert ("Bread", "-9.00") in _standing(store)


def test_undo_of_the_later_file_brings_the_earlier_words_back_and_redo_the_later(store: Store) -> None:
    _import(store, [Row(SECOND, "-9.00", "CARD WINDMILL BAKERY")], "a")
    later = _import(store, [Row(SECOND, "-9.00", "Windmill Bakery"), Row(SECOND, "-4.00", "Only here")], "b")
    undoing.undo(store, later.id, "Ann")
    assert _standing(store) == [("CARD WINDMILL BAKERY", "-9.00")]
    undoing.redo(store, later.id, "Ann")
    assert _standing(store) == [("Only here", "-4.00"), ("Windmill Bakery", "-9.00")]
    undoing.undo(store, later.id, "Ann")
    assert _standing(store) == [("CARD WINDMILL BAKERY", "-9.00")]


def test_undo_of_the_earlier_file_leaves_what_the_later_one_says(store: Store) -> None:
    earlier = _import(store, [Row(SECOND, "-9.00", "CARD WINDMILL BAKERY")], "a")
    later = _import(store, [Row(SECOND, "-9.00", "Windmill Bakery")], "b")
    undoing.undo(store, earlier.id, "Ann")
    assert _standing(store) == [("Windmill Bakery", "-9.00")]
    undoing.undo(store, later.id, "Ann")
    assert _standing(store) == []
    _import(store, [Row(SECOND, "-9.00", "Windmill Bakery")], "c")
    assert _standing(store) == [("Windmill Bakery", "-9.00")]


# ---- pending, then booked ----


def _camt(*entries: tuple[str, str, str, str]) -> bytes:
    """A report of the day, or a statement: each entry is its status, day, amount and text."""
    body = "".join(
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AddtlNtryInf>{text}</AddtlNtryInf></Ntry>"
        for status, day, amount, text in entries
    )
    return (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.02'><BkToCstmrStmt><Stmt><Acct><Id>"
        f"<IBAN>NL1</IBAN></Id></Acct>{body}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _sums(store: Store) -> list[tuple[str, str, str]]:
    with store.read() as connection:
        found = list(timeline.matching(connection, Query()))
    return sorted((each.title, str(each.amount), each.fields.get("status", "")) for each in found)


def test_a_pending_payment_that_is_booked_days_later_under_another_text_is_one(store: Store) -> None:
    pending = _camt(("PDNG", "2026-03-02", "9.00", "CARD WINDMILL BAKERY 0203"), ("PDNG", "2026-03-02", "4.00", "ELM"))
    importing.import_bytes(store, pending, "day.xml")
    booked = _camt(("BOOK", "2026-03-04", "9.00", "Windmill Bakery, London"), ("PDNG", "2026-03-02", "4.00", "ELM"))
    report = importing.import_bytes(store, booked, "statement.xml")
    assert (report.stored, report.duplicate) == (0, 2)
    assert _sums(store) == [("ELM", "-4.00", "pending"), ("Windmill Bakery, London", "-9.00", "")]
    for data in (pending, booked):
        importing.import_bytes(store, data, "again.xml")
    assert _sums(store) == [("ELM", "-4.00", "pending"), ("Windmill Bakery, London", "-9.00", "")]


def test_a_booked_payment_of_the_same_sum_to_somebody_else_is_another(store: Store) -> None:
    importing.import_bytes(store, _camt(("PDNG", "2026-03-02", "9.00", "CARD WINDMILL BAKERY")), "day.xml")
    importing.import_bytes(store, _camt(("BOOK", "2026-03-04", "9.00", "Elm Street Shoes")), "statement.xml")
    assert len(_sums(store)) == 2


def test_a_pending_payment_that_is_booked_in_the_same_words_is_booked_and_counted_once(store: Store) -> None:
    pending, booked = (_camt((status, "2026-03-02", "9.00", "WINDMILL BAKERY")) for status in ("PDNG", "BOOK"))
    importing.import_bytes(store, pending, "day.xml")
    report = importing.import_bytes(store, booked, "statement.xml")
    assert (report.stored, report.duplicate) == (0, 1)
    for data in (booked, pending, booked):
        importing.import_bytes(store, data, "again.xml")
    assert _sums(store) == [("WINDMILL BAKERY", "-9.00", "")]
    assert _versions(store, "WINDMILL BAKERY") == [("WINDMILL BAKERY", ""), ("WINDMILL BAKERY", "revise")]
    undoing.undo(store, report.id, "Ann")
    assert _sums(store) == [("WINDMILL BAKERY", "-9.00", "pending")]
    importing.import_bytes(store, booked, "once more.xml")
    assert _sums(store) == [("WINDMILL BAKERY", "-9.00", "")]


def test_of_pending_twins_that_are_booked_none_is_lost_and_a_third_is_another(store: Store) -> None:
    row = ("2026-03-02", "9.00", "WINDMILL BAKERY")
    importing.import_bytes(store, _camt(("PDNG", *row), ("PDNG", *row)), "day.xml")
    booked = _camt(("BOOK", *row), ("BOOK", *row), ("BOOK", *row))
    assert importing.import_bytes(store, booked, "statement.xml").stored == 1
    assert importing.import_bytes(store, booked, "again.xml").stored == 0
    assert _sums(store) == [("WINDMILL BAKERY", "-9.00", "")] * 3


def test_an_older_report_that_comes_after_the_statement_changes_nothing(store: Store) -> None:
    importing.import_bytes(store, _camt(("BOOK", "2026-03-02", "9.00", "Windmill Bakery")), "statement.xml")
    report = importing.import_bytes(store, _camt(("PDNG", "2026-03-02", "9.00", "CARD WINDMILL BAKERY")), "day.xml")
    assert (report.stored, report.duplicate) == (0, 1)
    assert _sums(store) == [("Windmill Bakery", "-9.00", "")]


def test_what_a_person_corrected_while_it_was_pending_stays_as_they_said(store: Store) -> None:
    importing.import_bytes(store, _camt(("PDNG", "2026-03-02", "9.00", "WINDMILL BAKERY")), "day.xml")
    with store.read() as connection:
        fact = next(each.id for each in timeline.matching(connection, Query()))
    stating.correct(store, fact, {"title": "Bread"}, "Ann")
    importing.import_bytes(store, _camt(("BOOK", "2026-03-02", "9.00", "WINDMILL BAKERY")), "statement.xml")
    assert [title for title, _, _ in _sums(store)] == ["Bread"]


# ---- shares ----


def _broker(rows: str = "", held: str = "", named: str = "") -> bytes:
    account = "<CURDEF>EUR<INVACCTFROM><BROKERID>b<ACCTID>7</INVACCTFROM>"
    list_ = (
        f"<SECLIST><MFINFO><SECINFO><SECID><UNIQUEID>X<UNIQUEIDTYPE>OTHER</SECID><SECNAME>{named}</SECINFO></SECLIST>"
    )
    lists = f"<INVTRANLIST>{rows}</INVTRANLIST><INVPOSLIST>{held}</INVPOSLIST>"
    return f"<OFX><INVSTMTRS>{account}{lists}</INVSTMTRS>{list_ if named else ''}</OFX>".encode()


def _held(when: str, value: str, where: str = "CASH") -> str:
    said = f"<SECID><UNIQUEID>X<UNIQUEIDTYPE>OTHER</SECID><HELDINACCT>{where}<UNITS>3<MKTVAL>{value}"
    return f"<POSMF><INVPOS>{said}<DTPRICEASOF>{when}</INVPOS></POSMF>"


def _moved(tag: str, id_: str, security: str, rest: str = "<UNITS>3") -> str:
    said = f"<INVTRAN><FITID>{id_}<DTTRADE>20260302</INVTRAN><SECID><UNIQUEID>{security}<UNIQUEIDTYPE>OTHER</SECID>"
    return f"<{tag}>{said}{rest}</{tag}>"


def _import_each(store: Store, *files: bytes) -> Report:
    return [importing.import_bytes(store, data, f"{number}.ofx") for number, data in enumerate(files)][-1]


def test_what_is_held_on_two_days_is_two_facts_and_on_one_day_is_one(store: Store) -> None:
    days = [_broker(held=_held(when, "30.00")) for when in ("20260302", "20260303", "20260303")]
    report = _import_each(store, *days[:2], days[2] + b" ")
    assert (report.read, report.stored, report.duplicate) == (1, 0, 1)
    assert [title for title, _ in _standing(store)] == ["X", "X"]


def test_what_is_held_has_one_value_a_day_the_latest_in_either_order(store: Store) -> None:
    noon, evening = (
        _broker(held=_held(f"20260302{hour}0000", value)) for hour, value in ((12, "30.00"), (17, "31.50"))
    )
    report = _import_each(store, noon, evening)
    assert (report.stored, report.duplicate) == (0, 1)
    assert _standing(store) == [("X", "31.50")]
    assert _versions(store, "X") == [("X", ""), ("X", "revise")]
    _import_each(store, noon + b" ", evening + b" ", _broker(held=_held("20260302090000", "29.00")))
    assert _standing(store) == [("X", "31.50")]


def test_of_one_share_in_two_places_each_has_its_own_value(store: Store) -> None:
    two = [_broker(held=_held("20260302", value) + _held("20260302", value, "MARGIN")) for value in ("30.00", "31.50")]
    assert _import_each(store, two[0], two[0] + b" ").duplicate == 2
    assert _import_each(store, two[1]).duplicate == 2
    assert _standing(store) == [("X", "31.50")] * 2


def test_a_share_that_stands_twice_in_one_place_is_held_in_that_order(store: Store) -> None:
    first, second = (_held("20260302", one) + _held("20260302", other) for one, other in (("30", "40"), ("31", "41")))
    assert _import_each(store, _broker(held=first), _broker(held=second)).duplicate == 2
    with store.read() as connection:
        facts = [each.id for each in timeline.matching(connection, Query())]
        told = [[str(each.record.amount) for each in versions.history(connection, fact)] for fact in facts]
    assert sorted(told) == [["30.00", "31.00"], ["40.00", "41.00"]]


def test_a_statement_that_leaves_out_the_name_of_a_share_says_nothing_new(store: Store) -> None:
    rows, held = _moved("INCOME", "1", "X", "<TOTAL>2.50<INCOMETYPE>DIV"), _held("20260302", "30.00")
    report = _import_each(store, _broker(rows, held, named="Orchard Fund"), _broker(rows, held))
    assert (report.read, report.stored, report.duplicate) == (2, 0, 2)
    assert len(_standing(store)) == 2


def test_shares_that_move_without_money_are_one_only_by_their_id(store: Store) -> None:
    tiny, tall = (_moved("TRANSFER", id_, f"Orchard {id_} fund") for id_ in ("tiny", "tall"))
    assert _import_each(store, _broker(tiny), _broker(tall)).stored == 1
    assert _import_each(store, _broker(tiny + tall), _broker(tall.replace("Orchard", "The Orchard"))).stored == 0
    assert len(_standing(store)) == 2


MIDATA = "Date,Type,Merchant/Description,Debit/Credit,Balance\n"


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_balances_of_midata_exports_that_overlap_are_one_a_day(store: Store, newest_first: bool) -> None:
    rows = [
        "03/02/2026,VIS,SHOP,-£4.50,+£95.50\n",
        "03/02/2026,VIS,KIOSK,-£1.00,+£94.50\n",
        "04/02/2026,VIS,SHOP,-£2.00,+£92.50\n",
        "04/02/2026,CR,SALARY,+£100.00,+£192.50\n",
    ]
    for many in (3, 4, 4):
        said = rows[:many][::-1] if newest_first else rows[:many]
        importing.import_bytes(store, (MIDATA + "".join(said)).encode(), "midata.csv")
    with store.read() as connection:
        found = timeline.matching(connection, Query(kind="money.balance"))
        assert sorted((each.at, each.amount) for each in found) == [
            ("2026-02-03", Decimal("94.5")),
            ("2026-02-04", Decimal("192.5")),
        ]
