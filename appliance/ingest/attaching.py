"""Files that a person attaches to what they say: kept as originals, and named by the fact with their SHA-256."""

import hashlib
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from appliance.kinds import HEAD_BYTES, Field, FieldsError, Kind, Stated, media_of
from appliance.store import originals
from appliance.store.keys import StoreKey

LARGEST_BYTES = 15 << 20

Files = Mapping[str, bytes]  # their contents, by the names of the fields that are to name them


def stated(kind: Kind, said: Mapping[str, str], files: Files, read: Callable[[Mapping[str, str]], Stated]) -> Stated:
    """What a person said of a kind, as `read` makes it, each file by its SHA-256.

    FieldsError with all that is wrong, files that are too large or of another format included.
    """
    wrong = {name: problem for name, data in files.items() if (problem := _problem(kind.fields.get(name), data))}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    try:
        found = read({**said, **digests})
    except FieldsError as error:
        raise FieldsError(error.of | wrong, [*error.problems, *kind.told(wrong)]) from None
    if wrong:
        raise FieldsError(wrong, kind.told(wrong))
    return found


def keep(connection: Connection, key: StoreKey, kind: Kind, fields: Mapping[str, str], files: Files) -> None:
    """Keeps the files of a fact. FieldsError where a field names one that was not handed over and is not here."""
    wrong = {
        name: "the store has no such file; write @ and its path, such as @meter.jpg"
        for name, field in kind.files.items()
        if fields.get(name) and name not in files and not _is_there(connection, key, field, fields[name])
    }
    if wrong:
        raise FieldsError(wrong, kind.told(wrong))
    for data in files.values():
        originals.keep(connection, key, data)


def _problem(field: Field | None, data: bytes) -> str:
    """What is wrong with a file, "" where nothing is."""
    if field is None or not field.type.media:
        return "no file belongs here; write it as a text"
    if len(data) > LARGEST_BYTES:
        return f"the file is larger than {LARGEST_BYTES >> 20} MB, which is the most that is kept; choose a smaller one"
    if media_of(data) not in field.type.media:
        *first, last = (media.title for media in field.type.media)
        return f"the file is neither {', '.join(first)} nor {last}; choose one that is, or save it as JPEG first"
    return ""


def _is_there(connection: Connection, key: StoreKey, field: Field, sha256: str) -> bool:
    """Whether the store has an original that this field may name."""
    if originals.size(connection, sha256) is None:
        return False
    return media_of(originals.excerpt(connection, key, sha256, 0, HEAD_BYTES)) in field.type.media
