"""The disks that are plugged in: where else on this machine a page reads or writes nothing that a person names."""

from pathlib import Path

FOLDERS = ("/media", "/mnt", "/run/media", "/srv")
"""Where disks appear."""

ELSEWHERE = f"Name a folder in one of {', '.join(FOLDERS)}: that is where disks are plugged in."


def holds(where: str) -> bool:
    """Whether a whole path leads to a place in one of these folders, whatever links and `..` are in it."""
    if not where.startswith("/") or not where.isprintable():
        return False
    above = Path(where).resolve().parents
    return any(Path(folder) in above for folder in FOLDERS)


def plugged_in() -> list[str]:
    """The disks that are there, by the folders in which they appear."""
    folders = (path for each in FOLDERS for pattern in ("*", "*/*") for path in Path(each).glob(pattern))
    return sorted(str(path) for path in folders if path.is_mount())
