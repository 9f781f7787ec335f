"""`inglenook import` and `imports`: what is on stdout, what is on stderr, and how it ends."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tests.cli.conftest import Box
from tests.green_button import hours
from tests.statements import Row, ofx

Written = Callable[[str, bytes], Path]
GOOD = ofx([Row(date(2026, 3, 1)), Row(date(2026, 3, 2))])
PARTLY = ofx([Row(date(2026, 3, 1)), Row(date(2026, 3, 2), amount="lots")])
KEYS = {"file", "format", "store", "source", "import", "read", "stored", "duplicate", "rejected", "rejects"}


def test_an_import_says_what_became_of_each_row(box: Box, written: Written) -> None:
    path = written("march.ofx", GOOD)
    [row] = box.json("import", path)
    assert row.keys() >= KEYS
    assert (row["file"], row["format"], row["store"], row["rejects"]) == (str(path), "ofx", "home", [])
    assert (row["read"], row["stored"], row["duplicate"], row["rejected"]) == (2, 2, 0, 0)
    [row] = box.json("import", path)
    assert (row["read"], row["stored"], row["duplicate"], row["rejected"]) == (2, 0, 2, 0)


def test_a_rejected_row_ends_with_1_and_says_its_place(box: Box, written: Written) -> None:
    said = box.run("--json", "import", written("march.ofx", PARTLY))
    [row] = said.rows
    [reject] = row["rejects"]
    assert said.code == 1
    assert reject.keys() == {"where", "line", "span", "reason"}
    assert PARTLY[reject["span"][0] :].startswith(b"<STMTTRN>")
    assert PARTLY[: reject["span"][0]].count(b"\n") + 1 == reject["line"]
    assert "march.ofx" in said.err
    assert "lots" in said.err


def test_one_bad_file_of_a_folder_stops_nothing(box: Box, written: Written) -> None:
    written("a.ofx", GOOD)
    written("b.tif", b"II*\x00 a scan")
    written("c.ofx", ofx([Row(date(2026, 4, 1))]))
    folder = written(".hidden", b"not looked at").parent
    said = box.run("--json", "import", folder)
    assert said.code == 1
    assert [row.get("stored", "error") for row in said.rows] == [2, "error", 1]
    assert said.rows[1].keys() == {"file", "store", "error"}
    assert "Ask the supplier" in said.rows[1]["error"]
    assert "--as FORMAT" in said.err


def test_where_no_file_could_be_read_it_ends_with_2(box: Box, written: Written, tmp_path: Path) -> None:
    for path in (written("b.tif", b"II*\x00 a scan"), written("empty.ofx", b""), tmp_path / "nowhere"):
        said = box.run("import", path)
        assert (said.code, said.out) == (2, "")
        assert path.name in said.err


def test_a_folder_without_a_file_is_said(box: Box, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = box.run("import", tmp_path / "empty")
    assert said.code == 2
    assert "no file" in said.err


def test_a_format_can_be_said(box: Box, written: Written) -> None:
    body = GOOD[GOOD.index(b"<STMTTRN>") :]
    path = written("cut.txt", b"x" * 70_000 + body)
    assert box.run("import", path).code == 2
    assert box.json("import", path, "--as", "ofx")[0]["stored"] == 2
    said = box.run("import", path, "--as", "papyrus")
    assert said.code == 2
    assert "papyrus" in said.err


def test_a_dry_run_has_no_number_and_stores_nothing(box: Box, written: Written) -> None:
    [row] = box.json("import", "--dry-run", written("a.ofx", GOOD))
    assert (row["stored"], row["import"]) == (2, None)
    assert box.json("imports") == []
    assert box.json("records") == []


def test_a_file_whose_name_is_no_text_is_imported_and_listed(box: Box, written: Written) -> None:
    path = written(b"caf\xe9.ofx".decode("utf-8", "surrogateescape"), GOOD)
    assert box.json("import", path)[0]["file"].endswith("caf\\xe9.ofx")
    bad = written(b"caf\xe9.pdf".decode("utf-8", "surrogateescape"), b"%PDF")
    assert box.run("--json", "import", bad).rows[0]["file"].endswith("caf\\xe9.pdf")
    assert box.run("imports").code == 0


def test_imports_are_listed_newest_first_and_shown_by_number(box: Box, written: Written) -> None:
    numbers = [
        box.run("--json", "import", written(name, data)).rows[0]["import"]
        for name, data in (("a.ofx", GOOD), ("b.ofx", PARTLY))
    ]
    assert [row["import"] for row in box.json("imports")] == numbers[::-1]
    assert [row["import"] for row in box.json("imports", "--limit", "1")] == numbers[1:]
    [shown] = box.json("imports", "show", numbers[1])
    assert shown.keys() >= KEYS
    assert len(shown["rejects"]) == 1
    said = box.run("imports", "show", 99)
    assert said.code == 2
    assert "no import 99" in said.err


def test_a_retry_reads_what_was_rejected_once_it_is_stated(box: Box, written: Written) -> None:
    said = box.run("--json", "import", written("m.xml", hours([1, 2], typed=False)))
    number = said.rows[0]["import"]
    assert (said.code, said.rows[0]["rejected"]) == (1, 2)
    stated = ("--set", "unit=Wh", "--set", "quantity=electricity.import")
    [row] = box.json("imports", "retry", number, *stated)
    assert (row["stored"], row["rejected"]) == (2, 0)
    assert {each["resolved_by"] for each in box.json("imports", "show", number)[0]["rejects"]} == {row["import"]}
    assert box.json("import", written("n.xml", hours([3], 2, typed=False)))[0]["stored"] == 1
    assert box.json("sources")[0]["options"] == {"unit": "Wh", "quantity": "electricity.import"}
    assert box.run("imports", "retry", number, "--set", "unit").code == 2


BANK = b'Boekdatum,Naam,Bedrag,Saldo\n03-01-2026,Molen,"-1,50","8,50"\n13-01-2026,Loon,"2,00","10,50"\n'


def test_a_table_is_mended_by_words_and_counts_each_row_once(box: Box, written: Written) -> None:
    layout = {"columns": ["at", "title", "amount", ""], "order": "month first", "decimal": "comma", "unit": "EUR"}
    said = ("--as", "table", "--set", f"layout={json.dumps(layout)}")
    first = box.run("--json", "import", *said, written("bank.csv", BANK))
    assert (first.code, first.rows[0]["stored"], first.rows[0]["rejected"]) == (1, 1, 1)
    assert '--set "column HEADING=..."' in first.err
    mend = ("--set", "order=day first", "--set", "column saldo=memo")
    [row] = box.json("imports", "retry", first.rows[0]["import"], *mend)
    assert (row["read"], row["rejected"]) == (2, 0)
    records = box.json("records")
    assert sorted((each["at"], each["title"], each["amount"]) for each in records) == [
        ("2026-01-03", "Molen", "-1.50"),
        ("2026-01-13", "Loon", "2.00"),
    ]
    [row] = box.json("import", written("next.csv", BANK.replace(b"Molen", b"Bakker")))
    assert (row["format"], row["stored"], row["duplicate"]) == ("table", 1, 1)
    wrong = ("--set", "column nowhere=memo", "--set", "deciml=comma", "--set", "seconds=x")
    refused = box.run("imports", "retry", 1, *wrong)
    assert refused.code == 2
    assert all(word in refused.err for word in ("Boekdatum, Naam, Bedrag, Saldo", "'deciml'", "seconds='x'"))


def test_an_import_goes_into_the_store_that_was_named(box: Box, written: Written) -> None:
    from appliance.config import load
    from appliance.store.database import open_store

    box.run("sources")
    open_store(load(box.data), "ada", make=True).close()
    assert box.json("--store", "Ada", "import", written("a.ofx", GOOD))[0]["store"] == "ada"
    assert box.json("records") == []
    assert len(box.json("--store", "ada", "records")) == 2


def test_local_times_are_in_the_zone_that_is_said_else_in_the_household_s(box: Box, written: Written) -> None:
    box.data.mkdir(parents=True)
    (box.data / "inglenook.toml").write_text('[household]\nzone = "Europe/London"\n')
    box.json("import", written("june.csv", b"time,Total gas used\n2025-06-01 12:00,5\n"))
    box.json("import", "--zone", "Europe/Athens", written("july.csv", b"time,Total gas used\n2025-07-01 12:00,6\n"))
    assert [row["at"] for row in box.json("readings", "gas")] == ["2025-06-01T11:00:00Z", "2025-07-01T09:00:00Z"]


def test_how_the_items_of_a_file_are_read_may_stand_in_a_file_of_its_own(box: Box, written: Written) -> None:
    said = 'items = "data"\nkind = "money.transaction"\n[columns]\nat = "day"\namount = "amount"\n'
    mapping = written("payments.toml", said.encode())
    payments = written("payments.json", b'{"data": [{"day": "2026-03-01", "amount": "-12.50"}, {"day": "soon"}]}')
    done = box.run("--json", "import", payments, "--as", "json_items", "--set", f"mapping=@{mapping}")
    assert [(row["read"], row["stored"], row["rejected"]) for row in done.rows] == [(2, 1, 1)]
    missing = box.run("import", payments, "--as", "json_items", "--set", "mapping=@payments.txt")
    assert "payments.txt: No such file" in missing.err
