"""A throw-away MQTT broker, Debian's mosquitto: on a free port of the loopback interface, gone at the end."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INSTALL = "mosquitto is not installed; as root: apt-get install --no-install-recommends mosquitto"

USER, PASSWORD = "inglenook", "a secret, spoken to no one"


def program() -> Path | None:
    """The broker here, or None. Debian keeps it off the PATH."""
    debian = Path("/usr/sbin/mosquitto")
    found = debian if debian.exists() else shutil.which("mosquitto")
    return Path(found) if found else None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Broker:
    """A broker that can be stopped and started again on the same port. `settings` are lines of its configuration."""

    def __init__(self, program: Path, folder: Path, settings: Mapping[str, object] | None = None) -> None:
        self.port = free_port()
        self._program = program
        self._process: subprocess.Popen[str] | None = None
        lines = {"listener": f"{self.port} 127.0.0.1", "allow_anonymous": "true", **(settings or {})}
        if os.geteuid() == 0:
            lines["user"] = "root"  # or it would become one that cannot read the test's files
        self._config = folder / "mosquitto.conf"
        self._config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        self.start()

    def start(self) -> None:
        """Runs it until it listens. RuntimeError, with what it wrote, where it does not."""
        command = [str(self._program), "-c", str(self._config)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        wrote = ""
        assert self._process.stderr
        for line in self._process.stderr:
            wrote += line
            if " running" in line:
                return
        raise RuntimeError(f"mosquitto did not start: {wrote}")

    def stop(self) -> None:
        """Ends it at once, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False, **connection: Any) -> None:
        """Publishes a message; it is with the broker when this returns."""
        from paho.mqtt import publish

        publish.single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=self.port, **connection)


def password_file(folder: Path) -> Path:
    """A file of the broker's users: USER with PASSWORD."""
    path = folder / "users"
    path.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(path), USER, PASSWORD], check=True, capture_output=True)
    return path
