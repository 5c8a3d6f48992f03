"""Text tools: like ss ssr lower upper trim ltrim rtrim, string. Text is bytes; case changes ASCII only."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.compare import null_mask
from q_runtime.prims.registry import Host, primitive
from q_runtime.prims.runs import texts
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve
from q_runtime.values.functions import HOLE, is_function
from q_runtime.values.literal import plain_text
from q_runtime.values.vectors import (
    CHARS,
    FEW,
    Atom,
    GList,
    Value,
    Vec,
    booleans,
    collapse,
    is_list,
    items_of,
    longs,
    string,
    symbols,
    type_number,
)


def _text_map(
    f: Callable[[bytes], bytes], x: Value, *, symbols_too: bool, chars_too: bool
) -> Value:
    """Apply `f` to every string, and to symbols and chars where allowed.

    Raises: QError('type') for anything else.
    """
    x = resolve(x)
    if type(x) is Vec and x.t == 10:
        return Vec(10, np.frombuffer(f(x.a.tobytes()), dtype=np.uint8))
    if type(x) is Atom and x.t == -10 and chars_too:
        return CHARS[f(bytes((x.v,)))[0]]
    if symbols_too and type(x) is Atom and x.t == -11:
        return Atom(-11, f(x.v.encode()).decode())
    if symbols_too and type(x) is Vec and x.t == 11:
        return symbols([f(s.encode()).decode() for s in x.a.tolist()])
    if type(x) is GList:
        return collapse(
            [_text_map(f, i, symbols_too=symbols_too, chars_too=chars_too) for i in x.items]
        )
    if type(x) is Dict:
        return Dict(x.k, _text_map(f, x.v, symbols_too=symbols_too, chars_too=chars_too))
    if type(x) is Table:
        return Table(
            x.names,
            [_text_map(f, c, symbols_too=symbols_too, chars_too=chars_too) for c in x.cols],
        )
    raise QError("type")


@primitive("lower", atomic=True)
def lower(x: Value) -> Value:
    """Text in lower case."""
    return _text_map(bytes.lower, x, symbols_too=True, chars_too=True)


@primitive("upper", atomic=True)
def upper(x: Value) -> Value:
    """Text in upper case."""
    return _text_map(bytes.upper, x, symbols_too=True, chars_too=True)


def _trimmer(name: str, f: Callable[[bytes], bytes]) -> None:
    def trimmer(x: Value) -> Value:
        if type_number(x) < 0:
            return x
        if type(x) is Vec and x.t != 10:
            kept = np.flatnonzero(~null_mask(x.t, x.a))
            low = int(kept[0]) if len(kept) and name != "rtrim" else 0
            high = int(kept[-1]) + 1 if len(kept) and name != "ltrim" else len(x.a)
            return Vec(x.t, x.a[low:high] if len(kept) else x.a[:0])
        if type(x) is GList:
            return collapse([trimmer(i) for i in x.items])
        if type(x) is Dict:
            return Dict(x.k, trimmer(x.v))
        if type(x) is Table:
            return Table(x.names, [trimmer(c) for c in x.cols])
        return _text_map(f, x, symbols_too=False, chars_too=False)

    trimmer.__doc__ = f"Text without blanks at its ends. Source: KX ref/trim ({name})."
    primitive(name)(trimmer)


_trimmer("trim", lambda b: b.strip(b" "))
_trimmer("ltrim", lambda b: b.lstrip(b" "))
_trimmer("rtrim", lambda b: b.rstrip(b" "))


def pattern_regex(pattern: bytes, *, star: bool) -> re.Pattern[bytes]:
    """Translate a q pattern (`?`, `[...]`, `[^...]` and, with `star`, `*`) to a regular expression."""
    out = []
    i, n = 0, len(pattern)
    while i < n:
        ch = pattern[i : i + 1]
        if ch == b"?":
            out.append(b".")
        elif ch == b"*" and star:
            out.append(b".*")
        elif ch == b"[":
            end = pattern.find(b"]", i + 2)
            if end < 0:
                raise QError("nyi")
            body = pattern[i + 1 : end]
            head = b"^" if body[:1] == b"^" and len(body) > 1 else b""
            inner = body[1:] if head else body
            safe = inner.replace(b"\\", b"\\\\").replace(b"]", b"\\]").replace(b"^", b"\\^")
            out.append(b"[" + head + safe.replace(b"[", b"\\[") + b"]")
            i = end
        else:
            out.append(re.escape(ch))
        i += 1
    return re.compile(b"".join(out), re.DOTALL)


def _raw(x: Value) -> bytes:
    if type(x) is Vec and x.t == 10:
        return x.a.tobytes()
    if type(x) is Atom and x.t == -10:
        return bytes((x.v,))
    if type(x) is GList and not x.items:
        return b""
    raise QError("type")


@primitive("like", 2)
def like(x: Value, y: Value) -> Value:
    """Whether text matches a pattern with `?`, `*` and `[...]`."""
    pattern = _raw(y)
    stars = re.sub(rb"\[[^]]*\]", b"", pattern).count(b"*")
    if (
        stars > 2
        or pattern == b"**"
        or (stars == 2 and not (pattern[:1] == b"*" and pattern[-1:] == b"*"))
    ):
        raise QError("nyi", "a pattern with this many stars")
    regex = pattern_regex(pattern, star=True)

    def test(v: Value) -> Value:
        v = resolve(v)
        if type(v) is Atom and v.t == -11:
            return regex.fullmatch(v.v.encode()) is not None
        if type(v) is Vec and v.t == 11:
            return booleans([regex.fullmatch(s.encode()) is not None for s in v.a.tolist()])
        if type(v) is GList:
            if any(type(i) is GList or (type(i) is Vec and i.t == 11) for i in v.items):
                raise QError("type")
            return collapse([test(i) for i in v.items]) if v.items else booleans([])
        if type(v) is Dict:
            return Dict(v.k, test(v.v))
        return regex.fullmatch(_raw(v)) is not None

    return test(x)


@primitive("ss", 2)
def ss(x: Value, y: Value) -> Value:
    """Positions where a pattern occurs in a string, without overlap."""
    if type(x) is GList and x.items:
        return collapse([ss(i, y) for i in x.items])
    text, pattern = _raw(x), _raw(y)
    if not pattern or b"*" in pattern:
        raise QError("length")
    regex = pattern_regex(pattern, star=False)
    return longs([m.start() for m in regex.finditer(text)])


@primitive("ssr", 3, host=True)
def ssr(host: Host, x: Value, y: Value, z: Value) -> Value:
    """Replace each occurrence of a pattern by text, or by a function of what was found."""
    if type(x) is GList and x.items:
        return collapse([ssr(host, i, y, z) for i in x.items])
    if type(x) is Atom:
        raise QError("type")
    text, pattern = _raw(x), _raw(y)
    if not pattern:
        raise QError("length")
    regex = pattern_regex(pattern, star=False)
    if is_function(z):

        def swap(found: re.Match[bytes]) -> bytes:
            piece = Vec(10, np.frombuffer(found[0], dtype=np.uint8))
            return _raw(host.apply(z, [piece]))

        made = regex.sub(swap, text)
    else:
        replacement = _raw(z)
        made = regex.sub(lambda _: replacement, text)
    return Vec(10, np.frombuffer(made, dtype=np.uint8))


@primitive("string")
def string_(x: Value) -> Value:
    """Each atom as text."""
    if type(x) is int and abs(x) != qt.LONG_INF:
        return string(str(x))
    if type_number(x) < 0:
        return string(plain_text(x))
    if type(x) is Vec and len(x.a) > FEW:
        return texts(x)
    if is_list(x):
        return GList([string_(i) for i in items_of(x)])
    if type(x) is Dict:
        return Dict(x.k, string_(x.v))
    if type(x) is Table:
        return Table(x.names, [string_(c) for c in x.cols])
    return string("::" if x is HOLE else plain_text(x))
