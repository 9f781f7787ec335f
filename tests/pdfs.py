"""A small writer of PDFs: text on pages, as ISO 32000-1 has it, with a table of its objects."""

from collections.abc import Sequence

_ESCAPED = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


def pdf(*pages: Sequence[str], title: str = "", created: str = "", more: Sequence[bytes] = ()) -> bytes:
    """A file with a page for each of these lists of lines, in Helvetica and Windows-1252. `more`: objects."""
    first = 4 + len(more)
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *more,
    ]
    for number, lines in enumerate(pages):
        font = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {first + 2 * number + 1} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {font} >>".encode())
        objects.append(stream(_shown(lines)))
    said = {"/Title": title, "/CreationDate": created}
    info = " ".join(f"{name} ({text.translate(_ESCAPED)})" for name, text in said.items() if text)
    objects.append(f"<< {info} >>".encode("cp1252"))
    return written(objects, f"/Root 1 0 R /Info {len(objects)} 0 R")


def stream(content: bytes, entries: str = "") -> bytes:
    return f"<< /Length {len(content)} {entries}>>\nstream\n".encode() + content + b"\nendstream"


def written(objects: Sequence[bytes], trailer: str) -> bytes:
    """A file of these objects, numbered from 1."""
    data, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n".encode() + each + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
    return data + f"{end}<< /Size {len(objects) + 1} {trailer} >>\nstartxref\n{len(data)}\n%%EOF\n".encode()


def _shown(lines: Sequence[str]) -> bytes:
    shown = "\n".join(f"({line.translate(_ESCAPED)}) Tj T*" for line in lines)
    return f"BT /F1 10 Tf 14 TL 50 800 Td\n{shown}\nET".encode("cp1252")
