"""Whether a value is as a JSON Schema says: of its words, those that the tariff's schema uses."""

import re
from typing import Any

_KNOWN = {
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "type",
    "enum",
    "const",
    "pattern",
    "format",
    "maxLength",
    "minimum",
    "maximum",
    "items",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "additionalProperties",
    "oneOf",
}
_TYPES = {"string": str, "integer": int, "array": list, "object": dict}


def fits(value: object, schema: dict[str, Any], definitions: dict[str, Any] | None = None) -> bool:
    """AssertionError where the schema has a word that this walk does not know."""
    assert schema.keys() <= _KNOWN, schema.keys() - _KNOWN
    definitions = schema.get("$defs", definitions)
    if "$ref" in schema:
        assert definitions is not None
        return fits(value, definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    if "oneOf" in schema:
        return sum(fits(value, each, definitions) for each in schema["oneOf"]) == 1
    if "const" in schema:
        return type(value) is type(schema["const"]) and value == schema["const"]
    if "enum" in schema:
        return value in schema["enum"]
    if not isinstance(value, _TYPES[schema["type"]]) or isinstance(value, bool):
        return False
    if isinstance(value, str):
        return len(value) <= schema.get("maxLength", len(value)) and bool(re.search(schema.get("pattern", ""), value))
    if isinstance(value, int):
        return bool(schema["minimum"] <= value <= schema["maximum"])
    return _all_fit(value, schema, definitions) if isinstance(value, list) else _fields_fit(value, schema, definitions)


def _all_fit(value: list[Any], schema: dict[str, Any], definitions: dict[str, Any] | None) -> bool:
    counted = schema["minItems"] <= len(value) <= schema["maxItems"]
    return counted and all(fits(each, schema["items"], definitions) for each in value)


def _fields_fit(value: object, schema: dict[str, Any], definitions: dict[str, Any] | None) -> bool:
    assert isinstance(value, dict)
    assert schema["additionalProperties"] is False
    known = schema["properties"]
    return (
        value.keys() <= known.keys()
        and set(schema["required"]) <= value.keys()
        and all(fits(each, known[name], definitions) for name, each in value.items())
    )
