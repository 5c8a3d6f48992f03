"""Weighted sums, products and correlation: wsum wavg cor cov scov."""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims import arith
from q_runtime.prims.aggregate import float_total, sum_
from q_runtime.prims.compare import is_null, negation
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.vectors import GList, Value, Vec, collapse, length, type_number


@primitive("wsum", 2)
def wsum(x: Value, y: Value) -> Value:
    """Sum of the products."""
    made = sum_(arith.multiply(x, y))
    if type(x) is Vec and type(y) is Vec and type_number(made) in (-7, -6, -5, -1):
        return arith.multiply(1.0, made)
    return made


@primitive("wavg", 2)
def wavg(x: Value, y: Value) -> Value:
    """Average of `y` weighted by `x`, as a float; pairs with a null weight or value are left out.

    Of lists of lists, dictionaries and tables the averages go down the columns.
    """
    if any(type(side) in (GList, Dict, Table) for side in (x, y)):
        return arith.divide(sum_(arith.multiply(x, y)), _total_weight(x, y))
    a, b = _pair(x, y)
    keep = ~(np.isnan(a) | np.isnan(b))
    with np.errstate(all="ignore"):
        return float(np.true_divide(float_total(a[keep] * b[keep]), float_total(a[keep])))


def _total_weight(x: Value, y: Value) -> Value:
    """Sum of the weights; of those whose value is null nothing is counted."""
    return sum_(arith.multiply(x, negation(is_null(y))))


def _pair(x: Value, y: Value) -> tuple[np.ndarray, np.ndarray]:
    n = length(y) if type(y) is Vec else length(x)
    out = []
    for side in (x, y):
        if type(side) is not Vec:
            if type_number(side) >= 0:
                raise QError("type")
            one = collapse([side])
            side = Vec(one.t, np.repeat(one.a, n))
        if side.t in qt.UNORDERED:
            raise QError("type")
        if len(side.a) != n:
            raise QError("length")
        out.append(widen_array(side.t, side.a, 9))
    return out[0], out[1]


def _known(a: np.ndarray) -> np.ndarray:
    """Leave out what is null."""
    return a[~np.isnan(a)]


def _mean(a: np.ndarray) -> float:
    known = _known(a)
    return float(known.mean()) if known.size else qt.NAN


def _covariance(a: np.ndarray, b: np.ndarray) -> float:
    """The mean of the products less the product of the means, each without its nulls, as `avg` takes them."""
    with np.errstate(all="ignore"):
        return _mean(a * b) - _mean(a) * _mean(b)


@primitive("cov", 2)
def cov(x: Value, y: Value) -> Value:
    """Covariance."""
    return _covariance(*_pair(x, y))


@primitive("scov", 2)
def scov(x: Value, y: Value) -> Value:
    """Sample covariance."""
    a, b = _pair(x, y)
    n = _known(a * b).size
    return _covariance(a, b) * n / (n - 1) if n > 1 else qt.NAN


@primitive("cor", 2)
def cor(x: Value, y: Value) -> Value:
    """Correlation."""
    a, b = _pair(x, y)
    known = _known(a), _known(b)
    if not all(one.size for one in known):
        return qt.NAN
    with np.errstate(all="ignore"):
        below = float(np.std(known[0]) * np.std(known[1]))
        return _covariance(a, b) / below if below else qt.NAN
