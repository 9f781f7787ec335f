"""The tables of a store. Every store has all of them; `people` and `sessions` are used in the home store only.

Money is in 10^-6 of its unit, time in microseconds (records) or milliseconds (readings) since 1970 UTC. Arrays of
readings and rollups are pcodec streams of int64.
"""

from appliance.store.models.base import Table
from appliance.store.models.derived import (
    Attribute,
    EventFact,
    Link,
    ReferenceRow,
    ReferenceSet,
    RuleState,
    Verification,
)
from appliance.store.models.facts import (
    Change,
    ImportRow,
    Original,
    OriginalPart,
    RecordRow,
    Reject,
    Sighting,
    SourceRow,
)
from appliance.store.models.feeding import FeedRow, FetchRow
from appliance.store.models.household import Invitation, Person, Session, Setting
from appliance.store.models.keeping import (
    Archive,
    ArchivedFact,
    DeclaredKind,
    Deletion,
    Forgotten,
    Mart,
    Policy,
    Summary,
)
from appliance.store.models.noticing import MailerRow, NoticeRow
from appliance.store.models.readings import Chunk, Gap, RegisterStep, Rollup, Series, SpoolMark, Stale, Thinning
from appliance.store.models.searching import (
    SearchAmounts,
    SearchCodes,
    SearchGroup,
    SearchTally,
    SearchTerm,
    SearchWords,
)

__all__ = [
    "Archive",
    "ArchivedFact",
    "Attribute",
    "Change",
    "Chunk",
    "DeclaredKind",
    "Deletion",
    "EventFact",
    "FeedRow",
    "FetchRow",
    "Forgotten",
    "Gap",
    "ImportRow",
    "Invitation",
    "Link",
    "MailerRow",
    "Mart",
    "NoticeRow",
    "Original",
    "OriginalPart",
    "Person",
    "Policy",
    "RecordRow",
    "ReferenceRow",
    "ReferenceSet",
    "RegisterStep",
    "Reject",
    "Rollup",
    "RuleState",
    "SearchAmounts",
    "SearchCodes",
    "SearchGroup",
    "SearchTally",
    "SearchTerm",
    "SearchWords",
    "Series",
    "Session",
    "Setting",
    "Sighting",
    "SourceRow",
    "SpoolMark",
    "Stale",
    "Summary",
    "Table",
    "Thinning",
    "Verification",
]
