"""What all commands have in common, and that what the documents name is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.cli import COMMANDS
from tests.cli.conftest import Box

README = (Path(__file__).parents[2] / "README.md").read_text()
INGLENOOK = Path(sys.executable).with_name("inglenook")


def _readme_commands() -> set[tuple[str, ...]]:
    """The commands of README's table, such as ("imports", "show")."""
    table = README.split("## The command")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [quoted.split() for cell in cells for quoted in re.findall(r"`([^`]+)`", cell)]
    return {tuple(word for word in words if word.islower()) for words in named}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_a_sentence_and_the_common_options(box: Box, command: str) -> None:
    said = box.alone(command, "--help")
    assert said.code == 0
    assert re.search(r"^  [A-Z].{15,}", said.out, re.MULTILINE)
    assert {"--data", "--store", "--json"} <= set(re.findall(r"--[a-z]+", said.out))
    assert list(box.data.parent.iterdir()) == []


def test_every_command_is_listed_with_what_it_does(box: Box) -> None:
    listed = re.findall(r"^  ([a-z]+)  +\S", box.alone("--help").out.split("Commands:")[1], re.MULTILINE)
    assert listed == list(COMMANDS)


def test_each_command_of_the_readme_exists_and_has_help(box: Box) -> None:
    commands = _readme_commands()
    assert {words[0] for words in commands} == set(COMMANDS)
    for words in commands:
        said = box.alone(*words, "--help")
        assert said.code == 0, words
        assert f"main {' '.join(words)} " in said.out, words


def test_the_installed_command_is_this_one(tmp_path: Path) -> None:
    command = [str(INGLENOOK), "--data", str(tmp_path / "box"), "formats", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert '"format": "ofx"' in ended.stdout


def test_options_may_stand_before_and_after_a_command_s_name(box: Box) -> None:
    for arguments in (
        ("--data", box.data, "--json", "--store", "home", "sources"),
        ("sources", "--data", box.data, "--json", "--store", "home"),
        ("imports", "--data", box.data, "--json"),
        ("kit", "--data", box.data, "--json"),
    ):
        assert box.alone(*arguments).code == 0
    assert box.alone("imports", "show", "1", "--data", box.data).code == 2
    assert box.alone("kit", "--data", box.data, "make", "--json").rows[0]["store"] == "home"
    assert [path.name for path in box.data.parent.iterdir()] == ["box"]  # no other folder was made on the way


def test_what_is_said_after_the_name_stands_over_what_is_said_before(box: Box, tmp_path: Path) -> None:
    box.run("sources", "--data", tmp_path / "other")
    assert (tmp_path / "other" / "stores").is_dir()
    assert not box.data.exists()


def test_the_environment_names_the_folder_where_no_option_does(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGLENOOK_DATA", str(box.data))
    assert box.alone("sources").code == 0
    assert (box.data / "stores" / "home").is_dir()


def test_a_folder_that_cannot_be_made_is_said(box: Box, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = box.alone("--data", tmp_path / "file" / "box", "sources")
    assert (said.code, said.out) == (2, "")
    assert "name another folder with --data" in said.err


def test_a_box_s_folder_is_for_its_owner_alone(box: Box) -> None:
    box.run("sources")
    assert box.data.stat().st_mode & 0o777 == 0o700


def test_every_mistake_of_the_configuration_is_printed(box: Box) -> None:
    box.data.mkdir()
    (box.data / "inglenook.toml").write_text('[household]\nzone = "Mars"\n[collector]\nflush_seconds = "x"\n[wifi]\n')
    said = box.run("sources")
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 3
    assert all(line.startswith("inglenook: ") for line in said.err.splitlines())


def test_a_missing_key_ends_every_command_with_the_next_step(box: Box) -> None:
    box.run("sources")
    (box.data / "keys" / "box.key").unlink()
    for command in (("sources",), ("records",), ("check",), ("upgrade",), ("kit", "make"), ("imports", "show", "1")):
        said = box.run("--json", *command)
        assert said.code == 2, command
        assert said.out == "" or command == ("upgrade",)  # which tells of each store
        assert "box.key" in said.err
        assert "kit use" in said.err
    assert not (box.data / "keys" / "box.key").exists()


def test_a_store_that_is_not_there_is_not_made(box: Box) -> None:
    box.run("sources")
    said = box.run("--store", "Eve", "sources")
    assert said.code == 2
    assert "there are: home" in said.err
    assert [path.name for path in (box.data / "stores").iterdir()] == ["home"]


@pytest.mark.parametrize("command", ["formats", "meters", "links"])
def test_what_the_box_can_read_is_listed_with_its_options(box: Box, command: str) -> None:
    rows = box.json(command)
    assert rows
    assert all({command[:-1], "title", "options"} <= set(row) and row["title"] for row in rows)
    assert box.run(command).code == 0


def test_a_protocol_that_no_real_meter_has_spoken_to_us_says_so(box: Box) -> None:
    rows = {row["meter"]: row["tried"] for row in box.json("meters")}
    assert "566 telegrams" in rows["dsmr"]
    assert all(rows.values())


def test_a_command_that_is_none_is_said(box: Box) -> None:
    said = box.run("frobnicate")
    assert said.code == 2
    assert "frobnicate" in said.err
