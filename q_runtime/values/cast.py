"""Conversion of arrays between numeric types, with nulls and infinities carried over.

Only widening and the checked casts of `$` on simple data; parsing of text is in prims/text.py.
"""

from __future__ import annotations

import numpy as np

from q_runtime.values import qtypes as qt


def widen_array(source: int, a: np.ndarray, target: int) -> np.ndarray:
    """Convert an array from type `source` to type `target`, shape kept.

    Nulls become those of the target; an integer infinity is widened as the number it is. Floats beyond
    an integer target become its infinities. Values are truncated towards the dtype, not rounded.
    """
    if source == target:
        return a
    dtype = qt.DTYPES[target]
    if a.dtype == dtype and source not in qt.INTEGERS:
        return a
    if source in qt.INTEGERS:
        if target in qt.FLOATS:
            return _integers_to_floats(source, a, dtype)
        if target in qt.INTEGERS:
            if a.dtype == dtype:
                return a
            return _between_integers(source, a, target)
    elif source in qt.FLOATS and target in qt.INTEGERS:
        return _floats_to_integers(a, target)
    with np.errstate(all="ignore"):
        return a.astype(dtype)


def _integers_to_floats(source: int, a: np.ndarray, dtype: np.dtype) -> np.ndarray:
    out = np.asarray(a.astype(dtype))
    null = qt.NULLS[source]
    if a.size and a.min() == null:
        out[a == null] = np.nan
    return out


def _between_integers(source: int, a: np.ndarray, target: int) -> np.ndarray:
    null = qt.NULLS[source]
    wide, bound = qt.NULLS[target], qt.INFINITIES[target]
    if qt.DTYPES[target].itemsize > a.dtype.itemsize:
        out = np.asarray(a.astype(qt.DTYPES[target]))
        if a.size and a.min() == null:
            out[a == null] = wide
        return out
    out = np.asarray(np.clip(a, -bound, bound).astype(qt.DTYPES[target]))
    out[a == null] = wide
    return out


def _floats_to_integers(a: np.ndarray, target: int) -> np.ndarray:
    bound = qt.INFINITIES[target]
    with np.errstate(all="ignore"):
        big = a >= float(bound)
        small = a <= -float(bound)
        bad = np.isnan(a)
        out = np.asarray(np.where(big | small | bad, 0, a).astype(qt.DTYPES[target]))
    out[big] = bound
    out[small] = -bound
    out[bad] = qt.NULLS[target]
    return out
