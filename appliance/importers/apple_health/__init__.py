"""Apple Health's export: `export.xml` of the archive that an iPhone writes of all that it and a watch measured.

    <HealthData locale="en_GB">
      <ExportDate value="2026-03-01 10:36:11 +0100"/>
      <Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch" device="..." unit="count/min"
              creationDate="..." startDate="2026-02-10 02:28:55 +0100"1 endDate="..." value="72">2
        <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>
        <HeartRateVariabilityMetadataList> <InstantaneousBeatsPerMinute bpm="71" time="2:28:55.10 AM"/> ...
      </Record>
      <Record type="HKCategoryTypeIdentifierSleepAnalysis" ... value="HKCategoryValueSleepAnalysisAsleepCore"/>3
      <Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="30" durationUnit="min" startDate=...>
        <WorkoutEvent> <WorkoutStatistics> <WorkoutRoute> <FileReference path="/workout-routes/....gpx"/> ...
      <ActivitySummary dateComponents="2026-02-10" activeEnergyBurned="320" activeEnergyBurnedUnit="Cal" .../>

1 in the offset of the phone when it exported, not when it measured; 2 a percentage is a part of 1; 3 what is no number
says itself in words.

Each Record, Workout, ActivitySummary, ClinicalRecord, Audiogram and VisionPrescription is one fact, with all that it
says but the version of its app. A Correlation (blood pressure, food) ties together Records that, as the file's own
document type says, stand in it by themselves as well: one that does, before or behind, is the same and counted once;
one that does not is counted too. Me says who the person is, which they say themselves (`me.about`). A number is kept to
the millionth, and as it is written where it has more decimals. The watch's routes and electrocardiograms are files
beside this one.

Source: the document type definition at the head of each export (HealthKit Export Version 11 to 14); Apple, HealthKit,
HKObjectType identifiers.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from appliance import markup
from appliance.importers.apple_health.facts import READERS, is_correlated
from appliance.markup import Broken, Row
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "Apple Health export"

_TIES = "Correlation"
_CHILDREN = (
    *("MetadataEntry", "InstantaneousBeatsPerMinute", "WorkoutEvent", "WorkoutStatistics", "WorkoutRoute", "Location"),
    *("FileReference", "WorkoutActivity", "SensitivityPoint", "LeftEye", "RightEye", "Attachment"),
)
_MOST_TIED = 200_000  # Records that may stand in a Correlation too; beyond that they surely do, as the type says
_MEND = "Export the data again on the phone, or leave this one out"


@dataclass(frozen=True)
class Options:
    """Nothing: an export says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether it is Apple's HealthData, and not the clinical document (`export_cda.xml`) beside it."""
    return markup.root(head) == "HealthData"


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each measurement, in the file's order."""
    del options
    yield Source("Apple Health", "Apple Health")
    yield from _Reader().items(pieces)


class _Reader:
    """One pass over a file: how many facts of each sort there were, and the Records that may be there twice."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(READERS, 0)
        self._alone: Counter[int] = Counter()
        self._tied: Counter[int] = Counter()
        self._notes = 0

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        for part in markup.rows(pieces, (*READERS, "MetadataEntry"), (_TIES,), _CHILDREN):
            if isinstance(part, Row):
                if part.name == "MetadataEntry":
                    self._notes += 1
                elif not (part.name == "Record" and is_correlated(part.attributes) and self._is_again(part)):
                    yield self._fact(part)
            elif isinstance(part, Broken):
                yield from self._broken(part)
        if not any(self._counts.values()):
            yield Warned("The export holds no measurements.")
        if self._notes:
            yield Warned(
                "What blood pressures and foods as a whole say beside their values, such as a food's name, is not "
                f"taken in ({self._notes} times); it is in the file."
            )

    def _fact(self, row: Row) -> Record | Rejected:
        self._counts[row.name] += 1
        span = Span(row.first, row.length)
        try:
            return READERS[row.name](row, span)
        except ValueError as error:
            where = f"{row.name} {self._counts[row.name]}"
            return Rejected(span, row.line, where, f"{error}. {_MEND}")

    def _is_again(self, row: Row) -> bool:
        """Whether a Record in a Correlation was met by itself already, or one by itself in a Correlation."""
        said = row.attributes
        key = hash(tuple(said.get(each, "") for each in ("type", "sourceName", "startDate", "endDate", "value")))
        is_tied = f"/{_TIES}/" in row.path
        met, others = (self._tied, self._alone) if is_tied else (self._alone, self._tied)
        if others[key] > 0:
            others[key] -= 1
            return True
        if len(met) < _MOST_TIED:
            met[key] += 1
            return False
        return is_tied

    def _broken(self, part: Broken) -> Iterator[Item]:
        if part.length:
            where = "the rest of the file" if part.is_final else "between two measurements"
            if part.row in self._counts:
                self._counts[part.row] += 1
                where = f"{part.row} {self._counts[part.row]}"
            yield Rejected(Span(part.first, part.length), part.line, where, f"{part.reason}. {_MEND}")
        if part.is_final:
            yield Warned(
                f"The export could be read up to line {part.line} and no further: {part.reason}. Export it again on "
                "the phone; what it has until there is taken in."
            )
