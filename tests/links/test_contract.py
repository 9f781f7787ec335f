"""Every link against the contract: it opens, reads, writes, ends, is closed from another thread, and opens again."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from appliance import links
from appliance.errors import SourceError, UserError
from appliance.links import EndedError, Link
from tests.contracts.links import PATIENCE_S, RIGS, Rig, heard


@pytest.fixture(params=links.names())
def name(request: pytest.FixtureRequest) -> str:
    assert request.param in RIGS, f"give {request.param} a rig in tests/contracts/links.py"
    return str(request.param)


@pytest.fixture
def rig(name: str, tmp_path: Path) -> Iterator[Rig]:
    with RIGS[name](tmp_path) as rig:
        yield rig


@pytest.fixture
def link(name: str, rig: Rig) -> Iterator[Link]:
    link = links.named(name).Link(rig.options)
    yield link
    link.close()


def test_has_a_title_and_options_that_say_every_problem(name: str) -> None:
    module = links.named(name)
    assert module.TITLE
    assert all(field.metadata.get("title") for field in fields(module.Options))
    with pytest.raises(UserError) as raised:
        module.Options.from_text("" if name in ("replay", "tcp") else "nonsense,nonsense=nonsense,?")
    assert all(raised.value.problems)


def test_hears_what_the_other_side_says(link: Link, rig: Rig) -> None:
    link.open()
    spoken = rig.speak()
    assert heard(link, len(spoken) or 100).startswith(spoken)


def test_is_harmless_to_close_and_says_so_where_it_is_not_open(link: Link) -> None:
    link.close()
    with pytest.raises(SourceError):
        link.read(0)
    link.close()


def test_opens_again_after_being_closed(link: Link, rig: Rig) -> None:
    link.open()
    link.close()
    if hasattr(rig, "connection"):
        rig.hang_up()
    link.open()
    spoken = rig.speak()
    assert heard(link, len(spoken) or 100)


def test_takes_what_is_written(link: Link) -> None:
    link.open()
    link.write(b"?")


def test_is_closed_from_another_thread_while_it_reads(link: Link, rig: Rig) -> None:
    link.open()
    reading, outcome = threading.Event(), queue.SimpleQueue[object]()

    def read_on() -> None:
        try:
            while True:
                reading.set()
                link.read(PATIENCE_S * 3)
        except (SourceError, EndedError) as end:
            outcome.put(end)

    thread = threading.Thread(target=read_on, daemon=True)
    thread.start()
    assert reading.wait(PATIENCE_S)
    closer = threading.Thread(target=link.close, daemon=True)
    closer.start()
    assert isinstance(outcome.get(timeout=PATIENCE_S), SourceError | EndedError)
    for each in (thread, closer):
        each.join(PATIENCE_S)
        assert not each.is_alive()


def test_says_when_the_other_side_is_gone(name: str, link: Link, rig: Rig) -> None:
    if name == "simulated":
        pytest.skip("the house is in this process")
    link.open()
    spoken = rig.speak()
    assert heard(link, len(spoken)) == spoken
    rig.hang_up()
    with pytest.raises(EndedError if rig.has_end else SourceError):
        link.read(PATIENCE_S)
