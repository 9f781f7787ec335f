"""XML read forward: what is in the elements that matter, where they lie, and what is refused."""

from typing import Any

import pytest

from appliance import markup
from appliance.markup import BrokenError, Element

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
        (b"<a><b>", "ends in the middle"),
        (b"<a><b></a>", "no XML"),
        (b"", "ends in the middle"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a><b>&x;</b></a>', "declares entities"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>&x;</b></a>', "declares entities"),
        (b"<a>" * 200, "too deep"),
        (b"<a><b>" + b"<c/>" * (markup.MOST_NODES + 1), "too much"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "no XML|encoding"),
    ],
)
def test_what_is_broken_or_hostile_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenError, match=reason):
        read(data)


def test_a_tag_that_never_ends_is_not_read_for_ever() -> None:
    with pytest.raises(BrokenError, match="never ends"):
        read(b"<a><b x='" + b"y" * (4 << 20), 1 << 16)
