"""Search in an encrypted store of a million facts: the first page with its counts, with nothing remembered."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median

from appliance.config import Config
from appliance.records import Record, Source, Span
from appliance.store import imports, records, sources
from appliance.store.database import HOME, Store, open_store
from appliance.store.query import Query
from appliance.store.timeline import Answer
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_config

MILLION, TENTH = 1_000_000, 100_000
BATCH = 20_000
ASKED_EACH = 7
NOISE_MS = 25  # half of the budget: what is quicker counts as this where two sizes are compared
FIRST_DAY, DAYS = date(2015, 1, 1), 3650
KINDS = ("money.transaction", "shop.purchase", "phone.call", "message")
SOURCES, ACCOUNTS = 20, 40
EXACT = "a word, between two amounts"  # no budget: of thousands of hits each amount is looked at
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu")


def _word(stem: str, number: int) -> str:
    return stem + "".join(SYLLABLES[int(digit)] for digit in f"{number:03}")


def _record(chance: random.Random, number: int, account: int) -> Record:
    """One word of each commonness: in all facts, and in one of 10, of 100, of 1,000 and of 10,000, and a number."""
    return Record(
        kind=KINDS[account % len(KINDS)],
        at=FIRST_DAY + timedelta(days=number * DAYS // BATCH),
        title=f"{_word('tenth', chance.randrange(10))} {_word('some', chance.randrange(100))}",
        account=f"A{account}",
        amount=Decimal(chance.randrange(-50_000, 20_000)) / 100,
        unit="EUR",
        memo=f"card {_word('few', chance.randrange(1_000))} rare{chance.randrange(10_000)} {chance.randrange(10**8)}",
        span=Span(0, 1),
    )


def build(config: Config, facts: int) -> float:
    """Fills the home store; facts a second, in transactions of 20,000."""
    chance = random.Random(1)
    start = time.perf_counter()
    with open_store(config, HOME, make=True) as store:
        for account in range(facts // BATCH):
            _fill(store, [_record(chance, number, account % ACCOUNTS) for number in range(BATCH)], account % SOURCES)
    return facts / (time.perf_counter() - start)


def _fill(store: Store, kept: list[Record], source: int) -> None:
    with store.write() as connection:
        number = imports.begin(
            connection, at_us=0, file="f", format="ofx", sha256=None, named_source="", options={}, retry_of=None
        )
        source_id = sources.id_of(connection, Source(f"source{source}"))
        rows = [records.row(each, source_id, number, 0, b"", "") for each in kept]
        for begin in range(0, len(rows), 5_000):
            records.add(connection, rows[begin : begin + 5_000])


Ask = Callable[[random.Random], Query]
QUESTIONS: dict[str, Ask] = {
    "no search": lambda chance: Query(),
    "no search, a kind and a year": lambda chance: Query(kind=chance.choice(KINDS), year=chance.randrange(2015, 2025)),
    "no search, an account": lambda chance: Query(account=f"A{chance.randrange(ACCOUNTS)}"),
    "a word in one fact": lambda chance: Query(search=f"{chance.randrange(10**7, 10**8)}"),
    "a word in 1 of 10,000": lambda chance: Query(search=f'"rare{chance.randrange(10_000)}"'),
    "a word in 1 of 1,000": lambda chance: Query(search=_word("few", chance.randrange(1_000))),
    "a word in 1 of 100": lambda chance: Query(search=_word("some", chance.randrange(100))),
    "a word in 1 of 10": lambda chance: Query(search=_word("tenth", chance.randrange(10))),
    "a word in all": lambda chance: Query(search="card"),
    "the beginning of a word": lambda chance: Query(search=_word("few", chance.randrange(1_000))[:7]),
    "the beginning of every fact's word": lambda chance: Query(search="tent"),
    "the beginning of a number": lambda chance: Query(search=f"{chance.randrange(1_000, 10_000)}"),
    "two common words": lambda chance: Query(search=f"card {_word('tenth', chance.randrange(10))}"),
    "two common words that never meet": lambda chance: Query(
        search=" ".join(_word("tenth", each) for each in chance.sample(range(10), 2))
    ),
    "two words that meet": lambda chance: Query(
        search=f"{_word('tenth', chance.randrange(10))} {_word('few', chance.randrange(1_000))}"
    ),
    "a common word, a source": lambda chance: Query(search="card", source=f"source{chance.randrange(SOURCES)}"),
    "a common word, a year, an amount": lambda chance: Query(
        search=_word("tenth", chance.randrange(10)), year=chance.randrange(2015, 2025), band=chance.randrange(3)
    ),
    EXACT: lambda chance: Query(
        search=_word("some", chance.randrange(100)), lowest=Decimal(chance.randrange(300)), highest=Decimal(400)
    ),
}


def measure(folder: Path) -> dict[str, float]:
    """Milliseconds by question: the middle one of some, each over a connection of its own."""
    chance = random.Random(2)
    found = {}
    with open_store(Config(folder)) as store:
        _ask(store, Query(search="first of the process"))
        for name, ask in QUESTIONS.items():
            found[name] = median(_ask(store, ask(chance)) for _ in range(ASKED_EACH))
    return found


def _ask(store: Store, query: Query) -> float:
    store.engine.dispose()
    start = time.perf_counter()
    with store.read() as connection:
        answer = Answer(connection, query)
        answer.page(50)
        _ = answer.count, answer.counts
    return (time.perf_counter() - start) * 1000


def _asked(config: Config) -> dict[str, float]:
    asked = [sys.executable, "-m", "tests.benchmarks.bench_search", str(config.data)]
    found: dict[str, float] = json.loads(subprocess.run(asked, check=True, capture_output=True).stdout)
    return found


def rows() -> list[Row]:
    with scratch_config() as config:
        build(config, TENTH)
        tenth = _asked(config)
    with scratch_config() as config:
        speed = build(config, MILLION)
        million = _asked(config)
        size = sum(path.stat().st_size for path in (config.stores / HOME).glob("store.db*"))
    slower = {name: max(ms, NOISE_MS) / max(tenth[name], NOISE_MS) for name, ms in million.items() if name != EXACT}
    worst = max(slower, key=slower.__getitem__)
    return [
        *(
            Row(f"Search in a million facts: {name}", ms, None if name == EXACT else 50, "ms")
            for name, ms in million.items()
        ),
        Row(f"Of ten times the facts, what slows most: {worst}", slower[worst], 1.2, "times as slow"),
        Row("Facts stored and indexed, a million in all", speed, None, "a second"),
        Row("A fact at rest, indexed", size / MILLION, None, "bytes"),
    ]


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
