"""Stores that are there and whole, and do not open without their person."""

from appliance.errors import UserError


class LockedError(UserError):
    """The store opens by its passphrase alone, and none was said."""

    def __init__(self, store: str, problem: str = "") -> None:
        self.store = store
        super().__init__(
            problem
            or f"the store {store!r} is locked; say its passphrase (on a terminal you are asked for it; in a script: "
            "--passphrase-file FILE), or unlock it on the box's page"
        )


class AnotherBoxError(LockedError):
    """The store came from another box, whose key is not here: the recovery kit of its person opens it."""
