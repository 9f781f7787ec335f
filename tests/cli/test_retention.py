"""`inglenook archive`, `retention` and `delete`, as a person runs them."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance import people
from appliance.config import load
from appliance.people import Household
from appliance.store.database import open_store
from tests.cli.conftest import Box
from tests.statements import Row, ofx

Written = Callable[[str, bytes], Path]
KIND = "money.transaction"
OLD = [Row(date(2019, month, 5), f"-{month}.50", f"Shop {month}") for month in (1, 1, 2)]


@pytest.fixture
def filled(box: Box, written: Written) -> Box:
    """A box with three payments of 2019 and one of this month."""
    now = datetime.now(UTC).date()
    box.json("import", written("a.ofx", ofx([*OLD, Row(now, "-7.00", "Late")])))
    return box


def _titles(box: Box) -> list[str]:
    return sorted(row["title"] for row in box.json("records"))


def test_archives_are_made_listed_with_their_months_and_attached(filled: Box) -> None:
    [made] = filled.json("archive", "make", KIND, "--before", "2020-01-01")
    assert (made["archive"], made["facts"], made["attached"]) == (1, 3, "")
    assert _titles(filled) == ["Late"]
    [row] = filled.json("archive")
    months = [(each["month"], each["facts"], each["amount"], each["unit"]) for each in row["months"]]
    assert months == [("2019-01", 2, "-3.00", "EUR"), ("2019-02", 1, "-2.50", "EUR")]
    assert "3 facts of 2019 are archived (money.transaction); by month:" in filled.run("archive").out
    [attached] = filled.json("archive", "attach", 1)
    assert attached["attached"]
    assert len(_titles(filled)) == 4
    assert "2019 are archived" not in filled.run("archive").out


def test_a_kind_whose_facts_are_all_archived_has_its_policy_listed(filled: Box) -> None:
    filled.json("add", "note", "at=2019-03-01", "memo=old")
    filled.json("archive", "make", "note", "--before", "2020-01-01")
    assert "note" in [each["kind"] for each in filled.json("retention")]


def test_a_file_whose_rows_were_deleted_says_so_when_it_is_read_again(filled: Box) -> None:
    filled.json("retention", KIND, "delete", "--after", "1")
    filled.json("retention", "run")
    assert "Rows of this file were deleted for good" in filled.run("imports", "retry", 1).err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("archive", "make", KIND, "--before", "1999-01-01"), "has no money.transaction from before"),
        (("archive", "make", KIND, "--before", "soon"), "write a date"),
        (("archive", "make", KIND, "--before", "2999-01-01"), "this day is to come"),
        (("archive", "attach", 7), "there is no archive 7"),
        (("retention", "art.work", "keep"), "no kind of fact"),
        (("retention", KIND, "burn"), "write keep, summarise"),
        (("retention", KIND, "delete"), "after how many months"),
        (("delete", "fact", 99, "--yes"), "there is no fact 99"),
        (("delete", "fact", 1), "say --yes"),
        (("delete", "source", "nobody", "--yes"), "inglenook sources"),
        (("delete", "person", "nobody", "--yes"), "nobody called"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(filled: Box, asked: tuple[Any, ...], said: str) -> None:
    answer = filled.run("--json", *asked)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert len(_titles(filled)) == 4


def test_a_damaged_archive_is_named_with_its_place(filled: Box) -> None:
    filled.json("archive", "make", KIND, "--before", "2020-01-01")
    path = filled.data / "stores" / "home" / "archives" / "1.archive"
    path.write_bytes(path.read_bytes()[:-1])
    said = filled.run("archive", "attach", 1)
    assert said.code == 2
    assert str(path) in said.err
    assert "put this file back from a backup" in said.err
    assert _titles(filled) == ["Late"]


def test_policies_are_stated_shown_and_done(filled: Box) -> None:
    assert filled.json("retention")[-1] == {"kind": KIND, "action": "keep", "months": 0}
    filled.json("retention", KIND, "summarise", "--after", 12)
    assert filled.json("retention", KIND) == [{"kind": KIND, "action": "summarise", "months": 12}]
    [done] = filled.json("retention", "run")
    assert (done["kind"], done["facts"], done["archive"]) == (KIND, 3, 1)
    assert filled.json("retention", "run") == []
    filled.json("retention", KIND, "delete", "--after", 24)
    assert filled.json("retention", "run")[0]["facts"] == 3
    assert filled.json("archive") == []
    assert _titles(filled) == ["Late"]
    filled.json("retention", KIND, "keep")
    assert filled.json("retention", KIND) == [{"kind": KIND, "action": "keep", "months": 0}]


def test_a_fact_is_deleted_reported_and_not_brought_back(filled: Box, written: Written) -> None:
    [report] = filled.json("delete", "fact", 1, "--yes", "--why", "not mine")
    assert (report["deleted"], report["facts"], report["versions"]) == ("fact 1", 1, 1)
    assert report["bytes"] > 0
    assert any(said.startswith("recipients") for said in report["left"])
    assert filled.json("import", written("b.ofx", ofx(OLD)))[0]["duplicate"] == 3
    assert len(_titles(filled)) == 3
    [row] = filled.json("delete")
    assert (row["deleted"], row["why"]) == ("fact 1", "not mine")
    assert filled.json("check") == [{"store": "home", "problems": []}]


def test_an_import_a_kind_and_a_source_are_deleted(filled: Box, written: Written) -> None:
    name = filled.json("sources")[0]["source"]
    assert (
        "Deleted import 1: 4 facts in 4 versions, 1 source, 1 import, 1 original"
        in filled.run("delete", "import", 1, "--yes").out
    )
    assert filled.json("import", written("a.ofx", ofx(OLD)))[0]["stored"] == 3
    assert filled.json("delete", "kind", KIND, "--yes")[0]["facts"] == 3
    filled.json("import", written("a.ofx", ofx(OLD)))
    assert filled.json("delete", "source", name, "--yes")[0]["facts"] == 3
    assert (filled.json("records"), filled.json("imports"), filled.json("sources")) == ([], [], [])


def test_a_terminal_asks_for_the_words(filled: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda stdin: True)
    assert filled.run("delete", "fact", 1, stdin="yes\n").code == 2
    assert len(_titles(filled)) == 4
    assert filled.run("delete", "fact", 1, stdin="fact 1\n").code == 0
    assert len(_titles(filled)) == 3


def test_a_person_and_then_the_box_are_deleted(filled: Box) -> None:
    config = load(filled.data)
    with open_store(config) as home:
        people.claim(config, home, Household("Home Farm", "UTC", "EUR"), "Ann", "a hearth of words")
        people.add(config, home, "Bob", "a hearth of words")
    [report] = filled.json("delete", "person", "Bob", "--yes")
    assert (report["deleted"], report["files"] > 0) == ("a person", True)
    assert [row["name"] for row in filled.json("people")] == ["Ann"]
    said = filled.run("delete", "person", "Ann", "--yes")
    assert (said.code, "inglenook delete box" in said.err) == (2, True)
    assert filled.json("delete", "box", "--yes")[0]["deleted"] == "the box"
    assert list(filled.data.iterdir()) == []


def test_who_brings_an_archive_back_is_told_that_a_policy_takes_it_again(box: Box) -> None:
    box.json("add", "me.plan", "title=Move", "at=2015-01-01")
    box.json("retention", "me.plan", "summarise", "--after", "12")
    box.json("retention", "run")
    said = box.run("archive", "attach", 1)
    assert "inglenook retention me.plan keep" in said.err
