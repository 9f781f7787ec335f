"""What plain HTTP offers beside HTTPS: the way there, and the certificate to trust first. No cookie, no form."""

from flask import Flask, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from services.dashboard import access, trust
from services.dashboard.certified import Certified

SAFE = frozenset({"GET", "HEAD"})


def make_doorstep(certified: Certified, static_path: str) -> Flask:
    """The app of the plain port; the dashboard's static files are at `static_path`."""
    app = Flask("services.dashboard", static_url_path=static_path)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions[trust.EXTENSION] = certified
    app.register_blueprint(trust.pages)

    @app.before_request
    def lead_on() -> AnyResponse | None:
        if request.method not in SAFE:
            abort(403)  # whoever sends a form by plain HTTP has been led astray: a redirect would send it again
        if request.endpoint == "static" or request.endpoint in access.TRUSTING:
            return None
        if request.path == "/":
            return Response(trust.page())
        return redirect(f"{_origin(certified)}{access.own_path(request.full_path)}", 302)

    @app.context_processor
    def everywhere() -> dict[str, object]:
        return {"form_token": lambda: "", "box_address": f"{_origin(certified)}/"}

    app.after_request(access.add_headers)
    return app


def _origin(certified: Certified) -> str:
    """Where the dashboard is: by the name or address that the browser used, where that is the box's own."""
    said = (request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host).strip("[]")
    return certified.at(said if said in certified.names() else certified.authority.name)
