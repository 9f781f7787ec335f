"""Who may ask for what: this machine's own names, a signed-in person, a form that this dashboard drew."""

import hashlib
import hmac
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance import people
from appliance.people import Household
from services.dashboard import trust, uploads
from services.dashboard.box import box
from services.dashboard.metrics import is_local

SESSION_COOKIE = "inglenook_session"
BROWSER_COOKIE = "inglenook_browser"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
METRICS = "metrics.text"  # which looks at who asks itself
RESTORING = frozenset({f"restore.{each}" for each in ("page", "begin", "again", "stop", "progress")})
CLAIMING = frozenset({"claim.form", "claim.submit", "static", METRICS}) | RESTORING
TRUSTING = frozenset({"trust.page", "trust.der", "trust.pem", "trust.profile"})
OPEN = CLAIMING | TRUSTING | {"feeds.answer", "signin.form", "signin.submit", "people.join_form", "people.join"}
TOKEN_LENGTHS = range(32, 200)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

HSTS = "max-age=2592000"
"""A browser that trusts the box's certificate does not go by plain HTTP for 30 days, whoever answers there to its name.

It counts nowhere else: browsers heed it for names alone, and only where the certificate is in order. So a device that
does not trust the box yet is not locked out, and after a reset the plain page is reached by the box's address.
"""

EXPIRED = "This page was open for too long, or you signed in elsewhere meanwhile. Go back, load it again and repeat."

UNPRINTABLE = "There is a character in this that cannot be shown. Type it again without."

TRYING = (
    "An update is being tried. Nothing is lost; load this page again in a minute. Where it still says so after half an "
    "hour, unplug the box and plug it in again: it goes back to the version before."
)


def install(app: Flask) -> None:
    """Puts the checks before every request, in this order, and the headers behind every answer."""
    for check in CHECKS:
        app.before_request(check)
    app.after_request(add_headers)
    app.after_request(keep_browser)
    app.teardown_request(uploads.done)


def check_host() -> None:
    """Refuses names that are not this machine's: a page elsewhere could point its own name here (DNS rebinding)."""
    host = request.headers.get("Host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    certified = trust.certified()
    if name not in OWN_NAMES and not (certified and name.strip("[]") in certified.names()):
        abort(400, f"This box answers to {_own_names()} only. Open it by one of those names.")


def wait_for_update() -> None:
    """While a new release is tried nobody writes what would be lost where it is taken back. The box itself looks."""
    if box().places.is_trying() and request.endpoint != "static" and not is_local(request.remote_addr or ""):
        abort(503, TRYING)


def _own_names() -> str:
    certified = trust.certified()
    return f"“{certified.authority.name}” and its addresses at home" if certified else "“localhost” and “127.0.0.1”"


def remember_browser() -> None:
    """Gives a browser that nobody signed in with a secret of its own, from which its forms' tokens derive."""
    said = _cookie(BROWSER_COOKIE)
    known = len(said) in TOKEN_LENGTHS
    g.browser = said if known else secrets.token_urlsafe(32)
    g.browser_is_new = not known
    g.person = None
    g.household = None


def lead_to_claim() -> AnyResponse | None:
    """While nobody has claimed the box there is one page."""
    if request.endpoint == "static":
        return None
    g.household = None if box().bringing.seen().running else _household()  # home may be changing its place
    if g.household is None and request.endpoint not in CLAIMING | TRUSTING:
        return refuse(401, "claim.form")
    return None


def _household() -> Household | None:
    """What was said when the box was claimed; a currency that the configuration names stands over that one."""
    said, configured = people.household(box().stores.home), box().config.currency
    return replace(said, currency=configured) if said and configured else said


def require_person() -> AnyResponse | None:
    """Everything but the way in is for those who live here."""
    token = session_token()
    if g.household is not None and len(token) in TOKEN_LENGTHS:
        g.person = people.signed_in(box().stores.home, token)
    if g.person is None and request.endpoint not in OPEN:
        return refuse(401, "signin.form", next=own_path(request.full_path) if request.method == "GET" else "")
    return None


def refuse(status: int, endpoint: str, **arguments: str) -> AnyResponse:
    """To a person another page, to a script a bare status."""
    if wants_data():
        abort(status, "Sign in first.")
    said: dict[str, Any] = {name: value for name, value in arguments.items() if value not in ("", "/")}
    return redirect(url_for(endpoint, **said), 303)


def wants_data() -> bool:
    """Whether a script asks, and not a person's click."""
    return request.path.startswith("/api/") or request.headers.get("X-Requested-With") == "fetch"


def own_path(said: str) -> str:
    """A path on this box, or "/" where somebody tries to lead a person elsewhere."""
    parts = urlsplit(said)
    safe = said.startswith("/") and not said.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return said.removesuffix("?") if safe and "\\" not in said and said.isprintable() else "/"


def form_token() -> str:
    """What a form must carry back: derived from a cookie that no other site can read."""
    secret = session_token() if g.person else g.browser
    return hmac.new(secret.encode(), b"inglenook form", hashlib.sha256).hexdigest()


def check_form() -> None:
    """Refuses what another site made the browser send."""
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, EXPIRED)
    said = request.headers.get("X-Form-Token") or request.form.get("form_token", "")
    if not hmac.compare_digest(said.encode(), form_token().encode()):
        abort(403, EXPIRED)


def check_text() -> None:
    """Refuses NUL characters, which no form sends and PostgreSQL takes in no text."""
    names = (file.filename or "" for file in request.files.values())
    if any("\0" in said for each in (request.args, request.form) for pair in each.items(multi=True) for said in pair):
        abort(400, UNPRINTABLE)
    if any("\0" in said for said in (request.path, *names)):
        abort(400, UNPRINTABLE)


CHECKS = (
    remember_browser,
    check_host,
    wait_for_update,
    uploads.limit,
    lead_to_claim,
    require_person,
    uploads.admit,
    check_form,
    check_text,
)


def add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = HSTS
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def keep_browser(response: Response) -> Response:
    if g.get("browser_is_new") and request.endpoint != "static":
        _set_cookie(response, BROWSER_COOKIE, g.browser)
    return response


def session_token() -> str:
    """What the browser was given when its person signed in, "" where nobody has."""
    return _cookie(SESSION_COOKIE)


def open_session(response: AnyResponse, token: str) -> AnyResponse:
    _set_cookie(response, SESSION_COOKIE, token)
    return response


def end_session(response: AnyResponse) -> AnyResponse:
    response.delete_cookie(
        _cookie_name(SESSION_COOKIE), httponly=True, samesite="Strict", secure=request.is_secure, path="/"
    )
    return response


def _set_cookie(response: AnyResponse, name: str, value: str) -> None:
    response.set_cookie(_cookie_name(name), value, httponly=True, samesite="Strict", secure=request.is_secure, path="/")


def _cookie(name: str) -> str:
    return request.cookies.get(_cookie_name(name), "")


def _cookie_name(name: str) -> str:
    """By HTTPS it has a prefix that no plain page, and no other host of the home, can set (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{name}" if request.is_secure else name
