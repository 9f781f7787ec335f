"""The stores that the dashboard has open, and the keys of locked ones while their people use them."""

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import TypeVar
from zoneinfo import ZoneInfo

from appliance import retention
from appliance.config import Config
from appliance.deleting import Report
from appliance.errors import UserError
from appliance.ingest import taking
from appliance.store.database import HOME, NewerStoreError, Store, change_key, open_store
from appliance.store.keys import KeyRing, LockedError

log = logging.getLogger(__name__)

Done = TypeVar("Done")

UNUSED_S = 30 * 60.0
LOOK_S = 60.0


class Stores:
    """Open stores by name: opening one derives keys and migrates, so each is opened once and kept.

    A locked store's key is here alone, in memory: from its person's passphrase until they lock it, sign out on any of
    their devices, or leave it unused for half an hour.
    """

    def __init__(self, config: Config, now: Callable[[], float] = time.monotonic) -> None:
        self._config, self._now, self.ring = config, now, KeyRing(config.data)
        self._open: dict[str, Store] = {}
        self._used_at: dict[str, float] = {}
        self._changing: set[str] = set()
        self._opening: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    @property
    def home(self) -> Store:
        """The household's own store, made where this box is new."""
        return self.named(HOME)

    def named(self, name: str) -> Store:
        """LockedError where its person has not unlocked it, or left it unused for too long."""
        if (found := self._found(name)) is not None:
            return found
        with self._lock:
            opening = self._opening.setdefault(name, threading.Lock())
        with opening:  # a store that waits for a process elsewhere keeps nobody from another one
            if (found := self._found(name)) is None:
                found = open_store(self._config, name, make=name == HOME)
                with self._lock:
                    self._open[name], self._used_at[name] = found, self._now()
        return found

    def _found(self, name: str) -> Store | None:
        with self._lock:
            self._shut_unused()
            if name in self._changing:
                raise UserError(f"the store {name!r} is getting a new key at this moment; try again when that is done")
            if name in self._open:
                self._used_at[name] = self._now()
            return self._open.get(name)

    def unless_shut(self, name: str) -> Store | None:
        """The store, or None while it is locked, or where only a newer Inglenook opens it."""
        try:
            return self.named(name)
        except (LockedError, NewerStoreError):
            return None

    def is_unlocked(self, name: str) -> bool:
        """Whether a locked store is open at this moment."""
        return name in self._open and self._is_locked(name)

    def _is_locked(self, name: str) -> bool:
        """Whether its key is one that goes again, as it is where nobody can tell; a store that was deleted has none."""
        try:
            return name in self.ring.store_names() and self.ring.facts(name).is_locked
        except (UserError, OSError) as error:
            log.warning("%s", error)
            return True

    def unlock(self, name: str, passphrase: str) -> None:
        """Opens a locked store. UserError where it stays locked."""
        self._keep(name, open_store(self._config, name, passphrase=passphrase))

    def take_waiting(self, name: str) -> int:
        """Imports what came while a store was locked, and then sees to what is old in it, which nobody waits for; how
        many files are in it now."""
        store = self.named(name)
        count = len(taking.take_waiting(self._config, store))
        threading.Thread(target=self._keep_no_longer, args=(store,), daemon=True).start()
        return count

    def _keep_no_longer(self, store: Store) -> None:
        """What the scheduler does every night in stores that it can open."""
        try:
            zone = ZoneInfo(self._config.zone or "UTC")
            for said in retention.run_unlocked(store, self._config.stores / store.name, zone):
                log.info("%s: %s", store.name, said)
        except Exception:  # it is shut meanwhile, or a bug: the person reads on, and the next unlocking tries again
            log.exception("%s: what is old was not seen to", store.name)

    def _keep(self, name: str, store: Store) -> None:
        with self._lock:
            before, self._open[name] = self._open.get(name), store
            self._used_at[name] = self._now()
        if before is not None:
            before.close()
        self.watch()

    def shut(self, name: str) -> None:
        """Forgets the key of a locked store; any other stays open."""
        with self._lock:
            if name in self._open and self._is_locked(name):
                self._open.pop(name).close()

    def change_key(self, name: str, passphrase: str | None) -> list[str]:
        """Another key for a store, which nobody can use meanwhile; the words of its new kit."""
        with self._lock:
            self._changing.add(name)
            opened = self._open.pop(name, None)
        try:
            if opened is not None:
                opened.close()
            words = change_key(self._config, name, passphrase)
            reopened = open_store(self._config, name, passphrase=passphrase)
        finally:
            with self._lock:
                self._changing.discard(name)
        self._keep(name, reopened)
        return words

    def delete(self, name: str, work: Callable[[], Report]) -> Report:
        """Has a store deleted, which nobody can use meanwhile, nor after."""
        return self.replace([name], work)

    def replace(self, names: Collection[str], work: Callable[[], Done]) -> Done:
        """Does something with stores that nobody can use meanwhile."""
        with self._lock:
            self._changing.update(names)
            opened = [self._open.pop(name) for name in names if name in self._open]
        try:
            for each in opened:
                each.close()
            return work()
        finally:
            with self._lock:
                self._changing.difference_update(names)

    def _shut_unused(self) -> None:
        for name in [each for each, at in self._used_at.items() if self._now() - at > UNUSED_S]:
            if name in self._open and self._is_locked(name):
                self._open.pop(name).close()

    def watch(self) -> None:
        """Looks once a minute after the locked stores that are open: no request may come that would shut them."""
        with self._lock:
            if self._timer is None and any(self._is_locked(name) for name in self._open):
                self._timer = threading.Timer(LOOK_S, self._look)
                self._timer.daemon = True
                self._timer.start()

    def _look(self) -> None:
        with self._lock:
            self._timer = None
            self._shut_unused()
            unlocked = [store for name, store in self._open.items() if self._is_locked(name)]
        for store in unlocked:
            taking.take_waiting(self._config, store)
        self.watch()

    def close(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            while self._open:
                self._open.popitem()[1].close()
