"""Files that a command attaches to a fact: FIELD=@PATH, where the field's type is photo or file."""

from collections.abc import Mapping
from pathlib import Path

from appliance.errors import UserError
from appliance.ingest.attaching import LARGEST_BYTES
from appliance.kinds import Kind

AT = "@"


def taken_out(kind: Kind, said: Mapping[str, str]) -> tuple[dict[str, str], dict[str, bytes]]:
    """What is said in words, and the contents of the files that are named. UserError where one cannot be read."""
    paths = {name: said[name][1:] for name in kind.files if said.get(name, "").startswith(AT)}
    files, problems = dict[str, bytes](), list[str]()
    for name, path in paths.items():
        try:
            files[name] = _content(Path(path).expanduser())
        except UserError as error:
            problems += [f"{name}: {problem}" for problem in error.problems]
    if problems:
        raise UserError(problems)
    return {name: value for name, value in said.items() if name not in paths}, files


def _content(path: Path) -> bytes:
    """A file's bytes, and no more of a large one than shows that it is too large."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; write the path of one behind the {AT}")
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
