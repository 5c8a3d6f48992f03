"""Sets and positions: distinct group find in within except inter union differ cross fills next prev xprev.

Equality here is exact (nulls equal nulls), without the tolerance of `=`.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.prims import membership
from q_runtime.prims.compare import (
    at_least,
    close_arrays,
    equal,
    lesser_both,
    matches,
    null_mask,
    up_to,
)
from q_runtime.prims.indexing import (
    hash_key,
    in_one_width,
    is_sought_deeper,
    is_sought_whole,
    list_keys,
    require_kinds,
)
from q_runtime.prims.joining import join
from q_runtime.prims.registry import Host, primitive
from q_runtime.prims.result_types import in_type, meeting_type
from q_runtime.prims.runs import packed
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve
from q_runtime.values.functions import is_function
from q_runtime.values.vectors import (
    FEW,
    Atom,
    GList,
    Value,
    Vec,
    as_list,
    booleans,
    collapse,
    is_list,
    items_of,
    length,
    longs,
    make_atom,
    raw_of,
    symbols,
    take_rows,
    type_number,
)


def first_positions(x: Value) -> np.ndarray:
    """Return positions of the first occurrence of each different item, in order."""
    if type(x) is Vec and x.t not in (2, 11) and len(x.a) > membership.LONG_ENOUGH:
        return membership.firsts(x.t, x.a)
    seen: dict[Hashable, int] = {}
    for i, key in enumerate(list_keys(x)):
        seen.setdefault(key, i)
    return np.array(list(seen.values()), dtype=np.int64)


@primitive("distinct")
def distinct(x: Value) -> Value:
    """Items without repetition, in order of first appearance; those of a sorted vector stay marked as sorted."""
    if type(x) is Dict:
        return distinct(x.v)
    if not is_list(x) and type(x) is not Table:
        if type_number(x) < 0:
            raise QError("type", "distinct: expected a list")
        raise QError("type")
    made = take_rows(x, first_positions(x))
    return Vec(made.t, made.a, "s") if type(x) is Vec and x.attr == "s" else made


def group_positions(x: Value) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return first positions and, for each different item, all its positions."""
    if type(x) is Vec and x.t not in (2, 11) and len(x.a) > membership.LONG_ENOUGH:
        rows = membership.groups(x.t, x.a)
        return np.array([r[0] for r in rows], dtype=np.int64), rows
    codes = packed(x.runs) if type(x) is GList and x.runs is not None else None
    if codes is not None:
        rows = membership.groups(qt.LONG, codes)
        return np.array([r[0] for r in rows], dtype=np.int64), rows
    places: dict[Hashable, list[int]] = {}
    for i, key in enumerate(list_keys(x)):
        places.setdefault(key, []).append(i)
    rows = [np.array(p, dtype=np.int64) for p in places.values()]
    return np.array([r[0] for r in rows], dtype=np.int64), rows


@primitive("group")
def group(x: Value) -> Value:
    """Dictionary from different items to their positions (or keys, for a dictionary)."""
    if type(x) is Dict:
        made = group(x.v)
        return Dict(made.k, GList([take_rows(x.k, p.a) for p in made.v.items]))
    if not is_list(x) and type(x) is not Table:
        raise QError("type")
    firsts, rows = group_positions(x)
    return Dict(take_rows(x, firsts), GList([Vec(7, r) for r in rows]))


@primitive("?", 2, 3, 4, 5, 6, host=True)
def query(host: Host, x: Value, y: Value, *rest: Value) -> Value:
    """Find, or draw at random; with three arguments the vector conditional."""
    if len(rest) == 1:
        if type(x) is Table or (type(x) is Dict and x.is_keyed_table) or type_number(x) == -11:
            return host.query_form("?", [x, y, *rest])
        return vector_conditional(x, y, rest[0])
    if rest:
        return host.query_form("?", [x, y, *rest])
    if type(x) is Atom and x.t == -11:
        from q_runtime.prims.enumeration import extend

        return extend(host, x.v, y)
    if type_number(x) < 0 and type(x) is not Dict:
        from q_runtime.prims.random import draw

        return draw(host, x, y)
    return find(x, y)


def find(x: Value, y: Value) -> Value:
    """Position of the first occurrence of `y` in `x`; `count x` when absent."""
    x, y = resolve(x), resolve(y)
    if type(x) is Dict:
        at = find(x.v, y)
        from q_runtime.prims.indexing import index

        return index(x.k, at)
    if type(x) is Table:
        keys = list_keys(x)
        n = len(keys)
        where: dict[Hashable, int] = {}
        for i, k in enumerate(keys):
            where.setdefault(k, i)
        if type(y) is Dict:
            return where.get(hash_key(y), n)
        if is_list(y) and not (type(y) is GList and y.items and type(y.items[0]) is Dict):
            names = symbols(x.names)
            are_rows = _are_rows(x, y)
            rows = y.items if type(y) is GList and are_rows else [y]
            if any(length(row) != len(x.names) for row in rows):
                raise QError("length", "a row has as many items as the table has columns")
            found = [where.get(hash_key(Dict(names, row)), n) for row in rows]
            return longs(found) if are_rows else found[0]
        if type(y) is Table and y.names == x.names:
            require_kinds(x.cols, y.cols)
        return longs([where.get(k, n) for k in list_keys(y)])
    if not is_list(x):
        raise QError("type")
    n = length(x)
    ty = type_number(y)
    if type(x) is Vec:
        if ty < 0:
            return _find_one(*(in_one_width(x, y) if x.t != -ty else (x, y)))
        if type(y) is Vec:
            return _find_many(*in_one_width(x, y))
        if type(y) is GList:
            return collapse([find(x, item) for item in y.items]) if y.items else longs([])
        raise QError("type")
    if ty < 0 or is_sought_whole(x, y) or is_function(y):
        for i, item in enumerate(x.items):
            if matches(item, y):
                return i
        return n
    if is_sought_deeper(x, y):
        return collapse([find(x, item) for item in y.items])
    places: dict[Hashable, int] = {}
    for i, item in enumerate(x.items):
        places.setdefault(hash_key(item), i)
    return longs([places.get(hash_key(item), n) for item in items_of(y)])


def _are_rows(x: Table, y: Value) -> bool:
    """Say whether a list is sought in a table as rows of their own: its first item is a list where a row has none."""
    if type(y) is not GList or not y.items or not is_list(y.items[0]):
        return False
    return type(x.cols[0]) is not GList or type(y.items[0]) is GList


def _find_one(x: Vec, y: Value) -> Value:
    raw = raw_of(y)
    if raw != raw:
        hits = np.flatnonzero(np.isnan(x.a) if x.t in qt.FLOATS else np.zeros(0, dtype=bool))
    else:
        hits = np.flatnonzero(x.a == raw)
    return int(hits[0]) if len(hits) else len(x.a)


def _find_many(x: Vec, y: Vec) -> Value:
    if membership.is_array_like(x, y):
        return Vec(7, membership.first_places(x.t, x.a, y.a))
    where: dict[Hashable, int] = {}
    for i, k in enumerate(list_keys(x)):
        where.setdefault(k, i)
    n = len(x.a)
    return longs([where.get(k, n) for k in list_keys(y)])


def vector_conditional(c: Value, x: Value, y: Value) -> Value:
    """`?[c;x;y]`: items of `x` where `c`, else of `y`.

    A whole number may stand beside a list of wider numbers, and `c` may be `()`, as what a filter left none of is.
    Raises: QError('type'), QError('length').
    """
    if type_number(c) == -1:
        return x if c else y
    if type(c) is GList and not c.items:
        c = booleans([])
    if type(c) is not Vec or c.t != 1:
        raise QError("type")
    n = len(c.a)
    for side in (x, y):
        if is_list(side) and length(side) != n:
            raise QError("length")
    x, y = _widened(x, y), _widened(y, x)
    xt, yt = abs(type_number(x)), abs(type_number(y))
    if xt == yt and 0 < xt < 20 and type(x) is not GList:
        from q_runtime.prims.atomic import array_of

        return Vec(xt, np.where(c.a, array_of(x)[1], array_of(y)[1]).astype(qt.DTYPES[xt]))
    if xt != yt and 0 < xt < 20 and 0 < yt < 20:
        raise QError("type")
    xs = items_of(x) if is_list(x) else [x] * n
    ys = items_of(y) if is_list(y) else [y] * n
    return collapse([a if f else b for f, a, b in zip(c.a.tolist(), xs, ys, strict=True)])


_WHOLE = (5, 6, 7)


def _widened(x: Value, other: Value) -> Value:
    """Return an atom that is a whole number in the type of the list of wider numbers beside it."""
    t = -type_number(x)
    if t not in _WHOLE or type(other) is not Vec or not t < other.t <= 9:
        return x
    from q_runtime.prims.atomic import array_of

    return make_atom(other.t, widen_array(t, np.atleast_1d(array_of(x)[1]), other.t).item())


@primitive("in", 2)
def in_(x: Value, y: Value) -> Value:
    """Whether `x` (or each item of it) is an item of `y`.

    An atom or a vector of one item may meet numbers of other types, which are compared as `=` does.
    Raises: QError('type') for items of another type than those of a longer, or empty, vector. Source: KX ref/in.
    """
    x, y = resolve(x), resolve(y)
    if type(y) is Table:
        places = find(y, x)
        return places < length(y) if type(places) is int else booleans(places.a < length(y))
    if type(y) is Dict:
        y = y.v
    tx = type_number(x)
    if tx < 0 and type(y) is Vec and y.t == -tx and tx in (-1, -7, -10) and length(y) <= FEW:
        return x in y.atoms
    if type(x) is Dict:
        return Dict(x.k, in_(x.v, y))
    y = y if is_list(y) else as_list(y)
    if type(y) is Vec and len(y.a) == 1 and abs(tx) not in (0, y.t):
        return equal(x, items_of(y)[0])
    if tx < 0 or is_function(x):
        return _position(y, x) < length(y)
    if type(y) is GList and is_sought_whole(y, x):
        return hash_key(x) in {hash_key(i) for i in y.items}
    if type(x) is Vec and type(y) is Vec:
        x, y = in_one_width(x, y)
        if membership.is_array_like(x, y):
            return Vec(1, membership.contains(x.t, x.a, y.a))
        have = set(list_keys(y))
        return booleans([k in have for k in list_keys(x)])
    if type(x) is GList and (type(y) is Vec or (type(y) is GList and is_sought_deeper(y, x))):
        return collapse([in_(item, y) for item in x.items])
    have = {hash_key(i) for i in items_of(y)}
    return booleans([hash_key(i) in have for i in items_of(x)])


def _position(y: Value, x: Value) -> int:
    found = find(y, x)
    return found if type(found) is int else length(y)


@primitive("within", 2)
def within(x: Value, y: Value) -> Value:
    """Whether items lie between the two bounds, both included."""
    if length(y) != 2:
        raise QError("length")
    low, high = items_of(y)
    return lesser_both(at_least(x, low), up_to(x, high))


@primitive("except", 2)
def except_(x: Value, y: Value) -> Value:
    """Items of `x`, or values of a dictionary, that are not in `y`."""
    x = _searched(x)
    return take_rows(x, np.flatnonzero(_outside(x, y)))


def _searched(x: Value) -> Value:
    """The list that `x inter y` and `x except y` take from: `x@where x in y` has no meaning for an atom."""
    if type(x) is Dict:
        return x.v
    if type(x) is not Table and not is_list(x):
        raise QError("type")
    return x


def _outside(x: Value, y: Value) -> np.ndarray:
    y = y.v if type(y) is Dict else y
    are_numbers = type(x) is GList and all(-type_number(i) in qt.NUMERIC for i in x.items)
    if (type(x) is Vec or (are_numbers and x.items)) and (type(y) is Vec or type_number(y) < 0):
        return ~in_(x, y).a
    gone = {hash_key(i) for i in (items_of(y) if is_list(y) or type(y) is Table else [y])}
    return np.array([hash_key(i) not in gone for i in items_of(x)], dtype=bool)


@primitive("inter", 2)
def inter(x: Value, y: Value) -> Value:
    """Items of `x`, or values of a dictionary, that are in `y`, in the order of `x`."""
    x = _searched(x)
    return take_rows(x, np.flatnonzero(~_outside(x, y)))


@primitive("union", 2)
def union(x: Value, y: Value) -> Value:
    """Different items of both lists, in order; of dictionaries the different values of both joined."""
    return distinct(join(x if type(x) in (Dict, Table) else as_list(x), y))


@primitive("cross", 2)
def cross(x: Value, y: Value) -> Value:
    """All pairs of items of both, joined."""
    if type(x) is Table and type(y) is Table:
        n, m = x.size(), y.size()
        reserve(n * m)
        left = x.take(np.repeat(np.arange(n), m))
        right = y.take(np.tile(np.arange(m), n))
        return Table([*x.names, *right.names], [*left.cols, *right.cols])
    xs, ys = (items_of(i if type(i) is Table else as_list(i)) for i in (x, y))
    reserve(len(xs) * len(ys), 64)
    return collapse([join(a, b) for a in xs for b in ys])


@primitive("differ")
def differ(x: Value) -> Value:
    """Whether each item differs from the one before; the first always does."""
    if not is_list(x) and type(x) is not Table:
        raise QError("type")
    if type(x) is Vec:
        made = membership.changes(x.a)
        if x.t in qt.FLOATS:
            made[1:] = ~close_arrays(x.a[1:], x.a[:-1])
        return Vec(1, made)
    items = items_of(x)
    return booleans(
        [True, *(not matches(a, b) for a, b in itertools.pairwise(items))][: len(items)]
    )


@primitive("^", 2, atomic=True)
def fill(x: Value, y: Value) -> Value:
    """Replace nulls of `y` by `x`. The result has the wider type."""
    if type(y) is Dict:
        if type(x) is Dict:
            from q_runtime.prims.dictionary import merge_with

            return merge_with(lambda a, b: fill(a, b), x, y)
        return Dict(y.k, fill(x, y.v))
    if type(y) is Table:
        return Table(y.names, [fill(x, c) for c in y.cols])
    if type(x) is GList or type(y) is GList:
        n = length(y) if is_list(y) else length(x)
        xs = items_of(x) if is_list(x) else [x] * n
        ys = items_of(y) if is_list(y) else [y] * n
        if len(xs) != len(ys):
            raise QError("length")
        return collapse([fill(a, b) for a, b in zip(xs, ys, strict=True)])
    tx, ty = abs(type_number(x)), abs(type_number(y))
    if max(tx, ty) >= 98:
        raise QError("type")
    from q_runtime.prims.atomic import array_of, wrap

    if type(x) is Vec and type(y) is Vec and len(x.a) != len(y.a):
        raise QError("length")
    t = tx if tx == ty else meeting_type(tx, ty)
    (_, a), (_, b) = array_of(x), array_of(y)
    mask = null_mask(ty, b)
    if not mask.any() and tx == ty and b.ndim >= a.ndim:
        return y
    out = np.where(mask, in_type(tx, a, t), in_type(ty, b, t))
    return wrap(t, out.astype(qt.DTYPES[t]) if t not in (2, 11) else out)


@primitive("fills")
def fills(x: Value) -> Value:
    """Replace nulls by the last value before them."""
    if type(x) is Dict:
        return Dict(x.k, fills(x.v))
    if type(x) is Table:
        return Table(x.names, [fills(c) for c in x.cols])
    if not is_list(x):
        return x
    if type(x) is GList:
        out: list[Value] = []
        for item in x.items:
            out.append(fill(out[-1], item) if out else item)
        return collapse(out)
    mask = null_mask(x.t, x.a)
    at = np.maximum.accumulate(np.where(mask, -1, np.arange(len(mask)))) if len(mask) else mask
    return Vec(x.t, np.where(at < 0, x.a, x.a[np.maximum(at, 0)])) if len(mask) else x


def shift(x: Value, n: int) -> Value:
    """Move items right by `n`, filling with nulls.

    Raises: QError('rank') for an atom, as the definitions of `next` and `xprev` in k have it.
    """
    if type(x) is Dict:
        return Dict(x.k, shift(x.v, n))
    if not is_list(x) and type(x) is not Table:
        raise QError("rank" if type_number(x) < 0 else "type")
    from q_runtime.prims.indexing import take_or_null

    return take_or_null(x, np.arange(length(x), dtype=np.int64) - n)


@primitive("prev")
def prev(x: Value) -> Value:
    """Each item's predecessor; a null first."""
    return shift(x, 1)


@primitive("next")
def next_(x: Value) -> Value:
    """Each item's successor; a null last."""
    return shift(x, -1)


@primitive("xprev", 2)
def xprev(x: Value, y: Value) -> Value:
    """Items `x` places before."""
    from q_runtime.prims.lists import integer

    return shift(y, integer(x, "xprev"))
