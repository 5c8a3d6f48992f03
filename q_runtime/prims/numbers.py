"""Rounding and roots: floor ceiling sqrt exp log sin cos tan asin acos atan reciprocal xexp xlog xbar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.arith import divide
from q_runtime.prims.atomic import dyadic, monadic
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.vectors import Value

_TOLERANCE = 2.0**-43


def _rounder(name: str, f: np.ufunc, toward: float) -> None:
    def core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
        if t in qt.NOT_NUMBERS:
            raise QError("type")
        if t not in qt.FLOATS:
            return t, a
        out = f(a)
        return (7 if t != 15 else 14), widen_array(9, np.asarray(out, dtype=np.float64), 7)

    def rounder(x: Value) -> Value:
        if type(x) is int:
            return x
        return monadic(core, x)

    rounder.__doc__ = f"Nearest whole number {'below' if toward < 0 else 'above'}, as a long."
    primitive(name, atomic=True)(rounder)


_rounder("floor", np.floor, -1)
_rounder("ceiling", np.ceil, 1)


def _floats(t: int, a: np.ndarray) -> np.ndarray:
    if t in qt.NOT_NUMBERS:
        raise QError("type")
    return widen_array(t, a, 9)


def _function(name: str, f: Callable[[np.ndarray], np.ndarray], meaning: str) -> None:
    def core(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
        with np.errstate(all="ignore"):
            out = f(_floats(t, a))
        return (8, out.astype(np.float32)) if t == 8 else (9, np.asarray(out))

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
    """One divided by each item."""
    return divide(1, x)


def _power_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
    with np.errstate(all="ignore"):
        return 9, np.asarray(np.power(_floats(tx, ax), _floats(ty, ay)))


@primitive("xexp", 2, atomic=True)
def xexp(x: Value, y: Value) -> Value:
    """`x` to the power `y`, as a float."""
    return dyadic(_power_core, x, y)


def _log_core(tx: int, ax: np.ndarray, ty: int, ay: np.ndarray) -> tuple[int, np.ndarray]:
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
    if tx in qt.NOT_NUMBERS or ty in qt.NOT_NUMBERS:
        raise QError("type")
    if tx in qt.FLOATS or ty in qt.FLOATS:
        a, b = widen_array(tx, ax, 9), widen_array(ty, ay, 9)
        with np.errstate(all="ignore"):
            return (ty if ty == 15 else 9), np.asarray(a * np.floor(b / a + _TOLERANCE))
    a, b = widen_array(tx, ax, 7), widen_array(ty, ay, 7)
    if tx in qt.TEMPORAL and ty in qt.TEMPORAL and tx != ty:
        from q_runtime.prims.casting_arrays import cast_array

        a = cast_array(tx, ax, 16)
        b = b if ty in (12, 16) else cast_array(ty, ay, 16)
        made = np.where(b == qt.LONG_NULL, b, a * (b // np.where(a == 0, 1, a)))
        return (ty, made) if ty in (12, 16) else (16, made)
    safe = np.where(a == 0, 1, a)
    with np.errstate(all="ignore"):
        out = np.where((a == 0) | (b == qt.LONG_NULL), b, a * np.floor_divide(b, safe))
    t = ty if ty in qt.TEMPORAL or ty == 7 or (tx < 7 and ty >= 5) else max(tx, ty, 6)
    return t, widen_array(7, out, t)
