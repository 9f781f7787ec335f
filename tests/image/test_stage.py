"""The stage keeps to pi-gen's contract; its part for the Raspberry Pi does what it says to a tree of pi-gen's."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import archive, pi_gen
from tests.image.tree import ROOT, STAGE, SUITE, laid_over, part_for_a_pi, run_stage

MASKED = ("ssh.service", "rpi-resize.service", "systemd-firstboot.service")


def test_every_script_that_pi_gen_runs_has_its_executable_bit() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "image-build"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    modes = {line.split("\t")[1]: line.split()[0] for line in listed}
    scripts = [name for name in modes if name.endswith(("-run.sh", "prerun.sh", "/build", "/assemble", "/run-stage"))]
    assert len(scripts) >= 7
    assert {modes[name] for name in scripts} == {"100755"}, "pi-gen skips a run script without one in silence"


def test_the_image_has_the_locked_packages_that_the_application_needs_and_none_for_development() -> None:
    everything, image = (_locked(ROOT / name) for name in ("requirements.lock", "image-build/requirements.lock"))
    assert image <= everything, "run: make lock"
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed, development = (
        {re.split(r"[^a-z0-9-]", each)[0] for each in names}
        for names in (declared["dependencies"], declared["optional-dependencies"]["dev"])
    )
    names = {each.partition("==")[0] for each in image}
    assert needed <= names
    assert not (development - needed - {"setuptools"}) & names  # the last is what APScheduler's and others' wheels name


def _locked(path: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+==[^ ]+)", path.read_text(encoding="utf-8"), re.M))


@pytest.mark.usefixtures("root")
def test_a_run_script_that_pi_gen_would_skip_is_said(tmp_path: Path) -> None:
    script = tmp_path / "stage" / "00-part" / "01-run.sh"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/bash -e\n")
    with pytest.raises(AssertionError, match="has no executable bit: pi-gen would skip it; chmod"):
        run_stage(tmp_path / "stage", _bare(tmp_path / "tree"), "scripts")


@pytest.mark.usefixtures("root")
def test_the_stage_begins_where_the_one_before_it_ended(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    (stage / "00-part").mkdir(parents=True)
    shutil.copy(STAGE / "prerun.sh", stage)
    with pytest.raises(AssertionError, match="there is no tree at"):
        run_stage(stage, tmp_path / "tree", "scripts")
    run_stage(stage, _bare(tmp_path / "tree"), "scripts")


@pytest.mark.usefixtures("root")
def test_scripts_run_in_pi_gen_s_order_and_find_the_tree(tmp_path: Path) -> None:
    part = tmp_path / "stage" / "00-part"
    (part / "files").mkdir(parents=True)
    (tmp_path / "stage" / "01-left-out").mkdir()
    (tmp_path / "stage" / "01-left-out" / "SKIP").touch()
    for folder, number in (("00-part", "01"), ("00-part", "00"), ("01-left-out", "00")):
        script = tmp_path / "stage" / folder / f"{number}-run.sh"
        script.write_text(f'#!/bin/bash -e\necho {folder} {number} >>"$ROOTFS_DIR/said"; test -d files || false\n')
        script.chmod(0o755)
    run_stage(tmp_path / "stage", _bare(tmp_path / "tree"), "scripts")
    assert (tmp_path / "tree" / "said").read_text() == "00-part 00\n00-part 01\n"


@pytest.fixture(scope="module")
def pi(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The appliance's tree as one of pi-gen's, over which our part for the Raspberry Pi ran."""
    scratch = tmp_path_factory.mktemp("pi")
    stage = part_for_a_pi(scratch / "stage")
    with laid_over(built, scratch / "over") as tree:
        pi_gen.write(tree)
        with (tree / "etc/passwd").open("a") as passwd, (tree / "etc/shadow").open("a") as shadow:
            passwd.write("keeper:x:1000:1000::/home/keeper:/bin/bash\n")
            shadow.write("keeper:$y$j9T$of.a.password:20000::::::\n")
        for _ in range(2):  # pi-gen may run a stage again over what it has made
            run_stage(stage, tree, "scripts")
        yield tree


def test_the_part_for_the_raspberry_pi_frees_the_serial_port_and_spares_the_card(pi: Path) -> None:
    said = {name: (pi / name).read_text() for name in (*pi_gen.FILES, "etc/passwd", "etc/shadow")}
    masked = {(pi / "etc/systemd/system" / unit).readlink() for unit in MASKED}
    watched = (pi / "etc/systemd/system.conf.d/inglenook.conf").read_text()
    assert said["boot/firmware/cmdline.txt"] == "console=tty1 root=ROOTDEV rootfstype=ext4 fsck.repair=yes rootwait\n"
    assert said["boot/firmware/config.txt"].count("dtoverlay=disable-bt\n") == 1
    assert said["boot/firmware/config.txt"].startswith(pi_gen.FILES["boot/firmware/config.txt"])
    boot, system, data = said["etc/fstab"].splitlines()[-3:]
    assert boot.split()[3].startswith("defaults,nofail,"), "a boot partition that is broken does not stop the box"
    assert system.split()[:3] == ["ROOTDEV", "/", "ext4"]
    assert system.split()[3] == "defaults,noatime,lazytime,commit=60,errors=remount-ro,x-systemd.growfs"
    assert data.split()[:3] == ["LABEL=inglenook-data", "/var/lib/inglenook", "ext4"]
    assert "keeper:!" in said["etc/shadow"], "nobody signs in"
    assert said["etc/passwd"].splitlines()[-1].endswith("/usr/sbin/nologin")
    assert masked == {Path("/dev/null")}
    assert "RuntimeWatchdogSec=15s" in watched


@pytest.mark.parametrize(
    ("origin", "is_taken"), [("Raspberry Pi Foundation", True), ("Debian", True), ("Somebody", False)]
)
def test_a_pi_s_own_kernel_and_firmware_are_updated_unattended_as_debian_s_packages_are(
    pi: Path, tmp_path: Path, origin: str, is_taken: bool
) -> None:
    with laid_over(pi, tmp_path) as tree:
        archive.offered(tree, origin, SUITE)
        said = archive.inside(tree, "unattended-upgrade", "--dry-run", "--verbose")
    assert (f"Packages that will be upgraded: {archive.NAME}" in said) is is_taken, said


def _bare(tree: Path) -> Path:
    """A tree in which nothing is but where the kernel's folders go."""
    for name in ("proc", "run", "tmp", "dev"):
        (tree / name).mkdir(parents=True)
    return tree
