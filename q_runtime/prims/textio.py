"""`0:` on text in memory: delimited lines from a table, and tables from delimited, fixed-width or keyed text.

`file 0: lines` and reading of files are refused. Source: KX ref/file-text.
"""

from __future__ import annotations

from collections.abc import Iterable

from q_runtime.errors import QError
from q_runtime.prims.parsing import parse_text
from q_runtime.prims.registry import Host, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Table
from q_runtime.values.enums import resolve
from q_runtime.values.literal import plain_text, raw_text
from q_runtime.values.vectors import (
    CHARS,
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    empty,
    is_list,
    items_of,
    length,
    null_atom,
    raw_of,
    string,
    text_of,
    type_number,
    vector,
)


@primitive("0:", 2, host=True)
def text_io(host: Host, x: Value, y: Value) -> Value:
    """Lines from columns (`delimiter 0: table`), or columns from text.

    Text is read by `(types;delimiter)`, by `(types;widths)`, or by a string such as "S=;" as keys and values.
    """
    if _names_file(x) or (type(x) is GList and x.items and _names_file(x.items[0])):
        host.refuse("0:")
    if _names_file(y) or (type(y) is GList and y.items and _names_file(y.items[0])):
        host.refuse("0:")
    if type_number(x) == -10:
        return prepare(host, chr(x.v), y)
    if type_number(x) == 10:
        return key_values(text_of(x), y)
    if type(x) is not GList or len(x.items) not in (2, 3):
        raise QError("type")
    types = text_of(x.items[0]) if type_number(x.items[0]) in (10, -10) else None
    if types is None:
        raise QError("type")
    layout = x.items[1]
    if type_number(layout) in (5, 6, 7):
        return fixed_width(types, layout.a.tolist(), lines_of(y))
    if type_number(layout) not in (10, -10):
        raise QError("type")
    lines = lines_of(y)
    if len(x.items) == 3 and truth(x.items[2]):
        lines = join_quoted(lines)
    return delimited(types, text_of(layout), lines, has_header=type_number(layout) == 10)


def _names_file(x: Value) -> bool:
    return type(x) is Atom and x.t == -11 and x.v[:1] == ":"


# -- writing


def prepare(host: Host, delimiter: str, y: Value) -> Value:
    """Return the lines of a table (its column names first) or of a list of columns.

    Raises: QError('type') for a keyed table, an atom, or a column of anything but atoms and strings.
    """
    if type(y) is Table:
        columns, head = y.cols, [delimiter.join(_embraced(name, delimiter) for name in y.names)]
    elif is_list(y):
        columns, head = items_of(y), []
    else:
        raise QError("type")
    if not all(is_list(column) for column in columns):
        raise QError("type")
    if len({length(column) for column in columns}) > 1:
        raise QError("length")
    cells = [_cells(column, delimiter, host.precision) for column in columns]
    return GList([string(line) for line in [*head, *map(delimiter.join, zip(*cells, strict=True))]])


def _cells(column: Value, delimiter: str, precision: int) -> list[str]:
    """Return the text of each item of a column."""
    column = resolve(column)
    if type(column) is Vec and column.t in (8, 9):
        texts = (raw_text(column.t, raw, precision) for raw in column.a.tolist())
        return ["" if text == "0n" else text for text in texts]
    out = []
    for item in items_of(column):
        t = type_number(item)
        if t == 0 or t > 10 or 0 < t < 10:
            raise QError("type")
        text = text_of(item) if t in (10, -10) else plain_text(item)
        if t in (-8, -9):
            text = "" if raw_of(item) != raw_of(item) else raw_text(-t, raw_of(item), precision)
        out.append(_embraced(text, delimiter))
    return out


def _embraced(text: str, delimiter: str) -> str:
    """Put text between quotes where it holds the delimiter, a quote or a new line."""
    if delimiter in text or '"' in text or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


# -- reading


def lines_of(y: Value) -> list[str]:
    """Return the lines of a string or of a list of strings.

    Raises: QError('type').
    """
    if type_number(y) in (10, -10):
        lines = text_of(y).split("\n")
        return lines[:-1] if len(lines) > 1 and not lines[-1] else lines
    if type(y) is GList and all(type_number(line) in (10, -10) for line in y.items):
        return [text_of(line).rstrip("\n") for line in y.items]
    raise QError("type")


def truth(x: Value) -> bool:
    """Return the third item of a layout, which says whether quoted fields may hold new lines.

    Raises: QError('type') unless it is an atom.
    """
    if type_number(x) not in (-1, -5, -6, -7):
        raise QError("type")
    return bool(raw_of(x))


def join_quoted(lines: list[str]) -> list[str]:
    """Join lines while a quote is open, so that a quoted field may hold new lines."""
    out: list[str] = []
    is_open = False
    for line in lines:
        if is_open:
            out[-1] += "\n" + line
        else:
            out.append(line)
        is_open ^= line.count('"') % 2 == 1
    return out


def split_line(line: str, delimiter: str) -> list[str]:
    """Split a line at a delimiter; a field that opens with a quote ends at its closing quote."""
    if '"' not in line:
        return line.split(delimiter)
    out: list[str] = []
    i, n = 0, len(line)
    while i <= n:
        if line[i : i + 1] == '"':
            part, i = _quoted_field(line, i + 1)
            end = line.find(delimiter, i)
            end = n if end < 0 else end
            out.append(part + line[i:end])
        else:
            end = line.find(delimiter, i)
            end = n if end < 0 else end
            out.append(line[i:end])
        i = end + 1
    return out


def _quoted_field(line: str, i: int) -> tuple[str, int]:
    """Read a quoted field from after its opening quote; returns its text and the offset after its end."""
    out: list[str] = []
    while i < len(line):
        if line[i] == '"':
            if line[i + 1 : i + 2] != '"':
                return "".join(out), i + 1
            i += 1
        out.append(line[i])
        i += 1
    return "".join(out), i


def delimited(types: str, delimiter: str, lines: list[str], *, has_header: bool) -> Value:
    """Return the columns of delimited lines, or a table whose names are on the first line."""
    if len(delimiter) != 1:
        raise QError("length")
    _check(types)
    rows = [split_line(line, delimiter) for line in lines]
    names: list[str] = []
    if has_header:
        if not rows:
            raise QError("length")
        names, rows = rows[0], rows[1:]
    wanted = [(i, letter) for i, letter in enumerate(types) if letter != " "]
    columns = [
        read_column(letter, [row[i] if i < len(row) else "" for row in rows])
        for i, letter in wanted
    ]
    if not has_header:
        return GList(columns)
    if len(types) > len(names):
        raise QError("length")
    return Table([names[i] for i, _ in wanted], columns)


def fixed_width(types: str, widths: list[int], lines: list[str]) -> Value:
    """Return the columns of lines that are cut at fixed widths."""
    _check(types)
    if len(types) != len(widths):
        raise QError("length")
    columns, start = [], 0
    for letter, width in zip(types, widths, strict=True):
        if letter != " ":
            columns.append(read_column(letter, [line[start : start + width] for line in lines]))
        start += width
    return GList(columns)


def _check(types: str) -> None:
    """Refuse a letter that is no type to parse.

    Raises: QError('type').
    """
    for letter in types:
        if letter not in " *" and not (letter.isupper() and letter.lower() in qt.TYPE_OF_LETTER):
            raise QError("type", f"no text is read as {letter}")


def read_column(letter: str, fields: Iterable[str]) -> Value:
    """Return the fields of one column read as the type of a capital letter; `*` keeps them as strings."""
    if letter == "*":
        return GList([string(field) for field in fields])
    t = qt.TYPE_OF_LETTER[letter.lower()]
    if t == 10:
        made = [CHARS[field.encode()[0]] if field else null_atom(10) for field in fields]
    else:
        made = [parse_text(t, field) for field in fields]
    return vector(t, [raw_of(item) for item in made])


def key_values(layout: str, y: Value) -> Value:
    """Return `(keys;values)` of text such as "a=1;b=2": the layout has the keys' type and the two separators.

    A third character `*` before the last says that values may stand between quotes.
    Raises: QError('IJS') for keys that are no symbols, ints or longs; QError('length'); QError('type').
    """
    if len(layout) not in (3, 4) or (len(layout) == 4 and layout[2] != "*"):
        raise QError("length")
    if type(y) is GList:
        return collapse([key_values(layout, item) for item in y.items])
    if type_number(y) not in (10, -10):
        raise QError("type")
    letter, mark, separator = layout[0], layout[1], layout[-1]
    if letter not in "SIJ":
        raise QError("IJS", f"keys cannot be read as {letter}")
    text = text_of(y)
    if not text:
        return GList([empty(qt.TYPE_OF_LETTER[letter.lower()]), GList([])])
    pairs = split_line(text, separator) if len(layout) == 4 else text.split(separator)
    if pairs and not pairs[-1]:
        pairs.pop()
    halves = [pair.partition(mark) for pair in pairs]
    values = [
        value[1:-1].replace('""', '"') if len(layout) == 4 and value[:1] == '"' else value
        for _, _, value in halves
    ]
    return GList(
        [read_column(letter, [key for key, _, _ in halves]), GList([string(v) for v in values])]
    )
