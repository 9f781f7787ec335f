"""Real servers for tests, each on a free loopback port and in a folder of its own: Debian's nginx and Radicale."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.web import Web
from tests.mosquitto import free_port
from tests.p1_cable import until

INSTALL_NGINX = (
    "nginx is not installed; as root: apt-get install --no-install-recommends nginx-light libnginx-mod-http-dav-ext"
)
INSTALL_RADICALE = "radicale is not installed; as root: apt-get install --no-install-recommends radicale"
USER, PASSWORD = "ann", "a secret of cloud and sea"
_DAV_EXT = Path("/usr/lib/nginx/modules/ngx_http_dav_ext_module.so")


def nginx() -> Path | None:
    """The program here with its module for PROPFIND, or None. Debian keeps it off the PATH."""
    program = Path("/usr/sbin/nginx")
    return program if program.exists() and _DAV_EXT.exists() else None


def radicale() -> Path | None:
    found = shutil.which("radicale")
    return Path(found) if found else None


@dataclass(frozen=True)
class Files:
    """A WebDAV server of a folder."""

    address: str
    folder: Path


@contextmanager
def serving_files(program: Path, scratch: Path) -> Iterator[Files]:
    """nginx, with the folder `files` below `/dav/` for USER, and below `/open/` for everybody."""
    files = scratch / "files"
    files.mkdir()
    (scratch / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    port = free_port()
    temporary = " ".join(f"{kind}_temp_path {scratch / 'temporary'};" for kind in _TEMPORARY)
    (scratch / "nginx.conf").write_text(f"""
        load_module {_DAV_EXT};
        daemon off; master_process off; pid {scratch / "pid"}; error_log {scratch / "errors"};
        events {{}}
        http {{
            access_log off; client_max_body_size 64m; {temporary}
            server {{
                listen 127.0.0.1:{port};
                location /dav/ {{
                    alias {files}/; auth_basic home; auth_basic_user_file {scratch / "users"};
                    dav_methods PUT DELETE MKCOL; dav_ext_methods PROPFIND OPTIONS;
                }}
                location /open/ {{ alias {files}/; }}
            }}
        }}
        """)
    with _running([str(program), "-p", str(scratch), "-e", str(scratch / "errors"), "-c", "nginx.conf"], port):
        yield Files(f"http://127.0.0.1:{port}", files)


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Radicale:
    """A server of calendars and address books, and a program of USER's that changes them."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._web = Web()

    def make(self, name: str, title: str, *, is_calendar: bool) -> None:
        kind = "<C:calendar/>" if is_calendar else "<A:addressbook/>"
        body = (
            '<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
            f'xmlns:A="urn:ietf:params:xml:ns:carddav"><D:set><D:prop><D:resourcetype><D:collection/>{kind}'
            f"</D:resourcetype><D:displayname>{title}</D:displayname></D:prop></D:set></D:mkcol>"
        )
        self._ask("MKCOL", f"{name}/", body)

    def put(self, collection: str, item: str, text: str) -> None:
        self._ask("PUT", f"{collection}/{item}", text)

    def remove(self, collection: str, item: str) -> None:
        self._ask("DELETE", f"{collection}/{item}", "")

    def _ask(self, method: str, path: str, body: str) -> None:
        self._web.ask(method, f"{self.address}/{USER}/{path}", auth=(USER, PASSWORD), data=body.encode())


@contextmanager
def serving_collections(program: Path, scratch: Path) -> Iterator[Radicale]:
    (scratch / "users").write_text(f"{USER}:{PASSWORD}\n")
    port = free_port()
    (scratch / "config").write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {scratch / 'users'}\n"
        f"htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {scratch / 'collections'}\n"
        "[logging]\nlevel = error\n"
    )
    with _running([str(program), "--config", str(scratch / "config")], port):
        yield Radicale(f"http://127.0.0.1:{port}")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    """Runs a server until the block ends, from when it listens."""
    home = {**os.environ, "PYTHONPATH": ""}  # Debian's program, with Debian's modules
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=home) as process:
        try:
            until(lambda: process.poll() is not None or _listens(port), f"{command[0]} listens")
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not start: {process.communicate()[1].decode()}")
            yield
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
