"""Backups and their drills, when they are due: one at a time, beside the other jobs, since one may take hours."""

import logging
import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from appliance.backup import targets
from appliance.config import Config
from appliance.errors import UserError
from services.jobs import Jobs

log = logging.getLogger(__name__)

LOOK_S = 5.0


class Backups(threading.Thread):
    """Looks for what is due until it is stopped. What is cut off then is begun again at the next start."""

    def __init__(self, config: Config) -> None:
        super().__init__(name="backups", daemon=True)
        self._config, self._jobs = config, Jobs(config)
        self._stopping = threading.Event()

    def run(self) -> None:
        said = ""
        while not self._stopping.wait(LOOK_S):
            try:
                self._look()
            except UserError as error:
                if str(error) != said:
                    log.error("%s", error)
                said = str(error)

    def stop(self) -> None:
        self._stopping.set()
        self._jobs.stop()

    def _look(self) -> None:
        zone = ZoneInfo(self._config.zone or "UTC")
        for each in targets.every(self._config):
            if each.is_due(datetime.now(UTC), zone):
                self._jobs.run("backup", f"--name={each.name}")
            elif each.is_drill_due(datetime.now(UTC)):
                self._jobs.run("drill", f"--name={each.name}")
