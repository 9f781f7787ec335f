"""Pictures of eight pixels by six, and a file of each other format that a fact takes."""

from base64 import b64decode

JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
    "q62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSk"
    "pKSkpKSkpKT/wAARCAAGAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAeEAABAwQDAAAAAAAAAAAAAAAAExRR"
    "AQMSISNTcf/EABQBAQAAAAAAAAAAAAAAAAAAAAT/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCCthsm35e3Osx5"
    "oAByn//Z"
)
WEBP = b64decode(
    "UklGRkgAAABXRUJQVlA4IDwAAADQAQCdASoIAAYABABoJbACdAaQAv2tgADOPrrgNsaQpwHGRthbNS1tLdO6CJ7XFzZGGutgEge/hDdkyAA="
)
PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAYAAAD+Bd/7AAAAPElEQVR4AYSLwQkAIAwDQ0fRVXQmV9CZnMVZ9JVQ+rCBIxAuNlu5"
    "PwxJJIx94OFPAofYElav8FCUwCH2AwAA//8uBWqFAAAABklEQVQDAGW5G3X5TOfpAAAAAElFTkSuQmCC"
)
# An iPhone's begins so. No browser of the tests draws one.
HEIC = b"\0\0\0\x24ftypmif1\0\0\0\0mif1heicmiaf" + bytes(8) + b"meta" * 9
PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"


def photo(number: int, size: int = 0) -> bytes:
    """A JPEG that is another one for each number, of at least so many bytes: what stands behind its end is its own."""
    return (JPEG + b"%d" % number).ljust(size, b"\0")
