"""Atoms, vectors and general lists, and the small operations that build and read them.

A non-null long is a Python `int`, a float a `float`, a boolean a `bool`; so `type(x) is int` says
"long, and not null". Every other atom is an `Atom`. Values are immutable by convention: operations
return new ones and never write to an array that they did not make.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from q_runtime.errors import QError
from q_runtime.values import qtypes as qt

Value = Any
"""Any q value."""


class Atom:
    """An atom other than a non-null long, a float or a boolean.

    `t` is the negative type number; `v` the raw Python scalar: int for bytes, integers, chars (code)
    and temporals, float for reals and datetimes, str for symbols.
    """

    __slots__ = ("t", "v")

    def __init__(self, t: int, v: Any) -> None:
        self.t = t
        self.v = v

    def __repr__(self) -> str:
        return f"Atom({self.t}, {self.v!r})"

    # What compiled code writes for longs holds for the null long too: it absorbs, and it is least.

    def _absorb(self, other: object) -> Any:
        return self if self.t == -7 and (type(other) is int or other is self) else NotImplemented

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _absorb
    __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = _absorb

    def __abs__(self) -> Any:
        return self._absorb(self)

    def __neg__(self) -> Any:
        return self._absorb(self)

    def __lt__(self, other: object) -> bool:
        return type(other) is int if self.t == -7 else NotImplemented

    def __le__(self, other: object) -> bool:
        return True if self.t == -7 else NotImplemented

    def __gt__(self, other: object) -> bool:
        return False if self.t == -7 else NotImplemented

    def __ge__(self, other: object) -> bool:
        return other is self if self.t == -7 else NotImplemented


class Vec:
    """A simple vector: `t` in 1..19 and a NumPy array of that type's dtype, shape (n,).

    A vector has the array `a`, the list `atoms`, or both; what is missing is made when it is asked for.
    """

    __slots__ = ("a", "atoms", "attr", "has_nulls", "t")

    atoms: list[Value]
    """The items as q atoms, for code that reads them one by one."""
    has_nulls: bool
    """Whether an item of a vector of integers is null."""

    def __init__(self, t: int, a: np.ndarray, attr: str = "") -> None:
        self.t = t
        self.a = a
        self.attr = attr

    def __getattr__(self, name: str) -> Any:
        made: Any
        if name == "a":
            self.a = made = _array_of_atoms(self.t, self.atoms)
        elif name == "atoms" and len(self.a) <= MOST_ATOMS:
            self.atoms = made = _atoms_of_array(self.t, self.a)
        elif name == "has_nulls":
            a = self.a
            self.has_nulls = made = bool(a.size and a.min() == qt.NULLS[self.t])
        else:
            raise AttributeError(name)
        return made

    def __repr__(self) -> str:
        return f"Vec({self.t}, {self.a.tolist()!r})"


class Runs(NamedTuple):
    """A long list of vectors of one type, end to end in one array."""

    t: int
    a: np.ndarray
    ends: np.ndarray
    """Where each vector ends in `a`, shape (n,)."""

    @property
    def starts(self) -> np.ndarray:
        """Where each vector begins."""
        return np.concatenate((self.ends[:1] * 0, self.ends[:-1]))

    def vectors(self) -> list[Value]:
        """The vectors themselves."""
        t, a = self.t, self.a
        bounds = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [Vec(t, a[start:end]) for start, end in bounds]

    def take(self, rows: np.ndarray) -> list[Value]:
        """The vectors at some positions."""
        t, a = self.t, self.a
        starts, ends = self.starts[rows].tolist(), self.ends[rows].tolist()
        return [Vec(t, a[start:end]) for start, end in zip(starts, ends, strict=True)]


class GList:
    """A general list (type 0) over a Python list of q values.

    A long list of short vectors may begin as `runs`; its items are then made when they are asked for.
    """

    __slots__ = ("attr", "items", "runs")
    t = 0

    items: list[Value]
    runs: Runs | None

    def __init__(self, items: list[Value], attr: str = "") -> None:
        self.items = items
        self.attr = attr
        self.runs = None

    def __getattr__(self, name: str) -> Any:
        if name not in ("items", "atoms") or self.runs is None:
            raise AttributeError(name)
        self.items = made = self.runs.vectors()
        self.runs = None
        return made

    def __repr__(self) -> str:
        return f"GList({self.items!r})"


MOST_ATOMS = 1 << 17
"""Longer vectors are only held as arrays."""
LISTABLE = frozenset({1, 7, 9, 10})
"""Types of vectors that are also made from atoms."""
FEW = 64
"""Vectors up to so many items keep their atoms once they were made."""
NULL_LONG = Atom(-7, qt.LONG_NULL)
CHARS = tuple(Atom(-10, code) for code in range(256))
EMPTY_SYMBOL = Atom(-11, "")


setattr(GList, "atoms", GList.__dict__["items"])  # noqa: B010  another name of the slot


def list_of_runs(runs: Runs) -> GList:
    """Return the general list of the vectors in `runs`, which are not made yet."""
    made = GList.__new__(GList)
    made.attr, made.runs = "", runs
    return made


def type_number(x: Value) -> int:
    """Return the kdb+ type number of any value."""
    c = type(x)
    if c is int:
        return -7
    if c is float:
        return -9
    if c is bool:
        return -1
    return x.t


def make_atom(t: int, raw: Any) -> Value:
    """Build an atom of positive type `t` from a raw Python scalar."""
    if t == 7:
        return raw if raw != qt.LONG_NULL else NULL_LONG
    if t == 9:
        return raw
    if t == 1:
        return raw
    if t == 10:
        return CHARS[raw]
    return Atom(-t, raw)


def raw_of(x: Value) -> Any:
    """Return the raw Python scalar inside an atom."""
    return x.v if type(x) is Atom else x


def symbol(text: str) -> Atom:
    """Build a symbol atom."""
    return Atom(-11, text)


def item_at(v: Vec, i: int) -> Value:
    """Return item `i` of a vector as an atom; `i` must be in range and not negative."""
    t = v.t
    raw = v.a.item(i)
    if t == 7:
        return raw if raw != qt.LONG_NULL else NULL_LONG
    if t == 9 or t == 1:
        return raw
    if t == 10:
        return CHARS[raw]
    return Atom(-t, raw)


def items_of(x: Value) -> list[Value]:
    """Return the items of a list value as a Python list of q values."""
    c = type(x)
    if c is GList:
        return x.items
    if c is Vec:
        known = known_atoms(x)
        if known is not None:
            return known[:]
        return x.atoms[:] if len(x.a) <= FEW else _atoms_of_array(x.t, x.a)
    if hasattr(x, "rows"):
        return x.rows()
    raise QError("type", "expected a list")


read_atoms: Any = Vec.__dict__["atoms"].__get__
"""Returns the atoms of a vector. Raises: AttributeError when they were not made yet."""
_read_array: Any = Vec.__dict__["a"].__get__


def known_atoms(x: Vec) -> list[Value] | None:
    """Return the atoms of a vector if they were made already."""
    try:
        return read_atoms(x)
    except AttributeError:
        return None


def _atoms_of_array(t: int, a: np.ndarray) -> list[Value]:
    raws = a.tolist()
    if t == 9 or t == 1:
        return raws
    if t == 7:
        null = qt.LONG_NULL
        return [r if r != null else NULL_LONG for r in raws]
    if t == 10:
        return [CHARS[r] for r in raws]
    return [Atom(-t, r) for r in raws]


def _array_of_atoms(t: int, atoms: list[Value]) -> np.ndarray:
    if t == 10:
        return np.array([atom.v for atom in atoms], dtype=np.uint8)
    if t == 7 and NULL_LONG in atoms:
        return np.array([raw_of(atom) for atom in atoms], dtype=np.int64)
    return np.array(atoms, dtype=qt.DTYPES[t])


def listed(t: int, atoms: list[Value]) -> Vec:
    """Build a vector of booleans, longs, floats or chars (1, 7, 9, 10) from its atoms, which become its own."""
    made = Vec.__new__(Vec)
    made.t = t
    made.attr = ""
    made.atoms = atoms
    return made


def vector(t: int, raws: Iterable[Any]) -> Vec:
    """Build a vector of positive type `t` from raw Python scalars."""
    raws = list(raws)
    if qt.DTYPES[t].kind == "O":
        a = np.empty(len(raws), dtype=object)
        a[:] = raws
        return Vec(t, a)
    return Vec(t, np.array(raws, dtype=qt.DTYPES[t]))


def longs(raws: Iterable[int] | np.ndarray) -> Vec:
    """Build a long vector."""
    return Vec(7, np.array(raws if isinstance(raws, np.ndarray) else list(raws), dtype=np.int64))


def booleans(raws: Any) -> Vec:
    """Build a boolean vector."""
    return Vec(1, np.asarray(raws, dtype=bool))


def names_in(x: Value) -> list[str]:
    """Return the names that a symbol or a list of symbols holds. Raises: QError('type')."""
    if type(x) is Atom and x.t == -11:
        return [x.v]
    if type(x) is Vec and x.t == 11:
        return x.a.tolist()
    raise QError("type")


def symbols(texts: Iterable[str]) -> Vec:
    """Build a symbol vector."""
    return vector(11, texts)


def string(text: str) -> Vec:
    """Build a char vector from text (its UTF-8 bytes)."""
    data = text.encode("utf-8", "surrogateescape")
    return Vec(10, np.frombuffer(data, dtype=np.uint8))


def bytes_string(data: bytes) -> Vec:
    """Build a char vector from bytes."""
    return Vec(10, np.frombuffer(data, dtype=np.uint8))


def as_list(x: Value) -> Value:
    """Return a list: the value itself, or an atom in a list."""
    return x if is_list(x) else collapse([x])


def text_of(x: Value) -> str:
    """Return the text of a char vector, char atom or symbol.

    Raises: QError('type') for anything else.
    """
    c = type(x)
    if c is Vec and x.t == 10:
        return x.a.tobytes().decode("utf-8", "surrogateescape")
    if c is Atom and x.t == -10:
        return bytes((x.v,)).decode("utf-8", "surrogateescape")
    if c is Atom and x.t == -11:
        return x.v
    if c is GList and not x.items:
        return ""
    raise QError("type", "expected text")


def empty(t: int) -> Value:
    """Return the empty list of positive type `t`; 0 gives the empty general list."""
    return GList([]) if t == 0 else Vec(t, np.empty(0, dtype=qt.DTYPES[t]))


def null_atom(t: int) -> Value:
    """Return the null atom of positive type `t`."""
    return make_atom(t, qt.NULLS[t])


def collapse(items: Sequence[Value]) -> Value:
    """Build a list of `items`: a vector when all are atoms of one type, else a general list."""
    if not items:
        return GList([])
    c = type(items[0])
    if c is int or c is float or c is bool:
        for x in items:
            if type(x) is not c:
                break
        else:
            if len(items) <= FEW:
                return listed(7 if c is int else 9 if c is float else 1, list(items))
            return Vec(
                7 if c is int else 9 if c is float else 1,
                np.array(items, dtype=np.int64 if c is int else np.float64 if c is float else bool),
            )
        if c is not int:
            return GList(list(items))
    elif c is not Atom:
        uniform = getattr(c, "collapse_rows", None)
        made = uniform(items) if uniform is not None else None
        return made if made is not None else GList(list(items))
    t = type_number(items[0])
    for x in items:
        if type_number(x) != t:
            return GList(list(items))
    return vector(-t, [raw_of(x) for x in items])


def take_rows(x: Value, indices: np.ndarray) -> Value:
    """Select items of a list by an int64 array of in-range positions, shape (m,)."""
    c = type(x)
    if c is Vec:
        return Vec(x.t, x.a[indices])
    if c is GList:
        if x.runs is not None:
            return GList(x.runs.take(indices))
        items = x.items
        return collapse([items[i] for i in indices.tolist()])
    take = getattr(x, "take", None)
    if take is None:
        raise QError("type", "not a list")
    return take(indices)


def length(x: Value) -> int:
    """Return the number of items; 1 for an atom or a function."""
    c = type(x)
    if c is Vec:
        try:
            return len(_read_array(x))
        except AttributeError:
            return len(x.atoms)
    if c is GList:
        return len(x.items) if x.runs is None else len(x.runs.ends)
    size = getattr(x, "size", None)
    return 1 if size is None else size()


def is_list(x: Value) -> bool:
    """Say whether `x` is a vector or a general list."""
    c = type(x)
    return c is Vec or c is GList
