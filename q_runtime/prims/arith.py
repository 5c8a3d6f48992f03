"""Arithmetic: + - * % div mod neg abs signum reciprocal, and & | as smaller and larger.

Sums of booleans, bytes and shorts are ints; `%` gives floats. Integer results wrap at 64 (or 32) bits as
in kdb+; a null on either side gives a null. Which types meet in which is in result_types.py.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.prims.atomic import RIGHT_ONLY, Simple, dyadic, monadic
from q_runtime.prims.casting_arrays import cast_array
from q_runtime.prims.registry import alias, primitive
from q_runtime.prims.result_types import (
    SPANS,
    in_type,
    meeting_type,
    product_type,
    quotient_type,
    sum_type,
)
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.vectors import NULL_LONG, Atom, Value, Vec

_MAX = qt.LONG_INF
_EXACT = 2**53
"""Longs up to here are floats without rounding."""


def wrapped(x: Value) -> Value:
    """Return an exact result of longs as 64 bits hold it; a null stays one."""
    if type(x) is not int or -_MAX <= x <= _MAX:
        return x
    x = (x + 2**63) % 2**64 - 2**63
    return NULL_LONG if x == qt.LONG_NULL else x


def _meet_in_time(
    t: int, tx: int, ax: np.ndarray, ty: int, ay: np.ndarray
) -> tuple[int, np.ndarray, np.ndarray]:
    """Bring two temporal arrays to the unit of their sum, of type `t`, as plain numbers of the type returned."""
    if tx == ty:
        return {8: 7, 4: 6}[qt.DTYPES[tx].itemsize] if tx != 15 else 9, ax, ay
    if t == 15:
        return 9, _as_days(tx, ax), _as_days(ty, ay)
    wide = 7 if qt.DTYPES[t].itemsize == 8 else 6
    return wide, _as_units(t, tx, ax), _as_units(t, ty, ay)


def _as_days(t: int, a: np.ndarray) -> np.ndarray:
    if t == 15:
        return a
    return widen_array(7, cast_array(t, a, 16), 9) / qt.NS_PER_DAY


def _as_units(t: int, tx: int, ax: np.ndarray) -> np.ndarray:
    """Convert to the unit of type `t`; the length of time beside an instant is counted in its unit."""
    return cast_array(tx, ax, 16 if t == 12 and tx in SPANS else t)


def _combine(t: int, a: np.ndarray, b: np.ndarray, sign: int) -> np.ndarray:
    """Add or subtract arrays of one integer or float type, nulls kept."""
    with np.errstate(all="ignore"):
        out = np.add(a, b) if sign > 0 else np.subtract(a, b)
    if t in qt.FLOATS:
        return out
    return _keep_nulls(t, out, a, b)


def _keep_nulls(t: int, out: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    null = qt.NULLS[t]
    bad_a = a.size and a.min() == null
    bad_b = b.size and b.min() == null
    if not (bad_a or bad_b):
        return out
    out = np.array(out)
    out[np.broadcast_to((a == null) | (b == null), out.shape)] = null
    return out


def _plain(f: np.ufunc, x: Value, y: Value) -> Value | None:
    """Add, subtract or multiply vectors of longs without nulls, or of floats; None for anything else."""
    cx, cy = type(x), type(y)
    if cx is Vec:
        t, a = x.t, x.a
        if cy is Vec:
            if y.t != t or len(y.a) != len(a):
                return None
            b = y.a
        elif cy is (int if t == 7 else float):
            b = y
        else:
            return None
        if t == 7 and (x.has_nulls or (cy is Vec and y.has_nulls)):
            return None
    elif cy is Vec and cx is (int if y.t == 7 else float):
        t, a, b = y.t, x, y.a
        if t == 7 and y.has_nulls:
            return None
    else:
        return None
    if t == 7:
        reserve(a.size if cx is Vec else b.size)
        return Vec(7, f(a, b))
    if t != 9:
        return None
    reserve(a.size if cx is Vec else b.size)
    with np.errstate(all="ignore"):
        return Vec(9, f(a, b))


def _sum_core(sign: int) -> Simple:
    def core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
        if tx == ty == 7 or tx == ty == 9:
            return tx, _combine(tx, ax, ay, sign)
        if sign < 0 and ty == 10:
            ty, ay = 6, ay.astype(np.int32)
        t = sum_type(tx, ty)
        if tx in qt.TEMPORAL and ty in qt.TEMPORAL:
            return t, _combine(*_meet_in_time(t, tx, ax, ty, ay), sign)
        return t, _combine(_plain_type(t), in_type(tx, ax, t), in_type(ty, ay, t), sign)

    return core


def _plain_type(t: int) -> int:
    """Return the number type that holds items of type `t`."""
    if t in qt.FLOATS:
        return t
    return 7 if qt.DTYPES[t].itemsize == 8 else 6


_ADD = _sum_core(1)
_SUBTRACT = _sum_core(-1)


@primitive("+", 2, atomic=True)
def add(x: Value, y: Value) -> Value:
    """Sum, item by item. Source: KX ref/add."""
    cx, cy = type(x), type(y)
    if cx is float:
        if cy is float or (cy is int and -_MAX < y < _MAX):
            return x + y
    elif cy is float and cx is int and -_MAX < x < _MAX:
        return x + y
    elif cx is int and cy is int:
        return wrapped(x + y)
    made = _plain(np.add, x, y)
    return dyadic(_ADD, x, y) if made is None else made


@primitive("-", 2, atomic=True)
def subtract(x: Value, y: Value) -> Value:
    """Difference, item by item. Source: KX ref/subtract."""
    cx, cy = type(x), type(y)
    if cx is float:
        if cy is float or (cy is int and -_MAX < y < _MAX):
            return x - y
    elif cy is float and cx is int and -_MAX < x < _MAX:
        return x - y
    elif cx is int and cy is int:
        return wrapped(x - y)
    made = _plain(np.subtract, x, y)
    return dyadic(_SUBTRACT, x, y) if made is None else made


def _multiply_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    t = product_type(tx, ty)
    if t in qt.INTEGERS and 8 in (tx, ty):
        product = widen_array(tx, ax, 9) * widen_array(ty, ay, 9)
        return t, in_type(9, product, t)
    a, b = in_type(tx, ax, t), in_type(ty, ay, t)
    with np.errstate(all="ignore"):
        out = np.multiply(a, b)
    return t, out if t in qt.FLOATS else _keep_nulls(_plain_type(t), out, a, b)


@primitive("*", 2, atomic=True)
def multiply(x: Value, y: Value) -> Value:
    """Product, item by item. Source: KX ref/multiply."""
    cx, cy = type(x), type(y)
    if cx is float:
        if cy is float or (cy is int and -_MAX < y < _MAX):
            return x * y
    elif cy is float and cx is int and -_MAX < x < _MAX:
        return x * y
    elif (cx is int and (cy is int or cy is bool)) or (cx is bool and cy is int):
        return wrapped(x * y)
    made = _plain(np.multiply, x, y)
    return dyadic(_multiply_core, x, y) if made is None else made


def _divide_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    quotient_type(tx, ty)
    with np.errstate(all="ignore"):
        return 9, np.asarray(np.true_divide(widen_array(tx, ax, 9), widen_array(ty, ay, 9)))


@primitive("%", 2, atomic=True)
def divide(x: Value, y: Value) -> Value:
    """Quotient as a float; division by zero gives 0n, 0w or -0w. Source: KX ref/divide."""
    cx, cy = type(x), type(y)
    if (
        ((cx is int and -_EXACT <= x <= _EXACT) or cx is float)
        and ((cy is int and -_EXACT <= y <= _EXACT) or cy is float)
        and y
    ):
        return x / y
    return dyadic(_divide_core, x, y)


def _div_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    t = quotient_type(tx, ty)
    if tx in qt.FLOATS or ty in qt.FLOATS:
        with np.errstate(all="ignore"):
            q = np.floor(widen_array(tx, ax, 9) / widen_array(ty, ay, 9))
        return t, widen_array(9, np.asarray(q), t)
    a, b = widen_array(tx, ax, 7), widen_array(ty, ay, 7)
    null = qt.LONG_NULL
    bad = (a == null) | (b == null) | (b == 0)
    with np.errstate(all="ignore"):
        out = np.floor_divide(a, np.where(b == 0, 1, b))
    out = np.where(bad, null, out)
    return t, widen_array(7, out, t)


@primitive("div", 2, atomic=True)
def integer_divide(x: Value, y: Value) -> Value:
    """Quotient rounded down, as an integer; a zero divisor gives a null. Source: KX ref/div."""
    if type(x) is int and type(y) is int and y and -_MAX < x < _MAX:
        return x // y
    if type(y) is float and type(x) is int:
        return dyadic(_div_core, x, y)
    return dyadic(_div_core, x, y)


def _mod_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    """The remainder is `x-y*x div y`, and has the type of that; a null for a divisor of zero, as `x div 0` is."""
    t = _remainder_type(tx, ty)
    if ty in qt.TEMPORAL or 10 in (tx, ty):
        t_q, q = _div_core(tx, ax, ty, ay)
        return _SUBTRACT(tx, ax, *_multiply_core(ty, ay, t_q, q))
    if tx in qt.FLOATS or ty in qt.FLOATS:
        a, b = widen_array(tx, ax, 9), widen_array(ty, ay, 9)
        with np.errstate(all="ignore"):
            out = np.where(b == 0, np.nan, a - b * np.floor(a / np.where(b == 0, 1.0, b)))
        return t, in_type(9, np.asarray(out), t)
    a, b = widen_array(tx, ax, 7), widen_array(ty, ay, 7)
    bad = (a == qt.LONG_NULL) | (b == qt.LONG_NULL) | (b == 0)
    with np.errstate(all="ignore"):
        out = np.mod(a, np.where(b == 0, 1, b))
    return t, widen_array(7, np.where(bad, qt.LONG_NULL, out), t)


def _remainder_type(tx: int, ty: int) -> int:
    times = product_type(ty, quotient_type(tx, ty))
    return sum_type(tx, 6 if times == 10 else times)


@primitive("mod", 2, atomic=True)
def modulus(x: Value, y: Value) -> Value:
    """Remainder with the sign of the divisor. Source: KX ref/mod."""
    cx, cy = type(x), type(y)
    if (cx is int or (cx is Atom and x.t == -7)) and (cy is int or (cy is Atom and y.t == -7)):
        return x % y if cx is int and cy is int and y else NULL_LONG
    return dyadic(_mod_core, x, y)


def _extreme_core(pick: np.ufunc) -> Simple:
    def core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
        t = meeting_type(tx, ty)
        a, b = in_type(tx, ax, t), in_type(ty, ay, t)
        if t in qt.FLOATS:
            chosen = pick(a, b)
            if not np.isnan(chosen).any():
                return t, chosen
            chosen = pick(_low_nans(a), _low_nans(b))
            return t, np.where(
                np.isneginf(chosen) & (np.isnan(a) | np.isnan(b)),
                np.where(np.isnan(a) & np.isnan(b) | (pick is np.minimum), np.nan, chosen),
                chosen,
            )
        return t, pick(a, b)

    return core


def _low_nans(a: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(a), -np.inf, a)


_MIN = _extreme_core(np.minimum)
_LARGER = _extreme_core(np.maximum)


@primitive("&", 2, atomic=True)
def lesser(x: Value, y: Value) -> Value:
    """The smaller of two, item by item; a null is smallest. Source: KX ref/lesser."""
    if type(x) is int and type(y) is int:
        return x if x < y else y
    if type(x) is bool and type(y) is bool:
        return x and y
    return dyadic(_MIN, x, y)


@primitive("|", 2, atomic=True)
def greater(x: Value, y: Value) -> Value:
    """The larger of two, item by item. Source: KX ref/greater."""
    if type(x) is int and type(y) is int:
        return x if x > y else y
    if type(x) is bool and type(y) is bool:
        return x or y
    return dyadic(_LARGER, x, y)


alias("and", "&")
alias("or", "|")


def _negate_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    if t in qt.UNORDERED:
        raise QError("type")
    if t in (1, 4, 10):
        t, a = 6, a.astype(np.int32)
    with np.errstate(all="ignore"):
        return t, np.negative(a)


@primitive("neg", 1, atomic=True)
def negate(x: Value) -> Value:
    """Change of sign. Source: KX ref/neg."""
    if type(x) is int or type(x) is float:
        return -x
    return monadic(_negate_core, x)


def _abs_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    if t in qt.UNORDERED:
        raise QError("type")
    if t in (1, 4, 10):
        t, a = 6, a.astype(np.int32)
    with np.errstate(all="ignore"):
        return t, np.abs(a)


RIGHT_ONLY[_SUBTRACT] = negate


@primitive("abs", 1, atomic=True)
def absolute(x: Value) -> Value:
    """Magnitude; nulls stay null. Source: KX ref/abs."""
    if type(x) is int or type(x) is float:
        return abs(x)
    return monadic(_abs_core, x)


def _signum_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    if t in qt.UNORDERED:
        raise QError("type")
    if t in qt.FLOATS:
        a = np.where(np.isnan(a), -1.0, a)
    return 6, np.sign(a.astype(np.int8) if t == 1 else a).astype(np.int32)


@primitive("signum", 1, atomic=True)
def signum(x: Value) -> Value:
    """-1i, 0i or 1i by sign; a null gives -1i. Source: KX ref/signum."""
    return monadic(_signum_core, x)
