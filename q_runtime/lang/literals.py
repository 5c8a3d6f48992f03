"""Numeric and temporal literals: one word of text to a type number and a raw value.

Shared by the tokenizer and by parsing with `$`. Returns None for text that is not a literal.
"""

from __future__ import annotations

import re
from datetime import date

from q_runtime.values import qtypes as qt

_SPECIAL = re.compile(r"-?0(N|W|w(?=[hijpmdnuvt]))([a-zA-Z]?)$|-?0([nw])([efz]?)$")
_NUMBER = re.compile(r"(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([hijef]?)$", re.ASCII)
_REAL = re.compile(r"(-?(?:\d+\.?\d*|\.\d+))e$", re.ASCII)
_DATE = re.compile(r"(-?)(\d{4})\.(\d\d)\.(\d\d)$", re.ASCII)
_MONTH = re.compile(r"(\d{4})\.(\d\d)m$", re.ASCII)
_CLOCK = re.compile(r"(-?)(\d+):(\d\d)(?::(\d\d)(?:\.(\d*))?)?$", re.ASCII)
_SPAN = re.compile(r"(-?)(\d+)D(?:(\d\d?)(?::(\d\d)(?::(\d\d)(?:\.(\d*))?)?)?)?$", re.ASCII)
_SUFFIXED = re.compile(r"(-?\d+)([pmdznuvt])$", re.ASCII)

_MOST_DIGITS = 400
"""Longest text taken for an integer or a time; none that long fits a type."""

Literal = tuple[int, object]


def days_of(year: int, month: int, day: int) -> int | None:
    """Return days since 2000.01.01, or None when there is no such date."""
    try:
        return date(year, month, day).toordinal() - qt.EPOCH
    except ValueError:
        return None


def _special(word: str) -> Literal | None:
    found = _SPECIAL.match(word)
    if not found:
        return None
    negative = word[0] == "-"
    upper, letter, lower, suffix = found.groups()
    if lower:
        t = qt.TYPE_OF_LETTER[suffix or "f"]
        if lower == "n":
            return t, qt.NAN
        return t, -qt.INF if negative else qt.INF
    t = qt.TYPE_OF_LETTER.get(letter or "j", 0)
    if upper == "N":
        return (t, qt.NULLS[t]) if t and t not in (1, 4, 10, 11) and not negative else None
    if t not in qt.INFINITIES:
        return None
    return t, -qt.INFINITIES[t] if negative else qt.INFINITIES[t]


def _nanos(digits: str | None) -> int:
    return int(((digits or "") + "0" * 9)[:9])


def _clock(word: str) -> Literal | None:
    found = _CLOCK.match(word)
    if not found:
        return None
    sign, hours, minutes, seconds, fraction = found.groups()
    if int(minutes) > 59 or (seconds and int(seconds) > 59):
        return None
    factor = -1 if sign else 1
    total = int(hours) * 60 + int(minutes)
    if seconds is None:
        return 17, factor * total
    total = total * 60 + int(seconds)
    if fraction is None:
        return 18, factor * total
    if len(fraction) <= 3:
        return 19, factor * (total * 1000 + _nanos(fraction) // 1_000_000)
    return 16, factor * (total * 1_000_000_000 + _nanos(fraction))


def _span(word: str) -> Literal | None:
    found = _SPAN.match(word)
    if not found:
        return None
    sign, days, hours, minutes, seconds, fraction = found.groups()
    total = int(days) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    nanos = total * 1_000_000_000 + _nanos(fraction)
    return 16, -nanos if sign else nanos


def _calendar(word: str) -> Literal | None:
    found = _MONTH.match(word)
    if found:
        year, month = int(found[1]), int(found[2])
        return (13, (year - 2000) * 12 + month - 1) if 1 <= month <= 12 else None
    for mark in "DT":
        day, separator, clock = word.partition(mark)
        if not separator:
            continue
        head = _DATE.match(day)
        if not head:
            return None
        days = days_of(int(head[2]), int(head[3]), int(head[4]))
        rest = _span("0D" + clock) if clock else (16, 0)
        if days is None or rest is None:
            return None
        nanos = days * qt.NS_PER_DAY + int(rest[1])  # type: ignore[call-overload]
        return (12, nanos) if mark == "D" else (15, nanos / qt.NS_PER_DAY)
    found = _DATE.match(word)
    if found and not found[1]:
        days = days_of(int(found[2]), int(found[3]), int(found[4]))
        return (14, days) if days is not None else None
    return None


def _day_with_letter(word: str) -> Literal | None:
    """Read a date or timestamp that ends in the letter of the type that it shall have, one of `dpz`."""
    made = _calendar(word[:-1]) if word[-1] in "dpz" else None
    if made is None or made[0] not in (12, 14):
        return None
    nanos = int(made[1]) * (qt.NS_PER_DAY if made[0] == 14 else 1)  # type: ignore[call-overload]
    if word[-1] == "p":
        return 12, nanos
    return (14, nanos // qt.NS_PER_DAY) if word[-1] == "d" else (15, nanos / qt.NS_PER_DAY)


def read_number(word: str) -> Literal | None:
    """Read one numeric or temporal literal: (positive type number, raw value) or None.

    An integer without suffix is a long; `1e5` and `1.5` are floats; `1e` is a real. What does not fit its
    type is no literal.
    """
    made = _read(word)
    if made is None or made[0] not in qt.INFINITIES or made[0] in qt.FLOATS:
        return made
    bound = qt.INFINITIES[made[0]]
    return made if -bound - 1 <= made[1] <= bound else None


def _read(word: str) -> Literal | None:
    if (word[0] == "0" and len(word) > 1 and word[1] in "NWnw") or word[:2] == "-0":
        special = _special(word)
        if special:
            return special
    found = _NUMBER.match(word)
    if found:
        digits, suffix = found.groups()
        return _plain(digits, suffix)
    if len(word) > _MOST_DIGITS:
        return None
    found = _REAL.match(word)
    if found:
        return 8, float(found[1])
    if ":" in word and word[-1] in "uvtn":
        made = _clock(word[:-1])
        if made is None:
            return None
        units = {17: 60_000_000_000, 18: 1_000_000_000, 19: 1_000_000, 16: 1}
        t = qt.TYPE_OF_LETTER[word[-1]]
        return t, made[1] * units[made[0]] // units[t]  # type: ignore[operator]
    if ":" in word and "D" not in word and "T" not in word:
        return _clock(word)
    if "." in word or word.endswith("m"):
        made = _calendar(word) or _day_with_letter(word)
        if made:
            return made
    if "D" in word:
        return _span(word)
    found = _SUFFIXED.match(word)
    if found:
        t = qt.TYPE_OF_LETTER[found[2]]
        return t, float(found[1]) if t == 15 else int(found[1])
    return None


def _plain(digits: str, suffix: str) -> Literal | None:
    is_fraction = "." in digits or "e" in digits
    if suffix in ("f", "e"):
        return (9 if suffix == "f" else 8), float(digits)
    if is_fraction:
        return (9, float(digits)) if not suffix else None
    if len(digits) > _MOST_DIGITS:
        return None
    number = int(digits)
    t = {"h": 5, "i": 6}.get(suffix, 7)
    bound = qt.INFINITIES[t]
    if not -bound <= number <= bound:
        return None
    return t, number
