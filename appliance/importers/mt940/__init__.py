"""MT940 and MT942: SWIFT's customer statements, as banks hand them to customers, with what they say of each row.

    {1:F01BANKDEFFXXXX0000000000}{2:I940...}{4:   SWIFT's own frame, which most banks leave out
    :20:T089413946000001                     a statement begins
    :25:50880050/0194774600888               its account; :25P: has the bank's BIC on a second line
    :28C:00004/00001                         number of the statement / of its page
    :60F:D070903EUR1234718,36                what stood on it: debit or credit, day, currency, amount; :60M: on a page
    :61:0709040904CR300,NTRFREF//BANKREF     1 value day, 2 day booked, 3 what it does, 4 funds code, amount, 5 type,
    SUPPLEMENT                               6 the customer's reference // 7 the bank's, and a line of supplement
    :86:166?00GUTSCHRIFT?20SVWZ+RENT?32ANN   what it is: see `details`
    :62F:D070904EUR1237628,23                what stands on it now; :64: is what can be spent, :65: what is to come
    -                                        or -}

1 YYMMDD, 2 MMDD of the year that is nearest to it, 3 C or D, RC a credit taken back, RD a debit taken back, EC and ED
expected, 4 a letter, the third of the currency, 5 N, F or S and three characters, 6 and 7 NONREF where there is none.

An MT942 tells of the day so far: :34F: and :13D: in place of balances, and :90D: and :90C: count its rows, which is
checked. Its rows have the fields that the statement's will have, so their content, and with it their key, is the same:
the row that is booked is known by it, and is the pending one, booked. Where the bank words it otherwise then, ingest
still pairs what was pending with what is booked. An MT950 is an MT940 without :86:, and is read as one.

A row lies in its account on the day on which it was booked, or where that is not said on its value day. What a
statement's rows come to and what its balances differ by is compared, page by page.

The library mt-940 reads the same fields, and tests read with it beside this. It is not used: it keeps no place of a
row, stops at the first broken one, and counts what was taken back the wrong way round.

Source: SWIFT Standards MT, category 9, MT940, MT942 and MT950 format specifications.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.content import Data
from appliance.errors import UserError
from appliance.importers.mt940.statement import Reader
from appliance.records import Item

TITLE = "MT940 or MT942 bank statement"

ENCODINGS = ("", "cp437", "cp850", "cp852", "cp1250", "cp1251", "iso-8859-2", "iso-8859-15")
_HEAD = re.compile(rb"(?:\A|[\r\n]|\{4:)\s*:(?:20|21|25P?):")
_FIELDS = re.compile(rb"[\r\n]\s*:(?:60[FM]:[CD]\d{6}|61:\s*\d{6}|34F:[A-Z]{3}|62[FM]:[CD]\d{6})")


@dataclass(frozen=True)
class Options:
    """`encoding`: what the bank writes letters in, where that is neither UTF-8 nor Windows-1252."""

    encoding: str = field(
        default="", metadata={"title": "Encoding, where letters come out wrong", "choices": ENCODINGS}
    )

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise UserError(f"encoding={self.encoding!r}: write one of {', '.join(ENCODINGS[1:])}")


def identify(head: bytes, name: str) -> bool:
    """Whether a statement begins there and has one of its fields. Names say nothing."""
    return bool(_HEAD.search(head) and _FIELDS.search(head))


def extract(data: Data, options: Options) -> Iterator[Item]:
    """Each row with what is said of it, and the balances, in the file's order."""
    yield from Reader(data, options.encoding).items()
