"""Kinds that a person declares in a file."""

import inspect
import json
import textwrap

import pytest

from appliance import kinds
from appliance.errors import UserError
from appliance.kinds import AmountIs, Field, FieldType, declared, from_declaration

PLACE = "kinds.toml"


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(UserError) as caught:
        declared(text, PLACE)
    return caught.value.problems


def test_the_example_of_the_documentation_is_a_kind() -> None:
    text = inspect.getdoc(declared) or ""
    (plant,) = declared(textwrap.dedent(text.partition(":\n\n")[2]), PLACE)
    assert (plant.name, plant.title, plant.many, plant.dpv, plant.mine) == (
        "hobby.plant", "Plant", "Plants", "pd:Interest", True,
    )  # fmt: skip
    assert list(plant.form) == ["at", "species", "light", "height"]
    assert plant.fields["light"] == Field("Light", FieldType.CHOICE, choices=("sun", "shade"))
    assert plant.stated({"at": "2026-05-01", "species": "Ficus", "height": "80"}).title == "Ficus"
    assert from_declaration(json.loads(json.dumps(plant.declaration()))) == plant


def test_a_column_can_name_its_counterpart_at_schema_org() -> None:
    text = '[kinds.walk]\ntitle = "Walk"\nschema_org = "ExerciseAction"\n'
    (walk,) = declared(text + 'columns.at = { title = "Begun", schema_org = "startTime" }\n', PLACE)
    assert (walk.form["at"].title, walk.form["at"].schema_org) == ("Begun", "startTime")
    assert from_declaration(json.loads(json.dumps(walk.declaration()))) == walk
    wrong = text + 'columns.at = { schema_org = "Start", colour = "red" }\n'
    assert len(problems_of(wrong)) == 3


def test_little_is_enough() -> None:
    (walk,) = declared('[kinds.walk]\ntitle = "Walk"\n', PLACE)
    assert (walk.many, walk.dpv, walk.counted, walk.mine) == ("Walks", "dpv:PersonalData", True, False)
    assert walk.amount_is is AmountIs.STANDS
    assert declared("", PLACE) == []


def test_every_problem_of_a_file_is_told_with_its_place_and_what_to_write() -> None:
    text = """
    colour = "red"

    [kinds."money.transaction"]
    title = "Mine"

    [kinds."Hobby.Plant"]
    title = "Plant"

    [kinds.walk]
    plural = 3
    dpv = "hobby"
    schema_org = "a walk"
    needs = ["when"]
    mine = "yes"
    shape = "round"

    [kinds.walk.columns]
    at = ""
    where = "Where"

    [kinds.walk.fields]
    plain = "text"

    [kinds.walk.fields.walked]
    title = "Walked"
    type = "date"

    [kinds.walk.fields.title]
    title = "Name"

    [kinds.walk.fields.shoes]
    title = "Shoes"
    type = "choice"
    choices = ["boots"]

    [kinds.walk.fields.far]
    type = "decimal"
    choices = ["a", "b"]
    required = "yes"
    schema_org = "Distance"
    """
    told = [
        ("colour", "[kinds."),
        ('kinds."money.transaction"', "another name"),
        ('kinds."Hobby.Plant"', "letters a to z"),
        ("kinds.walk.plural", "a text in quotes"),
        ("kinds.walk.mine", "true or false"),
        ("kinds.walk.shape", "there are title, plural"),
        ("kinds.walk", "says no title"),
        ("kinds.walk.dpv", "such as pd:Interest"),
        ("kinds.walk.schema_org", "such as Product"),
        ("kinds.walk.columns.at", "write one in quotes"),
        ("kinds.walk.columns.where", "there are title, at"),
        ("kinds.walk.fields.plain", "write [kinds.walk.fields.plain]"),
        ("kinds.walk.fields.walked.type", "write one of text, lines"),
        ("kinds.walk.fields.title", "under columns"),
        ("kinds.walk.fields.shoes.choices", "two or more"),
        ("kinds.walk.fields.far.required", "true or false"),
        ("kinds.walk.fields.far", "says no title"),
        ("kinds.walk.fields.far.choices", 'type = "choice"'),
        ("kinds.walk.fields.far.schema_org", "such as height"),
        ("kinds.walk.needs", "there are title, at"),
    ]
    problems = problems_of(textwrap.dedent(text))
    for (key, says), problem in zip(told, problems, strict=True):
        assert problem.startswith(f"{PLACE}: {key}: ")
        assert says in problem


def test_a_name_without_its_quotes_is_understood_and_told() -> None:
    (problem,) = problems_of('[kinds.hobby.plant]\ntitle = "Plant"\n')
    assert problem.startswith(f"{PLACE}: kinds.hobby: a name with dots stands in quotes")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[kinds.walk]\ntitle = "Walk"\namount_is = "spent"', "write one of moved, asked, stands"),
        ("[kinds.walk]\ntitle = Walk", "line 2"),
        ("kinds = 3", 'write [kinds."hobby.plant"]'),
        ("[kinds]\nwalk = 3", "write [kinds.walk]"),
        ('[kinds.walk]\ntitle = "Walk"\nfields = 3', "a table of its own"),
        ('[kinds.walk]\ntitle = "Walk"\nneeds = [3]', "not a text"),
        ('[kinds.walk]\ntitle = " "', "not a text"),
        (f'[kinds.{"w" * 61}]\ntitle = "Walk"', "at most 60"),
        ('[kinds.walk]\ntitle = "Walk"\n[kinds.walk.fields.how]\ntitle = "How"\ntype = 3', "a text in quotes"),
        (
            '[kinds.walk]\ntitle = "W"\n[kinds.walk.fields.how]\ntitle = "How"\ntype = "choice"\nchoices = ["a", "A"]',
            "each once",
        ),
    ],
)
def test_one_mistake_is_one_problem(text: str, says: str) -> None:
    (problem,) = problems_of(text)
    assert problem.startswith(f"{PLACE}: ")
    assert says in problem


def test_a_damaged_declaration_is_told_and_not_believed() -> None:
    with pytest.raises(UserError, match=r"export/kinds.jsonl: kinds.walk.fields.far.type: 'mile' is not a type"):
        from_declaration(
            {"name": "walk", "title": "Walk", "fields": {"far": {"title": "Far", "type": "mile"}}}, "export/kinds.jsonl"
        )
    with pytest.raises(UserError, match="is no name"):
        from_declaration({"title": "Walk"})


def test_a_declaration_that_a_later_version_has_built_in_is_still_read() -> None:
    assert from_declaration(kinds.every()["note"].declaration()).name == "note"
