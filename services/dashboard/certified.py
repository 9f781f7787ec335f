"""What the dashboard shows a browser as its name: the certificate of the moment, renewed by itself."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from ssl import SSLContext

from appliance.certificates import Authority, at_home

LOOKED_AFTER_S = 60.0
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
    ) -> None:
        self.authority, self._addresses, self._now = authority, addresses, now
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

    def _look(self, address: str) -> None:
        self._looked_at = time.monotonic()
        if self.certificate.is_due({*self._addresses(), address, *LOOPBACK}, self._now()):
            self._renew([address])

    def _renew(self, more: Iterable[str]) -> None:
        self._looked_at = time.monotonic()
        self.certificate = self.authority.issue({*self._addresses(), *more, *LOOPBACK}, self._now())
        self._context = self.certificate.context()


def own_addresses() -> list[str]:
    """Every address that this machine has at present."""
    import ifaddr  # zeroconf's own

    said = (each.ip for adapter in ifaddr.get_adapters() for each in adapter.ips)
    return [each if isinstance(each, str) else each[0] for each in said]
