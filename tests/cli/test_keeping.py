"""`inglenook export`, `kit`, `check` and `upgrade`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.cli.conftest import Box
from tests.statements import Row, ofx

Written = Callable[[str, bytes], Path]
GOOD = ofx([Row(date(2026, 3, 1))])


def test_an_export_says_what_it_wrote_and_that_it_is_in_clear(box: Box, written: Written, tmp_path: Path) -> None:
    box.json("import", written("a.ofx", GOOD))
    said = box.run("--json", "export", tmp_path / "out")
    assert (said.code, said.rows[0]["records"]) == (0, 1)
    assert "not encrypted" in said.err
    again = box.run("export", tmp_path / "out")
    assert (again.code, again.out) == (2, "")


def test_a_kit_brings_a_store_back_when_the_box_s_key_is_lost(box: Box, written: Written) -> None:
    box.json("import", written("a.ofx", GOOD))
    assert box.json("kit") == [{"store": "home", "kit": False}]
    words = " ".join(box.json("kit", "make")[0]["words"])
    assert box.json("kit") == [{"store": "home", "kit": True}]
    (box.data / "keys" / "box.key").unlink()
    assert box.run("records").code == 2
    assert box.run("--json", "kit", "prove", stdin=words).rows == [{"store": "home", "opened": True}]
    assert box.run("--json", "kit", "use", stdin=words).rows == [{"store": "home", "opened": True}]
    assert len(box.json("records")) == 1


def test_a_kit_is_shown_to_be_written_down_with_numbered_words(box: Box) -> None:
    shown = box.run("kit", "make").out
    numbered = shown.split("\n\n")[1].split()
    assert {int(word) for word in numbered[::2]} == set(range(1, 25))
    words = dict(zip(map(int, numbered[::2]), numbered[1::2], strict=True))
    said = box.run("kit", "prove", stdin=" ".join(words[number] for number in range(1, 25)))
    assert (said.code, "open the store" in said.out) == (0, True)


def test_wrong_words_open_nothing_and_say_why(box: Box) -> None:
    box.json("kit", "make")
    for stdin in ("", "abandon", "hearthh " * 24):
        said = box.run("--json", "kit", "prove", stdin=stdin)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("inglenook: ")


def test_check_says_that_a_store_is_whole_or_what_is_not(box: Box, written: Written) -> None:
    box.json("import", written("a.ofx", GOOD))
    assert box.json("check") == [{"store": "home", "problems": []}]
    path = box.data / "stores" / "home" / "store.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 4096 // 2 * 4096 + 100] ^= 1
    path.write_bytes(content)
    said = box.run("check")
    assert said.code == 2
    assert "backup" in said.err
    assert "Traceback" not in said.err


def test_upgrade_brings_every_store(box: Box) -> None:
    box.run("sources")
    assert [row["store"] for row in box.json("upgrade")] == ["home"]
    assert box.run("upgrade").code == 0
