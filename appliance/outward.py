"""Which ports the box's firewall lets out beyond the house, in words for whoever names a server behind another one.

The firewall is the image's (etc/nftables.conf of image-build/stage-inglenook/00-system, `of_inglenook`). Where there is
none of ours, as on somebody's own computer, there is nothing to say.
"""

import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from appliance.addresses import at_home

FIREWALL = Path("/etc/inglenook/firewall.d")
PORTS = (22, 80, 143, 443, 465, 587, 993, 8000)
_OF_SCHEMES = {"http": 80, "https": 443, "sftp": 22}


def is_guarded() -> bool:
    """Whether that firewall is here."""
    return FIREWALL.is_dir()


def closed(host: str, port: int) -> str:
    """Why nothing gets to a server that could not be reached, where it is that: a clause. "" where it is not."""
    if port in PORTS or not is_guarded() or not _is_away(host):
        return ""
    listed = f"{', '.join(map(str, PORTS[:-1]))} and {PORTS[-1]}"
    return (
        f"the box's firewall lets nothing out to port {port} beyond your home, but to {listed} alone; have that server "
        "answer at one of these, such as 443, and give its address anew"
    )


def closed_at(address: str) -> str:
    """The same of an address that has a scheme, such as https://cloud.example:8443/files."""
    with suppress(ValueError):
        parts = urlsplit(address)
        port = parts.port or _OF_SCHEMES.get(parts.scheme)
        return closed(parts.hostname, port) if parts.hostname and port else ""
    return ""


def _is_away(host: str) -> bool:
    """Whether one of its addresses is not of a house's; of a name that cannot be found that is not said."""
    try:
        found = {str(each[4][0]).partition("%")[0] for each in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return len(at_home(found)) < len(found)
