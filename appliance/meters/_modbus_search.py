"""Which units of a serial line answer as a Modbus device does: each is asked for one voltage.

A device that has no such register refuses, and is there all the same. Any other refusal may be a gateway's, which gives
it for each unit that it does not know.
"""

from collections.abc import Sequence

from appliance.meters._float32 import shortest
from appliance.meters._modbus_frames import RTU, Listening, Question
from appliance.meters._searching import BITS_A_BYTE, Ask, Found, Plan, Search

ANSWER_MS = 300
"""How long a device may think: those that are known take a tenth of it, a slow USB adapter as much again."""

_NEVER = (1, 2, 3)  # exceptions that mean: no such function, address, or count
QUIET_MS, LONGEST_MS = 60, 1_000

_FUNCTION, _ADDRESS, _COUNT = 4, 0, 2  # the first voltage of an Eastron
_FRAME_BYTES = 8 + 9  # the question and its answer


def search(units: Sequence[int], devices: Sequence[str], baudrate: int) -> Search:
    """Asks these units; `devices` are the maps that one may have, the most demanding first."""
    found: list[Found] = []
    return Search(_plan(units, devices, baudrate, found), found)


def _plan(units: Sequence[int], devices: Sequence[str], baudrate: int, found: list[Found]) -> Plan:
    patience_ms = ANSWER_MS + _FRAME_BYTES * BITS_A_BYTE * 1000 // baudrate
    for place, unit in enumerate(units, 1):
        question = Question(unit, _FUNCTION, _ADDRESS, _COUNT)

        def is_whole(said: bytes, question: Question = question) -> bool:
            return Listening(RTU, question).feed(said) is not None

        progress = f"unit {place} of {len(units)}"
        said = yield Ask(RTU.wrapped(question), patience_ms, is_whole, QUIET_MS, LONGEST_MS, progress)
        answer = Listening(RTU, question).feed(said)
        if answer and answer.exception in (0, *_NEVER):
            likely = devices if answer.registers and shortest(answer.registers) else ()
            found.append((f"unit {unit}", tuple({"device": device, "unit_id": unit} for device in likely)))
