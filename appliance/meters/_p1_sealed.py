"""The encrypted P1 port of Luxembourg's Smarty: each telegram in an APDU, general-glo-ciphering (DLMS UA 1000-2).

    DB                      (1) the tag of the APDU
    08 53 41 47 67 ...      (2) the system title, 8 bytes: three letters of the maker, and a number
    82 03 F8                (3) how many bytes (4) to (7) are, in two
    30                      (4) the security control: authenticated and encrypted, suite 0
    00 00 12 34             (5) the frame counter
    ...                     (6) the telegram, AES-128-GCM with the nonce (2)(5) under the customer's key; what is
                                authenticated besides is (4) and the authentication key
    ... 12 bytes            (7) the tag of GCM

The counter is not watched: who can say an old telegram again stands at the meter, and a reading that is there already
is not stored twice.
"""

from collections.abc import Iterator

TITLE_BYTES, COUNTER_BYTES, TAG_BYTES = 8, 4, 12

_BEGINNING = b"\xdb\x08"
_LENGTH_AT, _SECURITY_AT, _COUNTER_AT, _CONTENT_AT = 10, 13, 14, 18
_LENGTH_FORM, SECURITY = 0x82, 0x30
_LEAST_BYTES, _MOST_BYTES = 1 + COUNTER_BYTES + TAG_BYTES, 8192
"""What (3) may say. The longest telegram known has under 5 kB."""

_SLICE_BYTES = 1024


def ends_of(buffer: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Where each APDU in the buffer ends, or will, and where it begins; one may seem to begin in another's content."""
    start = buffer.find(_BEGINNING)
    while 0 <= start <= len(buffer) - _CONTENT_AT:
        length = int.from_bytes(buffer[start + _LENGTH_AT + 1 : start + _SECURITY_AT])
        formed = (buffer[start + _LENGTH_AT], buffer[start + _SECURITY_AT]) == (_LENGTH_FORM, SECURITY)
        if formed and _LEAST_BYTES <= length <= _MOST_BYTES:
            yield start + _SECURITY_AT + length, start
        start = buffer.find(_BEGINNING, start + 1)


class Opening:
    """Takes a stream of APDUs apart. `failed` counts those that the key did not open, `partial` stray pieces."""

    def __init__(self, key: bytes, authentication_key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.algorithms import AES  # only where a port is encrypted

        self.failed = self.partial = 0
        self._algorithm = AES(key)
        self._authenticated = bytes([SECURITY]) + authentication_key
        self._buffer = bytearray()
        self._stray = self._failed_since = False  # since the last APDU that opened

    def feed(self, data: bytes) -> list[bytes]:
        """The telegrams that `data` completes. Keeps no more than the longest APDU and one slice."""
        telegrams: list[bytes] = []
        for first in range(0, len(data), _SLICE_BYTES):
            seen = len(self._buffer)
            self._buffer += data[first : first + _SLICE_BYTES]
            while (found := self._next_sound(seen)) is not None:
                start, end, telegram = found
                self._went_well(start, end)
                telegrams.append(telegram)
                seen = 0
            self._forget()
        return telegrams

    def _next_sound(self, seen: int) -> tuple[int, int, bytes] | None:
        """The first APDU that ends after the first `seen` bytes and opens; counts those before it that do not.

        In the order of their ends, as they come in: what seems to be one and is long holds no other up.
        """
        for end, start in sorted(ends_of(self._buffer)):
            if seen < end <= len(self._buffer):
                telegram = self._opened(bytes(self._buffer[start:end]))
                if telegram is not None:
                    return start, end, telegram
                self.failed += 1
                self._failed_since = True
        return None

    def _opened(self, apdu: bytes) -> bytes | None:
        """The telegram in an APDU; None where the tag says that the key, or a byte, is wrong."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.modes import GCM

        nonce = apdu[2 : 2 + TITLE_BYTES] + apdu[_COUNTER_AT:_CONTENT_AT]
        mode = GCM(nonce, apdu[-TAG_BYTES:], min_tag_length=TAG_BYTES)
        decryptor = Cipher(self._algorithm, mode).decryptor()
        decryptor.authenticate_additional_data(self._authenticated)
        try:
            return decryptor.update(apdu[_CONTENT_AT:-TAG_BYTES]) + decryptor.finalize()
        except InvalidTag:
            return None

    def _went_well(self, start: int, end: int) -> None:
        stray = self._stray or bool(self._buffer[:start].strip())
        self.partial += stray and not self._failed_since
        self._stray = self._failed_since = False
        del self._buffer[:end]

    def _forget(self) -> None:
        """Drops what is before the first APDU that may still end, or may have begun."""
        waited = [start for end, start in ends_of(self._buffer) if end > len(self._buffer)]
        keep_from = max(0, min([len(self._buffer) - _CONTENT_AT + 1, *waited]))
        self._stray = self._stray or bool(self._buffer[:keep_from].strip())
        del self._buffer[:keep_from]
