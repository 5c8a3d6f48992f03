"""Text to atoms: what `"J"$`, `"D"$`, `"P"$` and their like accept. What cannot be read gives a null.

Dates in the forms yyyy.mm.dd, yyyymmdd, yymmdd, ddMMMyy, mm/dd/yyyy; times hh[:mm[:ss[.fraction]]] with or without
colons; instants also as seconds since 1970. Not here: literals in source text (lang/literals.py).
"""

from __future__ import annotations

import re
import threading

import numpy as np

from q_runtime.lang.literals import days_of, read_number
from q_runtime.prims.casting_arrays import cast_array
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.vectors import Atom, Value, make_atom, null_atom, vector

_INT_TEXT = re.compile(r"[+-]?\d{1,400}$", re.ASCII)
_FLOAT_TEXT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", re.ASCII)
_ADDRESS = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$", re.ASCII)
_EPOCH_SECONDS = re.compile(r"(\d{9,11})(?:\.(\d{1,9})\d*)?$", re.ASCII)
_CLOCK = re.compile(r"(\d{1,3}):(\d\d?)(?::(\d\d?)(?:[.,](\d*))?)?$", re.ASCII)
_PLAIN_CLOCK = re.compile(r"(\d\d)(?:(\d\d)(?:(\d\d)[.]?(\d*))?)?$", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-./])(\d\d?|[a-z]{3})\2(\d\d?)$", re.ASCII)
_YEAR_LAST = re.compile(r"(\d\d?|[a-z]{3})([-./ ])(\d\d?|[a-z]{3})\2(\d{4}|\d\d)$", re.ASCII)
_DAY_MONTH = re.compile(r"(\d\d?)([a-z]{3})(\d{4}|\d\d)$", re.ASCII)
_INSTANT = re.compile(r"(.*?)(?:[DdTt ]|(?<=\d{8})-)(.*)$", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH_1970 = -10957
_SECOND = 1_000_000_000


_reading = threading.local()


def put_day_first(day_first: bool) -> None:
    r"""Read 2/1/2020 on this thread as the second of January (`\z 1`), or as the first of February (`\z 0`)."""
    _reading.day_first = day_first


def parse_text(t: int, text: str) -> Value:
    """Read text as one atom of type `t`; what cannot be read gives a null."""
    if t == 10:
        return make_atom(10, ord(text)) if len(text) == 1 and text.isascii() else null_atom(10)
    word = text.strip(" ")
    if t == 11:
        return Atom(-11, word)
    if t == 1:
        return word[:1] in tuple("txyTXY1")
    if t == 4:
        return make_atom(4, int(word, 16) & 255 if re.fullmatch("[0-9a-fA-F]+", word) else 0)
    if t == 2:
        return make_atom(2, _guid(word))
    if t in (5, 6, 7):
        return _integer(t, word)
    if t in (8, 9):
        return _float(t, word)
    return _temporal(t, word)


def _address(word: str) -> int | None:
    """Read a dotted address of four bytes as a number."""
    found = _ADDRESS.match(word)
    if not found:
        return None
    parts = [int(part) for part in found.groups()]
    return int.from_bytes(bytes(parts), "big") if max(parts) < 256 else None


def _guid(word: str) -> int:
    if re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", word):
        return int(word.replace("-", ""), 16)
    if re.fullmatch("[0-9a-fA-F]{32}", word):
        return int(word, 16)
    four = _address(word)
    if four is not None:
        return 0xFFFF << 32 | four
    return _six(word) if ":" in word else 0


def _six(word: str) -> int:
    """Read an address of eight groups, `::` for a run of zeros; 0 for anything else."""
    head, dot, tail = word.rpartition(":")
    four = _address(tail)
    if four is not None and dot:
        word = f"{head}:{four >> 16:x}:{four & 0xFFFF:x}"
    left, gap, right = word.partition("::")
    before, after = (part.split(":") if part else [] for part in (left, right))
    groups = before + ["0"] * (8 - len(before) - len(after) if gap else 0) + after
    if len(groups) != 8 or not all(re.fullmatch("[0-9a-fA-F]{1,4}", group) for group in groups):
        return 0
    return int("".join(group.zfill(4) for group in groups), 16)


def _integer(t: int, word: str) -> Value:
    if _INT_TEXT.match(word):
        if len(word) > 40:
            return null_atom(t)
        number, bound = int(word), qt.INFINITIES[t]
        return make_atom(t, number) if -bound <= number <= bound else null_atom(t)
    if t == 6:
        four = _address(word)
        if four is not None:
            return make_atom(6, four - 2**32 if four >= 2**31 else four)
    if word.lstrip("-")[:2] in ("0N", "0W"):
        made = read_number(word)
        if made is not None and made[0] in (5, 6, 7):
            return make_atom(t, widen_array(made[0], vector(made[0], [made[1]]).a, t).item())
    return null_atom(t)


def _float(t: int, word: str) -> Value:
    if _FLOAT_TEXT.match(word):
        number = float(word)
    elif word in ("0w", "0W", "-0w", "-0W", "inf", "-inf"):
        number = -qt.INF if word[0] == "-" else qt.INF
    else:
        number = qt.NAN
    with np.errstate(over="ignore"):
        return make_atom(t, float(np.float32(number)) if t == 8 else number)


def _temporal(t: int, word: str) -> Value:
    made: float | None
    if t == 13:
        made = _month(word)
    elif t == 14:
        made = _date(_INSTANT.sub(r"\1", word) if _date(word) is None else word)
    elif t in (12, 15):
        made = _instant(t, word)
    else:
        nanos = _span(word)
        unit = {16: 1, 17: 60 * _SECOND, 18: _SECOND, 19: 1_000_000}[t]
        made = None if nanos is None else (nanos // unit if nanos >= 0 else -(-nanos // unit))
    if made is not None:
        within = t == 15 or -qt.INFINITIES[t] <= made <= qt.INFINITIES[t]
        return make_atom(t, made if within else qt.NULLS[t])
    return _as_literal(t, word)


def _as_literal(t: int, word: str) -> Value:
    """Read what stands as a literal of any temporal type in source text, and cast it."""
    found = read_number(word) if word else None
    if found is None or found[0] not in qt.TEMPORAL:
        return null_atom(t)
    source, raw = found
    made = raw if source == t else cast_array(source, vector(source, [raw]).a, t).item()
    return make_atom(t, made)


def _month_number(text: str) -> int:
    return _MONTHS.index(text) + 1 if text in _MONTHS else int(text) if text.isdigit() else 0


def _full_year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else 2000 + year if year < 50 else 1900 + year


def _date(word: str) -> int | None:
    """Read a date as days since 2000.01.01."""
    word = word.lower()
    if word.isascii() and word.isdigit() and len(word) in (6, 8):
        return days_of(_full_year(word[:-4]), int(word[-4:-2]), int(word[-2:]))
    found = _YEAR_FIRST.match(word)
    if found:
        return days_of(int(found[1]), _month_number(found[3]), int(found[4]))
    found = _DAY_MONTH.match(word)
    if found:
        return days_of(_full_year(found[3]), _month_number(found[2]), int(found[1]))
    found = _YEAR_LAST.match(word)
    if not found:
        return None
    month, day = found[1], found[3]
    if day.isalpha() or (getattr(_reading, "day_first", False) and not month.isalpha()):
        month, day = day, month
    return days_of(_full_year(found[4]), _month_number(month), int(day)) if day.isdigit() else None


def _month(word: str) -> int | None:
    found = re.match(r"(\d{4})[-./]?(\d\d)(?:m|[-./]?\d\d)?$", word, re.ASCII)
    if not found or not 1 <= int(found[2]) <= 12:
        return None
    return (int(found[1]) - 2000) * 12 + int(found[2]) - 1


def _span(word: str) -> int | None:
    """Read a time of day, or a count of days and a time, as nanoseconds."""
    negative = word[:1] == "-"
    days, mark, clock = (word[1:] if negative else word).partition("D")
    if not mark:
        days, clock = "0", days
    if not (days.isascii() and days.isdigit()) or len(days) > 6:
        return None
    found = _CLOCK.match(clock) or _PLAIN_CLOCK.match(clock)
    if not found and not (mark and not clock):
        return None
    hours, minutes, seconds, fraction = found.groups() if found else ("0", None, None, None)
    if int(minutes or 0) > 59 or int(seconds or 0) > 59:
        return None
    total = int(days) * 86400 + int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    nanos = total * _SECOND + int(((fraction or "") + "0" * 9)[:9])
    return -nanos if negative else nanos


def _instant(t: int, word: str) -> float | int | None:
    """Read a date with a time, or seconds since 1970, as nanoseconds (type 12) or days (type 15)."""
    found = _EPOCH_SECONDS.match(word)
    if found:
        nanos = int(found[1]) * _SECOND + int((found[2] or "").ljust(9, "0"))
        nanos += _EPOCH_1970 * qt.NS_PER_DAY
        return nanos if t == 12 else nanos / qt.NS_PER_DAY
    if word[-1:] == "Z":
        word = word[:-1]
    days, span = _date(word), 0
    if days is None:
        parts = _INSTANT.match(word)
        if not parts:
            return None
        days = _date(parts[1])
        time = _span(parts[2]) if parts[2] else 0
        if days is None or time is None:
            return None
        span = time
    nanos = days * qt.NS_PER_DAY + span
    return nanos if t == 12 else nanos / qt.NS_PER_DAY
