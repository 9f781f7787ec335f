"""Tables that no importer knows, by clicks alone: a bank's file, and a grid operator's, become facts and readings."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from appliance.config import load
from appliance.store import series as series_store
from appliance.store import timeline
from appliance.store.database import open_store
from appliance.store.timeline import Query
from tests import boxes
from tests.corpus import corpus_file

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BANK = (
    "Boekdatum;Tegenpartij;Omschrijving;Bedrag;Saldo\r\n"
    "03-01-2026;Bakkerij De Molen;Brood;-12,50;987,50\r\n"
    "04-01-2026;Werkgever;Loon;1.234,56;2.222,06\r\n"
    "31-02-2026;Niemand;Geen dag;-1,00;2.221,06\r\n"
    "28-01-2026;Bakkerij De Molen;Brood;-12,50;2.209,56\r\n"
)


@pytest.fixture
def page(chromium: "Browser", tmp_path: Path) -> Iterator["Page"]:
    """A browser on a box that was just claimed."""
    with boxes.running(boxes.dashboard(tmp_path / "box")) as box, chromium.new_context() as context:
        page = context.new_page()
        boxes.claim(page, box)
        page.get_by_role("button", name="I have written it down").click()
        page.goto(f"{box.address}/import")
        yield page


def _drop(page: "Page", path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)


def _titles(data: Path) -> list[tuple[str, str]]:
    config = load(data)
    name = next(each for each in config.store_names() if each != "home")
    with open_store(config, name) as store, store.read() as connection:
        return sorted((each.title, str(each.amount)) for each in timeline.matching(connection, Query()))


def test_a_bank_s_table_with_day_first_dates_and_decimal_commas(page: "Page", tmp_path: Path) -> None:
    file = tmp_path / "bank.csv"
    file.write_bytes(BANK.encode("cp1252"))
    _drop(page, file)
    page.get_by_role("link", name="Say what its columns are").click()
    expect(page.get_by_label("What Bedrag is")).to_have_value("amount")
    expect(page.get_by_label("A date is written")).to_have_value("day first")
    expect(page.get_by_text("3 rows of 4 can be read")).to_be_visible()
    expect(page.get_by_text("1 row would be rejected")).to_be_visible()
    expect(page.get_by_text("31-02-2026").last).to_be_visible()
    assert _titles(tmp_path / "box") == [], "nothing is stored before somebody says so"
    page.get_by_role("button", name="It is right: read it").click()
    expect(page.get_by_text("3 stored, 1 could not be read")).to_be_visible()
    assert _titles(tmp_path / "box") == [("Brood", "-12.50"), ("Brood", "-12.50"), ("Loon", "1234.56")]
    page.get_by_role("link", name="Mend its columns").click()
    page.get_by_label("What Omschrijving is").select_option("memo")
    page.get_by_role("button", name="See what comes of it").click()
    page.get_by_role("button", name="It is right: read it").click()
    expect(page.get_by_text("1 could not be read")).to_be_visible()
    bakery = [("Bakkerij De Molen", "-12.50")] * 2
    assert _titles(tmp_path / "box") == [*bakery, ("Werkgever", "1234.56")], "what was read wrongly is taken back"
    page.goto(page.url.partition("/import")[0] + "/import")
    later = tmp_path / "february.csv"
    later.write_text(BANK.splitlines()[0] + "\n05-02-2026;Elm;Kaas;-3,00;1,00\n")
    _drop(page, later)
    expect(page.get_by_text("All of it is stored").first).to_be_visible()
    assert ("Elm", "-3.00") in _titles(tmp_path / "box"), "its heading is known by now"


def test_a_grid_operator_s_quarter_hours(page: "Page", tmp_path: Path) -> None:
    """Fluvius' own file, of which the box knows what it is, and a person says all the same what its columns are."""
    file = corpus_file("energy/fluvius-quarter-hours.csv")
    stated = [row.split(";") for row in file.read_text(encoding="utf-8-sig").splitlines()[1:]]
    values = [Decimal(row[8].replace(",", ".")) for row in stated if row[8]]
    _drop(page, file)
    page.get_by_role("link", name="Read it as a table instead").click()
    expect(page.get_by_label("What Van datum is")).to_have_value("at")
    expect(page.get_by_label("Its rows are")).to_have_value("readings")
    page.get_by_label("Time zone of its times").fill("Europe/Brussels")
    page.get_by_role("button", name="See what comes of it").click()
    expect(page.get_by_text(f"{len(values):,} rows of {len(stated):,} can be read")).to_be_visible()
    page.get_by_role("button", name="It is right: read it").click()
    expect(page.get_by_role("link", name="Mend its columns")).to_be_visible()
    assert _readings(tmp_path / "box") == {file.stem: (len(values), sum(values))}
    page.get_by_role("button", name="Read it as that").click()
    expect(page.get_by_role("link", name="Read it as a table instead")).to_be_visible()
    [(source, read)] = _readings(tmp_path / "box").items()
    assert source.startswith("fluvius ")
    assert read == (len(values), sum(values)), "nothing counts twice"


def _readings(data: Path) -> dict[str, tuple[int, Decimal]]:
    """How many readings stand of each source, and their sum."""
    found: dict[str, tuple[int, Decimal]] = {}
    with open_store(load(data), _person(data)) as store, store.read() as connection:
        for each in series_store.every(connection):
            read = series_store.read_all(connection, each, 0, 1 << 50)
            count, total = found.get(each.source, (0, Decimal(0)))
            if len(read):
                found[each.source] = count + len(read), total + Decimal(int(read.values.sum())).scaleb(each.exponent)
    return found


def _person(data: Path) -> str:
    return next(each for each in load(data).store_names() if each != "home")
