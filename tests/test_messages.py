"""Messages as lines: whole however they arrive, and hostile ones refused and counted."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages import LINE_BYTES, Lines, Message, Number, parsed, to_line

_texts = st.text(st.characters(codec="utf-8"), max_size=60)
_messages = st.lists(st.builds(Message, _texts, _texts, st.booleans()), max_size=8)


@given(_messages, st.integers(1, 40))
def test_messages_come_out_as_they_went_in_however_they_arrive(messages: list[Message], size: int) -> None:
    data = b"".join(to_line(each.topic, each.payload.encode(), retained=each.retained) for each in messages)
    lines = Lines()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [message for piece in pieces for message in lines.feed(piece)] == messages
    assert lines.refused == 0


def test_what_mosquitto_sub_records_is_read() -> None:
    said = b'{"tst":"2026-11-25T01:00:00","topic":"tele/a/SENSOR","qos":0,"retain":1,"payloadlen":2,"payload":"{}"}\n'
    assert Lines().feed(said) == [Message("tele/a/SENSOR", "{}", retained=True)]


@pytest.mark.parametrize("payload", [b"\xff\xfe\x00", b"x" * (LINE_BYTES + 1)], ids=["binary", "huge"])
def test_a_message_that_no_meter_sends_is_refused_and_counted(payload: bytes) -> None:
    lines = Lines()
    assert lines.feed(to_line("a", payload) + to_line("b", b"1")) == [Message("b", "1")]
    assert lines.refused == 1


@given(st.binary(max_size=300))
def test_junk_costs_one_message_at_most(junk: bytes) -> None:
    lines = Lines()
    found = lines.feed(junk + b"\n" + to_line("a", b"1"))
    assert found[-1] == Message("a", "1")


def test_an_endless_line_is_let_go() -> None:
    lines = Lines()
    for _ in range(100):
        assert lines.feed(b"x" * LINE_BYTES) == []
    assert lines.feed(b"\n" + to_line("a", b"1")) == [Message("a", "1")]
    assert lines.refused == 1


def test_numbers_stay_as_they_were_written() -> None:
    assert parsed('{"Total": 1234.567890123456789, "n": 10}') == {"Total": "1234.567890123456789", "n": "10"}
    assert isinstance(parsed("1.50"), Number)


@pytest.mark.parametrize(
    "text", ["[" * 5000, json.dumps({"a": 1})[:-1], "NaN", '{"x": Infinity}', "", "[" * 30 + "]" * 30]
)
def test_what_is_deep_broken_or_no_number_is_none(text: str) -> None:
    assert parsed(text) is None
