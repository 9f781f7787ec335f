"""Rows of delimited text: what is in them, where they lie, and what becomes of those that are broken."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import delimited
from appliance.delimited import Row


def rows(data: bytes, piece: int = 1 << 20, delimiter: str = ",") -> list[Row]:
    return list(delimited.rows((data[at : at + piece] for at in range(0, len(data), piece)), delimiter))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_rows_lie_where_they_say(end: bytes, piece: int) -> None:
    lines = [b'a,"b, with ""quotes""",c', b"", b'1,"two', b'lines",3', b"x,y,z"]
    data = end.join(lines)
    if end == b"\r":
        data += end  # a file of a row alone would show no line end
    found = rows(data, piece)
    two = f"two{end.decode()}lines"
    assert [row.cells for row in found] == [["a", 'b, with "quotes"', "c"], [""], ["1", two, "3"], ["x", "y", "z"]]
    assert [row.line for row in found] == [1, 2, 3, 5]
    assert data[found[2].first : found[2].first + found[2].length] == b'1,"two' + end + b'lines",3'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_encodings_are_told_by_the_bytes(encoding: str, piece: int) -> None:
    data = "Date,Größe\r\n1,\u0a00\u0d0a\n2,é".encode(encoding)
    found = rows(data, piece)
    assert [row.cells for row in found] == [["Date", "Größe"], ["1", "\u0a00\u0d0a"], ["2", "é"]]
    assert data[found[2].first : found[2].first + found[2].length].decode(encoding[:9].removesuffix("-sig")) in ("2,é",)


def test_a_row_in_another_encoding_is_read_as_what_it_is() -> None:
    assert [row.cells for row in rows("a,é\n".encode() + "b,é\n".encode("cp1252"))] == [["a", "é"], ["b", "é"]]


def test_a_quote_within_a_cell_opens_nothing() -> None:
    assert [row.cells for row in rows(b'5" disk,3\n"a"b,c\n')] == [['5" disk', "3"], ["ab", "c"]]


@pytest.mark.parametrize("piece", [1 << 10, 1 << 20])
def test_a_quote_that_nothing_closes_costs_its_own_row_alone(piece: int) -> None:
    data = b'1,a\n2,"b\n' + b"3,c\n" * 5_000
    found = rows(data, piece)
    assert len(found) == 5_002
    assert [row.line for row in found if row.problem] == [2]
    assert found[2].cells == ["3", "c"]


def test_a_line_of_ten_megabytes_is_told_and_the_next_one_read() -> None:
    found = rows(b"1,a\n" + b"x" * 10_000_000 + b"\n2,b\n", 1 << 16)
    assert [row.cells for row in found] == [["1", "a"], [], ["2", "b"]]
    assert "longer than 1 MB" in found[1].problem
    assert (found[1].first, found[1].length, found[2].first) == (4, 10_000_000, 10_000_005)


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), min_size=1), min_size=1))
def test_what_python_writes_is_read_again(table: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    data = text.getvalue().encode()
    if len(table) < 200 and not text.getvalue().startswith("\ufeff"):
        wanted = [row or [""] for row in csv.reader(io.StringIO(text.getvalue(), newline=""))]
        assert [row.cells for row in rows(data, 7)] == wanted


def test_a_header_finds_its_columns_however_they_are_written() -> None:
    header = delimited.Header(["\ufeffDate ", "Amount  Paid", "Date"])
    row = Row(["1", " 2 "], 0, 0, 1)
    assert header.has("date", "amount paid")
    assert not header.has("date", "memo")
    assert (header.cell(row, "Paid", "AMOUNT PAID"), header.cell(row, "date"), header.cell(row, "none")) == (
        "2",
        "1",
        "",
    )


@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_a_heading_is_the_first_row_that_is_not_blank_and_tells_the_delimiter(piece: int) -> None:
    data = b"\xef\xbb\xbf\r\n;;\r\nDate ; Amount\r\n1;2,5\r\n"
    heading, below = delimited.table(data[at : at + piece] for at in range(0, len(data), piece))
    assert heading is not None
    assert (heading.cells, heading.line) == (["Date ", " Amount"], 3)
    assert [row.cells for row in below] == [["1", "2,5"]]
    assert delimited.heading(data).has("date", "AMOUNT")


def test_a_file_of_blank_rows_has_no_heading() -> None:
    heading, _ = delimited.table([b"\n" * 100_000])
    assert heading is None
    assert delimited.heading(b"").names == []


@pytest.mark.parametrize("cell", [b"", b'"a"'])
def test_a_row_of_more_cells_than_any_table_has_is_told_and_the_next_one_read(cell: bytes) -> None:
    found = rows(b"1,a\n" + b",".join([cell] * 100_000) + b"\n2,b\n")
    assert [len(row.cells) <= delimited.MOST_CELLS + 1 for row in found] == [True] * 3
    assert [row.problem.partition(",")[0] for row in found] == ["", "it has more than 20", ""]
    assert found[2].cells == ["2", "b"]


def test_blank_lines_take_little_memory_however_many() -> None:
    data = b"1,a\n" + b"\n" * 300_000
    tracemalloc.start()
    try:
        for _ in delimited.rows([data]):
            pass
        assert tracemalloc.get_traced_memory()[1] < 8 * len(data)
    finally:
        tracemalloc.stop()
