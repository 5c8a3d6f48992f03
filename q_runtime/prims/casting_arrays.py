"""Casts of whole arrays between numeric and temporal types, as `$` does them: floats round, times change unit."""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array

_NS = {17: 60_000_000_000, 18: 1_000_000_000, 19: 1_000_000, 16: 1}


def cast_array(source: int, a: np.ndarray, target: int) -> np.ndarray:
    """Convert an array as `$` does: floats round to integers, times change unit.

    Raises: QError('type') where kdb+ has no such cast.
    """
    if source == target:
        return a
    if 11 in (source, target) or 2 in (source, target):
        raise QError("type")
    if source in qt.TEMPORAL and target in qt.TEMPORAL:
        return _cast_temporal(source, a, target)
    if target == 1:
        return a != 0
    if target in (4, 10):
        wide = np.rint(a) if source in qt.FLOATS else a
        if a.dtype.itemsize == 8:
            wide = np.clip(np.nan_to_num(wide), -qt.INT_INF, qt.INT_INF)
        with np.errstate(all="ignore"):
            return wide.astype(np.int64).astype(np.uint8)
    if source in qt.FLOATS and target in qt.INTEGERS:
        with np.errstate(all="ignore"):
            return (
                widen_array(source, np.rint(a), target)
                if source != 8
                else widen_array(9, np.rint(a.astype(float)), target)
            )
    if (
        source in qt.INTEGERS
        and target in qt.INTEGERS
        and (qt.DTYPES[target].itemsize < a.dtype.itemsize)
    ):
        return widen_array(source, a, target)
    return widen_array(source, a, target)


def _cast_temporal(source: int, a: np.ndarray, target: int) -> np.ndarray:
    if source == 13 or target == 13:
        days = a if source == 14 else None
        return _cast_months(source, a, target, days)
    if {source, target} == {14, 15}:
        return _between_days(source, a)
    if source == 15:
        nanos = widen_array(9, np.rint(a * qt.NS_PER_DAY), 7)
    elif source == 14:
        nanos = _scale(a, qt.NS_PER_DAY, 14)
    elif source in _NS:
        nanos = _scale(a, _NS[source], source)
    else:
        nanos = a
    null = nanos == qt.LONG_NULL
    if source in (12, 15) and target in (16, 17, 18, 19):
        nanos = np.where(null, nanos, nanos % qt.NS_PER_DAY)
    if target in (12, 16):
        return nanos
    if target == 15:
        return np.where(null, np.nan, nanos / qt.NS_PER_DAY)
    unit = qt.NS_PER_DAY if target == 14 else _NS[target]
    return widen_array(7, np.where(null, qt.LONG_NULL, nanos // unit), target)


def _between_days(source: int, a: np.ndarray) -> np.ndarray:
    return widen_array(14, a, 15) if source == 14 else widen_array(9, np.floor(a), 14)


def _scale(a: np.ndarray, unit: int, source: int) -> np.ndarray:
    """Convert to nanoseconds; what they cannot hold becomes an infinity."""
    wide = widen_array(source, a, 7)
    most = qt.LONG_INF // unit
    with np.errstate(all="ignore"):
        scaled = np.where(
            wide > most, qt.LONG_INF, np.where(wide < -most, -qt.LONG_INF, wide * unit)
        )
    return np.where(wide == qt.LONG_NULL, wide, scaled)


def _cast_months(source: int, a: np.ndarray, target: int, days: np.ndarray | None) -> np.ndarray:
    if source == 13:
        stamps = a.astype("int64").astype("datetime64[M]") + 360
        null = a == qt.INT_NULL
        as_days = (stamps.astype("datetime64[D]").astype("int64") - 10957).astype(np.int64)
        as_days = np.where(null, qt.LONG_NULL, as_days)
        return (
            _cast_temporal(14, widen_array(7, as_days, 14), target)
            if target != 14
            else (widen_array(7, as_days, 14))
        )
    if source in _NS:
        raise QError("type", "a length of time has no month")
    if days is None:
        days = _cast_temporal(source, a, 14)
    null = days == qt.INT_NULL
    months = (days.astype("int64") + 10957).astype("datetime64[D]").astype("datetime64[M]")
    out = months.astype("int64") - 360
    return np.where(null, qt.INT_NULL, out).astype(np.int32)
