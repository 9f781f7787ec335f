"""What every connector must do. A rig says how one is led to a server of the test's; a new connector adds its own.

What a service's answers come to stands in each connector's own test; here stands how each of them fails.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from appliance import connectors
from appliance.config import options_from
from appliance.connectors import Fetched
from appliance.errors import SourceError, UserError
from appliance.ingest.fetching import LONGEST_RHYTHM_S, SHORTEST_RHYTHM_S
from appliance.web import Web
from tests.web_server import LATER_S, Answered, Server, serving

SECRET = "hunter2-that-nobody-may-read"
_SECRETIVE = ("password", "token", "secret", "key", "passphrase")
_FINAL, _PASSING = ("401", "403"), ("500", "503", "hangs up", "cut in the middle")


@dataclass(frozen=True)
class Rig:
    """What a person says to a connector, and what it kept before; `speaks_http` where it can be led to a web server."""

    said: Mapping[str, str]
    kept: Mapping[str, Any] = field(default_factory=dict)
    speaks_http: bool = True


RIGS: dict[str, Callable[[str], Rig]] = {
    "caldav": lambda address: Rig({"address": address, "user": "ann", "password": SECRET}),
    "carddav": lambda address: Rig({"address": address, "user": "ann", "password": SECRET}),
    "folder": lambda address: Rig({"path": "/nowhere/at/all"}, speaks_http=False),
    "green_button_connect": lambda address: Rig(
        {
            "authorization": f"{address}/authorize",
            "exchange": f"{address}/token",
            "client": "box",
            "client_secret": SECRET,
        },
        {"access": SECRET, "refresh": SECRET, "ends_s": 1 << 40, "resource": f"{address}/espi/Batch/Subscription/1"},
    ),
    "imap": lambda address: Rig(
        {"address": address.removeprefix("http://"), "user": "ann", "password": SECRET, "encryption": "none"},
        speaks_http=False,
    ),
    "json_api": lambda address: Rig(
        {
            "address": f"{address}/payments",
            "token": SECRET,
            "mapping": 'kind = "note"\nitems = "data"\n[columns]\ntitle = "name"',
        }
    ),
    "octopus": lambda address: Rig({"address": address, "account": "A-1234ABCD", "key": SECRET}),
    "simplefin": lambda address: Rig({"token": address.replace("//", f"//ann:{SECRET}@")}),
    "webdav": lambda address: Rig({"address": f"{address}/files/", "user": "ann", "password": SECRET}),
}
"""For each connector: how it is led to the address of a server, such as http://127.0.0.1:1234."""

OVER_HTTP = [name for name, rig in sorted(RIGS.items()) if rig("http://127.0.0.1").speaks_http]


def options(name: str, rig: Rig) -> Any:
    return options_from(connectors.named(name).Options, rig.said, name)


def fetched(name: str, rig: Rig) -> list[Fetched]:
    return list(connectors.named(name).fetch(options(name, rig), rig.kept, Web()))


# ---- of every connector ----


def declares_itself(name: str) -> None:
    module = connectors.named(name)
    assert module.TITLE.strip() == module.TITLE
    assert module.TITLE[:1].isupper()
    assert module.HELP.endswith(".") or "http" in module.HELP.split()[-1]
    assert SHORTEST_RHYTHM_S <= module.RHYTHM_S <= LONGEST_RHYTHM_S


def says_what_it_asks_for(name: str) -> None:
    """Each option has a title for its form, and a default; what is secret is sealed, and not shown by accident."""
    for each in dataclasses.fields(connectors.named(name).Options):
        assert each.default is not dataclasses.MISSING, each.name
        assert each.metadata["title"][:1].isupper(), each.name
        assert not each.metadata.get("choices") or each.default in each.metadata["choices"], each.name
        assert each.metadata.get("help", ".").endswith("."), each.name
        is_secret = any(word in each.name for word in _SECRETIVE)
        assert bool(each.metadata.get("secret")) == is_secret, f"{each.name}: mark it as secret, or call it otherwise"
        assert each.repr != is_secret, f"{each.name}: field(repr=False)"


def refuses_what_says_nothing(name: str) -> None:
    with pytest.raises(UserError):
        connectors.named(name).Options()


def has_a_rig(name: str) -> None:
    assert name in RIGS, f"add {name} to {__name__}.RIGS"


def says_that_nobody_is_there(name: str) -> None:
    with serving(lambda asked: Answered()) as gone:
        address = gone.address
    rig = RIGS[name](address)
    with pytest.raises(SourceError) as raised:
        fetched(name, rig)
    assert not raised.value.permanent, "it may come back"
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(options(name, rig))


# ---- of every one that asks a web server ----


def fails_as_the_server_does(name: str, trouble: str, server: Server) -> None:
    server.trouble = trouble
    with pytest.raises(SourceError) as raised:
        fetched(name, RIGS[name](server.address))
    assert SECRET not in str(raised.value)
    assert server.asked
    if trouble in _FINAL:
        assert raised.value.permanent
    elif trouble.startswith("429"):
        assert not raised.value.permanent
        assert raised.value.retry_after_s == pytest.approx(LATER_S, abs=10)
    elif trouble in _PASSING:
        assert not raised.value.permanent


OF_A_CONNECTOR = (
    declares_itself,
    says_what_it_asks_for,
    refuses_what_says_nothing,
    has_a_rig,
    says_that_nobody_is_there,
)
