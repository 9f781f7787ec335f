"""Tables for people: as wide as the terminal, with no word broken."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RIGHT = frozenset(
    {"amount", "value", "count", "read", "stored", "duplicate", "rejected", "id"}
    | {"used", "used_before", "quantity", "missing", "estimated", "unpriced"}
)
"""Columns of numbers."""

BETWEEN = 2
PIPED = 160  # columns, where what is printed goes to a file or another program
LONGEST_WORD = 44  # of one that is longer, such as a digest, a part may go to the next line


def print_table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Rows under the headings of their columns (key -> heading); numbers are aligned. A cell may have several lines."""
    from rich.console import Console
    from rich.table import Table

    cells = [[_cell(row.get(key)) for key in columns] for row in rows]
    room = shutil.get_terminal_size((PIPED, 24)).columns
    widths = _widths(list(zip(columns.values(), *cells, strict=True)), room)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, BETWEEN, 0, 0))
    for (key, heading), width in zip(columns.items(), widths, strict=True):
        table.add_column(heading, justify="right" if key in RIGHT else "left", overflow="fold", width=width)
    for row in cells:
        table.add_row(*row)
    console = Console(width=max(room, sum(widths) + BETWEEN * len(widths)), highlight=False, markup=False)
    console.print(table)


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide each column is: as its longest line, and where there is no room for that, the widest ones less, down to
    their longest words.
    """
    from rich.cells import cell_len

    widths = [max(cell_len(line) for cell in each for line in cell.split("\n")) for each in columns]
    least = [min(LONGEST_WORD, max(cell_len(word) for cell in each for word in cell.split(" "))) for each in columns]
    over = sum(widths) + BETWEEN * (len(widths) - 1) - room
    while over > 0 and (wide := [number for number, width in enumerate(widths) if width > least[number]]):
        widest = max(wide, key=widths.__getitem__)
        widths[widest] -= 1
        over -= 1
    return widths


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {each}" for name, each in value.items())
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
