"""The expressions of a query: compiled from text, or parse trees given to `?[t;c;b;a]` and `![t;c;b;a]`.

A name in a clause is a column, `i` (the row number), a step through a foreign key, a local of the function
around the query or a global, in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.lang import nodes as nd
from q_runtime.lang.walk import descend
from q_runtime.prims.casting import dollar
from q_runtime.prims.dictionary import unkey
from q_runtime.prims.indexing import take_or_null
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import domain_value, is_enum
from q_runtime.values.vectors import Value, longs, symbol, take_rows

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter


class Clause:
    """An expression of a query text: its name, its node, the query and the variables it reads."""

    __slots__ = ("name", "node", "query", "reads", "unit")

    def __init__(self, name: str, node: nd.Node, query: nd.Query) -> None:
        self.name = name
        self.node = node
        self.query = query
        self.reads = sorted({n.name for n in descend([node]) if isinstance(n, nd.Name)})
        self.unit: dict[tuple[str, ...], Any] = {}

    def evaluate(self, view: Rows, rows: np.ndarray | None) -> Value:
        """Evaluate on the given rows (None for all)."""
        values: dict[str, Value] = {}
        for name in self.reads:
            found = view.variable(name, rows)
            if found is not None:
                values[name] = found
        return self._call(view.host, values)

    def _call(self, host: Interpreter, values: dict[str, Value]) -> Value:
        """Run the expression as a function of the named values."""
        from q_runtime.evaluate.compiler import ClauseCompiler, LambdaSpec

        names = tuple(values)
        namespace = host.globals.namespace
        unit = self.unit.get(names)
        if unit is None:
            node = self.node
            fake = nd.LambdaNode(node.start, node.end, "", list(names), [node])
            compiler = ClauseCompiler(
                self.query.text, self.query.start, LambdaSpec(fake), namespace
            )
            unit = self.unit[names] = compiler.lambda_unit()
        fn = host.link(unit, namespace)
        depth = host.budget.depth
        made = fn(*values.values()) if names else fn(None)
        host.budget.depth = depth
        return made


class TreeClause:
    """An expression given as a parse tree."""

    __slots__ = ("name", "tree")

    def __init__(self, name: str, tree: Value) -> None:
        self.name = name
        self.tree = tree

    def evaluate(self, view: Rows, rows: np.ndarray | None) -> Value:
        """Evaluate on the given rows (None for all)."""
        from q_runtime.evaluate.tree_eval import TreeEvaluator

        def read(name: str) -> Value:
            found = view.variable(name, rows)
            return found if found is not None else view.host.get_global(name)

        return TreeEvaluator(view.host, read).value(self.tree)


AnyClause = Clause | TreeClause


class Rows:
    """The table of a query as its clauses see it."""

    def __init__(self, host: Interpreter, table: Table, local: dict[str, Value]) -> None:
        self.host = host
        self.table = table
        self.local = local

    def variable(self, name: str, rows: np.ndarray | None) -> Value | None:
        """Return what a name means on the given rows, None for a global."""
        table = self.table
        if name in table.names:
            column = table.column(name)
            return column if rows is None else take_rows(column, rows)
        if "." in name and name.partition(".")[0] in table.names:
            return self._linked(name, rows)
        if name == "i":
            return longs(np.arange(table.size()) if rows is None else rows)
        return self.local.get(name)

    def _linked(self, name: str, rows: np.ndarray | None) -> Value:
        """Follow foreign keys or links: `key.column`, any number of steps; or a part of a temporal column.

        Raises: QError(name) when a step has no such column.
        """
        head, *steps = name.split(".")
        value = self.table.column(head)
        if rows is not None:
            value = take_rows(value, rows)
        for step in steps:
            if not is_enum(value):
                value = dollar(symbol(step), value)
                continue
            target = domain_value(value.t)
            if type(target) not in (Table, Dict):
                raise QError("type")
            value = take_or_null(unkey(target).column(step), value.a)
        return value
