"""What field 86 says of a row: who the other party is, what it was for, and what else there is.

    166?00GUTSCHRIFT?109310?20EREF+R-7?21SVWZ+Rent Ma?22rch?30BANKDEFF?31DE12...?32Ann?33e Doe

German and Austrian banks, and some others with another mark in place of `?`: a code of three digits, then subfields: 00
the kind of posting, 10 a number of the bank's, 20 to 29 and 60 to 63 what it was for, 30 and 31 the other's bank and
account (38: IBAN), 32 and 33 the other's name. A subfield of 27 characters was cut, and goes on in the next. In what it
was for, SEPA's parts begin with EREF+, MREF+, SVWZ+ ...

    /TRTP/SEPA OVERBOEKING/IBAN/NL12.../BIC/BANKNL2A/NAME/A DOE/REMI/Rent March/EREF/R-7
    /EREF/R-7//CNTP/NL12.../BANKNL2A/A DOE/AMSTERDAM///REMI/USTD//Rent March/

Dutch banks (ABN AMRO, ING, Rabobank, Knab, bunq), and others by SWIFT's code words: each begins with /WORD/.

    SEPA OVERBOEKING                 IBAN: NL12...    BIC: BANKNL2A    NAAM: A DOE    OMSCHRIJVING: Rent March

ABN AMRO's older way. `:NS:` has lines of two digits and a text: 01 to 14 what it was for, 15 and 16 the name, 17 the
kind of posting, 33 and 34 bank and account. All else is plain text, whose lines of 65 characters were cut by the bank.

Source: Die Deutsche Kreditwirtschaft, DFÜ agreement, annex 3, 8.2.3; SWIFT Standards MT, code words; the format
descriptions of Rabobank (MT940 Structured), ABN AMRO and ING (MT940/MT942 Structured); StarMoney and Multicash (:NS:).
"""

import re
from dataclasses import dataclass, field

from appliance import parsing

_LINE = 65  # characters, as SWIFT cuts texts
_SUBFIELD = 27  # characters, as German banks cut them
_LONGEST = 2_000
_LONGEST_SAID = 20_000  # characters, where SWIFT allows 390
_NONE = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF", "EREF", "KREF+", "KREF", "PREF", "MARF", "UNST", "STRD"})
_IBAN = re.compile(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}")


@dataclass(slots=True)
class Told:
    """The other party, what it was for, and the rest by the names of `money.transaction`'s fields."""

    party: str = ""
    memo: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def told(said: str) -> Told:
    """What a field 86 says, in whichever way it is written."""
    said = said[:_LONGEST_SAID]
    if found := _GERMAN.match(said):
        return _german(_uncut(said), found[2], found[1] or "")
    if _WORD.match(said.lstrip()):
        return _by_words(_uncut(said))
    text = parsing.one_line(_joined(said))
    if len({each.upper() for each in _LABEL.findall(text)} & _NAMING) > 1:
        return _labelled(text)
    return Told(memo=text[:_LONGEST])


def reference(text: str) -> str:
    """A reference, "" where the text says that there is none, or that it stands elsewhere."""
    said = text.strip()[:100]
    return "" if said.upper() in _NONE else said


def is_iban(text: str) -> bool:
    """Whether a text looks like an account's international number."""
    return bool(_IBAN.fullmatch(text))


def _uncut(said: str) -> str:
    """Lines as one text: parts that have marks of their own are cut anywhere."""
    return parsing.one_line(said.replace("\r\n", "").replace("\n", "").replace("\r", ""))


def _joined(said: str) -> str:
    """Lines as one text: a line that is full was cut, and goes on with the next one's first character."""
    lines = [line for line in said.splitlines() if line.strip()]
    return "".join(line if len(line) >= _LINE else f"{line} " for line in lines)


# ---- subfields ----

_GERMAN = re.compile(r"\s*(\d{3})?\s*([?<>~^|@#$&*!%])(?=(?:[01]0|2\d|3[0-8]|6[0-3]))")
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP|RREF|IBAN|BIC)\+|(MTLG):")
_SEPA_FIELDS = {
    "EREF": "eref",
    "KREF": "refnum",
    "MREF": "mref",
    "CRED": "creditor_id",
    "DEBT": "creditor_id",
    "COAM": "charges",
    "OAMT": "origcurrency.amount",
    "ABWA": "ultimate",
    "ABWE": "ultimate",
    "PURP": "purpose",
    "RREF": "return_reason",
    "IBAN": "bankacctto.acctid",
    "BIC": "bankacctto.bankid",
}
_PURPOSE = (*(f"2{digit}" for digit in range(10)), *(f"6{digit}" for digit in range(4)))
_KNOWN = frozenset({*_PURPOSE, "00", "10", "30", "31", "32", "33", "34", "38"})


def _german(text: str, mark: str, code: str) -> Told:
    parts: dict[str, str] = {}
    pieces = _MARKS[mark].split(text)
    for number, value in zip(pieces[1::2], pieces[2::2], strict=True):
        piece = value if len(value) >= _SUBFIELD else f"{value} "
        parts[number] = parts[number] + piece if number in parts else piece
    purpose = "".join([parts[each] for each in _PURPOSE if each in parts])
    memo, sepa = _sepa(purpose) if "+" in purpose or "MTLG:" in purpose else (purpose.strip(), {})
    more = [value.strip() for number, value in parts.items() if number not in _KNOWN]
    posting = parts.get("00", "").strip()
    fields = {
        "gvc": code,
        "posting": posting,
        "primanota": parts.get("10", "").strip(),
        "textkey": parts.get("34", "").strip(),
        "bankacctto.bankid": parts.get("30", "").strip(),
        "bankacctto.acctid": (parts.get("38") or parts.get("31", "")).strip(),
    }
    fields |= {name: value for name, value in sepa.items() if not fields.get(name)}
    party = (parts.get("32", "") + parts.get("33", "")).strip()
    return Told(party, " ".join(filter(None, (memo, *more)))[:_LONGEST] or posting, fields)


_MARKS = {mark: re.compile(rf"{re.escape(mark)}(\d\d)") for mark in "?<>~^|@#$&*!%"}


def _sepa(purpose: str) -> tuple[str, dict[str, str]]:
    """What it was for, and SEPA's other parts."""
    pieces = _SEPA.split(purpose)
    memo, fields = [pieces[0].strip()], dict[str, str]()
    for name, message, value in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        said = value.strip()
        if message or name == "SVWZ":
            memo.append(said)
        elif said := reference(said):
            to = _SEPA_FIELDS[name]
            fields[to] = f"{fields[to]} {said}" if to in fields else said
    return " ".join(filter(None, memo)), fields


# ---- words between slashes ----

_WORDS = (
    "TRTP|IBAN|BBAN|BIC|NAME|REMI|EREF|KREF|MARF|CSID|ORDP|BENM|BENA|ISDT|PREF|IREF|CREF|ADDR|CITY|TRCD|RTRN|ACCW|ULTD|"
    "ULTB|ULTC|PURP|CNTP|EXCH|OCMT|CHGS|CDTRREFTP|CDTRREF|ID|PT|PY|INV"
)
_WORD = re.compile(rf"/({_WORDS})/")
_WORD_FIELDS = {
    "IBAN": "bankacctto.acctid",
    "BBAN": "bankacctto.acctid",
    "BIC": "bankacctto.bankid",
    "EREF": "eref",
    "MARF": "mref",
    "CSID": "creditor_id",
    "ULTD": "ultimate",
    "ULTB": "ultimate",
    "ULTC": "ultimate",
    "PURP": "purpose",
    "RTRN": "return_reason",
    "TRTP": "posting",
    "TRCD": "gvc",
    "PREF": "batch",
    "IREF": "instruction",
    "KREF": "refnum",
    "ADDR": "payee.addr1",
    "CITY": "payee.city",
    "OCMT": "origcurrency.amount",
    "EXCH": "origcurrency.currate",
    "CHGS": "charges",
    "ISDT": "dtuser",
}
_FOR = ("REMI", "PY", "CDTRREF", "CREF", "INV", "ORDP", "BENM", "BENA", "ACCW")
_SHORT = frozenset({"IBAN", "BBAN", "BIC", "OCMT", "EXCH", "CHGS", "ISDT", "TRCD"})
_KIND_OF_TEXT = re.compile(r"USTD//|STRD/[A-Z]{3}/|CD/")
_MONEY = re.compile(r"([A-Z]{3})([\d.,]+)")


def _by_words(text: str) -> Told:
    pieces = _WORD.split(text)
    parts: dict[str, str] = {}
    rest = [pieces[0].strip()]
    for name, value in zip(pieces[1::2], pieces[2::2], strict=True):
        said = value.strip("/ ")
        if name in _SHORT:
            said, _, more = said.partition("/")
            rest.append(more.strip("/ "))
        elif name in ("REMI", "PURP"):
            said = _KIND_OF_TEXT.sub("", said, count=1)
        if said:
            parts.setdefault(name, said.strip())
    memo = " ".join(filter(None, (*(parts[name] for name in _FOR if name in parts), *rest)))
    fields: dict[str, str] = {}
    for name, value in parts.items():
        if name in _WORD_FIELDS and (said := reference(value)):
            fields.setdefault(_WORD_FIELDS[name], said)
    if original := _MONEY.fullmatch(parts.get("OCMT", "")):
        fields["origcurrency.cursym"], fields["origcurrency.amount"] = original.groups()
    party = parts.get("NAME", "")
    if "CNTP" in parts:
        party = _counterparty(parts["CNTP"], fields) or party
    return Told(party, memo[:_LONGEST] or fields.get("posting", ""), fields)


def _counterparty(said: str, fields: dict[str, str]) -> str:
    """ING's account/bank/name/town; the name."""
    account, bank, name, town = [each.strip() for each in [*said.split("/", 3), "", "", ""][:4]]
    more = {"bankacctto.acctid": account, "bankacctto.bankid": bank, "payee.city": town.strip("/ ")}
    fields |= {key: value for key, value in more.items() if value}
    return name


# ---- words before colons ----

_LABEL = re.compile(r"\b(IBAN|REKENING|REK|BIC|NAAM|OMSCHRIJVING|KENMERK|MACHTIGING|INCASSANT)\s*:\s*", re.I | re.ASCII)
_NAMING = frozenset({"NAAM", "IBAN", "REK", "REKENING"})
_LABEL_FIELDS = {
    "IBAN": "bankacctto.acctid",
    "REK": "bankacctto.acctid",
    "REKENING": "bankacctto.acctid",
    "BIC": "bankacctto.bankid",
    "KENMERK": "eref",
    "MACHTIGING": "mref",
    "INCASSANT": "creditor_id",
}


def _labelled(text: str) -> Told:
    pieces = _LABEL.split(text)
    fields: dict[str, str] = {}
    party, memo = "", [pieces[0].strip()]
    for label, value in zip(pieces[1::2], pieces[2::2], strict=True):
        name, said = label.upper(), value.strip(" /")
        if name == "NAAM":
            party = party or said
        elif name == "OMSCHRIJVING":
            memo.append(said)
        elif said := reference(said):
            fields.setdefault(_LABEL_FIELDS[name], said)
    return Told(party, " ".join(filter(None, memo))[:_LONGEST], fields)


# ---- :NS: ----

_NS_LINE = re.compile(r"(?:\A|[\r\n]+)(\d\d)([^\r\n]*)")


def told_otherwise(said: str) -> Told:
    """What a field :NS: says."""
    parts: dict[int, str] = {}
    for number, value in _NS_LINE.findall(said[:_LONGEST_SAID]):
        parts.setdefault(int(number), parsing.tidy(value))
    memo = " ".join(filter(None, (parts.get(number, "") for number in range(1, 15))))
    party = " ".join(filter(None, (parts.get(15, ""), parts.get(16, ""))))
    posting = parts.get(17, "")
    fields = {"posting": posting, "bankacctto.bankid": parts.get(33, ""), "bankacctto.acctid": parts.get(34, "")}
    return Told(party, memo[:_LONGEST] or posting, fields)
