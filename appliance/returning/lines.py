"""Files of an export, line by line: what is wrong is said with the file and the line."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from appliance.errors import UserError

LINE_BYTES = 256 << 20

Read = TypeVar("Read")


def read(path: Path, reader: Callable[[Any], Read]) -> Iterator[Read]:
    """What `reader` makes of each JSON object of a file. UserError, with the line, where it raises ValueError."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES + 1):
            number += 1
            try:
                if len(line) > LINE_BYTES:
                    raise ValueError(f"it is longer than {LINE_BYTES >> 20} MB")
                read = reader(json.loads(line, parse_constant=_no_number))
            except (ValueError, RecursionError) as error:
                raise problem(path, number, error) from None
            yield read


def problem(path: Path, line: int, error: Exception) -> UserError:
    """What is wrong in a line."""
    said = "it nests too deep" if isinstance(error, RecursionError) else str(error)
    return UserError(f"{path}: line {line}: {said}; take the export from another copy, nothing was imported")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number")


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """UserError where the rows of a file do not fit those of the others, such as two of one number."""
    try:
        yield
    except OperationalError:
        raise  # the disk is full, or the store is in use: `Store` says so
    except DBAPIError as error:
        said = str(error.orig).splitlines()[0]
        raise UserError(
            f"{path}: its rows do not fit those of the other files ({said}); nothing was imported"
        ) from None
