"""Members of `.Q` that are written in Python; the others are q text in prelude/Q.q. Source: KX ref/dotq."""

from __future__ import annotations

import math
import time

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.lang.keywords import RESERVED
from q_runtime.lang.members import ROOT_NAMESPACE
from q_runtime.prims.enumeration import is_foreign_key
from q_runtime.prims.lists import integer
from q_runtime.prims.registry import Host, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import domain_name
from q_runtime.values.functions import NIL
from q_runtime.values.literal import literal, plain_text
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    bytes_string,
    items_of,
    longs,
    raw_of,
    string,
    symbol,
    symbols,
    text_of,
    type_number,
)


def bytes_of(x: Value) -> bytes:
    """Return the bytes of a char or byte vector, or of a char or byte atom.

    Raises: QError('type') for anything else.
    """
    if type(x) is Vec and x.t in (4, 10):
        return x.a.tobytes()
    if type(x) is Atom and x.t in (-4, -10):
        return bytes((x.v,))
    raise QError("type")


def byte_vector(data: bytes) -> Vec:
    """Build a byte vector."""
    return Vec(4, bytes_string(data).a)


@primitive(".Q.s", host=True)
def console_text(host: Host, x: Value) -> Value:
    """Console text of a value as a string, a newline after each line."""
    text = host.display(x)
    return string(text + "\n" if text else "")


@primitive(".Q.s1", host=True)
def one_line(host: Host, x: Value) -> Value:
    """One-line text of a value, as q source where there is such a form."""
    return string(literal(x, host.precision))


@primitive(".Q.fk")
def key_target(x: Value) -> Value:
    """Name of the table that a foreign-key column refers to; empty for any other column."""
    return symbol(domain_name(abs(x.t)) if is_foreign_key(x) else "")


_MOST_PLACES = 308


def fixed_text(places: int, number: float) -> str:
    """Return a number with a fixed count of decimals, rounded half up as `"j"$` rounds.

    A null gives no text, a number past the precision of a long its plain text.
    Raises: QError('domain') for more places than a float has.
    """
    if abs(places) > _MOST_PLACES:
        raise QError("domain")
    if number != number:
        return ""
    if number < 0:
        return "-" + fixed_text(places, -number)
    if number < 1:
        return fixed_text(places, 10 + number)[1:]
    scaled = number * 10.0**places
    if not scaled < 9e15:
        return plain_text(float(number))
    digits = str(math.floor(scaled + 0.5))
    cut = len(digits) - places
    return f"{digits[:cut]}.{digits[cut:]}"


def _number(x: Value) -> float:
    t = -type_number(x)
    if t not in qt.NUMERIC:
        raise QError("type")
    raw = raw_of(x)
    return float("nan") if t in qt.INTEGERS and raw == qt.NULLS[t] else raw


@primitive(".Q.f", 2)
def fixed(x: Value, y: Value) -> Value:
    """A number as text with `x` decimal places."""
    return string(fixed_text(integer(x, ".Q.f"), _number(y)))


@primitive(".Q.fmt", 3)
def formatted(x: Value, y: Value, z: Value) -> Value:
    """A number as text `x` wide with `y` decimal places; stars where it does not fit."""
    width = integer(x, ".Q.fmt")
    text = fixed_text(integer(y, ".Q.fmt"), _number(z))
    return string("*" * width if len(text) > width else text.rjust(width))


def clean_name(name: str) -> str:
    """Return a name that q code can use: letters, digits and underscores, no digit first, no keyword."""
    kept = "".join(ch for ch in name if ch.isascii() and (ch.isalnum() or ch == "_"))
    if not kept:
        return "a"
    if kept[0].isdigit() or kept[0] == "_":
        kept = "a" + kept
    return kept + "1" if kept in RESERVED or kept in ROOT_NAMESPACE else kept


def clean_names(names: list[str]) -> list[str]:
    """Clean several names and number those that would collide."""
    out: list[str] = []
    for name in map(clean_name, names):
        made, n = name, 0
        while made in out:
            n += 1
            made = f"{name}{n}"
        out.append(made)
    return out


@primitive(".Q.id")
def identifier(x: Value) -> Value:
    """A symbol made fit for a name; the same for the columns of a table and the keys of a dictionary."""
    if type(x) is Atom and x.t == -11:
        return symbol(clean_name(x.v))
    if type(x) is Table:
        return Table(clean_names(x.names), x.cols)
    if type(x) is Dict and x.is_keyed_table:
        names = clean_names([*x.k.names, *x.v.names])
        n = len(x.k.names)
        return Dict(Table(names[:n], x.k.cols), Table(names[n:], x.v.cols))
    if type(x) is Dict and type(x.k) is Vec and x.k.t == 11:
        return Dict(symbols(clean_names(x.k.a.tolist())), x.v)
    if type(x) is Vec and x.t == 11:
        raise UnsupportedFeature(".Q.id of a list of symbols is not supported")
    raise QError("type")


@primitive(".Q.btoa")
def to_base64(x: Value) -> Value:
    """Base-64 text of a string or of bytes."""
    from base64 import b64encode

    return bytes_string(b64encode(bytes_of(x)))


@primitive(".Q.atob")
def from_base64(x: Value) -> Value:
    """Bytes of base-64 text."""
    if type_number(x) != 10:
        raise QError("type")
    from base64 import b64decode

    try:
        return byte_vector(b64decode(bytes_of(x), validate=True))
    except ValueError:  # binascii.Error
        raise QError("domain", "not base-64 text") from None


@primitive(".Q.sha1")
def sha1(x: Value) -> Value:
    """SHA-1 digest of a string or of bytes: 20 bytes."""
    from hashlib import sha1 as digest

    return byte_vector(digest(bytes_of(x)).digest())


@primitive("md5")
def md5(x: Value) -> Value:
    """MD5 digest of a string or of bytes: 16 bytes. Source: KX ref/md5."""
    from hashlib import md5 as digest

    if type(x) is GList and not x.items:
        return byte_vector(digest(b"").digest())
    if type_number(x) not in (4, 10):
        raise QError("type")
    return byte_vector(digest(bytes_of(x)).digest())


_MAX_INFLATED = 1 << 28


@primitive(".Q.gz")
def gzip(x: Value) -> Value:
    """Compress `(level;text)` in the form of gzip, or expand such text."""
    import zlib

    if type(x) is GList and len(x.items) == 2:
        level = integer(x.items[0], ".Q.gz")
        if not 0 <= level <= 9:
            raise QError("domain")
        packer = zlib.compressobj(level, zlib.DEFLATED, 31)
        return bytes_string(packer.compress(bytes_of(x.items[1])) + packer.flush())
    opened = zlib.decompressobj(47)
    try:
        made = opened.decompress(bytes_of(x), _MAX_INFLATED)
    except zlib.error:
        raise QError("gz", "not compressed text") from None
    if opened.unconsumed_tail:
        raise QError("wsfull")
    return bytes_string(made)


@primitive(".Q.ts", 2, host=True)
def timed(host: Host, x: Value, y: Value) -> Value:
    """Apply to a list of arguments: the milliseconds and bytes that it took (no bytes are counted), and the result."""
    started = time.perf_counter()
    result = host.apply(x, items_of(y) or [NIL])
    elapsed = int((time.perf_counter() - started) * 1000)
    return GList([longs([elapsed, 0]), result])


@primitive(".Q.qp")
def is_partitioned(x: Value) -> Value:
    """Whether a table is partitioned: 0 for a table in memory, and nothing else can be here."""
    return 0


@primitive(".Q.hap")
def url_parts(x: Value) -> Value:
    """Parts of a URL: scheme with its slashes, user and password, host, path."""
    text = text_of(x).removeprefix(":")
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "", text
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    parts = [scheme + mark, user if at else "", host, slash + path or "/"]
    return GList([string(part) for part in parts])
