"""OFX's oddities. What every importer must do is in tests/contracts/importers.py."""

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UserError
from appliance.importers import ofx
from appliance.records import Item, Record, Rejected, Source, Warned

ACCOUNT = b"<CURDEF>EUR<BANKACCTFROM><BANKID>9<ACCTID>7</BANKACCTFROM>"


def statement(*rows: bytes) -> bytes:
    return b"<OFX><BANKMSGSRSV1><STMTRS>" + ACCOUNT + b"<BANKTRANLIST>" + b"".join(rows) + b"</BANKTRANLIST></OFX>"


def row(amount: str = "1", posted: str = "20260101", rest: str = "<NAME>Mill") -> bytes:
    return f"<STMTTRN><TRNTYPE>POS<DTPOSTED>{posted}<TRNAMT>{amount}<FITID>1{rest}</STMTTRN>".encode()


def items(data: bytes) -> list[Item]:
    return list(ofx.extract(data, ofx.Options()))


def records(given: Iterable[Item]) -> list[Record]:
    return [item for item in given if isinstance(item, Record)]


def rejected(given: Iterable[Item]) -> list[Rejected]:
    return [item for item in given if isinstance(item, Rejected)]


def the_only(data: bytes) -> Record:
    [record] = records(items(data))
    return record


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("20260301", date(2026, 3, 1)),
        ("20260301[-5:EST]", date(2026, 3, 1)),
        ("20260301101112", datetime(2026, 3, 1, 10, 11, 12, tzinfo=UTC)),
        ("202603011011", datetime(2026, 3, 1, 10, 11, tzinfo=UTC)),
        ("20260301101112.345[-5:EST]", datetime(2026, 3, 1, 15, 11, 12, 345000, tzinfo=UTC)),
        ("20260301101112[-3.5]", datetime(2026, 3, 1, 13, 41, 12, tzinfo=UTC)),
        ("20260301101112[+5.30:IST]", datetime(2026, 3, 1, 4, 41, 12, tzinfo=UTC)),
        ("20260301101112[EST]", date(2026, 3, 1)),  # an hour that cannot be known is not invented
    ],
)
def test_a_date_is_as_precise_as_it_was_said(said: str, meant: date) -> None:
    at = the_only(statement(row(posted=said))).at
    assert at == meant
    assert type(at) is type(meant)


def test_the_zone_in_which_a_time_was_said_is_kept() -> None:
    at = the_only(statement(row(posted="20260301101112[-5:EST]"))).at
    assert isinstance(at, datetime)
    assert at.utcoffset() == timedelta(hours=-5)


@pytest.mark.parametrize("said", ["20260230", "00000000", "2026", "20260101250000", "tomorrow", ""])
def test_what_is_no_date_is_rejected(said: str) -> None:
    [reject] = rejected(items(statement(row(posted=said))))
    assert "date" in reject.reason or "time" in reject.reason


@pytest.mark.parametrize(
    "said", ["1,234", "$120", "12-34", "1e3", "NaN", "Infinity", "1.2.3", "--1", "", "٣", "0.0000001", "9" * 300]
)
def test_an_amount_that_is_not_certain_is_never_guessed(said: str) -> None:
    assert len(rejected(items(statement(row(amount=said))))) == 1


def test_a_lone_point_is_the_decimal_point_as_the_specification_has_it() -> None:
    assert the_only(statement(row(amount="115.833"))).amount == Decimal("115.833")
    assert the_only(statement(row(amount="0,833"))).amount == Decimal("0.833")


@given(st.decimals(min_value="-9223372036854", max_value="9223372036854", places=6))
def test_amounts_are_exact(amount: Decimal) -> None:
    assert the_only(statement(row(amount=f"{amount:f}"))).amount == amount


@given(st.decimals(min_value="-999999999", max_value="999999999", places=2), st.sampled_from([",.", ".,", " ,", "'."]))
def test_grouped_amounts_are_exact(amount: Decimal, marks: str) -> None:
    said = f"{amount:,.2f}".translate({ord(","): marks[0], ord("."): marks[1]})
    assert the_only(statement(row(amount=said))).amount == amount


def test_all_problems_of_a_row_are_told_with_their_lines() -> None:
    [reject] = rejected(items(b"\n" + statement(b"<STMTTRN>\r\n<DTPOSTED>x\r\n<TRNAMT>y\r\n</STMTTRN>")))
    assert reject.line == 2
    assert reject.where == "transaction 1"
    assert "line 3" in reject.reason
    assert "line 4" in reject.reason


def test_a_span_is_the_transaction_and_nothing_else() -> None:
    closed, unclosed = row(), row(rest="<NAME>Elm\n").replace(b"</STMTTRN>", b"")
    data = statement(closed, b"\n  ", unclosed, b"\r\n", closed)
    spans = [data[found.span.first : found.span.first + found.span.length] for found in records(items(data))]
    assert spans == [closed, unclosed.rstrip(), closed]


def test_every_unclosed_transaction_comes_out_once() -> None:
    data = statement(*(row(rest=f"<NAME>{n}").replace(b"</STMTTRN>", b"") for n in range(5)))
    assert [record.title for record in records(items(data))] == list("01234")


def test_the_account_of_the_other_side_does_not_become_the_statements() -> None:
    to = "<NAME>Rent<BANKACCTTO><BANKID>1<ACCTID>2<ACCTTYPE>SAVINGS</BANKACCTTO>"
    found = items(statement(row(rest=to), row()))
    assert [record.account_key for record in records(found)] == ["9/7", "9/7"]
    assert records(found)[0].fields["bankacctto.acctid"] == "2"
    assert len([item for item in found if isinstance(item, Source)]) == 1


def test_text_is_read_in_the_encoding_that_it_is_in() -> None:
    header = b"OFXHEADER:100\nENCODING:USASCII\nCHARSET:1252\n\n"
    assert the_only(header + statement(row(rest="<NAME>Ł€é"))).title == "Ł€é"
    assert the_only(header + statement(row().replace(b"Mill", b"Caf\xe9 \x80"))).title == "Café €"
    assert the_only(header.replace(b"1252", b"1251") + statement(row().replace(b"Mill", b"\xcf\xe8"))).title == "Пи"
    no_text = header.replace(b"1252", b"unicode_escape")  # Python has such a codec, and it is none of a bank's
    assert the_only(no_text + statement(row().replace(b"Mill", b"\xe9"))).title == "é"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("A & B", "A & B"),
        ("AT&amp;T", "AT&T"),
        ("A&copyB", "A&copyB"),
        ("a < b", "a < b"),
        ("&#233;&#xE9;", "éé"),
        ("<![CDATA[a & <b>]]>", "a & <b>"),
        ("one\r\n  two\x00", "one two"),
    ],
)
def test_a_name_reads_as_it_was_meant(written: str, meant: str) -> None:
    assert the_only(statement(row(rest=f"<NAME>{written}"))).title == meant


def test_a_currency_of_its_own_counts_and_the_original_one_does_not() -> None:
    own = the_only(statement(row(rest="<CURRENCY><CURRATE>2<CURSYM>USD</CURRENCY>")))
    original = the_only(statement(row(rest="<ORIGCURRENCY><CURRATE>2<CURSYM>USD</ORIGCURRENCY>")))
    assert (own.unit, original.unit) == ("USD", "EUR")


def test_a_person_states_the_currency_that_a_file_does_not() -> None:
    data = statement(row()).replace(b"<CURDEF>EUR", b"")
    assert any(isinstance(item, Warned) and "currency" in item.message for item in items(data))
    assert [record.unit for record in records(ofx.extract(data, ofx.Options(currency="SEK")))] == ["SEK"]
    with pytest.raises(UserError, match="EUR"):
        ofx.Options(currency="kronor")


def balances(data: bytes) -> list[tuple[str, str | None, str]]:
    found = [item for item in items(data) if isinstance(item, Record) and item.kind == "money.balance"]
    return [(each.fields["type"], each.at.isoformat() if each.at else None, str(each.amount)) for each in found]


@pytest.mark.parametrize("closing", [b"</LEDGERBAL>", b""])
def test_what_the_bank_says_stood_on_the_account_is_a_balance_of_it(closing: bytes) -> None:
    said = b"<LEDGERBAL><BALAMT>-5.20<DTASOF>20260131" + closing + b"<AVAILBAL><BALAMT>1,50<DTASOF>20260201</AVAILBAL>"
    data = statement(row()).replace(b"</OFX>", said + b"</STMTRS></OFX>")
    assert balances(data) == [("ledger", "2026-01-31", "-5.20"), ("available", "2026-02-01", "1.50")]
    ledger = next(item for item in items(data) if isinstance(item, Record) and item.kind == "money.balance")
    assert (ledger.account, ledger.account_key, ledger.unit) == ("7", "9/7", "EUR")
    assert data[ledger.span.first :][: ledger.span.length] == said.partition(b"<AVAILBAL")[0]


def test_a_balance_that_cannot_be_read_is_said_and_rejects_nothing() -> None:
    data = statement(row()).replace(b"</OFX>", b"<LEDGERBAL><BALAMT>lots<DTASOF>20260131</LEDGERBAL></OFX>")
    assert balances(data) == []
    assert rejected(items(data)) == []
    assert any(isinstance(item, Warned) and "balance on line 1" in item.message for item in items(data))
    assert balances(statement(row()).replace(b"</OFX>", b"<LEDGERBAL><DTASOF>20260131<BALAMT>12")) == []  # cut off


def test_utf16_is_told_what_to_do() -> None:
    [reject] = items(statement(row()).decode().encode("utf-16"))
    assert isinstance(reject, Rejected)
    assert "UTF-8" in reject.reason


@pytest.mark.parametrize(
    "data",
    [
        statement(b"<STMTTRN>" * 100_000),
        statement(b"<STMTTRN><NAME>" + b"x" * 10_000_000),
        statement(b"<STMTTRN><NAME>" + b"<" * 1_000_000),
        b"<OFX>" + b"<!--" * 500_000,
        b"<OFX><STMTTRN>" + b"<![CDATA[" * 100_000,
        b"<OFX>" + b"<ORG >" * 500_000,
        b"<OFX>" + b"<STMTTRN " * 500_000,
    ],
    ids=["unclosed", "long", "angles", "remarks", "cdata", "values", "broken tags"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is a hundred times what it takes; a quadratic reader would take hours."""
    began = time.process_time()
    for _ in ofx.extract(data, ofx.Options()):
        pass
    assert time.process_time() - began < 10


def broker(*rows: bytes, held: bytes = b"", as_of: bytes = b"20260331") -> bytes:
    account = b"<CURDEF>EUR<INVACCTFROM><BROKERID>b<ACCTID>7</INVACCTFROM><INVTRANLIST>"
    statement = b"<INVSTMTRS><DTASOF>" + as_of + account + b"".join(rows) + b"</INVTRANLIST>"
    return b"<OFX>" + statement + b"<INVPOSLIST>" + held + b"</INVPOSLIST></INVSTMTRS></OFX>"


def trade(tag: str, units: str, total: str, rest: str = "") -> bytes:
    return (
        f"<{tag}><INVTRAN><FITID>1<DTTRADE>20260303</INVTRAN><UNITS>{units}<UNITPRICE>2<TOTAL>{total}{rest}</{tag}>"
    ).encode()


@pytest.mark.parametrize(
    ("tag", "units", "total", "moved"),
    [
        ("BUYMF", "5", "-10.00", "-10.00"),
        ("BUYMF", "5", "10.00", "-10.00"),
        ("BUYMF", "-5", "10.00", "10.00"),  # a purchase taken back
        ("SELLSTOCK", "-5", "10.00", "10.00"),
        ("SELLSTOCK", "-5", "-10.00", "10.00"),
        ("SELLSTOCK", "5", "-10.00", "-10.00"),  # a sale taken back
        ("INCOME", "0", "-1.00", "-1.00"),
    ],
)
def test_what_is_bought_is_paid_and_what_is_sold_comes_in(tag: str, units: str, total: str, moved: str) -> None:
    record = the_only(broker(trade(tag, units, total)))
    assert record.amount == Decimal(moved)
    assert record.fields.get("total", moved) == total


def test_a_sale_whose_costs_ate_what_it_brought_is_paid() -> None:
    eaten = the_only(broker(trade("SELLSTOCK", "-5", "-2.50", "<COMMISSION>12.50")))  # 5 at 2 brought 10
    assert (eaten.amount, "total" in eaten.fields) == (Decimal("-2.50"), False)
    contracts = the_only(broker(trade("SELLOPT", "-5", "-987.50", "<COMMISSION>12.50<SHPERCTRCT>100")))
    assert contracts.amount == Decimal("987.50")


@pytest.mark.parametrize("units", ["1,234", "many", "1e3"])
def test_how_many_is_never_guessed(units: str) -> None:
    [reject] = rejected(items(broker(trade("BUYMF", units, "-10.00"))))
    assert units in reject.reason


def test_a_transaction_of_a_sort_that_ofx_does_not_have_is_rejected_and_no_other_is_lost() -> None:
    strange = trade("BUYCOIN", "5", "-10.00")
    data = broker(trade("BUYMF", "5", "-10.00"), strange, strange, trade("SELLMF", "-5", "11.00"))
    found = items(data)
    assert [each.amount for each in records(found)] == [Decimal("-10.00"), Decimal("11.00")]
    assert [each.where for each in rejected(found)] == ["transaction 2", "transaction 3"]
    assert all(data[each.span.first :].startswith(b"<INVTRAN>") for each in rejected(found))


def test_a_position_of_a_sort_that_ofx_does_not_have_is_held_too() -> None:
    said = b"<INVPOS><SECID><UNIQUEID>%b<UNIQUEIDTYPE>OTHER</SECID><UNITS>1<MKTVAL>5.00</INVPOS>"
    held = b"<POSCOIN>" + said % b"X" + b"</POSCOIN>" + said % b"Y" + b"<POSMF>" + said % b"Z" + b"</POSMF>"
    assert [each.title for each in records(items(broker(held=held)))] == ["X", "Y", "Z"]


def test_the_other_account_of_a_transfer_does_not_become_the_statements() -> None:
    to = "<INVACCTTO><BROKERID>elm<ACCTID>9</INVACCTTO>"
    record = the_only(broker(trade("TRANSFER", "5", "", to)))
    assert (record.account_key, record.fields["brokerid"], record.fields["invacctto.acctid"]) == ("b/7", "b", "9")


def test_a_trade_that_is_taken_back_by_its_id_keeps_its_sign() -> None:
    assert the_only(broker(trade("BUYMF", "5", "10.00", "<REVERSALFITID>9"))).amount == Decimal("10.00")


@pytest.mark.parametrize("tag", ["TRANSFER", "REINVEST", "JRNLSEC", "CLOSUREOPT"])
def test_what_moves_no_money_has_no_amount(tag: str) -> None:
    assert the_only(broker(trade(tag, "5", "10.00"))).amount is None


def test_a_position_without_a_day_is_as_of_the_statement() -> None:
    held = b"<POSMF><INVPOS><SECID><UNIQUEID>X<UNIQUEIDTYPE>OTHER</SECID><UNITS>1<MKTVAL>5.00</INVPOS></POSMF>"
    record = the_only(broker(held=held))
    assert (record.kind, record.at, record.amount) == ("money.holding", date(2026, 3, 31), Decimal("5.00"))


def test_a_row_that_nothing_closes_ends_where_the_next_begins() -> None:
    rows = [trade("BUYMF", "5", "-10.00").removesuffix(b"</BUYMF>"), trade("SELLMF", "-5", "11.00")]
    assert [each.amount for each in records(items(broker(*rows)))] == [Decimal("-10.00"), Decimal("11.00")]
