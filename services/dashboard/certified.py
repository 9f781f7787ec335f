"""What the dashboard shows a browser as its name: the certificate of the moment, renewed by itself."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from ssl import SSLContext

from appliance.addresses import at_home
from appliance.certificates import Authority

LOOKED_AFTER_S = 60.0
HTTPS_PORT = 443
LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Certified:
    """The certificate in use. It is looked at as connections come, by one thread; its names are read by all.

    It is made anew where the box has other addresses, the clock was set, or it grew old.
    """

    def __init__(
        self,
        authority: Authority,
        addresses: Callable[[], Iterable[str]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        port: int = HTTPS_PORT,
    ) -> None:
        self.authority, self._addresses, self._now, self._port = authority, addresses, now, port
        self._renew(())

    def context(self, address: str) -> SSLContext:
        """What speaks TLS with whoever connected to this address of the box."""
        is_new = not at_home([address]) <= self.certificate.addresses
        if is_new or time.monotonic() - self._looked_at > LOOKED_AFTER_S:
            self._look(address)
        return self._context

    def names(self) -> frozenset[str]:
        """By which a browser may call the box."""
        return self.certificate.addresses | {self.certificate.name}

    def at(self, host: str) -> str:
        """Where the dashboard is by this name or address of the box, without a slash at the end."""
        bracketed = f"[{host}]" if ":" in host else host
        return f"https://{bracketed}" if self._port == HTTPS_PORT else f"https://{bracketed}:{self._port}"

    def numbers(self) -> list[str]:
        """Where it is at this moment for a device that knows no names which end in .local."""
        return [f"{self.at(each)}/" for each in typed(self._addresses())]

    def _look(self, address: str) -> None:
        self._looked_at = time.monotonic()
        if self.certificate.is_due({*self._addresses(), address, *LOOPBACK}, self._now()):
            self._renew([address])

    def _renew(self, more: Iterable[str]) -> None:
        self._looked_at = time.monotonic()
        self.certificate = self.authority.issue({*self._addresses(), *more, *LOOPBACK}, self._now())
        self._context = self.certificate.context()


def typed(addresses: Iterable[str]) -> list[str]:
    """Those addresses that a person at home may type; of IPv6 only where there is no other.

    IPv6 addresses are long, and some change every day. A link-local one opens in no browser.
    """
    found = [each for each in map(ip_address, at_home(addresses)) if not each.is_loopback]
    fours = sorted(each for each in found if isinstance(each, IPv4Address))
    sixes = sorted(each for each in found if isinstance(each, IPv6Address) and not each.is_link_local)
    return [str(each) for each in fours or sixes]


def own_addresses() -> list[str]:
    """Every address that this machine has at present."""
    import ifaddr  # zeroconf's own

    said = (each.ip for adapter in ifaddr.get_adapters() for each in adapter.ips)
    return [each if isinstance(each, str) else each[0] for each in said]
