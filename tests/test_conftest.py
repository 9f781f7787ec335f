"""The programs that the tests stand on really start, and are what the fixtures say."""

from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_postgresql_answers_on_its_socket_alone(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    with psycopg.connect(user=url.username, dbname=url.database, host=str(url.query["host"])) as connection:
        assert connection.execute("SHOW server_encoding").fetchall() == [("UTF8",)]
        assert connection.execute("SHOW listen_addresses").fetchall() == [("",)]


def test_chromium_runs_a_page_s_script(chromium: "Browser") -> None:
    with chromium.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.set_content("<p></p><script>document.querySelector('p').textContent = innerWidth</script>")
        assert page.inner_text("p") == "390"
