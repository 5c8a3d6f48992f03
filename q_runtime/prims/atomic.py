"""How an atomic primitive reaches into lists, dictionaries and tables.

`dyadic` and `monadic` take the function for atoms and simple vectors and extend it to everything else.
They know nothing of any particular operator.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.qtypes import DTYPES
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    items_of,
    length,
    make_atom,
    type_number,
)

Simple = Callable[[int, np.ndarray, int, np.ndarray], tuple[int, np.ndarray]]
"""A dyadic core: types and arrays of both sides to the type and array of the result."""

RIGHT_ONLY: dict[Simple, Callable[[Value], Value]] = {}
"""For a core, what becomes of a dictionary's value whose key the left side lacks (else it is kept)."""


def array_of(x: Value) -> tuple[int, np.ndarray]:
    """Return (positive type, array) of an atom or vector; an atom gives shape ()."""
    c = type(x)
    if c is Vec:
        return x.t, x.a
    if c is int:
        return 7, np.array(x, dtype=np.int64)
    if c is float:
        return 9, np.array(x, dtype=np.float64)
    if c is bool:
        return 1, np.array(x, dtype=bool)
    t = -x.t
    return t, np.array(x.v, dtype=DTYPES[t])


def wrap(t: int, a: np.ndarray) -> Value:
    """Build a value of positive type `t` from an array; shape () gives an atom."""
    if getattr(a, "ndim", 0) == 0:
        return make_atom(t, a.item() if hasattr(a, "item") else a)
    return Vec(t, a)


def dyadic(core: Simple, x: Value, y: Value) -> Value:
    """Apply a dyadic core item by item.

    Atoms extend to the length of the other side. Dictionaries meet on their keys.
    Raises: QError('length') when lists differ in length; QError('type') from the core.
    """
    cx, cy = type(x), type(y)
    x_simple = cx is Vec or cx is int or cx is float or cx is bool or cx is Atom
    y_simple = cy is Vec or cy is int or cy is float or cy is bool or cy is Atom
    if x_simple and y_simple:
        if cx is Vec and cy is Vec and len(x.a) != len(y.a):
            raise QError("length")
        tx, ax = array_of(x)
        ty, ay = array_of(y)
        reserve(max(ax.size, ay.size))
        t, a = core(tx, ax, ty, ay)
        return wrap(t, a)
    if cx is Dict or cy is Dict:
        return _dictionaries(core, x, y)
    if cx is Table or cy is Table:
        return _tables(core, x, y)
    if cx is GList or cy is GList:
        x_list = cx is GList or cx is Vec
        y_list = cy is GList or cy is Vec
        if x_list and y_list:
            if length(x) != length(y):
                raise QError("length")
            return collapse(
                [dyadic(core, a, b) for a, b in zip(items_of(x), items_of(y), strict=True)]
            )
        if x_list and y_simple:
            return collapse([dyadic(core, a, y) for a in x.items])
        if y_list and x_simple:
            return collapse([dyadic(core, x, b) for b in y.items])
    raise QError("type")


def _dictionaries(core: Simple, x: Value, y: Value) -> Value:
    if type(x) is Dict and type(y) is Dict:
        from q_runtime.prims.dictionary import merge_with

        return merge_with(lambda a, b: dyadic(core, a, b), x, y, RIGHT_ONLY.get(core))
    if type(x) is Dict:
        return Dict(x.k, dyadic(core, x.v, y))
    return Dict(y.k, dyadic(core, x, y.v))


def _tables(core: Simple, x: Value, y: Value) -> Value:
    if type(x) is Table and type(y) is Table:
        if x.size() != y.size():
            raise QError("length")
        if x.names != y.names:
            raise QError("type")
        return Table(x.names, [dyadic(core, a, b) for a, b in zip(x.cols, y.cols, strict=True)])
    if type(x) is GList or type(y) is GList:
        if length(x) != length(y):
            raise QError("length")
        return collapse([dyadic(core, a, b) for a, b in zip(items_of(x), items_of(y), strict=True)])
    if type(x) is Table:
        return Table(x.names, [dyadic(core, a, y) for a in x.cols])
    return Table(y.names, [dyadic(core, x, b) for b in y.cols])


def monadic(core: Callable[[int, np.ndarray], tuple[int, np.ndarray]], x: Value) -> Value:
    """Apply a monadic core item by item.

    Raises: QError('type') for functions and whatever the core refuses.
    """
    c = type(x)
    if c is GList:
        return collapse([monadic(core, item) for item in x.items])
    if c is Dict:
        return Dict(x.k, monadic(core, x.v))
    if c is Table:
        return Table(x.names, [monadic(core, col) for col in x.cols])
    if c is Vec or type_number(x) < 0:
        t, a = array_of(x)
        result_t, result = core(t, a)
        return wrap(result_t, result)
    raise QError("type")
