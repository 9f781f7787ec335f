"""Saying, correcting, withdrawing and undoing by the command."""

from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from appliance import people
from appliance.config import load
from appliance.people import Household
from appliance.store.database import open_store
from tests import photos
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


def _claimed(box: Box) -> str:
    """A box of Ada's, in Amsterdam; the name of her store."""
    with open_store(load(box.data), make=True) as home:
        said = Household("Home Farm", "Europe/Amsterdam", "EUR")
        return people.claim(load(box.data), home, said, "Ada", "a long password").store


def test_a_time_is_the_household_s_and_money_is_in_its_currency(box: Box) -> None:
    own = _claimed(box)
    for store in ("home", own):
        said = box.run("--json", "--store", store, "add", "me.plan", "title=x", "at=2026-05-01T10:00", "amount=5")
        assert (said.code, said.err) == (0, "")
        [plan] = said.rows
        assert (plan["at"], plan["amount"], plan["unit"]) == ("2026-05-01T08:00:00Z", "5.00", "EUR")
        [moved] = box.json("--store", store, "correct", plan["id"], "at=2026-12-01T10:00")
        assert moved["at"] == "2026-12-01T09:00:00Z"
    [steps] = box.json("add", "health.measurement", "measure=steps", "at=2026-05-01", "amount=5")
    assert steps["unit"] == ""
    [bare] = box.json("add", "me.plan", "title=x", "amount=5", "unit=")
    assert bare["unit"] == ""


def test_a_time_without_a_household_is_utc_and_says_how_to_be_exact(box: Box) -> None:
    said = box.run("--json", "add", "calendar.event", "title=x", "at=2026-05-01T10:00", "until=2026-05-01T11:00Z")
    assert said.rows[0]["at"] == "2026-05-01T10:00:00Z"
    assert "write their offset" in said.err
    assert "--zone" not in said.err


def test_a_field_is_said_once(box: Box) -> None:
    said = box.run("add", "note", "memo=a", "memo=b")
    assert (said.code, said.out) == (2, "")
    assert "memo: it is said 2 times; say it once" in said.err
    assert box.json("records") == []


def test_a_correction_ends_nothing_before_it_began(box: Box) -> None:
    [plan] = box.json("add", "me.plan", "title=x", "at=2026-05-01")
    said = box.run("correct", plan["id"], "until=2026-01-01")
    assert said.code == 2
    assert "before 2026-05-01" in said.err


def test_withdrawing_needs_a_why(box: Box) -> None:
    [note] = box.json("add", "note", "memo=a")
    said = box.run("withdraw", note["id"], "--why", " ")
    assert (said.code, "say why" in said.err) == (2, True)
    assert len(box.json("records")) == 1


def test_a_number_that_is_none_is_said_in_plain_words(box: Box) -> None:
    for number in ("abc", "-1", "99999999999"):
        said = box.run("history", "--", number)
        assert said.code == 2
        assert f"'{number}' is not a number from 0 to 2147483647; write one such as 12" in said.err


def test_a_kind_is_shown_with_all_that_can_be_said_of_it(box: Box) -> None:
    [shown] = box.json("kinds", "show", "shop.order")
    assert (shown["schema_org"], shown["dpv"]) == ("Order", "pd:Purchase")
    of = {row["field"]: row for row in shown["fields"]}
    assert (of["at"]["schema_org"], of["at"]["needed"], of["at"]["type"]) == ("orderDate", True, "when")
    assert (of["number"]["schema_org"], of["number"]["needed"]) == ("orderNumber", False)
    assert of["address"]["dpv"] == "pd:PhysicalAddress"
    [account] = box.json("kinds", "show", "money.account")
    of = {row["field"]: row for row in account["fields"]}
    assert "savings" in of["type"]["choices"]
    assert of["interest"]["unit"] == "%"
    text = box.run("kinds", "show", "money.account").out
    assert all(said in text for said in ("schema.org BankAccount", "pd:BankAccount", "decimal: %", "Sort code"))
    assert not {row["asked"] for row in box.json("kinds", "show", "money.transaction")[0]["fields"]} - {True, False}
    said = box.run("kinds", "show", "weather")
    assert (said.code, "there are:" in said.err) == (2, True)


def test_a_list_of_imports_says_which_are_undone(box: Box, statement: Path) -> None:
    box.json("import", statement)
    assert "undone" not in box.run("imports").out
    assert "undone" not in box.run("imports", "show", 1).out
    box.json("imports", "undo", 1)
    assert "State" in box.run("imports").out
    assert "undone 20" in box.run("imports").out
    shown = box.run("imports", "show", 1).out
    assert "It was undone on 20" in shown
    assert "inglenook imports redo 1" in shown
    assert "state" not in box.json("imports")[0]


def test_a_photo_is_attached_by_its_path(box: Box, written: Callable[[str, bytes], Path]) -> None:
    photo, paper = written("meter.jpg", photos.JPEG), written("lease.pdf", photos.PDF)
    said = ("energy.meter_reading", "at=2026-03-01", "register=4000", "supply=water")
    [reading] = box.json("add", *said, f"photo=@{photo}")
    digest = sha256(photos.JPEG).hexdigest()
    assert reading["fields"]["photo"] == digest
    [later] = box.json("correct", reading["id"], f"photo=@{written('again.png', photos.PNG)}")
    assert later["fields"]["photo"] == sha256(photos.PNG).hexdigest()
    [kept] = box.json("add", "document", "title=Lease", f"file=@{paper}")
    assert kept["fields"]["file"] == sha256(photos.PDF).hexdigest()
    folder = photo.parent / "export"
    box.run("export", folder)
    assert (folder / "originals" / digest).read_bytes() == photos.JPEG
    assert len(list((folder / "originals").iterdir())) == 3
    assert box.run("check").code == 0


def test_a_photo_that_cannot_be_attached_says_why_and_nothing_is_kept(
    box: Box, written: Callable[[str, bytes], Path]
) -> None:
    said = ("add", "energy.meter_reading", "at=2026-03-01", "register=4000")
    for value, says in (
        ("@nowhere.jpg", "photo: nowhere.jpg: there is no such file; write the path of one behind the @"),
        (f"@{box.data}", "there is no such file"),
        ("meter.jpg", "write @ and its path, such as @meter.jpg"),
        (f"@{written('film.gif', b'GIF89a')}", "neither JPEG, PNG, WebP nor HEIC"),
        (f"@{written('large.jpg', photos.photo(1, 17 << 20))}", "larger than 15 MB"),
    ):
        refused = box.run(*said, f"photo={value}")
        assert (refused.code, says in refused.err) == (2, True), refused.err
    assert box.json("records") == []
    assert box.json("add", "me.plan", "title=@home")[0]["title"] == "@home"


def test_a_reading_that_hardly_can_be_is_asked_back_and_kept_with_sure(box: Box) -> None:
    said = ("add", "energy.meter_reading", "supply=water")
    [first] = box.json(*said, "at=2026-03-01", "register=4100")
    asked = box.run(*said, "at=2026-04-01", "register=4000")
    assert asked.code == 2
    assert (
        f"It shows (register): 4000 is less than the 4100 that you read on 2026-03-01 (record {first['id']})"
        in asked.err
    )
    assert "nothing was kept; if it is right as it is, run the same command with --sure" in asked.err
    assert len(box.json("records")) == 1
    [kept] = box.json(*said, "at=2026-04-01", "register=4000", "--sure")
    assert box.run("correct", kept["id"], "register=3999").code == 2
    [corrected] = box.json("correct", kept["id"], "register=3999", "--sure")
    assert corrected["fields"]["register"] == "3999"
    never = box.run(*said, "at=2150-01-01", "register=5000", "--sure")
    assert (never.code, "When (at): 2150-01-01 is still to come" in never.err) == (2, True)
