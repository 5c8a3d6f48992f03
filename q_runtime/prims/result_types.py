"""The type of an arithmetic result, by the types of the two arguments.

Facts of the reference's range tables (KX ref/add, multiply, div, lesser, fill), as rules. Nothing here looks at values.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.casting_arrays import cast_array
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array

SPANS = (16, 19, 18, 17)
"""Types of lengths of time, the finest unit first: timespan, time, second, minute."""

_INSTANTS = frozenset({12, 13, 14})
_DIFFERENCE = {12: 16, 13: 6, 14: 6, 15: 9}


def numeric_type(t: int) -> int:
    """Return the type in which sums of type `t` are held: at least int."""
    return 6 if t < 6 else t


def _require_numbers(tx: int, ty: int) -> None:
    if tx in qt.UNORDERED or ty in qt.UNORDERED:
        raise QError("type")


def _with_number(tx: int, ty: int) -> int:
    """Type of a sum or product of which at most one side is temporal."""
    t, other = (tx, ty) if tx in qt.TEMPORAL else (ty, tx)
    if t in qt.TEMPORAL:
        if other == 9:
            return 15 if t in (14, 15) else 9
        return t
    if 10 in (tx, ty):
        if 9 in (tx, ty):
            return 9
        raise QError("type")
    return numeric_type(max(tx, ty))


def sum_type(tx: int, ty: int) -> int:
    """Type of `x+y`.

    Raises: QError('type') for symbols and guids, a char without a float, and instants that do not add up.
    """
    _require_numbers(tx, ty)
    if tx not in qt.TEMPORAL or ty not in qt.TEMPORAL:
        return _with_number(tx, ty)
    if tx == ty:
        return _DIFFERENCE.get(tx, tx)
    if tx in SPANS and ty in SPANS:
        return finer(tx, ty)
    span, other = (tx, ty) if tx in SPANS else (ty, tx)
    if span in SPANS and other in _INSTANTS:
        return 12
    if span in SPANS and other == 15:
        return 12 if span == 16 else 15
    raise QError("type")


def product_type(tx: int, ty: int) -> int:
    """Type of `x*y`.

    Raises: QError('type') for symbols, guids, two temporals, and a char without a float.
    """
    _require_numbers(tx, ty)
    if tx in qt.TEMPORAL and ty in qt.TEMPORAL:
        raise QError("type")
    return _with_number(tx, ty)


def quotient_type(tx: int, ty: int) -> int:
    """Type of `x div y`: that of `x`, held in at least an int, a real in a float.

    Raises: QError('type') for symbols and guids.
    """
    _require_numbers(tx, ty)
    return {8: 9, 10: 6}.get(tx, numeric_type(tx))


def finer(tx: int, ty: int) -> int:
    """Return the finer unit of two lengths of time."""
    return min(tx, ty, key=SPANS.index)


def meeting_type(tx: int, ty: int) -> int:
    """Type of `x&y`, `x|y` and `x^y`: the higher of the two, of an instant and a length of time the latter.

    Raises: QError('type') for symbols and guids, and for temporals that have nothing in common.
    """
    _require_numbers(tx, ty)
    if tx == ty or tx not in qt.TEMPORAL or ty not in qt.TEMPORAL:
        return max(tx, ty)
    if tx in SPANS and ty in SPANS:
        return finer(tx, ty)
    pair = {tx, ty}
    span = next((t for t in (tx, ty) if t in SPANS), 0)
    if span and pair & {12, 15}:
        return span
    if span or pair == {13, 15}:
        raise QError("type")
    return 12 if 12 in pair else max(pair)


def in_type(t: int, a: np.ndarray, target: int) -> np.ndarray:
    """Convert an array to a type in which it meets another: times change unit, numbers keep their value."""
    if t in qt.TEMPORAL and target in qt.TEMPORAL:
        return cast_array(t, a, target)
    if t in qt.FLOATS and target in qt.INTEGERS:
        return cast_array(t, a, target)
    if target == 10 and t != 10:
        return cast_array(t, a, 10)
    return widen_array(t, a, target)
