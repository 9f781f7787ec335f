"""Kinds: what a record is. One file a domain, found by listing this package; each declares `KINDS`.

What a kind and its fields are stands in the modules whose names begin with an underscore, and is used from here.
"""

from appliance.kinds._built_in import domains, every, named
from appliance.kinds._declared import declared, from_declaration
from appliance.kinds._fields import Field, FieldType, is_digest, is_local
from appliance.kinds._kind import (
    COLUMNS,
    FIRST_YEAR,
    LAST_YEAR,
    AmountIs,
    Column,
    DoubtError,
    FieldsError,
    Kind,
    Stated,
)
from appliance.kinds._media import HEAD_BYTES, Media, media_of
from appliance.kinds._meter_points import is_mprn
from appliance.kinds._meter_points import read as meter_point

__all__ = [
    "COLUMNS",
    "FIRST_YEAR",
    "HEAD_BYTES",
    "LAST_YEAR",
    "AmountIs",
    "Column",
    "DoubtError",
    "Field",
    "FieldType",
    "FieldsError",
    "Kind",
    "Media",
    "Stated",
    "declared",
    "domains",
    "every",
    "from_declaration",
    "is_digest",
    "is_local",
    "is_mprn",
    "media_of",
    "meter_point",
    "named",
]
