"""Trusting the box: its authority's certificate in the form that each device takes, and the steps there.

The formats: DER as `.crt` for Android, Windows and macOS, PEM for Linux and Firefox, and Apple's configuration profile
(a property list with one payload `com.apple.security.root`).
"""

import plistlib
import uuid

from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, Response, abort, current_app, render_template, request

from appliance.certificates import Authority
from services.dashboard import conditions
from services.dashboard.certified import Certified

EXTENSION = "inglenook certified"

pages = Blueprint("trust", __name__)


def certified() -> Certified | None:
    """What this app is known by; None where it speaks plain HTTP to its own machine alone."""
    return current_app.extensions.get(EXTENSION)


def authority() -> Authority:
    """This box's; 404 where there is nothing to trust."""
    found = certified()
    return found.authority if found else abort(404)


@pages.get("/trust")
def page() -> str:
    known_by = certified() or abort(404)
    found = known_by.authority
    groups = found.fingerprint.split(":")
    return render_template(
        "trust/page.html",
        lines=[" ".join(groups[begin : begin + 8]) for begin in range(0, len(groups), 8)],
        title=_title(found),
        name=found.name,
        numbers=known_by.numbers(),
        is_secure=request.is_secure,
        conditions=conditions.of_its_clock(),
    )


@pages.get("/trust/inglenook.crt")
def der() -> Response:
    return _file(authority().certificate.public_bytes(Encoding.DER), "application/x-x509-ca-cert", "inglenook.crt")


@pages.get("/trust/inglenook.pem")
def pem() -> Response:
    return _file(authority().certificate.public_bytes(Encoding.PEM), "application/x-pem-file", "inglenook.pem")


@pages.get("/trust/inglenook.mobileconfig")
def profile() -> Response:
    found = authority()
    payload = _payload(found, "com.apple.security.root", "certificate") | {
        "PayloadCertificateFileName": "inglenook.crt",
        "PayloadContent": found.certificate.public_bytes(Encoding.DER),
    }
    whole = _payload(found, "Configuration", "profile") | {
        "PayloadContent": [payload],
        "PayloadDescription": f"Lets this device trust {found.name}, the box in your home, and nothing else.",
    }
    return _file(plistlib.dumps(whole), "application/x-apple-aspen-config", "inglenook.mobileconfig")


def _payload(found: Authority, kind: str, what: str) -> dict[str, object]:
    """What each part of a profile says of itself; the same certificate has the same identifiers."""
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"home.inglenook.{found.name}.{what}",
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{found.fingerprint} {what}")).upper(),
        "PayloadDisplayName": _title(found),
    }


def _title(found: Authority) -> str:
    """Under which the device lists it."""
    return found.certificate.subject.rfc4514_string().removeprefix("CN=")


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
