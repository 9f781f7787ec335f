"""`python -m tests.write_samples`: write again what samples are expected to give, and the schema of tariffs.

Read the difference afterwards.
"""

from pathlib import Path

from appliance import tariffs
from appliance.tariffs import format as tariff_file
from tests.contracts import importers


def main() -> None:
    for format_, sample in importers.all_samples():
        expected = importers.expectation(sample)
        text = importers.written(importers.extracted(format_, sample.read_bytes(), importers.stated(format_, sample)))
        if not expected.exists() or expected.read_text() != text:
            expected.write_text(text)
            print(expected)
    Path(tariffs.__file__).with_name(tariff_file.SCHEMA).write_text(tariff_file.schema_text())


if __name__ == "__main__":
    main()
