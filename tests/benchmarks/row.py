"""One line of the table of budgets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured against its budget, both in `unit`; a budget is a ceiling (`at_most`) or else a floor.

    A row without a budget is there to be looked at. `peers` are the same measured of other programs in the same run,
    by name: None for one that is not installed; one that is not named does not do that job.
    """

    name: str
    measured: float
    budget: float | None
    unit: str
    at_most: bool = True
    peers: dict[str, float | None] | None = None

    @property
    def within(self) -> bool:
        """Whether the budget is kept; a measurement that is exactly the budget keeps it."""
        if self.budget is None:
            return True
        return self.measured <= self.budget if self.at_most else self.measured >= self.budget
