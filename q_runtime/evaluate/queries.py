"""qSQL: select, exec, update and delete with by, where, limits and order, from one plan.

The plan of a query text is made here, that of the functional forms in functional.py; the expressions
themselves are in clauses.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.evaluate.clauses import AnyClause, Clause, Rows
from q_runtime.lang import nodes as nd
from q_runtime.prims.appending import replace_at
from q_runtime.prims.dictionary import key_table, unkey
from q_runtime.prims.indexing import missing_item, take_or_null
from q_runtime.prims.lists import where
from q_runtime.prims.setops import distinct, group_positions
from q_runtime.prims.sorting import grade
from q_runtime.values.dicts import Dict, Table, TableAbroad, repeat
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    empty,
    is_list,
    items_of,
    length,
    symbols,
    take_rows,
    type_number,
)

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter


class QueryPlan:
    """A query, ready to run against any table."""

    def __init__(self, word: str, where: list[AnyClause]) -> None:
        self.word = word
        self.where = where
        self.columns: list[AnyClause] = []
        self.is_column_named = True
        """False when `exec` has one column without a name of its own: its value alone is the result."""
        self.by: list[AnyClause] | None = None
        self.is_by_named = True
        """False when `exec` groups by one expression without a name: the keys are its values."""
        self.distinct = False
        self.order: tuple[bool, AnyClause] | None = None
        """Whether the order descends, and the expression to order the rows by."""


def query_plan(node: nd.Query, local: frozenset[str]) -> QueryPlan:
    """Prepare a query node."""
    plan = QueryPlan(node.word, [Clause("", e, node) for e in node.where])
    plan.columns = [Clause(n, e, node) for n, e in node.columns]
    plan.distinct = node.distinct
    if node.by is not None:
        plan.by = [Clause(n, e, node) for n, e in node.by]
    if node.order is not None:
        plan.order = (node.order[0], Clause("", node.order[1], node))
    if node.word == "exec":
        plan.is_column_named = len(node.columns) != 1 or 0 in node.named_columns
        plan.is_by_named = node.by is not None and (len(node.by) != 1 or 0 in node.named_by)
        flag = node.by[0][1] if node.by is not None and len(node.by) == 1 else None
        if isinstance(flag, nd.Constant) and type(flag.value) is bool:
            plan.word, plan.by, plan.distinct = "select", None, flag.value
    return plan


def run_query(
    host: Interpreter, plan: QueryPlan, source: Value, local: dict[str, Value], limit: Value
) -> Value:
    """Run a query on a table, a keyed table or the name of one."""
    name = None
    if type(source) is Atom and source.t == -11:
        name = source.v
        source = host.get_global(name)
    if type(source) is TableAbroad:
        host.get_global(source.place.v)
        raise UnsupportedFeature("a table that is not in memory cannot be read")
    if type(source) is Dict and not source.is_keyed_table:
        made: Value = (
            _delete_keys(plan, source, is_namespace=name is not None and name[:1] == ".")
            if plan.word == "delete"
            else _from_dict(host, plan, source, local)
        )
        return _stored(host, name if plan.word in ("update", "delete") else None, made)
    n_keys = len(source.k.names) if type(source) is Dict and source.is_keyed_table else 0
    table = unkey(source)
    view = Rows(host, table, local)
    rows = _filtered(view, plan)
    if plan.order is not None:
        rows = _ordered(view, plan, rows)
    if plan.word == "update":
        made = _update(view, plan, rows)
    elif plan.word == "delete":
        made = _delete(view, plan, rows)
    elif plan.word == "exec":
        return _limited(_exec(view, plan, rows), limit)
    else:
        return _limited(_select(view, plan, rows, n_keys), limit)
    if n_keys:
        made = key_table(n_keys, made)
    return _stored(host, name, made)


def _stored(host: Interpreter, name: str | None, made: Value) -> Value:
    """Assign the result to the table's name, when it was given by name, and return what is printed."""
    if name is None:
        return made
    host.set_global(name, made)
    return Atom(-11, name)


def _limited(x: Value, limit: Value) -> Value:
    if limit is None:
        return x
    from q_runtime.prims.lists import sublist

    return sublist(limit, x)


def _filtered(view: Rows, plan: QueryPlan) -> np.ndarray | None:
    """Apply the where clauses one after another; None when there are none.

    Where no row is left a condition may be the empty general list, as `each` makes it.
    """
    rows: np.ndarray | None = None
    for clause in plan.where:
        expected = view.table.size() if rows is None else len(rows)
        kept = clause.evaluate(view, rows)
        if type(kept) is bool:
            kept = Vec(1, np.full(expected, kept))
        elif type(kept) is GList and not kept.items and not expected:
            kept = Vec(1, np.empty(0, dtype=bool))
        if type(kept) is not Vec or kept.t != 1:
            raise QError("type")
        if len(kept.a) != expected:
            raise QError("length")
        positions = where(kept).a
        rows = positions if rows is None else rows[positions]
    return rows


def _ordered(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> np.ndarray:
    """Sort the rows by the order in brackets."""
    assert plan.order is not None
    if plan.by is not None:
        raise UnsupportedFeature("order in brackets together with by is not supported yet")
    descending, clause = plan.order
    by = clause.evaluate(view, rows)
    if not is_list(by) or length(by) != (view.table.size() if rows is None else len(rows)):
        raise QError("length", "the order is not as long as the table")
    order = grade(by, descending=descending)
    return order if rows is None else rows[order]


def _stretched(values: list[Value]) -> list[Value]:
    """Bring columns to one length: atoms are repeated; all atoms make one row."""
    sizes = {length(v) for v in values if is_list(v)}
    if len(sizes) > 1:
        raise QError("length")
    n = sizes.pop() if sizes else 1
    return [v if is_list(v) else repeat(v, n) for v in values]


def _select(view: Rows, plan: QueryPlan, rows: np.ndarray | None, n_keys: int) -> Value:
    table = view.table
    if plan.by is not None:
        return _grouped(view, plan, rows)
    if not plan.columns:
        made: Value = table if rows is None else table.take(rows)
        made = distinct(made) if plan.distinct else made
        return key_table(n_keys, made) if n_keys else made
    values = [c.evaluate(view, rows) for c in plan.columns]
    made = Table(_unique([c.name for c in plan.columns]), _stretched(values))
    return distinct(made) if plan.distinct else made


def _unique(names: list[str]) -> list[str]:
    """Number repeated column names, as kdb+ does."""
    out: list[str] = []
    for name in names:
        made, n = name, 1
        while made in out:
            made, n = f"{name}{n}", n + 1
        out.append(made)
    return out


def _groups(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> tuple[Table, list[np.ndarray]]:
    """Return the different keys, sorted, and the rows of each."""
    assert plan.by is not None
    if not plan.by:
        raise UnsupportedFeature("by without a column is not supported yet")
    n = view.table.size() if rows is None else len(rows)
    all_rows = np.arange(n) if rows is None else rows
    keys = [c.evaluate(view, rows) for c in plan.by]
    keys = [k if is_list(k) else repeat(k, n) for k in keys]
    if any(length(k) != n for k in keys):
        raise QError("length")
    keyed = Table(_unique([c.name for c in plan.by]), keys)
    firsts, positions = group_positions(keyed)
    heads = keyed.take(firsts)
    order = grade(heads)
    sorted_heads = heads.take(order)
    if len(sorted_heads.cols) == 1 and type(sorted_heads.cols[0]) is Vec and len(order):
        only = sorted_heads.cols[0]
        sorted_heads.cols[0] = Vec(only.t, only.a, "s")
    return sorted_heads, [all_rows[positions[i]] for i in order.tolist()]


def _per_group(view: Rows, clause: AnyClause, groups: list[np.ndarray]) -> Value:
    """Evaluate a clause on each group; without groups the result has the type of an empty one."""
    if groups:
        return collapse([clause.evaluate(view, g) for g in groups])
    try:
        one = clause.evaluate(view, np.empty(0, dtype=np.int64))
    except QError:
        return GList([])
    t = type_number(one)
    return empty(-t) if t < 0 else GList([])


def _grouped(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> Value:
    heads, groups = _groups(view, plan, rows)
    if not plan.columns:
        rest = [n for n in view.table.names if n not in heads.names]
        lasts = np.array([g[-1] for g in groups], dtype=np.int64)
        return Dict(heads, Table(rest, [take_rows(view.table.column(n), lasts) for n in rest]))
    for c in plan.columns:
        if c.name in heads.names:
            raise QError(f"dup names for cols/groups {c.name}")
    cols = [_per_group(view, c, groups) for c in plan.columns]
    return Dict(heads, Table(_unique([c.name for c in plan.columns]), cols))


def _exec(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> Value:
    if plan.by is not None:
        heads, groups = _groups(view, plan, rows)
        keys: Value = heads if plan.is_by_named else heads.cols[0]
        if not plan.columns:
            return _grouped(view, plan, rows)
        cols = [_per_group(view, c, groups) for c in plan.columns]
        if not plan.is_column_named:
            return Dict(keys, cols[0])
        return Dict(keys, Table(_unique([c.name for c in plan.columns]), cols))
    if not plan.columns:
        last = view.table.size() - 1 if rows is None else (int(rows[-1]) if len(rows) else -1)
        return view.table.row(last) if last >= 0 else missing_item(view.table)
    values = [c.evaluate(view, rows) for c in plan.columns]
    if not plan.is_column_named:
        return values[0]
    return Dict(symbols(_unique([c.name for c in plan.columns])), collapse(values))


def _update(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> Table:
    table = view.table
    n = table.size()
    all_rows = np.arange(n) if rows is None else rows
    groups = None if plan.by is None else _groups(view, plan, rows)[1]
    for clause in plan.columns:
        if groups is None:
            value = clause.evaluate(view, rows)
            fresh = value if is_list(value) else repeat(value, len(all_rows))
            table = _write(table, clause.name, all_rows, fresh)
        else:
            table = _write(table, clause.name, *_spread(view, clause, groups))
    return table


def _spread(view: Rows, clause: AnyClause, groups: list[np.ndarray]) -> tuple[np.ndarray, Value]:
    """Evaluate a clause on each group and lay the results out row by row."""
    items: list[Value] = []
    for g in groups:
        value = clause.evaluate(view, g)
        if not is_list(value):
            items += [value] * len(g)
            continue
        if length(value) != len(g):
            raise QError("length")
        items += items_of(value)
    rows = np.concatenate(groups) if groups else np.empty(0, dtype=np.int64)
    order = np.argsort(rows, kind="stable")
    return rows[order], collapse([items[i] for i in order.tolist()])


def _write(table: Table, name: str, rows: np.ndarray, fresh: Value) -> Table:
    """Write a column at some rows; a new column is null elsewhere.

    Raises: QError('length'); QError('type') for part of a vector of another type.
    """
    n = table.size()
    if length(fresh) != len(rows):
        raise QError("length")
    at = table.names.index(name) if name in table.names else len(table.names)
    whole = len(rows) == n
    if at < len(table.names) and not whole:
        made = replace_at(table.cols[at], rows, fresh)
    elif whole:
        made = fresh
    else:
        places = np.full(n, -1, dtype=np.int64)
        places[rows] = np.arange(len(rows))
        made = take_or_null(fresh, places) if len(rows) else fresh
        if not len(rows):
            made = take_or_null(fresh if type(fresh) is Vec else collapse([0]), places)
    cols = list(table.cols)
    cols[at : at + 1] = [made]
    return Table([*table.names, name] if at == len(table.names) else table.names, cols)


def _delete(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> Table:
    table = view.table
    if plan.columns:
        if plan.where:
            raise QError("nyi")
        gone = {c.name for c in plan.columns}
        keep = [n for n in table.names if n not in gone]
        return Table(keep, [table.column(n) for n in keep])
    if rows is None:
        return table.take(np.empty(0, dtype=np.int64))
    keep_rows = np.setdiff1d(np.arange(table.size()), rows)
    return table.take(keep_rows)


def _from_dict(host: Interpreter, plan: QueryPlan, d: Dict, local: dict[str, Value]) -> Value:
    """Run a query on a dictionary: its entries are what columns are to a table."""
    if type(d.k) is not Vec or d.k.t != 11:
        raise QError("type")
    if plan.where or plan.by is not None or plan.order is not None or plan.distinct:
        raise QError("type")
    view = Rows(host, Table(d.k.a.tolist(), items_of(d.v)), local)
    names = _unique([c.name for c in plan.columns])
    values = [c.evaluate(view, None) for c in plan.columns]
    if plan.word == "exec" and not plan.is_column_named:
        return values[0]
    if plan.word != "update":
        return Dict(symbols(names), collapse(values)) if plan.columns else d
    entries = dict(zip(d.k.a.tolist(), items_of(d.v), strict=True))
    entries.update(zip(names, values, strict=True))
    return Dict(symbols(entries), collapse(list(entries.values())))


def _delete_keys(plan: QueryPlan, d: Dict, *, is_namespace: bool) -> Dict:
    """Delete entries of a dictionary by their names, or without names all of a namespace. Source: KX ref/delete."""
    if plan.where or type(d.k) is not Vec or d.k.t != 11:
        raise QError("type")
    if not plan.columns and not is_namespace:
        raise QError("type")
    gone = {c.name for c in plan.columns} or {k for k in d.k.a.tolist() if k}
    keep = np.array([i for i, k in enumerate(d.k.a.tolist()) if k not in gone], dtype=np.int64)
    return Dict(take_rows(d.k, keep), take_rows(d.v, keep))
