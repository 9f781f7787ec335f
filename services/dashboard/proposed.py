"""What stands in a new fact’s form before anybody types: what the link that led there proposes, or what was sent."""

from flask import request

from appliance.kinds import Kind


def said(kind: Kind) -> dict[str, str]:
    """By the names of the kind's fields; whatever else a request carries is left alone."""
    return {name: request.values[name] for name in kind.form if name in request.values}
