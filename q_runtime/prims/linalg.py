"""Matrices of floats: mmu (also written `$`), inv and lsq.

A matrix is a list of float vectors of one length, shape (n, m); a vector stands for itself, shape (n,).
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.registry import primitive
from q_runtime.values.vectors import GList, Value, Vec


def is_matrix(x: Value) -> bool:
    """Say whether `x` is a float vector or a list that begins with one: what `$` multiplies."""
    if type(x) is GList:
        return bool(x.items) and type(x.items[0]) is Vec and x.items[0].t == 9
    return type(x) is Vec and x.t == 9


def _array(x: Value) -> np.ndarray:
    """Return the array of a vector or matrix. Raises: QError('type'), QError('length')."""
    if type(x) is Vec and x.t == 9:
        return x.a
    if type(x) is GList and x.items and all(type(row) is Vec and row.t == 9 for row in x.items):
        if len({len(row.a) for row in x.items}) != 1:
            raise QError("length", "the rows of a matrix differ in length")
        return np.stack([row.a for row in x.items])
    raise QError("type", "expected a float vector or a matrix of floats")


def _value(a: np.ndarray) -> Value:
    if a.ndim == 0:
        return float(a)
    return Vec(9, a) if a.ndim == 1 else GList([Vec(9, row) for row in a])


@primitive("mmu", 2)
def mmu(x: Value, y: Value) -> Value:
    """Matrix product of floats; of two vectors the dot product, an atom.

    Raises: QError('type') for anything but floats; QError('length'). Source: KX ref/mmu.
    """
    a, b = _array(x), _array(y)
    if a.shape[-1] != b.shape[0]:
        raise QError("length", f"{a.shape[-1]} columns against {b.shape[0]} rows")
    return _value(_product(a, b))


_FEW_PRODUCTS = 1 << 22
"""Up to so many products are added one after another; more are left to the matrix library."""


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply matrices, each sum taken from left to right with every step rounded."""
    if not a.shape[-1] or a.size * (b.size // b.shape[0]) > _FEW_PRODUCTS:
        return np.asarray(a @ b)
    columns = a.T
    out = np.multiply.outer(columns[0], b[0])
    for column, row in zip(columns[1:], b[1:], strict=True):
        out = out + np.multiply.outer(column, row)
    return np.asarray(out)


@primitive("inv")
def inv(x: Value) -> Value:
    """Inverse of a square matrix of floats; nulls when it has none.

    Raises: QError('type') for anything but a float matrix; QError('length') when it is not square.
    Source: KX ref/inv.
    """
    a = _array(x)
    if a.ndim != 2:
        raise QError("type", "expected a matrix")
    if a.shape[0] != a.shape[1]:
        raise QError("length", "the matrix is not square")
    try:
        return _value(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        return _value(np.full(a.shape, np.nan))


@primitive("lsq", 2)
def lsq(x: Value, y: Value) -> Value:
    """The matrix that, multiplied by `y` on its right, comes nearest to `x` by least squares.

    Raises: QError('type') for anything but float matrices; QError('length') when the numbers of columns
    differ. Source: KX ref/lsq.
    """
    a, b = _array(x), _array(y)
    if b.ndim != 2 or a.ndim > 2:
        raise QError("type", "expected matrices")
    if a.shape[-1] != b.shape[1]:
        raise QError("length", f"{a.shape[-1]} columns against {b.shape[1]}")
    return _value(np.linalg.lstsq(b.T, a.T, rcond=None)[0].T)
