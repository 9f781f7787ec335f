"""A disk as it may be found after a power cut: a model of ext4 as it comes (data=ordered, barriers on).

Names and sizes go through a journal, which is committed in order: of their changes a cut keeps the first so many, and
never one without those before it. A sync of a file or a folder commits the journal at least to the newest change of its
own names or size. So a new file has its name once the file is synced, but a renamed one has its new name only once its
folder is synced (or anything that changed later).

What was written to a file is surely there once the file is synced. Of what was written since, the kernel may have
brought any page to the disk at any moment, and the cut may have torn what the disk was writing: each write is there, is
not, is there up to some sector, or in some sectors of 512 bytes. A sector holds all that was written to it up to some
write, since pages are written as they are. A file may have its new size before its new content: zeros stand there.

Harsher than ext4: a sync commits no more than it must, and nothing that was written to other files. Not modelled: a
disk that lies about a sync, that damages sectors which nobody writes, or that tears a sector.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.power_cut.recording import Entry, What

SECTOR_BYTES = 512

Found = dict[str, bytes | None]  # each path under the folder ("" is itself): a file's content, or None for a folder


@dataclass(eq=False, slots=True)
class Node:
    """A file or a folder, by whatever names: what is surely on the disk, and what was done since."""

    is_folder: bool
    changed: int  # how long the journal must be committed to hold its newest change of name or size
    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[Entry, int]] = field(default_factory=list)  # each with the journal's length after it

    def sync(self) -> None:
        """All that was done is surely on the disk."""
        self.synced = bytearray(self.written())
        self.since.clear()

    def written(self) -> bytes:
        """Its content where no power was cut."""
        content = bytearray(self.synced)
        for entry, _ in self.since:
            _do(content, entry)
        return bytes(content)

    def found(self, random: Random, committed: int) -> bytes:
        """Its content after a cut, with the journal committed that far."""
        disk, cache = bytearray(self.synced), bytearray(self.synced)
        survivors = random.choice((_none, _all, _some, _some))
        for entry, length in self.since:
            _do(cache, entry)
            if entry.what is What.WRITE:
                for sector in survivors(random, entry):
                    _copy_sector(disk, cache, sector)
            elif length <= committed:
                _do(disk, entry)
        if len(disk) < len(cache) and random.random() < 0.5:
            disk.extend(bytes(len(cache) - len(disk)))
        return bytes(disk)


def _do(content: bytearray, entry: Entry) -> None:
    if entry.what is What.RESIZE:
        _resize(content, entry.at)
    else:
        _resize(content, max(len(content), entry.at))
        content[entry.at : entry.at + len(entry.data)] = entry.data


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))


def _copy_sector(disk: bytearray, cache: bytearray, sector: int) -> None:
    begin = sector * SECTOR_BYTES
    part = cache[begin : begin + SECTOR_BYTES]
    _resize(disk, max(len(disk), begin))
    disk[begin : begin + len(part)] = part


def _all(random: Random, entry: Entry) -> Sequence[int]:
    return range(entry.at // SECTOR_BYTES, (entry.at + len(entry.data) - 1) // SECTOR_BYTES + 1)


def _none(random: Random, entry: Entry) -> Sequence[int]:
    return range(0)


def _prefix(random: Random, entry: Entry) -> Sequence[int]:
    whole = _all(random, entry)
    return whole[: random.randint(0, len(whole))]


def _scattered(random: Random, entry: Entry) -> Sequence[int]:
    return [sector for sector in _all(random, entry) if random.random() < 0.5]


def _some(random: Random, entry: Entry) -> Sequence[int]:
    fate: Callable[[Random, Entry], Sequence[int]] = random.choice((_all, _none, _prefix, _scattered))
    return fate(random, entry)


class Disk:
    """What a recorded process has done so far to a folder, and what of it is surely on the disk."""

    def __init__(self, root_inode: int) -> None:
        root = Node(is_folder=True, changed=0)
        self._nodes = {root_inode: root}  # of each inode that was made last: a file system gives numbers again
        self._names, self._sure = {"": root}, {"": root}  # by path: now, and surely on the disk
        self._journal: list[tuple[Entry, Node]] = []
        self._committed = 0  # so much of the journal surely is on the disk

    def do(self, entry: Entry) -> None:
        """The next thing that the process did."""
        if entry.what in (What.CREATE, What.FOLDER):
            self._nodes[entry.inode] = Node(entry.what is What.FOLDER, 0)
        if entry.what is What.MARK:
            return
        node = self._nodes[entry.inode]
        if entry.what is What.SYNC:
            self._sync(node)
            return
        if entry.what is not What.WRITE:
            self._note(entry, node)
        if entry.what in (What.WRITE, What.RESIZE):
            node.since.append((entry, len(self._journal)))

    def _note(self, entry: Entry, node: Node) -> None:
        self._journal.append((entry, node))
        changed = [node]
        if entry.what is not What.RESIZE:
            _rename(self._names, entry, node)
            paths = [entry.path, entry.data.decode()] if entry.what is What.RENAME else [entry.path]
            changed += [self._names[path.rpartition("/")[0]] for path in paths]
        for each in changed:
            each.changed = len(self._journal)

    def _sync(self, node: Node) -> None:
        for entry, named in self._journal[self._committed : node.changed]:
            _rename(self._sure, entry, named)
        self._committed = max(self._committed, node.changed)
        node.sync()

    def sure(self) -> Found:
        """The least that a cut now leaves."""
        return {path: None if node.is_folder else bytes(node.synced) for path, node in self._sure.items()}

    def found(self, random: Random) -> Found:
        """What a cut now may leave."""
        last = len(self._journal)
        committed = random.choice((self._committed, last, random.randint(self._committed, last)))
        names = dict(self._sure)
        for entry, node in self._journal[self._committed : committed]:
            _rename(names, entry, node)
        contents = {node: node.found(random, committed) for node in names.values() if not node.is_folder}
        return {path: contents.get(node) for path, node in names.items()}

    def everything(self) -> Found:
        """The same where no power was cut."""
        return {path: None if node.is_folder else node.written() for path, node in self._names.items()}


def _rename(names: dict[str, Node], entry: Entry, node: Node) -> None:
    if entry.what is What.UNLINK:
        del names[entry.path]
    elif entry.what is not What.RESIZE:
        names[entry.path] = node
    if entry.what is What.RENAME:
        del names[entry.data.decode()]


def lay_out(found: Found, folder: Path) -> None:
    """Makes these files and folders."""
    for path, content in sorted(found.items()):  # a folder comes before what is in it
        if content is None:
            (folder / path).mkdir(mode=0o700)
        else:
            (folder / path).write_bytes(content)
