"""A device that this user may not open: the command that mends it is one that can, for a person and for a service."""

import grp
import os
import pwd
from pathlib import Path

import pytest

from appliance.links._permissions import forbidden

NOBODY_S = next(each for each in grp.getgrall() if each.gr_gid and not each.gr_mem)
ME = pwd.getpwuid(os.geteuid()).pw_name
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to another group")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "ttyUSB0"
    path.touch()
    return path


@as_root
def test_a_person_joins_the_group_that_may(device: Path) -> None:
    os.chown(device, -1, NOBODY_S.gr_gid)
    device.chmod(0o660)
    assert forbidden(str(device), "dialout") == (
        f"the user {ME} may not open {device}: run `sudo usermod -aG {NOBODY_S.gr_name} {ME}`, "
        "then sign out and in again, and start Inglenook again"
    )


@as_root
def test_the_user_of_a_service_signs_in_nowhere(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(device, -1, NOBODY_S.gr_gid)
    device.chmod(0o660)
    service = next(each for each in pwd.getpwall() if 0 < each.pw_uid < 1000)
    monkeypatch.setattr("os.geteuid", lambda: service.pw_uid)
    said = forbidden(str(device), "dialout")
    assert said.endswith(
        f"run `sudo usermod -aG {NOBODY_S.gr_name} {service.pw_name}`, then start the box again, as by `sudo reboot`"
    )


@as_root
@pytest.mark.parametrize(("mode", "group"), [(0o600, NOBODY_S.gr_gid), (0o660, 0)])
def test_nobody_is_told_to_join_a_group_that_may_not_open_it_or_root_s(device: Path, mode: int, group: int) -> None:
    os.chown(device, -1, group)
    device.chmod(mode)
    said = forbidden(str(device), "dialout")
    assert f"`sudo chgrp dialout {device}` and `sudo chmod g+rw {device}`" in said
    assert "usermod" not in said


def test_where_nobody_can_tell_the_usual_group_is_named(tmp_path: Path) -> None:
    assert f"sudo usermod -aG dialout {ME}" in forbidden(str(tmp_path / "gone"), "dialout")


def test_who_was_put_into_the_group_a_moment_ago_is_not_told_to_do_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grp.getgrnam", lambda name: grp.struct_group((name, "x", 20, [ME])))
    said = forbidden(str(tmp_path / "gone"), "dialout")
    assert said.startswith(f"the user {ME} was put into the group dialout")
    assert said.endswith("sign out and in again, and start Inglenook again")
    assert "usermod" not in said
