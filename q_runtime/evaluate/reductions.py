"""Over, scan and each prior of known operators on simple vectors, as NumPy reductions.

Each function returns None when it has no fast way; the caller then loops.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims import aggregate
from q_runtime.prims.arith import add, multiply
from q_runtime.prims.compare import null_mask
from q_runtime.prims.joining import raze
from q_runtime.values import qtypes as qt
from q_runtime.values.vectors import GList, Value, Vec, collapse, is_list, items_of, length

_NEUTRAL = {"+": 0, "*": 1, "&": 0, "and": 0}
COMPARISONS = frozenset({"=", "<>", "<", ">", "<=", ">="})
PRIOR_SEED: dict[str, Value] = {"-": 0, "+": 0, "*": 1, "%": 1, "&": qt.LONG_INF, "|": -qt.LONG_INF}


def fast_over(name: str, x: Value) -> Value | None:
    """Reduce a vector by a known operator."""
    if name == "," and type(x) in (GList, Vec):
        return raze(x)
    if type(x) is not Vec or not len(x.a):
        return None
    if x.t in qt.NOT_NUMBERS:
        return None
    if name == "+":
        return aggregate.total(x)
    if name == "*" and x.t in qt.NUMERIC:
        return aggregate.product(x)
    if name in ("&", "and"):
        return aggregate.smallest(x)
    if name in ("|", "or"):
        return aggregate.largest(x)
    return None


def fast_scan(name: str, x: Value) -> Value | None:
    """Running reduction of a vector by a known operator."""
    if type(x) is not Vec or not len(x.a) or x.t not in qt.NUMERIC:
        return None
    if name == "+":
        return aggregate.running_total(x)
    if name == "*":
        return aggregate.running_product(x)
    if name in ("&", "and"):
        return aggregate.running_smallest(x)
    if name in ("|", "or"):
        return aggregate.running_largest(x)
    return None


def without_nulls(name: str, x: Value) -> Value:
    """Replace nulls in a vector by what leaves a running total as it is: over and scan from a start skip them."""
    if type(x) is not Vec or x.t not in qt.NUMERIC | qt.TEMPORAL or name not in _NEUTRAL:
        return x
    mask = null_mask(x.t, x.a)
    if not mask.any():
        return x
    neutral = qt.INFINITIES[x.t] if name in ("&", "and") else _NEUTRAL[name]
    return Vec(x.t, np.where(mask, neutral, x.a).astype(x.a.dtype))


def recurrence(start: Value, factor: Value, gains: Value) -> Value:
    r"""`start factor\gains`: every result is its gain and the factor times the result before.

    factor: a float, or one for each gain. Raises: QError('length').
    Source: KX ref/accumulators, alternative syntax.
    """
    if not is_list(gains):
        return add(gains, multiply(factor, start))
    n = length(gains)
    if is_list(factor) and length(factor) != n:
        raise QError("length")
    out: list[Value] = []
    for f, gain in zip(
        items_of(factor) if is_list(factor) else [factor] * n, items_of(gains), strict=True
    ):
        start = add(gain, multiply(f, start))
        out.append(start)
    return collapse(out)


def fast_each_prior(name: str, x: Value) -> Value | None:
    """Differences and comparisons of neighbours."""
    if type(x) is not Vec or not len(x.a):
        return None
    if name == "-" and x.t in qt.NUMERIC | qt.TEMPORAL:
        return aggregate.deltas(x)
    return None


def identity(name: str, x: Value) -> Value | None:
    """Return what over gives for an empty list, None when nothing is known."""
    if name == "+":
        return aggregate.total(x) if type(x) is Vec else 0
    if name == "*":
        return 1
    if name in ("&", "and"):
        return aggregate.smallest(x) if type(x) is Vec else qt.LONG_INF
    if name in ("|", "or"):
        return aggregate.largest(x) if type(x) is Vec else -qt.LONG_INF
    if name == ",":
        return GList([])
    return None
