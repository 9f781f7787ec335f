"""Spans of time of meters that ask, by a clock that may be set back."""


def left_ms(since_ms: int, now_ms: int, span_ms: int) -> int:
    """What is left of a span that began then; nothing, where the clock was set back meanwhile."""
    passed_ms = now_ms - since_ms
    return span_ms - passed_ms if 0 <= passed_ms < span_ms else 0
