"""Every shell script of the image is checked: those that are files, and those that stand in a line of a unit."""

import os
import re
import shutil
import subprocess

import pytest

from tests.image.tree import ROOT, STAGE

UNITS = {".service", ".conf", ".socket", ".path"}
SHELL = re.compile(r"#!\S*[/ ](ba|da)?sh\b")
INLINE = re.compile(r"^Exec\w+=[-@:+!|]*/bin/sh -ec '([^']*)'$", re.M)
ANY_SHELL = re.compile(r"^Exec\w+=.*\b(?:ba|da)?sh -\w*c\b.*$", re.M)


@pytest.fixture
def shellcheck() -> str:
    if program := shutil.which("shellcheck"):
        return program
    install = "apt-get install --no-install-recommends shellcheck"
    if os.environ.get("CI") or os.geteuid() == 0:
        pytest.fail(install)
    pytest.skip(install)


def test_make_test_checks_every_script_of_the_project() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    scripts = {name for name in listed.split("\0") if name and _is_script(name)}
    assert len(scripts) > 10
    command = ["make", "--no-print-directory", "--silent", "--eval=said:;@echo '$(SCRIPTS)'", "said"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert scripts - set(said.split()) == set()


def _is_script(name: str) -> bool:
    path = ROOT / name
    with path.open("rb") as file:
        return bool(SHELL.match(file.readline(200).decode("utf-8", "replace")))


def test_what_units_tell_a_shell_is_sound(shellcheck: str) -> None:
    units = [path for folder in (ROOT / "systemd", STAGE) for path in folder.rglob("*") if path.suffix in UNITS]
    found = 0
    for path in units:
        text = path.read_text(encoding="utf-8")
        scripts = INLINE.findall(text)
        assert len(scripts) == len(ANY_SHELL.findall(text)), f"{path}: write it as /bin/sh -ec '...'"
        for script in scripts:
            said = subprocess.run(
                [shellcheck, "--shell=sh", "--norc", "-"],
                input=_as_run(script),
                capture_output=True,
                text=True,
                check=False,
            )
            assert not said.returncode, f"{path}: {said.stdout}"
        found += len(scripts)
    assert found >= 4


def _as_run(script: str) -> str:
    """What the shell is given, systemd.service(5), "Command lines": $$ is a dollar, and %t the folder /run."""
    assert "$" not in script.replace("$$", ""), f"{script}: systemd itself would replace what is not written as $$"
    return f"set -e\n{script.replace('$$', '$').replace('%t', '/run').replace('%%', '%')}\n"
