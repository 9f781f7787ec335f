"""The numbers of meter points: what is mistyped is told by the check digit, where the number has one.

    MPAN  13 digits, Great Britain's electricity; 21 with the line above it on the bill
    MPRN   6 to 10 digits, Great Britain's gas
    EAN   18 digits, Belgium and the Netherlands (GSRN)
    NMI   10 letters and digits, Australia, and one for checking
    MaLo  11 digits, Germany

Others (Ireland, France, Austria, ...) are taken as they are.

Source: Elexon, BSCP 501 (MPAN: weights of primes, modulo 11 and 10); Xoserve, MPRN (modulo 11); GS1 General
Specifications, 7.9 (GSRN: modulo 10); AEMO, National Metering Identifier Procedure, appendix (checksum); BDEW,
Identifikatoren in der Marktkommunikation (MaLo-ID: modulo 10).
"""

import re

_PRIMES = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)
_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Z]{4,40}")
_BLANKS = re.compile(r"[\s.\-]+")


def read(text: str) -> str:
    """A number in its normal form, without blanks, of a long MPAN its core; ValueError says what is wrong with it."""
    number = _BLANKS.sub("", text).upper()
    if len(number) == 22 and number[0] == "S":
        number = number[1:]
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{text[:40]!r} is no number of a meter point; write its digits, such as 541448820041234561")
    if number.isdecimal() and len(number) == 21:
        number = number[8:]
    if not _may_be_right(number):
        raise ValueError(f"{text[:40]!r} has a digit that is mistyped; write it again as it stands on the bill")
    return number


def is_mprn(number: str) -> bool:
    """Whether a number has the check digits of a gas meter point in Great Britain."""
    body, check = number[:-2], number[-2:]
    if not number.isdecimal() or len(number) not in range(6, 11):
        return False
    return sum(int(digit) * weight for digit, weight in zip(body, range(len(body), 0, -1), strict=True)) % 11 == int(
        check
    )


def _may_be_right(number: str) -> bool:
    if len(number) == 11:
        is_irish = number.isdecimal() and number.startswith("10")
        return is_irish or _is_nmi(number) or _is_malo(number)
    if number.isdecimal() and len(number) == 13:
        return _is_mpan(number)
    if number.isdecimal() and len(number) == 18:
        return _modulo_10(number[:-1], 3, 1) == int(number[-1])
    return True


def _is_mpan(number: str) -> bool:
    total = sum(int(digit) * prime for digit, prime in zip(number, _PRIMES, strict=False))
    return total % 11 % 10 == int(number[12])


def _is_nmi(number: str) -> bool:
    """Each character's code, every second one doubled from the last on, and the digits of all of them added up."""
    if not number[-1].isdecimal():
        return False
    codes = [ord(each) * (2 if place % 2 == 0 else 1) for place, each in enumerate(reversed(number[:-1]))]
    total = sum(int(digit) for code in codes for digit in str(code))
    return -total % 10 == int(number[-1])


def _is_malo(number: str) -> bool:
    return number.isdecimal() and _modulo_10(number[:-1][::-1], 1, 2) == int(number[-1])


def _modulo_10(digits: str, last: int, before: int) -> int:
    """The check digit of digits weighed in turn, from the last one on."""
    weights = [last if place % 2 == 0 else before for place in range(len(digits))]
    return -sum(int(digit) * weight for digit, weight in zip(reversed(digits), weights, strict=True)) % 10
