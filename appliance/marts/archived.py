"""What lies in a store's archives, put back for a moment: so that sums are made of it as they are of any facts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from appliance import archiving
from appliance.errors import UserError
from appliance.store.database import Store
from appliance.store.models import Archive


@dataclass(frozen=True, slots=True)
class AllInPlace:
    """The archives of a store, whose folder is `folder`; in `left` those that cannot be read, and why."""

    store: Store
    folder: Path
    left: list[str] = field(default_factory=list)

    @contextmanager
    def put_back(self, connection: Connection) -> Iterator[None]:
        """While the facts of every archive are in the tables, in a transaction that writes; nothing of it stays."""
        detached = select(Archive.id).where(Archive.attached_us.is_(None)).order_by(Archive.id)
        with connection.begin_nested() as all_of_it:
            for number in connection.execute(detached).scalars().all():
                self._put_back(connection, number)
            yield
            all_of_it.rollback()

    def _put_back(self, connection: Connection, number: int) -> None:
        try:
            with connection.begin_nested():
                archiving.bring_back(connection, self.store, self.folder, number)
        except UserError as error:
            self.left.extend(f"archive {number} is missing in its sums: {problem}" for problem in error.problems)
