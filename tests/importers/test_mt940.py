"""The oddities of MT940 and MT942. What every importer must do is in tests/contracts/importers.py."""

import time
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from tempfile import NamedTemporaryFile

import mt940 as mt940_library
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UserError
from appliance.importers import mt940
from appliance.ingest import dedupe
from appliance.records import Item, Record, Rejected, Source, Warned

ROW = ":61:2603010301D5,00NMSCNONREF"


def statement(*fields: str, account: str = "10020030/1", opening: str = "C260228EUR100,00") -> bytes:
    head = [":20:S", f":25:{account}", ":28C:1/1", f":60F:{opening}"]
    return "\r\n".join([*head, *fields, "-", ""]).encode()


def report(*fields: str, account: str = "10020030/1") -> bytes:
    head = [":20:R", f":25:{account}", ":28C:1/1", ":34F:EURD0,", ":13D:2603011405+0100"]
    return "\r\n".join([*head, *fields, "-", ""]).encode()


def items(data: bytes, **stated: str) -> list[Item]:
    return list(mt940.extract(data, mt940.Options(**stated)))


def payments(data: bytes, **stated: str) -> list[Record]:
    found = items(data, **stated)
    return [each for each in found if isinstance(each, Record) and each.kind == "money.transaction"]


def the_only(*fields: str) -> Record:
    [record] = payments(statement(*fields))
    return record


def warnings(data: bytes) -> list[str]:
    return [each.message for each in items(data) if isinstance(each, Warned)]


# ---- rows ----


@pytest.mark.parametrize(
    ("row", "at", "amount"),
    [
        ("2603010302D5,00NMSC", "2026-03-02", "-5"),
        ("260301C5,NMSC", "2026-03-01", "5"),
        ("260301    CD0,5NDEF", "2026-03-01", "0.5"),  # no day booked, and the currency's third letter
        ("2603010301CR300,NTRF", "2026-03-01", "300"),
        ("2603010301RC5,00NMSC", "2026-03-01", "-5"),  # a credit taken back
        ("2603010301RD5,00NMSC", "2026-03-01", "5"),
        ("2603010301RCR5,00NMSC", "2026-03-01", "-5"),
        ("2603010301ED5,00NMSC", "2026-03-01", "-5"),
        ("2603010301EC5,00NMSC", "2026-03-01", "5"),
        ("2512310102D5,00NMSC", "2026-01-02", "-5"),  # value in the old year, booked in the new one
        ("2601021231D5,00NMSC", "2025-12-31", "-5"),
        ("2402290229D5,00NMSC", "2024-02-29", "-5"),
        ("2603010000D5,00NMSC", "2026-03-01", "-5"),
        ("790101C5,00NMSC", "2079-01-01", "5"),
        ("800101C5,00NMSC", "1980-01-01", "5"),
        ("2603010301D,50NMSC", "2026-03-01", "-0.5"),
        ("2603010301D12345678901,123NMSC", "2026-03-01", "-12345678901.123"),  # of currencies with three decimals
        ("2603010301D1.234,56NMSC", "2026-03-01", "-1234.56"),
    ],
)
def test_a_row_is_dated_when_it_was_booked_and_signed_as_its_mark_says(row: str, at: str, amount: str) -> None:
    record = the_only(f":61:{row}NONREF")
    assert (record.at, record.amount, record.unit) == (date.fromisoformat(at), Decimal(amount), "EUR")


@pytest.mark.parametrize(
    "row",
    ["2602300301D5,00NMSC", "2603011341D5,00NMSC", "2603010301X5,00NMSC", "2603010301DNMSC", "", "260301D1.234NMSC"],
)
def test_a_row_that_is_not_certain_is_rejected_with_its_line_and_its_bytes(row: str) -> None:
    data = statement(ROW, f":61:{row}", ":86:broken", ROW)
    [reject] = [each for each in items(data) if isinstance(each, Rejected)]
    assert (reject.line, reject.where) == (6, "transaction 2")
    assert data[reject.span.first :][: reject.span.length].replace(b"\r\n", b"|") == f":61:{row}|:86:broken".encode()
    assert len(payments(data)) == 2


@pytest.mark.parametrize(
    ("said", "own", "bank"),
    [
        ("NMSCNONREF", "", ""),
        ("NMSCRENT//B1", "RENT", "B1"),
        ("NMSC//B1", "", "B1"),
        ("NOV NONREF", "", ""),
        ("NONREF", "", ""),
        ("N102EREF//B2", "", "B2"),
        ("", "", ""),
    ],
)
def test_references_are_kept_unless_they_say_that_there_is_none(said: str, own: str, bank: str) -> None:
    record = the_only(f":61:2603010301D5,00{said}")
    assert (record.fields.get("refnum", ""), record.supplier_id) == (own, bank)


def test_what_is_taken_back_and_what_is_only_expected_says_so() -> None:
    assert the_only(":61:2603010301RD5,00NMSC").fields["reversal"] == "yes"
    assert the_only(":61:2603010301ED5,00NMSC").fields["status"] == "pending"


def test_a_row_ends_with_what_is_said_of_it_and_nothing_else() -> None:
    data = statement(ROW, "SUPPLEMENT", ":86:one", "two", ROW, ":62F:C260301EUR90,00")
    spans = [data[each.span.first :][: each.span.length] for each in payments(data)]
    assert spans == [f"{ROW}\r\nSUPPLEMENT\r\n:86:one\r\ntwo".encode(), ROW.encode()]


# ---- what is said of rows ----


def told(*said: str) -> Record:
    return the_only(ROW, *said)


def test_german_subfields_are_put_together_where_they_were_cut() -> None:
    record = told(
        ":86:105?00BASISLASTSCHRIFT?109310?20EREF+R-77?21MREF+M-1?22CRED+DE98ZZZ0999?23SVWZ+Rechnung von gestern",
        "?24 und heute?30BANKDEFFXXX?31DE02100100100006820101?32Stadtwerke Lindental und Um?33gebung?34992",
    )
    assert (record.party, record.memo) == ("Stadtwerke Lindental und Umgebung", "Rechnung von gestern  und heute")
    assert (
        record.fields.items()
        >= {
            "posting": "BASISLASTSCHRIFT",
            "eref": "R-77",
            "mref": "M-1",
            "creditor_id": "DE98ZZZ0999",
            "bankacctto.bankid": "BANKDEFFXXX",
            "bankacctto.acctid": "DE02100100100006820101",
        }.items()
    )


@pytest.mark.parametrize("mark", ["?", ">", "~", "<", "^"])
def test_subfields_may_have_another_mark(mark: str) -> None:
    record = told(f":86:166{mark}00GUTSCHRIFT{mark}20SVWZ+Miete{mark}32Ann")
    assert (record.party, record.memo, record.fields["posting"]) == ("Ann", "Miete", "GUTSCHRIFT")


@pytest.mark.parametrize(
    ("said", "party", "memo", "fields"),
    [
        (
            ["/TRTP/SEPA OVERBOEKING/IBAN/NL20BANK01/BIC/BANKNL2A/NAME/A DE VRIES EN/OF B/REMI/RES 4/EREF/NONREF"],
            "A DE VRIES EN/OF B",
            "RES 4",
            {"posting": "SEPA OVERBOEKING", "bankacctto.acctid": "NL20BANK01", "bankacctto.bankid": "BANKNL2A"},
        ),
        (
            ["/EREF/E1//MARF/M1//CSID/NL32//CNTP/NL20BANK01/BANKNL2A/DE MELKBOER/AMSTERDAM///REMI/USTD//MELK/"],
            "DE MELKBOER",
            "MELK",
            {"eref": "E1", "mref": "M1", "creditor_id": "NL32", "payee.city": "AMSTERDAM"},
        ),
        (["/EREF/R-1/BENM//NAME/DE KOE/REMI/Melk/ISDT/2026-03-01"], "DE KOE", "Melk", {"eref": "R-1"}),
        (
            ["SEPA IDEAL                       IBAN: NL20BANK01", "NAAM: BOEKWINKEL", "OMSCHRIJVING: 0123 KENMERK: 99"],
            "BOEKWINKEL",
            "SEPA IDEAL 0123",
            {"bankacctto.acctid": "NL20BANK01", "eref": "99"},
        ),
        (["FACTUUR 7", "REK: NL20BANK01/NAAM: BOER"], "BOER", "FACTUUR 7", {"bankacctto.acctid": "NL20BANK01"}),
        (["Gas, REK: 12"], "", "Gas, REK: 12", {}),
        (["A" * 65, "B"], "", "A" * 65 + "B", {}),  # a full line was cut
        (["one", "two"], "", "one two", {}),
        (["911 TRANSFER; 20 GOODS"], "", "911 TRANSFER; 20 GOODS", {}),
        (["AT&T &amp; co"], "", "AT&T &amp; co", {}),
        ([""], "", "", {}),
    ],
)
def test_each_bank_s_way_to_say_who_and_what_for(
    said: list[str], party: str, memo: str, fields: dict[str, str]
) -> None:
    record = told(f":86:{said[0]}", *said[1:])
    assert (record.party, record.memo) == (party, memo)
    assert record.fields.items() >= fields.items()


def test_an_account_that_stands_as_the_reference_or_below_is_the_other_s() -> None:
    by_reference = the_only(":61:2603010301D5,00NOVBNL47INGB0123456789", "Ann Doe")
    assert (by_reference.party, by_reference.fields["bankacctto.acctid"]) == ("Ann Doe", "NL47INGB0123456789")
    below = the_only(":61:2603010301D5,00N102EREF", "NL47INGB0123456789", ":86:/NAME/Ben/REMI/x")
    assert (below.party, below.fields["bankacctto.acctid"]) == ("Ben", "NL47INGB0123456789")


# ---- accounts ----


@pytest.mark.parametrize("account", ["NL18BANK0123459876", "NL18BANK0123459876EUR", "NL18BANK0123459876 EUR"])
def test_a_currency_behind_the_number_makes_no_other_account(account: str) -> None:
    found = items(statement(ROW, account=account))
    assert [each.name for each in found if isinstance(each, Source)] == ["NL18BANK0123459876"]


def test_an_account_that_ends_in_letters_keeps_them() -> None:
    malta = "MT84MALT011000012345MTLCASTEUR"
    [record] = payments(statement(ROW, account=malta))
    assert record.account == malta


def test_the_bank_s_code_tells_accounts_of_one_number_apart() -> None:
    one, other = (payments(statement(ROW, account=f"1234\r\n{bank}")) for bank in ("BANKHKHH", "BANKSGSG"))
    assert one[0].account == other[0].account == "1234"
    assert dedupe.fingerprint(one[0], "") != dedupe.fingerprint(other[0], "")


def test_several_statements_are_several_sources() -> None:
    found = items(statement(ROW, account="1") + statement(ROW, account="2") + statement(ROW, account="1"))
    assert [each.name for each in found if isinstance(each, Source)] == ["1", "2", "1"]


# ---- whether it adds up ----


def _closed(*rows: str, by: str) -> bytes:
    return statement(*rows, f":62F:{by}")


def test_rows_that_lead_to_the_closing_balance_need_no_word() -> None:
    assert not warnings(_closed(ROW, ":61:2603010301RD5,00NMSC", ROW, by="C260301EUR95,00"))
    assert not warnings(_closed(ROW, ":61:2603010301ED9,00NMSC", by="C260301EUR95,00"))  # expected is not booked
    debit = statement(ROW, ":62F:D260301EUR15,", opening="D260228EUR10,00")
    assert not warnings(debit)


def test_a_missing_row_is_told_and_so_is_a_rejected_one() -> None:
    [missing] = warnings(_closed(ROW, by="C260301EUR90,00"))
    assert "line 6 does not add up: its rows come to -5.00 EUR, its balances differ by -10.00" in missing
    [unread] = warnings(_closed(ROW, ":61:2602300301D5,00NMSC", by="C260301EUR90,00"))
    assert "1 of its rows could not be read" in unread


def test_pages_are_added_up_one_by_one_and_what_stands_between_is_said_once() -> None:
    pages = _closed(ROW, by="C260301EUR95,00").replace(b":62F:", b":62M:")
    pages += statement(ROW, ":62F:C260302EUR90,00", opening="C260301EUR95,00").replace(b":60F:", b":60M:")
    assert not warnings(pages)
    balances = [each for each in items(pages) if isinstance(each, Record) and each.kind == "money.balance"]
    assert [each.fields["type"] for each in balances] == ["opening", "interim", "closing"]


def test_a_report_s_own_counts_are_checked() -> None:
    rows = (ROW, ROW, ":61:2603010301C7,00NMSC")
    assert not warnings(report(*rows, ":90D:2EUR10,00", ":90C:1EUR7,"))
    assert not warnings(report(*rows, ":61:2603020302ED1,00NMSC", ":90D:3EUR11,", ":90C:1EUR7,"))
    [short] = warnings(report(*rows, ":90D:3EUR15,00", ":90C:1EUR7,"))
    assert "counts 3 debits of 15.00, and has 2 of 10.00" in short


# ---- interim, then booked ----


def test_what_a_report_says_is_the_row_that_the_statement_has_later() -> None:
    said = (":61:2603010301D5,00NDDTR1//B1", ":86:166?00X?20SVWZ+Rent?32Ann")
    [pending], [booked] = payments(report(*said)), payments(statement(*said))
    assert (pending.fields["status"], booked.fields.get("status")) == ("pending", None)
    assert dedupe.fingerprint(pending, "") == dedupe.fingerprint(booked, "")
    assert pending.supplier_id == booked.supplier_id


# ---- letters ----


def test_letters_of_dos_are_known_and_said() -> None:
    data = statement(ROW, ":86:Müller und Söhne").decode().encode("cp850")
    assert payments(data)[0].memo == "Müller und Söhne"
    assert any("DOS" in said for said in warnings(data))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_other_letters_are_not_taken_for_those_of_dos(encoding: str) -> None:
    data = statement(ROW, ":86:Müller „und“ Söhne").decode().encode(encoding)
    assert payments(data)[0].memo == "Müller „und“ Söhne"
    assert not warnings(data)


def test_a_person_states_another_encoding() -> None:
    data = statement(ROW, ":86:Łódź").decode().encode("cp1250")
    assert payments(data, encoding="cp1250")[0].memo == "Łódź"
    with pytest.raises(UserError, match="cp1250"):
        mt940.Options(encoding="klingon")


# ---- beside another reader ----

CENTS = st.integers(0, 10**10)
ROWS = st.lists(st.tuples(st.dates(date(2000, 1, 1), date(2068, 12, 31)), st.sampled_from("CD"), CENTS), max_size=8)


@given(ROWS)
def test_days_and_amounts_are_those_that_the_library_mt_940_reads(rows: Sequence[tuple[date, str, int]]) -> None:
    written = [
        f":61:{day:%y%m%d}{day:%m%d}{side}{cents // 100},{cents % 100:02}NMSCNONREF" for day, side, cents in rows
    ]
    data = statement(*written, ":62F:C260301EUR0,00")
    with NamedTemporaryFile(suffix=".sta") as file:
        file.write(data)
        file.flush()
        others = mt940_library.parse(file.name).transactions if rows else []
    expected = [(each.data["entry_date"], each.data["amount"].amount) for each in others]
    assert [(each.at, each.amount) for each in payments(data)] == expected


# ---- hostile ----


@pytest.mark.parametrize(
    "data",
    [
        b":20:x\n:25:1\n" + b":61:" * 500_000,
        b":20:x\n:25:1\n" + b"\n:61:" * 500_000,
        b":20:x\n:25:1\n:61:2603010301D" + b"1" * 5_000_000,
        b":20:x\n:25:1\n:61:2603010301D1,00NMSC\n:86:166?20" + b"?20" * 20_000,
        b":20:x\n:25:1\n:61:2603010301D1,00NMSC\n:86:" + b"/NAME/" * 10_000,
        b":20:x\n:25:1\n:61:2603010301D1,00NMSC\n:86:" + b"IBAN: NAAM: " * 5_000,
        b":20:x\n" + b"\n-" * 1_000_000,
        b":20:x\n" + b"\r\n" * 2_000_000 + b":25:",
        b":20:x\n:61:" + b" " * 5_000_000,
    ],
    ids=["tags", "fields", "digits", "subfields", "words", "labels", "ends", "blank lines", "blanks"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is far more than it takes; a quadratic reader would take hours."""
    began = time.process_time()
    for _ in mt940.extract(data, mt940.Options()):
        pass
    assert time.process_time() - began < 10
