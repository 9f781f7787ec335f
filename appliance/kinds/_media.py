"""What a file is, by its first bytes, whatever its name says: the few formats that a person attaches to a fact."""

from dataclasses import dataclass

HEAD_BYTES = 64
"""So much of a file tells what it is."""


@dataclass(frozen=True, slots=True)
class Media:
    """A format: what people call it, its media type, how a file's name ends, and whether every browser draws it."""

    title: str
    type: str
    ending: str
    is_drawn: bool = False


JPEG = Media("JPEG", "image/jpeg", ".jpg", is_drawn=True)
PNG = Media("PNG", "image/png", ".png", is_drawn=True)
WEBP = Media("WebP", "image/webp", ".webp", is_drawn=True)
HEIC = Media("HEIC", "image/heic", ".heic")
PDF = Media("PDF", "application/pdf", ".pdf")

PHOTOS = (JPEG, PNG, WEBP, HEIC)
PAPERS = (*PHOTOS, PDF)

_BEGINNINGS = {b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG, b"%PDF-": PDF}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})


def media_of(data: bytes) -> Media | None:
    """What a file is that begins so; None where it is nothing that a fact takes."""
    for beginning, media in _BEGINNINGS.items():
        if data.startswith(beginning):
            return media
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return HEIC if _HEIC_BRANDS & set(_brands(data[:HEAD_BYTES])) else None


def _brands(head: bytes) -> list[bytes]:
    """Of a file of the ISO base media format (ISO/IEC 14496-12, 4.3), what it says it is and what it is readable as.

    size (4, big-endian) | "ftyp" | major brand (4) | version (4) | compatible brand (4) ...
    """
    if head[4:8] != b"ftyp":
        return []
    end = int.from_bytes(head[:4])
    compatible = [head[at : at + 4] for at in range(16, min(end, len(head)), 4)]
    return [head[8:12], *compatible]
