"""Somebody in front of the appliance, who claims it and looks at its pages as a browser would."""

import re

import requests

from tests.boxes import CLAIM_LINE, CURRENCY, HOUSEHOLD, NAME, PASSWORD, ZONE
from tests.image.machine import PATIENCE_S, Machine

ADDRESS = "http://127.0.0.1:8000"
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class Visitor:
    """One browser. It sits on the box itself, which is where the dashboard is open to while it speaks plainly."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.session = machine, requests.Session()

    def get(self, path: str) -> requests.Response:
        with self.machine.network():
            return self.session.get(f"{ADDRESS}{path}", timeout=PATIENCE_S)

    def post(self, path: str, **fields: str) -> requests.Response:
        """Sends the form of a page."""
        found = _TOKEN.search(self.get(path).text)
        assert found, f"{path} has no form"
        with self.machine.network():
            return self.session.post(f"{ADDRESS}{path}", {**fields, "form_token": found[1]}, timeout=PATIENCE_S)

    def claims(self) -> requests.Response:
        """Claims the box with the code that it says in its journal."""
        code = CLAIM_LINE.findall(self.machine.journal("inglenook-dashboard"))[-1]
        said = {"code": code, "household": HOUSEHOLD, "zone": ZONE, "currency": CURRENCY, "name": NAME}
        return self.post("/claim", **said, password=PASSWORD, again=PASSWORD)
