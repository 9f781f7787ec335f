"""XML read forward in bounded memory, each element with its bytes and its line, and nothing in it trusted.

`elements` gives what matters as small trees, `rows` as flat values, which is three times as fast and goes on behind
what is broken; a reader with handlers of its own is a `Document`.
"""

from appliance.markup._document import BrokenError, Document, LocalNames, root
from appliance.markup._elements import MOST_DEPTH, MOST_NODES, Element, elements
from appliance.markup._rows import Begun, Broken, Ended, Part, Row, Values, rows

__all__ = [
    "MOST_DEPTH",
    "MOST_NODES",
    "Begun",
    "Broken",
    "BrokenError",
    "Document",
    "Element",
    "Ended",
    "LocalNames",
    "Part",
    "Row",
    "Values",
    "elements",
    "root",
    "rows",
]
