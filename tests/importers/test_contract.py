"""Every importer that is found, held to the contract with each of its samples."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import importers
from appliance.errors import UserError
from tests.contracts import importers as contract


@pytest.mark.parametrize("rule", contract.OF_A_FORMAT, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("format_", importers.names())
def test_every_format(format_: str, rule: Callable[[str], None]) -> None:
    rule(format_)


@pytest.mark.parametrize("rule", contract.OF_A_SAMPLE, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize(("format_", "sample"), contract.all_samples(), ids=lambda value: getattr(value, "name", value))
def test_every_sample(format_: str, sample: Path, rule: Callable[[str, Path], None]) -> None:
    rule(format_, sample)


def test_no_sample_lacks_its_importer() -> None:
    folders = {folder.name for folder in contract.SAMPLES.iterdir() if folder.is_dir()} - {"meters"}
    assert folders <= set(importers.names())


def test_an_unknown_format_is_told_with_those_that_exist() -> None:
    with pytest.raises(UserError, match="ofx"):
        importers.named("no such format")


def test_the_first_bytes_tell_the_format() -> None:
    for format_, sample in contract.all_samples():
        alone = importers.is_stated_only(importers.named(format_))
        assert importers.identified(sample.read_bytes(), sample.name) == (None if alone else format_)
    assert importers.identified(b"Date,Amount\n", "statement.csv") is None
