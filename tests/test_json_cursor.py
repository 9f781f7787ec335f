"""JSON walked along its structure: values with their bytes, and what is broken, beside what is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.json_cursor import BrokenError, Cursor, text

DOCUMENT = (
    '\ufeff {"a" : [ {"n": 1.50}, "\u20ac \\u20ac", [1, [2]], null ,true], "b":{"deep": {"x": "}"}}, "c": -0.0e1}\n'
)


def walked(data: bytes) -> dict[str, tuple[object, bytes]]:
    """Each member of an object, and each element of its lists, with its bytes."""
    cursor, found = Cursor(data), dict[str, tuple[object, bytes]]()
    for name, _ in cursor.members():
        if cursor.begins() != "[":
            first = cursor.at
            found[name] = cursor.value(), data[first : cursor.at]
            continue
        for number, first in enumerate(cursor.elements()):
            found[f"{name}.{number}"] = cursor.value(), data[first : cursor.at]
    return found


def test_values_come_with_their_bytes_and_numbers_as_they_were_written() -> None:
    assert walked(DOCUMENT.encode()) == {
        "a.0": ({"n": "1.50"}, b'{"n": 1.50}'),
        "a.1": ("\u20ac \u20ac", '"\u20ac \\u20ac"'.encode()),
        "a.2": (["1", ["2"]], b"[1, [2]]"),
        "a.3": (None, b"null"),
        "a.4": (True, b"true"),
        "b": ({"deep": {"x": "}"}}, b'{"deep": {"x": "}"}}'),
        "c": ("-0.0e1", b"-0.0e1"),
    }


def test_what_is_not_read_is_passed_over() -> None:
    cursor = Cursor(DOCUMENT.encode())
    assert [name for name, _ in cursor.members()] == ["a", "b", "c"]
    cursor = Cursor(b'[{"a": "]\\""}, [[], {}], "x", 7]')
    assert [cursor.data[first : first + 1] for first in cursor.elements()] == [b"{", b"[", b'"', b"7"]


def test_one_broken_element_stops_no_other() -> None:
    data = b'[{"a": 1}, {"a": NaN}, {"a" 2}, {"a": [}, 3], {"a": 4}]'
    cursor, good, bad = Cursor(data), [], []
    for first in cursor.elements():
        try:
            good.append(cursor.value())
        except BrokenError:
            bad.append(data[first : cursor.recover()])
    assert good == [{"a": "1"}, {"a": "4"}]
    assert bad == [b'{"a": NaN}', b'{"a" 2}', b'{"a": [}, 3]']


def test_sloppy_but_clear_is_read() -> None:
    assert walked(b'{"a": "line\nline\ttab", "b": [1, 2, ], }')["a"][0] == "line\nline\ttab"
    assert walked(b'{"a": "caf\xe9"}')["a"][0] == "caf\u00e9", "in Windows-1252"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends in the middle"),
        (b"{", "ends in the middle"),
        (b'{"a": [1, 2', "ends in the middle"),
        (b'{"a": "never closed', "ends in the middle"),
        (b"[1]", "no JSON at"),
        (b'{"a": 1 "b": 2}', "no JSON at"),
        (b"{1: 2}", "no JSON at"),
        (b'{"a": ' + b"[" * 100_000, "ends in the middle|too deep"),
        (b'{"a": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "too deep"),
        (b"<html>", "no JSON at"),
    ],
)
def test_what_is_broken_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenError, match=reason) as raised:
        walked(data)
    assert 0 <= raised.value.offset <= len(data)


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_it_reads_what_the_standard_library_writes(value: object) -> None:
    for ascii_only in (True, False):
        data = json.dumps({"a": value}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        if b"\xed" not in data:  # halves of surrogate pairs, which UTF-8 does not have
            cursor = Cursor(data)
            assert [cursor.value() for _ in cursor.members()] == [value]


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'"', b'\\"', b'"\\"', b"{}", b'"a":', b",", b" ", b"]", b'["'])
def test_a_megabyte_of_anything_is_read_to_its_end(unit: bytes) -> None:
    """In linear time: what is quadratic would take hours."""
    cursor = Cursor(b'{"a": [' + unit * (1_000_000 // len(unit)) + b" " * 1000)
    with pytest.raises(BrokenError):
        _read_all(cursor)


def _read_all(cursor: Cursor) -> None:
    for _ in cursor.members():
        for _ in cursor.elements():
            try:
                cursor.value()
            except BrokenError:
                cursor.recover()


def test_texts_are_as_a_person_reads_them() -> None:
    values: list[object] = ["a\x00b\n", None, True, False, [], {}]
    assert [text(each) for each in values] == ["a b", "", "yes", "no", "", ""]
