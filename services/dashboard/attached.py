"""Photos and papers of facts: how they come with a form, and how they are shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flask import Response, g, request
from sqlalchemy import Connection

from appliance.kinds import HEAD_BYTES, Media, is_digest, media_of
from appliance.store import originals
from appliance.store.keys import StoreKey
from appliance.store.records import Stored
from services.dashboard.box import box
from services.dashboard.fields import Input
from services.dashboard.holding import Sent
from services.dashboard.wording import size

HELD = "held"  # the form's field that says which files wait here for it
NONE = ":none"  # behind a field's name: the tick that takes its file out
UNKNOWN = Media("file", "application/octet-stream", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that a fact names, as a page shows it: drawn where a browser can, else offered."""

    sha256: str
    media: Media
    bytes: int


# ---- in ----


def sent(inputs: Iterable[Input]) -> dict[str, Sent]:
    """The files of a form by their fields: those that were chosen, and those that an earlier try left here."""
    names = [each.name for each in inputs if each.accept]
    held = box().holding.of(g.person.id, request.form.get(HELD, ""))
    chosen = {name: found for name in names if (found := _chosen(name))}
    return {name: held[name] for name in names if name in held and f"{name}{NONE}" not in request.form} | chosen


def _chosen(name: str) -> Sent | None:
    for file in request.files.getlist(name):
        if file.filename:
            return Sent(file.filename, file.stream.read())
    return None


def contents(files: Mapping[str, Sent]) -> dict[str, bytes]:
    return {name: file.content for name, file in files.items()}


def taken_out(inputs: Iterable[Input]) -> dict[str, str]:
    """What a form says of files that are to go: an empty text for each."""
    return {each.name: "" for each in inputs if each.accept and f"{each.name}{NONE}" in request.form}


def kept_back(inputs: list[Input], files: Mapping[str, Sent]) -> tuple[list[Input], str]:
    """A form that is sent back, with the files that are well held for it; and by which token."""
    wrong = {each.name for each in inputs if each.problem}
    held = {name: file for name, file in files.items() if name not in wrong}
    if not held:
        return inputs, ""
    words = {name: f"{file.name}, {size(len(file.content))}" for name, file in held.items()}
    return [replace(each, chosen=words.get(each.name, "")) for each in inputs], box().holding.hold(g.person.id, held)


def done() -> None:
    """Lets go of what was held for a form that is through."""
    box().holding.let_go(g.person.id, request.form.get(HELD, ""))


# ---- out ----


def named(records: Iterable[Stored]) -> dict[str, str]:
    """The files that these versions of a fact name: each one's field, by its SHA-256."""
    return {value: name for record in records for name, value in record.fields.items() if is_digest(value)}


def shown(connection: Connection, key: StoreKey, records: Iterable[Stored]) -> dict[str, Shown]:
    """The files that these versions name and the store has, by their SHA-256."""
    found = {}
    for sha256 in named(records):
        length = originals.size(connection, sha256)
        if length is not None:
            head = originals.excerpt(connection, key, sha256, 0, HEAD_BYTES)
            found[sha256] = Shown(sha256, media_of(head) or UNKNOWN, length)
    return found


def answer(content: bytes, name: str) -> Response:
    """A file for a browser: as what its content is, drawn where it is a picture that every browser draws, else handed
    over to be saved.
    """
    media = media_of(content) or UNKNOWN
    response = Response(content, mimetype=media.type)
    disposition = "inline" if media.is_drawn else "attachment"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}{media.ending}"'
    return response
