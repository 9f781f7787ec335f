"""Somebody at home in front of the appliance, whose browser trusts it, who claims it and looks at its pages."""

import re
from collections.abc import Mapping
from pathlib import Path

import requests

from tests.boxes import CURRENCY, HOUSEHOLD, NAME, PASSWORD, ZONE
from tests.image.machine import PATIENCE_S, Inside, until

METER = """
[dashboard]
https = true
[meters.house]
link = "simulated"
meter = "dsmr"
zone = "Europe/Amsterdam"
simulated = { zone = "Europe/Amsterdam", interval_s = 0.2 }

[collector]
flush_seconds = 0.2
"""
"""The box's configuration, with a meter of a simulated house beside it."""

SCREEN = "/run/issue.d/inglenook.issue"
_CODE = re.compile(r"Claim it with the code:  (\S+)")
_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


class Visitor:
    """One browser, on another machine of the house. It took the box's certificate from the plain port, as phones do."""

    def __init__(self, machine: Inside, folder: Path) -> None:
        self.machine, self.session = machine, requests.Session()
        authority = folder / "inglenook.pem"
        with machine.network(outside=True):
            authority.write_bytes(requests.get(f"{machine.plain}/trust/inglenook.pem", timeout=PATIENCE_S).content)
        self.session.trust_env = False  # this machine may know other authorities
        self.session.verify = str(authority)

    def get(self, path: str) -> requests.Response:
        with self.machine.network(outside=True):
            return self.session.get(f"{self.machine.secure}{path}", timeout=PATIENCE_S)

    def post(
        self, path: str, /, *, on: str = "", files: Mapping[str, tuple[str, bytes]] | None = None, **fields: str
    ) -> requests.Response:
        """Sends the form of a page, which stands at the same path or `on` another; files are (name, content)."""
        found = _TOKEN.search(self.get(on or path).text)
        assert found, f"{on or path} has no form"
        with self.machine.network(outside=True):
            return self.session.post(
                f"{self.machine.secure}{path}",
                {**fields, "form_token": found[1]},
                files=files,
                headers={"Origin": self.machine.secure},
                timeout=PATIENCE_S,
            )

    def claims(self) -> requests.Response:
        """Claims the box with the code that its screen shows."""
        return self.post(
            "/claim",
            code=self.code(),
            household=HOUSEHOLD,
            zone=ZONE,
            currency=CURRENCY,
            name=NAME,
            password=PASSWORD,
            again=PASSWORD,
        )

    def code(self) -> str:
        """What the screen shows of a box that nobody has claimed."""
        until(lambda: _CODE.search(self._screen()), "the code is on the screen")
        found: str = _CODE.findall(self._screen())[-1]
        return found

    def _screen(self) -> str:
        return self.machine.run("cat", SCREEN, check=False)
