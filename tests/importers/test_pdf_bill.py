"""Papers as PDF: what is lifted, and what a hostile file may cost."""

import re
import time
import zlib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from appliance.importers import pdf_bill
from appliance.importers.pdf_bill import lifting
from appliance.kinds import COLUMNS
from appliance.kinds.energy import BILL as BILL_KIND
from appliance.records import Item, Record, Rejected, Warned
from tests.pdfs import pdf, stream, written

BILL = ("Thames Water", "Your water bill", "Bill date: 13/03/2026", "Amount due £40.12")


def items(data: bytes, **options: str) -> list[Item]:
    return list(pdf_bill.extract(data, pdf_bill.Options(**options)))


def bills(found: Sequence[Item]) -> list[Record]:
    return [item for item in found if isinstance(item, Record) and item.kind == "energy.bill"]


def warnings(found: Sequence[Item]) -> str:
    return " ".join(item.message for item in found if isinstance(item, Warned))


def rejection(data: bytes) -> str:
    [reject] = items(data)
    assert isinstance(reject, Rejected)
    return reject.reason


def test_a_bill_is_a_bill_and_a_paper_that_is_found_by_its_words() -> None:
    found = items(pdf(BILL))
    [document] = [item for item in found if isinstance(item, Record) and item.kind == "document"]
    assert document.memo.splitlines() == list(BILL)
    [bill] = bills(found)
    assert (bill.party, bill.at, bill.amount, bill.unit) == ("Thames Water", date(2026, 3, 13), Decimal("40.12"), "GBP")
    assert bill.fields["lifted_by"] == "english at 1, english amount 1, suppliers Thames Water"


@pytest.mark.parametrize(
    ("said", "amount", "unit"),
    [
        ("Amount due: £1,234.50", "1234.50", "GBP"),
        ("Total to pay EUR 99.00", "99.00", "EUR"),
        ("Amount due £12", "12", "GBP"),
        ("Amount due $ 7.05", "7.05", "USD"),
    ],
)
def test_amounts_are_read_as_they_are_written(said: str, amount: str, unit: str) -> None:
    [bill] = bills(items(pdf((*BILL[:3], said))))
    assert (bill.amount, bill.unit) == (Decimal(amount), unit)


def test_what_is_stated_in_two_ways_is_not_taken_and_said() -> None:
    found = items(pdf((*BILL, "Amount due £41.00")))
    assert not bills(found)
    assert "two ways, so none was taken: '£40.12', '£41.00'" in warnings(found)
    assert len(bills(items(pdf((*BILL, "Amount due: £40.12"))))) == 1


def test_a_date_that_may_be_two_is_taken_once_a_person_says_which() -> None:
    data = pdf([line.replace("13/03", "04/03") for line in BILL])
    assert not bills(items(data))
    assert "dates=month-first" in warnings(items(data))
    assert [bill.at for bill in bills(items(data, dates="month-first"))] == [date(2026, 4, 3)]
    assert [bill.at for bill in bills(items(data, dates="day-first"))] == [date(2026, 3, 4)]
    other = pdf([*(line.replace("13/03", "04/03") for line in BILL), "Payment due by 28/03/2026"])
    assert [bill.at for bill in bills(items(other))] == [date(2026, 3, 4)]  # another date of the paper settles it


def test_every_pattern_of_every_table_compiles_and_lifts_a_field_that_the_kind_has() -> None:
    known = {*COLUMNS, *BILL_KIND.fields, "period", "charges"}
    assert {name for table in lifting.tables() for name in table.lift} <= known
    assert {table.language for table in lifting.tables()} == {"en", "nl", "de", "fr"}
    assert {name for table in lifting.tables() for name in table.supply} <= {"electricity", "gas", "water", "heat"}


def test_what_stops_a_file_is_said_with_the_next_step() -> None:
    assert "may be a scan" in rejection(pdf([]))
    assert "damaged" in rejection(b"%PDF-1.7\n<html>Not found</html>\n")
    assert "fetch it again" in rejection(pdf(BILL)[:500])


def test_a_page_that_is_broken_costs_no_other() -> None:
    data = pdf(BILL, ("second",)).replace(b"/Contents 7 0 R", b"/Contents [ 99")
    assert bills(items(data))


def packed(content: bytes) -> bytes:
    return stream(zlib.compress(content, 9), "/Filter /FlateDecode ")


def with_content(content: bytes) -> bytes:
    return _one_page(content, b"<< /Font << /F1 3 0 R >> >>")


def _one_page(content: bytes, resources: bytes, *more: bytes, kids: int = 1) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources " + resources + b" /Contents 5 0 R >>"
    listed = b" ".join([b"4 0 R"] * kids)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + listed + b"] /Count " + str(kids).encode() + b" >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        page,
        packed(content),
        *more,
    ]
    return written(objects, "/Root 1 0 R")


def _forms() -> bytes:
    """Forms that each draw the next ten times: ten to the ninth of the last."""
    forms = [
        stream(b"/X Do " * 10, f"/Type /XObject /Subtype /Form /Resources << /XObject << /X {number + 1} 0 R >> >> ")
        for number in range(6, 15)
    ]
    last = stream(b"BT /F1 9 Tf (ha) Tj ET", "/Type /XObject /Subtype /Form ")
    return _one_page(b"/X Do", b"<< /XObject << /X 6 0 R >> >>", *forms, last)


@pytest.mark.parametrize(
    "data",
    [
        with_content(b"BT /F1 9 Tf " + b"(haha) Tj " * 3_000_000),
        with_content(b"[" * 500_000),
        with_content(b"BT /F1 9 Tf [" + b"(a) 1 " * 1_000_000 + b"] TJ ET"),
        with_content(b" " * 60_000_000),
        _forms(),
        _one_page(b"BT /F1 9 Tf " + b"(haha) Tj " * 4_000, b"<< /Font << /F1 3 0 R >> >>", kids=20_000),
        b"%PDF-1.4\n" + b"1 0 obj\n" * 50_000,
        b"%PDF-1.4\n" + b"<<" * 100_000,
        b"%PDF-1.4\n" + b"1 0 obj [" * 50_000 + b"\nstartxref\n9\n%%EOF",
        pdf(["electricity bill amount due " + "date " * 5_000] * 2_000),
        pdf(["Amount due " + ": (" * 150] * 3_000),
    ],
    ids=["text", "deep", "array", "blanks", "forms", "pages", "objects", "deep objects", "arrays", "words", "gaps"],
)
def test_hostile_files_cost_little(data: bytes) -> None:
    """Fifteen seconds is far more than it takes; unbounded, each would take minutes or forever."""
    began = time.process_time()
    items(data)
    assert time.process_time() - began < 15


def test_a_heading_of_web_pages_that_talks_of_pdf_is_none() -> None:
    assert not pdf_bill.identify(b"<html>%PDF-1.4", "bill.pdf")
    assert pdf_bill.identify(b"\r\n\x00%PDF-1.4", "bill")
    assert re.match(rb"%PDF", pdf(BILL))


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        (["Electricity 266.5 kWh at 24.50p per kWh £65.29"], {"unit_price": "0.2450"}),
        (["Unit rate: £0.2734 per kWh"], {"unit_price": "0.2734"}),
        (["Day 100 kWh at 30p per kWh £30.00", "Night 50 kWh at 9p per kWh £4.50"], {}),
        (["Total charges this period £52.11", "Total charges this period £60.11"], {}),
        (["Total charges this period £52.11"], {"adjustments": "-11.99"}),
        (["Total charges this period £40.12"], {}),
    ],
)
def test_the_price_of_a_unit_and_what_is_not_of_these_days_are_lifted(said: list[str], fields: dict[str, str]) -> None:
    found = items(pdf((*BILL, *said)))
    [bill] = bills(found)
    assert {name: bill.fields[name] for name in ("unit_price", "adjustments") if name in bill.fields} == fields
    assert "two ways" not in warnings(found)
