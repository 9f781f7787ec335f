"""Amounts in the index: as they are typed, and in bands by size. A band says nothing of the sign or the unit."""

from bisect import bisect_right

_UNIT_E6 = 1_000_000
BANDS = (0, 10, 100, 1_000, 10_000)  # what each band begins with, in the amount's unit
NO_BAND = -1
MOST_E6 = (1 << 63) - 1
_FINEST = 55


def text(amount_e6: int | None) -> str:
    """As in 12.50, without its sign."""
    if amount_e6 is None:
        return ""
    whole, rest = divmod(abs(amount_e6), _UNIT_E6)
    return f"{whole} {rest // 10_000:02}" if rest % 10_000 == 0 else f"{whole} {f'{rest:06}'.rstrip('0')}"


def band(amount_e6: int | None) -> int:
    """Which of `BANDS` an amount lies in."""
    return NO_BAND if amount_e6 is None else bisect_right(BANDS, abs(amount_e6) // _UNIT_E6) - 1


def span_e6(band: int) -> tuple[int, int]:
    """The lowest and the highest amount of a band."""
    return BANDS[band] * _UNIT_E6, BANDS[band + 1] * _UNIT_E6 - 1 if band + 1 < len(BANDS) else MOST_E6


def step(amount_e6: int) -> int:
    """A finer band: 0 below 1, then one for each leading digit, as 10 for 10 to 20; 55 from a million on."""
    whole = abs(amount_e6) // _UNIT_E6
    if not whole:
        return 0
    digits = str(whole)
    return min(9 * (len(digits) - 1) + int(digits[0]), _FINEST)


def band_of(step: int) -> int:
    """The band that a step lies in."""
    return min(max(step - 1, 0) // 9, len(BANDS) - 1) if step >= 0 else NO_BAND


def steps(lowest_e6: int, highest_e6: int) -> range:
    """The steps of a span of amounts."""
    return range(step(lowest_e6), step(highest_e6) + 1)


def cut_steps(lowest_e6: int, highest_e6: int) -> set[int]:
    """Those of them that lie only partly in the span."""
    ends = ((lowest_e6, lowest_e6 - 1), (highest_e6, highest_e6 + 1))
    return {step(inside) for inside, outside in ends if 0 <= outside <= MOST_E6 and step(inside) == step(outside)}
