"""qSQL: select, exec, update and delete with by and where.

A clause is compiled as a small function whose variables are the table's columns, then the locals of the
surrounding lambda, then globals. fby, functional forms and order in brackets are not here yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.evaluate.scopes import children
from q_runtime.lang import nodes as nd
from q_runtime.prims.casting import dollar
from q_runtime.prims.dictionary import key_table, unkey
from q_runtime.prims.indexing import take_or_null
from q_runtime.prims.lists import where
from q_runtime.prims.setops import distinct, group_positions
from q_runtime.values.dicts import Dict, Table, repeat
from q_runtime.values.enums import domain_value, is_enum
from q_runtime.values.vectors import (
    Atom,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    longs,
    symbols,
    take_rows,
    type_number,
)

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter


class Clause:
    """One expression of a query: its name, its node and the variables it reads."""

    __slots__ = ("name", "node", "reads", "unit")

    def __init__(self, name: str, node: nd.Node) -> None:
        self.name = name
        self.node = node
        self.reads = sorted(_reads(node))
        self.unit: dict[tuple[str, ...], Any] = {}


class QueryPlan:
    """A query, ready to run against any table."""

    def __init__(self, node: nd.Query) -> None:
        self.word = node.word
        self.columns = [Clause(n, e) for n, e in node.columns]
        self.by = None if node.by is None else [Clause(n, e) for n, e in node.by]
        self.where = [Clause("", e) for e in node.where]
        self.distinct = node.distinct
        self.text = node.text


def _reads(node: nd.Node) -> set[str]:
    if isinstance(node, nd.Name):
        return {node.name}
    if isinstance(node, nd.LambdaNode):
        return set()
    out: set[str] = set()
    for child in children(node):
        out |= _reads(child)
    return out


def query_plan(node: nd.Query, local: frozenset[str]) -> QueryPlan:
    """Prepare a query node."""
    return QueryPlan(node)


class Rows:
    """The rows of a table that a clause sees: all of it, or the positions `rows`."""

    def __init__(self, host: Interpreter, table: Table, local: dict[str, Value]) -> None:
        self.host = host
        self.table = table
        self.local = local

    def evaluate(self, clause: Clause, rows: np.ndarray | None) -> Value:
        """Evaluate a clause on the given rows (None for all)."""
        table = self.table
        values: dict[str, Value] = {}
        for name in clause.reads:
            if name in table.names:
                column = table.column(name)
                values[name] = column if rows is None else take_rows(column, rows)
            elif "." in name and name.partition(".")[0] in table.names:
                values[name] = self.linked(name, rows)
            elif name == "i":
                values[name] = longs(np.arange(table.size()) if rows is None else rows)
            elif name in self.local:
                values[name] = self.local[name]
        return self.call(clause, values)

    def linked(self, name: str, rows: np.ndarray | None) -> Value:
        """Follow foreign keys or links: `key.column`, any number of steps; or a part of a temporal column.

        Raises: QError(name) when a step has no such column.
        """
        head, *steps = name.split(".")
        value = self.table.column(head)
        if rows is not None:
            value = take_rows(value, rows)
        for step in steps:
            if not is_enum(value):
                value = dollar(Atom(-11, step), value)
                continue
            target = domain_value(value.t)
            if type(target) not in (Table, Dict):
                raise QError("type")
            value = take_or_null(unkey(target).column(step), value.a)
        return value

    def call(self, clause: Clause, values: dict[str, Value]) -> Value:
        """Run a clause as a function of the named values."""
        from q_runtime.evaluate.compiler import FunctionCompiler, LambdaSpec

        names = tuple(values)
        host = self.host
        namespace = host.globals.namespace
        unit = clause.unit.get(names)
        if unit is None:
            node = clause.node
            fake = nd.LambdaNode(node.start, node.end, "", list(names), [node])
            spec = LambdaSpec(fake)
            compiler = FunctionCompiler("", 0, spec, namespace)
            unit = clause.unit[names] = compiler.lambda_unit([node])
        fn = host.link(unit, namespace)
        depth = host.budget.depth
        made = fn(*values.values()) if names else fn(None)
        host.budget.depth = depth
        return made


def run_query(
    host: Interpreter, plan: QueryPlan, source: Value, local: dict[str, Value], limit: Value
) -> Value:
    """Run a query on a table, a keyed table or the name of one."""
    name = None
    if type(source) is Atom and source.t == -11:
        name = source.v
        source = host.get_global(name)
    n_keys = len(source.k.names) if type(source) is Dict and source.is_keyed_table else 0
    table = unkey(source)
    view = Rows(host, table, local)
    rows = _filtered(view, plan)
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
    if name is not None:
        host.set_global(name, made)
        return Atom(-11, name)
    return made


def _limited(x: Value, limit: Value) -> Value:
    if limit is None:
        return x
    from q_runtime.prims.lists import sublist

    return sublist(limit, x)


def _filtered(view: Rows, plan: QueryPlan) -> np.ndarray | None:
    """Apply the where clauses one after another; None when there are none."""
    rows: np.ndarray | None = None
    for clause in plan.where:
        kept = view.evaluate(clause, rows)
        if type(kept) is bool:
            kept = Vec(1, np.full(view.table.size() if rows is None else len(rows), kept))
        if type(kept) is not Vec or kept.t != 1:
            raise QError("type")
        expected = view.table.size() if rows is None else len(rows)
        if len(kept.a) != expected:
            raise QError("length")
        positions = where(kept).a
        rows = positions if rows is None else rows[positions]
    return rows


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
    values = [view.evaluate(c, rows) for c in plan.columns]
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
    from q_runtime.prims.sorting import grade

    assert plan.by is not None
    all_rows = np.arange(view.table.size()) if rows is None else rows
    keys = [view.evaluate(c, rows) for c in plan.by]
    keys = [k if is_list(k) else repeat(k, len(all_rows)) for k in keys]
    keyed = Table([c.name for c in plan.by], keys)
    firsts, positions = group_positions(keyed)
    heads = keyed.take(firsts)
    order = grade(heads)
    return heads.take(order), [all_rows[positions[i]] for i in order.tolist()]


def _grouped(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> Value:
    heads, groups = _groups(view, plan, rows)
    if not plan.columns:
        rest = [n for n in view.table.names if n not in heads.names]
        lasts = np.array([g[-1] for g in groups], dtype=np.int64)
        return Dict(heads, Table(rest, [take_rows(view.table.column(n), lasts) for n in rest]))
    cols = [collapse([view.evaluate(c, g) for g in groups]) for c in plan.columns]
    return Dict(heads, Table(_unique([c.name for c in plan.columns]), cols))


def _exec(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> Value:
    if plan.by is not None:
        heads, groups = _groups(view, plan, rows)
        cols = [collapse([view.evaluate(c, g) for g in groups]) for c in plan.columns]
        keys = heads.cols[0] if len(heads.cols) == 1 else heads
        if len(cols) == 1:
            return Dict(keys, cols[0])
        return Dict(keys, Table([c.name for c in plan.columns], cols))
    if not plan.columns:
        last = view.table.size() - 1 if rows is None else (int(rows[-1]) if len(rows) else -1)
        return view.table.row(last)
    values = [view.evaluate(c, rows) for c in plan.columns]
    if len(values) == 1:
        return values[0]
    return Dict(symbols([c.name for c in plan.columns]), collapse(values))


def _update(view: Rows, plan: QueryPlan, rows: np.ndarray | None) -> Table:
    table = view.table
    n = table.size()
    all_rows = np.arange(n) if rows is None else rows
    for clause in plan.columns:
        if plan.by is None:
            value = view.evaluate(clause, rows)
            fresh = value if is_list(value) else repeat(value, len(all_rows))
            table = _write(table, clause.name, all_rows, fresh)
        else:
            _, groups = _groups(view, plan, rows)
            for positions in groups:
                value = view.evaluate(clause, positions)
                fresh = value if is_list(value) else repeat(value, len(positions))
                table = _write(table, clause.name, positions, fresh)
    return table


def _write(table: Table, name: str, rows: np.ndarray, fresh: Value) -> Table:
    """Write a column at some rows; a new column is null elsewhere."""
    from q_runtime.prims.indexing import take_or_null

    n = table.size()
    if length(fresh) != len(rows):
        raise QError("length")
    places = np.full(n, -1, dtype=np.int64)
    places[rows] = np.arange(len(rows))
    made = (
        fresh if len(rows) == n and (places == np.arange(n)).all() else take_or_null(fresh, places)
    )
    if name not in table.names:
        return Table([*table.names, name], [*table.cols, made])
    at = table.names.index(name)
    old = table.cols[at]
    if len(rows) < n:
        if type(old) is Vec and type_number(fresh) != old.t and len(rows):
            raise QError("type")
        was, now = items_of(old), items_of(made)
        made = collapse([now[i] if places[i] >= 0 else was[i] for i in range(n)])
    cols = list(table.cols)
    cols[at] = made
    return Table(table.names, cols)


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
