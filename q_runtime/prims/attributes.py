"""Attributes: `s#` sorted, `u#` unique, `p#` parted, `g#` grouped, and `attr`.

An attribute is a claim about a list that is checked when it is set. Appending keeps it where the claim still
holds (see `kept_after_append`); most other operations make a list without one.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.registry import primitive
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    is_list,
    length,
    symbol,
    take_rows,
)


def is_ascending(x: Value) -> bool:
    """Say whether the items of a list or the rows of a table do not descend."""
    from q_runtime.prims.sorting import grade

    if type(x) is Vec and x.a.dtype.kind in "iu" and x.t < 20:
        return bool((x.a[1:] >= x.a[:-1]).all())
    return length(x) < 2 or bool((np.diff(grade(x)) > 0).all())


def set_attribute(attr: str, y: Value) -> Value:
    """Put an attribute on a list, dictionary or table; the empty one takes it off.

    A sorted dictionary or keyed table is a step function. A sorted table has its first column parted, or
    sorted when it is the only one. Raises: QError('s-fail'), QError('u-fail') when the items do not bear
    it; QError('type').
    """
    if attr not in ("", "s", "u", "p", "g"):
        raise QError("type")
    if type(y) is Dict:
        return _set_on_dict(attr, y)
    if type(y) is Table:
        return _set_on_table(attr, y)
    if not is_list(y):
        raise QError("type")
    if attr == "s" and not is_ascending(y):
        raise QError("s-fail")
    if attr in ("u", "p"):
        from q_runtime.prims.setops import first_positions

        firsts = len(first_positions(y))
        if attr == "u" and firsts != length(y):
            raise QError("u-fail")
        if attr == "p" and type(y) is not Vec:
            raise QError("type")
        if attr == "p" and len(y.a) and firsts != 1 + int((y.a[1:] != y.a[:-1]).sum()):
            raise QError("u-fail")
    return Vec(y.t, y.a, attr) if type(y) is Vec else GList(y.items, attr)


def _set_on_dict(attr: str, d: Dict) -> Dict:
    if attr not in ("", "s", "u"):
        raise QError("type")
    if type(d.k) is not Table:
        return Dict(set_attribute(attr, d.k), d.v, attr)
    if attr == "s" and not is_ascending(d.k):
        raise QError("s-fail")
    d.k.attr = attr
    return Dict(d.k, d.v, attr)


def _set_on_table(attr: str, t: Table) -> Table:
    if attr not in ("", "s"):
        raise QError("type")
    if not attr:
        return Table(t.names, t.cols)
    if not is_ascending(t):
        raise QError("s-fail")
    return sorted_table(t)


def sorted_table(t: Table) -> Table:
    """Return a table whose rows ascend, with the attributes that say so."""
    if not t.cols:
        return t
    first = t.cols[0]
    if type(first) is Vec:
        first = Vec(first.t, first.a, "s" if len(t.cols) == 1 else "p")
    return Table(t.names, [first, *t.cols[1:]], "s")


def kept_after_append(old: Value, made: Value) -> str:
    """Return the attribute that a list keeps when `made` is `old` with items appended."""
    attr = old.attr
    if attr == "g":
        return attr
    n = length(old)
    if attr == "s" and is_ascending(take_rows(made, np.arange(max(0, n - 1), length(made)))):
        return attr
    if attr == "u":
        from q_runtime.prims.setops import first_positions

        return attr if len(first_positions(made)) == length(made) else ""
    return ""


@primitive("attr")
def attr(x: Value) -> Value:
    """The attribute of a value as a symbol, empty when it has none."""
    return symbol(getattr(x, "attr", ""))
