"""Wi-Fi from a file on the boot partition, which any computer opens: put there before the box starts.

    # inglenook-wifi.txt
    country = GB
    ssid = The name of the network
    passphrase = its passphrase

It becomes a connection of NetworkManager's and is removed, so that the passphrase stays on no partition that every
computer reads. What is wrong with it is said beside it, in inglenook-wifi-problems.txt, and it stays to be mended.

Where the box was reset (DIR/run/wifi-unwanted), the connection goes from the card, and a file that could not be taken
up. NetworkManager does not watch its files: who uses the box over Wi-Fi stays connected until it starts again.

The country says which channels may be used. The kernel is told by its command line, so it counts fully from the next
start on (cfg80211.ieee80211_regdom); until a country is known, NetworkManager leaves the radio off.
"""

import argparse
import os
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from appliance.config import SYSTEM_FOLDER, WIFI_UNWANTED
from appliance.errors import UserError
from appliance.store.destroying import overwrite, sync_folder, unlink

FILE, PROBLEMS = "inglenook-wifi.txt", "inglenook-wifi-problems.txt"
CONNECTION = "etc/NetworkManager/system-connections/inglenook-wifi.nmconnection"
STATE = "var/lib/NetworkManager/NetworkManager.state"
BOOT = "boot/firmware"
UNWANTED = f"{str(SYSTEM_FOLDER).lstrip('/')}/run/{WIFI_UNWANTED}"
NAMES = ("country", "ssid", "passphrase")
COUNTRIES = Path("/usr/share/zoneinfo/iso3166.tab")
SSID_BYTES = 32
_REGDOM = re.compile(r"\s*\bcfg80211\.ieee80211_regdom=\S*")
_ESCAPES = {"\\": "\\\\", " ": "\\s", "\t": "\\t"}


def main() -> None:
    """Ends with 0 where there is no file or it was taken, with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="inglenook-wifi", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the machine's files begin")
    root = parser.parse_args().root
    problems = root / BOOT / PROBLEMS
    forget(root)
    try:
        take(root)
    except UserError as error:
        lines = [
            "The box did not take up the Wi-Fi. Mend inglenook-wifi.txt, and start the box again:",
            *error.problems,
        ]
        problems.write_text("\r\n- ".join(lines) + "\r\n", encoding="utf-8")
        print(*error.problems, sep="\n", file=sys.stderr)
        sys.exit(2)
    problems.unlink(missing_ok=True)


def forget(root: Path) -> None:
    """Overwrites and removes the passphrase where the box was reset; a file is still there that was wrong."""
    if not (root / UNWANTED).exists():
        return
    overwrite(root / CONNECTION)
    if (root / BOOT / PROBLEMS).exists():
        overwrite(root / BOOT / FILE)
    unlink(root / UNWANTED)


def take(root: Path) -> None:
    """Makes the connection, and removes the file. UserError with all that is wrong with it."""
    path = root / BOOT / FILE
    if not path.exists():
        return
    said = read(path)
    _write(root / CONNECTION, _keyfile(said), 0o600)
    _write(root / STATE, "[main]\nWirelessEnabled=true\n", 0o600)
    line = root / BOOT / "cmdline.txt"
    if line.exists():
        without = _REGDOM.sub("", line.read_text(encoding="ascii").strip())
        _write(line, f"{without} cfg80211.ieee80211_regdom={said['country']}\n", 0o755)
    overwrite(path)


def read(path: Path) -> dict[str, str]:
    """What the file says, by name. UserError with all that is wrong with it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path.name} is not plain text in UTF-8; save it so, in an editor for plain text") from None
    said, problems = dict[str, str](), list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        name, sign, value = (each.strip() for each in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not sign or name.lower() not in NAMES:
            problems.append(f"line {number}: a line is one of {', '.join(f'{each} = ...' for each in NAMES)}")
            continue
        said[name.lower()] = value
    problems += [f"there is no line {name} = ..." for name in NAMES if not said.get(name)]
    if problems := [*problems, *_wrong(said)]:
        raise UserError(problems)
    return said | {"country": said["country"].upper()}


def _wrong(said: Mapping[str, str]) -> Iterator[str]:
    country, ssid, passphrase = (said.get(name, "") for name in NAMES)
    if country and country.upper() not in _countries():
        yield f"country = {country}: write the two letters of the country where the box is, such as GB or DE"
    if len(ssid.encode()) > SSID_BYTES:
        yield f"ssid = ...: the name of a network has at most {SSID_BYTES} bytes, and this one {len(ssid.encode())}"
    is_plain = passphrase.isascii() and passphrase.isprintable() and 8 <= len(passphrase) <= 63
    if passphrase and not is_plain and not re.fullmatch(r"[0-9A-Fa-f]{64}", passphrase):
        yield "passphrase = ...: it has between 8 and 63 plain letters, digits and signs, as the router says it"


def _countries() -> set[str]:
    lines = COUNTRIES.read_text(encoding="utf-8").splitlines()
    return {line[:2] for line in lines if line and not line.startswith("#")}


def _keyfile(said: Mapping[str, str]) -> str:
    """As nm-settings-keyfile(5) has it: the name in bytes, so that every name is one."""
    ssid = "".join(f"{byte};" for byte in said["ssid"].encode())
    secret = "".join(_ESCAPES.get(letter, letter) for letter in said["passphrase"])
    number = uuid.uuid5(uuid.NAMESPACE_DNS, "wifi.inglenook.local")
    return (
        f"[connection]\nid=inglenook-wifi\nuuid={number}\ntype=wifi\n\n"
        f"[wifi]\nmode=infrastructure\nssid={ssid}\n\n"
        f"[wifi-security]\nkey-mgmt=wpa-psk\npsk={secret}\n\n"
        "[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n"
    )


def _write(path: Path, text: str, mode: int) -> None:
    """In its place at once, or not at all."""
    scratch = path.with_name(f"{path.name}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    scratch.replace(path)
    sync_folder(path.parent)


if __name__ == "__main__":
    main()
