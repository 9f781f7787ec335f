"""What keeps, carries and lets go of data, by the command, on encrypted files and on PostgreSQL."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.cli.conftest import Box
from tests.green_button import hours
from tests.statements import Row, ofx

ROWS = [Row(date(2020, month, 3), f"-{month}.50", f"Shop {month}", fitid=f"F{month}") for month in range(1, 5)]
KIND = "money.transaction"


@pytest.fixture
def filled(hosted: Box, written: Callable[[str, bytes], Path]) -> Box:
    """A box with a statement and a meter's file."""
    hosted.json("import", written("2020.ofx", ofx(ROWS)), written("use.xml", hours([1000] * 48)))
    return hosted


def titles(box: Box) -> list[str]:
    return sorted(row["title"] for row in box.json("records", "--kind", KIND))


def test_facts_are_archived_summed_and_brought_back(filled: Box) -> None:
    [made] = filled.json("archive", "make", KIND, "--before", "2020-03-01")
    assert (made["facts"], titles(filled)) == (2, ["Shop 3", "Shop 4"])
    [listed] = filled.json("archive")
    assert [(month["month"], month["amount"]) for month in listed["months"]] == [
        ("2020-01", "-1.50"),
        ("2020-02", "-2.50"),
    ]
    filled.json("archive", "attach", made["archive"])
    assert titles(filled) == [row.name for row in ROWS]


def test_facts_sources_and_kinds_are_deleted_for_good(filled: Box, written: Callable[[str, bytes], Path]) -> None:
    fact = next(row["id"] for row in filled.json("records") if row["title"] == "Shop 2")
    [report] = filled.json("delete", "fact", fact, "--yes", "--why", "private")
    assert (report["facts"], report["why"]) == (1, "private")
    [again] = filled.json("import", written("2020.ofx", ofx(ROWS, said="again")))
    assert (again["stored"], titles(filled)) == (0, ["Shop 1", "Shop 3", "Shop 4"])
    source = filled.json("readings", "electricity.import")[0]["source"]
    [report] = filled.json("delete", "source", source, "--yes")
    assert (report["readings"], report["sources"]) == (48, 1)
    assert "but of money.transaction" in filled.run("delete", "kind", "money", "--yes").err
    [report] = filled.json("delete", "kind", KIND, "--yes")
    assert (report["facts"], titles(filled), len(filled.json("delete"))) == (3, [], 3)


def test_a_mart_is_carved_off_follows_and_is_deleted(filled: Box, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    made = ("mart", "make", "tax", "--to", folder, "--kind", "money", "--readings", "electricity.import=day")
    assert [each["added"] for each in filled.json(*made)] == [4]
    mart = Box(folder)
    assert (titles(mart), len(mart.json("readings", "electricity.import"))) == ([row.name for row in ROWS], 2)
    filled.json("withdraw", 1, "--why", "not mine")
    assert [each["withdrawn"] for each in filled.json("mart", "refresh")] == [1]
    [removed] = filled.json("mart", "remove", "tax", "--delete")
    assert (removed["report"]["facts"], folder.exists()) == (4, False)


def test_a_mart_that_matches_nothing_says_so(filled: Box, tmp_path: Path) -> None:
    said = filled.run("mart", "make", "tax", "--to", tmp_path / "stick", "--kind", "monye")
    assert (said.code, "--kind monye matches nothing" in said.err) == (0, True)


def test_an_export_comes_back_in_a_box_of_files_and_is_the_same(filled: Box, tmp_path: Path) -> None:
    filled.json("correct", 2, "title=Corrected", "--why", "misread")
    filled.json("archive", "make", KIND, "--before", "2020-02-01")
    first, second, other = tmp_path / "first", tmp_path / "second", Box(tmp_path / "other")
    [manifest] = filled.json("export", first)
    [returned] = other.json("import", first)
    assert returned["records"] == manifest["records"]
    other.json("export", second)
    assert titles(other) == titles(filled)
    names = {str(path.relative_to(first)) for path in first.rglob("*") if path.is_file()}
    assert names == {str(path.relative_to(second)) for path in second.rglob("*") if path.is_file()}
    different = [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()]
    assert different in ([], ["manifest.json"])
