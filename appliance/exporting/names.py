"""Names of kinds, sources and roles as names of files, each its own on every file system."""

import hashlib
import re

LONGEST_NAME = 200  # bytes; a file system takes 255, and an ending comes behind it


class Names:
    """The names that were given in a folder: two that a file system takes for one, "Gas" and "gas", are told apart."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, *path: str, ending: str = "") -> str:
        """A file's path, of parts that may hold anything; the same calls in the same order give the same paths."""
        plain = "/".join(map(file_name, path))
        name, number = f"{plain}{ending}", 1
        while name.casefold() in self._given:
            number += 1
            name = f"{plain} ({number}){ending}"
        self._given.add(name.casefold())
        return name


def file_name(name: str) -> str:
    """A name as a file's; what a file system cannot have in one is written as its code, and what is too long cut."""
    plain = re.sub(r"[^\w. @+-]|^\.|[. ]$", lambda found: f"%{ord(found[0]):02X}", name) or "unnamed"
    if len(plain.encode()) <= LONGEST_NAME:
        return plain
    kept = plain.encode()[: LONGEST_NAME - 17].decode(errors="ignore")
    return f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
