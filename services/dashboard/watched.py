"""Whether the dashboard answers, as it would to a person: asked again and again, and told to what started it."""

import http.client
import logging
import threading
from collections.abc import Callable

from services.manager import Manager

log = logging.getLogger(__name__)

BEAT_S = 10.0
PATIENCE_S = 20.0  # a first page on a busy card takes some; two that do not come are the watchdog's minute
Connect = Callable[[], http.client.HTTPConnection]


def begin(manager: Manager, connect: Connect) -> None:
    """Asks for the first page for as long as this process runs, beside its other work."""
    if manager.address:
        threading.Thread(target=_watch, args=(manager, connect), name="watched", daemon=True).start()


def _watch(manager: Manager, connect: Connect) -> None:
    pause = threading.Event()
    while not answers(connect):
        pause.wait(0.1)
    manager.ready(BEAT_S)
    while not pause.wait(BEAT_S):
        if answers(connect):
            manager.alive()


def answers(connect: Connect) -> bool:
    """Whether the first page comes, or leads on to claiming or signing in, which needs the home store."""
    connection = connect()
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException) as error:
        log.debug("the dashboard does not answer: %s", error)
        return False
    finally:
        connection.close()
