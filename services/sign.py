"""The sign at the door: the box's address, and while nobody has claimed it the code, for who stands beside it.

    DIR/run/sign.json                     what the dashboard says: {"address", "code", "fingerprint"}, or "" of each
    /run/issue.d/inglenook.issue          on the screen (HDMI), which agetty draws, with the machine's own addresses
    /boot/firmware/inglenook-claim.txt    on the card's partition that any computer opens; gone once the box is claimed

agetty (issue(5), "\\4") fills in the addresses, and draws the screen again when they change.
"""

import argparse
import json
import os
from pathlib import Path

from appliance.shared import file_mode

SAID = "sign.json"
ISSUE, FILE = "run/issue.d/inglenook.issue", "boot/firmware/inglenook-claim.txt"
RELOAD = "run/agetty.reload"


def say(folder: Path, address: str, code: str = "", fingerprint: str = "") -> None:
    """Leaves what is to be shown in DIR/run, for whoever may show it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = folder / f"{SAID}.new"
    scratch.write_text(json.dumps({"address": address, "code": code, "fingerprint": fingerprint}), encoding="utf-8")
    scratch.chmod(file_mode(folder))
    scratch.replace(folder / SAID)


def main() -> None:
    """Shows what was said last."""
    parser = argparse.ArgumentParser(prog="inglenook-sign", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the machine's files begin")
    said = parser.parse_args()
    show(said.root, json.loads((said.data / "run" / SAID).read_bytes()))


def show(root: Path, said: dict[str, str]) -> None:
    issue, file = root / ISSUE, root / FILE
    issue.parent.mkdir(exist_ok=True)
    issue.write_text(_issue(said), encoding="utf-8")
    issue.chmod(0o644)
    (root / RELOAD).touch()
    os.utime(root / RELOAD)  # agetty watches it (agetty(8), --reload)
    if not file.parent.is_dir():
        return
    if said["code"]:
        file.write_text(_file(said), encoding="utf-8", newline="\r\n")
    else:
        file.unlink(missing_ok=True)


def _issue(said: dict[str, str]) -> str:
    """Each line of it is shown as it stands, but for the addresses."""
    code = f"  Claim it with the code:  {said['code']}\n" if said["code"] else ""
    return f"\n  Inglenook\n\n  Open {said['address']}\n  or   https://\\4/\n{code}\n"


def _file(said: dict[str, str]) -> str:
    fingerprint = f"Its certificate's fingerprint (SHA-256): {said['fingerprint']}\n" if said["fingerprint"] else ""
    return (
        f"This box belongs to nobody yet. Open {said['address']} on a phone or computer at home, and claim it with\n"
        f"the code {said['code']}. Another code is here after each start, and after five wrong tries.\n{fingerprint}"
    )


if __name__ == "__main__":
    main()
