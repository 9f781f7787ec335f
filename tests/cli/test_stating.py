"""Saying, correcting, withdrawing and undoing by the command."""

from datetime import date
from pathlib import Path

import pytest

from tests.cli.conftest import Box
from tests.statements import Row, ofx


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    file = tmp_path / "march.ofx"
    file.write_bytes(ofx([Row(date(2026, 3, 1), "-4.50", "BKR"), Row(date(2026, 3, 2), "-5.50", "Shop")], "1"))
    return file


def test_a_fact_goes_from_being_said_to_being_withdrawn(box: Box) -> None:
    [said] = box.json("add", "me.plan", "title=Moving in May", "at=2027-05-01")
    assert (said["kind"], said["at"], said["provenance"], said["import"]) == ("me.plan", "2027-05-01", "my", None)
    fact = said["id"]
    [corrected] = box.json("correct", fact, "title=Moving in June", "--why", "the house is late")
    assert (corrected["id"], corrected["title"]) == (fact, "Moving in June")
    [note] = box.json("annotate", fact, "Ask Tom")
    assert note["about"] == fact
    box.json("withdraw", fact, "--why", "we stay")
    assert box.json("records") == []
    old, new = box.json("history", fact)
    assert (old["title"], old["ended"]["action"], old["ended"]["why"]) == (
        "Moving in May",
        "correct",
        "the house is late",
    )
    assert (new["title"], new["ended"]["action"], new["ended"]["why"]) == ("Moving in June", "withdraw", "we stay")
    assert [row["title"] for row in box.json("records", "--as-of", old["since"])] == ["Moving in May"]
    [again] = box.json("restore", fact)
    assert again["title"] == "Moving in June"
    assert len(box.json("records")) == 2


def test_all_that_is_wrong_is_said_at_once(box: Box) -> None:
    said = box.run("add", "money.balance", "amount=a lot", "colour=red")
    assert said.code == 2
    assert "a lot" in said.err
    assert "colour" in said.err
    assert box.run("add", "me.plan", "title").err == "inglenook: title: write FIELD=VALUE, such as title=Baker\n"
    assert "there is no fact 7" in box.run("correct", 7, "title=x").err
    assert "there is no fact 7" in box.run("history", 7).err


def test_an_import_is_undone_and_redone(box: Box, statement: Path) -> None:
    box.json("import", statement)
    [undone] = box.json("imports", "undo", 1, "--why", "the wrong account")
    assert (undone["undone"], undone["facts"], undone["left"]) == (True, 2, 0)
    assert box.json("records") == []
    assert box.json("imports")[0]["undone"]
    assert box.run("imports", "undo", 1).code == 2
    [redone] = box.json("imports", "redo", 1)
    assert (redone["redone"], redone["facts"]) == (True, 2)
    assert len(box.json("records")) == 2


def test_a_wrong_unit_is_taken_back_and_stated_again(box: Box) -> None:
    gas = Path(__file__).parents[1] / "samples" / "green_button" / "gas-no-unit.xml"
    box.run("import", gas)
    [wrong] = box.json("imports", "retry", 1, "--set", "unit=kWh", "--set", "quantity=gas")
    assert wrong["stored"]
    box.json("imports", "undo", wrong["import"])
    [right] = box.json("imports", "retry", 1, "--set", "unit=m3", "--set", "quantity=gas")
    assert (right["stored"], right["duplicate"]) == (wrong["stored"], 0)
    assert {row["unit"] for row in box.json("readings", "gas")} == {"m3"}


def test_kinds_are_listed_and_a_person_s_own_are_kept(box: Box, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[kinds."hobby.plant"]\ntitle = "Plant"\n[kinds."hobby.plant".fields.species]\ntitle = "Species"\n')
    box.json("kinds", "add", file)
    assert {"money.transaction", "me.address", "hobby.plant"} <= {row["kind"] for row in box.json("kinds")}
    [fern] = box.json("add", "hobby.plant", "title=Fern", "species=Nephrolepis")
    assert fern["fields"] == {"species": "Nephrolepis"}
    file.write_text("[kinds.plant]\ntitel = 3\n")
    said = box.run("kinds", "add", file)
    assert said.code == 2
    assert str(file) in said.err
