"""What a person reads when something cannot be done.

A `UserError` is shown as its problems, without a traceback. A bug is any other exception, and shows its traceback.
"""

from collections.abc import Iterable


class UserError(Exception):
    """One or more problems that a person can mend; each says what is wrong, where, and the next step."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class NotNowError(UserError):
    """Nothing is wrong with what was asked for, but it cannot be done now: the disk is full, the store is in use."""


class SourceError(Exception):
    """A source did not answer as it should; `permanent` says that trying again changes nothing.

    `retry_after_s` is how long it asks to be left alone, where it says so.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after_s: float | None = None) -> None:
        self.permanent, self.retry_after_s = permanent, retry_after_s
        super().__init__(message)


class AccessError(SourceError):
    """A source is there, and wants to be told more: who we are, or how the two of us trust each other."""
