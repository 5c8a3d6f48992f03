"""Moving windows: mavg msum mmax mmin mcount mdev, the last `x` items at each place; avgs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import accumulate

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims import arith
from q_runtime.prims.atomic import array_of
from q_runtime.prims.compare import null_mask
from q_runtime.prims.lists import integer
from q_runtime.prims.registry import primitive
from q_runtime.prims.result_types import sum_type
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.vectors import Atom, GList, Value, Vec, collapse, items_of, type_number


def _columns(f: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    """Extend a moving function to tables (by column) and dictionaries (down their value lists)."""

    @wraps(f)
    def extended(x: Value, y: Value) -> Value:
        if type(y) is Table:
            return Table(y.names, [f(x, c) for c in y.cols])
        if type(y) is Dict:
            if type(y.v) is Vec:
                return Dict(y.k, f(x, y.v))
            if type(y.v) is Table:
                return Dict(y.k, extended(x, y.v))
            from q_runtime.prims.shape import flip

            return Dict(y.k, flip(GList([f(x, c) for c in items_of(flip(y.v))])))
        return f(x, y)

    return extended


def _window(x: Value, y: Value) -> tuple[int, Vec]:
    n = integer(x, "moving window")
    if type(y) is GList and not y.items:
        return n, Vec(7, np.empty(0, dtype=np.int64))
    if type(y) is not Vec:
        raise QError("type")
    return n, y


def _numbers(x: Value, y: Value) -> tuple[int, Vec]:
    """Read the arguments of a moving function of numbers."""
    n, v = _window(x, y)
    if v.t in qt.UNORDERED:
        raise QError("type")
    return n, v


def _moving_sum(n: int, a: np.ndarray) -> np.ndarray:
    """Sums of the last `n` items: running sum less the one `n` places before, shape kept."""
    run = np.add.accumulate(a)
    out = run.copy()
    if 0 <= n < len(a):
        out[n:] = run[n:] - run[: len(a) - n]
    return out if n > 0 else np.zeros_like(a)


def _row_sums(n: int, rows: list[Value]) -> Value:
    """Moving sums of vectors of one length."""
    from q_runtime.prims.setops import fill

    filled = [fill(Atom(-6, 0), row) for row in rows]
    run = list(accumulate(filled, arith.add))
    before = [arith.subtract(row, row) for row in filled[: max(n, 0)]] + run
    return GList([arith.subtract(a, b) for a, b in zip(run, before, strict=False)])


@primitive("msum", 2)
@_columns
def msum(x: Value, y: Value) -> Value:
    """Moving sums, nulls as zero; they have the type of a difference of two sums. Vectors are summed with vectors."""
    if type(y) is GList and y.items and all(type(row) is Vec for row in y.items):
        return _row_sums(integer(x, "moving window"), y.items)
    n, v = _window(x, y)
    if v.t == 10:
        raise QError("type")
    t = sum_type(v.t, v.t)
    a = np.where(null_mask(v.t, v.a), 0, v.a).astype(qt.DTYPES[t])
    return Vec(t, _moving_sum(n, a).astype(qt.DTYPES[t]))


@primitive("mcount", 2)
@_columns
def mcount(x: Value, y: Value) -> Value:
    """Moving counts of non-null items: ints, as `msum` of the booleans `not null y` has them."""
    n, v = _window(x, y)
    return Vec(6, _moving_sum(n, (~null_mask(v.t, v.a)).astype(np.int32)))


def _plain_averages(n: int, run: np.ndarray) -> np.ndarray:
    """Averages of the last `n` items from the running sums of a vector without nulls."""
    out = np.empty_like(run)
    out[:n] = run[:n] / np.arange(1, min(n, len(run)) + 1)
    if n < len(run):
        rest = np.subtract(run[n:], run[:-n], out=out[n:])
        np.true_divide(rest, n, out=rest)
    return out


@primitive("mavg", 2)
@_columns
def mavg(x: Value, y: Value) -> Value:
    """Moving averages of the non-null items, as floats."""
    n, v = _numbers(x, y)
    a = widen_array(v.t, v.a, 9)
    if n > 0 and a.size:
        with np.errstate(all="ignore"):
            run = np.add.accumulate(a)
            if run[-1] == run[-1]:
                return Vec(9, _plain_averages(n, run))
    bad = np.isnan(a)
    with np.errstate(all="ignore"):
        sums = _moving_sum(n, np.where(bad, 0.0, a))
        return Vec(9, sums / _moving_sum(n, (~bad).astype(np.float64)))


@primitive("mdev", 2)
@_columns
def mdev(x: Value, y: Value) -> Value:
    """Moving standard deviations."""
    n, v = _numbers(x, y)
    a = widen_array(v.t, v.a, 9)
    out = np.empty(len(a))
    for i in range(len(a)):
        piece = a[max(0, i + 1 - n) : i + 1]
        piece = piece[~np.isnan(piece)]
        out[i] = np.std(piece) if piece.size else np.nan
    return Vec(9, out)


def _extreme(name: str, f: np.ufunc, largest: bool) -> None:
    def moving(x: Value, y: Value) -> Value:
        n, v = _window(x, y)
        if n <= 1 and not largest:
            return v
        if v.t in qt.UNORDERED:
            raise QError("type")
        a = v.a
        if v.t in qt.FLOATS and largest:
            a = np.where(np.isnan(a), -np.inf, a)
        elif v.t in qt.INTEGERS and largest:
            a = np.where(a == qt.NULLS[v.t], -qt.INFINITIES[v.t], a).astype(a.dtype)
        if not len(a):
            return Vec(v.t, a)
        out = a.copy()
        width, reach = 1, max(1, min(n, len(a)))
        while width < reach:
            step = min(width, reach - width)
            shifted = out[: len(out) - step]
            out = np.concatenate((out[:step], f(out[step:], shifted)))
            width += step
        return Vec(v.t, out)

    moving.__doc__ = f"Moving {'maxima' if largest else 'minima'} over the last items."
    primitive(name, 2)(_columns(moving))


_extreme("mmax", np.maximum, True)
_extreme("mmin", np.minimum, False)


@primitive("avgs")
def avgs(x: Value) -> Value:
    """Running averages of the non-null items."""
    if type(x) is Table:
        return Table(x.names, [avgs(c) for c in x.cols])
    if type(x) is Dict:
        return Dict(x.k, avgs(x.v))
    if type(x) is GList:
        return collapse([*items_of(x)]) if not x.items else _wrong()
    if type(x) is not Vec:
        return arith.divide(x, True)
    return mavg(len(x.a) + 1, x)


def _wrong() -> Value:
    raise QError("type")


@primitive("ema", 2)
@_columns
def ema(x: Value, y: Value) -> Value:
    """Exponential moving average, as floats: `s[0] = y[0]`, `s[i] = x*y[i] + (1-x)*s[i-1]`.

    x: a number, or one for each item of `y`; y: numbers, shape (n,). Returns shape (n,).
    Raises: QError('type'), QError('length'). Source: KX ref/ema.
    """
    if type(y) is not Vec or y.t in qt.NOT_NUMBERS or (type(x) is not Vec and type_number(x) >= 0):
        raise QError("type")
    t, weights = array_of(x)
    if t in qt.NOT_NUMBERS:
        raise QError("type")
    weights = widen_array(t, weights, 9)
    if weights.ndim and len(weights) != len(y.a):
        raise QError("length")
    values = widen_array(y.t, y.a, 9)
    if not values.size:
        return Vec(9, values)
    pairs = zip(
        (weights * values).tolist(),
        np.broadcast_to(1 - weights, values.shape).tolist(),
        strict=True,
    )
    out = [values.item(0)]
    for gain, keep in list(pairs)[1:]:
        out.append(keep * out[-1] + gain)
    return Vec(9, np.array(out))
