"""Debian's Chromium, driven by Playwright, for tests that look at pages as a person does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PROGRAM = Path("/usr/bin/chromium")
INSTALL = "Chromium is not installed; as root: apt-get install --no-install-recommends chromium"

ARGUMENTS = [
    "--no-sandbox",  # root, and most containers, have no sandbox; it visits this machine's own pages only
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # A browser that calls its maker's hosts would blur whether a page asks another host for something.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless browser with an empty profile; each test opens a context of its own in it."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        try:
            yield launched
        finally:
            launched.close()
