"""Text of values: the plain text of an atom (as `string` gives) and the one-line q form (`-3!`, .Q.s1).

Multi-line console output is in display.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from q_runtime.errors import UnsupportedFeature
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table, TableAbroad
from q_runtime.values.enums import domain_name, members, resolve
from q_runtime.values.functions import (
    HOLE,
    Composition,
    Derived,
    FunctionText,
    IteratorValue,
    Lambda,
    Nil,
    Prim,
    Projection,
    View,
)
from q_runtime.values.vectors import Atom, GList, Value, Vec, make_atom, raw_of, type_number

_SUFFIX = {5: "h", 6: "i", 12: "p", 13: "m", 14: "d", 15: "z", 16: "n", 17: "u", 18: "v", 19: "t"}


def float_text(x: float, precision: int = 7) -> str:
    """Return a float as kdb+ prints it, without the type suffix; `precision` significant digits."""
    if x != x:
        return "0n"
    if x in (qt.INF, -qt.INF):
        return "0w" if x > 0 else "-0w"
    text = f"{x:.{precision or 17}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        sign = "-" if exponent[0] == "-" else "+"
        return f"{mantissa}e{sign}{exponent[1:].lstrip('0').zfill(2)}"
    return text


def _date_text(days: int) -> str:
    """Return a date as text; outside the years 1 to 9999 the console shows zeros."""
    try:
        day = date(2000, 1, 1) + timedelta(days=days)
    except OverflowError:
        return "0000.00.00"
    assert day.toordinal() - qt.EPOCH == days
    return f"{day.year:04d}.{day.month:02d}.{day.day:02d}"


def _clock_text(seconds: int, *, hours_only: bool = False) -> str:
    hours, rest = divmod(seconds, 3600)
    if hours_only:
        return f"{hours:02d}:{rest // 60:02d}"
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def _span_text(nanos: int) -> str:
    sign = "-" if nanos < 0 else ""
    days, rest = divmod(abs(nanos), qt.NS_PER_DAY)
    seconds, fraction = divmod(rest, 1_000_000_000)
    return f"{sign}{days}D{_clock_text(seconds)}.{fraction:09d}"


def _temporal_text(t: int, raw: Any) -> str:
    if t == 15:
        if raw != raw or abs(raw) == qt.INF:
            return "0Nz" if raw != raw else ("0wz" if raw > 0 else "-0wz")
        days, part = divmod(raw, 1)
        millis = round(part * 86_400_000)
        days += millis // 86_400_000
        millis %= 86_400_000
        return f"{_date_text(int(days))}T{_clock_text(millis // 1000)}.{millis % 1000:03d}"
    if raw == qt.NULLS[t]:
        return "0N" + _SUFFIX[t]
    if abs(raw) == qt.INFINITIES[t]:
        return ("-" if raw < 0 else "") + "0W" + _SUFFIX[t]
    if t == 12:
        days, rest = divmod(raw, qt.NS_PER_DAY)
        seconds, fraction = divmod(rest, 1_000_000_000)
        return f"{_date_text(days)}D{_clock_text(seconds)}.{fraction:09d}"
    if t == 13:
        years, month = divmod(raw, 12)
        return f"{2000 + years:04d}.{month + 1:02d}"
    if t == 14:
        return _date_text(raw)
    if t == 16:
        return _span_text(raw)
    sign = "-" if raw < 0 else ""
    raw = abs(raw)
    if t == 17:
        return sign + _clock_text(raw * 60, hours_only=True)
    if t == 18:
        return sign + _clock_text(raw)
    return f"{sign}{_clock_text(raw // 1000)}.{raw % 1000:03d}"


def raw_text(t: int, raw: Any, precision: int = 7) -> str:
    """Return the text of one item of positive type `t`, without vector or atom suffix."""
    if t >= qt.FIRST_ENUM:
        return _enum_item_text(t, raw, precision)
    if t == 7:
        if raw == qt.LONG_NULL:
            return "0N"
        return str(raw) if abs(raw) != qt.LONG_INF else ("0W" if raw > 0 else "-0W")
    if t == 9 or t == 8:
        return float_text(raw, precision)
    if t == 1:
        return "1" if raw else "0"
    if t == 11:
        return raw
    if t == 10:
        return chr(raw)
    if t == 4:
        return f"{raw:02x}"
    if t in (5, 6):
        if raw == qt.NULLS[t]:
            return "0N"
        return str(raw) if abs(raw) != qt.INFINITIES[t] else ("0W" if raw > 0 else "-0W")
    if t == 2:
        digits = f"{raw:032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return _temporal_text(t, raw)


def _enum_item_text(t: int, raw: int, precision: int) -> str:
    """Return the text of the item that a position in a domain stands for."""
    found = resolve(Atom(-t, raw)) if members(t) is not None else raw
    if type_number(found) >= 0:
        return str(raw)
    base = -type_number(found)
    return raw_text(base, raw_of(found), precision)


def enum_text(x: Value, precision: int = 7) -> str:
    """Return an enumeration as q source: its domain, `$` and its items (`!` and positions for a link)."""
    t = abs(x.t)
    name = "`" + domain_name(t)
    found = members(t)
    if found is None or type(found) is Table:
        plain: Value = Vec(7, x.a) if type(x) is Vec else make_atom(7, x.v)
        return f"{name}!{literal(plain, precision)}"
    items = resolve(x)
    if type(x) is Vec and type(items) is Vec:
        items = Vec(items.t, items.a, x.attr)
    return f"{name}${literal(items, precision)}"


def plain_text(x: Value) -> str:
    """Return what `string` gives for an atom or a function: nulls of numbers are empty."""
    x = resolve(x)
    t = -type_number(x)
    if t <= 0:
        return function_text(x)
    raw = raw_of(x)
    if t == 10:
        return bytes((raw,)).decode("utf-8", "surrogateescape")
    if (t in qt.INTEGERS and raw == qt.NULLS[t]) or (t in qt.FLOATS and raw != raw):
        return ""
    text = raw_text(t, raw)
    if t in qt.INTEGERS and abs(raw) == qt.INFINITIES[t]:
        return text.rstrip("hijpmdznuvt")
    return text


def needs_float_suffix(text: str) -> bool:
    """Say whether the text of a float would be read as a long."""
    return not any(ch in text for ch in ".enw")


def atom_text(x: Value, precision: int = 7) -> str:
    """Return an atom as q source."""
    t = -type_number(x)
    if t >= qt.FIRST_ENUM:
        return enum_text(x, precision)
    raw = raw_of(x)
    text = raw_text(t, raw, precision)
    if t == 9:
        return text + "f" if needs_float_suffix(text) else text
    if t == 8:
        return "0Ne" if text == "0n" else text + "e"
    if t == 1:
        return text + "b"
    if t == 4:
        return "0x" + text
    if t == 11:
        return "`" + text
    if t == 10:
        return '"' + escape(bytes((raw,))) + '"'
    if t in (5, 6):
        return text + _SUFFIX[t]
    return _with_month_suffix(text) if t == 13 else text


def _with_month_suffix(text: str) -> str:
    return text if text.endswith("m") else text + "m"


_ESCAPES = {10: "\\n", 9: "\\t", 13: "\\r", 34: '\\"', 92: "\\\\"}


def escape(data: bytes) -> str:
    """Return bytes as they stand between the quotes of a string."""
    if data.isascii() and data.isalnum():
        return data.decode("ascii")
    out = []
    for byte in data:
        if byte in _ESCAPES:
            out.append(_ESCAPES[byte])
        elif byte < 32 or byte > 126:
            out.append(f"\\{byte:03o}")
        else:
            out.append(chr(byte))
    return "".join(out)


def vector_text(x: Vec, precision: int = 7, limit: int | None = None) -> str:
    """Return a vector as q source; `limit` bounds the number of items looked at."""
    t = x.t
    if t >= qt.FIRST_ENUM:
        text = enum_text(x if limit is None else Vec(t, x.a[:limit], x.attr), precision)
        return f"`{x.attr}#{text}" if x.attr else text
    if x.attr:
        return f"`{x.attr}#" + vector_text(Vec(t, x.a), precision, limit)
    raws = (x.a if limit is None else x.a[:limit]).tolist()
    if not raws:
        return empty_text(t)
    comma = "," if len(x.a) == 1 else ""
    if t == 10:
        return f'{comma}"{escape(bytes(raws))}"'
    if t == 1:
        return comma + "".join("1" if r else "0" for r in raws) + "b"
    if t == 4:
        return comma + "0x" + "".join(f"{r:02x}" for r in raws)
    if t == 11:
        return comma + "".join("`" + r for r in raws)
    texts = [raw_text(t, r, precision) for r in raws]
    if t == 9:
        suffix = "f" if all(needs_float_suffix(text) for text in texts) else ""
        if suffix == "" and all(
            text in ("0n", "0w", "-0w") or needs_float_suffix(text) for text in texts
        ):
            suffix = "" if any(text in ("0n", "0w", "-0w") for text in texts) else "f"
        return comma + " ".join(texts) + suffix
    if t in (5, 6, 8):
        if t == 8:
            texts = [text.replace("0n", "0N") for text in texts]
        return comma + " ".join(texts) + {5: "h", 6: "i", 8: "e"}[t]
    if t == 13:
        texts[-1] = _with_month_suffix(texts[-1])
    return comma + " ".join(texts)


def empty_text(t: int) -> str:
    """Return the q source of an empty vector."""
    if t == 10:
        return '""'
    return f"`{qt.NAMES[t]}$()"


def _no_text(f: Prim | Lambda) -> str:
    raise UnsupportedFeature("the text of this built-in function is not known")


def _called(f: Prim | Lambda) -> str:
    return f.name if isinstance(f, Prim) else f.source


def function_source(x: Value) -> str:
    """Return a function as the console shows it; one whose text kdb+ alone knows as q calls it, by its name."""
    return function_text(x, _called)


def function_text(x: Value, unknown: Callable[[Prim | Lambda], str] = _no_text) -> str:
    """Return a function as the console shows it; `unknown` is asked for a text that kdb+ alone knows.

    Raises: UnsupportedFeature from `unknown`, unless that has a text.
    """

    def part(f: Value) -> str:
        return function_text(f, unknown) if type_number(f) >= 100 else literal(f)

    if type(x) is Nil:
        return "::"
    if x is HOLE:
        return ""
    if type(x) is Lambda:
        return x.source if x.shown is None else x.shown or unknown(x)
    if type(x) is Prim:
        return x.shown or unknown(x)
    if type(x) is IteratorValue:
        return x.glyph
    if type(x) is View or type(x) is FunctionText:
        return x.text
    if type(x) is Derived:
        return part(x.f) + x.glyph
    if type(x) is Projection:
        given = x.args[: x.given]
        inner = part(x.f)
        if inner == "!" and len(given) == 1 and type(given[0]) is int and given[0] < 0:
            return f"{given[0]}!"
        return f"{inner}[{';'.join('' if a is HOLE else part(a) for a in given)}]"
    if type(x) is Composition:
        outer = part(x.f)
        if type(x.f) is Prim and x.f.t == 101:
            outer = outer.removesuffix(":")
        return outer + part(x.g)
    return "?"


def _is_cast_or_marked(x: Value) -> bool:
    """Say whether the source of a list begins with a cast or an attribute."""
    if type(x) is Vec and (x.t >= qt.FIRST_ENUM or (not len(x.a) and x.t != qt.CHAR)):
        return True
    return getattr(x, "attr", "") != ""


def literal(x: Value, precision: int = 7) -> str:
    """Return any value on one line, as q source where there is such a form."""
    t = type_number(x)
    if t < 0:
        return atom_text(x, precision)
    if type(x) is Vec:
        return vector_text(x, precision)
    if type(x) is GList:
        mark = f"`{x.attr}#" if x.attr else ""
        if len(x.items) == 1:
            return f"{mark},{literal(x.items[0], precision)}"
        return f"{mark}({';'.join(literal(i, precision) for i in x.items)})"
    if type(x) is Dict:
        left = literal(x.k, precision)
        if type(x.k) is Table:
            left = f"({left})" if not left.startswith("(") else left
        elif left[0] == "," or _is_cast_or_marked(x.k):
            left = f"({left})"
        return f"{left}!{literal(x.v, precision)}"
    if type(x) is Table:
        from q_runtime.values.vectors import symbols

        names = literal(symbols(x.names))
        names = f"({names})" if names.startswith(",") else names
        return f"+{names}!{literal(GList(list(x.cols)), precision)}"
    if type(x) is TableAbroad:
        return "+" + literal(Dict(x.names, x.place), precision)
    return function_text(x)
