"""Backups to another machine over SSH: a real OpenSSH server, which lets the box in by its own key."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import backup
from appliance.backup import ssh, targets
from appliance.backup.drill import drill
from appliance.backup.restic import PROGRAM
from appliance.backup.restoring import restore
from appliance.config import Config
from appliance.errors import UserError
from appliance.store.database import HOME
from tests.backup.house import ADA, BEN, NOW, House
from tests.sshd import sshd

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason="restic is not installed; as root: apt-get install restic"
)

NAS = "nas"


def test_a_machine_lets_the_box_in_by_its_line_keeps_it_and_gives_it_back(house: House, tmp_path: Path) -> None:
    with sshd() as nas:
        with pytest.raises(UserError, match=r"does not let the box in\. Add the line that the page Backup shows"):
            backup.add(house.config, NAS, nas.place, "", "")
        nas.let_in(ssh.own_line(house.config))
        backup.add(house.config, NAS, nas.place, "", "")
        backup.back_up(house.config, NAS, NOW)
        assert drill(house.config, NAS, NOW).stores == 3
        new = Config(tmp_path / "new box")
        with pytest.raises(UserError, match=r"does not let this box in\. Add the line that this page shows"):
            restore(new, nas.place, "", "", house.words[HOME])
        nas.let_in(ssh.own_line(new))
        assert restore(new, nas.place, "", "", house.words[HOME]) == [ADA, BEN]


def test_a_machine_that_was_set_up_anew_is_not_spoken_to_until_a_person_says_so(house: House) -> None:
    with sshd() as nas:
        nas.let_in(ssh.own_line(house.config))
        backup.add(house.config, NAS, nas.place, "", "")
        nas.stop()
        with pytest.raises(UserError, match="see that the other machine is on"):
            backup.back_up(house.config, NAS, NOW)
        nas.start()
        with pytest.raises(UserError, match=r"another SSH key than before.*this place, and any other.*again"):
            backup.back_up(house.config, NAS, NOW + timedelta(days=1))
        for where in (nas.place, f"{nas.place}-2", nas.place.replace(nas.user, "nobody")):
            with pytest.raises(UserError, match="another SSH key than before"):
                backup.add(house.config, "another", where, "", "")
        with pytest.raises(UserError, match="another SSH key than before"):
            backup.back_up(house.config, NAS, NOW + timedelta(days=1))
        targets.remove(house.config, NAS)
        backup.add(house.config, NAS, nas.place, "", "")
        backup.back_up(house.config, NAS, NOW + timedelta(days=1))


def test_the_key_stays_the_same_and_is_nobody_elses(house: House) -> None:
    line = ssh.own_line(house.config)
    assert line.startswith("ssh-ed25519 ")
    assert ssh.own_line(house.config) == line
    assert (house.config.data / "keys" / "ssh_ed25519").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("where", ["sftp:-oProxyCommand=x:/y", "sftp:a b@host:/x", "sftp:host", "sftp://-h/x", "sftp:"])
def test_what_ssh_would_take_for_an_option_is_no_place(house: House, where: str) -> None:
    with pytest.raises(UserError, match="write sftp:USER@HOST"):
        backup.add(house.config, NAS, where, "", "")
