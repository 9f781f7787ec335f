"""Photos and papers in marts: they come along only where files were asked for, follow their facts, and go with them."""

from pathlib import Path

import pytest

from appliance import checking, deleting, marts
from appliance.config import Config
from appliance.ingest import stating
from appliance.kinds import declared as kinds_declared
from appliance.marts import Brought
from appliance.marts.selection import MONTH, Selection
from appliance.store import declared, originals, timeline
from appliance.store.database import Store, open_store
from appliance.store.timeline import Query
from tests import photos

DOCUMENTS = Selection(kinds=("document",))
ALL = Selection(kinds=("document", "hobby"), with_originals=True)
PLANT = '[kinds."hobby.plant"]\ntitle = "Plant"\n[kinds."hobby.plant".fields.look]\ntitle = "Look"\ntype = "photo"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stick" / "papers"


def _lease(store: Store) -> int:
    return stating.add(store, "document", {"title": "Lease"}, "Ada", files={"file": photos.PDF}).id


def _in_mart(folder: Path) -> tuple[list[bytes], list[str]]:
    """The files that a mart has, and the facts that name one."""
    with open_store(Config(folder)) as own:
        assert list(checking.problems(own)) == []
        with own.read() as connection:
            kept = [originals.read(connection, own.key, sha256) for sha256, _ in originals.all_of(connection)]
            facts = list(timeline.matching(connection, Query()))
    return sorted(kept), sorted(each.title for each in facts if {"file", "look"} & each.fields.keys())


def _refresh(config: Config, store: Store) -> Brought:
    return marts.refresh(config, store, "papers").facts


@pytest.mark.parametrize(
    "selection",
    [
        DOCUMENTS,
        Selection(kinds=("document",), fields=("title", "file")),
        Selection(kinds=("document",), fields=("title", "file"), granularity=MONTH),
    ],
)
def test_a_paper_stays_at_home_where_files_were_not_asked_for(
    config: Config, store: Store, folder: Path, selection: Selection
) -> None:
    _lease(store)
    assert marts.make(config, store, "papers", folder, selection, frozen=False).facts.added == 1
    assert _in_mart(folder) == ([], [])


def test_a_paper_comes_along_is_replaced_and_goes_with_its_fact(config: Config, store: Store, folder: Path) -> None:
    lease = _lease(store)
    marts.make(config, store, "papers", folder, ALL, frozen=False)
    assert _in_mart(folder) == ([photos.PDF], ["Lease"])
    [plant] = kinds_declared(PLANT, "plants.toml")
    with store.write() as connection:
        declared.keep(connection, plant)
    fern = stating.add(store, "hobby.plant", {"title": "Fern"}, "Ada", files={"look": photos.PNG}).id
    stating.correct(store, lease, {}, "Ada", files={"file": photos.JPEG})
    assert _refresh(config, store) == Brought(added=1, corrected=1)
    assert _in_mart(folder) == (sorted([photos.PDF, photos.PNG, photos.JPEG]), ["Fern", "Lease"])
    assert _refresh(config, store) == Brought()
    deleting.fact(store, config.stores / "home", lease, "Ada")
    _refresh(config, store)
    assert _in_mart(folder) == ([photos.PNG], ["Fern"])
    deleting.fact(store, config.stores / "home", fern, "Ada")
    _refresh(config, store)
    assert _in_mart(folder) == ([], [])
