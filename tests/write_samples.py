"""`python -m tests.write_samples`: write again what each sample is expected to give. Read the difference afterwards."""

from tests.contracts import importers


def main() -> None:
    for format_, sample in importers.all_samples():
        expected = importers.expectation(sample)
        text = importers.written(importers.extracted(format_, sample.read_bytes(), importers.stated(format_, sample)))
        if not expected.exists() or expected.read_text() != text:
            expected.write_text(text)
            print(expected)


if __name__ == "__main__":
    main()
