"""What every built-in kind must be, so that its page, its form, its exports and its category hold."""

import csv
import json
from importlib import import_module
from pathlib import Path

import pytest

from appliance import kinds
from appliance.kinds import COLUMNS, Field, FieldType, Kind
from tests.corpus import corpus_file

EVERY = list(kinds.every().values())
FIELDS = [(kind, name, field) for kind in EVERY for name, field in kind.fields.items()]
EXAMPLES = {
    FieldType.TEXT: "some text",
    FieldType.LINES: "one\ntwo",
    FieldType.WHOLE: "42",
    FieldType.DECIMAL: "12.50",
    FieldType.DAY: "2026-11-22",
    FieldType.TIME: "2026-11-22T14:03:00+01:00",
    FieldType.WHEN: "2026-11-22",
    FieldType.YES_NO: "yes",
    FieldType.WEB: "https://example.org/",
    FieldType.EMAIL: "kim@example.org",
    FieldType.PHONE: "+442079460018",
    FieldType.PLACE: "51.5007,-0.1246",
    FieldType.METER_POINT: "541448820041234561",
    FieldType.PHOTO: "5e" * 32,
    FieldType.FILE: "5e" * 32,
}


def example(field: Field) -> str:
    if field.title == "Currency":
        return "EUR"
    return field.choices[0] if field.choices else EXAMPLES[field.type]


def named(kind: Kind) -> str:
    return kind.name


def test_each_domain_of_the_design_is_there() -> None:
    assert set(kinds.domains()) == {
        "calendar", "contact", "document", "energy", "health", "me", "media", "message", "money", "note", "phone",
        "place", "shop",
    }  # fmt: skip
    wanted = {
        "money": {"account", "transaction", "balance", "statement", "holding"},
        "shop": {"order", "purchase"},
        "phone": {"call", "message", "data_use"},
        "energy": {
            "budget",
            "away",
            "agreement",
            "bill",
            "gas_quality",
            "meter_event",
            "meter_reading",
            "rate",
            "supply",
            "tariff",
        },
        "place": {"journey"},
        "me": {"about", "address", "preference", "plan", "possession", "need"},
    }
    for domain, ends in wanted.items():
        assert {name.partition(".")[2] for name in kinds.every() if name.startswith(f"{domain}.")} == ends


def test_a_kind_stands_in_its_domain_s_file_and_once() -> None:
    declared = [
        (domain, kind) for domain in kinds.domains() for kind in import_module(f"appliance.kinds.{domain}").KINDS
    ]
    assert [kind.name for domain, kind in declared if kind.name.partition(".")[0] != domain] == []
    names = [kind.name for _, kind in declared]
    assert len(names) == len(set(names)) == len(kinds.every())
    titles = [kind.title for _, kind in declared]
    assert len(titles) == len(set(titles)), "two kinds that a person cannot tell apart"


@pytest.mark.parametrize("kind", EVERY, ids=named)
def test_people_can_read_it(kind: Kind) -> None:
    assert kinds.named(kind.name) is kind
    said = [
        kind.title,
        kind.many,
        *(each.title for each in kind.columns.values()),
        *(field.title for field in kind.fields.values()),
    ]
    assert all(title == title.strip() and title[:1].isupper() for title in said)
    on_form = [field.title for field in kind.form.values()]
    assert len(on_form) == len(set(on_form)), "a form asks twice under one name"
    assert all(field.help == "" or field.help.endswith((".", "!")) for field in kind.fields.values())


@pytest.mark.parametrize("kind", EVERY, ids=named)
def test_its_columns_are_common_ones(kind: Kind) -> None:
    assert set(kind.columns) | set(kind.needs) <= set(COLUMNS)
    assert not set(kind.fields) & set(COLUMNS)
    required = {
        name
        for name, field in {**{each: kind.column(each) for each in COLUMNS}, **kind.fields}.items()
        if field.required
    }
    assert required <= set(kind.form), "a form could never be sent"


@pytest.mark.parametrize(
    ("kind", "name", "field"), FIELDS, ids=lambda each: getattr(each, "name", "") or str(each)[:20]
)
def test_every_field_reads_what_it_should(kind: Kind, name: str, field: Field) -> None:
    assert field.read(example(field)) == example(field)
    assert (field.type is FieldType.CHOICE) == bool(field.choices)
    assert field.unit == "" or field.type in (FieldType.WHOLE, FieldType.DECIMAL)


@pytest.mark.parametrize("kind", EVERY, ids=named)
def test_a_form_filled_in_whole_is_kept_whole(kind: Kind) -> None:
    filled = {name: example(field) for name, field in kind.form.items()}
    stated = kind.stated(filled)
    assert stated.fields == {name: filled[name] for name in kind.form if name in kind.fields}
    assert stated.given == set(filled)
    least = {name: example(field) for name, field in kind.form.items() if field.required}
    assert kind.stated(least).title, "a fact without a title"


@pytest.mark.parametrize("kind", EVERY, ids=named)
def test_its_declaration_makes_it_again(kind: Kind) -> None:
    assert kinds.from_declaration(json.loads(json.dumps(kind.declaration()))) == kind


SCHEMA_ORG = json.loads((Path(__file__).parent / "schema_org.json").read_text(encoding="utf-8"))
"""The types of schema.org (as of schema-dts 2.1) that kinds name: what each is one of, and its own properties."""


def properties_of(type_: str) -> set[str]:
    said = SCHEMA_ORG[type_]
    return set(said["properties"]).union(*map(properties_of, said["of"]))


@pytest.mark.parametrize("kind", EVERY, ids=named)
def test_what_it_names_of_schema_org_is_there(kind: Kind) -> None:
    said = [kind.column(name) for name in kind.columns] + list(kind.fields.values())
    named_there = {each.schema_org for each in said if each.schema_org}
    assert named_there <= (properties_of(kind.schema_org) if kind.schema_org else set())


def test_columns_have_their_counterparts_at_schema_org() -> None:
    wanted = {
        ("shop.order", "at"): "orderDate",
        ("money.transaction", "amount"): "amount",
        ("message", "at"): "dateSent",
        ("energy.bill", "amount"): "totalPaymentDue",
        ("calendar.event", "at"): "startDate",
        ("health.measurement", "amount"): "value",
    }
    every = kinds.every()
    assert {(kind, name): every[kind].column(name).schema_org for kind, name in wanted} == wanted
    bare = [kind.name for kind in EVERY if kind.schema_org and not any(c.schema_org for c in kind.columns.values())]
    assert bare == []


def test_every_category_is_one_of_dpv_s() -> None:
    path = corpus_file("terms/dpv-personal-data.csv")
    with path.open(encoding="utf-8") as file:
        known = {"pd:" + row["iri"].rpartition("#")[2] for row in csv.DictReader(file)}
    used = {kind.dpv for kind in EVERY} | {field.dpv for _, _, field in FIELDS if field.dpv}
    assert used <= known


def test_balances_and_statements_are_not_counted_and_what_i_say_is_mine() -> None:
    assert [kind.name for kind in EVERY if not kind.counted] == ["money.balance", "money.statement"]
    assert all(kind.mine for kind in EVERY if kind.name.startswith("me."))


def test_a_hand_made_transaction_is_not_asked_for_what_only_banks_write() -> None:
    transaction = kinds.every()["money.transaction"]
    assert "brokerid" not in transaction.form
    assert transaction.corrected({"brokerid": "X1"}, {}).fields == {"brokerid": "X1"}


def test_a_new_kind_is_as_broad_as_personal_data() -> None:
    assert Kind("hobby", "Hobby").dpv == "dpv:PersonalData"
