"""How the box gets into another machine for backups over SFTP: by a key of its own, which no backup holds.

    DIR/keys/ssh_ed25519       the private key, as OpenSSH writes it, mode 0600
    DIR/keys/known_hosts       which key each machine answered with first; with one that has another it does not speak

OpenSSH's ssh does the rest, with what the user of this process has set up for it elsewhere.
"""

import re
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from appliance.config import Config
from appliance.store.keys import write_durably

_USER, _HOST = r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?", r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])"
_FORMS = (re.compile(rf"sftp://{_USER}{_HOST}(?::(?P<port>\d{{1,5}}))?/.+"), re.compile(rf"sftp:{_USER}{_HOST}:.+"))
_OPTIONS = ("StrictHostKeyChecking=accept-new", "HashKnownHosts=no", "BatchMode=yes", "ConnectTimeout=30")


def is_place(where: str) -> bool:
    """Whether it is written as one of `sftp:USER@HOST:/FOLDER` and `sftp://USER@HOST:PORT//FOLDER`."""
    return any(form.fullmatch(where) for form in _FORMS)


def own_line(config: Config) -> str:
    """What the other machine lets the box in by, a line of its `~/.ssh/authorized_keys`. Made where absent."""
    path = _key_file(config)
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        write_durably(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = load_ssh_private_key(path.read_bytes(), None).public_key()
    return f"{public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} inglenook"


def options(config: Config, where: str) -> list[str]:
    """What restic is told beside the address, so that it comes in by the box's key; nothing of other places."""
    command = _command(config, where)
    line = shlex.join(command).replace('"', '""')
    return ["-o", f'"sftp.command={line}"'] if command else []  # which it reads as a line of CSV


def why_not(config: Config, where: str) -> str:
    """What ssh says where it does not come in: restic drops it as often as not. "" where it comes in."""
    command = _command(config, where)
    if not command:
        return ""
    done = subprocess.run(  # noqa: S603 - what a person names fits the forms above
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    return done.stderr if done.returncode else ""


def _command(config: Config, where: str) -> list[str]:
    said = _said(where)
    if said is None:
        return []
    own_line(config)
    command = ["ssh", "-i", str(_key_file(config)), "-o", f"UserKnownHostsFile={_quoted(_known_hosts(config))}"]
    for option in _OPTIONS:
        command += ["-o", option]
    port = said.groupdict().get("port")
    command += [*(["-p", port] if port else []), *(["-l", said["user"]] if said["user"] else [])]
    return [*command, said["host"].strip("[]"), "-s", "sftp"]


def forget(config: Config, where: str, used: Iterable[str] = ()) -> None:
    """Of a place that a person names anew: the key that its machine answers with next is the right one.

    But not where one of the places `used` is on that machine: its key is known.
    """
    name, known = _machine(where), _known_hosts(config)
    if not name or name in map(_machine, used) or not known.exists():
        return
    others = (line for line in known.read_text(encoding="ascii").splitlines() if line.partition(" ")[0] != name)
    write_durably(known, "".join(f"{line}\n" for line in others).encode())


def _machine(where: str) -> str:
    """As known_hosts names it, sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; "" of a place that is reached otherwise."""
    if (said := _said(where)) is None:
        return ""
    host, port = said["host"].strip("[]").lower(), said.groupdict().get("port")
    return f"[{host}]:{port}" if port and port != "22" else host


def _said(where: str) -> re.Match[str] | None:
    return next((said for form in _FORMS if (said := form.fullmatch(where))), None)


def _key_file(config: Config) -> Path:
    return config.data / "keys" / "ssh_ed25519"


def _known_hosts(config: Config) -> Path:
    return config.data / "keys" / "known_hosts"


def _quoted(path: Path) -> str:
    """As ssh_config(5) wants a path that may have a space in it."""
    return f'"{path}"'
