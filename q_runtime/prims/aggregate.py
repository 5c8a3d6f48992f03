"""Aggregates and running aggregates: sum prd min max avg med dev var all any sums prds maxs mins deltas ratios.

Nulls are ignored by sums, averages and extremes. A list of lists aggregates item by item.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.prims import arith
from q_runtime.prims.compare import null_mask
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    make_atom,
    symbols,
    type_number,
)


def _structured(f: Callable[[Value], Value], x: Value) -> Value | None:
    """Aggregate a dictionary by its values and a table by its columns; None for other values."""
    if type(x) is Dict:
        return f(x.v)
    if type(x) is Table:
        return Dict(symbols(x.names), collapse([f(c) for c in x.cols]))
    return None


def _fold(f: Callable[[Value, Value], Value], x: GList, start: Value) -> Value:
    if not x.items:
        return start
    out = x.items[0]
    for item in x.items[1:]:
        out = f(out, item)
    return out


def _sum_type(t: int) -> int:
    return 6 if t in (1, 4, 5) else t


def float_total(a: np.ndarray) -> float:
    """Sum of floats from the first to the last, as kdb+ rounds it; 0 for none."""
    reserve(a.size)
    with np.errstate(all="ignore"):
        return float(np.add.accumulate(a, dtype=np.float64)[-1]) if a.size else 0.0


def total(x: Value) -> Value:
    """Sum of a vector, nulls as zero."""
    t = _sum_type(x.t)
    if t in qt.NOT_NUMBERS:
        raise QError("type")
    a = x.a
    if t in qt.FLOATS:
        value = float_total(a)
        if value != value and np.isnan(a).any():
            value = float_total(np.where(np.isnan(a), 0.0, a))
        return make_atom(t, float(np.float32(value)) if t == 8 else value)
    if x.t in qt.INTEGERS and x.has_nulls:
        a = np.where(a == qt.NULLS[x.t], 0, a)
    if t == 7 or qt.DTYPES[t].itemsize == 8:
        return make_atom(t, int(np.add.reduce(a, dtype=np.int64)))
    return make_atom(t, int(np.add.reduce(a, dtype=np.int64).astype(np.int32)))


@primitive("sum")
def sum_(x: Value) -> Value:
    """Sum, nulls ignored. Source: KX ref/sum."""
    if type(x) is Vec:
        return total(x)
    made = _structured(sum_, x)
    if made is not None:
        return made
    if type(x) is GList:
        return _fold(_add_skipping_nulls, x, 0)
    return _as_summed(x)


def _as_summed(x: Value) -> Value:
    """Return an atom as sums and products hold it: at least an int.

    Raises: QError('type') for a symbol, a guid and a function.
    """
    t = -type_number(x)
    if t in qt.UNORDERED or t < 0:
        raise QError("type")
    if t == 10:
        return make_atom(6, x.v)
    return arith.add(make_atom(6, 0), x) if t in (1, 4, 5) else x


def _add_skipping_nulls(x: Value, y: Value) -> Value:
    from q_runtime.prims.compare import is_null

    if type_number(x) < 0 and type_number(y) < 0:
        if is_null(x):
            return y
        if is_null(y):
            return x
    return arith.add(x, y)


def product(x: Value) -> Value:
    """Product of a numeric vector, nulls ignored."""
    t = _sum_type(x.t)
    if t in qt.NOT_NUMBERS:
        raise QError("type")
    a = x.a
    mask = null_mask(x.t, a)
    if mask.any():
        a = a[~mask]
    with np.errstate(all="ignore"):
        if t in qt.FLOATS:
            return make_atom(t, float(np.multiply.reduce(a, dtype=np.float64)))
        value = int(np.multiply.reduce(a, dtype=np.int64))
    is_short = qt.DTYPES[t].itemsize == 4
    return make_atom(t, int(np.int64(value).astype(np.int32)) if is_short else value)


@primitive("prd")
def prd(x: Value) -> Value:
    """Product, nulls ignored. Source: KX ref/prd."""
    if type(x) is Vec:
        return product(x)
    made = _structured(prd, x)
    if made is not None:
        return made
    if type(x) is GList:
        return _fold(arith.multiply, x, 1)
    return _as_summed(x)


def _empty_extreme(t: int, sign: int) -> Value:
    if t == 1:
        return sign < 0
    if t == 4:
        return make_atom(4, 0 if sign > 0 else 255)
    if t == 10:
        return make_atom(10, 0 if sign > 0 else 255)
    if t in qt.UNORDERED:
        raise QError("type")
    inf = qt.INFINITIES[t]
    return make_atom(t, -inf if sign > 0 else inf)


def _extreme(x: Vec, sign: int) -> Value:
    if x.t in qt.UNORDERED:
        raise QError("type")
    a = x.a
    if a.size:
        found = (a.max() if sign > 0 else a.min()).item()
        if x.t in (1, 4) or (found == found and found != qt.NULLS[x.t]):
            return make_atom(x.t, found)
    if x.t not in (1, 4):
        mask = null_mask(x.t, a)
        if mask.any():
            a = a[~mask] if x.t != 10 else a
    if not a.size:
        return _empty_extreme(x.t, sign)
    return make_atom(x.t, (a.max() if sign > 0 else a.min()).item())


def largest(x: Vec) -> Value:
    """Largest item of a vector, nulls ignored."""
    return _extreme(x, 1)


def smallest(x: Vec) -> Value:
    """Smallest item of a vector, nulls ignored."""
    return _extreme(x, -1)


@primitive("max")
def max_(x: Value) -> Value:
    """Largest item, nulls ignored; -0W for an empty list. Source: KX ref/max."""
    if type(x) is Vec:
        return largest(x)
    made = _structured(max_, x)
    if made is not None:
        return made
    if type(x) is GList:
        return _fold(arith.greater, x, GList([]) if not x.items else -qt.LONG_INF)
    if abs(type_number(x)) in qt.UNORDERED or type_number(x) >= 100:
        raise QError("type")
    return x


@primitive("min")
def min_(x: Value) -> Value:
    """Smallest item, nulls ignored; 0W for an empty list. Source: KX ref/min."""
    if type(x) is Vec:
        return smallest(x)
    made = _structured(min_, x)
    if made is not None:
        return made
    if type(x) is GList:
        return _fold(_least, x, GList([]) if not x.items else qt.LONG_INF)
    if abs(type_number(x)) in qt.UNORDERED or type_number(x) >= 100:
        raise QError("type")
    return x


def _least(x: Value, y: Value) -> Value:
    return arith.lesser(x, y)


def floats_of(x: Value) -> np.ndarray:
    """Return the non-null items of a vector of anything but symbols and guids as floats.

    Raises: QError('type').
    """
    if type(x) is not Vec:
        if type(x) is GList and not x.items:
            return np.empty(0)
        if type(x) is GList:
            raise QError("type")
        if 0 < -type_number(x) < qt.FIRST_ENUM:
            return floats_of(collapse([x]))
        raise QError("type")
    if x.t in qt.UNORDERED:
        raise QError("type")
    a = widen_array(x.t, x.a, 9)
    bad = np.isnan(a)
    return a[~bad] if bad.any() else a


def _statistic(name: str, formula: Callable[[np.ndarray], float]) -> None:
    """Register a statistic of the non-null items; an empty list gives 0n."""

    def statistic(x: Value) -> Value:
        made = _structured(statistic, x)
        if made is not None:
            return made
        if type(x) is GList and x.items and name == "avg":
            return arith.divide(sum_(x), len(x.items))
        if type(x) is GList and x.items and any(is_list(i) for i in x.items):
            from q_runtime.prims.shape import flip

            columns = flip(x)
            return collapse([statistic(column) for column in items_of(columns)])
        a = _middle(x) if name == "med" else floats_of(x)
        with np.errstate(all="ignore"):
            return float(formula(a)) if a.size else qt.NAN

    statistic.__doc__ = (
        f"{name} of the items, nulls ignored; 0n for an empty list. Source: KX ref/{name}."
    )
    primitive(name)(statistic)


def _middle(x: Value) -> np.ndarray:
    """The one or two items whose average is the median, less those that are null; nulls sort first and count."""
    kept = floats_of(x)
    n = length(x) if is_list(x) else 1
    skipped = n - len(kept)
    places = {(n - 1) // 2 - skipped, n // 2 - skipped}
    if not kept.size or max(places) < 0:
        return np.empty(0)
    ranked = np.partition(kept, [p for p in places if p >= 0])
    return ranked[[p for p in sorted(places) if p >= 0]]


def _sample(a: np.ndarray) -> float:
    return float(np.var(a, ddof=1)) if a.size > 1 else qt.NAN


_statistic("avg", lambda a: float_total(a) / a.size)
_statistic("med", lambda a: float(np.mean(a)))
_statistic("var", lambda a: float(np.var(a)))
_statistic("dev", lambda a: float(np.std(a)))
_statistic("svar", _sample)
_statistic("sdev", lambda a: float(np.sqrt(_sample(a))))


def _booleans(x: Value) -> Value:
    """Cast `x` to booleans at every depth: true is what is not zero."""
    if type(x) is GList:
        return collapse([_booleans(item) for item in x.items])
    if type(x) is Dict:
        return Dict(x.k, _booleans(x.v))
    if type(x) is Table:
        return Table(x.names, [_booleans(column) for column in x.cols])
    if type(x) is Vec:
        if x.t in qt.UNORDERED:
            raise QError("type")
        return Vec(1, x.a != 0)
    if type_number(x) >= 100 or -type_number(x) in qt.UNORDERED:
        raise QError("type")
    return bool(collapse([x]).a[0] != 0)


@primitive("all")
def all_(x: Value) -> Value:
    """Smallest of the items as booleans; 1b for an empty list. Source: KX ref/all-any."""
    made = _structured(all_, x)
    if made is not None:
        return made
    if type(x) is GList and not x.items:
        return True
    return min_(_booleans(x))


@primitive("any")
def any_(x: Value) -> Value:
    """Largest of the items as booleans; 0b for an empty list. Source: KX ref/all-any."""
    made = _structured(any_, x)
    if made is not None:
        return made
    if type(x) is GList and not x.items:
        return False
    return max_(_booleans(x))


# -- running aggregates


def _running(x: Vec, f: np.ufunc, start: float) -> Vec:
    t = _sum_type(x.t)
    a = x.a
    if t in qt.FLOATS and a.size:
        with np.errstate(all="ignore"):
            out = f.accumulate(a, dtype=qt.DTYPES[t])
        if out[-1] == out[-1]:
            return Vec(t, out)
    mask = null_mask(x.t, a)
    if mask.any():
        a = np.where(mask, start, a).astype(a.dtype)
    with np.errstate(all="ignore"):
        out = f.accumulate(a, dtype=qt.DTYPES[t]) if a.size else a.astype(qt.DTYPES[t])
    return Vec(t, out)


def running_total(x: Vec) -> Value:
    """Running sums of a vector."""
    return _running(x, np.add, 0)


def running_product(x: Vec) -> Value:
    """Running products of a vector."""
    return _running(x, np.multiply, 1)


def running_largest(x: Vec) -> Value:
    """Running maxima; a null does not count."""
    if x.t in qt.UNORDERED:
        raise QError("type")
    if x.t in qt.FLOATS:
        a = np.where(np.isnan(x.a), -np.inf, x.a)
    elif x.t in qt.INTEGERS:
        a = np.where(x.a == qt.NULLS[x.t], -qt.INFINITIES[x.t], x.a).astype(x.a.dtype)
    else:
        a = x.a
    return Vec(x.t, np.maximum.accumulate(a) if a.size else a)


def running_smallest(x: Vec) -> Value:
    """Running minima."""
    if x.t in qt.UNORDERED:
        raise QError("type")
    if x.t in qt.FLOATS:
        a = np.where(np.isnan(x.a), np.inf, x.a)
    elif x.t in qt.INTEGERS:
        a = np.where(x.a == qt.NULLS[x.t], qt.INFINITIES[x.t], x.a).astype(x.a.dtype)
    else:
        a = x.a
    return Vec(x.t, np.minimum.accumulate(a) if a.size else a)


def _scanner(
    name: str, fast: Callable[[Vec], Value], f: Callable[[Value, Value], Value]
) -> Callable[[Value], Value]:
    """Register a running aggregate."""

    def scan(x: Value) -> Value:
        if type(x) is Dict:
            return Dict(x.k, scan(x.v))
        if type(x) is Table:
            return Table(x.names, [scan(c) for c in x.cols])
        if type(x) is Vec:
            if x.t in qt.UNORDERED or (x.t == 10 and name not in ("maxs", "mins")):
                raise QError("type")
            return fast(x)
        if type(x) is GList:
            out = x.items[:1]
            for item in x.items[1:]:
                out.append(f(out[-1], item))
            return collapse(out)
        if abs(type_number(x)) in qt.TEXTS or type_number(x) >= 100:
            raise QError("type")
        return x

    scan.__doc__ = f"Running aggregate. Source: KX ref/{name}."
    return primitive(name)(scan)


_scanner("sums", running_total, arith.add)
_scanner("prds", running_product, arith.multiply)
_scanner("maxs", running_largest, arith.greater)
_scanner("mins", running_smallest, arith.lesser)


@primitive("deltas", 1, 2)
def deltas(*args: Value) -> Value:
    """Differences of neighbours; item 0 is the first item (less the left argument, if any)."""
    x = args[-1]
    if type(x) is Dict:
        return Dict(x.k, deltas(*args[:-1], x.v))
    if type(x) is Table:
        return Table(x.names, [deltas(*args[:-1], c) for c in x.cols])
    if not is_list(x):
        return x if len(args) == 1 else arith.subtract(x, args[0])
    if type(x) is GList:
        items = x.items
        if not items:
            return x
        seed = [items[0]] if len(args) == 1 else [arith.subtract(items[0], args[0])]
        return collapse(seed + [arith.subtract(b, a) for a, b in itertools.pairwise(items)])
    if x.t in qt.NOT_NUMBERS:
        raise QError("type")
    if not len(x.a):
        return x
    if len(args) == 2:
        from q_runtime.prims.joining import join

        before = join(args[0], Vec(x.t, x.a[:-1]))
        return arith.subtract(x, before)
    if (x.t == 7 and not x.has_nulls) or x.t == 9:
        return _plain_deltas(x)
    rest = arith.subtract(Vec(x.t, x.a[1:]), Vec(x.t, x.a[:-1]))
    return Vec(rest.t, np.concatenate((x.a[:1].astype(rest.a.dtype), rest.a)))


def _plain_deltas(x: Vec) -> Vec:
    out = np.empty_like(x.a)
    out[0] = x.a[0]
    with np.errstate(all="ignore"):
        np.subtract(x.a[1:], x.a[:-1], out=out[1:])
    return Vec(x.t, out)


@primitive("ratios", 1, 2)
def ratios(*args: Value) -> Value:
    """Ratios of neighbours; item 0 is the first item."""
    x = args[-1]
    if type(x) is Table:
        return Table(x.names, [ratios(*args[:-1], c) for c in x.cols])
    if type(x) is Dict and type(x.v) is Table:
        return Dict(x.k, ratios(*args[:-1], x.v))
    if type(x) is Dict:
        return Dict(x.k, ratios(*args[:-1], x.v))
    if not is_list(x):
        return x
    if type(x) is Vec and x.t in qt.UNORDERED:
        raise QError("type")
    if type(x) is Vec and len(args) == 1 and len(x.a):
        a = widen_array(x.t, x.a, 9)
        out = np.empty_like(a)
        out[0] = a[0]
        with np.errstate(all="ignore"):
            np.true_divide(a[1:], a[:-1], out=out[1:])
        return Vec(9, out)
    items = items_of(x)
    if not items:
        return x
    first = items[0] if len(args) == 1 else arith.divide(items[0], args[0])
    rest = [arith.divide(b, a) for a, b in itertools.pairwise(items)]
    if type(first) is int:
        first = float(first)
    return collapse([first, *rest])
