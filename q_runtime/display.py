"""Console text of a value: exactly what kdb+ prints at the `q)` prompt.

Lines are cut at the console width and lists at its height, with `..`. Multi-line forms only; one-line
forms come from values/literal.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table, TableAbroad
from q_runtime.values.functions import FunctionText, Nil
from q_runtime.values.literal import (
    atom_text,
    escape,
    function_text,
    literal,
    raw_text,
    vector_text,
)
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    items_of,
    length,
    take_rows,
    type_number,
)
from q_runtime.values.wire import from_wire

Size = tuple[int, int]
_MAX_COLUMNS = 2001
_MAX_CELLS = 20 * _MAX_COLUMNS
"""How many cells of one row are looked at to align those that can be seen."""


def show(x: Value, size: Size = (25, 80), precision: int = 7) -> str:
    """Return the lines that the console prints, joined by newlines; empty for `::`.

    size: console rows and columns.
    """
    if type(x) is Nil:
        return ""
    height, width = size
    lines = _lines(x, height, precision, width)
    if len(lines) > height - 2:
        lines = [*lines[: height - 3], ".."]
    return "\n".join(_as_text(_cut(line, width)) for line in lines)


def show_wire(wire: dict[str, Any]) -> str:
    """Return what `show` prints of a value in the wire form, on a console of the default size and precision.

    Raises: QError('type') for a malformed wire form.
    """
    return show(from_wire(wire, FunctionText))


def _as_bytes(text: str) -> str:
    """Return text with a character for each of its UTF-8 bytes: the console counts bytes, in columns and lines."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def _as_text(line: str) -> str:
    return line if line.isascii() else line.encode("latin-1").decode("utf-8", "surrogateescape")


def _cut(line: str, width: int) -> str:
    return line if len(line) < width else line[: width - 3] + ".."


def _lines(x: Value, height: int, precision: int, width: int) -> list[str]:
    t = type_number(x)
    if t < 0:
        return [_as_bytes(atom_text(x, precision))]
    if type(x) is Vec:
        return [_as_bytes(vector_text(x, precision, _enough(x, width)))]
    if type(x) is GList:
        return _list_lines(x, height, precision, width)
    if type(x) is Dict:
        if type(x.v) is Atom:
            return [_as_bytes(literal(x, precision))]
        if type(x.k) is Table or type(x.v) is Table:
            return _keyed_lines(x, height, precision, width)
        return _dict_lines(x, height, precision, width)
    if type(x) is Table:
        return _table_lines(_head(x, height), precision, width)
    if type(x) is TableAbroad:
        return [_as_bytes(literal(x, precision))]
    return _as_bytes(function_text(x)).split("\n")


def _enough(x: Vec, width: int) -> int | None:
    """Return how many items of a long vector can show on a line, None for all."""
    return (
        width + 2
        if len(x.a) > 2 * width and x.t not in (7, 9)
        else (None if len(x.a) < 2 * width else width + 2)
    )


def _head(x: Value, height: int) -> Value:
    n = length(x)
    return x if n <= height else take_rows(x, np.arange(height))


def item_text(x: Value, precision: int, width: int = 80) -> str:
    """Return a value on one line, as it stands in a row of a list."""
    if type(x) is Vec:
        return vector_text(x, precision, _enough(x, width))
    if type(x) is GList and len(x.items) > width:
        return literal(GList(x.items[:width]), precision)
    return literal(x, precision)


def _item(x: Value, precision: int, width: int = 80) -> str:
    return _as_bytes(item_text(x, precision, width))


def _list_lines(x: GList, height: int, precision: int, width: int) -> list[str]:
    if not x.items:
        return []
    if len(x.items) == 1 and type(x.items[0]) is Nil:
        return ["::"]
    is_cut = len(x.items) > height - 2
    shown = x.items[: height - 3] if is_cut else x.items
    lines = (
        _aligned_rows(shown, precision)
        if _is_matrix(x.items)
        else [_item(item, precision, width) for item in shown]
    )
    return [*lines, ".."] if is_cut else lines


def _is_matrix(items: list[Value], *, in_cells: bool = False) -> bool:
    """Say whether rows print as aligned columns: lists of one length, unless all are strings or flags.

    in_cells: they stand in a column of a table or beside keys, where empty lists alone leave their place blank.
    """
    if not items or type(items[0]) not in (Vec, GList):
        return False
    first = items[0]
    n = length(first)
    if not (n or in_cells) or any(type(i) not in (Vec, GList) or length(i) != n for i in items):
        return False
    return first.t not in (1, 4, 10) or any(i.t != first.t for i in items)


def _aligned_rows(rows: list[Value], precision: int) -> list[str]:
    cells = [_row_cells(row, precision) for row in rows]
    if not cells[0]:
        return [""] * len(rows)
    return _join_columns([list(column) for column in zip(*cells, strict=True)])


def _row_cells(row: Value, precision: int) -> list[str]:
    """Return one text per item of a row: bare for a vector, as source for a general list.

    Items of a row that are lists of one length are aligned among themselves first.
    """
    if type(row) is GList:
        if _is_matrix(row.items):
            n = 1 + _MAX_CELLS // min(length(row.items[0]), _MAX_COLUMNS)
            return _aligned_rows(row.items[: min(n, _MAX_COLUMNS)], precision)
        return [_item(item, precision) for item in row.items[:_MAX_COLUMNS]]
    if row.t == 10:
        return [escape(bytes((r,))) for r in row.a[:_MAX_COLUMNS].tolist()]
    return _vector_cells(Vec(row.t, row.a[:_MAX_COLUMNS]), precision)


def _join_columns(columns: list[list[str]]) -> list[str]:
    widths = [max(map(len, c)) for c in columns]
    out = []
    for i in range(len(columns[0])):
        cells = [c[i].ljust(w) for c, w in zip(columns, widths, strict=True)]
        out.append(" ".join(cells))
    return out


def _key_texts(k: Value, precision: int) -> list[str]:
    """Return one text per key of a dictionary."""
    if type(k) is Vec and k.t != 10:
        return [_as_bytes(raw_text(k.t, r, precision)) for r in k.a.tolist()]
    if type(k) is Vec:
        return [escape(bytes((r,))) for r in k.a.tolist()]
    if type(k) is GList and _is_matrix(k.items):
        return _aligned_rows(k.items, precision)
    return [_item(i, precision) for i in items_of(k)]


def _cells(column: Value, precision: int) -> list[str]:
    """Return one text per item, as in a table cell or dictionary value."""
    if type(column) is Vec:
        if column.t == 10:
            return [escape(bytes((r,))) for r in column.a.tolist()]
        return _vector_cells(column, precision)
    if type(column) is GList and _is_matrix(column.items, in_cells=True):
        return _aligned_rows(column.items, precision)
    out = []
    for item in items_of(column):
        out.append(_item(item, precision))
    return out


def _vector_cells(column: Vec, precision: int) -> list[str]:
    t = column.t
    texts = [_as_bytes(raw_text(t, r, precision)) for r in column.a.tolist()]
    if t in qt.INTEGERS or t in qt.FLOATS:
        null = {7: "0N", 6: "0N", 5: "0N", 9: "0n", 8: "0n"}.get(t)
        if null is None:
            null = raw_text(t, qt.NULLS[t])
        return ["" if text == null else text for text in texts]
    return texts


def _dict_lines(x: Dict, height: int, precision: int, width: int) -> list[str]:
    if not length(x.k):
        return []
    keys = _key_texts(_head(x.k, height), precision)
    values = _dict_values(_head(x.v, height), precision)
    w = max(map(len, keys))
    return [f"{k.ljust(w)}| {v}" for k, v in zip(keys, values, strict=True)]


def _dict_values(v: Value, precision: int) -> list[str]:
    if type(v) is GList and _is_matrix(v.items, in_cells=True):
        return _aligned_rows(v.items, precision)
    if type(v) is Vec and v.t == 10:
        return [escape(bytes((r,))) for r in v.a.tolist()]
    if type(v) is Vec:
        return _vector_cells(v, precision)
    return [_item(i, precision) for i in items_of(v)]


def _column_lines(names: list[str], cols: list[Value], precision: int) -> list[list[str]]:
    """Return, per column, its header followed by its cells, all of one width."""
    out = []
    for name, column in zip(names, cols, strict=True):
        texts = [_as_bytes(name), *_cells(column, precision)]
        w = max(map(len, texts))
        out.append([text.ljust(w) for text in texts])
    return out


def _table_lines(x: Table, precision: int, width: int) -> list[str]:
    columns = _column_lines(x.names, x.cols, precision)
    if not columns:
        return []
    rows = [" ".join(cells) for cells in zip(*columns, strict=True)]
    rule = "-" * (sum(len(c[0]) for c in columns) + len(columns) - 1)
    return [rows[0], rule, *rows[1:]]


def _side_lines(x: Value, precision: int) -> list[list[str]]:
    """Return the columns of one side of a dictionary with a table in it; a list is a column without a header."""
    if type(x) is Table:
        return _column_lines(x.names, x.cols, precision)
    return _column_lines([""], [x], precision)


def _keyed_lines(x: Dict, height: int, precision: int, width: int) -> list[str]:
    keys, values = _head(x.k, height), _head(x.v, height)
    left, right = _side_lines(keys, precision), _side_lines(values, precision)
    k_rows = [" ".join(cells) for cells in zip(*left, strict=True)]
    v_rows = [" ".join(cells) for cells in zip(*right, strict=True)] or [""] * len(k_rows)
    k_rule = "-" * len(k_rows[0])
    v_rule = "-" * (sum(len(c[0]) for c in right) + max(0, len(right) - 1))
    body = [f"{k}| {v}" for k, v in zip(k_rows, v_rows, strict=True)]
    return [body[0], f"{k_rule}| {v_rule}", *body[1:]]
