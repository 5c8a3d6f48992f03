"""Python values to q and back, as Session.eval and Session.call promise.

q to Python: long int, null long None, float float, boolean bool, char and char vector str, symbol str,
vectors and lists list, dictionary dict, table list of dicts, `::` None, function its source text.
A temporal value is its raw number (None for a null); a guid its text.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve
from q_runtime.values.functions import NIL, Nil, is_function
from q_runtime.values.literal import function_source, raw_text
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    collapse,
    items_of,
    raw_of,
    string,
    type_number,
)


def to_q(x: Any) -> Value:
    """Convert a Python value.

    A str is always a char vector; a list of one scalar type is a vector, an empty list `()`.
    Raises: QError('type') for what has no q form, QError('domain') for an int beyond 64 bits.
    """
    if x is None:
        return NIL
    if isinstance(x, bool):
        return x
    if isinstance(x, int):
        if not -qt.LONG_INF <= x <= qt.LONG_INF:
            raise QError("domain", "an int beyond 64 bits has no q value")
        return int(x)
    if isinstance(x, float):
        return float(x)
    if isinstance(x, str):
        return string(x)
    if isinstance(x, bytes):
        return Vec(4, np.frombuffer(x, dtype=np.uint8))
    if isinstance(x, (list, tuple)):
        return collapse([to_q(item) for item in x])
    if isinstance(x, (set, frozenset)):
        return collapse([to_q(item) for item in sorted(x)])
    if isinstance(x, dict):
        return Dict(collapse([to_q(k) for k in x]), collapse([to_q(v) for v in x.values()]))
    if isinstance(x, np.generic):
        return to_q(x.item())
    if type(x) in (Vec, GList, Dict, Table) or hasattr(x, "t"):
        return x
    raise QError("type", f"no q value for a Python {type(x).__name__}")


def _scalar(t: int, raw: Any) -> Any:
    if t in (1, 9, 8):
        return raw
    if t == 4:
        return raw
    if t == 11:
        return raw
    if t == 10:
        return bytes((raw,)).decode("utf-8", "surrogateescape")
    if t == 2:
        return raw_text(2, raw)
    if raw != raw or raw == qt.NULLS[t]:
        return None
    return raw


def to_python(x: Value) -> Any:
    """Convert a q value."""
    x = resolve(x)
    t = type_number(x)
    if t < 0:
        return _scalar(-t, raw_of(x))
    if type(x) is Vec:
        if x.t == 10:
            return x.a.tobytes().decode("utf-8", "surrogateescape")
        return [_scalar(x.t, r) for r in x.a.tolist()]
    if type(x) is GList:
        return [to_python(item) for item in x.items]
    if type(x) is Dict:
        keys = [_hashable(to_python(k)) for k in items_of(x.k)]
        return dict(zip(keys, (to_python(v) for v in items_of(x.v)), strict=True))
    if type(x) is Table:
        return [to_python(row) for row in x.rows()]
    if type(x) is Nil:
        return None
    assert is_function(x)
    return function_source(x)


def _hashable(x: Any) -> Any:
    if isinstance(x, list):
        return tuple(_hashable(i) for i in x)
    return tuple(x.items()) if isinstance(x, dict) else x
