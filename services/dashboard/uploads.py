"""Files on their way in: kept in memory alone, bounded, and one at a time."""

from io import BytesIO
from typing import IO

from flask import Request, abort, g, request

from appliance.ingest.attaching import LARGEST_BYTES
from services.dashboard.box import box

UPLOAD_BYTES = 64 << 20
FORM_BYTES = 256 << 10
ATTACHED_BYTES = LARGEST_BYTES + FORM_BYTES
UPLOADING = ("imports.upload", "tariff.upload")
ATTACHING = ("adding.submit", "facts.correct")  # a form with a photo or a paper
WAIT_S = 5.0
DRAINED_BYTES = 2 << 30
TOO_LARGE = (
    "This file is larger than 64 MB, which is the most that a browser can hand over here. "
    "Put it into the inbox folder on the box itself, which takes up to 256 MB."
)
ATTACHED_TOO_LARGE = (
    f"This file is larger than {LARGEST_BYTES >> 20} MB, which is the most that is kept with a record. Go back and "
    "choose a smaller one: a phone’s camera has a setting for that."
)
BUSY = "Another file is being imported at the moment. Wait until it is done, then send this one again."
ATTACHED_BUSY = "Another photo is being kept at the moment. Go back and send yours again."


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
    request.max_content_length = _most()
    request.max_form_memory_size = FORM_BYTES
    request.max_form_parts = 100


def _most() -> int:
    if request.endpoint in UPLOADING:
        return UPLOAD_BYTES
    return ATTACHED_BYTES if request.endpoint in ATTACHING else FORM_BYTES


def too_large() -> str:
    """What to say where a body is too long."""
    return ATTACHED_TOO_LARGE if request.endpoint in ATTACHING else TOO_LARGE


def admit() -> None:
    """Before an upload's body is read: waits for its turn, so that eight large files never fill the memory together.

    A form without a file waits for nobody.
    """
    length = request.content_length or 0
    if request.method != "POST" or request.endpoint not in UPLOADING + ATTACHING:
        return
    if request.endpoint in ATTACHING and length <= FORM_BYTES:
        return
    turn, busy = (box().uploading, BUSY) if request.endpoint in UPLOADING else (box().attaching, ATTACHED_BUSY)
    if not turn.acquire(timeout=WAIT_S):
        abort(503, busy)
    g.turn = turn
    if length > _most():
        drain()
        abort(413)


def drain() -> None:
    """Reads away a body that is too large: a browser shows the answer only once it has sent everything."""
    body, left = request.environ["wsgi.input"], min(request.content_length or 0, DRAINED_BYTES)
    while left > 0 and (part := body.read(min(left, 1 << 18))):
        left -= len(part)


def done(_error: BaseException | None = None) -> None:
    if turn := g.pop("turn", None):
        turn.release()
