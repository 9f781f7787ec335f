"""Content lines: folding, parameters, encodings and escapes in every style, and components that end, or do not."""

import pytest

from appliance import contentlines
from appliance.contentlines import NAMELESS, NO_PROPERTY, NOT_BEGUN, NOT_ENDED, TOO_MANY, Property


def read(text: str | bytes, *, old: bool = False) -> list[Property]:
    return list(contentlines.properties(text.encode() if isinstance(text, str) else text, old=old))


def the_only(text: str | bytes, *, old: bool = False) -> Property:
    [found] = read(text, old=old)
    return found


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\n\n"])
def test_a_folded_line_is_one_whatever_ends_it(end: str) -> None:
    found = read(f"NOTE:wor{end} d a{end}\tnd on{end}FN:Kim{end}")
    assert [each.text for each in found] == ["word and on", "Kim"]


def test_an_old_fold_stands_for_a_blank() -> None:
    assert the_only("NOTE:two\r\n   words", old=True).text == "two words"


def test_a_letter_that_a_fold_cuts_in_two_is_whole_again() -> None:
    assert the_only("NOTE:é".encode()[:-1] + b"\r\n " + "é".encode()[-1:]).text == "é"


def test_each_property_knows_where_it_lies() -> None:
    raw = b"A:1\r\nB:2\r\n 3\r\nC:4"
    assert [(each.name, raw[each.first : each.first + 1]) for each in read(raw)] == [
        ("A", b"A"),
        ("B", b"B"),
        ("C", b"C"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "TEL;TYPE=WORK,VOICE:1",
        'TEL;TYPE="work,voice":1',
        "TEL;TYPE=WORK;TYPE=VOICE:1",
        "tel;work;voice;ENCODING=8BIT:1",
    ],
)
def test_types_are_the_same_in_every_style(line: str) -> None:
    found = the_only(line)
    assert (found.name, found.types, found.text) == ("TEL", {"work", "voice"}, "1")


def test_quotes_protect_what_would_end_a_parameter() -> None:
    found = the_only('ATTENDEE;CN="Lee: a, b; c=d";ROLE=CHAIR:mailto:kim@example.org')
    assert found.parameters == {"CN": ["Lee: a, b; c=d"], "ROLE": ["CHAIR"]}
    assert found.value == "mailto:kim@example.org"


def test_a_quote_that_nothing_closes_protects_nothing() -> None:
    found = the_only('X-ODD;A="unclosed:value')
    assert (found.parameter("A"), found.text) == ("unclosed", "value")


def test_carets_are_line_ends_and_quotes() -> None:
    assert the_only("ADR;LABEL=a^nb ^'c^' ^^:x").parameter("LABEL") == 'a\nb "c" ^'


def test_a_group_and_a_name_are_told_apart() -> None:
    found = the_only("item1.X-ABLabel:Allotment")
    assert (found.group, found.name) == ("item1", "X-ABLABEL")


@pytest.mark.parametrize(
    ("line", "problem"),
    [("no colon here", NO_PROPERTY), (":no name", NO_PROPERTY), ("DTSTART;;VALUE=DATE:20260101", NAMELESS)],
)
def test_what_is_no_property_says_why(line: str, problem: str) -> None:
    assert the_only(line).problem == problem


def test_escapes_are_undone_and_part_nothing() -> None:
    found = the_only(r"N:a\;b;c\,d\\;e\nf,g")
    assert found.parts == ["a;b", "c,d\\", "e\nf,g"]
    assert the_only(r"CATEGORIES:a\,b,c,,d").items == ["a,b", "c", "d"]


def test_quoted_printable_goes_on_behind_its_soft_line_ends() -> None:
    found = read("NOTE;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:K=E4the=\r\n and=0D=0Amore=\r\n\r\nFN:Kim")
    assert [each.text for each in found] == ["Käthe and\nmore", "Kim"]


def test_a_soft_line_end_does_not_swallow_the_end_of_a_card() -> None:
    found = read("NOTE;QUOTED-PRINTABLE:cut off=\r\nEND:VCARD")
    assert [each.name for each in found] == ["NOTE", "END"]


def test_base64_goes_on_without_indents_until_a_line_that_is_none() -> None:
    found = read("PHOTO;ENCODING=b:AAAA\r\nBBBB==\r\n\r\nREV:1")
    assert [(each.name, each.value) for each in found] == [("PHOTO", "AAAABBBB=="), ("REV", "1")]


def test_text_of_another_encoding_is_read_and_damaged_utf_8_stays_utf_8() -> None:
    assert the_only("FN:Jürg".encode("cp1252")).text == "Jürg"
    assert the_only(b"FN;CHARSET=UTF-8;QUOTED-PRINTABLE:=C3=91=80").text == "Ñ�"


def test_a_component_of_very_many_lines_is_read_in_part_and_says_so() -> None:
    found = read("X:1\n" * (contentlines.MOST_PROPERTIES + 5))
    assert len(found) == contentlines.MOST_PROPERTIES + 1
    assert found[-1].problem == TOO_MANY


def components(text: str) -> list[tuple[str, str]]:
    data = text.encode()
    lines = contentlines.boundaries(data)
    found = contentlines.components(lines, frozenset({"VEVENT"}), frozenset({"VCALENDAR"}), len(data))
    return [(each.name, each.problem) for each in found]


def test_a_component_ends_with_its_own_end_whatever_is_in_it() -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\nEND:VALARM\nBEGIN:X-OPEN\nend:vevent\nEND:VCALENDAR\n"
    assert components(text) == [("VCALENDAR", ""), ("VEVENT", "")]


def test_one_that_nothing_ends_takes_no_other_with_it() -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nEND:VEVENT\nBEGIN:VEVENT\nEND:VCALENDAR\n"
    assert components(text) == [
        ("VCALENDAR", ""),
        ("VEVENT", NOT_ENDED),
        ("VEVENT", ""),
        ("VEVENT", NOT_BEGUN),
        ("VEVENT", NOT_ENDED),
    ]


def test_the_digest_of_what_properties_say_is_for_ever() -> None:
    """It is part of the key of each contact and event: another one would bring each again with its next file."""
    card = read("FN:Kim Lee\r\nTEL;TYPE=CELL,pref:+44 1\r\nNOTE:a\\, b")
    again = read("item1.TEL;CELL:+44 1\nNOTE:a\\,\n  b\nFN:Kim Lee")
    assert contentlines.digest(card) == contentlines.digest(again) == "4143026b30dd8959f0f0e63c"
