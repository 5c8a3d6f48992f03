"""Comparison: = <> < > <= >=, match `~`, not, null.

Floats compare with the relative tolerance of kdb+, 2 xexp -43. Nulls equal each other and come before
every other value. Numbers and characters may be mixed; symbols only meet symbols.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.atomic import dyadic, monadic
from q_runtime.prims.casting_arrays import cast_array
from q_runtime.prims.registry import primitive
from q_runtime.prims.result_types import meeting_type
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve_array
from q_runtime.values.functions import (
    Composition,
    Derived,
    IteratorValue,
    Lambda,
    Nil,
    Prim,
    Projection,
)
from q_runtime.values.literal import function_text
from q_runtime.values.vectors import NULL_LONG, Atom, GList, Value, Vec, length, type_number

TOLERANCE = 2.0**-43


def close(x: float, y: float) -> bool:
    """Say whether two floats are equal within tolerance; nulls equal each other."""
    if x == y:
        return True
    if x != x or y != y:
        return x != x and y != y
    if x in (qt.INF, -qt.INF) or y in (qt.INF, -qt.INF):
        return False
    return abs(x - y) <= TOLERANCE * max(abs(x), abs(y))


def close_range(x: float) -> tuple[float, float] | None:
    """The least and the greatest float that are `close` to `x`; None where rounding makes that hard to say.

    Between half and twice `x` differences are exact, and the tolerance is a power of two; so the floats close to `x`
    are an interval.
    """
    if x == 0.0:
        return 0.0, 0.0
    size = abs(x)
    if not 1e-280 < size < 1e280:
        return None
    far, near = size / (1.0 - TOLERANCE), size - TOLERANCE * size
    while close(far, size):
        far = math.nextafter(far, math.inf)
    while not close(far, size):
        far = math.nextafter(far, 0.0)
    while close(near, size):
        near = math.nextafter(near, 0.0)
    while not close(near, size):
        near = math.nextafter(near, math.inf)
    return (near, far) if x > 0 else (-far, -near)


def _compare_with_atom(name: str, a: np.ndarray, x: float) -> np.ndarray | None:
    """Compare a float array with one float by exact comparisons; None where that cannot be done."""
    bounds = close_range(x)
    if bounds is None:
        return None
    low, high = bounds
    if name == ">":
        return a > high
    if name == ">=":
        return a >= low
    if name == "<":
        return ~(a >= low)
    if name == "<=":
        return ~(a > high)
    same = (a == low) if low == high else (a >= low) & (a <= high)
    return same if name == "=" else ~same


_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>"}


def close_arrays(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Elementwise `close` on float arrays."""
    with np.errstate(all="ignore"):
        same = a == b
        near = np.abs(a - b) <= TOLERANCE * np.maximum(np.abs(a), np.abs(b))
        near &= np.isfinite(a) & np.isfinite(b)
        return same | near | (np.isnan(a) & np.isnan(b))


def common(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Bring two arrays to one comparable type.

    Raises: QError('type') for a symbol or guid against anything else.
    """
    if tx == ty and tx < qt.FIRST_ENUM:
        return tx, ax, ay
    if tx >= qt.FIRST_ENUM or ty >= qt.FIRST_ENUM:
        return common(*resolve_array(tx, ax), *resolve_array(ty, ay))
    if tx in (2, 11) or ty in (2, 11):
        raise QError("type")
    if tx in qt.TEMPORAL and ty in qt.TEMPORAL:
        t = meeting_type(tx, ty)
        return t, cast_array(tx, ax, t), cast_array(ty, ay, t)
    t = 9 if tx in qt.FLOATS or ty in qt.FLOATS else 7
    return t, _plain(tx, ax, t), _plain(ty, ay, t)


def _plain(t: int, a: np.ndarray, target: int) -> np.ndarray:
    return a.astype(qt.DTYPES[target]) if t == 10 else widen_array(t, a, target)


def _ordered(t: int, a: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(a), -np.inf, a) if t in qt.FLOATS else a


def _core(name: str) -> Callable[..., tuple[int, np.ndarray]]:
    def core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
        t, a, b = common(tx, ax, ty, ay)
        return 1, np.asarray(_compare(name, t, a, b), dtype=bool)

    return core


def _compare(name: str, t: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if t in qt.FLOATS:
        if a.dtype == b.dtype == np.float64 and a.ndim != b.ndim:
            many, one, verb = (a, b, name) if a.ndim else (b, a, _MIRRORED[name])
            made = _compare_with_atom(verb, many, float(one))
            if made is not None:
                return made
        same = close_arrays(a, b)
        if name == "=":
            return same
        if name == "<>":
            return ~same
        low_a, low_b = _ordered(t, a), _ordered(t, b)
        null_less = np.isnan(a) & ~np.isnan(b)
        null_more = np.isnan(b) & ~np.isnan(a)
        if name in ("<", "<="):
            less = ((low_a < low_b) | null_less) & ~same
            return less | same if name == "<=" else less
        more = ((low_a > low_b) | null_more) & ~same
        return more | same if name == ">=" else more
    if name == "=":
        return a == b
    if name == "<>":
        return a != b
    if name == "<":
        return a < b
    if name == ">":
        return a > b
    return a <= b if name == "<=" else a >= b


_CORES = {name: _core(name) for name in ("=", "<>", "<", ">", "<=", ">=")}


def _is_whole(x: Value) -> bool:
    """Say whether `x` is a long, null or not, or a boolean: they compare as whole numbers, the null as the least."""
    return type(x) is int or x is NULL_LONG or type(x) is bool


def _number(x: Value) -> int:
    return x.v if x is NULL_LONG else x


@primitive("=", 2, atomic=True)
def equal(x: Value, y: Value) -> Value:
    """Whether items are equal, or two operators the same. Source: KX ref/equal."""
    c = type(x)
    if c is type(y):
        if c is int or c is bool:
            return x == y
        if c is float:
            return close(x, y)
        if c is Atom and x.t == y.t and -x.t not in qt.FLOATS:
            return x.v == y.v
        if c is Prim and x.t == y.t == 102:
            return matches(x, y)
    elif _is_whole(x) and _is_whole(y):
        return _number(x) == _number(y)
    return dyadic(_CORES["="], x, y)


@primitive("<>", 2, atomic=True)
def unequal(x: Value, y: Value) -> Value:
    """Whether items differ. Source: KX ref/not-equal."""
    if _is_whole(x) and _is_whole(y):
        return _number(x) != _number(y)
    return dyadic(_CORES["<>"], x, y)


@primitive("<", 2, atomic=True)
def less(x: Value, y: Value) -> Value:
    """Whether the left item comes first. Source: KX ref/less-than."""
    if _is_whole(x) and _is_whole(y):
        return _number(x) < _number(y)
    return dyadic(_CORES["<"], x, y)


@primitive(">", 2, atomic=True)
def more(x: Value, y: Value) -> Value:
    """Whether the left item comes last. Source: KX ref/greater-than."""
    if _is_whole(x) and _is_whole(y):
        return _number(x) > _number(y)
    return dyadic(_CORES[">"], x, y)


@primitive("<=", 2, atomic=True)
def up_to(x: Value, y: Value) -> Value:
    """Whether the left item is not after the right. Source: KX ref/less-than."""
    if _is_whole(x) and _is_whole(y):
        return _number(x) <= _number(y)
    return dyadic(_CORES["<="], x, y)


@primitive(">=", 2, atomic=True)
def at_least(x: Value, y: Value) -> Value:
    """Whether the left item is not before the right. Source: KX ref/greater-than."""
    if _is_whole(x) and _is_whole(y):
        return _number(x) >= _number(y)
    return dyadic(_CORES[">="], x, y)


def matches(x: Value, y: Value) -> bool:
    """Say whether two values are identical in type, shape and items (floats within tolerance)."""
    if x is y:
        return True
    t = type_number(x)
    if t != type_number(y):
        return False
    if t < 0:
        if -t in qt.FLOATS:
            return close(*(v.v if type(v) is Atom else v for v in (x, y)))
        return (
            (x.v == y.v) if type(x) is Atom and type(y) is Atom else x == y and type(x) is type(y)
        )
    if type(x) is Vec:
        if len(x.a) != len(y.a):
            return False
        if t in qt.FLOATS:
            return bool(close_arrays(x.a, y.a).all())
        return bool((x.a == y.a).all())
    if type(x) is GList:
        if len(x.items) != len(y.items):
            return False
        return all(matches(a, b) for a, b in zip(x.items, y.items, strict=True))
    return _match_structures(x, y)


def _match_structures(x: Value, y: Value) -> bool:
    if type(x) is Prim or type(y) is Prim:  # `sums` is `+\\`, `and` is `&`
        known = all(f.shown for f in (x, y) if type(f) is Prim)
        return known and function_text(x) == function_text(y)
    if type(x) is not type(y):
        return False
    if type(x) is Dict:
        return matches(x.k, y.k) and matches(x.v, y.v)
    if type(x) is Table:
        if x.names != y.names or length(x) != length(y):
            return False
        return all(matches(a, b) for a, b in zip(x.cols, y.cols, strict=True))
    if type(x) is Lambda:
        return x.source == y.source and x.namespace == y.namespace
    if type(x) is Projection:
        if len(x.args) != len(y.args) or x.given != y.given or not matches(x.f, y.f):
            return False
        return all(matches(a, b) for a, b in zip(x.args, y.args, strict=True))
    if type(x) is Composition:
        return matches(x.f, y.f) and matches(x.g, y.g)
    if type(x) is Derived:
        return x.glyph == y.glyph and matches(x.f, y.f)
    return type(x) is IteratorValue and x.glyph == y.glyph


@primitive("~", 2)
def match(x: Value, y: Value) -> Value:
    """Whether two values are identical. Source: KX ref/match."""
    return matches(x, y)


def _not_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    if t in qt.UNORDERED:
        raise QError("type")
    return 1, np.asarray(a == 0, dtype=bool)


@primitive("not", 1, atomic=True)
def negation(x: Value) -> Value:
    """Whether items are zero. Source: KX ref/not."""
    if type(x) is bool or type(x) is int:
        return not x
    return monadic(_not_core, x)


def null_mask(t: int, a: np.ndarray) -> np.ndarray:
    """Return which items of an array of type `t` are null."""
    if t in qt.FLOATS:
        return np.isnan(a)
    if t in (1, 4):
        return np.zeros(a.shape, dtype=bool)
    return np.asarray(a == qt.NULLS[t], dtype=bool)


def _null_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    return 1, null_mask(t, a)


@primitive("null", 1, atomic=True)
def is_null(x: Value) -> Value:
    """Whether items are null; `::` is null, other functions are not. Source: KX ref/null."""
    if type(x) is int or type(x) is bool:
        return False
    if type_number(x) >= 100:
        return type(x) is Nil
    return monadic(_null_core, x)


def lesser_both(x: Value, y: Value) -> Value:
    """Both of two boolean results, item by item."""
    from q_runtime.prims.arith import lesser

    return lesser(x, y)
