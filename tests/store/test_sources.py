"""The sources of an import, as its row lists them."""

import pytest

from appliance.store.sources import named_in


@pytest.mark.parametrize(
    ("said", "known", "names"),
    [
        ("", {"a"}, []),
        ("a", {"a"}, ["a"]),
        ("a, b", {"a", "b"}, ["a", "b"]),
        ("a, b", {"a, b"}, ["a, b"]),
        ("a, b", {"a, b", "b"}, ["a, b"]),
        ("c, a, b, d", {"a, b", "c", "d"}, ["c", "a, b", "d"]),
        ("gone, a", {"a"}, ["gone", "a"]),
    ],
)
def test_a_known_name_may_hold_what_stands_between_two(said: str, known: set[str], names: list[str]) -> None:
    assert named_in(said, known) == names
