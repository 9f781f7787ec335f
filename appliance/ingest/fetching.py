"""One fetch of a feed: what its connector brings is imported, and what it keeps is kept with each file.

A fetch can be cut off at any moment and begun again: what was imported is not imported twice, and what was not comes
again. How it went is one transaction with when the feed is due next.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from appliance import connectors
from appliance.config import options_from
from appliance.connectors import Connector, Fetched
from appliance.content import WHOLE_BYTES, Content
from appliance.errors import NotNowError, SourceError, UserError
from appliance.ingest import importing
from appliance.store import feeds
from appliance.store.database import Store
from appliance.store.feeds import Feed, Sealed
from appliance.store.imports import Report

if TYPE_CHECKING:
    from appliance.web import Web

FIRST_WAIT_S, LONGEST_WAIT_S = 300, 86_400
MOST_REMARKS = 10
SMALL_BYTES, KEEP_S = 1 << 16, 10.0
JITTER = 0.1
LONGEST_JITTER_S = 900
SHORTEST_RHYTHM_S, LONGEST_RHYTHM_S = 300, 366 * 86_400
GIVEN_AGAIN = "its password or token is not here (an export holds none): give it again"

Told = Callable[[int, str], None]
"""Is told how many files were fetched so far, and the name of the one that is read."""


class Cancelled(BaseException):
    """A person ended the fetch."""


def add(
    store: Store,
    name: str,
    connector: str,
    said: Mapping[str, Any],
    rhythm_s: int | None = None,
    now_us: int | None = None,
) -> Feed:
    """A new feed, due at once. UserError with all that is wrong with what was said."""
    module = connectors.named(connector)
    checked = _checked(module, connector, said)
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise UserError("give the feed a name of 1 to 100 letters, such as: my bank")
    secret = _secrets(module)
    with store.write() as connection:
        feed_id = feeds.add(
            connection,
            store.key,
            name,
            connector,
            {key: value for key, value in checked.items() if key not in secret},
            {key: value for key, value in checked.items() if key in secret},
            _rhythm(rhythm_s, module.RHYTHM_S),
            _now_us() if now_us is None else now_us,
        )
        return needed(feeds.one(connection, feed_id))


def change(store: Store, feed: Feed, said: Mapping[str, Any], rhythm_s: int | None = None) -> Feed:
    """Changes what a person stated; a secret that is not said again stays. It is due at once."""
    module = connectors.named(feed.connector)
    with store.write() as connection:
        before = feeds.sealed(connection, store.key, feed)
        checked = _checked(module, feed.connector, {**feed.options, **before.secrets, **said})
        secret = _secrets(module)
        feeds.seal(
            connection, store.key, feed, Sealed({key: checked[key] for key in checked if key in secret}, before.kept)
        )
        feeds.change(
            connection,
            feed.id,
            options={key: value for key, value in checked.items() if key not in secret},
            rhythm_s=_rhythm(rhythm_s, feed.rhythm_s),
            stopped="",
            failures=0,
            next_us=_now_us(),
        )
        return needed(feeds.one(connection, feed.id))


def _checked(module: Connector, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, as the connector's options take it; only what is another value than where nothing is said."""
    options = options_from(module.Options, said, name)
    return {each.name: getattr(options, each.name) for each in fields(options) if each.name in said}


def _secrets(module: Connector) -> set[str]:
    return {each.name for each in fields(module.Options) if each.metadata.get("secret")}


def _rhythm(said: int | None, otherwise: int) -> int:
    if said is not None and not SHORTEST_RHYTHM_S <= said <= LONGEST_RHYTHM_S:
        raise UserError(f"a feed is fetched at most every {SHORTEST_RHYTHM_S // 60} minutes and at least once a year")
    return otherwise if said is None else said


def stated(store: Store, feed: Feed) -> tuple[Connector, Any, Sealed]:
    """A feed's connector, what was stated for it, and what is sealed; SourceError where that cannot be fetched with."""
    try:
        module = connectors.named(feed.connector)
        with store.read() as connection:
            sealed = feeds.sealed(connection, store.key, feed)
        if _secrets(module) and not feed.is_sealed:
            raise SourceError(GIVEN_AGAIN, permanent=True)
        return module, options_from(module.Options, {**feed.options, **sealed.secrets}, feed.connector), sealed
    except UserError as error:  # of another version of Inglenook, say
        raise SourceError(" ".join(error.problems), permanent=True) from None


def needed(feed: Feed | None) -> Feed:
    if feed is None:
        raise UserError("this feed was taken away meanwhile")
    return feed


def fetch(
    store: Store, feed_id: int, *, zone: str | None = None, told: Told | None = None, web: "Web | None" = None
) -> feeds.Fetch:
    """Fetches what is new, and says how it went; what went wrong is in it, and not raised. Raises Cancelled."""
    from appliance.web import Web  # large, and not needed all day

    with store.write() as connection:
        feed = needed(feeds.one(connection, feed_id))
        fetch_id = feeds.begin_fetch(connection, feed_id, _now_us())
    run = _Fetch(store, feed, zone, told or (lambda files, name: None))
    state, message, stopped, wait_s = feeds.DONE, "", "", None
    try:
        run.run(web or Web())
        message = run.words()
    except SourceError as error:
        state = feeds.STOPPED if error.permanent else feeds.WAITING
        message, stopped = ". ".join(filter(None, (str(error), run.words()))), str(error) if error.permanent else ""
        wait_s = None if error.permanent else _wait_s(feed, error.retry_after_s)
    except UserError as error:
        state, message, wait_s = feeds.WAITING, " ".join(error.problems), _wait_s(feed, None)
    except Cancelled:
        _end(store, feed, fetch_id, run, feeds.CANCELLED, "A person ended it.", "", None)
        raise
    except Exception as error:
        problem = f"a fault of Inglenook itself ({type(error).__name__}); it is tried again later"
        _end(store, feed, fetch_id, run, feeds.WAITING, problem, "", _wait_s(feed, None))
        raise
    return _end(store, feed, fetch_id, run, state, message, stopped, wait_s)


def _end(
    store: Store, feed: Feed, fetch_id: int, run: "_Fetch", state: str, message: str, stopped: str, wait_s: float | None
) -> feeds.Fetch:
    now_us = _now_us()
    next_us = now_us + round((_jittered(feed.rhythm_s) if wait_s is None else wait_s) * 1_000_000)
    failures = 0 if wait_s is None else feed.failures + 1
    with store.write() as connection:
        feeds.end_fetch(
            connection, fetch_id, state=state, message=message, ended_us=now_us, imports=run.imports, **run.counts
        )
        feeds.change(connection, feed.id, next_us=next_us, stopped=stopped, failures=failures)
        return feeds.fetches(connection, feed.id, 1)[0]


def _jittered(rhythm_s: float) -> float:
    """A little later or earlier each time, so that a thousand boxes do not ask one server at the same second."""
    return rhythm_s + random.uniform(-1, 1) * min(rhythm_s * JITTER, LONGEST_JITTER_S)  # noqa: S311 - no secret


def _wait_s(feed: Feed, asked_s: float | None) -> float:
    """Longer after each failure, up to a day, and never sooner than the service asks for."""
    waited = min(FIRST_WAIT_S * 2 ** min(feed.failures, 20), LONGEST_WAIT_S, max(feed.rhythm_s, FIRST_WAIT_S))
    return max(_jittered(waited), min(asked_s or 0, LONGEST_RHYTHM_S))


def _now_us() -> int:
    return time.time_ns() // 1000


class _Fetch:
    """One fetch under way, and what it came to so far."""

    def __init__(self, store: Store, feed: Feed, zone: str | None, told: Told) -> None:
        self.store, self.feed, self.zone, self.told = store, feed, zone, told
        self.imports: list[int] = []
        self.unread: list[str] = []
        self.remarks: dict[str, None] = {}
        self._unkept: dict[str, Any] | None = None
        self._kept_bytes, self._kept_s = 0, 0.0
        self.counts = dict.fromkeys(("files", "read", "stored", "duplicate", "rejected"), 0)

    def run(self, web: "Web") -> None:
        module, options, sealed = stated(self.store, self.feed)
        try:
            for fetched in module.fetch(options, sealed.kept, web):
                if fetched.content is not None:
                    self.told(self.counts["files"], fetched.content.name)
                    self._import(fetched.content, fetched)
                self._remark(fetched.remark)
                self._keep(fetched)
        finally:
            self._seal()

    def _keep(self, fetched: Fetched) -> None:
        """Keeps it at once while it is small, and where it may hold a token; else now and then: what a cut makes come
        again is known by its content.
        """
        self._unkept = dict(fetched.kept)
        is_small = self._kept_bytes < SMALL_BYTES or fetched.content is None
        if is_small or time.monotonic() - self._kept_s > KEEP_S:
            self._seal()

    def _seal(self) -> None:
        if self._unkept is None:
            return
        kept, self._unkept = self._unkept, None
        with self.store.write() as connection:  # a person may have given another password meanwhile
            before = feeds.sealed(connection, self.store.key, self.feed)
            self._kept_bytes = feeds.seal(connection, self.store.key, self.feed, Sealed(before.secrets, kept))
        self._kept_s = time.monotonic()

    def _import(self, content: Content, fetched: Fetched) -> None:
        done = importing.import_every(
            self.store, content, source=fetched.source, format=fetched.format, options=fetched.options, zone=self.zone
        )
        self.counts["files"] += 1
        for report in done.reports:
            self._count(report)
        for problem in done.problems:
            if isinstance(problem, NotNowError):
                raise problem
            if isinstance(problem, importing.UnknownFormatError):
                self.unread.append(content.name)
            else:
                self._remark(f"Not read: {problem}.")
            if content.size <= WHOLE_BYTES and not done.reports:
                self.imports.append(importing.keep_refused(self.store, content, str(problem)).id)

    def _remark(self, remark: str) -> None:
        if remark and len(self.remarks) < MOST_REMARKS:
            self.remarks[remark] = None

    def _count(self, report: Report) -> None:
        self.imports.append(report.id)
        for name in ("read", "stored", "duplicate", "rejected"):
            self.counts[name] += getattr(report, name)

    def words(self) -> str:
        """What a person should know of a fetch that went well."""
        said = list(self.remarks)
        if self.unread:
            more = f" and {len(self.unread) - 3} more" if len(self.unread) > 3 else ""
            said.insert(0, f"In no format that this box knows: {', '.join(self.unread[:3])}{more}.")
        return " ".join(said)
