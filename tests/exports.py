"""Exports for tests: of one store, brought into another, and compared."""

import json
from pathlib import Path
from typing import Any

from appliance import returning
from appliance.config import Config
from appliance.exporting import MANIFEST, digest, export
from appliance.store.database import HOME, Store, open_store
from appliance.store.keys import KeyRing

# Of all files that are equal in equal stores, the manifest alone says whose and of when the export is.
OWN = ("store", "at")


def exported(config: Config, store: Store, folder: Path) -> Path:
    """The folder, with an export of a store in it."""
    export(store, KeyRing(config.data).folder(store.name), folder)
    return folder


def returned(folder: Path, config: Config, name: str = HOME) -> Store:
    """A new store with an export in it, open."""
    store = open_store(config, name, make=True)
    returning.give_back(store, KeyRing(config.data).folder(name), folder)
    return store


def content(folder: Path) -> dict[str, Any]:
    """What equal stores have equal: each file's bytes, and the manifest without whose and of when it is."""
    files: dict[str, Any] = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    manifest = json.loads(files[MANIFEST])
    return files | {MANIFEST: {name: value for name, value in manifest.items() if name not in OWN}}


def resigned(folder: Path) -> None:
    """Writes the manifest of files that were changed anew, as somebody does who knows how."""
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["files"] = {
        each.relative_to(folder).as_posix(): {"bytes": each.stat().st_size, "sha256": digest(each)}
        for each in sorted(folder.rglob("*"))
        if each.is_file() and each != path
    }
    path.write_text(json.dumps(manifest))
