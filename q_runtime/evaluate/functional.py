"""The functional forms `?[t;c;b;a]`, with up to six arguments, and `![t;c;b;a]`.

Their arguments become the same plan that a query text becomes. Source: KX basics/funsql.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from q_runtime.errors import QError
from q_runtime.evaluate.clauses import AnyClause, Rows, TreeClause
from q_runtime.evaluate.queries import QueryPlan, run_query
from q_runtime.prims.dictionary import unkey
from q_runtime.prims.indexing import take_or_null
from q_runtime.values.dicts import Dict
from q_runtime.values.functions import Nil, Prim
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    is_list,
    items_of,
    length,
    type_number,
)

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter


def functional_select(host: Interpreter, args: list[Value], local: dict[str, Value]) -> Value:
    """Run `?[t;c;b;a]`, `?[t;c;b;a;n]` or `?[t;c;b;a;n;(g;col)]`."""
    table, where, by, columns, *rest = args
    plan = QueryPlan("select", where=_conditions(where))
    if type(by) is bool:
        plan.distinct = by
        plan.columns = _named(columns) if not _is_empty(columns) else []
    else:
        plan.word = "exec"
        plan.by = None if _is_empty(by) or type(by) is Nil else _named_or_one(by)
        plan.is_by_named = type(by) is Dict
        plan.columns = [] if _is_empty(columns) else _named_or_one(columns)
        plan.is_column_named = type(columns) is Dict or _is_empty(columns)
        if plan.is_by_named and plan.is_column_named:
            plan.word = "select"
    limit = None
    if rest and not (_is_unlimited(rest[0])):
        limit = rest[0]
        if abs(type_number(limit)) not in (5, 6, 7):
            raise QError("type")
    if len(rest) == 2:
        plan.order = _order(rest[1])
    return run_query(host, plan, table, local, limit)


def _is_unlimited(limit: Value) -> bool:
    return type_number(limit) < 0 and getattr(limit, "v", limit) in (2**63 - 1, -(2**63))


def simple_exec(host: Interpreter, table: Value, rows: Value, tree: Value) -> Value:
    """Run `?[t;i;x]`: the expression on the rows at the positions `i`, nulls where there is none."""
    if type(table) is Atom and table.t == -11:
        table = host.get_global(table.v)
    if type(rows) is not Vec or rows.t not in (5, 6, 7):
        raise QError("type")
    clause, whole, places = TreeClause("x", tree), unkey(table), rows.a.astype(np.int64)
    if places.size and not 0 <= places.min() <= places.max() < whole.size():
        return clause.evaluate(Rows(host, take_or_null(whole, places), {}), None)
    return clause.evaluate(Rows(host, whole, {}), places)


def functional_update(host: Interpreter, args: list[Value], local: dict[str, Value]) -> Value:
    """Run `![t;c;b;a]`: an update for a dictionary `a`, a deletion for a symbol list."""
    table, where, by, columns = args
    plan = QueryPlan("update", where=_conditions(where))
    if type(columns) is Vec and columns.t == 11:
        plan.word = "delete"
        plan.columns = [TreeClause(name, Atom(-11, name)) for name in columns.a.tolist()]
    elif type(columns) is Dict:
        plan.columns = _named(columns)
        plan.by = _named(by) if type(by) is Dict else None
        if plan.by is None and type(by) is not bool and not _is_empty(by):
            raise QError("type")
    else:
        raise QError("type")
    return run_query(host, plan, table, local, None)


def _is_empty(x: Value) -> bool:
    return is_list(x) and not length(x)


def _conditions(where: Value) -> list[AnyClause]:
    if not is_list(where):
        raise QError("type")
    return [TreeClause("", tree) for tree in items_of(where)]


def _named(x: Value) -> list[AnyClause]:
    if type(x) is not Dict or type(x.k) is not Vec or x.k.t != 11:
        raise QError("type")
    return [TreeClause(n, t) for n, t in zip(x.k.a.tolist(), items_of(x.v), strict=True)]


def _named_or_one(x: Value) -> list[AnyClause]:
    return _named(x) if type(x) is Dict else [TreeClause("x", x)]


def _order(x: Value) -> tuple[bool, AnyClause]:
    """Read `(<:;col)` or `(>:;col)`: whether it descends, and by what."""
    if type(x) is not GList or len(x.items) != 2 or type(x.items[0]) is not Prim:
        raise QError("type")
    name = x.items[0].name
    if name not in ("<:", ">:", "iasc", "idesc"):
        raise QError("type")
    return name in (">:", "idesc"), TreeClause("", x.items[1])
