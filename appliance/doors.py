"""Where the dashboard listens, as the section `[dashboard]` of the configuration says it."""

import re
from dataclasses import dataclass

from appliance.errors import UserError

NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
PORTS = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class Doors:
    """Plain and on this machine alone; or by HTTPS at every address, with a plain port that only leads there."""

    https: bool = False
    name: str = "inglenook.local"
    port: int = 443
    plain_port: int = 80

    def __post_init__(self) -> None:
        problems = [
            f"{name}: {port} is not a port; write a number from 1 to 65535"
            for name, port in (("port", self.port), ("plain_port", self.plain_port))
            if port not in PORTS
        ]
        if self.port == self.plain_port:
            problems.append(f"port and plain_port are both {self.port}; write two numbers, such as 443 and 80")
        if not NAME.fullmatch(self.name):
            problems.append(f"name: {self.name!r} is not a name for a box; write one such as inglenook.local")
        if problems:
            raise UserError(problems)
