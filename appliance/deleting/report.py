"""What a deletion did, without a word of what was deleted."""

from dataclasses import asdict, dataclass, field
from typing import Any

NO_COPIES = (
    "backups: what lies where this box backed up to stays, and the recovery kit opens it; that, and copies that you "
    "made yourself (an export, a copied disk), are yours to delete",
    "recipients: nothing was disclosed to anybody by this box",
)
ON_THE_DISK = (
    "the disk: a card or an SSD may keep old blocks for a while; without the key, which is destroyed, they are noise"
)


@dataclass(slots=True)
class Report:
    """What was deleted, and in `left` what could not be and why. `bytes` are those of files that came, or of a store.

    `deleted` says which (as in "fact 12"): a number or a kind, never a name. `cleared`: nothing of it is in free pages
    of the database.
    """

    deleted: str
    why: str = ""
    facts: int = 0
    versions: int = 0
    readings: int = 0
    sources: int = 0
    imports: int = 0
    originals: int = 0
    bytes: int = 0
    files: int = 0
    cleared: bool = True
    left: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def words(self) -> str:
        """As in 2 facts in 3 versions, 1 original, 812 bytes."""
        named = ("readings", "sources", "imports", "originals", "files", "bytes")
        counted = [_counted(getattr(self, name), name[:-1]) for name in named if getattr(self, name)]
        facts = [f"{_counted(self.facts, 'fact')} in {_counted(self.versions, 'version')}"] if self.facts else []
        return ", ".join([*facts, *counted]) or "nothing was there"


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"
