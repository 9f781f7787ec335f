"""The command as a person runs it, on a box of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import main


@dataclass
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Each line of stdout as its JSON object; there must be nothing else on it."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Box:
    """A data folder, and the command on it."""

    data: Path
    runner: CliRunner = field(default_factory=CliRunner)

    def run(self, *arguments: object, stdin: str | None = None) -> Said:
        """The command with `--data`; what would be a traceback is one here too."""
        return self.alone("--data", self.data, *arguments, stdin=stdin)

    def alone(self, *arguments: object, stdin: str | None = None) -> Said:
        """The command with nothing but these arguments."""
        result = self.runner.invoke(main, [str(each) for each in arguments], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def json(self, *arguments: object) -> list[dict[str, Any]]:
        """What it prints with `--json`, when all is well."""
        said = self.run("--json", *arguments)
        assert said.code == 0, said.err
        return said.rows


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box in which nothing is; the environment names no other."""
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    for name in ("INGLENOOK_DATA", "XDG_DATA_HOME", "INVOCATION_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    return Box(tmp_path / "box")


@pytest.fixture
def hosted(box: Box, database_url: str | None) -> Box:
    """The same, whose stores lie in encrypted files or on PostgreSQL: a test runs on both."""
    if database_url:
        box.data.mkdir(mode=0o700)
        (box.data / "inglenook.toml").write_text(f"[database]\nurl = {json.dumps(database_url)}\n")
    return box


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Makes a file for importing."""

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write
