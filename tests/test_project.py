"""What a newcomer relies on: locked packages that name no host, small files, and a README that tells the truth."""

import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MOST_LINES = 400

# In two parts, so that this file does not name them either.
REGISTRY_HOSTS = [
    re.compile(rf"\b{name}\.{domain}\b".encode())
    for name, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
    ]
]


@cache
def files() -> list[Path]:
    """The files that git tracks, or would if they were added now."""
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    # A clone that another user owns (in CI, say) is read all the same.
    listed = subprocess.run(["git", "-c", "safe.directory=*", *listing], cwd=ROOT, capture_output=True, check=True)
    paths = (ROOT / name for name in sorted(set(listed.stdout.decode().split("\0"))) if name)
    return [path for path in paths if path.is_file()]


@cache
def locked() -> list[tuple[str, str, str]]:
    """What requirements.lock pins: name, version and the rest of the entry. A name may have one version a Python."""
    entries = re.findall(r"^([\w.-]+)(?:\[[^]]*])?==([^\s;]+)(.*(?:\n +--hash.*)*)", lock_text(), re.MULTILINE)
    return [(canonicalize_name(name), version, rest) for name, version, rest in entries]


def lock_text() -> str:
    return (ROOT / "requirements.lock").read_text()


def test_no_file_names_a_package_registry_s_host() -> None:
    naming = [path for path in files() if any(host.search(path.read_bytes()) for host in REGISTRY_HOSTS)]
    assert naming == []


def test_front_end_packages_are_locked_by_hash_and_by_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert packages.pop("")["dependencies"] == wanted
    assert {name.removeprefix("node_modules/"): package["version"] for name, package in packages.items()} == wanted
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


@pytest.mark.parametrize("named", [*PYPROJECT["dependencies"], *PYPROJECT["optional-dependencies"]["dev"]])
def test_every_dependency_is_locked(named: str) -> None:
    requirement = Requirement(named)
    versions = [version for name, version, _ in locked() if name == canonicalize_name(requirement.name)]
    assert versions
    assert all(requirement.specifier.contains(version) for version in versions)


def test_every_locked_package_has_hashes() -> None:
    assert [name for name, _, rest in locked() if "--hash=sha256:" not in rest] == []
    entries = re.findall(r"^[^\s#].*", lock_text(), re.MULTILINE)
    assert len(locked()) == len(entries)


def test_no_file_is_too_long_to_read() -> None:
    code = [path for path in files() if path.relative_to(ROOT).parts[0] in {"appliance", "services"}]
    code = [path for path in code if path.suffix != ".css"]  # the design system stands in one
    lengths = {str(path.relative_to(ROOT)): path.read_bytes().count(b"\n") for path in code}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_the_readme_s_make_commands_exist() -> None:
    blocks = re.findall(r"^```.*?\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    mentioned = {target for block in blocks for target in re.findall(r"^make ([\w-]+)", block, re.MULTILINE)}
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"run", "test"} <= mentioned <= targets


def test_the_proofs_that_security_names_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", (ROOT / "SECURITY.md").read_text()))
    assert len(named) > 10
    assert {path for path in named if not (ROOT / path).exists()} == set()


LOADING = """
import importlib, pkgutil, appliance, services
for package in (appliance, services):
    for each in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if each.name.rpartition(".")[2] not in ("__main__", "env"):  # which are run and not loaded
            importlib.import_module(each.name)
"""


def test_every_module_does_without_docstrings_as_the_appliance_runs_it() -> None:
    done = subprocess.run([sys.executable, "-OO", "-c", LOADING], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
