"""Mappings of JSON items: what they say, and everything that is wrong with one."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance import json_mapping
from appliance.errors import UserError

WHOLE = """
items = "data.payments"
kind = "money.transaction"
source = "My bank"
[columns]
at = "booked"
amount = "value.minor"
[fields]
category = "labels.0"
[constants]
unit = "EUR"
[values]
minor = 2
[paging]
next = "links.next"
[since]
parameter = "from"
as = "seconds"
days = 3
"""


def test_a_mapping_says_where_each_thing_stands() -> None:
    found = json_mapping.read(WHOLE)
    assert found.items == ("data", "payments")
    assert found.columns == {"at": ("booked",), "amount": ("value", "minor")}
    assert (found.constants, found.minor, found.next) == ({"unit": "EUR"}, 2, ("links", "next"))
    assert (found.since, found.since_as, found.late_days) == ("from", "seconds", 3)


def test_the_mapping_that_the_page_shows_can_be_read_and_says_everything_once() -> None:
    found = json_mapping.read(json_mapping.GUIDE)
    assert (found.source, found.sign, found.next) == ("My bank", ("direction",), ("links", "next"))
    said = {"items", "kind", "source", "columns", "fields", "constants", "values", "paging", "since"}
    assert tomllib.loads(json_mapping.GUIDE).keys() == said
    for name in (
        "quality",
        "until",
        "memo",
        *json_mapping.TIMES[1:],
        *json_mapping.SINCE,
        "decimal",
        "first",
        "cursor",
    ):
        assert name in json_mapping.GUIDE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("items = ", "this is no TOML"),
        ("", "kind=''"),
        ('kind = "Any Thing!"', "write a kind such as"),
        ('kind = "note"', "say where at least one thing stands"),
        ('kind = "note"\n[columns]\nheadline = "x"', "columns.headline is not known; there are at, title"),
        ('kind = "note"\n[columns]\ntitle = 5', "columns.title is no text"),
        ('kind = "note"\ncolumns = "title"', r"columns is no table: write \[columns\]"),
        ('kind = "note"\nmore = 1\n[columns]\ntitle = "x"', "more is not known"),
        ('kind = "money.transaction"\n[columns]\ntitle = "x"', "say where at stands"),
        ('kind = "readings"\n[columns]\nat = "x"\namount = "y"', "say where role stands"),
        (
            'kind = "readings"\n[columns]\nat = "x"\namount = "y"\n[constants]\nrole = "gas"\nunit = "m3"',
            "until, or the constant",
        ),
        ('kind = "readings"\n[columns]\nat = "x"\n[constants]\nseconds = "soon"', "a whole number of seconds"),
        ('kind = "note"\n[columns]\ntitle = "x"\n[values]\ntimes = "lunar"', "write one of iso, seconds"),
        ('kind = "note"\n[columns]\ntitle = "x"\n[values]\nminor = 9', "a whole number from 0 to 6"),
        ('kind = "note"\n[columns]\ntitle = "x"\n[values]\nminor = true', "a whole number from 0 to 6"),
        ('kind = "note"\n[columns]\ntitle = "x"\n[paging]\nnext = "a"\npage = "p"', "of next and page only one"),
        ('kind = "note"\n[columns]\ntitle = "x"\n[paging]\ncursor = "a"', "cursor and parameter go together"),
        ('kind = "note"\n[columns]\ntitle = "x"\n[constants]\nunit = [1]', "neither a text nor a number"),
    ],
)
def test_what_is_wrong_with_one_is_said(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        json_mapping.read(text)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(UserError) as raised:
        json_mapping.read('kind = "!"\nx = 1\n[columns]\ny = "z"\n[values]\nminor = -1\n')
    assert len(raised.value.problems) >= 4


@pytest.mark.parametrize(
    ("said", "way", "found"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": [{"b": 1}, {"b": 2}]}, "a.1.b", 2),
        ({"a": [1]}, "a.7", None),
        ({"a": 1}, "a.b", None),
        ([], "a", None),
        (None, "a", None),
        ({"a": 1}, "", {"a": 1}),
    ],
)
def test_a_way_leads_to_a_value_or_nowhere(said: Any, way: str, found: Any) -> None:
    assert json_mapping.found(said, tuple(filter(None, way.split(".")))) == found


@pytest.mark.parametrize(
    ("said", "way", "lists"),
    [
        ([1, 2], "", [[1, 2]]),
        ({"a": {"b": [1]}}, "a.b", [[1]]),
        ({"a": [{"b": [1]}, {"b": [2]}, {}]}, "a.b", [[1], [2]]),
        ({"a": {"x": {"b": [1]}, "y": {"b": []}}}, "a.*.b", [[1], []]),
        ({"a": {"x": {"n": 1}, "y": 2}}, "a.*", [[{"n": 1}]]),
        ({"a": 1}, "a", []),
        ({"a": None}, "a", [[]]),
        ({}, "a.b", []),
        ({"a": {}}, "a.b", []),
        ("x", "a", []),
    ],
)
def test_a_way_leads_to_lists_through_lists_and_any_name(said: Any, way: str, lists: list[Any]) -> None:
    assert list(json_mapping.items(said, tuple(filter(None, way.split("."))))) == lists


def test_the_readme_shows_one_that_can_be_read() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    [shown] = re.findall(r"```toml\n(items = .*?)```", readme, re.S)
    assert json_mapping.read(shown).kind == "money.transaction"
