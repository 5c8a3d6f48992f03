"""Arithmetic: + - * % div mod neg abs signum reciprocal, and & | as smaller and larger.

Sums of booleans, bytes and shorts are ints; `%` gives floats. Integer results wrap at 64 (or 32) bits as
in kdb+; a null on either side gives a null. Characters and symbols are refused with 'type.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.prims.atomic import RIGHT_ONLY, Simple, dyadic, monadic
from q_runtime.prims.registry import alias, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.vectors import NULL_LONG, Value, Vec

_MAX = qt.LONG_INF
_EXACT = 2**53
"""Longs up to here are floats without rounding."""
_PLAIN = qt.NUMERIC
_FINE = {12: 12, 16: 16, 19: 19, 18: 18, 17: 17, 14: 14, 13: 13, 15: 15}
_NS = {16: 1, 19: 1_000_000, 18: 1_000_000_000, 17: 60_000_000_000}


def wrapped(x: Value) -> Value:
    """Return an exact result of longs as 64 bits hold it; a null stays one."""
    if type(x) is not int or -_MAX <= x <= _MAX:
        return x
    x = (x + 2**63) % 2**64 - 2**63
    return NULL_LONG if x == qt.LONG_NULL else x


def numeric_type(t: int) -> int:
    """Return the type in which sums of type `t` are held: at least int."""
    return 6 if t < 6 else t


def _require_numbers(tx: int, ty: int) -> None:
    if tx in qt.NOT_NUMBERS or ty in qt.NOT_NUMBERS:
        raise QError("type")


def _as_nanos(t: int, a: np.ndarray) -> np.ndarray:
    wide = widen_array(t, a, 16 if t not in (12,) else 12)
    if t in (17, 18, 19):
        return np.where(np.abs(wide) == qt.LONG_INF, wide, _scaled(wide, _NS[t]))
    if t == 14:
        return _scaled(wide, qt.NS_PER_DAY)
    return wide


def _scaled(a: np.ndarray, factor: int) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.where(a == qt.LONG_NULL, a, a * factor)


def _temporal_sum(
    tx: int, ax: np.ndarray, ty: int, ay: np.ndarray, sign: int
) -> tuple[int, np.ndarray]:
    """Add or subtract when a side is temporal: pick the result type and a common unit."""
    x_time, y_time = tx in qt.TEMPORAL, ty in qt.TEMPORAL
    if x_time and y_time:
        return _two_temporals(tx, ax, ty, ay, sign)
    t, other = (tx, ty) if x_time else (ty, tx)
    if other in qt.FLOATS:
        target = 15 if t in (14, 15) else 9
        return target, _combine(9, widen_array(tx, ax, 9), widen_array(ty, ay, 9), sign)
    wide = 7 if qt.DTYPES[t].itemsize == 8 else 6
    if t == 15:
        return 15, _combine(9, widen_array(tx, ax, 9), widen_array(ty, ay, 9), sign)
    return t, _combine(wide, widen_array(tx, ax, t), widen_array(ty, ay, t), sign)


def _two_temporals(
    tx: int, ax: np.ndarray, ty: int, ay: np.ndarray, sign: int
) -> tuple[int, np.ndarray]:
    spans = (16, 17, 18, 19)
    if tx == ty:
        if tx in spans:
            wide = 7 if tx == 16 else 6
            return tx, _combine(wide, ax, ay, sign)
        if sign < 0:
            if tx == 12:
                return 16, _combine(7, ax, ay, sign)
            if tx == 15:
                return 9, ax - ay
            return 6, _combine(6, ax, ay, sign)
        raise QError("type")
    if tx in spans and ty in spans:
        fine = 16 if 16 in (tx, ty) else max(tx, ty)
        unit = _NS[fine]
        a = _floor_units(_as_nanos(tx, ax), unit)
        b = _floor_units(_as_nanos(ty, ay), unit)
        return fine, widen_array(7, _combine(7, a, b, sign), fine)
    if (tx in (12, 14) and ty in spans) or (ty in (12, 14) and tx in spans and sign > 0):
        return 12, _combine(7, _as_nanos(tx, ax), _as_nanos(ty, ay), sign)
    if {tx, ty} == {12, 14} and sign < 0:
        return 16, _combine(7, _as_nanos(tx, ax), _as_nanos(ty, ay), sign)
    raise QError("type")


def _floor_units(a: np.ndarray, unit: int) -> np.ndarray:
    return a if unit == 1 else np.where(np.abs(a) >= qt.LONG_INF, a, a // unit)


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
        _require_numbers(tx, ty)
        if tx in qt.TEMPORAL or ty in qt.TEMPORAL:
            return _temporal_sum(tx, ax, ty, ay, sign)
        t = numeric_type(max(tx, ty))
        return t, _combine(t, widen_array(tx, ax, t), widen_array(ty, ay, t), sign)

    return core


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
    made = _plain(np.subtract, x, y)
    return dyadic(_SUBTRACT, x, y) if made is None else made


def _multiply_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    _require_numbers(tx, ty)
    if tx in qt.TEMPORAL or ty in qt.TEMPORAL:
        if tx in qt.TEMPORAL and ty in qt.TEMPORAL:
            raise QError("type")
        t = tx if tx in qt.TEMPORAL else ty
        if t in (12, 13, 14, 15):
            raise QError("type")
        other = ty if t == tx else tx
        if other in qt.FLOATS:
            product = widen_array(tx, ax, 9) * widen_array(ty, ay, 9)
            return t, widen_array(9, product, t)
    else:
        t = numeric_type(max(tx, ty))
    a, b = widen_array(tx, ax, t), widen_array(ty, ay, t)
    with np.errstate(all="ignore"):
        out = np.multiply(a, b)
    return t, out if t in qt.FLOATS else _keep_nulls(t, out, a, b)


@primitive("*", 2, atomic=True)
def multiply(x: Value, y: Value) -> Value:
    """Product, item by item. Source: KX ref/multiply."""
    cx, cy = type(x), type(y)
    if cx is float:
        if cy is float or (cy is int and -_MAX < y < _MAX):
            return x * y
    elif cy is float and cx is int and -_MAX < x < _MAX:
        return x * y
    made = _plain(np.multiply, x, y)
    return dyadic(_multiply_core, x, y) if made is None else made


def _divide_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    _require_numbers(tx, ty)
    t = 8 if 8 in (tx, ty) and 9 not in (tx, ty) and 7 not in (tx, ty) else 9
    a, b = _to_floats(tx, ax), _to_floats(ty, ay)
    with np.errstate(all="ignore"):
        out = np.true_divide(a, b)
    return t, np.asarray(out, dtype=qt.DTYPES[t])


def _to_floats(t: int, a: np.ndarray) -> np.ndarray:
    return widen_array(t, a, 9)


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
    if tx in qt.UNORDERED or ty in qt.NOT_NUMBERS:
        raise QError("type")
    if tx == 10:
        tx, ax = 6, ax.astype(np.int32)
    if ty in qt.TEMPORAL and tx not in qt.TEMPORAL:
        raise QError("type")
    t = numeric_type(tx)
    if t in qt.FLOATS:
        with np.errstate(all="ignore"):
            return t, np.floor(widen_array(tx, ax, 9) / widen_array(ty, ay, 9)).astype(qt.DTYPES[t])
    if tx in qt.FLOATS or ty in qt.FLOATS:
        with np.errstate(all="ignore"):
            q = np.floor(widen_array(tx, ax, 9) / widen_array(ty, ay, 9))
        return t, widen_array(9, np.asarray(q), t)
    wide = 7
    a, b = widen_array(tx, ax, wide), widen_array(ty, ay, wide)
    null = qt.LONG_NULL
    bad = (a == null) | (b == null) | (b == 0)
    with np.errstate(all="ignore"):
        out = np.floor_divide(a, np.where(b == 0, 1, b))
    out = np.where(bad, null, out)
    return t, widen_array(wide, out, t)


@primitive("div", 2, atomic=True)
def integer_divide(x: Value, y: Value) -> Value:
    """Quotient rounded down, as an integer; a zero divisor gives a null. Source: KX ref/div."""
    if type(x) is int and type(y) is int and y and -_MAX < x < _MAX:
        return x // y
    if type(y) is float and type(x) is int:
        return dyadic(_div_core, x, y)
    return dyadic(_div_core, x, y)


def _mod_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    _require_numbers(tx, ty)
    if ty in qt.TEMPORAL and tx not in qt.TEMPORAL:
        raise QError("type")
    if tx in qt.FLOATS or ty in qt.FLOATS:
        a, b = widen_array(tx, ax, 9), widen_array(ty, ay, 9)
        with np.errstate(all="ignore"):
            out = a - b * np.floor(np.where(b == 0, 0.0, a / np.where(b == 0, 1.0, b)))
        return 9, np.asarray(out)
    t = numeric_type(tx) if tx in qt.TEMPORAL else numeric_type(max(tx, ty))
    a, b = widen_array(tx, ax, 7), widen_array(ty, ay, 7)
    bad = (a == qt.LONG_NULL) | (b == qt.LONG_NULL)
    with np.errstate(all="ignore"):
        out = np.where(b == 0, a, np.mod(a, np.where(b == 0, 1, b)))
    out = widen_array(7, np.where(bad, qt.LONG_NULL, out), 7)
    if tx in qt.TEMPORAL:
        t = 7 if qt.DTYPES[tx].itemsize == 8 else 6
    return t, widen_array(7, out, t)


@primitive("mod", 2, atomic=True)
def modulus(x: Value, y: Value) -> Value:
    """Remainder with the sign of the divisor. Source: KX ref/mod."""
    if type(x) is int and type(y) is int and y and -_MAX < x < _MAX:
        return x % y
    return dyadic(_mod_core, x, y)


def _extreme_core(pick: np.ufunc) -> Simple:
    def core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
        if tx in qt.UNORDERED or ty in qt.UNORDERED:
            raise QError("type")
        t = tx if tx == ty else max(tx, ty)
        a, b = widen_array(tx, ax, t), widen_array(ty, ay, t)
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
    if t in qt.NOT_NUMBERS:
        raise QError("type")
    if t in (1, 4):
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
    if t in qt.NOT_NUMBERS:
        raise QError("type")
    if t in (1, 4):
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
    if t in qt.NOT_NUMBERS:
        raise QError("type")
    if t in qt.FLOATS:
        a = np.where(np.isnan(a), -1.0, a)
    return 6, np.sign(a.astype(np.int8) if t == 1 else a).astype(np.int32)


@primitive("signum", 1, atomic=True)
def signum(x: Value) -> Value:
    """-1i, 0i or 1i by sign; a null gives -1i. Source: KX ref/signum."""
    return monadic(_signum_core, x)
