"""A file that a person attaches to a fact is kept with it, in every version, and goes when the last of these does."""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from appliance import archiving, checking, deleting
from appliance.config import Config
from appliance.content import InMemory
from appliance.errors import UserError
from appliance.ingest import attaching, importing, stating
from appliance.kinds import FieldsError, declared
from appliance.store import declared as store_declared
from appliance.store import originals, records
from appliance.store.database import Store
from appliance.store.models import Original, OriginalPart
from tests import photos
from tests.exports import content, exported, returned

READING = "energy.meter_reading"
PLANT = '[kinds."hobby.plant"]\ntitle = "Plant"\n'
LOOK = '[kinds."hobby.plant".fields.look]\ntitle = "Look"\ntype = "photo"\n'


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(store: Store, photo: bytes | None = photos.JPEG, register: str = "4000", at: str = "2019-03-01") -> int:
    said = {"at": at, "register": register, "supply": "water"}
    return stating.add(store, READING, said, "Ada", files={} if photo is None else {"photo": photo}).id


def _kept(store: Store) -> dict[str, bytes]:
    """Every file that the store has."""
    with store.read() as connection:
        return {sha256: originals.read(connection, store.key, sha256) for sha256, _ in originals.all_of(connection)}


def _files(*contents: bytes) -> dict[str, bytes]:
    return {sha256(each): each for each in contents}


@pytest.fixture
def folder(config: Config) -> Path:
    """The store's folder."""
    return config.stores / "home"


@pytest.mark.parametrize("photo", [photos.JPEG, photos.PNG, photos.WEBP, photos.HEIC, photos.photo(1, 3 << 20)])
def test_a_photo_is_kept_whole_and_the_fact_leads_to_it(store: Store, photo: bytes) -> None:
    fact = _read(store, photo)
    with store.read() as connection:
        found = records.one(connection, fact)
    assert found
    assert found.fields["photo"] == sha256(photo)
    assert _kept(store) == _files(photo)
    assert list(checking.problems(store)) == []


def test_a_photo_lies_in_the_store_encrypted(store: Store) -> None:
    photo = photos.photo(1, 5000)
    _read(store, photo)
    with store.read() as connection:
        [sealed] = connection.execute(OriginalPart.__table__.select()).all()
    assert photo[:200] not in sealed.sealed


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GIF89a" + bytes(50), "neither JPEG, PNG, WebP nor HEIC"),
        (photos.PDF, "neither JPEG, PNG, WebP nor HEIC"),
        (b"<html><script>alert(1)</script>", "choose one that is"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(50), "neither"),
        (b"RIFF\0\0\0\0WAVEfmt ", "neither"),
        (b"", "neither"),
        (photos.photo(1, attaching.LARGEST_BYTES + 1), "larger than 15 MB"),
    ],
)
def test_what_is_no_photo_is_refused_beside_all_else_that_is_wrong(store: Store, data: bytes, says: str) -> None:
    with pytest.raises(FieldsError) as raised:
        stating.add(store, READING, {"register": "many"}, "Ada", files={"photo": data})
    assert set(raised.value.of) == {"photo", "register", "at"}
    assert says in raised.value.of["photo"]
    with pytest.raises(FieldsError, match=f"Photo: .*{says}"):
        _read(store, data)
    assert _kept(store) == {}


def test_a_file_for_a_field_that_takes_none_is_refused(store: Store) -> None:
    with pytest.raises(FieldsError, match=r"Notes \(memo\): no file belongs here"):
        stating.add(store, READING, {"at": "2019-03-01", "register": "1"}, "Ada", files={"memo": photos.JPEG})


def test_a_file_is_named_by_its_digest_only_where_the_store_has_it(store: Store) -> None:
    said = {"at": "2019-03-01", "register": "4000", "supply": "water"}
    with pytest.raises(FieldsError, match="the store has no such file; write @ and its path"):
        stating.add(store, READING, said | {"photo": sha256(photos.JPEG)}, "Ada")
    _read(store)
    stating.add(store, READING, said | {"photo": sha256(photos.JPEG)}, "Ada")
    with store.write() as connection:
        csv = originals.keep(connection, store.key, b"a bank's own statement")
    with pytest.raises(FieldsError, match="no such file"):
        stating.add(store, READING, said | {"photo": csv}, "Ada")


def test_a_photo_is_attached_later_replaced_and_left_out_and_every_version_keeps_its_own(store: Store) -> None:
    fact = _read(store, None)
    one, other = photos.photo(1), photos.photo(2)
    stating.correct(store, fact, {}, "Ada", files={"photo": one})
    stating.correct(store, fact, {}, "Ada", "blurred", files={"photo": other})
    with pytest.raises(UserError, match="says so already"):
        stating.correct(store, fact, {}, "Ada", files={"photo": other})
    stating.correct(store, fact, {"photo": ""}, "Ada")
    with store.read() as connection:
        said = [each.fields.get("photo") for each in records.versions(connection, fact)]
    assert said == [None, sha256(one), sha256(other), None]
    assert _kept(store) == _files(one, other)


def test_any_kind_may_have_a_file_and_a_paper_may_be_a_pdf(store: Store) -> None:
    stating.add(store, "document", {"title": "Lease"}, "Ada", files={"file": photos.PDF})
    [plant] = declared(PLANT + LOOK, "plants.toml")
    with store.write() as connection:
        store_declared.keep(connection, plant)
    stating.add(store, "hobby.plant", {"title": "Fern"}, "Ada", files={"look": photos.PNG})
    assert _kept(store) == _files(photos.PDF, photos.PNG)


# ---- deleting ----


def test_a_photo_goes_with_the_last_fact_that_names_it(store: Store, folder: Path) -> None:
    first, second, other = _read(store), _read(store, register="4010", at="2019-04-01"), photos.photo(2)
    stating.correct(store, first, {}, "Ada", files={"photo": other})
    report = deleting.fact(store, folder, first, "Ada")
    assert (report.originals, report.bytes) == (1, len(other))
    assert _kept(store) == _files(photos.JPEG)
    report = deleting.fact(store, folder, second, "Ada")
    assert report.originals == 1
    assert _kept(store) == {}


@pytest.mark.parametrize("delete", [deleting.kind, deleting.source])
def test_photos_go_with_all_facts_of_a_kind_or_what_one_said_oneself(
    store: Store, folder: Path, delete: Callable[..., deleting.Report]
) -> None:
    for number in range(3):
        _read(store, photos.photo(number), register=str(4000 + number), at=f"2019-0{number + 1}-01")
    assert delete(store, folder, READING if delete is deleting.kind else "me", "Ada").originals == 3
    assert _kept(store) == {}


def test_a_photo_stays_while_an_earlier_version_of_another_fact_or_a_withdrawn_one_names_it(
    store: Store, folder: Path
) -> None:
    first, second = _read(store), _read(store, register="4010", at="2019-04-01")
    stating.correct(store, second, {"photo": ""}, "Ada")
    deleting.fact(store, folder, first, "Ada")
    assert _kept(store) == _files(photos.JPEG)
    stating.withdraw(store, second, "Ada", "misread")
    assert _kept(store) == _files(photos.JPEG)
    stating.restore(store, second, "Ada")
    deleting.fact(store, folder, second, "Ada")
    assert _kept(store) == {}


def test_a_photo_stays_for_a_fact_in_an_archive_and_goes_with_it(store: Store, folder: Path) -> None:
    first = _read(store)
    [archived] = filter(None, [archiving.make(store, folder, READING, date(2020, 1, 1))])
    second = _read(store, register="4010", at="2021-04-01")
    deleting.fact(store, folder, second, "Ada")
    assert _kept(store) == _files(photos.JPEG), "the fact in the archive names it"
    archiving.attach(store, folder, archived.archive)
    assert list(checking.problems(store, folder)) == []
    assert archiving.make(store, folder, READING, date(2020, 1, 1))
    assert deleting.fact(store, folder, first, "Ada").originals == 1
    assert _kept(store) == {}


def test_a_photo_that_was_imported_first_stays_for_the_fact_when_the_import_is_deleted(
    store: Store, folder: Path
) -> None:
    report = importing.keep_refused(store, InMemory("meter.jpg", photos.JPEG), "no format that this box knows")
    fact = _read(store)
    deleting.import_(store, folder, report.id, "Ada")
    assert _kept(store) == _files(photos.JPEG)
    deleting.fact(store, folder, fact, "Ada")
    assert _kept(store) == {}


def test_a_photo_stays_though_a_kind_of_one_s_own_is_declared_without_it(store: Store, folder: Path) -> None:
    facts = []
    for declaration in (PLANT + LOOK, PLANT):
        [plant] = declared(declaration, "plants.toml")
        with store.write() as connection:
            store_declared.keep(connection, plant)
        if declaration != PLANT:
            facts = [
                stating.add(store, "hobby.plant", {"title": title}, "Ada", files={"look": photos.JPEG}).id
                for title in ("Fern", "Moss")
            ]
    deleting.fact(store, folder, facts[0], "Ada")
    assert _kept(store) == _files(photos.JPEG)
    deleting.fact(store, folder, facts[1], "Ada")
    assert _kept(store) == {}


# ---- checking, exporting ----


def test_a_photo_that_is_missing_or_another_one_is_told(store: Store) -> None:
    fact = _read(store)
    with store.write() as connection:
        connection.execute(update(Original).values(size=Original.size - 1))
    [said] = checking.problems(store)
    assert sha256(photos.JPEG) in said
    with store.write() as connection:
        connection.execute(delete(OriginalPart))
        connection.execute(delete(Original))
    [said] = checking.problems(store)
    assert f"fact {fact}: its photo, original {sha256(photos.JPEG)}, is missing" in said


def test_a_photo_is_exported_and_comes_back(config: Config, store: Store, tmp_path: Path) -> None:
    fact, old, new = _read(store, None), photos.photo(1, 2 << 20), photos.HEIC
    for each in (old, new):
        stating.correct(store, fact, {}, "Ada", files={"photo": each})
    stating.add(store, "document", {"title": "Lease"}, "Ada", files={"file": photos.PDF})
    first = content(exported(config, store, tmp_path / "1"))
    assert first[f"originals/{sha256(old)}"] == old
    elsewhere = Config(tmp_path / "elsewhere")
    with returned(tmp_path / "1", elsewhere) as there:
        assert _kept(there) == _files(old, new, photos.PDF)
        assert list(checking.problems(there)) == []
        assert content(exported(elsewhere, there, tmp_path / "2")) == first
