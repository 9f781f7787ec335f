"""Investments in OFX: what was bought, sold, earned and moved, and what is held, with the names of the securities.

    <BUYMF> <INVBUY> <INVTRAN> <FITID> <DTTRADE>1 <DTSETTLE> <MEMO> </INVTRAN>
      <SECID> <UNIQUEID>2 <UNIQUEIDTYPE>CUSIP </SECID> <UNITS> <UNITPRICE> <COMMISSION> <TOTAL>3 ... </INVBUY> </BUYMF>
    <POSOPT> <INVPOS> <SECID> ... <UNITS> <UNITPRICE> <MKTVAL>4 <DTPRICEASOF>5 </INVPOS> </POSOPT>
    <SECLIST> <OPTINFO> <SECINFO> <SECID> <SECNAME>6 <TICKER> </SECINFO> <STRIKEPRICE>7 ... </OPTINFO> </SECLIST>

1 the day, 2 tells the security, 3 what it moved in the account: bought is less, sold is more, whatever sign a broker
writes (which is kept beside it), unless the trade takes one back, or the costs of a sale ate what it brought; what
moves no money (a transfer of units, a split, dividends reinvested at once, a move between sub-accounts) has no amount.
4 and 5 are the holding's value and day, 6 its name, 7 what else tells an option or a bond. A transaction around whose
INVTRAN stands no element that the specification has is rejected; a position without its own stands as one.

Source: OFX 2.2, sections 13.8.4 (SECINFO), 13.9.2.4 (transactions), 13.9.2.6 (INVPOS); 3.2.9.2 (signs).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from appliance import parsing
from appliance.content import Data
from appliance.importers.ofx.accounts import Account
from appliance.importers.ofx.elements import elements, moment
from appliance.importers.ofx.rows import RowError, stated, unit
from appliance.records import Record, Span

TRADES = ("BUYDEBT", "BUYMF", "BUYOPT", "BUYOTHER", "BUYSTOCK", "SELLDEBT", "SELLMF", "SELLOPT", "SELLOTHER",
          "SELLSTOCK", "CLOSUREOPT", "INCOME", "INVEXPENSE", "JRNLFUND", "JRNLSEC", "MARGININTEREST", "REINVEST",
          "RETOFCAP", "SPLIT", "TRANSFER")  # fmt: skip
POSITIONS = ("POSDEBT", "POSMF", "POSOPT", "POSOTHER", "POSSTOCK")
LONE = ("INVTRAN", "INVPOS")
"""What is in each of these: a row of its own where none of them is around it."""

_WORDS = {
    "CLOSUREOPT": "Option closed:",
    "INCOME": " ",
    "INVEXPENSE": "Expense of",
    "JRNLFUND": "Cash moved between sub-accounts",
    "JRNLSEC": "Moved between sub-accounts:",
    "MARGININTEREST": "Margin interest",
    "REINVEST": "Reinvested",
    "RETOFCAP": "Capital returned by",
    "SPLIT": "Split of",
    "TRANSFER": "Transferred",
}
_INCOME = {
    "CGLONG": "long-term gain of",
    "CGSHORT": "short-term gain of",
    "DIV": "dividend of",
    "INTEREST": "interest of",
    "MISC": "income from",
}
_CLOSED = {"EXERCISE": "Option exercised:", "ASSIGN": "Option assigned:", "EXPIRE": "Option expired:"}
_MOVES_NO_MONEY = frozenset({"CLOSUREOPT", "JRNLFUND", "JRNLSEC", "REINVEST", "TRANSFER"})
_SECINFO = re.compile(rb"<SECINFO\s*>|</SECLIST\s*>", re.I)
_LONGEST_SECURITY = 1 << 14  # bytes
_COSTS = ("commission", "fees", "load", "taxes", "withholding", "statewithholding", "penalty", "markdown")
_DETAILS = ("opttype", "strikeprice", "dtexpire", "shperctrct", "parvalue", "couponrt", "dtmat")
_PLACES = ("heldinacct", "postype", "inv401ksource")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


@dataclass(frozen=True, slots=True)
class Security:
    """What a file says of one security; `details` is what tells an option or a bond, by its names in OFX."""

    name: str = ""
    ticker: str = ""
    details: dict[str, str] = field(default_factory=dict)


def securities(data: Data, encoding: str) -> dict[str, Security]:
    """The securities of a file's SECLIST, by their unique ids."""
    found: dict[str, Security] = {}
    starts = list(_SECINFO.finditer(data))
    ends = [*(each.start() for each in starts[1:]), len(data)]
    for begin, end in zip(starts, ends, strict=False):
        last = min(end, begin.end() + _LONGEST_SECURITY)
        said = elements(parsing.decoded(data[begin.start() : last], encoding))
        if name := said.get("uniqueid"):
            details = {each: said[each] for each in _DETAILS if each in said}
            found.setdefault(name, Security(said.get("secname", ""), said.get("ticker", ""), details))
    return found


def trade(tag: str, said: dict[str, str], span: Span, account: Account, known: Mapping[str, Security]) -> Record:
    """A transaction of an investment account; RowError where it is not certain."""
    problems: dict[str, str] = {}
    at = stated(said, "dttrade", moment, problems)
    amount = _moved(tag, said, problems)
    if tag == "INVTRAN":
        raise RowError({"invtran": "it is of no sort that OFX has, so what it moved is not certain"})
    security, fields = _security(said, known)
    fields = {"action": tag} | fields | _numbers(said, problems)
    if problems:
        raise RowError(problems)
    return Record(
        kind="money.transaction",
        at=at,
        title=_title(tag, said, security),
        span=span,
        account=account.number,
        account_key=account.key,
        amount=amount,
        unit=unit(said) or account.currency,
        memo=said.pop("memo", ""),
        supplier_id=said.pop("fitid", ""),
        fields=account.fields | said | fields,
        detail="" if amount is not None else " ".join(filter(None, (fields.get("units"), said.get("total")))),
    )


def position(said: dict[str, str], as_of: str, span: Span, account: Account, known: Mapping[str, Security]) -> Record:
    """What is held of one security; RowError where it is not certain. `as_of` is the statement's day."""
    problems: dict[str, str] = {}
    said.setdefault("dtpriceasof", as_of)
    at = stated(said, "dtpriceasof", moment, problems)
    value = stated(said, "mktval", parsing.amount, problems) if "mktval" in said else None
    details = known.get(said.get("uniqueid", ""), Security()).details
    id_ = " ".join(said[each] for each in ("uniqueidtype", "uniqueid", *_PLACES) if each in said)
    security, fields = _security(said, known)
    if not security:
        problems["uniqueid"] = "it does not say what is held"
    fields |= _numbers(said, problems)
    if problems:
        raise RowError(problems)
    return Record(
        kind="money.holding",
        at=at,
        title=security,
        span=span,
        account=account.number,
        account_key=account.key,
        amount=value,
        unit=unit(said) or account.currency,
        memo=said.pop("memo", ""),
        supplier_id=id_,
        fields=account.fields | details | said | fields,
    )


def _title(tag: str, said: Mapping[str, str], security: str) -> str:
    """What was done, and with which security."""
    words = _WORDS.get(tag) or ("Bought" if tag.startswith("BUY") else "Sold")
    if tag in ("INCOME", "REINVEST"):
        income = _INCOME.get(said.get("incometype", "").upper(), _INCOME["MISC"])
        words = f"{words} {income}".strip()
    elif tag == "TRANSFER":
        words = f"{words} {said.get('tferaction', '').lower()}".strip()
    elif tag == "CLOSUREOPT":
        words = _CLOSED.get(said.get("optaction", "").upper(), words)
    title = f"{words} {security}" if security else words.removesuffix(":").removesuffix(" of").removesuffix(" from")
    return title[0].upper() + title[1:]


def _moved(tag: str, said: dict[str, str], problems: dict[str, str]) -> Decimal | None:
    """What a transaction moved in the account, in money; None where it moves none."""
    if tag in _MOVES_NO_MONEY:
        return None
    if tag == "SPLIT":
        return stated(said, "fraccash", parsing.amount, problems) if "fraccash" in said else None
    written = said.get("total", "")
    total = stated(said, "total", parsing.amount, problems)
    if total is None or "reversalfitid" in said:
        return total
    if not (_is_other_way(tag, total, said) and tag.startswith(("BUY", "SELL"))):
        return total
    said["total"] = written
    return -total


def _is_other_way(tag: str, total: Decimal, said: Mapping[str, str]) -> bool:
    """Whether the sign that is written is not what a purchase or a sale of that many moves."""
    is_given = said.get("units", "").startswith("-")
    if tag.startswith("BUY"):
        return total > 0 and not is_given
    units, price, per_unit = (_number(said, name) for name in ("units", "unitprice", "shperctrct"))
    is_eaten_by_costs = sum(_number(said, name) for name in _COSTS) > abs(units * price * (per_unit or 1))
    return total < 0 and is_given and not is_eaten_by_costs


def _number(said: Mapping[str, str], name: str) -> Decimal:
    """A number that is said; 0 where none is."""
    try:
        return parsing.number(said.get(name, ""))
    except ValueError:
        return Decimal(0)


def _security(said: dict[str, str], known: Mapping[str, Security]) -> tuple[str, dict[str, str]]:
    """The security's name, and its codes."""
    code, sort = said.pop("uniqueid", ""), said.pop("uniqueidtype", "").upper()
    security = known.get(code, Security())
    name = security.name or security.ticker or code
    is_isin = sort == "ISIN" or bool(_ISIN.fullmatch(code))
    fields = {
        "security": name,
        "symbol": security.ticker,
        "isin": code if is_isin else "",
        "cusip": code if sort == "CUSIP" and not is_isin else "",
        "uniqueid": "" if is_isin or sort == "CUSIP" else " ".join(filter(None, (sort, code))),
    }
    return name, {key: value for key, value in fields.items() if value}


def _numbers(said: dict[str, str], problems: dict[str, str]) -> dict[str, str]:
    """How many, and the price of one, without the zeros that brokers pad them with."""
    fields = {}
    for name, element in (("units", "units"), ("price", "unitprice")):
        if element in said and (plain := stated(said, element, _plain, problems)):
            fields[name] = plain
    return fields


def _plain(text: str) -> str:
    """A number in digits with a point. ValueError, with the reason for a person, where it is not certain."""
    plain = f"{parsing.number(text):f}"
    return plain.rstrip("0").rstrip(".") or "0" if "." in plain else plain
