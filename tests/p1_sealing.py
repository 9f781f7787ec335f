"""What a Luxembourg meter does with a telegram: seals it in an APDU (general-glo-ciphering, AES-128-GCM)."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

KEY = "0123456789ABCDEF0123456789ABCDEF"
AUTHENTICATION_KEY = "00112233445566778899AABBCCDDEEFF"


def sealed(telegram: bytes, counter: int, key: str = KEY) -> bytes:
    """The APDU of a telegram, with that frame counter."""
    title, frame_counter = b"SAGgp\x00\x00\x01", counter.to_bytes(4)
    encryptor = Cipher(AES(bytes.fromhex(key)), GCM(title + frame_counter, min_tag_length=12)).encryptor()
    encryptor.authenticate_additional_data(b"\x30" + bytes.fromhex(AUTHENTICATION_KEY))
    content = encryptor.update(telegram) + encryptor.finalize()
    length = (17 + len(content)).to_bytes(2)
    return b"\xdb\x08" + title + b"\x82" + length + b"\x30" + frame_counter + content + encryptor.tag[:12]
