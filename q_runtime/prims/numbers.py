"""Rounding and roots: floor ceiling sqrt exp log sin cos tan asin acos atan reciprocal xexp xlog xbar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.atomic import array_of, dyadic, monadic, wrap
from q_runtime.prims.registry import primitive
from q_runtime.prims.result_types import in_type, product_type, quotient_type
from q_runtime.prims.strings import lower
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.vectors import Value

_TOLERANCE = 2.0**-43


def _round(f: np.ufunc, t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    """Round numbers to longs; a short, an int and a long are whole already."""
    if t in qt.FLOATS and t != 15:
        return 7, widen_array(9, np.asarray(f(a), dtype=np.float64), 7)
    if t in (5, 6, 7):
        return t, a
    raise QError("type")


def _floor_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    if t in qt.TEXTS:
        return array_of(lower(wrap(t, a)))
    return _round(np.floor, t, a)


def _ceiling_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    return (6, a.astype(np.int32)) if t in (1, 4, 10) else _round(np.ceil, t, a)


@primitive("floor", atomic=True)
def floor(x: Value) -> Value:
    """The long below each number; text in lower case. Source: KX ref/floor."""
    return x if type(x) is int else monadic(_floor_core, x)


@primitive("ceiling", atomic=True)
def ceiling(x: Value) -> Value:
    """The long above each number. Source: KX ref/ceiling."""
    return x if type(x) is int else monadic(_ceiling_core, x)


def _floats(t: int, a: np.ndarray) -> np.ndarray:
    if t in qt.UNORDERED:
        raise QError("type")
    return widen_array(t, a, 9)


def _function(name: str, f: Callable[[np.ndarray], np.ndarray], meaning: str) -> None:
    def core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
        with np.errstate(all="ignore"):
            return (15 if t == 15 else 9), np.asarray(f(_floats(t, a)))

    def function(x: Value) -> Value:
        return monadic(core, x)

    function.__doc__ = f"{meaning}, as a float. Source: KX ref/{name}."
    primitive(name, atomic=True)(function)


_function("sqrt", np.sqrt, "Square root; 0n below zero")
_function("exp", np.exp, "Power of e")
_function("log", np.log, "Natural logarithm; 0n below zero")
_function("sin", np.sin, "Sine")
_function("cos", np.cos, "Cosine")
_function("tan", np.tan, "Tangent")
_function("asin", np.arcsin, "Arc sine")
_function("acos", np.arccos, "Arc cosine")
_function("atan", np.arctan, "Arc tangent")


@primitive("reciprocal", atomic=True)
def reciprocal(x: Value) -> Value:
    """One divided by each item; of a datetime a datetime. Source: KX ref/reciprocal."""
    return monadic(_reciprocal_core, x)


def _reciprocal_core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    with np.errstate(all="ignore"):
        return (15 if t == 15 else 9), np.asarray(np.true_divide(1.0, _floats(t, a)))


def _power_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    if tx not in qt.NUMERIC or ty not in qt.NUMERIC:
        raise QError("type")
    base, exponent = np.broadcast_arrays(_floats(tx, ax), _floats(ty, ay))
    with np.errstate(all="ignore"):
        by_logarithm = np.exp(exponent * np.log(base))
        return 9, np.where(base <= 0, np.power(base, exponent), by_logarithm)


@primitive("xexp", 2, atomic=True)
def xexp(x: Value, y: Value) -> Value:
    """`x` to the power `y`, as a float: `exp y*log x`, so a whole power is not always whole. Source: KX ref/exp."""
    return dyadic(_power_core, x, y)


def _log_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    if 15 in (tx, ty):
        raise QError("type")
    with np.errstate(all="ignore"):
        return 9, np.asarray(np.log(_floats(ty, ay)) / np.log(_floats(tx, ax)))


@primitive("xlog", 2, atomic=True)
def xlog(x: Value, y: Value) -> Value:
    """Logarithm of `y` to the base `x`."""
    return dyadic(_log_core, x, y)


@primitive("xbar", 2, atomic=True)
def xbar(x: Value, y: Value) -> Value:
    """Items rounded down to the nearest multiple of `x`."""
    return dyadic(_xbar_core, x, y)


def _xbar_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    """The multiple is `x*y div x`, a timespan `x` taken as a number, and has the type of that."""
    tx = 7 if tx == 16 else tx
    t = product_type(tx, quotient_type(ty, tx))
    if tx in qt.FLOATS or ty in qt.FLOATS:
        a, b = widen_array(tx, ax, 9), widen_array(ty, ay, 9)
        with np.errstate(all="ignore"):
            return t, in_type(9, np.asarray(a * np.floor(b / a + _TOLERANCE)), t)
    a, b = widen_array(tx, ax, 7), widen_array(ty, ay, 7)
    safe = np.where(a == 0, 1, a)
    with np.errstate(all="ignore"):
        out = np.where((a == 0) | (b == qt.LONG_NULL), b, a * np.floor_divide(b, safe))
    return t, widen_array(7, out, t)
