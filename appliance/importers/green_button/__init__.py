"""Green Button: energy readings as NAESB's ESPI XML, electricity, gas and water.

    <feed> <entry> <content> <IntervalBlock>
      <interval> <duration> <start> </interval>
      <IntervalReading>
        <ReadingQuality> <quality>1 </ReadingQuality>
        <timePeriod> <duration>2 <start>3 </timePeriod>
        <value>4

1 a code of QualityOfReading, 2 seconds, 3 seconds since 1970 UTC, 4 a whole number, to be multiplied by the power of
ten and read in the unit that the block's ReadingType states. Two passes: the first learns what each block belongs to
(`survey`, `series`), the second yields the readings (`readings`).

Source: NAESB REQ.21, Energy Services Provider Interface (ESPI) 3.3, espi.xsd.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap

from appliance.errors import UserError
from appliance.importers.green_button import units
from appliance.importers.green_button.readings import Reader
from appliance.importers.green_button.series import Directory
from appliance.importers.green_button.survey import Survey
from appliance.records import Item, Rejected, Span, Warned

TITLE = "Green Button energy readings"

_ESPI = re.compile(rb"[\"']http://naesb\.org/espi[\"']")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s]*<(?:\?xml|!--|[A-Za-z_])")


@dataclass(frozen=True)
class Options:
    """What a person states for a file that does not: the unit of its values, and what they measure."""

    unit: str = field(default="", metadata={"title": "Unit, where the file states none", "choices": units.UNIT_CHOICES})
    quantity: str = field(
        default="",
        metadata={"title": "What is measured, where the file does not say", "choices": units.QUANTITY_CHOICES},
    )

    def __post_init__(self) -> None:
        problems = [
            f"{name}={said!r} is not among the choices; write one of {', '.join(choices[1:])}"
            for name, said, choices in (
                ("unit", self.unit, units.UNIT_CHOICES),
                ("quantity", self.quantity, units.QUANTITY_CHOICES),
            )
            if said not in choices
        ]
        if not problems and (contradiction := units.contradiction(self.unit, self.quantity)):
            problems.append(contradiction)
        if problems:
            raise UserError(problems)


def identify(head: bytes, name: str) -> bool:
    """Whether it is XML that names ESPI's namespace. Names say nothing: these files are called .xml."""
    plain = head.replace(b"\0", b"")
    return bool(_MARKUP.match(plain) and _ESPI.search(plain))


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """A `Source` for each series' meter point and interval, its `Readings`, and a `Rejected` for each bad reading."""
    survey = Survey(data)
    if survey.refused:
        yield Rejected(Span(0, len(data)), 1, "file", f"{survey.refused}; fetch it again from your supplier")
        yield Warned(f"The file was not read: {survey.refused}.")
        return
    yield from Reader(data, survey, Directory(survey, options)).items()
