"""`image-build/build` as it stands, on a machine where git, Docker and make are ours: they note what they are asked.

What it does not exercise: pi-gen itself. The stage is put together for arm64 in earnest.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.image.tree import HERE, ROOT, alone

COMMIT = "ca8aeed0ae300c2a89f55ce9617d5f96a27e99e5"
NOTES = '#!/bin/sh\necho "${0##*/} $*" >>"$NOTED"\n'
GIT = f"""{NOTES}
[ "$1" = clone ] || exit 0
for folder; do :; done
mkdir -p "$folder/stage2"
cat >"$folder/build-docker.sh" <<'EOF'
{NOTES}docker run
EOF
chmod +x "$folder/build-docker.sh"
"""
SAY_ALL = 'set -aeu; . "$1"; env'


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What they were asked, a line each time."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("git", GIT), ("docker", NOTES), ("make", NOTES)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("NOTED", str(tmp_path / "noted"))
    monkeypatch.setenv("INGLENOOK_RELEASE_KEYS", str(tmp_path / "keys"))
    return tmp_path / "noted"


def _build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(ROOT / "image-build" / "build"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("root")
def test_pi_gen_is_given_the_pinned_commit_our_stage_and_its_configuration(noted: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "release.pem").write_text("a key")
    folder = tmp_path / "image"
    with alone(HERE):  # both kinds of machine put the application together in one place
        done = _build(folder)
    assert not done.returncode, done.stderr
    pi_gen = folder / "pi-gen"
    assert noted.read_text().splitlines() == [
        "make setup",
        f"git clone --quiet --no-checkout https://github.com/RPi-Distro/pi-gen {pi_gen}",
        f"git -C {pi_gen} -c advice.detachedHead=false checkout --quiet --force {COMMIT}",
        "build-docker.sh ",
        "docker run",
    ]
    assert done.stdout.splitlines()[-1] == f"build: the image is in {pi_gen}/deploy"
    assert (pi_gen / "stage2" / "SKIP_IMAGES").exists(), "else its own image is exported too"

    stage = pi_gen / "stage-inglenook"
    assert (stage / "EXPORT_IMAGE").exists()
    assert os.access(stage / "prerun.sh", os.X_OK)
    release = stage / "01-application" / "files" / "release"
    wheels = {path.name.rpartition("_")[2] for path in (release / "wheels").glob("sqlcipher3*.whl")}
    assert wheels == {"aarch64.whl"}
    assert list((release / "wheels").glob("inglenook-*.whl"))
    assert [path.name for path in (release / "keys").iterdir()] == ["release.pem"]

    config = pi_gen / "config"
    assert config.stat().st_mode & 0o777 == 0o600, "a password stands in it"
    subprocess.run(["bash", "-n", config], check=True)
    said = subprocess.run(["bash", "-c", SAY_ALL, "bash", config], capture_output=True, text=True, check=True).stdout
    settings = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    assert settings["STAGE_LIST"].split()[-1] == stage.name
    assert (settings["RELEASE"], settings["ENABLE_SSH"], settings["FIRST_USER_NAME"]) == ("trixie", "0", "keeper")
    assert len(settings["FIRST_USER_PASS"]) >= 40


def test_a_folder_that_pi_gen_does_not_bear_is_refused_before_anything_is_done(noted: Path, tmp_path: Path) -> None:
    done = _build(tmp_path / "my image")
    assert done.returncode == 2
    assert "has a blank in its name, which pi-gen does not bear; name another folder" in done.stderr
    assert not noted.exists()
