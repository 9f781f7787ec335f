"""Which meters hang on an M-Bus: every primary address is asked, then the meters' own numbers (EN 13757-2 and -3).

    10 40 05 45 16          is a meter at address 5?     E5: yes
    10 7B 05 80 16          what does it say?            its telegram; noise, where two have the same address

A meter at an address that was not asked answers at 254, the address of all: with its own, where it is the only one. Of
several at one address, the number tells them apart: all of those whose number begins with a digit are selected (F
stands for any), and where more than one answers at once, those with one digit more.

    68 0B 0B 68 53 FD 52 FF FF FF 1F FF FF FF FF .. 16       all whose number begins with 1
"""

from collections.abc import Callable, Generator, Sequence

from appliance.meters._mbus_frames import ACKNOWLEDGED, SELECTED, Listening, Long, request, reset, select
from appliance.meters._searching import BITS_A_BYTE, Ask, Found, Plan, Search

ALL, _HIGHEST = 0xFE, 250
MOST_SELECTIONS = 150
"""So many selections are asked at most: enough to tell five meters apart, a minute at 2400 baud."""

_ANSWER_BITS, _ANSWER_MS = 330, 50  # within which a meter begins to answer (EN 13757-2)
_MARGIN_MS = 120  # of the converter, and of a USB adapter
_QUIET_BITS, _QUIET_MS = 33, 60
_LONGEST_BYTES, _LONGEST_MS = 261, 500
_DIGITS, _ANY = 8, "F"
_ACKNOWLEDGED_BYTES = 8  # what several meters that acknowledge at once may sound like; more is noise

_Heard = Generator[Ask, bytes, Long | None]


def search(addresses: Sequence[int], baudrate: int) -> Search:
    """Asks these primary addresses, and then, where that does not tell all meters apart, for their numbers."""
    found: list[Found] = []
    return Search(_plan(addresses, _Asking(baudrate), found), found)


class _Asking:
    """The questions of a line, each with the patience that its speed asks for, and what came of them.

    `heard`: something answered; `garbled`: an answer was none; `numbers`: the meters whose telegram came.
    """

    def __init__(self, baudrate: int) -> None:
        self.heard = self.garbled = False
        self.numbers = set[str]()
        self.selections = 0
        self._baudrate = baudrate

    def is_there(self, question: bytes, progress: str) -> Generator[Ask, bytes, bool]:
        """Whether any meter acknowledges; several that do so at once may sound like none of them."""
        said = _without_echo(question, (yield self._ask(question, _is_acknowledged(question), progress)))
        is_there = 0 < len(said) <= _ACKNOWLEDGED_BYTES
        self.heard = self.heard or is_there
        return is_there

    def telegram(self, address: int, progress: str) -> _Heard:
        """What the meter says; None where it says nothing, or more than one do."""
        question = request(address, toggle=True)
        said = yield self._ask(question, lambda data: _long(question, data) is not None, progress)
        found = _long(question, said)
        self.garbled = self.garbled or (found is None and bool(_without_echo(question, said)))
        return found

    def _ask(self, question: bytes, is_whole: Callable[[bytes], bool], progress: str) -> Ask:
        patience_ms = _ANSWER_MS + _MARGIN_MS + self._bits_ms(_ANSWER_BITS + len(question) * BITS_A_BYTE)
        longest_ms = _LONGEST_MS + self._bits_ms(_LONGEST_BYTES * BITS_A_BYTE)
        return Ask(question, patience_ms, is_whole, _QUIET_MS + self._bits_ms(_QUIET_BITS), longest_ms, progress)

    def _bits_ms(self, bits: int) -> int:
        return bits * 1000 // self._baudrate


def _plan(addresses: Sequence[int], asking: _Asking, found: list[Found]) -> Plan:
    for place, address in enumerate(addresses, 1):
        progress = f"address {place} of {len(addresses)}"
        if (yield from asking.is_there(reset(address), progress)):
            said = yield from asking.telegram(address, progress)
            if said and said.address == address:
                asking.numbers.add(said.number)
                found.append(_at(address))
    if not found and (yield from asking.is_there(reset(ALL), "all addresses at once")):
        said = yield from asking.telegram(ALL, "all addresses at once")
        if said and said.address <= _HIGHEST:
            found.append(_at(said.address))
            return
    if asking.garbled or (asking.heard and not found):
        yield from _by_number("", asking, found)


def _by_number(prefix: str, asking: _Asking, found: list[Found]) -> Plan:
    """Selects all meters whose number begins so, and reads the one that there is, or tells several apart."""
    for digit in "0123456789":
        begun = prefix + digit
        asking.selections += 1
        if asking.selections > MOST_SELECTIONS:
            return
        progress = f"numbers that begin with {begun}"
        if not (yield from asking.is_there(select(begun.ljust(_DIGITS, _ANY)), progress)):
            continue
        said = yield from asking.telegram(SELECTED, progress)
        if said and said.number.startswith(begun) and said.number.isdecimal():
            if said.number not in asking.numbers:
                found.append((f"number {said.number}", ({"number": said.number},)))
        elif len(begun) < _DIGITS:
            yield from _by_number(begun, asking, found)


def _at(address: int) -> Found:
    return f"address {address}", ({"address": address},)


def _is_acknowledged(question: bytes) -> Callable[[bytes], bool]:
    """Whether an acknowledgement has come, or so much that it is none."""

    def is_whole(data: bytes) -> bool:
        said = _without_echo(question, data)
        return said[:1] == ACKNOWLEDGED or len(said) > _ACKNOWLEDGED_BYTES

    return is_whole


def _long(question: bytes, data: bytes) -> Long | None:
    return Listening().long(_without_echo(question, data))


def _without_echo(question: bytes, data: bytes) -> bytes:
    """What came beside the question itself, which some converters give back."""
    return data.removeprefix(question) if not question.startswith(data) else b""
