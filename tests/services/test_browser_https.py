"""A browser of the household and the box's own certificate: refused before it is trusted, and quiet ever after."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect

from tests import chromium as programs
from tests.services.https import SecureBox, secure_box

CERTUTIL = shutil.which("certutil")
NAME = "inglenook.local"


@contextmanager
def _browser(of: Browser, home: Path) -> Iterator[Browser]:
    """Chromium of a person with this home folder, in whose network the box has its name."""
    arguments = [*programs.ARGUMENTS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    launched = of.browser_type.launch(
        executable_path=programs.PROGRAM, args=arguments, env={**os.environ, "HOME": str(home)}
    )
    try:
        yield launched
    finally:
        launched.close()


def _trust(home: Path, box: SecureBox, pem: Path) -> None:
    """What the page tells a person on Linux to do, without the clicks."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    pem.write_text(box.asked("/trust/inglenook.pem", plain=True)[1], encoding="ascii")
    for said in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "box", "-i", str(pem)]):
        subprocess.run([CERTUTIL or "", "-d", f"sql:{store}", *said], check=True, capture_output=True)


@pytest.mark.skipif(CERTUTIL is None, reason="certutil is not installed; as root: apt-get install libnss3-tools")
def test_a_browser_that_trusts_the_box_goes_in_by_name_and_by_address(chromium: Browser, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with secure_box(tmp_path / "box") as box:
        with _browser(chromium, home) as browser, pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            browser.new_page().goto(f"{box.address}/claim")
        _trust(home, box, tmp_path / "box.pem")
        with _browser(chromium, home) as browser:
            page = browser.new_page()
            page.goto(f"http://{NAME}:{box.plain_port}/")
            page.get_by_role("link", name="Open the box").click()
            expect(page.get_by_role("button", name="Claim this box")).to_be_visible()
            assert page.url == f"https://{NAME}:{box.port}/claim"
            page.goto(f"{box.address}/claim")
            expect(page.get_by_role("button", name="Claim this box")).to_be_visible()
            assert {cookie["name"] for cookie in page.context.cookies()} == {"__Host-inglenook_browser"}
