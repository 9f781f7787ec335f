"""Which release is at hand, and what is said of one that may not be put in."""

import json
import os
from pathlib import Path

import pytest

from appliance.config import Config, load
from appliance.errors import UserError
from appliance.updating import release
from appliance.updating.at_hand import PROBLEM, look
from appliance.updating.packing import pack
from appliance.updating.places import FETCHED
from appliance.updating.putting import put
from tests.updating.box import Box

OTHER = next(each for each in release.MACHINES.values() if each != release.this_machine())


def _statement(box: Box) -> Path:
    return box.stick / release.statement_name(release.this_machine())


def _refused(box: Box, config: Config) -> str:
    found, problems = look(config, box.places)
    assert found is None
    return " ".join(problems)


def test_a_release_on_a_stick_is_at_hand_and_put_beside_the_one_that_runs(box: Box, config: Config) -> None:
    box.made("0.2.0", news="Meters of gas.")
    found, problems = look(config, box.places)
    assert found
    assert (found.release.version, found.release.news, problems) == ("0.2.0", "Meters of gas.", [])
    put(found, box.places)
    assert (box.places.releases / "0.2.0/release.json").exists()
    assert box.places.running() == "0.1.0"
    assert [each.name for each in box.places.state.iterdir()] == []


def test_the_newest_of_several_is_taken_by_number_and_not_by_letter(box: Box, config: Config) -> None:
    box.made("0.9.0")
    box.made("0.10.0", into=box.stick / "inglenook")
    found, _ = look(config, box.places)
    assert found
    assert found.release.version == "0.10.0"


def test_without_a_stick_nothing_is_at_hand_and_nothing_is_wrong(box: Box, config: Config) -> None:
    assert look(config, box.places) == (None, [])


def test_a_release_that_is_older_is_said(box: Box, config: Config) -> None:
    box.made("0.0.9")
    assert "0.0.9 is older than 0.1.0, which runs here" in _refused(box, config)


def test_a_stick_that_is_left_in_after_the_update_is_nothing_new(box: Box, config: Config) -> None:
    box.made("0.1.0")
    assert look(config, box.places) == (None, [])


def test_a_release_that_skips_one_that_is_needed_names_it(box: Box, config: Config) -> None:
    box.made("0.9.0", least="0.5.0")
    assert "update to 0.5.0 first" in _refused(box, config)


def test_a_release_for_another_machine_is_said(box: Box, config: Config) -> None:
    file = box.made("0.2.0", machine=OTHER)
    (box.stick / release.statement_name(OTHER)).rename(_statement(box))
    assert f"is for {OTHER}, and this box is {release.this_machine()}" in _refused(box, config)
    assert file.exists()


def test_a_release_that_somebody_else_signed_is_not_touched(box: Box, config: Config) -> None:
    box.made("0.2.0", box.make_key("stranger"))
    assert "nobody whom this box trusts has signed this release" in _refused(box, config)


def test_a_statement_that_was_changed_after_it_was_signed_is_not_believed(box: Box, config: Config) -> None:
    box.made("0.2.0")
    said = _statement(box).read_text()
    _statement(box).write_text(said.replace("0.2.0", "0.3.0"))
    assert "nobody whom this box trusts" in _refused(box, config)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"statement": 3, "signatures": ["x"]}', '{"statement": "{}"}'])
def test_a_statement_that_is_only_a_part_of_one_says_to_copy_it_again(box: Box, config: Config, text: str) -> None:
    _statement(box).write_text(text)
    assert "copy both its files again" in _refused(box, config)


def test_a_statement_that_is_nested_without_end_is_refused_in_the_same_words(box: Box, config: Config) -> None:
    _statement(box).write_text("[" * 60_000)
    assert "copy both its files again" in _refused(box, config)


def test_a_release_that_was_not_copied_to_its_end_says_so(box: Box, config: Config) -> None:
    file = box.made("0.2.0")
    os.truncate(file, 5_000)
    assert "5000 bytes are there of" in _refused(box, config)
    file.unlink()
    assert "No such file" in _refused(box, config)


def test_a_release_in_which_one_byte_is_another_is_not_put_in(box: Box, config: Config) -> None:
    file = box.made("0.2.0")
    content = bytearray(file.read_bytes())
    content[700] ^= 1
    file.write_bytes(content)
    found, _ = look(config, box.places)
    assert found
    with pytest.raises(UserError, match="is not what was signed"):
        put(found, box.places)
    assert not (box.places.releases / "0.2.0").exists()
    assert [each.name for each in box.places.state.iterdir()] == []


def test_a_link_or_a_pipe_in_place_of_a_file_is_not_followed(box: Box, config: Config) -> None:
    file = box.made("0.2.0")
    file.rename(box.folder / "elsewhere")
    file.symlink_to(box.folder / "elsewhere")
    assert "copy both files of the release again" in _refused(box, config)
    file.unlink()
    os.mkfifo(file)
    assert "this is no file" in _refused(box, config)


def test_what_the_last_fetch_said_is_read_neither_through_a_link_nor_without_end(box: Box) -> None:
    """Root reads it too, and writes what it read where everybody reads; its folder is another user's."""
    (box.data / "inglenook.toml").write_text('[update]\nurl = "https://example.org/"\n')
    config, said, secret = load(box.data), box.data / FETCHED / PROBLEM, box.folder / "secret"
    secret.write_text("of root alone")
    said.parent.mkdir()
    said.symlink_to(secret)
    assert look(config, box.places) == (None, [])
    said.unlink()
    said.write_bytes(b"nobody answered \xff" + b"x" * 1_000_000)
    problem = _refused(box, config)
    assert problem.startswith("the last look for updates: nobody answered")
    assert len(problem) < 5_000


def test_a_release_whose_installation_fails_leaves_nothing(box: Box, config: Config) -> None:
    box.made("0.2.0", files={"broken": ""})
    found, _ = look(config, box.places)
    assert found
    with pytest.raises(UserError, match="there is no wheel for numpy"):
        put(found, box.places)
    assert not (box.places.releases / "0.2.0").exists()


def test_the_next_key_comes_with_a_release_that_the_one_before_signed(box: Box, config: Config) -> None:
    following = box.make_key("next")
    next_public = following.with_suffix(".pub.pem").read_text()
    box.made("0.2.0", box.key, following, files={"keys/next.pem": next_public})
    found, _ = look(config, box.places)
    assert found
    put(found, box.places)
    box.places.point(box.places.current, "0.2.0")
    box.made("0.3.0", following)
    found, problems = look(config, box.places)
    assert found, problems
    assert found.release.version == "0.3.0"


def test_a_box_without_a_key_takes_no_update_and_says_what_to_do(box: Box, config: Config) -> None:
    box.made("0.2.0")
    (box.places.current / "keys/release.pem").unlink()
    assert "built without a key for updates" in _refused(box, config)


def test_where_inglenook_came_another_way_it_is_updated_that_way(box: Box, config: Config) -> None:
    (box.places.current / "release.json").unlink()
    assert "update it the way that it came" in _refused(box, config)


def test_a_stated_number_that_is_none_is_not_followed(box: Box) -> None:
    box.made("0.2.0")
    text = json.loads(_statement(box).read_text())["statement"]
    for wrong in ('"../../etc"', "3", "null"):
        with pytest.raises(ValueError, match=r"version|kind"):
            release.of_json(text.replace('"0.2.0"', wrong))


def test_a_release_that_would_end_all_updates_is_not_made(box: Box) -> None:
    box.made("0.2.0")
    folder = box.folder / "stage-0.2.0"
    (folder / "keys/release.pem").unlink()
    with pytest.raises(UserError, match="would take no update ever after"):
        pack(folder, box.folder / "made", [box.key])
    assert not (box.folder / "made").exists()


def test_a_file_that_is_no_key_is_said_with_the_way_to_one(box: Box) -> None:
    (box.folder / "key.txt").write_text("secret")
    with pytest.raises(UserError, match="openssl genpkey -algorithm ed25519"):
        pack(box.folder, box.folder, [box.folder / "key.txt"])
