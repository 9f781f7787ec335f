"""Files on their way in: kept in memory alone, bounded, and one at a time."""

from io import BytesIO
from typing import IO

from flask import Request, abort, g, request

from services.dashboard.box import box

UPLOAD_BYTES = 64 << 20
FORM_BYTES = 256 << 10
UPLOADING = ("imports.upload",)
WAIT_S = 5.0
DRAINED_BYTES = 2 << 30
TOO_LARGE = (
    "This file is larger than 64 MB, which is the most that a browser can hand over here. "
    "Put it into the inbox folder on the box itself, which takes up to 256 MB."
)
BUSY = "Another file is being imported at the moment. Wait until it is done, then send this one again."


class MemoryRequest(Request):
    """A request whose files never touch the disk: a temporary file would hold them in clear."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def limit() -> None:
    """Before a body is read: how long it may be."""
    request.max_content_length = UPLOAD_BYTES if request.endpoint in UPLOADING else FORM_BYTES
    request.max_form_memory_size = FORM_BYTES
    request.max_form_parts = 100


def admit() -> None:
    """Before an upload's body is read: waits for its turn, so that eight large files never fill the memory together."""
    if request.endpoint not in UPLOADING or request.method != "POST":
        return
    if not box().uploading.acquire(timeout=WAIT_S):
        abort(503, BUSY)
    g.uploading = True
    if (request.content_length or 0) > UPLOAD_BYTES:
        drain()
        abort(413)


def drain() -> None:
    """Reads away a body that is too large: a browser shows the answer only once it has sent everything."""
    body, left = request.environ["wsgi.input"], min(request.content_length or 0, DRAINED_BYTES)
    while left > 0 and (part := body.read(min(left, 1 << 18))):
        left -= len(part)


def done(_error: BaseException | None = None) -> None:
    if g.pop("uploading", False):
        box().uploading.release()
