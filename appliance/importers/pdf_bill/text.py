"""The text of a PDF, in bounds of work and memory, whatever the file holds.

pypdf reads the file. Before each operator of a page's content, and for each page's bytes, a budget is charged: a small
file can unfold into endless text, forms that draw forms, or one page listed a hundred thousand times.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

from pypdf import PdfReader, apply_configuration
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, StreamObject

from appliance import parsing

MOST_PAGES = 300
MOST_OPERATORS = 100_000
MOST_CONTENT = 3 << 20  # bytes, of all pages, unpacked
MOST_CHARACTERS = 400_000
LONGEST_LINE = 2_000
_LIMITS: dict[str, Any] = {
    "maximum_declared_stream_length": 64 << 20,
    "array_based_stream_maximum_output_length": 4 << 20,
    "array_maximum_element_count": 50_000,
    "dictionary_maximum_element_count": 50_000,
    "lzw_maximum_output_length": 4 << 20,
    "run_length_maximum_output_length": 4 << 20,
    "zlib_maximum_output_length": 8 << 20,
    "zlib_maximum_recovery_input_length": 1 << 20,
    "flate_maximum_columns": 20_000,
    "stream_decoding_work_maximum_length": 16 << 20,
    "stream_parsing_work_maximum_count": 200_000,
    "page_tree_maximum_entries": 5_000,
    "page_tree_maximum_page_entries": 50_000,
    "xform_maximum_invocations_per_extraction": 500,
}
_DATE = re.compile(r"D:([0-9]{8})")

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file is said in the import's report


class UnreadableError(Exception):
    """A PDF gives no text: why, and the next step."""


class _SpentError(Exception):
    """The budget is used up."""


@dataclass(frozen=True)
class Paper:
    """What a PDF says: its text, a line a line; its title and the day it was made, where it states them.

    `left_out` says, for a person, what of it was not read.
    """

    text: str
    pages: int
    title: str = ""
    made: date | None = None
    left_out: list[str] = field(default_factory=list)


class _Budget:
    def __init__(self) -> None:
        self._operators, self._bytes, self.characters = MOST_OPERATORS, MOST_CONTENT, MOST_CHARACTERS

    def page(self, length: int) -> None:
        self._bytes -= length
        self._operators -= 10
        if self._bytes < 0:
            raise _SpentError

    def operator(self, *_: Any) -> None:
        self._operators -= 1
        if self._operators < 0:
            raise _SpentError


def of(data: bytes) -> Paper:
    """The text of a PDF; UnreadableError where there is none."""
    with apply_configuration(**_LIMITS):
        try:
            return _paper(data)
        except (UnreadableError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - a damaged PDF makes pypdf raise nearly anything
            reason = parsing.tidy(str(error))[:200] or type(error).__name__
            raise UnreadableError(
                f"the PDF is damaged ({reason}); fetch it again, or print it to a new PDF and import that"
            ) from None


def _paper(data: bytes) -> Paper:
    reader = PdfReader(BytesIO(data), root_object_recovery_limit=1_000, xref_stream_maximum_entries=200_000)
    if reader.is_encrypted and not _opens(reader):
        raise UnreadableError("the PDF is locked with a password; save it without one, and import that file")
    count = len(reader.pages)
    found, left_out = _texts(reader, min(count, MOST_PAGES))
    if count > MOST_PAGES:
        left_out.append(f"Only the first {MOST_PAGES} of its {count} pages were read.")
    lines = [line[:LONGEST_LINE].rstrip() for line in parsing.lines("\n".join(found)).splitlines()]
    whole = "\n".join(lines).strip("\n")
    if not whole.strip():
        raise UnreadableError(
            "the PDF has no text" + (f" ({left_out[0]})" if left_out else "") + ": it may be a scan; "
            "import one with text, or add what it says by hand"
        )
    return Paper(whole, count, *_stated(reader), left_out)


def _opens(reader: PdfReader) -> bool:
    """Whether it is locked against changes only, and opens with an empty password."""
    try:
        return bool(reader.decrypt(""))
    except (PyPdfError, NotImplementedError, ValueError):
        return False


def _texts(reader: PdfReader, count: int) -> tuple[list[str], list[str]]:
    """The text of each page, and what was left out."""
    budget, found, broken = _Budget(), list[str](), list[str]()
    for number in range(count):
        try:
            page = reader.pages[number]
            budget.page(_length(page.get("/Contents")))
            said = page.extract_text(visitor_operand_before=budget.operator)
        except _SpentError:
            return found, [f"Pages from {number + 1} on were not read: they hold more than a paper does.", *broken]
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one page that is damaged costs no other
            reason = parsing.tidy(str(error))[:200] or type(error).__name__
            broken.append(f"Page {number + 1} could not be read: {reason}.")
            continue
        found.append(said[: budget.characters])
        budget.characters -= len(said)
        if budget.characters < 0:
            return found, [f"Its text after {MOST_CHARACTERS:,} characters was not read.", *broken]
    return found, [*broken[:5], *([f"{len(broken) - 5} more pages could not be read."] if len(broken) > 5 else [])]


def _length(content: Any) -> int:
    """The bytes of a page's content, unpacked: one stream or a list of them."""
    content = content.get_object() if content is not None else None
    if isinstance(content, StreamObject):
        return len(content.get_data())
    return sum(map(_length, content)) if isinstance(content, ArrayObject) else 0


def _stated(reader: PdfReader) -> tuple[str, date | None]:
    """The title, and the day it was made."""
    try:
        said: Mapping[str, Any] = reader.metadata or {}
        title, made = str(said.get("/Title") or ""), _DATE.match(str(said.get("/CreationDate") or ""))
        return parsing.tidy(title)[:200], parsing.compact_day(made[1]) if made else None
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - what it says about itself is no part of its text
        return "", None
