"""Whom a folder lets in: its owner alone, but for the appliance's, which are for the collector too."""

import os
from pathlib import Path

import pytest

from appliance import config
from appliance.ingest import spool
from appliance.store.keys import KeyRing, write_durably
from services.state import SOCKET, telling

PUBLIC = bytes(range(32))


@pytest.mark.parametrize(("folder_mode", "mode"), [(0o700, 0o600), (0o2700, 0o600), (0o750, 0o600), (0o2750, 0o640)])
def test_what_the_collector_needs_is_for_the_group_of_a_shared_folder(
    tmp_path: Path, folder_mode: int, mode: int
) -> None:
    tmp_path.chmod(folder_mode)
    umask = os.umask(0o077)
    try:
        config.write_meters(tmp_path, ())
        write_durably(tmp_path / "keys.json", b"{}")
        written = spool.Spool(tmp_path, PUBLIC)
        written.append(b"a frame")
        written.close()
        with telling(tmp_path, dict):
            assert (tmp_path / SOCKET).stat().st_mode & 0o777 == (0o660 if mode == 0o640 else 0o600)
    finally:
        os.umask(umask)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == dict.fromkeys(
        ("meters.toml", "keys.json", "0000000001.spool"), mode
    )


def test_the_box_s_key_is_for_its_owner_alone_in_a_shared_folder_too(tmp_path: Path) -> None:
    tmp_path.chmod(0o2750)
    keys = KeyRing(tmp_path)
    keys.make("home")
    assert keys.box_file.stat().st_mode & 0o777 == 0o600
    assert keys.box_file.parent.stat().st_mode & 0o077 == 0
