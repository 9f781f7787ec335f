"""One entry of a CAMT statement -> a fact: who paid whom, what for, and what else the bank says."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from appliance import parsing
from appliance.markup import Row
from appliance.records import Record, Span

Said = dict[str, list[str]]
"""What an element says, by path: an entry or one of its details."""

_SIGNS = {"CRDT": 1, "DBIT": -1}
_PENDING = frozenset({"PDNG", "FUTR"})
_NONE = frozenset({"NOTPROVIDED", "NONREF", "NOT PROVIDED", "N/A"})
_LONGEST, _LONGEST_PARTS = 2_000, 100_000
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")


def first(said: Said, *paths: str) -> str:
    """What stands on the first of these paths that says something; "" where none does."""
    for path in paths:
        if path in said:
            return said[path][0]
    return ""


def entry(row: Row, span: Span, account: str, currency: str) -> tuple[Record, str]:
    """The fact, and the entry's status; ValueError, with the reason for a person, where it is not certain."""
    said, details = _parted(row)
    detail = details[0] if len(details) == 1 else {}
    amount, unit = amount_of(said, currency)
    at = _booked(said, details)
    status = first(said, "Sts/Cd", "Sts/Prtry", "Sts").upper()
    is_reversed = first(said, "RvslInd").lower() in ("true", "1")
    info = _tidy(first(said, "AddtlNtryInf"))
    memo = " ".join(dict.fromkeys(filter(None, (*_told(detail), info))))
    code = _code(said) or _code(detail)
    party, fields = _party(detail, amount, is_reversed, account)
    fields |= _references(detail) | _exchanged(said, detail, unit)
    fields |= {
        "trntype": code,
        "dtavail": _day_beside(said, "ValDt", at),
        "dtuser": _day_beside(detail, "RltdDts/TxDtTm", at) or _day_beside(detail, "RltdDts/AccptncDtTm", at),
        "refnum": _reference(first(said, "NtryRef")),
        "reversal": "yes" if is_reversed else "",
        "status": "pending" if status in _PENDING else "" if status == "BOOK" else status.lower(),
        "charges": _amounts(said, _CHARGES) or _amounts(detail, _CHARGES),
        "interest": _amounts(said, _INTEREST) or _amounts(detail, _INTEREST),
        "purpose": _tidy(first(detail, "Purp/Cd", "Purp/Prtry")),
        "return_reason": _tidy(" ".join(_all(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/AddtlInf"))),
        "payments": first(said, "NtryDtls/Btch/NbOfTxs", "Btch/NbOfTxs") or (str(len(details)) if details[1:] else ""),
        "batch": _reference(first(said, "NtryDtls/Btch/PmtInfId", "Btch/PmtInfId")),
        "parts": _parts(details, amount, is_reversed, account) if details[1:] else "",
    }
    record = Record(
        kind="money.transaction",
        at=at,
        title=party or memo[:100] or ("Collection" if details[1:] else code) or "Transaction",
        span=span,
        party=party,
        account=account,
        amount=amount,
        unit=unit,
        memo=memo,
        supplier_id=_reference(first(said, "AcctSvcrRef") or first(detail, "Refs/AcctSvcrRef"))[:100],
        fields={name: value for name, value in fields.items() if value},
    )
    return record, status


# ---- an entry's parts ----


@lru_cache(maxsize=20_000)
def _place(path: str) -> tuple[bool, str]:
    """Whether a path lies in a detail, and the path from there. Version 1 has details beside the entry's own values."""
    bare = path.removeprefix("NtryDtls/")
    if bare.startswith("TxDtls"):
        return True, bare.removeprefix("TxDtls").removeprefix("/")
    return False, path


def _parted(row: Row) -> tuple[Said, list[Said]]:
    """What the entry says itself, and what each of its details does."""
    said: Said = {}
    details: list[Said] = []
    for path, text in row.values:
        is_detail, bare = _place(path)
        if text is None:
            details.append({})
        elif text:
            found = details[-1] if is_detail and details else said
            if bare in found:
                found[bare].append(text)
            else:
                found[bare] = [text]
    return said, details


def _all(said: Said, *paths: str) -> list[str]:
    return [text for path in paths for text in said.get(path, ())]


# ---- amounts and days ----


def amount_of(said: Said, currency: str) -> tuple[Decimal, str]:
    """The amount with its sign, and its currency; `currency` is the account's."""
    if "Amt" not in said:
        raise ValueError("it states no amount")
    text, sign = said["Amt"][0], _SIGNS.get(first(said, "CdtDbtInd").upper())
    if sign is None:
        raise ValueError("it says neither CRDT nor DBIT, so whether it came or went is not known")
    if text.startswith(("-", "+", "−")):
        raise ValueError(f"the amount {text[:40]!r} has a sign, and CRDT or DBIT beside it says another")
    return sign * parsing.amount(text) or Decimal(0), (first(said, "Amt@Ccy") or currency).strip().upper()


def moment(said: Said, path: str) -> date | datetime:
    """A day, or a time in the zone in which it was said; a time without a zone is only a day."""
    return _moment(first(said, f"{path}/Dt", f"{path}/DtTm", path))


@lru_cache(maxsize=8_192)
def _moment(text: str) -> date | datetime:
    try:
        if whole := _DAY.fullmatch(text):
            return date.fromisoformat(whole[1])
        if text[10:].startswith("T24:00"):
            return date.fromisoformat(text[:10])
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"the date {text[:40]!r} is not a day of the calendar" if text else "it states no date"
        ) from None
    return at if at.tzinfo else at.date()


def _booked(said: Said, details: list[Said]) -> date | datetime:
    """When it was booked, else when it counts, else when it was settled or made."""
    for path in ("BookgDt", "ValDt"):
        if f"{path}/Dt" in said or f"{path}/DtTm" in said or path in said:
            return moment(said, path)
    for detail in details:
        for path in ("RltdDts/IntrBkSttlmDt", "RltdDts/TxDtTm", "RltdDts/AccptncDtTm"):
            if path in detail:
                return moment(detail, path)
    raise ValueError("it states no date")


def _day_beside(said: Said, path: str, at: date | datetime) -> str:
    """A day that is another than the booking's, "" else."""
    try:
        other = moment(said, path)
    except ValueError:
        return ""
    day, booked = (each.date() if isinstance(each, datetime) else each for each in (other, at))
    return "" if day == booked else day.isoformat()


def _amounts(said: Said, paths: tuple[str, ...]) -> str:
    """Charges or interest: the total, else each."""
    for each in paths:
        if each in said:
            units = said.get(f"{each}@Ccy", [])
            units = units if len(units) == len(said[each]) else [""] * len(said[each])
            return "; ".join(_tidy(f"{text} {unit}") for text, unit in zip(said[each], units, strict=True))
    return ""


_CHARGES = ("Chrgs/TtlChrgsAndTaxAmt", "Chrgs/Rcrd/Amt", "Chrgs/Amt")
_INTEREST = ("Intrst/TtlIntrstAndTaxAmt", "Intrst/Rcrd/Amt", "Intrst/Amt")
_ORIGINALS = tuple(
    (f"AmtDtls/{each}/Amt@Ccy", f"AmtDtls/{each}/Amt", f"AmtDtls/{each}/CcyXchg/XchgRate")
    for each in ("InstdAmt", "TxAmt", "CntrValAmt", "AnncdPstngAmt")
)
_RATES = tuple(rate for _, _, rate in _ORIGINALS)


def _exchanged(said: Said, detail: Said, unit: str) -> dict[str, str]:
    """What the amount was in another currency, and the rate."""
    for whose in (detail, said):
        for currency, amount, rate in _ORIGINALS:
            if currency in whose and (original := whose[currency][0].upper()) != unit:
                return {
                    "origcurrency.cursym": original,
                    "origcurrency.amount": first(whose, amount),
                    "origcurrency.currate": first(whose, rate, *_RATES),
                }
    return {}


# ---- who, and what for ----


class _Paths:
    """Where details say what of a creditor or a debtor: in later versions of the messages, a party is in a Pty."""

    def __init__(self, role: str) -> None:
        of, account, agent = f"RltdPties/{role}", f"RltdPties/{role}Acct", f"RltdAgts/{role}Agt/FinInstnId"
        persons = (of, f"{of}/Pty")
        self.names = (*(f"{each}/Nm" for each in persons), f"{of}/Agt/FinInstnId/Nm")
        self.ultimate = tuple(f"RltdPties/Ultmt{role}{each}/Nm" for each in ("", "/Pty"))
        kinds = ("IBAN", "Othr/Id", "BBAN", "PrtryAcct/Id", "UPIC")
        self.account = (*(f"{account}/Id/{each}" for each in kinds), f"{account}/Prxy/Id")
        self.bank = tuple(f"{agent}/{each}" for each in ("BICFI", "BIC", "CmbndId/BIC", "ClrSysMmbId/MmbId", "Nm"))
        self.ids = tuple(f"{each}/Id/{id_}/Othr/Id" for each in persons for id_ in ("PrvtId", "OrgId"))
        self.lines = tuple(f"{each}/PstlAdr/AdrLine" for each in persons)
        self.street = tuple(f"{each}/PstlAdr/{part}" for each in persons for part in ("StrtNm", "BldgNb"))
        self.town = tuple(f"{each}/PstlAdr/{part}" for each in persons for part in ("PstCd", "TwnNm"))


_CREDITOR, _DEBTOR = _Paths("Cdtr"), _Paths("Dbtr")


def _number(detail: Said, role: _Paths) -> str:
    return _tidy(first(detail, *role.account)).replace(" ", "")


def _other(detail: Said, amount: Decimal, is_reversed: bool, account: str) -> _Paths:
    """Whether the other party is the creditor or the debtor: the one that is not this account; else, of money that
    went, the creditor. Of what is taken back, parties are those of the payment that it undoes."""
    went = (amount < 0) != is_reversed
    likely, other = (_CREDITOR, _DEBTOR) if went else (_DEBTOR, _CREDITOR)
    if account and _number(detail, likely) == account:
        return other
    if not first(detail, *likely.names) and first(detail, *other.names):
        return other if _number(detail, other) not in ("", account) else likely
    return likely


def _party(detail: Said, amount: Decimal, is_reversed: bool, account: str) -> tuple[str, dict[str, str]]:
    """The other party's name, and what else is said of it."""
    if not detail:
        return "", {}
    role = _other(detail, amount, is_reversed, account)
    ultimate = _tidy(first(detail, *role.ultimate))
    fields = {
        "bankacctto.acctid": _number(detail, role),
        "bankacctto.bankid": first(detail, *role.bank),
        "ultimate": ultimate,
        "creditor_id": _tidy(first(detail, *role.ids)),
        "payee.addr1": _tidy(" ".join(_all(detail, *role.lines) or _all(detail, *role.street))),
        "payee.city": _tidy(" ".join(_all(detail, *role.town))),
    }
    return _tidy(first(detail, *role.names)) or ultimate, fields


def _references(detail: Said) -> dict[str, str]:
    found = {
        "eref": first(detail, "Refs/EndToEndId"),
        "mref": first(detail, "Refs/MndtId"),
        "instruction": first(detail, "Refs/InstrId"),
        "checknum": first(detail, "Refs/ChqNb"),
        "transaction_id": first(detail, "Refs/TxId", "Refs/ClrSysRef"),
    }
    return {name: reference for name, text in found.items() if (reference := _reference(text))}


def _reference(text: str) -> str:
    text = _tidy(text)
    return "" if text.upper() in _NONE else text


def _told(detail: Said) -> list[str]:
    """What it was for, as it was written, and by its structured references."""
    return [_tidy(text) for text in _all(detail, *_WHAT_FOR)]


_WHAT_FOR = (
    "RmtInf/Ustrd",
    "RmtInf/Strd/CdtrRefInf/Ref",
    "RmtInf/Strd/CdtrRefInf/CdtrRef",
    "RmtInf/Strd/RfrdDocInf/Nb",
    "RmtInf/Strd/RfrdDocInf/RfrdDocNb",
    "RmtInf/Strd/AddtlRmtInf",
    "AddtlTxInf",
)


def _code(said: Said) -> str:
    """The bank's code of what it is: ISO's domain, family and sub-family, else the bank's own."""
    parts = (
        first(said, "BkTxCd/Domn/Cd"),
        first(said, "BkTxCd/Domn/Fmly/Cd"),
        first(said, "BkTxCd/Domn/Fmly/SubFmlyCd"),
    )
    return _tidy("/".join(filter(None, parts)) or first(said, "BkTxCd/Prtry/Cd"))


def _parts(details: list[Said], amount: Decimal, is_reversed: bool, account: str) -> str:
    """The details of a collection, one a line: amount, party, its account, what for, reference."""
    lines: list[str] = []
    length = 0
    for number, each in enumerate(details):
        sign = "" if first(each, "CdtDbtInd").upper() != ("DBIT" if amount > 0 else "CRDT") else "-"
        path = next((path for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt") if path in each), "Amt")
        party, fields = _party(each, amount, is_reversed, account)
        stated = f"{sign}{first(each, path)} {first(each, f'{path}@Ccy')}".strip()
        told = (
            stated,
            party,
            fields.get("bankacctto.acctid", ""),
            " ".join(_told(each)),
            _reference(first(each, "Refs/EndToEndId")),
        )
        line = " · ".join(filter(None, told))
        length += len(line) + 1
        if length > _LONGEST_PARTS:
            return "\n".join([*lines, f"and {len(details) - number} more, in the file"])
        lines.append(line)
    return "\n".join(lines)


def _tidy(text: str) -> str:
    return parsing.tidy(text)[:_LONGEST] if text else ""
