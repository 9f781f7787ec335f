"""XML read forward: what is in the elements that matter, where they lie, and what is refused."""

import time
import tracemalloc
from typing import Any

import pytest

from appliance import markup
from appliance.markup import Begun, Broken, BrokenError, Element, Ended, Part, Row

DOCUMENT = (
    b'\xef\xbb\xbf\n<?xml version="1.0"?><!DOCTYPE a [<!ELEMENT a (b*)><!ATTLIST b x CDATA #IMPLIED>]>\n'
    b'<n:a xmlns:n="u"><n:b x="1"/>\n<b x="/>">t&amp;t<c> \xc3\xa9 </c ><c/></b>\n<d><b></b></d><!-- <b/> --></n:a>'
)


def read(data: bytes, piece: int = 1 << 20, **more: Any) -> list[Element]:
    return list(markup.elements((data[at : at + piece] for at in range(0, len(data), piece)), ["b"], **more))


@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 20])
def test_elements_come_whole_with_their_bytes(piece: int) -> None:
    found = read(DOCUMENT, piece)
    assert [DOCUMENT[each.first : each.first + each.length] for each in found] == [
        b'<n:b x="1"/>',
        b'<b x="/>">t&amp;t<c> \xc3\xa9 </c ><c/></b>',
        b"<b></b>",
    ]
    assert [each.line for each in found] == [3, 4, 5]
    assert found[1].text == "t&t"
    assert found[1].said("c") == "\u00e9"
    assert len(found[1].every("c")) == 2


def test_beginnings_and_ends_of_what_is_around_are_told() -> None:
    found = read(DOCUMENT, opened=["a", "d"], ended=["d"])
    assert [(each.name, each.is_open) for each in found] == [
        ("a", True), ("b", False), ("b", False), ("d", True), ("b", False), ("d", False)
    ]  # fmt: skip


def test_of_a_long_text_as_much_is_read_as_is_wanted() -> None:
    text = b"x" * 59 + b"\n"
    data = b"<a><b>" + text * 5_000 + b"<c/>" + text * 5_000 + b"</b></a>"
    assert len(read(data)[0].text) < 80_000
    [whole] = markup.elements([data], ["b"], longest_text=1 << 20)
    assert whole.text.encode() == text * 10_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<a><b>", "ends too early"),
        (b"<a><b></a>", "not well-formed"),
        (b"", "ends too early"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a><b>&x;</b></a>', "declares entities"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>&x;</b></a>', "declares entities"),
        (b"<a>" * 200, "too deep"),
        (b"<a><b>" + b"<c/>" * (markup.MOST_NODES + 1), "too much"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "klingon"),
    ],
)
def test_what_is_broken_or_hostile_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenError, match=reason):
        read(data)


def test_a_tag_that_never_ends_is_not_read_for_ever() -> None:
    with pytest.raises(BrokenError, match="over a megabyte"):
        read(b"<a><b x='" + b"y" * (4 << 20), 1 << 16)


# ---- as flat values ----

ROWS = (
    b'<?xml version="1.0"?>\n<n:a xmlns:n="u">\n<around k="v">\n<n:row id="1"><n:p q="2">x &amp; <!-- no --> y</n:p>'
    b"<g><p>z</p></g><g/></n:row>\n<row/><row> t </row ></around>\n<row><row>in</row></row></n:a>"
)


def parts(data: bytes, piece: int = 1 << 20) -> list[Part]:
    pieces = (data[at : at + piece] for at in range(0, len(data), piece))
    return list(markup.rows(pieces, ["row"], around=["around"], groups=["g"]))


def rows(data: bytes) -> list[Row]:
    return [each for each in parts(data) if isinstance(each, Row)]


def broken(data: bytes) -> list[Broken]:
    return [each for each in parts(data) if isinstance(each, Broken)]


@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 20])
def test_rows_come_as_flat_values_with_their_bytes(piece: int) -> None:
    found = parts(ROWS, piece)
    told = [each for each in found if isinstance(each, Row)]
    assert [ROWS[each.first : each.first + each.length].decode() for each in told] == [
        '<n:row id="1"><n:p q="2">x &amp; <!-- no --> y</n:p><g><p>z</p></g><g/></n:row>',
        "<row/>",
        "<row> t </row >",
        "<row><row>in</row></row>",
    ]
    assert [each.values for each in told] == [
        [("p@q", "2"), ("p", "x &  y"), ("g", None), ("g/p", "z"), ("g", None)],
        [],
        [("", "t")],
        [("row", "in")],
    ]
    assert [each.line for each in told] == [4, 5, 5, 6]
    assert told[0].attributes == {"id": "1"}
    assert [each.path for each in told] == ["a/around/row"] * 3 + ["a/row"]
    [begun] = [each for each in found if isinstance(each, Begun)]
    [ended] = [each for each in found if isinstance(each, Ended)]
    assert (begun.attributes, begun.line, ROWS[begun.first :].startswith(b"<around")) == ({"k": "v"}, 3, True)
    assert (ended.line, ROWS[: ended.end].endswith(b"</around>")) == (5, True)


@pytest.mark.parametrize(
    ("bad", "row"),
    [
        (b"<row><p>&nbsp;</p></row>", "row"),
        (b"<row><p></row>", "row"),
        (b"<row a=1/>", "row"),
        (b'<row a="1" a="2"/>', "row"),
        (b"<row>a < b</row>", "row"),
        (b"<x:row>&nbsp;</x:row>", "row"),
        (b"<other>&nbsp;</other>", ""),
        (b"&nbsp;", ""),
        (b"<row>" + b"<p>" * 200 + b"</p>" * 200 + b"</row>", "row"),
    ],
    ids=repr,
)
def test_what_is_broken_is_told_with_its_bytes_and_what_is_behind_it_is_read(bad: bytes, row: str) -> None:
    data = b"<a><around><row>1</row>\n  " + bad + b"\n<row>2</row></around><row>3</row></a>"
    [told] = broken(data)
    assert (told.row, told.line, told.is_final) == (row, 2, False)
    assert bad.endswith(data[told.first : told.first + told.length].rstrip()) or not row
    assert [each.values for each in rows(data)] == [[("", text)] for text in "123"]
    assert [(each.line, each.path) for each in rows(data)] == [(1, "a/around/row"), (3, "a/around/row"), (3, "a/row")]
    assert parts(data, 1) == parts(data, 5) == parts(data)


def test_what_stands_around_rows_is_told_behind_what_is_broken() -> None:
    data = b"<a><around><row>&x;</row></around><around><row>2</row></around></a>"
    assert [type(each).__name__ for each in parts(data)] == ["Begun", "Broken", "Ended", "Begun", "Row", "Ended"]


def test_a_document_that_ends_early_says_in_which_row() -> None:
    assert broken(b"<a><row>1</row><row>2") == [Broken("row", 15, 1, 6, "it ends too early", True)]
    assert broken(b"<a><row>1</row>") == [Broken("", 15, 1, 0, "it ends too early", True)]
    assert [each.is_final for each in broken(b"<a><row>1</row><ro")] == [True]


def test_a_document_that_does_harm_is_not_read_at_all() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY x "y">]><a><row>&x;</row><row>2</row></a>'
    [told] = parts(bomb)
    assert isinstance(told, Broken)
    assert told.is_final
    assert told.first + told.length == len(bomb)
    assert "entities" in told.reason


def test_a_document_type_is_passed_over_though_it_is_none() -> None:
    malformed = b"<!DOCTYPE a [\n<!-- v12 -->\n<!ATTLIST b\n  c CDATA #IMPLIED\n<!ELEMENT d EMPTY>\n>\n]>\n"
    assert [each.line for each in rows(b'<?xml version="1.0"?>' + malformed + b"<a><row/></a>")] == [8]
    given = b'<!DOCTYPE a [<!ATTLIST row gift CDATA "from the type">]>'
    assert rows(given + b"<a><row/></a>")[0].attributes == {}


def test_characters_that_xml_has_not_are_blanks() -> None:
    assert rows(b'<a><row b="1\x0b2">3&#11;4&#xD83D;</row></a>')[0].attributes == {"b": "1 2"}
    assert rows(b"<a><row>3&#11;4&#xB;&#x9;5</row></a>")[0].values == [("", "3     4     \t5")]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "cp1252"),
        ("iso-8859-1", "cp1252"),
        ("windows-1250", "cp1250"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-8"),
        ("us-ascii", "utf-8"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_is_in(said: str, written: str) -> None:
    data = f'<?xml version="1.0" encoding="{said}"?>\n<a>\n<row k="é">€</row></a>'.encode(written)
    [row] = rows(data)
    assert (row.attributes, row.values, row.line) == ({"k": "é"}, [("", "€")], 3)
    assert data[row.first : row.first + row.length].decode(written.replace("16", "16-le")).endswith("€</row>")


def test_memory_stays_the_same_however_long_a_document_is() -> None:
    def peak(count: int) -> int:
        pieces = (b"<a>" if not at else b'<row x="1"><p>2</p></row>\n' * 100 for at in range(count))
        tracemalloc.start()
        for _ in markup.rows(pieces, ["row"]):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(1000) < 1.5 * peak(100)


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" + b"<x>" * 300_000,
        b"<a>" + b"<row>" * 300_000,
        b"<a>" + b"<row a b/>" * 100_000,
        b"<a>" + b"<row>" + b"<p>1</p>" * 300_000 + b"</row><row/></a>",
        b"<a><row>" + b"x" * 20_000_000,
        b"<a>" + b"".join(b"<n%d/>" % number for number in range(100_000)),
        b"<a><!--" + b"x" * 20_000_000,
        b"<a" + b" " * 20_000_000,
        b"<!DOCTYPE" + b"[]" * 1_000_000,
        b"<?x" + b"?" * 1_000_000,
        b"<!--" * 500_000,
    ],
    ids=[
        "deep",
        "rows in rows",
        "broken rows",
        "a row of much",
        "text",
        "names",
        "remark",
        "tag",
        "type",
        "pi",
        "dashes",
    ],
)
def test_hostile_documents_take_linear_time(data: bytes) -> None:
    """Ten seconds is far more than it takes; a quadratic reader would take hours."""
    began = time.process_time()
    assert broken(data)
    assert time.process_time() - began < 10
