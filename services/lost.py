"""What a box shows that cannot read its data: one page at its plain door, a text on its screen, and nothing else.

systemd starts it where the data partition could not be mounted, with the door as file descriptor 3 (sd_listen_fds(3)).
HTTPS is not to be had: the box's certificate is on that partition too.
"""

import argparse
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from services import sign

DOOR = 3
PATIENCE_S = 10
ADDRESS = "http://inglenook.local/"
ISSUE = f"""
  Inglenook

  The box cannot read its data. Nothing was written over.

  Pull the plug, wait a moment, and plug it in again. Where this comes again, the way on stands at
  {ADDRESS}
  http://\\4/

"""
"""As `services.sign` has it: agetty fills in the address."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="30">
<title>The box cannot read its data</title>
<style>
:root { color-scheme: light dark; }
body { max-width: 38rem; margin: 0 auto; padding: 2rem 1.25rem; font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.2rem; margin-top: 2rem; }
li { margin-bottom: .75rem; }
</style>
</head>
<body>
<h1>The box cannot read its data</h1>
<p>The part of its card on which your data lies is missing or damaged. <strong>Nothing was written over:</strong> what
is there stays as it is. Meanwhile no meter is read, and nothing is imported.</p>
<h2>The way on</h2>
<ol>
<li>Pull the box’s plug, see that its card sits firmly, or its disk’s cable, and plug it in again. Give it five minutes;
this page looks again by itself.</li>
<li>Does this page come again? Then the card may be failing. Write the image to a new card of 8 GB or more, start the
box with it, open <strong>https://inglenook.local/</strong>, and bring everything back from the last backup, with the
24 words of the household’s recovery kit.</li>
<li>Is there no backup? Put the old card into a computer with Linux, or give it to somebody who has one: your data is on
the partition <strong>inglenook-data</strong>, which <code>e2fsck</code> may mend. Have it copied first, and mend the
copy.</li>
</ol>
<p>Keep the old card until everything is back.</p>
</body>
</html>
"""
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Connection": "close",
}


class Page(BaseHTTPRequestHandler):
    """The same at every address."""

    timeout = PATIENCE_S
    server_version, sys_version = "Inglenook", ""

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(PAGE.encode())

    def log_message(self, *_: object) -> None:
        """Who looks is nobody's business."""

    def _answer(self, body: bytes) -> None:
        self.send_response(503)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(prog="inglenook-lost", description=__doc__)
    parser.add_argument("--screen", action="store_true", help="says it on the screen, and ends")
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the machine's files begin")
    said = parser.parse_args()
    if said.screen:
        sign.draw(said.root, ISSUE)
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the first process of a namespace ignores it otherwise
        serve(socket.socket(fileno=DOOR))


def serve(door: socket.socket) -> None:
    """Shows the page to whoever comes to a listening socket; it does not end."""
    with ThreadingHTTPServer(("", 0), Page, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = door
        server.serve_forever()


if __name__ == "__main__":
    main()
