"""ZIP archives: each file in one is imported as a file of its own, read where it lies and never unpacked to a disk."""

import zipfile
import zlib
from collections.abc import Iterator

from appliance.content import PIECE_BYTES, WHOLE_BYTES, Content, InMemory
from appliance.errors import UserError

MOST_FILES = 100_000
MOST_TIMES_SMALLER = 500  # deflate makes text 5 to 100 times smaller; a bomb's, 1,000 times
_MARK = b"PK\x03\x04"
_EMPTY_MARK = b"PK\x05\x06"
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class Member(Content):
    """One file of an archive, unpacked as it is read."""

    def __init__(self, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        super().__init__(name, info.file_size)
        self._archive, self._info = archive, info

    def pieces(self) -> Iterator[bytes]:
        try:
            if self.size > WHOLE_BYTES and self.size > MOST_TIMES_SMALLER * self._info.compress_size:
                raise UserError(f"{self.name}: it is packed too small to be a real file; nothing of it was read")
            with self._archive.open(self._info) as file:
                left = self.size
                while left > 0 and (piece := file.read(min(PIECE_BYTES, left))):
                    left -= len(piece)
                    yield piece
            if left:
                raise EOFError("it ends before its length")
        except _UNREADABLE as error:
            raise UserError(f"{self.name}: {_why(error)}; fetch the archive again from the supplier") from None


def is_archive(content: Content) -> bool:
    """Whether a content is a ZIP archive, by its first bytes."""
    return content.head(len(_MARK)) in (_MARK, _EMPTY_MARK)


def members(content: Content) -> Iterator[Content]:
    """The files in an archive, those of a small archive within it too; UserError where it is damaged or has too many.

    One that lies in an archive is called ARCHIVE/FILE.
    """
    yield from _members(content, is_within=False)


def _members(content: Content, *, is_within: bool) -> Iterator[Content]:
    with content.opened() as file:
        try:
            archive = zipfile.ZipFile(file)
        except _UNREADABLE as error:
            raise UserError(f"{content.name}: {_why(error)}; fetch the archive again from the supplier") from None
        with archive:
            infos = [each for each in archive.infolist() if not each.is_dir() and not _is_hidden(each.filename)]
            if len(infos) > MOST_FILES:
                raise UserError(f"{content.name}: it holds more than {MOST_FILES:,} files; import a folder at a time")
            for info in infos:
                member = Member(f"{content.name}/{_shown(info.filename)}", archive, info)
                if not is_within and info.file_size <= WHOLE_BYTES and _is_archive(member):
                    yield from _members(InMemory(member.name, bytes(member.whole())), is_within=True)
                else:
                    yield member


def _is_archive(member: Member) -> bool:
    try:
        return is_archive(member)
    except UserError:  # it is told when it is read
        return False


def _is_hidden(name: str) -> bool:
    """What macOS and others put beside the files."""
    return any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in name.split("/"))


def _shown(name: str) -> str:
    """A name as it is shown; it is never a path of this machine."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in name)[:500]


def _why(error: Exception) -> str:
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "it is locked with a password; unpack it and import what is in it"
    if isinstance(error, NotImplementedError):
        return "it is packed in a way that is not read here; unpack it and import what is in it"
    return f"it is damaged ({error})"
