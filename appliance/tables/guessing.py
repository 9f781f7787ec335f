"""What a table looks like, by the names of its columns and by what is in them."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance import delimited
from appliance.delimited import Row
from appliance.tables import cells
from appliance.tables.layout import IN_WORDS, OUT_WORDS, READINGS, Layout, shape

MOST_SHOWN = 20
SAMPLED = 500
MOST_BEFORE_HEADER = 30
_NAMES: dict[str, str] = {
    "at": "date|datum|data|fecha|jour|buchungstag|buchungsdatum|booking ?date|transaction ?date|completed ?date"
    "|boekdatum|transactiedatum|date operation|day|timestamp|start|start ?time|van|from|started|when|datetime|zeit"
    "|van datum",
    "time": "time|tijd|uhrzeit|heure|hora|van tijdstip",
    "until": "end|end ?time|until|to|tot|bis|tot datum",
    "until_time": "tot tijdstip",
    "title": "description|descripcion|omschrijving|narrative|details|transaction|libelle|buchungstext|what|item"
    "|product",
    "party": "payee|name|naam|counterparty|merchant|begunstigde|begünstigter.*|auftraggeber.*|empfänger.*|tegenpartij"
    "|naam tegenpartij|beneficiary|paid to|name opposing account|beguenstigter.*",
    "amount": "amount|bedrag|betrag|montant|importe|importo|value|sum|total|umsatz|volume|consumption.*|verbrauch.*"
    "|verbruik|kwh|usage|amount .*|betrag .*|bedrag .*",
    "out": "paid out|money out|debit|debits|withdrawal|withdrawals|soll|af|uitgaven|debit amount|outflow",
    "in": "paid in|money in|credit|credits|deposit|deposits|haben|bij|inkomsten|credit amount|inflow",
    "sign": "af bij|debit/credit|dr/cr|soll/haben|type|credit debit|cd|d/c|bij/af|af/bij",
    "unit": "currency|währung|waehrung|munt|valuta|devise|unit|eenheid|einheit|ccy",
    "account": "account|account ?number|iban|konto|kontonummer|rekening|rekeningnummer|compte|sort code.*|ean.*|mpan"
    "|nmi",
    "memo": "memo|reference|ref|mededeling|mededelingen|verwendungszweck|notes|category|kommentar|remittance.*",
    "supplier_id": "id|transaction ?id|reference ?number|transactiereferentie|transaction ref.*|volgnr",
    "role": "register|direction",
    "quality": "validatiestatus|status|quality|estimated",
    "": "balance|saldo|solde|running balance|saldo na mutatie|available.*",
}
_BY_NAME = [(meaning, re.compile(names)) for meaning, names in _NAMES.items()]
_LOOKS = {
    "amount": cells.is_number,
    "out": cells.is_number,
    "in": cells.is_number,
    "time": cells.is_time,
    "until_time": cells.is_time,
}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a table looks like: its heading, its first rows, a layout, and what is uncertain about that."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    layout: Layout
    doubts: tuple[str, ...]

    @property
    def shape(self) -> str:
        return shape(self.header, self.layout.delimiter)


def guessed(head: bytes) -> Guess | None:
    """What the first bytes of a file look like; None where they are no table."""
    if b"\0" in head[:4096] and not delimited.encoding(head)[0].startswith("utf-16"):
        return None
    best: tuple[int, str, list[Row]] | None = None
    for mark in ",;\t|":
        found = [row for row in delimited.head_rows(head, mark) if not row.is_blank][: SAMPLED + MOST_BEFORE_HEADER]
        widths = Counter(len(row.cells) for row in found)
        if not widths:
            return None
        width, many = max(widths.items(), key=lambda each: (each[1] * (each[0] > 1), each[0]))
        if width > 1 and many > 1 and (best is None or many * width > best[0]):
            best = many * width, mark, found
    if best is None:
        return None
    _, mark, found = best
    return _guess(mark, found)


def _guess(mark: str, found: list[Row]) -> Guess | None:
    width = Counter(len(row.cells) for row in found).most_common(1)[0][0]
    start = next(place for place, row in enumerate(found) if len(row.cells) >= width)
    is_headed = not any(cells.is_day(cell) or cells.is_number(cell) for cell in found[start].cells if cell.strip())
    header = found[start] if is_headed else None
    rows = [row for row in found[start + is_headed :] if len(row.cells) >= width - 1]
    if not rows:
        return None
    names = tuple(cell.strip() for cell in header.cells) if header else tuple(f"Column {n + 1}" for n in range(width))
    columns = [
        [row.cells[place].strip() if place < len(row.cells) else "" for row in rows] for place in range(len(names))
    ]
    meanings = _meanings(names, columns, named=is_headed)
    days = [cell for place, meaning in enumerate(meanings) if meaning in ("at", "until") for cell in columns[place]]
    numbers = [
        cell for place, meaning in enumerate(meanings) if meaning in ("amount", "out", "in") for cell in columns[place]
    ]
    order, decimal = cells.order_of_all(days), cells.decimal_of_all(numbers)
    doubts = []
    if "at" in meanings and not order:
        doubts.append("Every date could be day first or month first: say which.")
    if {"amount", "out", "in"} & set(meanings) and not decimal:
        doubts.append("Every amount could have a decimal point or a thousands mark: say which.")
    layout = Layout(mark, header.line if header else 0, tuple(meanings), order=order, decimal=decimal)
    return Guess(names, tuple(rows[:MOST_SHOWN]), _of_what(layout, columns), tuple(doubts))


def _of_what(layout: Layout, columns: Sequence[Sequence[str]]) -> Layout:
    """Readings, where the table has an end of each interval or a register, and energy's units; else payments."""
    units = {cell.casefold() for cell in columns[layout.place("unit")]} if "unit" in layout.columns else set()
    if units & {"kwh", "wh", "m3", "m³"} or {"until", "role"} & set(layout.columns):
        roles = {}
        if (place := layout.place("role")) >= 0:
            roles = {word: _role(word) for word in sorted(set(columns[place])) if word}
        return dataclasses.replace(layout, kind=READINGS, roles=roles)
    sign = layout.sign
    if (place := layout.place("sign")) >= 0:
        words = {cell.casefold() for cell in columns[place] if cell}
        if words and words <= OUT_WORDS | IN_WORDS:
            sign = "by a word"
        else:
            layout = dataclasses.replace(
                layout, columns=tuple("memo" if each == "sign" else each for each in layout.columns)
            )
    return dataclasses.replace(layout, sign=sign)


def _role(word: str) -> str:
    """What a grid operator's word for a register measures, "" where it cannot be told."""
    said = word.casefold()
    flow = "export" if re.search(r"inject|teruglever|export|einspeis", said) else "import"
    if not re.search(r"afname|inject|import|export|bezug|einspeis|verbruik|levering", said):
        return ""
    tariff = (
        ".t1" if re.search(r"dag|hoog|day|peak|t1", said) else ".t2" if re.search(r"nacht|laag|night|t2", said) else ""
    )
    return f"electricity.{flow}{tariff}"


def _meanings(names: Sequence[str], columns: Sequence[Sequence[str]], *, named: bool) -> list[str]:
    """What each column may be: by its name where that says it, and always by what is in it."""
    found: list[str] = []
    for place, column in enumerate(columns):
        meaning = _named(names[place]) if named else None
        filled = [cell for cell in column if cell]
        if meaning in ("at", "until") and not _mostly(filled, cells.is_day):
            meaning = "time" if _mostly(filled, cells.is_time) else None
        elif meaning in _LOOKS and not _mostly(filled, _LOOKS[meaning]):
            meaning = None
        if meaning is None:
            meaning = _by_content(filled, found)
        if meaning in found and meaning not in ("", "memo", "field"):
            meaning = "field"
        found.append(meaning)
    if "title" not in found and "party" not in found and "memo" in found:
        found[found.index("memo")] = "title"
    if "amount" in found and {"out", "in"} <= set(found):
        found[found.index("amount")] = ""
    return found


def _named(name: str) -> str | None:
    said = re.sub(r"[^\w /]+", " ", delimited.plain(name)).strip()
    said = " ".join(said.split())
    return next((meaning for meaning, pattern in _BY_NAME if pattern.fullmatch(said)), None)


def _by_content(column: Sequence[str], found: Sequence[str]) -> str:
    if column and "at" not in found and _mostly(column, cells.is_day):
        return "at"
    if column and not {"amount", "out", "in"} & set(found) and _mostly(column, cells.is_money):
        return "amount"
    if column and _mostly(column, lambda cell: len(cell) > 3 and not cells.is_number(cell) and not cells.is_day(cell)):
        return "title" if "title" not in found else "memo"
    return "field"


def _mostly(column: Sequence[str], what: Callable[[str], bool]) -> bool:
    return bool(column) and sum(1 for cell in column if what(cell)) >= 0.9 * len(column)
