"""The days that a statement covers: what a bank lists whole, so that days between two statements are known to lack."""

from datetime import date, datetime

from appliance.records import Record, Span

KIND = "money.statement"


def covered(
    first: date | datetime, last: date | datetime, span: Span, *, account: str, account_key: str = "", unit: str = ""
) -> Record | None:
    """A statement's days, both included; None where it names no account, or ends before it begins."""
    begin, end = day(first), day(last)
    if not account or begin > end:
        return None
    return Record(
        kind=KIND,
        at=begin,
        title="Statement",
        span=span,
        account=account,
        account_key=account_key,
        unit=unit,
        fields={"until": end.isoformat()},
        detail=end.isoformat(),
    )


def day(at: date | datetime) -> date:
    """The day that is said, in the zone in which it was said."""
    return at.date() if isinstance(at, datetime) else at
