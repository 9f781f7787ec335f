"""JSON read forward: rows by where they stand, in pieces of any size, whatever the text."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import json_rows
from appliance.json_rows import EACH, Row

DATA = (
    b'\xef\xbb\xbf{"a": {"n": [1, "]", {"x": 1}]},\n "locations": [\n {"t": "}\\"{", "d": 1.50},\n'
    b' [], 5, {"u": [{}]}], "b": null}\n'
)


def rows(data: bytes, piece: int = 1 << 20) -> list[Row]:
    pieces = (data[at : at + piece] for at in range(0, len(data), piece))
    return list(json_rows.rows(pieces, lambda path, mark: path == ("locations", EACH) and mark == "{"))


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_rows_come_with_their_bytes_and_lines_in_pieces_of_any_size(piece: int) -> None:
    found = rows(DATA, piece)
    assert [json_rows.loaded(row.raw) for row in found] == [{"t": '}"{', "d": "1.50"}, {"u": [{}]}]
    assert [row.line for row in found] == [3, 4]
    assert [DATA[row.first : row.first + row.length] for row in found] == [row.raw for row in found]


VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.text(), VALUES)), VALUES, st.integers(1, 50))
def test_any_list_comes_out_as_it_went_in(said: list[object], beside: object, piece: int) -> None:
    data = json.dumps({"x": beside, "locations": said, "y": beside}).encode()
    assert [json_rows.loaded(row.raw) for row in rows(data, piece)] == said


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"locations": [{"t": 1}, {"t": ', "ends in the middle"),
        (b'{"locations": [{"t": 1}, ', "ends in the middle"),
        (b'{"locations": [{"t": 1}}', "too many"),
        (b'{"locations": [{"t": 1}, "ab', "middle of a text"),
        (b"[" * 100_000, "too deep"),
        (b"hello there", "no JSON"),
    ],
)
def test_where_a_text_breaks_off_is_told_once_and_the_rest_is_a_row(data: bytes, problem: str) -> None:
    for piece in (1, 1000):
        *whole, last = rows(data[:500] if piece == 1 else data, piece)
        assert problem in last.problem
        assert last.first + last.length == len(data[:500] if piece == 1 else data)
        assert all(json_rows.loaded(row.raw) == {"t": 1} for row in whole)


def test_a_row_that_is_too_long_is_counted_and_let_go_and_the_next_is_read() -> None:
    long = b'{"t": [' + b'"' + b"[" * 5_000_000 + b'",' + (b'"' + b"x" * 1_000_000 + b'",') * 20 + b"0]}"
    found = rows(b'{"locations": [' + long + b', {"t": 2}]}')
    assert [(row.length, row.problem != "") for row in found] == [(len(long), True), (8, False)]


def test_noise_stops_nothing() -> None:
    chance = random.Random(5)
    for _ in range(300):
        noisy = bytearray(DATA)
        for _ in range(3):
            noisy[chance.randrange(len(noisy))] = chance.choice(b'{}[]",:\\ \x00\xff9')
        one, other = rows(bytes(noisy), 1), rows(bytes(noisy), 50)
        assert one == other
        for row in one:
            assert 0 <= row.first <= row.first + row.length <= len(noisy)
