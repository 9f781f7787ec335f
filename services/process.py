"""What every service does alike: says its problems in one line, and stops on SIGTERM."""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from appliance.errors import UserError

if TYPE_CHECKING:
    import subprocess


def end_on_user_error(main: Callable[[], None]) -> None:
    """Runs a service; what a person can mend ends it with 2 and no traceback."""
    logging.basicConfig(level=logging.INFO, format=f"{sys.argv[0].rsplit('/', 2)[-1]}: %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        main()
    except UserError as error:
        for problem in error.problems:
            print(f"inglenook: {problem}", file=sys.stderr)
        sys.exit(2)


def end(process: "subprocess.Popen[Any]", seconds: float) -> None:
    """Ends a child: asked first, and killed where it takes longer."""
    import subprocess  # loaded by whoever has a child: the collector has none, and stays small

    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping
