"""The internal functions `-n!x`. Source: KX basics/internal.

Those that reach files, sockets or keys signal 'access; those that ask about the memory of a process are gaps.
"""

from __future__ import annotations

from collections.abc import Callable

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.prims.dotq import byte_vector, sha1, to_base64
from q_runtime.prims.messages import read_message
from q_runtime.prims.registry import PRIMITIVES, Host
from q_runtime.values.codec import encode, encode_compressed
from q_runtime.values.literal import literal
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    string,
    text_of,
    type_number,
)

ACCESS = frozenset({-7, -11, -12, -13, -17, -19, -21, -25, -26, -30, -36, -37, -38, -39})
"""Numbers of the functions that would reach outside the session."""


def internal(host: Host, n: int, x: Value) -> Value:
    """Apply the internal function with the negative number `n`.

    Raises: QError('access'); UnsupportedFeature for a number that is not here.
    """
    if n in ACCESS:
        host.refuse(f"{n}!")
    function = _FUNCTIONS.get(n)
    if function is None:
        raise UnsupportedFeature(f"{n}! is not supported yet")
    return function(host, x)


def _keyword(name: str) -> Callable[[Host, Value], Value]:
    """Return an internal function that is also a keyword."""

    def call(host: Host, x: Value) -> Value:
        if name not in PRIMITIVES:
            raise UnsupportedFeature(f"{name} is not supported yet")
        return host.apply(PRIMITIVES[name], [x])

    return call


def _show_text(host: Host, x: Value) -> Value:
    return string(literal(x, host.precision))


def tokens(_: Host, x: Value) -> Value:
    """Return the words of q text as strings, blanks between them included: `-4!`."""
    from q_runtime.lang.tokenizer import tokenize

    if type_number(x) not in (10, -10):
        raise QError("type")
    text = text_of(x)
    out, at = [], 0
    for token in tokenize(text):
        if token.start > at:
            out.append(string(text[at : token.start]))
        if token.end > token.start:
            out.append(string(text[token.start : token.end]))
        at = token.end
    return GList(out)


def from_bytes(host: Host, x: Value) -> Value:
    """Return the value of a message of bytes: `-9!`.

    Raises: QError('type') unless `x` is a byte vector; QError('badmsg').
    """
    if type(x) is not Vec or x.t != 4:
        raise QError("type")
    return read_message(host, x.a.tobytes())


def fixed_format(_: Host, x: Value) -> Value:
    """Return floats as text with a count of decimals, rounded as IEEE 754 has them: `-27!(2i;x)`.

    Raises: QError('type') unless the count is an int and the numbers are floats; QError('length').
    """
    if type(x) is not GList:
        raise QError("type")
    if len(x.items) != 2:
        raise QError("length")
    places, numbers = x.items
    if type_number(places) != -6 or abs(type_number(numbers)) != 9:
        raise QError("type")
    if type(numbers) is Vec:
        return GList([_decimals(places.v, raw) for raw in numbers.a.tolist()])
    return _decimals(places.v, numbers)


def _decimals(places: int, number: float) -> Value:
    if places < 0 or number != number or number in (float("inf"), float("-inf")):
        raise UnsupportedFeature("-27! of a null, an infinity or a negative count is not supported")
    return string(f"{number:.{places}f}")


def _json_options(host: Host, x: Value) -> Value:
    from q_runtime.prims.dotj import serialize_with

    return serialize_with(host, x)


def _json_value(_: Host, x: Value) -> Value:
    from q_runtime.prims.dotj import deserialize

    return deserialize(x)


def _gzip(_: Host, x: Value) -> Value:
    from q_runtime.prims.dotq import gzip

    return gzip(x)


KEYWORDS = {-1: "hsym", -2: "attr", -5: "parse", -6: "eval", -15: "md5", -24: "reval"}
"""Numbers of the functions that are also keywords."""

_FUNCTIONS: dict[int, Callable[[Host, Value], Value]] = {
    **{n: _keyword(name) for n, name in KEYWORDS.items()},
    -3: _show_text,
    -4: tokens,
    -8: lambda _, x: byte_vector(encode(x)),
    -9: from_bytes,
    -18: lambda _, x: byte_vector(encode_compressed(x)),
    -20: lambda _, x: 0,
    -22: lambda _, x: len(encode(x)),
    -23: lambda _, x: x,
    -27: fixed_format,
    -29: _json_value,
    -31: _json_options,
    -32: lambda _, x: to_base64(x),
    -33: lambda _, x: sha1(x),
    -35: _gzip,
    -120: lambda _, x: 0,
}


def numbers() -> list[int]:
    """Return the numbers of the internal functions that are here."""
    return sorted(_FUNCTIONS, reverse=True)
