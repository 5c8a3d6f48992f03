"""`1:` on bytes in memory: records of fixed layout become columns. Files are refused. Source: KX ref/file-binary."""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.registry import Host, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.vectors import Atom, GList, Value, Vec, symbols, text_of, type_number, vector

_SIZES = {t: dtype.itemsize for t, dtype in qt.DTYPES.items() if dtype.kind != "O"} | {2: 16}


@primitive("1:", 2, host=True)
def binary_io(host: Host, x: Value, y: Value) -> Value:
    """Columns of records: `(types;widths)1:bytes`, or `(widths;types)1:bytes` where numbers are big endian.

    x: type letters in lower case, `*` for strings and blank to skip, and the width of each field in bytes. y: bytes or
    chars; what is left of an incomplete last record is ignored.
    """
    for side in (x, y, y.items[0] if type(y) is GList and y.items else None):
        if type(side) is Atom and side.t == -11:
            host.refuse("1:")
    if type(x) is not GList or len(x.items) != 2:
        raise QError("type")
    types, widths = x.items
    order = "<"
    if type_number(types) in (5, 6, 7):
        types, widths, order = widths, types, ">"
    if type_number(types) != 10 or type_number(widths) not in (5, 6, 7):
        raise QError("type")
    if type_number(y) not in (4, 10):
        raise QError("type")
    letters, sizes = text_of(types), widths.a.tolist()
    if len(letters) != len(sizes):
        raise QError("length")
    return _columns(letters, sizes, y.a.tobytes(), order)


def _columns(letters: str, sizes: list[int], data: bytes, order: str) -> Value:
    record = sum(sizes)
    if record <= 0 or min(sizes) < 0:
        raise QError("length")
    n = len(data) // record
    rows = np.frombuffer(data, np.uint8, n * record).reshape(n, record)
    out, start = [], 0
    for letter, size in zip(letters, sizes, strict=True):
        if letter != " ":
            out.append(_column(letter, np.ascontiguousarray(rows[:, start : start + size]), order))
        start += size
    return GList(out)


def _column(letter: str, cells: np.ndarray, order: str) -> Value:
    """Return one column of fields, an array of bytes of shape (n, width)."""
    n, width = cells.shape
    if letter == "*":
        return GList([Vec(10, cell) for cell in cells])
    t = qt.TYPE_OF_LETTER.get(letter)
    if t is None:
        raise QError("type")
    if t == 11:
        texts = [cell.tobytes().split(b"\0")[0].rstrip(b" ") for cell in cells]
        return symbols([text.decode("utf-8", "surrogateescape") for text in texts])
    if width != _SIZES[t]:
        raise QError("length")
    if t == 2:
        return vector(2, [int.from_bytes(cell.tobytes(), "big") for cell in cells])
    if t == 1:
        return Vec(1, cells[:, 0] != 0)
    native = qt.DTYPES[t]
    stored = native.newbyteorder("<" if order == "<" else ">")
    return Vec(t, cells.reshape(-1).view(stored).astype(native).reshape(n))
