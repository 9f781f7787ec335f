"""Which addresses are at home."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

_HOME = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 127.0.0.0/8 fc00::/7 fe80::/10 ::1"
AT_HOME = tuple(map(ip_network, _HOME.split()))
"""Private, link-local and loopback: RFC 1918, 3927, 4193, 4291. The last is for the box itself, and for its tests."""


def at_home(addresses: Iterable[str]) -> frozenset[str]:
    """Those that are, without their scope: the box's authority may vouch for them, and its firewall lets all out."""
    found = (ip_address(each.partition("%")[0]) for each in addresses)
    return frozenset(str(each) for each in found if any(each in network for network in AT_HOME))
