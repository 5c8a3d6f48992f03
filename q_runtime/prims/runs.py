"""Long lists of short vectors, kept end to end: their texts, and what `each` of a keyword makes of them at once.

Only that the items are made late is different from a list of vectors; no q code can tell the two apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from q_runtime.limits import reserve
from q_runtime.values import qtypes as qt
from q_runtime.values.literal import plain_text
from q_runtime.values.vectors import GList, Runs, Value, Vec, items_of, list_of_runs

_WORD = 8
"""Bytes of a long."""
_ZERO = ord("0")
_POWERS = 10 ** np.arange(19, dtype=np.int64)
"""The least numbers of 1 to 19 digits."""
_WIDE = 64
"""Vectors up to so many characters are sorted in rows of one width."""


def texts(x: Vec) -> GList:
    """Return the text of each item of a long vector."""
    reserve(len(x.a), 32)
    if x.t == qt.LONG and int(x.a.max()) < qt.LONG_INF > -int(x.a.min()):
        return list_of_runs(_numerals(x.a))
    words = [plain_text(item) for item in items_of(x)]
    joined = "".join(words)
    if joined.isascii():
        data, lengths = joined.encode("ascii"), list(map(len, words))
    else:
        parts = [word.encode("utf-8", "surrogateescape") for word in words]
        data, lengths = b"".join(parts), list(map(len, parts))
    ends = np.cumsum(np.array(lengths, dtype=np.int64))
    return list_of_runs(Runs(qt.CHAR, np.frombuffer(data, dtype=np.uint8), ends))


def _numerals(a: np.ndarray) -> Runs:
    """Return longs, none of them null or infinite, in decimal digits."""
    size = np.abs(a)
    n_digits = np.maximum(1, np.searchsorted(_POWERS, size, side="right"))
    lengths = n_digits + (a < 0)
    width = int(lengths.max())
    cells = np.empty((len(a), width), dtype=np.uint8)
    for column in range(width - 1, -1, -1):
        size, digit = np.divmod(size, 10)
        cells[:, column] = digit + _ZERO
    negative = np.flatnonzero(a < 0)
    cells[negative, width - lengths[negative]] = ord("-")
    is_part = np.arange(width) >= width - lengths[:, None]
    return Runs(qt.CHAR, cells[is_part], np.cumsum(lengths))


def each_of_runs(name: str, runs: Runs) -> Value | None:
    """Apply a keyword to each vector of a list; None for one that is not known here."""
    made = _EACH.get(name)
    return None if made is None or not len(runs.ends) else made(runs)


def _lengths(runs: Runs) -> np.ndarray:
    return np.diff(runs.ends, prepend=0)


def _count(runs: Runs) -> Value:
    return Vec(qt.LONG, _lengths(runs))


def _cells(runs: Runs, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of characters as rows of `width` bytes, zeros behind them, and where they have items."""
    reserve(len(runs.ends) * width // 2)
    is_item = np.arange(width) < _lengths(runs)[:, None]
    cells = np.zeros(is_item.shape, dtype=np.uint8)
    cells[is_item] = runs.a
    return cells, is_item


def _descending(runs: Runs) -> Value | None:
    """Sort within each vector of characters; None where a vector is long."""
    width = int(_lengths(runs).max())
    if runs.t != qt.CHAR or width > _WIDE:
        return None
    cells, is_item = _cells(runs, width)
    cells.sort(axis=1)
    return list_of_runs(Runs(runs.t, cells[:, ::-1][is_item], runs.ends))


def _reversed(runs: Runs) -> Value:
    at = np.repeat(runs.starts + runs.ends - 1, _lengths(runs)) - np.arange(len(runs.a))
    return list_of_runs(Runs(runs.t, runs.a[at], runs.ends))


_EACH: dict[str, Callable[[Runs], Value | None]] = {
    "count": _count,
    "desc": _descending,
    "reverse": _reversed,
}


def packed(runs: Runs) -> np.ndarray | None:
    """Return a number for each vector of characters, equal for equal ones; None when one is too long for that."""
    lengths = _lengths(runs)
    if runs.t != qt.CHAR or not len(lengths) or lengths.max() >= _WORD:
        return None
    cells, _ = _cells(runs, _WORD)
    cells[:, -1] = lengths
    return cells.view(np.int64)[:, 0]
