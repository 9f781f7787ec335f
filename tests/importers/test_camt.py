"""CAMT's oddities. What every importer must do is in tests/contracts/importers.py."""

import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.importers import camt
from appliance.ingest import importing
from appliance.records import Item, Record, Rejected, Source, Warned
from appliance.store.database import Store
from tests.contracts.importers import extracted

IBAN = "DE89370400440532013000"
MESSAGES = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def entry(
    amount: str = "5.00", sign: str = "DBIT", more: str = "", day: str = "<Dt>2026-04-10</Dt>", **said: str
) -> str:
    status = said.get("status", "BOOK")
    return (
        f"<Ntry><Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts>{status}</Sts>"
        f"<BookgDt>{day}</BookgDt>{more}</Ntry>\n"
    )


def detail(more: str) -> str:
    return f"<NtryDtls><TxDtls>{more}</TxDtls></NtryDtls>"


def balance(code: str, amount: str, sign: str = "CRDT", currency: str = "EUR") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='{currency}'>{amount}</Amt>"
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>2026-04-10</Dt></Dt></Bal>\n"
    )


def document(*rows: str, kind: str = "053", version: str = "02", account: str = f"<IBAN>{IBAN}</IBAN>") -> bytes:
    message, statement = MESSAGES[kind]
    body = f"<{statement}>\n<Acct><Id>{account}</Id></Acct>\n{''.join(rows)}</{statement}>"
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.{version}"
    return f"<?xml version='1.0'?>\n<Document xmlns='{space}'><{message}>{body}</{message}></Document>".encode()


def items(data: bytes) -> list[Item]:
    return extracted("camt", data)


def payments(data: bytes) -> list[Record]:
    return [each for each in items(data) if isinstance(each, Record) and each.kind == "money.transaction"]


def warned(data: bytes) -> list[str]:
    return [each.message for each in items(data) if isinstance(each, Warned)]


def rejected(data: bytes) -> list[Rejected]:
    return [each for each in items(data) if isinstance(each, Rejected)]


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("version", [f"{number:02}" for number in range(1, 14)])
def test_every_message_and_version_is_known_and_read(kind: str, version: str) -> None:
    data = document(entry(), kind=kind, version=version)
    assert camt.identify(data, "any.xml")
    assert [each.amount for each in payments(data)] == [Decimal("-5.00")]


@pytest.mark.parametrize("prefix", ["ns2:", "camt:", "x-y.z:"])
def test_prefixes_change_nothing(prefix: str) -> None:
    plain = document(entry(more=detail("<RltdPties><Cdtr><Nm>Mill</Nm></Cdtr></RltdPties>")), balance("CLBD", "1"))
    data = (
        plain.replace(b"</", b"<//")
        .replace(b"<", b"<" + prefix.encode())
        .replace(prefix.encode() + b"//", b"/" + prefix.encode())
    )
    data = data.replace(b"<" + prefix.encode() + b"?xml", b"<?xml").replace(
        b"xmlns=", b"xmlns:" + prefix[:-1].encode() + b"="
    )
    assert camt.identify(data, "any.xml")
    assert [each.title for each in payments(data)] == ["Mill"]


def test_another_message_of_iso_20022_is_none_of_these() -> None:
    pain = b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.03'><CstmrCdtTrfInitn/></Document>"
    assert not camt.identify(pain, "camt.053.xml")
    assert not camt.identify(b"a letter about <BkToCstmrStmt>", "camt.053.xml")


@given(st.decimals(min_value=0, max_value="9223372036854", places=5))
def test_amounts_are_exact(amount: Decimal) -> None:
    [record] = payments(document(entry(f"{amount:f}", "CRDT")))
    assert record.amount == amount


@pytest.mark.parametrize("said", ["12..34", "", "-5", "+5", "1,234", "NaN", "1e3", "5 EUR", "9" * 300])
def test_an_amount_that_is_not_certain_is_rejected_with_its_place(said: str) -> None:
    [reject] = rejected(document(entry(), entry(said), entry()))
    assert (reject.where, reject.line) == ("entry 2", 5)


@pytest.mark.parametrize("sign", ["", "C", "MAYBE"])
def test_whether_money_came_or_went_is_never_guessed(sign: str) -> None:
    assert "CRDT" in rejected(document(entry(sign=sign)))[0].reason


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("<Dt>2026-04-10</Dt>", date(2026, 4, 10)),
        ("<Dt>2026-04-10Z</Dt>", date(2026, 4, 10)),
        ("<Dt>2026-04-10+02:00</Dt>", date(2026, 4, 10)),
        ("<DtTm>2026-04-10T12:00:00+02:00</DtTm>", datetime(2026, 4, 10, 10, tzinfo=UTC)),
        ("<DtTm>2026-04-10T12:00:00.5Z</DtTm>", datetime(2026, 4, 10, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("<DtTm>2026-04-10T00:00:00</DtTm>", date(2026, 4, 10)),
        ("<DtTm>2026-04-10T24:00:00</DtTm>", date(2026, 4, 10)),
        ("2026-04-10", date(2026, 4, 10)),
    ],
)
def test_a_day_is_as_precise_as_it_was_said(said: str, meant: date) -> None:
    [record] = payments(document(entry(day=said)))
    assert record.at == meant
    assert type(record.at) is type(meant)


@pytest.mark.parametrize(
    "said", ["<Dt>2026-02-30</Dt>", "<DtTm>2026-04-10T25:00:00Z</DtTm>", "<Dt>10.04.2026</Dt>", ""]
)
def test_what_is_no_day_is_rejected(said: str) -> None:
    assert "date" in rejected(document(entry(day=said)))[0].reason


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("BOOK", ""),
        ("<Cd>BOOK</Cd>", ""),
        ("PDNG", "pending"),
        ("<Cd>FUTR</Cd>", "pending"),
        ("<Prtry>Held</Prtry>", "held"),
    ],
)
def test_what_is_not_booked_yet_says_so(said: str, kept: str) -> None:
    [record] = payments(document(entry(status=said)))
    assert record.fields.get("status", "") == kept


def test_what_is_for_information_moved_nothing() -> None:
    data = document(balance("OPBD", "9"), balance("CLBD", "4"), entry("5"), entry("3", status="INFO"))
    assert len(payments(data)) == 1
    assert "information" in rejected(data)[0].reason
    assert warned(data) == []


def test_what_is_taken_back_moves_the_other_way_and_names_the_same_party() -> None:
    parties = "<RltdPties><Dbtr><Nm>Me</Nm></Dbtr><Cdtr><Nm>Shop</Nm></Cdtr></RltdPties>"
    data = document(entry("5", more=detail(parties)), entry("5", "CRDT", f"<RvslInd>true</RvslInd>{detail(parties)}"))
    assert [(each.amount, each.title, each.fields.get("reversal")) for each in payments(data)] == [
        (Decimal(-5), "Shop", None),
        (Decimal(5), "Shop", "yes"),
    ]


def test_the_other_party_is_never_the_account_itself() -> None:
    own, other = (f"<Id><IBAN>{iban}</IBAN></Id>" for iban in (IBAN, "NL18BANK0123459876"))
    shop, me = "<Dbtr><Nm>Shop</Nm></Dbtr>", "<Cdtr><Nm>Me</Nm></Cdtr>"
    turned = f"<RltdPties>{shop}<DbtrAcct>{other}</DbtrAcct>{me}<CdtrAcct>{own}</CdtrAcct></RltdPties>"
    [record] = payments(document(entry(more=detail(turned))))
    assert (record.title, record.fields["bankacctto.acctid"]) == ("Shop", "NL18BANK0123459876")


def test_a_collection_is_one_movement_with_each_of_its_payments() -> None:
    many = "".join(
        f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><Amt Ccy='EUR'>{n}.00</Amt>"
        f"<RltdPties><Cdtr><Nm>Payee {n}</Nm></Cdtr></RltdPties><RmtInf><Ustrd>Bill {n}</Ustrd></RmtInf></TxDtls>"
        for n in range(1, 101)
    )
    [record] = payments(document(entry("5050.00", more=f"<NtryDtls>{many}</NtryDtls>")))
    lines = record.fields["parts"].split("\n")
    assert (record.amount, len(lines), record.fields["payments"]) == (Decimal("-5050.00"), 100, "100")
    assert lines[41] == "42.00 EUR · Payee 42 · Bill 42 · E42"


@pytest.mark.parametrize(
    ("closing", "said"), [("104.50", []), ("104.51", ["entries come to 4.50 EUR, its balances differ by 4.51"])]
)
def test_balances_that_the_entries_do_not_lead_to_are_told(closing: str, said: list[str]) -> None:
    rows = (entry("5.50"), entry("10.00", "CRDT"), entry("3", status="PDNG"))
    told = warned(document(balance("OPBD", "100"), balance("CLBD", closing), *rows))
    assert len(told) == len(said)
    assert all(each in told[0] for each in said)


def test_each_currency_and_each_statement_is_added_up_by_itself() -> None:
    one = [balance("OPBD", "1"), balance("CLBD", "6"), entry("5", "CRDT")]
    dollars = [
        balance("OPBD", "1", currency="USD"),
        balance("CLBD", "3", currency="USD"),
        entry("2", "CRDT").replace("EUR", "USD"),
    ]
    assert warned(document(*one, *dollars)) == []
    second = document(*one).replace(
        b"</Stmt>", b"</Stmt><Stmt><Acct><Id><IBAN>X2</IBAN></Id></Acct>" + "".join(one).encode() + b"</Stmt>"
    )
    assert warned(second) == []
    assert [each.name for each in items(second) if isinstance(each, Source)] == [IBAN, "X2"]


def test_the_balance_before_is_the_opening_where_no_other_is_said() -> None:
    assert warned(document(balance("PRCD", "1"), balance("CLBD", "6"), entry("5", "CRDT"))) == []
    assert warned(document(balance("OPBD", "1"), balance("PRCD", "9"), balance("CLBD", "6"), entry("5", "CRDT"))) == []


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        ("<TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries>", ""),
        ("<TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries>", ""),
        ("<TtlNtries><NbOfNtries>5</NbOfNtries></TtlNtries>", "counts 5 entries, and has 3"),
        ("<TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>10</Sum></TtlCdtNtries>", ""),
        ("<TtlDbtNtries><NbOfNtries>2</NbOfNtries><Sum>8.50</Sum></TtlDbtNtries>", ""),
        ("<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>7.50</Sum></TtlDbtNtries>", "come to 7.50"),
    ],
)
def test_what_the_statement_counts_itself_is_compared(summary: str, told: str) -> None:
    rows = (entry("5.50"), entry("10", "CRDT"), entry("3", status="PDNG"))
    found = warned(document(f"<TxsSummry>{summary}</TxsSummry>", *rows))
    assert found == [] if not told else told in found[0]


def test_of_a_page_among_others_nothing_is_expected_to_add_up() -> None:
    page = "<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"
    assert warned(document(page, balance("OPBD", "1"), balance("CLBD", "100"), entry())) == []


def test_what_could_not_be_read_is_said_to_be_why_it_does_not_add_up() -> None:
    [told] = warned(document(balance("OPBD", "1"), balance("CLBD", "100"), entry("x")))
    assert "1 of them could not be read" in told


def test_every_balance_is_kept_by_what_it_is_and_one_of_an_unknown_kind_is_told() -> None:
    codes = ["OPBD", "CLBD", "ITBD", "CLAV", "PRCD", "FWAV", "OPAV", "ITAV", "XPCD"]
    data = document(*(balance(code, "7.25", "DBIT") for code in codes), balance("LIMT", "1000"), entry())
    found = [each for each in items(data) if isinstance(each, Record) and each.kind == "money.balance"]
    assert [each.fields["code"] for each in found] == codes
    assert {each.amount for each in found} == {Decimal("-7.25")}
    assert any("LIMT" in each for each in warned(data))


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("<IBAN>DE89 3704 0044 0532 0130 00</IBAN>", IBAN),
        ("<Othr><Id>12 34</Id></Othr>", "1234"),
        ("<PrtryAcct><Id>5</Id></PrtryAcct>", "5"),
        ("<BBAN>77</BBAN>", "77"),
    ],
)
def test_an_account_is_one_source_however_it_is_numbered(account: str, name: str) -> None:
    data = document(entry(), account=account)
    assert [each.name for each in items(data) if isinstance(each, Source)] == [name]
    assert payments(data)[0].account == name


def test_twins_stay_two_and_the_same_file_again_brings_nothing(store: Store) -> None:
    data = document(entry(more="<AcctSvcrRef>1</AcctSvcrRef>"), entry(more="<AcctSvcrRef>2</AcctSvcrRef>"))
    assert [importing.import_bytes(store, data, "a.xml").stored for _ in range(3)] == [2, 0, 0]


def test_a_broken_entry_costs_itself_alone() -> None:
    bad = entry().replace("</Amt>", "</Amount>")
    data = document(entry("1"), bad, entry("3"))
    assert [each.amount for each in payments(data)] == [-1, -3]
    [reject] = rejected(data)
    assert (reject.where, reject.line) == ("entry 2", 5)
    assert data[reject.span.first :].startswith(b"<Ntry>")


@pytest.mark.parametrize(
    "data",
    [
        document("<Ntry>" * 100_000),
        document(entry(more=detail("<RmtInf><Ustrd>x</Ustrd></RmtInf>" * 30_000))),
        document(entry(more="<NtryDtls>" + "<TxDtls><Amt>1</Amt></TxDtls>" * 50_000 + "</NtryDtls>")),
        document(entry("9" * 1_000_000)),
        document(*(entry("x") for _ in range(20_000))),
        document(*(balance("CLBD", "x") for _ in range(20_000))),
        document(entry(more="<AddtlNtryInf>" + "&amp;" * 500_000 + "</AddtlNtryInf>")),
    ],
    ids=["deep", "texts", "details", "amount", "rejects", "balances", "references"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is far more than it takes; a quadratic reader would take hours."""
    began = time.process_time()
    assert items(data)
    assert time.process_time() - began < 10
