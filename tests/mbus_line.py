"""An M-Bus with meters on it, as the wires would carry what they say; and the same at the end of a pseudo-terminal."""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.meters._mbus_frames import ACKNOWLEDGED, SELECTED, request, reset
from appliance.meters._mbus_search import ALL
from tests.contracts.links import TerminalRig

PATIENCE_S = 20.0
_HEADER = "CD25 01 04 00 00 0000"  # maker INM, a heat meter
_HEAT = "01 06 7B"  # 123 kWh


class Bus:
    """Meters: number -> primary address. Where two speak at once, what is heard is neither."""

    def __init__(self, meters: dict[str, int], *, echo: bool = False) -> None:
        self._meters, self._echo = {number.ljust(8, "0"): address for number, address in meters.items()}, echo
        self._selected = ""

    def __call__(self, question: bytes) -> bytes:
        said = [self._said(question, number, address) for number, address in self._meters.items()]
        spoken = [each for each in said if each]
        answer = spoken[0] if len(set(spoken)) == 1 else bytes(a | b for a, b in zip(*spoken[:2], strict=False))
        return (question if self._echo else b"") + (answer if spoken else b"")

    def _said(self, question: bytes, number: str, address: int) -> bytes:
        if question[0] == 0x68:
            self._selected = question[10:6:-1].hex().rstrip("f")
            return ACKNOWLEDGED if number.startswith(self._selected) else b""
        to = question[2]
        is_selected = to == SELECTED and number.startswith(self._selected)
        if to not in (address, ALL) and not is_selected:
            return b""
        if question == reset(to):
            return ACKNOWLEDGED
        assert question in (request(to, True), request(to, False))
        return _telegram(number, address)

    @contextmanager
    def on(self, rig: TerminalRig) -> Iterator[None]:
        """Answers at the other end of a serial port; what is not a question is passed over."""
        stop_read, stop_write = os.pipe()

        def answer() -> None:
            heard = b""
            while stop_read not in select.select([rig.meter_end, stop_read], [], [], PATIENCE_S)[0]:
                heard += os.read(rig.meter_end, 1)
                if heard[0] not in (0x10, 0x68):
                    heard = b""
                elif len(heard) == (5 if heard[0] == 0x10 else 17):
                    os.write(rig.meter_end, self(heard))
                    heard = b""

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield
        finally:
            os.write(stop_write, b"\0")
            thread.join(PATIENCE_S)
            os.close(stop_read)
            os.close(stop_write)


def _telegram(number: str, address: int) -> bytes:
    said = bytes.fromhex(number)[::-1] + bytes.fromhex(_HEADER) + bytes.fromhex(_HEAT)
    body = bytes([0x08, address, 0x72]) + said
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16])
