"""Files on a server: one by its address over HTTP(S), or a folder by WebDAV (Nextcloud, a NAS, a shared disk).

An address that ends in / is a folder. What is new or changed is told by the ETag, or where there is none by size and
time of change, or by the content itself. Nothing is written there or removed; what was removed there stays here.

Source: RFC 9110, sections 8.8 and 13 (validators, conditional requests); RFC 4918 (WebDAV).
"""

import email.utils
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from appliance import web as asking
from appliance.connectors import Fetched, Kept
from appliance.connectors._dav import Resource, Server, ServerOptions
from appliance.errors import SourceError
from appliance.web import Web

TITLE = "File or folder on a server (HTTPS, WebDAV)"
HELP = (
    "The address of one file, or of a WebDAV folder: that ends in /. Nextcloud shows it under Files, Settings: "
    "https://cloud.example/remote.php/dav/files/ann/bank/"
)
RHYTHM_S = 3_600
MOST_FILES = 20_000
MOST_FOLDERS = 2_000
UNFINISHED = (".part", ".crdownload", ".tmp", ".filepart")
_PROPERTIES = ("D:resourcetype", "D:getetag", "D:getlastmodified", "D:getcontentlength")
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_CLOSED = _GONE | {HTTPStatus.FORBIDDEN}


@dataclass(frozen=True)
class Options(ServerOptions):
    """`pattern`: which files of a folder, as in a shell. `below`: whether those in folders in it, too."""

    pattern: str = field(
        default="*", metadata={"title": "Which files", "help": "Of a folder: such as *.csv; * is all."}
    )
    below: str = field(default="yes", metadata={"title": "Folders in it, too", "choices": ("yes", "no")})

    def problems(self) -> list[str]:
        found = super().problems()
        if not self.pattern or self.pattern.startswith("/") or ".." in self.pattern.split("/"):
            found.append(f"pattern={self.pattern!r}: write one such as *.csv")
        if self.below not in ("yes", "no"):
            found.append(f"below={self.below!r}: write yes or no")
        return found


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """Every file that is new or has changed, the oldest first."""
    server = Server(options, web)
    if urlsplit(options.url).path.endswith("/"):
        yield from _folder(options, kept, server)
    else:
        yield from _file(options, kept, server)


# ---- one file ----


def _file(options: Options, kept: Kept, server: Server) -> Iterator[Fetched]:
    url = options.url
    asked = {"If-None-Match": kept.get("etag", ""), "If-Modified-Since": kept.get("changed", "")}
    answer, content = server.web.download(
        url,
        _name(url),
        headers={name: value for name, value in asked.items() if value},
        auth=server.auth,
        accepted=frozenset({HTTPStatus.NOT_MODIFIED, HTTPStatus.FORBIDDEN}),
    )
    with content:
        if answer.url != url and urlsplit(answer.url).path.endswith("/"):
            raise SourceError("this is a folder, and not a file: end its address with /", permanent=True)
        if asking.good(answer, frozenset({HTTPStatus.NOT_MODIFIED})).status == HTTPStatus.NOT_MODIFIED:
            return
        digest = content.sha256()
        now = {
            "etag": answer.headers.get("etag", ""),
            "changed": answer.headers.get("last-modified", ""),
            "sha256": digest,
        }
        is_same = digest == kept.get("sha256")
        yield Fetched(None if is_same else content, now)


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or asking.host(url)


# ---- a folder ----


def _folder(options: Options, kept: Kept, server: Server) -> Iterator[Fetched]:
    seen = {name: list(state) for name, state in kept.get("files", {}).items()}
    found, refused = _files(options, server)
    gone = seen.keys() - {name for name, _ in found}
    for name in gone:
        del seen[name]
    if gone:
        yield Fetched(None, {"files": dict(seen)}, remark=f"{len(gone)} files are gone there, and stay here.")
    if refused:
        names = ", ".join(sorted(refused)[:3])
        yield Fetched(None, {"files": dict(seen)}, remark=f"{len(refused)} folders may not be read, such as {names}.")
    for name, resource in found:
        state = _state(resource)
        if seen.get(name, [])[: len(state)] == state and any(state):
            continue
        answer, content = server.web.download(resource.url, name, auth=server.auth, accepted=_GONE)
        with content:
            if answer.status in _GONE:
                continue  # it was removed meanwhile
            digest = content.sha256()
            is_same = seen.get(name, [])[-1:] == [digest]
            seen[name] = [*state, digest]
            yield Fetched(None if is_same else content, {"files": dict(seen)})


def _state(resource: Resource) -> list[str]:
    """By what a change is told: where there is an ETag, that alone."""
    etag = resource.said("getetag")
    return [etag] if etag else [resource.said("getlastmodified"), resource.said("getcontentlength")]


def _files(options: Options, server: Server) -> tuple[list[tuple[str, Resource]], set[str]]:
    """The files and their names below the folder, the oldest first; and the folders that may not be read."""
    found: list[tuple[datetime, str, Resource]] = []
    waiting, walked, refused = [options.url], set[str](), set[str]()
    while waiting:
        url = waiting.pop()
        walked.add(url)
        if len(walked) > MOST_FOLDERS or len(found) > MOST_FILES:
            raise SourceError(
                f"there are more than {MOST_FILES:,} files or {MOST_FOLDERS:,} folders there; name a folder below it",
                permanent=True,
            )
        inside = server.propfind(url, 1, _PROPERTIES, _CLOSED if url != options.url else frozenset())
        if not inside:
            refused.add(_below(url, options.url) or url)
        for resource in inside:
            name = _below(resource.url, options.url)
            if not name or any(part.startswith(".") for part in name.split("/")):
                continue
            if "collection" in resource.types:
                folder = f"{resource.url.rstrip('/')}/"
                if options.below == "yes" and folder not in walked and folder not in waiting:
                    waiting.append(folder)
            elif PurePosixPath(name).match(options.pattern) and PurePosixPath(name).suffix not in UNFINISHED:
                found.append((_changed(resource), name, resource))
    return [(name, resource) for _, name, resource in sorted(found, key=lambda each: each[:2])], refused


def _below(url: str, folder: str) -> str:
    """The name of what lies below the folder; "" for the folder itself, and for what lies elsewhere."""
    path, base = unquote(urlsplit(url).path), unquote(urlsplit(folder).path)
    name = path.removeprefix(base).strip("/") if asking.is_of(url, folder) and path.startswith(base) else ""
    return "" if ".." in name.split("/") else name


def _changed(resource: Resource) -> datetime:
    try:
        return email.utils.parsedate_to_datetime(resource.said("getlastmodified")).replace(tzinfo=None)
    except ValueError:
        return datetime.min  # before all that say when
