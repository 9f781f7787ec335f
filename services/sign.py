"""The sign at the door: the box's address, and while it asks for a code the code, for who stands beside it.

    DIR/run/sign.json                    what the dashboard says, as `Said` below
    DIR/run/sign-changed                 it says something else; gone once that is being shown
    /run/issue.d/inglenook.issue         on the screen (HDMI), which agetty draws, with the machine's own addresses
    /boot/firmware/inglenook-code.txt    on the card's partition that any computer opens; gone once no code is asked for

agetty (issue(5), "\\4") fills in the addresses, and draws the screen again when they change. To read the card a person
switches the box off: so a code holds over a start, and what is written is on the card before anything else happens.
"""

import argparse
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

SAID, CHANGED = "sign.json", "sign-changed"
ISSUE, FILE = "run/issue.d/inglenook.issue", "boot/firmware/inglenook-code.txt"
RELOAD = "run/agetty.reload"


@dataclass(frozen=True, slots=True)
class Said:
    """What is to be shown; "" where there is none. `numbers` are the same address by the machine's own.

    `code` claims the box, or, where `aside` names files of its configuration, sets those aside.
    """

    address: str
    numbers: tuple[str, ...] = ()
    code: str = ""
    fingerprint: str = ""
    aside: str = ""


def say(folder: Path, said: Said) -> None:
    """Leaves what is to be shown in DIR/run, for whoever may show it. What is shown already is not written again."""
    if said == said_last(folder):
        return
    from appliance.store.keys import write_durably  # which who only shows it does not load

    write_durably(folder / SAID, json.dumps(asdict(said)).encode())
    (folder / CHANGED).touch()


def said_last(folder: Path) -> Said | None:
    """What is shown at present; None where nothing is."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        found = json.loads((folder / SAID).read_bytes())
        return Said(**found | {"numbers": tuple(found.get("numbers", ()))})
    return None


def main() -> None:
    """Shows what was said last."""
    parser = argparse.ArgumentParser(prog="inglenook-sign", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the machine's files begin")
    arguments = parser.parse_args()
    (arguments.data / "run" / CHANGED).unlink(missing_ok=True)
    if said := said_last(arguments.data / "run"):
        show(arguments.root, said)


def show(root: Path, said: Said) -> None:
    file = root / FILE
    draw(root, _issue(said))
    if not file.parent.is_dir():
        return
    if said.code:
        _write(file, _file(said), newline="\r\n")
    else:
        file.unlink(missing_ok=True)


def draw(root: Path, text: str) -> None:
    """Has a text on the screen; each line of it is shown as it stands, but for the addresses."""
    issue = root / ISSUE
    issue.parent.mkdir(exist_ok=True)
    _write(issue, text)
    issue.chmod(0o644)
    (root / RELOAD).touch()
    os.utime(root / RELOAD)  # agetty watches it (agetty(8), --reload)


def _write(path: Path, text: str, newline: str = "\n") -> None:
    with path.open("w", encoding="utf-8", newline=newline) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _issue(said: Said) -> str:
    what = f"The box cannot begin. Set {said.aside} aside" if said.aside else "Claim it"
    code = f"  {what} with the code:  {said.code}\n" if said.code else ""
    return f"\n  Inglenook\n\n  Open {said.address}\n  or   https://\\4/\n{code}\n"


def _file(said: Said) -> str:
    if said.aside:
        why, what = f"This box cannot begin: {said.aside} is damaged.", "read what is wrong, and set that aside"
    else:
        why, what = "This box belongs to nobody yet.", "claim it"
    numbers = f"Where that address does not open: {' or '.join(said.numbers)}\n" if said.numbers else ""
    fingerprint = f"Its certificate's fingerprint (SHA-256): {said.fingerprint}\n" if said.fingerprint else ""
    return (
        f"{why} Open {said.address} on a phone or computer at home, and {what} with\n"
        f"the code {said.code}. It holds when the box starts again; after five wrong tries another one is here.\n"
        f"{numbers}{fingerprint}"
    )


if __name__ == "__main__":
    main()
